// Images with one fault each. Hash and signature fit what the header and the areas have become, so nothing but the rule
// that is tried refuses the image.

import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { formatKey } from "../../src/key/key.js";
import { writeHeader } from "../../src/mcuboot/header.js";
import { HASH_BYTES, type ImageHash, PROTECTED, UNPROTECTED } from "../../src/mcuboot/numbers.js";
import { writeArea } from "../../src/mcuboot/tlv.js";
import { viewOf } from "../../src/view.js";

const pair = generateKeyPairSync("ed25519");
const secret = createPrivateKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }));

/** The key that has signed. */
export const key = formatKey(pair.publicKey);

export type CraftedTlv = readonly [type: number, value: readonly number[] | Uint8Array];

export interface Craft {
  readonly flags?: number;
  readonly loadAddress?: number;
  readonly headerSize?: number;
  readonly imageSize?: number;
  readonly protectedSize?: number;
  /** The last 4 bytes of the header. */
  readonly pad?: number;
  readonly facts?: readonly CraftedTlv[];
  readonly hash?: ImageHash;
  readonly isPure?: boolean;
  /** Changes the unprotected TLVs: hash, key, signature; the second argument gives a signature over the digest. */
  readonly tlvs?: (tlvs: readonly CraftedTlv[], digest: Uint8Array) => readonly CraftedTlv[];
  /** What follows the image. */
  readonly after?: Uint8Array;
}

const area = (magic: number, tlvs: readonly CraftedTlv[]) =>
  writeArea(
    magic,
    tlvs.map(([type, value]) => ({ type, value: Uint8Array.from(value) })),
  );

const TYPES = { sha256: 0x10, sha384: 0x11, sha512: 0x12 } as const;

/** 100 bytes of payload behind a header, signed with Ed25519. */
export function craft(o: Craft = {}): Uint8Array {
  const hash = o.hash ?? (o.isPure ? "sha512" : "sha256");
  const inside = o.facts ? area(PROTECTED, o.facts) : new Uint8Array(0);
  const header = writeHeader(
    {
      loadAddress: o.loadAddress ?? 0,
      headerSize: o.headerSize ?? 32,
      protectedSize: o.protectedSize ?? inside.length,
      imageSize: o.imageSize ?? 100,
      flags: o.flags ?? 0,
      version: { major: 1, minor: 2, revision: 3, build: 0 },
    },
    0xff,
  );
  viewOf(header).setUint32(28, o.pad ?? 0, true);
  const region = Buffer.concat([header, new Uint8Array(o.imageSize ?? 100).fill(7), inside]);
  const digest = createHash(hash).update(region).digest();
  const keyHash = createHash(hash).update(key.spki).digest();
  const signature = sign(null, o.isPure ? region : digest, secret);
  const tlvs: CraftedTlv[] = [[TYPES[hash], digest], ...(o.isPure ? ([[0x25, [1]]] as const) : []), [0x01, keyHash], [0x24, signature]];
  return new Uint8Array(Buffer.concat([region, area(UNPROTECTED, o.tlvs ? o.tlvs(tlvs, digest) : tlvs), o.after ?? new Uint8Array(0)]));
}

/** As many bytes as a hash has. */
export const digestOf = (hash: ImageHash, fill: number): CraftedTlv => [TYPES[hash], new Uint8Array(HASH_BYTES[hash]).fill(fill)];
