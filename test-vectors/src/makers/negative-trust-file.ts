// Trust files that are refused (110 to 129), and manifests that a trust file does not let in.

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import { ROLE_DEBUG, ROLE_RECOVERY, ROLE_RELEASE, ROLE_ROOT } from "../../../packages/verifier/src/spec/trust.js";
import type { TrustSpec, Vector } from "../../index.mjs";
import {
  anchorOf,
  ascii,
  bytes,
  CLASS,
  envelope,
  hex,
  int,
  MAC_KEY,
  manifest,
  NIL,
  OTHER,
  type Piece,
  text,
  VENDOR,
} from "../pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, RELEASE, ROOT, type Signature } from "../pieces/trust-file.js";
import { adder, pair, signedEnvelope } from "./adder.js";

const both: FileFields = {
  anchors: [ROOT, listed("b", [ROLE_ROOT]), listed("p", [ROLE_RELEASE])],
  thresholds: [
    [ROLE_ROOT, 2],
    [ROLE_RELEASE, 1],
  ],
};

export async function ofTrustFile(): Promise<Vector[]> {
  const tools = toolsOf();
  for (const section of [ofFile, ofElements, ofLimits, ofAnchorKeys, ofRoles, ofScope, ofSigners, ofNumbers, ofPolicies, ofStores])
    await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = ReturnType<typeof toolsOf>;

function toolsOf() {
  const { all, add } = adder();
  const list = async (code: number, name: string, about: string, f: FileFields, signatures?: Signature[]) =>
    add(code, `trust-${name}`, about, await fileOf(listOf(f), signatures), { action: "trust" });
  const anchors = (code: number, name: string, about: string, ...items: Piece[]) => list(code, name, about, { anchors: items });
  const good = listOf();
  // who signed
  const signed = async (
    code: number,
    name: string,
    about: string,
    f: FileFields,
    signatures: Signature[],
    before: FileFields | TrustSpec = { anchors: [anchorOf("a")] },
  ) => {
    const rest = isSpec(before) ? { trust: before } : { previous: hex(await fileOf(listOf(before))) };
    add(code, `trust-${name}`, about, await fileOf(listOf(f), signatures), { action: "trust", ...rest });
  };
  const isSpec = (x: FileFields | TrustSpec): x is TrustSpec => !!x.anchors && "alg" in (x.anchors[0] as object);
  return { add, list, good, anchors, signed, all };
}

async function ofFile({ add, list, good }: Tools): Promise<void> {
  add(E.TRUST_NONE, "trust-envelope", "an envelope where a trust file belongs", await signedEnvelope(), { action: "trust" });
  add(E.TRUST_NONE, "trust-sign1", "the list in a COSE_Sign1 (tag 18)", await fileOf(good, [{}], { tag: cose.TAG_SIGN1 }), {
    action: "trust",
  });
  add(E.TRUST_NONE, "trust-mac0", "the list in a COSE_Mac0 (tag 17)", await fileOf(good, [{}], { tag: cose.TAG_MAC0 }), {
    action: "trust",
  });
  add(E.CBOR_TYPE, "trust-detached", "the list is not in the file", await fileOf(good, [{}], { payload: NIL }), { action: "trust" });
  add(E.CBOR_TYPE, "trust-unsigned", "a list that nobody has signed", await fileOf(good, []), { action: "trust" });
  add(E.CBOR_TRAILING, "trust-trailing", "a byte behind the file", [...(await fileOf(good)), 0], { action: "trust" });
  add(E.CBOR_TRAILING, "trust-list-trailing", "a byte behind the list", await fileOf([...good, 0]), { action: "trust" });
  add(E.CBOR_TRUNCATED, "trust-truncated", "the last byte of the file is missing", (await fileOf(good)).slice(0, -1), { action: "trust" });
  await list(E.CBOR_KEY_DUPLICATE, "key-duplicate", "the sequence number stands twice", { more: [pair(2, int(9))] });
}

async function ofElements({ list, anchors }: Tools): Promise<void> {
  await list(E.TRUST_VERSION, "version-2", "version 2", { version: int(2) });
  await list(E.TRUST_KEY, "key-unknown", "an element that is not known", { more: [pair(23, int(1))] });
  await list(E.TRUST_KEY, "key-zero", "element 0", { more: [pair(0, int(1))] });
  await list(E.TRUST_KEY, "key-for-name", "an element that is not known in place of the name", { name: null, more: [pair(23, int(1))] });
  await anchors(
    E.TRUST_KEY,
    "anchor-key-unknown",
    "an anchor has an element that is not known",
    ROOT,
    listed("b", [ROLE_RELEASE], { more: [pair(10, int(1))] }),
  );
  await list(E.TRUST_INCOMPLETE, "no-version", "no version", { version: null });
  await list(E.TRUST_INCOMPLETE, "no-sequence", "no sequence number", { sequence: null });
  await list(E.TRUST_INCOMPLETE, "no-anchors", "no anchors", { anchors: null });
  await list(E.TRUST_INCOMPLETE, "no-thresholds", "no thresholds", { thresholds: null });
  await list(E.TRUST_INCOMPLETE, "no-name", "no name", { name: null });
  await list(E.TRUST_INCOMPLETE, "name-empty", "an empty name", { name: text("") });
  for (const field of ["alg", "key", "roles"] as const)
    await anchors(
      E.TRUST_INCOMPLETE,
      `anchor-no-${field}`,
      `an anchor without its ${field}`,
      ROOT,
      listed("b", [ROLE_RELEASE], { [field]: null }),
    );
}

async function ofLimits({ list, anchors }: Tools): Promise<void> {
  await list(E.TRUST_LIMIT, "name-65", "a name of 65 bytes", { name: text("n".repeat(65)) });
  await anchors(
    E.TRUST_LIMIT,
    "kid-65",
    "a key identifier of 65 bytes",
    ROOT,
    listed("b", [ROLE_RELEASE], { more: [pair(4, bytes(ascii("k".repeat(65))))] }),
  );
  await anchors(
    E.TRUST_LIMIT,
    "anchors-17",
    "17 anchors",
    ...Array.from({ length: 17 }, (_, i) => listed("b", [ROLE_RELEASE], { key: bytes([i]), alg: int(-9999) })),
  );
  for (const [name, about, octets] of [
    ["utf8", "that is not UTF-8", [0xff]],
    ["utf8-continuation", "that begins inside a character", [0x80]],
    ["utf8-c1", "with an overlong form of two bytes", [0xc1, 0xbf]],
    ["utf8-c2-7f", "with a second byte below 80", [0xc2, 0x7f]],
    ["utf8-c2-c0", "with a second byte above bf", [0xc2, 0xc0]],
    ["utf8-c2-cut", "that ends behind c2", [0x61, 0xc2]],
    ["utf8-e0-9f", "with an overlong form of three bytes", [0xe0, 0x9f, 0xbf]],
    ["utf8-e1-third", "with a third byte that does not go on", [0xe1, 0x80, 0x41]],
    ["utf8-ed-a0", "with the first surrogate", [0xed, 0xa0, 0x80]],
    ["utf8-f0-8f", "with an overlong form of four bytes", [0xf0, 0x8f, 0xbf, 0xbf]],
    ["utf8-f4-90", "with the number 110000", [0xf4, 0x90, 0x80, 0x80]],
    ["utf8-f5", "with a lead byte of f5", [0xf5, 0x80, 0x80, 0x80]],
  ] as const)
    await list(E.CBOR_UTF8, `name-${name}`, `a name ${about}`, { name: text(octets) });
}

async function ofAnchorKeys({ list, anchors }: Tools): Promise<void> {
  await anchors(
    E.TRUST_ALG,
    "alg-mac",
    "a shared secret, as an anchor of HMAC",
    ROOT,
    listed("b", [ROLE_RELEASE], { alg: int(cose.ALG_HMAC_256_256), key: bytes(MAC_KEY) }),
  );
  await anchors(E.TRUST_ALG, "alg-zero", "algorithm 0", ROOT, listed("b", [ROLE_RELEASE], { alg: int(0) }));
  await anchors(E.CBOR_TYPE, "alg-text", 'the algorithm is the text "none"', ROOT, listed("b", [ROLE_RELEASE], { alg: text("none") }));
  await anchors(
    E.ANCHOR_KEY,
    "key-short",
    "an Ed25519 key of 31 bytes",
    ROOT,
    listed("b", [ROLE_RELEASE], { key: bytes(new Array(31).fill(1)) }),
  );
  await anchors(
    E.ANCHOR_KEY,
    "key-order-1",
    "an Ed25519 key that is a point of order 1",
    ROOT,
    listed("b", [ROLE_RELEASE], { key: bytes([1, ...new Array(31).fill(0)]) }),
  );
  await anchors(
    E.TRUST_KEY_TWICE,
    "key-twice",
    "a key twice, to count twice",
    ROOT,
    RELEASE,
    listed("b", [ROLE_RELEASE], { more: [pair(4, bytes([2]))] }),
  );
  await anchors(E.TRUST_KEY_TWICE, "key-root-twice", "the key of the root once more, for releases", ROOT, listed("a", [ROLE_RELEASE]));
  await anchors(
    E.ANCHOR_KEY,
    "key-first",
    "the first anchor, a release key, is a point of order 1",
    listed("b", [ROLE_RELEASE], { key: bytes([1, ...new Array(31).fill(0)]) }),
    ROOT,
  );
  await list(E.TRUST_KEY_TWICE, "key-debug-and-release", "the debug key once more, for releases", {
    anchors: [ROOT, listed("b", [ROLE_DEBUG]), RELEASE],
    thresholds: [
      [ROLE_ROOT, 1],
      [ROLE_DEBUG, 1],
      [ROLE_RELEASE, 1],
    ],
  });
  await anchors(
    E.TRUST_KEY_TWICE,
    "key-twice-alg",
    "a key twice, the second time under a number that is not known",
    ROOT,
    RELEASE,
    listed("b", [ROLE_RELEASE], { alg: int(-9999) }),
  );
}

async function ofRoles({ list, anchors }: Tools): Promise<void> {
  const roles = (code: number, name: string, about: string, ...r: number[]) => anchors(code, `role-${name}`, about, ROOT, listed("b", r));
  await roles(E.TRUST_ROLE, "none", "an anchor with no role");
  await roles(E.TRUST_ROLE, "zero", "role 0", 0);
  await roles(E.TRUST_ROLE, "5", "role 5", 5);
  await roles(E.TRUST_ROLE, "wide", "role 2^32 + 2", 2 ** 32 + 2);
  await roles(E.TRUST_ROLE, "twice", "a role twice", ROLE_RELEASE, ROLE_RELEASE);
  await roles(E.TRUST_ROLE, "order", "roles out of order", ROLE_RECOVERY, ROLE_RELEASE);
  await roles(E.TRUST_ROLE, "root-release", "a root that signs releases, too", ROLE_ROOT, ROLE_RELEASE);
  await roles(E.TRUST_ROLE, "release-debug", "a debug key that signs releases, too", ROLE_RELEASE, ROLE_DEBUG);
  await roles(E.TRUST_ROLE, "debug-recovery", "a debug key that signs for recovery, too", ROLE_DEBUG, ROLE_RECOVERY);
  const thresholds = (code: number, name: string, about: string, ...t: [number, Piece | number][]) =>
    list(code, `threshold-${name}`, about, { thresholds: t });
  await thresholds(E.TRUST_ROLE, "role-0", "a threshold for role 0", [0, 1], [ROLE_ROOT, 1], [ROLE_RELEASE, 1]);
  await thresholds(E.TRUST_ROLE, "role-5", "a threshold for role 5", [ROLE_ROOT, 1], [ROLE_RELEASE, 1], [5, 1]);
  await thresholds(
    E.TRUST_ROLE_EMPTY,
    "nobody",
    "a threshold for a role that nobody holds",
    [ROLE_ROOT, 1],
    [ROLE_RELEASE, 1],
    [ROLE_RECOVERY, 1],
  );
  await thresholds(E.TRUST_ROLE_EMPTY, "left-out", "no threshold for a role that is held", [ROLE_ROOT, 1]);
  await list(E.TRUST_ROLE_EMPTY, "threshold-recovery-left-out", "no threshold for the last role, which is held", {
    anchors: [ROOT, listed("b", [ROLE_RELEASE, ROLE_RECOVERY])],
  });
  await thresholds(E.TRUST_ROLE_EMPTY, "empty", "no threshold at all");
  await list(E.TRUST_ROLE_EMPTY, "no-root", "no root", { anchors: [RELEASE], thresholds: [[ROLE_RELEASE, 1]] });
  await thresholds(E.TRUST_THRESHOLD, "0", "no signature is needed for a release", [ROLE_ROOT, 1], [ROLE_RELEASE, 0]);
  await thresholds(E.TRUST_THRESHOLD, "root-0", "no signature is needed for a trust file", [ROLE_ROOT, 0], [ROLE_RELEASE, 1]);
  await thresholds(E.TRUST_THRESHOLD, "more", "two signatures are needed of one key", [ROLE_ROOT, 1], [ROLE_RELEASE, 2]);
  await list(E.TRUST_THRESHOLD, "threshold-9", "more signatures are needed than an envelope can carry", {
    anchors: [ROOT, ...Array.from({ length: 9 }, (_, i) => listed("b", [ROLE_RELEASE], { key: bytes([i]), alg: int(-9999) }))],
    thresholds: [
      [ROLE_ROOT, 1],
      [ROLE_RELEASE, 9],
    ],
  });
}

async function ofScope({ anchors }: Tools): Promise<void> {
  const scope = (code: number, name: string, about: string, ...more: [number, Piece][]) =>
    anchors(code, name, about, ROOT, listed("b", [ROLE_RELEASE], { more: more.map(([k, v]) => pair(k, v)) }));
  await scope(E.TRUST_SCOPE, "vendor-15", "a vendor of 15 bytes", [5, bytes(VENDOR.slice(1))]);
  await scope(E.TRUST_SCOPE, "class-17", "a class of 17 bytes", [6, bytes([...CLASS, 0])]);
  await scope(E.TRUST_WINDOW, "window", "until is below since", [7, int(5)], [8, int(4)]);
  await scope(E.TRUST_WINDOW, "window-2-32", "until is below since, and its low half is above", [7, int(2 ** 32)], [8, int(5)]);
  for (const [key, name, value] of [
    [5, "vendor", bytes(VENDOR)],
    [6, "class", bytes(CLASS)],
    [7, "since", int(1)],
    [8, "until", int(9)],
  ] as const)
    await anchors(E.TRUST_SCOPE, `root-${name}`, `a root with a ${name}`, listed("a", [ROLE_ROOT], { more: [pair(key, value)] }), RELEASE);
}

async function ofSigners({ signed }: Tools): Promise<void> {
  await signed(
    E.TRUST_SIGNERS,
    "signed-by-before-only",
    "signed by the roots before, and by none of its own",
    { anchors: [listed("p", [ROLE_ROOT]), RELEASE] },
    [{}],
  );
  await signed(
    E.TRUST_SIGNERS,
    "signed-by-unlisted",
    "signed by a key that is trusted from outside and that the file does not list",
    { anchors: [listed("p", [ROLE_ROOT]), RELEASE] },
    [{}, { key: "b" }],
  );
  await signed(E.TRUST_SIGNERS, "own-threshold", "signed by one root where the file itself wants two", both, [{}]);
  await signed(E.TRUST_SIGNERS, "own-threshold-twice", "one root has signed twice where two are wanted", both, [{}, {}]);
  await signed(E.TRUST_SIGNERS, "own-threshold-release", "a root and a release key have signed where two roots are wanted", both, [
    {},
    { key: "p" },
  ]);
  await signed(
    E.TRUST_PREVIOUS,
    "signed-by-own-only",
    "signed by its own roots, and by none of those before",
    { anchors: [listed("b", [ROLE_ROOT]), listed("p", [ROLE_RELEASE])] },
    [{ key: "b" }],
  );
  await signed(
    E.TRUST_PREVIOUS,
    "previous-threshold",
    "signed by one of the roots before where two are wanted",
    { sequence: int(2) },
    [{}],
    both,
  );
  await signed(
    E.TRUST_PREVIOUS,
    "previous-release",
    "signed by the release key of the file before, as a root",
    { sequence: int(2), anchors: [listed("b", [ROLE_ROOT]), listed("p", [ROLE_RELEASE])] },
    [{ key: "b" }],
    {},
  );
  await signed(E.TRUST_PREVIOUS, "signature-bit", "one bit of the signature is wrong", {}, [{ spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }]);
  await signed(E.TRUST_PREVIOUS, "signature-no-aad", "signed as a manifest is, without the context of trust files", {}, [{ aad: [] }]);
  await signed(E.TRUST_PREVIOUS, "signature-sign1", "signed as a COSE_Sign1 is", {}, [{ context: "Signature1" }]);
  await signed(E.TRUST_PREVIOUS, "signature-other", "the signature of another list", {}, [{ signed: listOf({ sequence: int(2) }) }]);
  await signed(E.TRUST_POLICY, "previous-none", "no roots before", {}, [{}], { anchors: [anchorOf("a")], threshold: 2 });
  await signed(
    E.SIGNATURE_COUNT,
    "signatures-9",
    "nine signatures",
    {},
    Array.from({ length: 9 }, () => ({})),
  );
}

/** Which is newer. */
async function ofNumbers({ signed }: Tools): Promise<void> {
  await signed(E.TRUST_ROLLBACK, "rollback", "an older file", { sequence: int(1) }, [{}], { sequence: int(2) });
  await signed(E.TRUST_ROLLBACK, "rollback-2-32", "an older file, whose low half is higher", { sequence: int(5) }, [{}], {
    sequence: int(2 ** 32),
  });
  await signed(
    E.TRUST_ROLLBACK,
    "same-sequence",
    "another list under the same sequence number",
    { anchors: [ROOT, listed("p", [ROLE_RELEASE])] },
    [{}],
    {},
  );
  await signed(
    E.TRUST_NAME,
    "name-other",
    "a file for another line, signed by the same root",
    { sequence: int(2), name: text("lock") },
    [{}],
    {},
  );
  await signed(
    E.TRUST_NAME,
    "name-longer",
    "a name that continues after the one before",
    { sequence: int(2), name: text("board2") },
    [{}],
    {},
  );
}

/** The keys that a trust file admits. */
async function ofPolicies({ add }: Tools): Promise<void> {
  const policy = async (name: string, about: string, f: FileFields, role: number) =>
    add(E.TRUST_UNUSABLE, `trust-${name}`, about, await fileOf(listOf(f)), { action: "trust", role });
  const scoped = (key: number, id: Piece) => ({ anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: [pair(key, bytes(id))] })] });
  await policy("policy-root", "roots sign no manifests", {}, ROLE_ROOT);
  await policy("policy-role-5", "there is no role 5", {}, 5);
  await policy("policy-nobody", "nobody signs for debugging", {}, ROLE_DEBUG);
  await policy("policy-vendor", "the key is for another vendor", scoped(5, OTHER), ROLE_RELEASE);
  await policy("policy-class", "the key is for another class", scoped(6, OTHER), ROLE_RELEASE);
  await policy(
    "policy-alg",
    "the key is of an algorithm that no build here has",
    { anchors: [ROOT, listed("b", [ROLE_RELEASE], { alg: int(-9999) })] },
    ROLE_RELEASE,
  );
  await policy(
    "policy-scope-threshold",
    "two keys are needed, and one of two is for this class",
    {
      anchors: [ROOT, RELEASE, listed("p", [ROLE_RELEASE], { more: [pair(6, bytes(OTHER))] })],
      thresholds: [
        [ROLE_ROOT, 1],
        [ROLE_RELEASE, 2],
      ],
    },
    ROLE_RELEASE,
  );
}

