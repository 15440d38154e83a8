// An image of MCUboot for tests of the commands.

import { createPrivateKey } from "node:crypto";
import { buildMcuboot, formatKey, type ImageOptions, signScheme } from "@firmseal/formats";

/** 3,000 bytes of version 1.4.2 with the security counter 7, signed by a key in PEM. */
export function mcubootImage(pem: Uint8Array, options: Partial<ImageOptions> = {}): Uint8Array {
  const secret = createPrivateKey(Buffer.from(pem));
  const key = formatKey(secret);
  const facts = { version: "1.4.2", headerSize: 0x200, counter: 7, signer: key, ...options };
  const image = buildMcuboot(new Uint8Array(3000).fill(5), facts);
  const { message, scheme } = image.toBeSigned(key);
  return image.withSignature(key, signScheme(secret, scheme, message)).bytes;
}
