// Envelopes assembled by hand, for the test vectors. The signer cannot write what these need (it refuses to, and it
// should), and vectors that do not come from the signer do not carry its faults. A Piece is one encoded CBOR item, or a
// stretch of one.

import { createHash, createHmac } from "node:crypto";
import { privateKey } from "../../../packages/signer/src/key/key.js";
import { signer } from "../../../packages/signer/src/key/signer.js";
import {
  ALG_ED25519,
  ALG_ESP256,
  ALG_HMAC_256_256,
  HASH_SHA_256,
  HASH_SHA_384,
  HEADER_ALG,
  TAG_MAC0,
  TAG_SIGN,
  TAG_SIGN1,
} from "../../../packages/verifier/src/spec/cose.js";
import {
  COM_COMPONENTS,
  COM_SHARED_SEQUENCE,
  COND_CLASS_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_PARAMETERS,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  MAN_COMMON,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_SEQUENCE_NUMBER,
  MAN_VALIDATE,
  MAN_VERSION,
  PARAM_CLASS_IDENTIFIER,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
  TAG_ENVELOPE,
} from "../../../packages/verifier/src/spec/suit.js";

export type Piece = readonly number[];
export type Pair = readonly [Piece, Piece];

export const hex = (b: ArrayLike<number>): string => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
export const unhex = (text: string): number[] => (text.match(/../g) ?? []).map((x) => Number.parseInt(x, 16));
export const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

// CBOR, one function for each kind of item (RFC 8949 §3.1)

/** A head with the shortest argument. */
export function head(major: number, n: number | bigint): number[] {
  const v = BigInt(n);
  const size = v < 24n ? 0 : v < 256n ? 1 : v < 65536n ? 2 : v < 4294967296n ? 4 : 8;
  return [
    major * 32 + (size === 0 ? Number(v) : 24 + Math.log2(size)),
    ...Array.from({ length: size }, (_, i) => Number((v >> BigInt(8 * (size - 1 - i))) & 255n)),
  ];
}
/** `start` with the items behind it. A loop: flat() takes ten times as long, and some vectors have 64 KB in small items. */
function followed(start: number[], items: readonly Piece[]): number[] {
  for (const item of items) for (const byte of item) start.push(byte);
  return start;
}
export const int = (n: number | bigint): Piece => (n < 0 ? head(1, -1n - BigInt(n)) : head(0, n));
export const bytes = (b: ArrayLike<number>): Piece => followed(head(2, b.length), [Array.isArray(b) ? b : Array.from(b)]);
export const text = (s: string | Piece): Piece => {
  const b = typeof s === "string" ? ascii(s) : s;
  return followed(head(3, b.length), [b]);
};
export const array = (...items: Piece[]): Piece => followed(head(4, items.length), items);
/** The pairs in the order given: sort() puts them right. */
export const map = (...pairs: Pair[]): Piece => {
  const out = head(5, pairs.length);
  for (const pair of pairs) followed(out, pair);
  return out;
};
export const tag = (n: number, item: Piece): Piece => followed(head(6, n), [item]);
export const FALSE: Piece = [0xf4];
export const TRUE: Piece = [0xf5];
export const NIL: Piece = [0xf6];

/** Pairs in bytewise order of their keys (RFC 8949 §4.2.1). */
export function sort(pairs: Pair[]): Pair[] {
  return [...pairs].sort(([a], [b]) => (hex(a) < hex(b) ? -1 : 1));
}

// Hashes

const HASHES: { [alg: number]: string } = { [HASH_SHA_256]: "sha256", [HASH_SHA_384]: "sha384" };
export const hash = (b: Piece, alg = HASH_SHA_256): number[] => [
  ...createHash(HASHES[alg] ?? "sha512")
    .update(Uint8Array.from(b))
    .digest(),
];
/** SUIT_Digest of a stretch of bytes. */
export const digest = (b: Piece, alg = HASH_SHA_256): Piece => array(int(alg), bytes(hash(b, alg)));

// Keys. All are published: RFC 8032 §7.1 tests 1 and 2, the key of the SUIT examples, and 32 times 'a'.

