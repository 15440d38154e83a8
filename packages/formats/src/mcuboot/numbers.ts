// The numbers of MCUboot images: magic numbers, flags, types of TLVs (bootutil/image.h, bootutil/enc_key_public.h).

export const HEADER_MAGIC = 0x96f3b83d;
export const HEADER_MAGIC_V1 = 0x96f3b83c;
/** Bytes of the header that have a meaning. */
export const HEADER_BYTES = 32;
/** Magic numbers of the areas. */
export const PROTECTED = 0x6908;
export const UNPROTECTED = 0x6907;
/** Bytes before the first TLV of an area: magic number, length of the area. And of a TLV: type, length. */
export const AREA_HEAD = 4;
export const TLV_HEAD = 4;

/** Flags of the header. PIC (1) is defined, and no boot loader takes it. */
export const FLAGS = {
  "aes-128": 0x4,
  "aes-256": 0x8,
  "non-bootable": 0x10,
  "ram-load": 0x20,
  "rom-fixed": 0x100,
  lzma1: 0x200,
  lzma2: 0x400,
  "arm-thumb": 0x800,
} as const;

export const KEYHASH = 0x01;
export const PUBKEY = 0x02;
export const SIG_PURE = 0x25;
export const DEPENDENCY = 0x40;
export const SEC_CNT = 0x50;
export const BOOT_RECORD = 0x60;
export const UUID_VID = 0x74;
export const UUID_CID = 0x75;
/** Types from here on belong to vendors, in the protected area. */
export const CUSTOM_FIRST = 0xa0;
export const CUSTOM_LAST = 0xfffe;

/** The hashes of images, by the type of their TLV. */
export const IMAGE_HASHES = { 16: "sha256", 17: "sha384", 18: "sha512" } as const;
export type ImageHash = (typeof IMAGE_HASHES)[keyof typeof IMAGE_HASHES];
export const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** Types of signatures. P-256 and P-384 have the same. */
export const RSA2048 = 0x20;
export const ECDSA = 0x22;
export const RSA3072 = 0x23;
export const ED25519 = 0x24;

/** What is known of a type. */
export interface TlvRow {
  readonly name: string;
  readonly isProtected: boolean;
  /** The lengths that its value may have, in bytes; empty: any. */
  readonly lengths: readonly number[];
  readonly what: "key" | "hash" | "signature" | "pure" | "encryption" | "compression" | "fact";
  readonly repeats: boolean;
}

const outside = (name: string, what: TlvRow["what"], lengths: readonly number[], repeats = false): TlvRow => {
  return { name, isProtected: false, lengths, what, repeats };
};
const inside = (name: string, lengths: readonly number[], what: TlvRow["what"] = "fact", repeats = false): TlvRow => {
  return { name, isProtected: true, lengths, what, repeats };
};

/** SubjectPublicKeyInfo of Ed25519, P-256 and P-384; RSAPublicKey of 2048 and 3072 bits with the exponent 65537. */
const KEY_BYTES = [44, 91, 120, 270, 398];

/** The types that are not custom. A type that is missing here is refused. */
export const TLV_ROWS: ReadonlyMap<number, TlvRow> = new Map([
  [KEYHASH, outside("key-hash", "key", [32, 48, 64], true)],
  [PUBKEY, outside("public-key", "key", KEY_BYTES, true)],
  ...Object.entries(IMAGE_HASHES).map(([type, hash]): [number, TlvRow] => [Number(type), outside(hash, "hash", [HASH_BYTES[hash]])]),
  [RSA2048, outside("rsa2048-pss", "signature", [256], true)],
  [ECDSA, outside("ecdsa", "signature", [], true)],
  [RSA3072, outside("rsa3072-pss", "signature", [384], true)],
  [ED25519, outside("ed25519", "signature", [64], true)],
  [SIG_PURE, outside("pure", "pure", [1])],
  // of AES-128, then of AES-256
  [0x30, outside("rsa-oaep", "encryption", [256, 256])],
  [0x31, outside("aes-kw", "encryption", [24, 40])],
  [0x32, outside("ecies-p256", "encryption", [113, 129])],
  [0x33, outside("ecies-x25519", "encryption", [80, 96])],
  [0x34, outside("ecies-x25519-sha512", "encryption", [112, 128])],
  [DEPENDENCY, inside("dependency", [12], "fact", true)],
  [SEC_CNT, inside("security-counter", [4])],
  [BOOT_RECORD, inside("boot-record", [])],
  [0x70, inside("decompressed-size", [4], "compression")],
  [0x71, inside("decompressed-hash", [32, 48, 64], "compression")],
  [0x72, inside("decompressed-signature", [], "compression")],
  [0x73, inside("compressed-size", [4], "compression")],
  [UUID_VID, inside("vendor", [16])],
  [UUID_CID, inside("class", [16])],
]);
