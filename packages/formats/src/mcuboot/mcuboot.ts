// MCUboot images: read, signed and verified more strictly than by `imgtool verify`.

import { equalBytes } from "@firmseal/verifier/tools";
import type { BootFormat, BootImage, FormatFacts, KeyMessage, VerifiedBy } from "../format.js";
import { ecdsaToDer } from "../key/der.js";
import type { FormatKey } from "../key/key.js";
import { schemeLength, verifyScheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { hasFlag, hasMagic } from "./header.js";
import { imageFacts } from "./image-facts.js";
import { encodedKey, hashedKey, imageKey, imageMessage, isImageKey } from "./image-key.js";
import { ECDSA, KEYHASH, PUBKEY } from "./numbers.js";
import { hashFits, type ImageParts, type ImageSignature, isCompressed, readParts, writeImageParts } from "./parts.js";
import { roomBefore } from "./trailer.js";

/** What the bytes of an image do not say, and signing needs. */
export interface ImageForm {
  /** Whether signatures carry the whole public key instead of its hash (boot loaders with MCUBOOT_HW_KEY). */
  readonly hasFullKeys: boolean;
  /** Offset that the last TLV must not exceed. Default: the trailer, if there is one. */
  readonly room: number | undefined;
}

/** Whether a TLV names this key: by its hash in full length, or by its encoding. */
function names({ key: { type, value } }: ImageSignature, key: FormatKey, { hash }: ImageParts): boolean {
  return equalBytes(value, type === KEYHASH ? hashedKey(key, hash) : encodedKey(key));
}

/** An image. */
export class McubootFile implements BootImage {
  #facts: FormatFacts | undefined;

  constructor(
    readonly bytes: Uint8Array,
    readonly parts: ImageParts,
    readonly form: ImageForm,
  ) {}

  get facts(): FormatFacts {
    this.#facts ??= imageFacts(this.parts, this.bytes.length);
    return this.#facts;
  }

  get covered(): Uint8Array {
    return this.parts.region;
  }

  /** The image has the content that its hash says, in clear. */
  #checkContent(): void {
    const { flags } = this.parts.header;
    if (isCompressed(this.parts)) refuseFormat("MCUBOOT_COMPRESSED", 16);
    if (!hashFits(this.parts))
      refuseFormat(hasFlag(flags, "aes-128") || hasFlag(flags, "aes-256") ? "MCUBOOT_ENCRYPTED" : "MCUBOOT_HASH", this.parts.region.length);
  }

  toBeSigned(key: FormatKey): KeyMessage {
    const message = imageMessage(key, this.parts);
    if (this.parts.signatures.some((one) => names(one, key, this.parts))) refuseFormat("FORMAT_ALREADY_SIGNED");
    this.#checkContent();
    return message;
  }

  withSignature(key: FormatKey, signature: Uint8Array): McubootFile {
    this.toBeSigned(key);
    if (signature.length !== schemeLength(key.kind)) refuseFormat("FORMAT_SIGNATURE_ENCODING", -1, `${signature.length} bytes`);
    const { type } = imageKey(key);
    const isFull = this.form.hasFullKeys;
    const added = {
      key: { type: isFull ? PUBKEY : KEYHASH, value: isFull ? encodedKey(key) : hashedKey(key, this.parts.hash), at: -1 },
      signature: { type, value: type === ECDSA ? ecdsaToDer(signature) : signature, at: -1 },
      raw: signature,
    };
    return laidOut({ ...this.parts, signatures: [...this.parts.signatures, added] }, this.form);
  }

  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    const { parts } = this;
    const possible = keys.filter(isImageKey);
    // the hint for a key of the wrong kind is better than that for a wrong key
    if (possible.length === 0 && keys[0]) imageKey(keys[0]);
    this.#checkContent();
    if (parts.signatures.length === 0) refuseFormat("FORMAT_NOT_SIGNED");
    const seen = new Set<FormatKey>();
    const verified = parts.signatures.flatMap((one, signature): VerifiedBy[] => {
      const key = possible.find((given) => names(one, given, parts));
      if (!key) return [];
      const { message, scheme } = imageMessage(key, parts);
      // a boot loader takes the verdict of the last one, so each must be right
      if (imageKey(key).type !== one.signature.type || !verifyScheme(key, scheme, message, one.raw))
        return refuseFormat("FORMAT_SIGNATURE", one.signature.at);
      // anybody can copy a signature hundreds of times, and each costs a hash of the image
      if (seen.has(key)) return refuseFormat("MCUBOOT_TLV_DUPLICATE", one.key.at, "a key has signed twice");
      seen.add(key);
      return [{ key, signature }];
    });
    return verified.length > 0 ? verified : refuseFormat("FORMAT_NO_KEY");
  }
}

/** Writes the parts as a file, and reads it again. */
export function laidOut(parts: Omit<ImageParts, "end">, form: ImageForm): McubootFile {
  const { trailer } = parts;
  const length = writeImageParts({ ...parts, trailer: undefined }).length;
  const room = form.room ?? (trailer && roomBefore(trailer));
  if (room !== undefined && length > room) refuseFormat("MCUBOOT_SLOT", -1, `${length} bytes, and there is room for ${Math.max(room, 0)}`);
  const bytes = writeImageParts(parts);
  return new McubootFile(bytes, readParts(bytes), form);
}

/** MCUboot images, little-endian, with a header of version 2. */
export const MCUBOOT: BootFormat = {
  name: "mcuboot",
  title: "MCUboot image",
  beside: false,
  looksLike: hasMagic,
  read(bytes) {
    const parts = readParts(bytes);
    return new McubootFile(bytes, parts, { hasFullKeys: parts.signatures.some(({ key }) => key.type === PUBKEY), room: undefined });
  },
};