async function ofStores({ add }: Tools): Promise<void> {
  const debug = hex(
    await fileOf(
      listOf({
        anchors: [ROOT, listed("b", [ROLE_DEBUG]), listed("p", [ROLE_RELEASE])],
        thresholds: [
          [ROLE_ROOT, 1],
          [ROLE_DEBUG, 1],
          [ROLE_RELEASE, 1],
        ],
      }),
    ),
  );
  const open = async (code: number, name: string, about: string, file: string, role: number, keys: Signature["key"][], sequence = 7) =>
    add(code, name, about, await envelope(manifest({ sequence }), { blocks: keys.map((key) => ({ key: key ?? "a" })) }), {
      store: { file, role },
    });
  await open(E.SIGNATURE_NO_ANCHOR, "store-debug-for-release", "a debug key has signed a release", debug, ROLE_RELEASE, ["b"]);
  await open(E.SIGNATURE_INVALID, "store-release-for-debug", "a root has signed where a debug key has to", debug, ROLE_DEBUG, ["a"]);
  const limited = async (until: number) =>
    hex(
      await fileOf(
        listOf({
          anchors: [
            ROOT,
            listed("b", [ROLE_RELEASE], { more: [pair(8, int(until))] }),
            listed("p", [ROLE_RELEASE], { more: [pair(7, int(7))] }),
          ],
        }),
      ),
    );
  await open(E.ANCHOR_WINDOW, "store-until", "a retired key has signed a release of after its time", await limited(6), ROLE_RELEASE, ["b"]);
  await open(E.ANCHOR_WINDOW, "store-since", "a key has signed a release of before its time", await limited(6), ROLE_RELEASE, ["p"], 6);
  const window = (code: number, name: string, about: string, anchor: object, sequence: number | bigint = 7) =>
    envelope(manifest({ sequence })).then((e) => add(code, name, about, e, { trust: { anchors: [{ ...anchorOf("a"), ...anchor }] } }));
  await window(E.ANCHOR_WINDOW, "window-2-32", "2^32 is above an until of 7", { until: [0, 7] }, 2 ** 32);
  await window(E.ANCHOR_WINDOW, "window-since-2-32", "7 is below a since of 2^32", { since: [1, 0] });
  await window(E.TRUST_POLICY, "window-fraction", "a limit that is no integer", { until: [0, 0.5] });
  await window(E.TRUST_POLICY, "window-number", "a limit that is a number", { since: 3 });
  add(
    E.ANCHOR_WINDOW,
    "window-one-of-two",
    "two have signed, two are needed, and one of them is retired",
    await envelope(manifest(), { blocks: [{}, { key: "b" }] }),
    { trust: { anchors: [{ ...anchorOf("a"), until: [0, 6] }, anchorOf("b")], threshold: 2 } },
  );
}