const SECRETS = {
  a: { alg: "ed25519", secret: unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60") },
  b: { alg: "ed25519", secret: unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb") },
  p: { alg: "es256", secret: unhex("0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973") },
} as const;
export type Key = keyof typeof SECRETS;
export const MAC_KEY: Piece = new Array(32).fill(0x61);

const signers = {
  a: signer(privateKey("ed25519", Uint8Array.from(SECRETS.a.secret))),
  b: signer(privateKey("ed25519", Uint8Array.from(SECRETS.b.secret))),
  p: signer(privateKey("es256", Uint8Array.from(SECRETS.p.secret))),
};
export const publicKey = (key: Key): number[] => [...signers[key].publicKey];

export interface AnchorSpec {
  alg: string;
  key: string;
  kid?: string;
}
const P256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;

/** The key of the negated secret: -A has the other sign of x on Ed25519, and the other y on P-256. */
export function negated(key: Key): number[] {
  const k = publicKey(key);
  if (k.length === 32) return [...k.slice(0, 31), (k[31] as number) ^ 128];
  const y = P256 - BigInt(`0x${hex(k.slice(33))}`);
  return [...k.slice(0, 33), ...unhex(y.toString(16).padStart(64, "0"))];
}

export const anchorOf = (key: Key | "m", kid?: string): AnchorSpec => ({
  alg: key === "m" ? "hmac256" : SECRETS[key].alg,
  key: hex(key === "m" ? MAC_KEY : publicKey(key)),
  ...(kid !== undefined && { kid }),
});

/** The keys as keys.json has them. */
export const PUBLISHED: { [name: string]: { alg: string; key: string; secret: string; source: string } } = {
  "ed25519-a": { ...anchorOf("a"), secret: hex(SECRETS.a.secret), source: "RFC 8032 §7.1, test 1" },
  "ed25519-b": { ...anchorOf("b"), secret: hex(SECRETS.b.secret), source: "RFC 8032 §7.1, test 2" },
  "es256-p": { ...anchorOf("p"), secret: hex(SECRETS.p.secret), source: "draft-ietf-suit-manifest-37, appendix B" },
  "hmac256-m": { ...anchorOf("m"), secret: hex(MAC_KEY), source: "32 times 0x61" },
};

// COSE

/** One signature or tag. What is left out is as it should be. */
export interface Block {
  key?: Key | "m";
  /** In the protected bucket. */
  alg?: number;
  /** The content of the protected bucket's byte string. */
  protected?: Piece;
  unprotected?: Piece;
  /** The item that stands for the payload. */
  payload?: Piece;
  /** What is signed: the content of the payload in the Sig_structure. */
  signed?: Piece;
  aad?: Piece;
  context?: string;
  /** null: no tag. */
  tag?: number | null;
  mac?: Piece;
  /** Signs in place of `key`. */
  sign?: (structure: Piece) => Piece;
  /** Changes the finished signature. */
  spoil?: (signature: number[]) => Piece;
}

export async function raw(b: Block, structure: Piece): Promise<Piece> {
  const key = b.key ?? "a";
  if (b.sign) return b.sign(structure);
  const out =
    key === "m" || b.mac
      ? createHmac("sha256", Uint8Array.from(b.mac ?? MAC_KEY))
          .update(Uint8Array.from(structure))
          .digest()
      : await signers[key].sign(Uint8Array.from(structure));
  return b.spoil ? b.spoil([...out]) : [...out];
}

const defaultAlg = (key: Key | "m") => (key === "m" ? ALG_HMAC_256_256 : key === "p" ? ALG_ESP256 : ALG_ED25519);
const bucketOf = (b: Block): Piece => b.protected ?? map([int(HEADER_ALG), int(b.alg ?? defaultAlg(b.key ?? "a"))]);

/** COSE_Sign1, or COSE_Mac0 under the key "m" (RFC 9052 §4.2, §6.2). */
export async function block(message: Piece, b: Block): Promise<Piece> {
  const isMac = b.key === "m" || b.mac !== undefined;
  const bucket = bucketOf(b);
  const structure = array(
    text(b.context ?? (isMac ? "MAC0" : "Signature1")),
    bytes(bucket),
    bytes(b.aad ?? []),
    bytes(b.signed ?? message),
  );
  const body = array(bytes(bucket), b.unprotected ?? map(), b.payload ?? NIL, bytes(await raw(b, structure)));
  return b.tag === null ? body : tag(b.tag ?? (isMac ? TAG_MAC0 : TAG_SIGN1), body);
}

/** COSE_Sign with any number of signatures (RFC 9052 §4.1). */
export async function signBlock(message: Piece, all: Block[], body: Piece = []): Promise<Piece> {
  const out: Piece[] = [];
  for (const b of all) {
    const bucket = bucketOf(b);
    const structure = array(text("Signature"), bytes(body), bytes(bucket), bytes([]), bytes(message));
    out.push(array(bytes(bucket), b.unprotected ?? map(), bytes(await raw(b, structure))));
  }
  return tag(TAG_SIGN, array(bytes(body), map(), NIL, array(...out)));
}

// SUIT

export type Command = readonly [number, number | Piece];
/** A command sequence, encoded; a plain number behind a command is its reporting policy. */
export const seq = (...commands: Command[]): Piece =>
  array(...commands.flatMap(([code, arg]) => [int(code), typeof arg === "number" ? int(arg) : arg]));
/** The argument of override-parameters. */
export const params = (...pairs: [number, Piece][]): Piece => map(...sort(pairs.map(([k, v]) => [int(k), v])));
export const override = (...pairs: [number, Piece][]): Command => [DIR_OVERRIDE_PARAMETERS, params(...pairs)];
/** The argument of try-each: sequences, and null for the final nil. */
export const alternatives = (...all: (Piece | null)[]): Piece => array(...all.map((a) => (a ? bytes(a) : NIL)));

export const C0: Piece = array(bytes([0]));
export const C1: Piece = array(bytes([1]));
export const C2: Piece = array(bytes([2]));

export interface ManifestSpec {
  version?: Piece | null;
  sequence?: number | bigint | null;
  /** Component identifiers, encoded. */
  components?: Piece[];
  shared?: Piece;
  /** The content of common. */
  common?: Piece | null;
  /** Command sequences by their number: byte strings. */
  sections?: { [key: number]: Piece };
  /** Other elements, encoded. */
  more?: [number, Piece][];
}

/** A manifest; null leaves out what has to be there. */
export function manifest(m: ManifestSpec = {}): Piece {
  const pairs: [number, Piece][] = [];
  const common =
    m.common === undefined
      ? map(
          [int(COM_COMPONENTS), array(...(m.components ?? [C0]))],
          ...(m.shared ? [[int(COM_SHARED_SEQUENCE), bytes(m.shared)] as const] : []),
        )
      : m.common;
  if (m.version !== null) pairs.push([MAN_VERSION, m.version ?? int(1)]);
  if (m.sequence !== null) pairs.push([MAN_SEQUENCE_NUMBER, int(m.sequence ?? 7)]);
  if (common) pairs.push([MAN_COMMON, bytes(common)]);
  for (const [key, value] of Object.entries(m.sections ?? {})) pairs.push([Number(key), bytes(value)]);
  pairs.push(...(m.more ?? []));
  return params(...pairs);
}

export interface EnvelopeSpec {
  /** Signatures; one by key "a" where it is left out. */
  blocks?: (Block | ((message: Piece) => Promise<Piece>))[];
  /** The SUIT_Digest in the wrapper. */
  digest?: Piece;
  digestAlg?: number;
  /** The content of the wrapper's byte string, instead of all that. */
  wrapper?: (content: Piece) => Piece;
  /** What follows the manifest: severed elements and payloads. */
  rest?: Pair[];
  /** null: no tag. */
  tag?: number | null;
}

/** A signed envelope around a manifest. */
export async function envelope(content: Piece, e: EnvelopeSpec = {}): Promise<Piece> {
  const whole = bytes(content);
  const message = e.digest ?? digest(whole, e.digestAlg);
  const blocks: Piece[] = [];
  for (const b of e.blocks ?? [{}]) blocks.push(bytes(typeof b === "function" ? await b(message) : await block(message, b)));
  const wrapper = array(bytes(message), ...blocks);
  const body = map(
    [int(ENV_AUTHENTICATION_WRAPPER), bytes(e.wrapper ? e.wrapper(wrapper) : wrapper)],
    [int(ENV_MANIFEST), whole],
    ...(e.rest ?? []),
  );
  return e.tag === null ? body : tag(e.tag ?? TAG_ENVELOPE, body);
}

// A device and an update for it

/** UUID5 of vendor.example in the DNS name space, of "board-v2" below it, and any device. */
export const VENDOR = unhex("bcc169656f3a53389d83d8b565c63bc7");
export const CLASS = unhex("0e21754ce8a85902aaa3b172debfb634");
export const DEVICE = unhex("0102030405060708090a0b0c0d0e0f10");
export const OTHER = unhex("ffffffffffff5fffbfffffffffffffff");

export const IMAGE = ascii("new firmware");
export const OLD = ascii("old");

export const digestParam = (image: Piece, alg = HASH_SHA_256): [number, Piece] => [PARAM_IMAGE_DIGEST, bytes(digest(image, alg))];
export const sizeParam = (n: number): [number, Piece] => [PARAM_IMAGE_SIZE, int(n)];
export const uriParam = (uri: string): [number, Piece] => [PARAM_URI, text(uri)];
export const vendorParam = (id: Piece = VENDOR): [number, Piece] => [PARAM_VENDOR_IDENTIFIER, bytes(id)];
export const classParam = (id: Piece = CLASS): [number, Piece] => [PARAM_CLASS_IDENTIFIER, bytes(id)];

/** Vendor and class, checked: what a shared sequence begins with. */
export const identity: Command[] = [override(vendorParam(), classParam()), [COND_VENDOR_IDENTIFIER, 15], [COND_CLASS_IDENTIFIER, 15]];
export const sharedOf = (...pairs: [number, Piece][]): Piece => seq(override(vendorParam(), classParam(), ...pairs), ...identity.slice(1));

/** The update that the others are made from: one image, fetched from the envelope, checked, checked again, and invoked at the start. */
export function update(m: ManifestSpec = {}): Piece {
  return manifest({
    shared: sharedOf(digestParam(IMAGE), sizeParam(IMAGE.length)),
    ...m,
    sections: {
      [MAN_VALIDATE]: seq([COND_IMAGE_MATCH, 15]),
      [MAN_INVOKE]: seq([DIR_INVOKE, 2]),
      [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]),
      ...m.sections,
    },
  });
}
export const payload = (image: Piece = IMAGE, uri = "#fw"): Pair => [text(uri), bytes(image)];

/** What a device that has installed a manifest keeps beside its floor. */
export const countersOf = (content: Piece): string => hex(digest(bytes(content)).slice(-32, -4));
