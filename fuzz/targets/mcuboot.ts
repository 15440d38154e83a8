// MCUboot images. The first octet of an input says whether the hash is written again before the image is verified. What
// verifies has been signed like this, header, payload and protected TLVs.

import { createHash } from "node:crypto";
import { formatKey } from "../../packages/formats/src/key/key.js";
import { buildMcuboot, type ImageOptions } from "../../packages/formats/src/mcuboot/build-image.js";
import { MCUBOOT, type McubootFile } from "../../packages/formats/src/mcuboot/mcuboot.js";
import { SECRETS, signAndVerify, signedBy, TRUSTED, unlessRefused } from "../common/formats.js";
import { Finding, type Target } from "../common/verdict.js";

const binary = Uint8Array.from({ length: 48 }, (_, i) => i);
const base = { version: "1.2.3+4", headerSize: 32 };

const FACTS: Partial<ImageOptions> = {
  counter: 7,
  bootRecord: "app",
  dependencies: [{ image: 1, version: "1.0.0" }],
  vendor: new Uint8Array(16).fill(1),
  class: new Uint8Array(16).fill(2),
  custom: [{ type: 0xa0, value: Uint8Array.of(1) }],
  load: { to: "ram", address: 0x2000_0000 },
};

const DRAFTS = (
  [
    ["ed25519", {}],
    ["ed25519", { isPure: true, hasFullKeys: true, counter: 1 }],
    ["ed25519", { ...FACTS, hash: "sha512" }],
    ["p256", { slot: { size: 2048, maxSectors: 4, trailer: "confirm" } }],
    ["p384", { counter: 9, slot: { size: 2048, maxSectors: 4, align: 32, trailer: "test" } }],
  ] as const
).map(([name, options]) => {
  const secret = SECRETS[name];
  return { secret, draft: buildMcuboot(binary, { ...base, signer: formatKey(secret), ...options }) as McubootFile };
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const SIGNED = new Set(DRAFTS.map(({ draft }) => hex(draft.parts.region)));

export function seeds(): Uint8Array[] {
  const signed = DRAFTS.map(({ draft, secret }) => signedBy(draft, secret));
  const twice = signedBy(signed[0] as McubootFile, SECRETS.stranger);
  return [...signed, twice].flatMap(({ bytes }) => [0, 1].map((first) => Buffer.concat([Buffer.of(first), bytes])));
}

const read = (bytes: Uint8Array) => MCUBOOT.read(bytes) as McubootFile;

export const fuzz: Target = (input) => {
  const bytes = input.subarray(1);
  const file = unlessRefused(() => read(bytes));
  if (!file) return;
  const { parts } = file;
  // a view of the input
  if ((input[0] as number) & 1) parts.digest.set(createHash(parts.hash).update(parts.region).digest());
  if (file.facts.bytes !== bytes.length) throw new Finding("facts of another length");
  if (unlessRefused(() => file.verify(TRUSTED)) && !SIGNED.has(hex(parts.region))) throw new Finding("verified, and nobody signed it");
  signAndVerify(file, SECRETS.stranger, read);
};
