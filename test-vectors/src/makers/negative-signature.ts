// Refused for who signed, or did not (50 to 69).

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import type { TrustSpec, Vector } from "../../index.mjs";
import * as as from "../pieces/assemble.js";
import {
  anchorOf,
  array,
  ascii,
  block,
  bytes,
  digest,
  type EnvelopeSpec,
  envelope,
  hash,
  head,
  hex,
  int,
  MAC_KEY,
  manifest,
  map,
  negated,
  type Pair,
  type Piece,
  publicKey,
  signBlock,
  text,
  unhex,
  update,
} from "../pieces/assemble.js";
import { badKeys, hssOf, N24_W4, REFUSED } from "../pieces/hsslms.js";
import { adder, good, pair, signedEnvelope } from "./adder.js";

/** Order of Ed25519's base point, and of P-256's. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const big = (b: Piece): bigint => BigInt(`0x${hex(b)}`);
const unbig = (n: bigint): number[] => unhex(n.toString(16).padStart(64, "0"));

export async function ofTrust(): Promise<Vector[]> {
  const tools = await toolsOf();
  for (const section of [ofPolicies, ofKeys, ofAlgorithms, ofHeaders, ofCounts, ofEd25519, ofEcdsa, ofMacs, ofAnchors, ofHss, ofThresholds])
    await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = Awaited<ReturnType<typeof toolsOf>>;

async function toolsOf() {
  const { all, add } = adder();
  const signed = await signedEnvelope();
  const one = [anchorOf("a")];
  const tree = [...unhex(hssOf("twice", [N24_W4]).trust.anchors[0]?.key as string)].slice(4);
  const spoilt = async (code: number, name: string, about: string, b: EnvelopeSpec["blocks"], trust: TrustSpec = { anchors: one }) => {
    add(code, name, about, await envelope(good, { blocks: b ?? [] }), { trust });
  };
  const p = { anchors: [anchorOf("p")] };
  const m = { anchors: [anchorOf("m")] };
  const bucket = (...pairs: Pair[]) => map(...as.sort(pairs));
  const R = (s: number[]) => s.slice(0, 32);
  const S = (s: number[]) => s.slice(32);
  return { add, signed, one, tree, spoilt, m, bucket, R, S, p, all };
}

function ofPolicies({ add, signed, one, tree }: Tools): void {
  const policies: [string, string, TrustSpec][] = [
    ["anchors-none", "no anchor at all", { anchors: [] }],
    ["threshold-0", "no signature is needed", { anchors: one, threshold: 0 }],
    ["threshold-negative", "-1 signatures are needed", { anchors: one, threshold: -1 }],
    ["threshold-half", "half a signature is needed", { anchors: one, threshold: 0.5 }],
    ["threshold-more", "two signatures are needed of one anchor", { anchors: one, threshold: 2 }],
    [
      "threshold-same-key",
      "two signatures are needed of one key that is listed twice",
      { anchors: [anchorOf("a", "01"), anchorOf("a", "02")], threshold: 2 },
    ],
    [
      "threshold-negated-ed25519",
      "two signatures are needed of A and -A on Ed25519: one secret signs for both",
      { anchors: [anchorOf("a"), { alg: "ed25519", key: hex(negated("a")) }], threshold: 2 },
    ],
    [
      "threshold-negated-p256",
      "two signatures are needed of P and -P on P-256: one secret signs for both",
      { anchors: [anchorOf("p"), { alg: "es256", key: hex(negated("p")) }], threshold: 2 },
    ],
    [
      "threshold-levels",
      "two signatures are needed of one LMS tree that is listed with one level and with two",
      { anchors: [1, 2].map((level) => ({ alg: "hsslms", key: hex([0, 0, 0, level, ...tree]) })), threshold: 2 },
    ],
    ["floor-fraction", "a floor that is no integer", { anchors: one, floor: [0, 0.5] }],
    ["floor-wide", "half a floor of more than 32 bits", { anchors: one, floor: [0, 4294967296] }],
  ];
  for (const [name, about, trust] of policies) add(E.TRUST_POLICY, name, about, signed, { trust });
  add(E.TRUST_POLICY, "anchor-alg-none", "an anchor of the algorithm none", null, {
    action: "anchor",
    trust: { anchors: [{ alg: "none", key: anchorOf("a").key }] },
  });
  add(E.TRUST_POLICY, "anchor-alg-constructor", "an anchor of the algorithm constructor, which every object has", null, {
    action: "anchor",
    trust: { anchors: [{ alg: "constructor", key: anchorOf("a").key }] },
  });
}

function ofKeys({ add }: Tools): void {
  const keys: [string, string, string, Piece][] = [
    ["identity", "ed25519", "the identity, a point of order 1", [1, ...new Array(31).fill(0)]],
    ["order-2", "ed25519", "the point of order 2", [0xec, ...new Array(30).fill(0xff), 0x7f]],
    ["order-4", "ed25519", "a point of order 4", new Array(32).fill(0)],
    ["order-8", "ed25519", "a point of order 8", unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")],
    ["not-canonical", "ed25519", "y = p + 1, the identity in another encoding", [0xee, ...new Array(30).fill(0xff), 0x7f]],
    ["not-a-point", "ed25519", "no point has y = 2", [2, ...new Array(31).fill(0)]],
    ["31-bytes", "ed25519", "31 bytes", publicKey("a").slice(1)],
    ["empty", "ed25519", "no bytes", []],
    ["off-curve", "es256", "a point off the curve", [...publicKey("p").slice(0, 64), publicKey("p")[64]! ^ 1]],
    ["compressed", "es256", "the compressed form, a second encoding of one key", [2, ...publicKey("p").slice(1, 33)]],
    ["x-alone", "es256", "64 bytes without the leading 04", publicKey("p").slice(1)],
    ["zero-point", "es256", "the point (0, 0)", [4, ...new Array(64).fill(0)]],
    ["short-secret", "hmac256", "a secret of 16 bytes", MAC_KEY.slice(16)],
    ...badKeys().map(([name, about, key]): [string, string, string, Piece] => [name, "hsslms", about, key]),
    ["public-key-as-secret", "hmac256", "a public key of P-256 as the secret of a MAC", publicKey("p")],
  ];
  for (const [name, alg, about, key] of keys)
    add(E.ANCHOR_KEY, `anchor-${name}`, `${alg}: ${about}`, null, { action: "anchor", trust: { anchors: [{ alg, key: hex(key) }] } });
}

async function ofAlgorithms({ spoilt, m, bucket }: Tools): Promise<void> {
  await spoilt(E.WRAPPER_EMPTY, "wrapper-empty", "a digest, and no signature over it", []);
  await spoilt(E.BLOCK_TAG, "block-untagged", "a COSE_Sign1 without its tag", [{ tag: null }]);
  await spoilt(E.BLOCK_TAG, "block-encrypt0", "a COSE_Encrypt0 (tag 16)", [{ tag: 16 }]);
  await spoilt(E.BLOCK_TAG, "block-tag-wide", "tag 18 + 2^32", [
    async (d) => [...head(6, 2n ** 32n + 18n), ...(await block(d, { tag: null }))],
  ]);
  await spoilt(E.HEADER_NO_ALG, "alg-none", "no alg", [{ protected: [] }]);
  await spoilt(E.HEADER_NO_ALG, "alg-none-empty-map", "no alg, and the protected bucket is an encoded empty map", [{ protected: map() }]);
  await spoilt(E.HEADER_NO_ALG, "alg-unprotected", "alg in the unprotected bucket", [
    { protected: [], unprotected: bucket(pair(1, int(-19))) },
  ]);
  await spoilt(E.HEADER_NO_ALG, "alg-body-only", "alg in the body of a COSE_Sign, not with the signature", [
    (d) => signBlock(d, [{ protected: [] }], map(pair(1, int(-19)))),
  ]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-zero", "alg 0", [{ alg: 0 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-text-none", 'alg is the text "none"', [{ protected: map(pair(1, text("none"))) }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-unassigned", "alg -9999", [{ alg: -9999 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-mac-in-sign1", "a COSE_Sign1 with the algorithm of a MAC", [{ alg: cose.ALG_HMAC_256_256 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-mac-in-sign1-keyed", "a MAC under the public key, in a COSE_Sign1 with alg 5", [
    { alg: 5, mac: publicKey("a"), tag: cose.TAG_SIGN1, context: "Signature1" },
  ]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-signature-in-mac0", "a COSE_Mac0 with alg -8", [{ key: "m", alg: cose.ALG_EDDSA }], m);
  await spoilt(
    E.HEADER_ALG_UNKNOWN,
    "alg-mac-truncated",
    "a COSE_Mac0 with HMAC 256/64 (alg 4) and a tag of 8 bytes",
    [{ key: "m", alg: 4, spoil: (s) => s.slice(0, 8) }],
    m,
  );
}

async function ofHeaders({ spoilt, bucket }: Tools): Promise<void> {
  await spoilt(E.HEADER_TWICE, "kid-in-both", "kid in both buckets", [
    { protected: bucket(pair(1, int(-19)), pair(4, bytes([1]))), unprotected: map(pair(4, bytes([1]))) },
  ]);
  await spoilt(E.HEADER_TWICE, "alg-in-both", "alg in both buckets", [{ unprotected: map(pair(1, int(-7))) }]);
  await spoilt(E.HEADER_TWICE, "unknown-in-both", "a label nobody knows in both buckets", [
    { protected: bucket(pair(1, int(-19)), pair(99, int(1))), unprotected: map(pair(99, int(2))) },
  ]);
  await spoilt(E.HEADER_CRITICAL, "crit-unknown", "a label that is critical and unknown", [
    { protected: bucket(pair(1, int(-19)), pair(2, array(int(99))), pair(99, int(1))) },
  ]);
  await spoilt(E.HEADER_CRITICAL, "crit-text", "a critical label that is text", [
    { protected: bucket(pair(1, int(-19)), pair(2, array(text("exp")))) },
  ]);
  await spoilt(E.HEADER_CRITICAL, "crit-empty", "an empty list of critical labels", [
    { protected: bucket(pair(1, int(-19)), pair(2, array())) },
  ]);
  await spoilt(E.HEADER_CRITICAL, "crit-unprotected", "crit in the unprotected bucket", [{ unprotected: map(pair(2, array(int(1)))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-absent", "a label that is critical and not there", [
    { protected: bucket(pair(1, int(-19)), pair(2, array(int(4)))) },
  ]);
  await spoilt(E.HEADER_CRITICAL, "crit-elsewhere", "a label that is critical and is in the unprotected bucket", [
    { protected: bucket(pair(1, int(-19)), pair(2, array(int(4)))), unprotected: map(pair(4, bytes(ascii("kid")))) },
  ]);
  await spoilt(E.HEADER_LENGTH, "kid-65", "a key identifier of 65 bytes", [{ unprotected: map(pair(4, bytes(ascii("k".repeat(65))))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-unknown-with-kid", "a label that is critical and unknown, and a key identifier beside it", [
    { protected: bucket(pair(1, int(-19)), pair(2, array(int(99))), pair(4, bytes([1])), pair(99, int(1))) },
  ]);
  await spoilt(E.HEADER_LENGTH, "labels-17", "17 labels in the unprotected bucket", [
    { unprotected: map(...Array.from({ length: 17 }, (_, i) => pair(100 + i, int(0)))) },
  ]);
  await spoilt(E.CBOR_TYPE, "payload-true", "true stands for the payload", [{ payload: as.TRUE }]);
  await spoilt(E.HEADER_LENGTH, "protected-long", "a protected bucket of more than 512 bytes", [
    { protected: bucket(pair(1, int(-19)), pair(99, bytes(ascii("x".repeat(512))))) },
  ]);
  await spoilt(E.SIGNATURE_LENGTH, "signature-long", "a signature of 16,385 bytes", [{ spoil: () => ascii("s".repeat(16385)) }]);
  await spoilt(E.CBOR_KEY_LENGTH, "label-long", "a header label of 1,101 bytes", [{ unprotected: map([text("x".repeat(1101)), int(1)]) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-in-body", "an unknown critical label in the body of a COSE_Sign", [
    (d) => signBlock(d, [{}], map(pair(2, array(int(99))))),
  ]);
}

async function ofCounts({ spoilt }: Tools): Promise<void> {
  await spoilt(E.PAYLOAD_ATTACHED, "payload-attached", "the digest is in the COSE_Sign1 as well", [
    { payload: bytes(digest(bytes(good))) },
  ]);
  await spoilt(E.PAYLOAD_ATTACHED, "payload-attached-other", "a signature over another payload, which it carries", [
    { payload: bytes(digest(bytes(update()))), signed: digest(bytes(update())) },
  ]);
  await spoilt(
    E.SIGNATURE_COUNT,
    "blocks-9",
    "nine signatures",
    Array.from({ length: 9 }, () => ({})),
  );
  await spoilt(E.SIGNATURE_COUNT, "sign-9", "nine signatures in one COSE_Sign", [
    (d) =>
      signBlock(
        d,
        Array.from({ length: 9 }, () => ({})),
      ),
  ]);
  await spoilt(E.SIGNATURE_COUNT, "sign-5-4", "nine signatures in two COSE_Sign", [
    (d) =>
      signBlock(
        d,
        Array.from({ length: 5 }, () => ({})),
      ),
    (d) =>
      signBlock(
        d,
        Array.from({ length: 4 }, () => ({})),
      ),
  ]);
  await spoilt(E.SIGNATURE_COUNT, "junk-4", "four signatures of strangers in front of the good one: each costs a verification", [
    ...Array.from({ length: 4 }, () => ({ key: "b" as const })),
    {},
  ]);
  await spoilt(E.SIGNATURE_COUNT, "junk-7-in-one", "seven of them in one COSE_Sign, and the good one behind", [
    (d) => signBlock(d, [...Array.from({ length: 7 }, () => ({ key: "b" as const })), {}]),
  ]);
}

async function ofEd25519({ spoilt, bucket, R, S }: Tools): Promise<void> {
  const le = (b: Piece) => big([...b].reverse());
  await spoilt(E.SIGNATURE_INVALID, "signature-bit", "one bit of the signature is wrong", [{ spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-empty", "an empty signature", [{ spoil: () => [] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-zero", "64 zero bytes", [{ spoil: () => new Array(64).fill(0) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-63", "the last byte of the signature is missing", [{ spoil: (s) => s.slice(0, 63) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-65", "a byte behind the signature", [{ spoil: (s) => [...s, 0] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-s-plus-l", "S + L in place of S: the same signature in another encoding", [
    { spoil: (s) => [...R(s), ...unbig(le(S(s)) + L).reverse()] },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-s-high-bits", "S + 2^253", [{ spoil: (s) => [...s.slice(0, 63), s[63]! | 0x20] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-r-identity", "R is the identity", [
    { spoil: (s) => [1, ...new Array(31).fill(0), ...S(s)] },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-r-not-canonical", "R is the identity, encoded as y = p + 1", [
    { spoil: (s) => [0xee, ...new Array(30).fill(0xff), 0x7f, ...S(s)] },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-other-key", "signed by a key that is not trusted", [{ key: "b" }]);
  await spoilt(
    E.SIGNATURE_INVALID,
    "signature-other-key-with-kid",
    "signed by a key that is not trusted, under the identifier of one that is",
    [{ key: "b", unprotected: map(pair(4, bytes([1]))) }],
    { anchors: [anchorOf("a", "01")] },
  );
  await spoilt(
    E.SIGNATURE_INVALID,
    "signature-key-in-message",
    "signed by a key that the message brings along, in the unprotected bucket",
    [
      {
        key: "b",
        unprotected: bucket(pair(33, bytes(publicKey("b"))), [
          text("jwk"),
          map(pair(1, int(1)), pair(-1, int(6)), pair(-2, bytes(publicKey("b")))),
        ]),
      },
    ],
  );
  await spoilt(E.SIGNATURE_INVALID, "signature-of-other-manifest", "the signature of another release", [
    { signed: digest(bytes(manifest({ sequence: 6 }))) },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-of-manifest", "the manifest is signed, not its digest", [{ signed: good }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-wrapped-twice", "the digest is signed as a byte string in a byte string", [
    { signed: bytes(digest(bytes(good))) },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-context", "signed as one of several signers, used as the only one", [
    { context: "Signature" },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-aad", "signed with external data", [{ aad: [0] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-protected-changed", "the protected bucket was changed after signing: -8 for -19", [
    async (d) => {
      const b = [...(await block(d, {}))];
      const at = hex(b).indexOf("43a10132") / 2;
      return [...b.slice(0, at), 0x43, 0xa1, 0x01, 0x27, ...b.slice(at + 4)];
    },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-test-mode", "a short-circuit signature: the hash of what is signed, twice", [
    async (d) => block(d, { spoil: () => [...hash(d), ...hash(d)] }),
  ]);
}

async function ofEcdsa({ spoilt, p, R, S }: Tools): Promise<void> {
  await spoilt(
    E.SIGNATURE_INVALID,
    "ecdsa-bit",
    "ES256: one bit of the signature is wrong",
    [{ key: "p", spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }],
    p,
  );
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-r-zero", "ES256: r = 0", [{ key: "p", spoil: (s) => [...unbig(0n), ...S(s)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-s-zero", "ES256: s = 0", [{ key: "p", spoil: (s) => [...R(s), ...unbig(0n)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-zero", "ES256: r = s = 0", [{ key: "p", spoil: () => new Array(64).fill(0) }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-r-n", "ES256: r = n", [{ key: "p", spoil: (s) => [...unbig(N), ...S(s)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-s-n", "ES256: s = n", [{ key: "p", spoil: (s) => [...R(s), ...unbig(N)] }], p);
  await spoilt(
    E.SIGNATURE_INVALID,
    "ecdsa-der",
    "ES256: r and s in DER",
    [
      {
        key: "p",
        spoil: (s) => {
          const integer = (b: number[]) => (b[0]! > 127 ? [2, 33, 0, ...b] : [2, 32, ...b]);
          const body = [...integer(R(s)), ...integer(S(s))];
          return [0x30, body.length, ...body];
        },
      },
    ],
    p,
  );
}

async function ofMacs({ spoilt, m }: Tools): Promise<void> {
  await spoilt(
    E.SIGNATURE_INVALID,
    "mac-bit",
    "one bit of the MAC is wrong",
    [{ key: "m", spoil: (s) => [...s.slice(0, 31), s[31]! ^ 1] }],
    m,
  );
  await spoilt(E.SIGNATURE_INVALID, "mac-short", "the MAC is cut to 16 bytes", [{ key: "m", spoil: (s) => s.slice(0, 16) }], m);
  await spoilt(E.SIGNATURE_INVALID, "mac-empty", "an empty MAC", [{ key: "m", spoil: () => [] }], m);
  await spoilt(E.SIGNATURE_INVALID, "mac-other-secret", "a MAC under another secret", [{ key: "m", mac: new Array(32).fill(0) }], m);
}

async function ofAnchors({ spoilt, p }: Tools): Promise<void> {
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-other-alg", "an ES256 signature where Ed25519 is trusted", [{ key: "p" }]);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-alg-confusion-mac", "a MAC under the public key of a trusted signer", [
    { key: "m", mac: publicKey("a") },
  ]);
  await spoilt(
    E.SIGNATURE_NO_ANCHOR,
    "anchor-alg-confusion-mac-p256",
    "a MAC under the x coordinate of a trusted P-256 key",
    [{ key: "m", mac: publicKey("p").slice(1, 33) }],
    p,
  );
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-alg-relabelled", "an Ed25519 signature whose alg says ES256", [{ alg: cose.ALG_ES256 }]);
  await spoilt(
    E.SIGNATURE_NO_ANCHOR,
    "anchor-other-kid",
    "a good signature under the identifier of another key",
    [{ unprotected: map(pair(4, bytes([2]))) }],
    { anchors: [anchorOf("a", "01")] },
  );
  for (const [name, alg] of [
    ["es384", cose.ALG_ES384],
    ["es512", cose.ALG_ES512],
    ["esp384", cose.ALG_ESP384],
    ["esp512", cose.ALG_ESP512],
    ["ed448", cose.ALG_ED448],
    ["ml-dsa-44", cose.ALG_ML_DSA_44],
    ["ml-dsa-65", cose.ALG_ML_DSA_65],
    ["ml-dsa-87", cose.ALG_ML_DSA_87],
  ] as const)
    await spoilt(E.SIGNATURE_NO_ANCHOR, `anchor-${name}`, `${name}, which is known and which no anchor here can have`, [{ alg }]);
}

async function ofHss({ spoilt }: Tools): Promise<void> {
  for (const [name, about, levels, spoil, key] of REFUSED) {
    const { trust, block: b } = hssOf("hsslms", levels, spoil ?? undefined, key);
    await spoilt(E.SIGNATURE_INVALID, name, `HSS/LMS: ${about}`, [b], trust);
  }
  const hss = hssOf("hsslms", [N24_W4]);
  await spoilt(
    E.SIGNATURE_INVALID,
    "hsslms-other-manifest",
    "HSS/LMS: the signature of another release",
    [{ ...hss.block, signed: digest(bytes(manifest({ sequence: 6 }))) }],
    hss.trust,
  );
  await spoilt(
    E.SIGNATURE_INVALID,
    "hsslms-other-key",
    "HSS/LMS: signed by a key that is not trusted",
    [hssOf("another", [N24_W4]).block],
    hss.trust,
  );
  await spoilt(
    E.SIGNATURE_NO_ANCHOR,
    "hsslms-as-ed25519",
    "HSS/LMS: the signature says that it is Ed25519",
    [{ ...hss.block, alg: -19 }],
    hss.trust,
  );
  await spoilt(E.SIGNATURE_NO_ANCHOR, "hsslms-for-ed25519", "HSS/LMS: the anchor is of Ed25519", [hss.block]);
  await spoilt(
    E.SIGNATURE_THRESHOLD,
    "hsslms-same-twice",
    "HSS/LMS: one key signs twice where two keys are needed",
    [hss.block, hss.block],
    { anchors: [...hss.trust.anchors, anchorOf("a")], threshold: 2 },
  );
}

async function ofThresholds({ spoilt }: Tools): Promise<void> {
  const two: TrustSpec = { anchors: [anchorOf("a"), anchorOf("b")], threshold: 2 };
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-one", "one of two signatures is missing", [{}], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-same-twice", "the same signature twice", [{}, {}], two);
  await spoilt(
    E.SIGNATURE_THRESHOLD,
    "threshold-same-key-two-algs",
    "one key signs as -8 and as -19",
    [{ alg: cose.ALG_EDDSA }, { alg: cose.ALG_ED25519 }],
    two,
  );
  await spoilt(
    E.SIGNATURE_THRESHOLD,
    "threshold-same-key-two-kids",
    "one key signs under two identifiers, both of them trusted",
    [{ unprotected: map(pair(4, bytes([1]))) }, { unprotected: map(pair(4, bytes([2]))) }],
    { anchors: [anchorOf("a", "01"), anchorOf("a", "02"), anchorOf("b", "03")], threshold: 2 },
  );
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-sign-twice", "one key signs twice in a COSE_Sign", [(d) => signBlock(d, [{}, {}])], two);
  await spoilt(
    E.SIGNATURE_THRESHOLD,
    "threshold-second-bad",
    "the second of two signatures is wrong",
    [{}, { key: "b", spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }],
    two,
  );
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-of-three", "two of three have signed where three are needed", [{}, { key: "b" }], {
    anchors: [anchorOf("a"), anchorOf("b"), anchorOf("p")],
    threshold: 3,
  });
}
