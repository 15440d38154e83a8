// Vectors that must be refused: one fault each, everything else in order, signatures too. Grouped like the numbers of refusals.

import * as as from "./assemble.js";
import {
  alternatives,
  anchorOf,
  array,
  ascii,
  block,
  bytes,
  C0,
  C1,
  C2,
  digest,
  digestParam,
  type EnvelopeSpec,
  envelope,
  FALSE,
  hash,
  head,
  hex,
  IMAGE,
  identity,
  int,
  MAC_KEY,
  manifest,
  map,
  NIL,
  OTHER,
  override,
  type Pair,
  type Piece,
  params,
  payload,
  publicKey,
  seq,
  sharedOf,
  signBlock,
  sizeParam,
  tag,
  text,
  TRUE,
  unhex,
  update,
  uriParam,
} from "./assemble.js";
import type { DeviceSpec, TrustSpec, Vector } from "./play.js";
import * as cose from "../packages/verifier/src/spec/cose.js";
import * as E from "../packages/verifier/src/spec/errors.js";
import * as suit from "../packages/verifier/src/spec/suit.js";

const {
  COM_COMPONENTS,
  COM_DEPENDENCIES,
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_MULTIPLE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_COPY_PARAMS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SET_PARAMETERS,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_DELEGATION,
  ENV_MANIFEST,
  MAN_COSWID,
  MAN_INSTALL,
  MAN_INSTALL_OLD,
  MAN_INVOKE,
  MAN_REFERENCE_URI,
  MAN_SEQUENCE_NUMBER,
  MAN_TEXT,
  MAN_VALIDATE,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
  TAG_ENVELOPE,
  TAG_MANIFEST,
} = suit;

type Rest = { trust?: TrustSpec; device?: DeviceSpec; sections?: number[]; outcomes?: (boolean | null)[]; action?: Vector["action"] };

/** Order of Ed25519's base point, and of P-256's. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const big = (b: Piece): bigint => BigInt(`0x${hex(b)}`);
const unbig = (n: bigint): number[] => unhex(n.toString(16).padStart(64, "0"));
const pair = (key: number, value: Piece): Pair => [int(key), value];
const halves = (n: bigint): [number, number] => [Number(n >> 32n), Number(n & 4294967295n)];

/** Arrays in arrays, `n` deep. */
const nested = (n: number): Piece => (n === 0 ? array() : array(nested(n - 1)));
const runs = (n: number): Piece => (n === 0 ? seq([COND_ABORT, 0]) : seq([DIR_RUN_SEQUENCE, bytes(runs(n - 1))]));

export async function negatives(): Promise<Vector[]> {
  const out: Vector[] = [];

  const add = (code: number, name: string, about: string, piece: Piece | null, rest: Rest = {}) => {
    const { action = "open", ...more } = rest;
    out.push({ name, about, action, ...(piece && { envelope: hex(piece) }), ...more, expect: { code } });
  };
  /** A fault inside a manifest that is signed as it is. */
  const inside = async (code: number, name: string, about: string, content: Piece, rest: Rest = {}, e: EnvelopeSpec = {}) => {
    add(code, name, about, await envelope(content, e), rest);
  };
  const common = (components: Piece) => manifest({ common: map(pair(COM_COMPONENTS, components)) });
  const section = (commands: Piece, components: Piece[] = [C0]) => manifest({ components, sections: { [MAN_INSTALL]: commands } });
  const referenceUri = (item: Piece) => manifest({ more: [[MAN_REFERENCE_URI, item]] });
  const good = manifest();
  const signed = await envelope(good);

  // The bytes

  add(E.CBOR_TRUNCATED, "truncated-envelope", "the last byte of the envelope is missing", signed.slice(0, -1));
  await inside(E.CBOR_TRUNCATED, "truncated-manifest", "the manifest's map announces one pair more than there is", [good[0]! + 1, ...good.slice(1)]);
  await inside(E.CBOR_TRUNCATED, "length-2-40", "a text string of 2^40 bytes is announced: nothing may be allocated for it", referenceUri([...head(3, 2n ** 40n), 0x61]));
  await inside(E.CBOR_TRUNCATED, "array-2-40", "an array of 2^40 components is announced", common([...head(4, 2n ** 40n), ...C0]));
  await inside(E.CBOR_TRUNCATED, "map-2-32", "a map of 2^32 pairs is announced", [...head(5, 2n ** 32n), ...good.slice(1)]);
  await inside(E.CBOR_NOT_SHORTEST, "version-in-two-bytes", "manifest-version 1 is encoded as 18 01", manifest({ version: [0x18, 1] }));
  await inside(E.CBOR_NOT_SHORTEST, "version-in-nine-bytes", "manifest-version 1 is encoded in eight bytes", manifest({ version: [0x1b, 0, 0, 0, 0, 0, 0, 0, 1] }));
  await inside(E.CBOR_NOT_SHORTEST, "bstr-head-not-shortest", "the length of a component's part is encoded as 58 01", common(array(array([0x58, 1, 0]))));
  await inside(E.CBOR_NOT_SHORTEST, "map-head-not-shortest", "the number of pairs in the manifest is encoded as b8 03", [0xb8, 3, ...good.slice(1)]);
  add(E.CBOR_NOT_SHORTEST, "tag-not-shortest", "tag 107 is encoded in two bytes", [0xd9, 0, TAG_ENVELOPE, ...(await envelope(good, { tag: null }))]);
  await inside(E.CBOR_INDEFINITE, "indefinite-map", "the manifest is a map of indefinite length", [0xbf, ...good.slice(1), 0xff]);
  await inside(E.CBOR_INDEFINITE, "indefinite-array", "the components are an array of indefinite length", common([0x9f, ...C0, 0xff]));
  await inside(E.CBOR_INDEFINITE, "indefinite-bstr", "a component's part is a byte string in chunks", common(array(array([0x5f, 0x41, 0, 0xff]))));
  await inside(E.CBOR_INDEFINITE, "indefinite-tstr", "reference-uri is a text string in chunks", referenceUri([0x7f, 0x61, 0x61, 0xff]));
  await inside(E.CBOR_INDEFINITE, "break-alone", "a break stands where a value belongs", manifest({ version: [0xff] }));
  await inside(E.CBOR_RESERVED, "reserved-28", "additional information 28", manifest({ version: [0x1c] }));
  await inside(E.CBOR_RESERVED, "reserved-30", "additional information 30 in a byte string's head", common(array(array([0x5e, 0]))));
  await inside(E.CBOR_TYPE, "version-as-text", 'manifest-version is the text "1"', manifest({ version: text("1") }));
  await inside(E.CBOR_TYPE, "sequence-negative", "the sequence number is -1", manifest({ sequence: -1 }));
  await inside(E.CBOR_TYPE, "sequence-bignum", "the sequence number is 2^64, a bignum with tag 2", manifest({ sequence: null, more: [[MAN_SEQUENCE_NUMBER, tag(2, bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))]] }));
  await inside(E.CBOR_TYPE, "common-not-wrapped", "common is a map where a byte string belongs", manifest({ common: null, more: [[suit.MAN_COMMON, map(pair(COM_COMPONENTS, array(C0)))]] }));
  await inside(E.CBOR_TYPE, "uri-tagged", "reference-uri carries tag 32: no tag belongs there", referenceUri(tag(32, text("a:b"))));
  await inside(E.CBOR_TYPE, "digest-extended", "a third element stands in the image digest", section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-16), bytes(hash(IMAGE)), NIL))]), [COND_IMAGE_MATCH, 15])));
  await inside(E.CBOR_TYPE, "soft-failure-null", "soft-failure is null", section(seq([DIR_RUN_SEQUENCE, bytes(seq(override([PARAM_SOFT_FAILURE, NIL])))])));
  await inside(E.CBOR_KEY_ORDER, "manifest-key-order", "sequence-number stands before manifest-version", [...head(5, 3), ...int(2), ...int(7), ...int(1), ...int(1), ...good.slice(5)]);
  add(
    E.CBOR_KEY_ORDER,
    "manifest-before-wrapper",
    "the manifest stands before the authentication wrapper",
    tag(TAG_ENVELOPE, map(pair(ENV_MANIFEST, bytes(good)), pair(ENV_AUTHENTICATION_WRAPPER, bytes(array(bytes(digest(bytes(good))), bytes(await block(digest(bytes(good)), {}))))))),
  );
  await inside(E.CBOR_KEY_ORDER, "parameter-order", "image-size stands before image-digest", section(seq([DIR_OVERRIDE_PARAMETERS, map(pair(PARAM_IMAGE_SIZE, int(1)), pair(...digestParam(IMAGE)))])));
  add(
    E.CBOR_KEY_ORDER,
    "payload-before-element",
    "an integrated payload stands before the manifest: text keys come last",
    tag(TAG_ENVELOPE, map(payload(), pair(ENV_MANIFEST, bytes(good)))),
  );
  await inside(E.CBOR_KEY_DUPLICATE, "sequence-number-twice", "two sequence numbers, 7 and 8: which one counts must not depend on the reader", [
    ...head(5, 4),
    ...int(1),
    ...int(1),
    ...int(2),
    ...int(7),
    ...int(2),
    ...int(8),
    ...good.slice(5),
  ]);
  add(E.CBOR_KEY_DUPLICATE, "manifest-twice", "two manifests in one envelope: the one that is verified would not be the one that is used", await envelope(good, { rest: [pair(ENV_MANIFEST, bytes(manifest({ sequence: 8 })))] }));
  await inside(E.CBOR_KEY_DUPLICATE, "parameter-twice", "image-size is given twice", section(seq([DIR_OVERRIDE_PARAMETERS, map(pair(PARAM_IMAGE_SIZE, int(1)), pair(PARAM_IMAGE_SIZE, int(2)))])));
  add(E.CBOR_KEY_DUPLICATE, "payload-twice", "two payloads under one URI", await envelope(update(), { rest: [payload(), payload(ascii("evil"))] }), { action: "install" });
  await inside(E.CBOR_KEY_DUPLICATE, "header-twice", "one label twice in the unprotected bucket", good, {}, { blocks: [{ unprotected: map(pair(99, int(1)), pair(99, int(2))) }] });
  await inside(E.CBOR_UTF8, "utf8-stray", "reference-uri holds the byte ff", referenceUri(text([0x61, 0xff])));
  await inside(E.CBOR_UTF8, "utf8-overlong", "reference-uri holds c0 af, an overlong slash", referenceUri(text([0xc0, 0xaf])));
  await inside(E.CBOR_UTF8, "utf8-surrogate", "reference-uri holds a surrogate", referenceUri(text([0xed, 0xa0, 0x80])));
  await inside(E.CBOR_UTF8, "utf8-cut", "a text string ends inside a character", referenceUri(text([0x61, 0xe2, 0x82])));
  await inside(E.CBOR_DEPTH, "header-nested", "arrays nested nine deep in an unprotected header", good, {}, { blocks: [{ unprotected: map(pair(99, nested(9))) }] });
  await inside(E.CBOR_DEPTH, "sequences-nested", "command sequences nested nine deep", section(runs(8)));
  add(E.CBOR_TRAILING, "trailing-envelope", "one byte behind the envelope", [...signed, 0]);
  await inside(E.CBOR_TRAILING, "trailing-manifest", "one byte behind the manifest, signed with it", [...good, 0]);
  await inside(E.CBOR_TRAILING, "trailing-common", "one byte behind common", manifest({ common: [...map(pair(COM_COMPONENTS, array(C0))), 0] }));
  await inside(E.CBOR_TRAILING, "trailing-wrapper", "one byte behind the authentication wrapper", good, {}, { wrapper: (w) => [...w, 0] });
  await inside(E.CBOR_TRAILING, "trailing-block", "one byte behind the COSE_Sign1", good, {}, { blocks: [async (m) => [...(await block(m, {})), 0]] });
  await inside(E.CBOR_TRAILING, "trailing-protected", "one byte behind the protected header, signed with it", good, {}, { blocks: [{ protected: [...map(pair(1, int(-19))), 0] }] });
  await inside(E.CBOR_TRAILING, "trailing-digest", "one byte behind the digest, signed with it", good, {}, { digest: [...digest(bytes(good)), 0] });
  await inside(E.CBOR_TRAILING, "trailing-image-digest", "one byte behind the image digest", section(seq(override([PARAM_IMAGE_DIGEST, bytes([...digest(IMAGE), 0])]), [COND_IMAGE_MATCH, 15])));
  await inside(E.CBOR_TRAILING, "trailing-sequence", "one byte behind a command sequence", section([...seq([COND_ABORT, 0]), 0]));
  await inside(E.CBOR_SIMPLE, "float", "manifest-version is 1.0", manifest({ version: [0xf9, 0x3c, 0] }));
  await inside(E.CBOR_SIMPLE, "undefined", "manifest-version is undefined", manifest({ version: [0xf7] }));
  await inside(E.CBOR_SIMPLE, "simple-255", "manifest-version is simple(255)", manifest({ version: [0xf8, 0xff] }));
  await inside(E.CBOR_RANGE, "size-2-53", "image-size is 2^53: not exact as a double", section(seq(override([PARAM_IMAGE_SIZE, int(2n ** 53n)]))));
  await inside(E.CBOR_RANGE, "length-2-63", "a text string of 2^63 bytes is announced", referenceUri([...head(3, 2n ** 63n), 0x61]));

  // The envelope and the manifest

  add(E.ENVELOPE_NONE, "empty-file", "no byte at all", []);
  add(E.ENVELOPE_NONE, "text-file", "a text file", ascii("not an envelope\n"));
  add(E.ENVELOPE_NONE, "tag-1070", "a bare manifest with tag 1070 is not an envelope", tag(TAG_MANIFEST, good));
  add(E.ENVELOPE_NONE, "tag-alone", "tag 107 with nothing behind it", [0xd8, TAG_ENVELOPE]);
  add(E.ENVELOPE_NONE, "array", "an array under tag 107", tag(TAG_ENVELOPE, array(bytes([]), bytes([]))));
  const unsigned: [string, number, string][] = [
    ["4", 4, "an element of no known number"],
    ["common", 5, "an element of the manifest that is not severable"],
    ["uninstall", suit.MAN_UNINSTALL, "uninstall, which must stay in the manifest"],
    ["private", -257, "a private number"],
  ];
  for (const [name, key, what] of unsigned)
    add(
      E.ENVELOPE_KEY,
      `envelope-key-${name}`,
      `${what} in the envelope: no digest covers it`,
      await (async () => {
        const whole = bytes(good);
        const message = digest(whole);
        const pairs = as.sort([pair(2, bytes(array(bytes(message), bytes(await block(message, {}))))), pair(3, whole), pair(key, bytes([0]))]);
        return tag(TAG_ENVELOPE, map(...pairs));
      })(),
    );
  add(E.ENVELOPE_NO_WRAPPER, "no-wrapper", "no authentication wrapper", tag(TAG_ENVELOPE, map(pair(ENV_MANIFEST, bytes(good)))));
  add(E.ENVELOPE_NO_MANIFEST, "no-manifest", "a wrapper and no manifest", tag(TAG_ENVELOPE, map(pair(ENV_AUTHENTICATION_WRAPPER, bytes(array(bytes(digest(bytes(good)))))))));
  await inside(E.DIGEST_ALG, "digest-alg-unknown", "the wrapper's digest is of algorithm -99", good, {}, { digest: array(int(-99), bytes(hash(bytes(good)))) });
  await inside(E.DIGEST_ALG, "digest-alg-sha1", "the image digest is SHA-1 (-14)", section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-14), bytes(new Array(20).fill(0))))]))));
  await inside(E.DIGEST_LENGTH, "digest-short", "the wrapper's digest has 31 bytes", good, {}, { digest: array(int(-16), bytes(hash(bytes(good)).slice(1))) });
  await inside(E.DIGEST_LENGTH, "digest-empty", "the image digest has no bytes", section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-16), bytes([])))]))));
  await inside(E.DIGEST_LENGTH, "digest-of-other-hash", "a digest of 32 bytes is said to be SHA-512", good, {}, { digest: array(int(-44), bytes(hash(bytes(good)))) });
  await inside(E.DIGEST_MANIFEST, "manifest-exchanged", "the manifest is another one than the one that was signed", good, {}, { digest: digest(bytes(manifest({ sequence: 6 }))) });
  await inside(E.DIGEST_MANIFEST, "digest-without-head", "the digest leaves out the head of the manifest's byte string", good, {}, { digest: digest(good) });
  const install = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  const severed = (d: Piece) => manifest({ more: [[MAN_INSTALL, d]] });
  await inside(E.DIGEST_SEVERED, "severed-mixed", "the severed install is that of another release: mix and match", severed(digest(bytes(install))), {}, { rest: [pair(MAN_INSTALL, bytes(seq([COND_ABORT, 0])))] });
  await inside(E.DIGEST_SEVERED, "severed-without-head", "the digest leaves out the head of the severed element", severed(digest(install)), {}, { rest: [pair(MAN_INSTALL, bytes(install))] });
  await inside(E.DIGEST_SEVERED, "severed-text", "the severed text was changed, which no command looks at", manifest({ more: [[MAN_TEXT, digest(bytes(ascii("signed")))]] }), {}, { rest: [pair(MAN_TEXT, bytes(ascii("forged")))] });
  await inside(E.SEVERED_UNCOVERED, "severed-uncovered", "install stands in the envelope, and the manifest holds no digest of it", good, {}, { rest: [pair(MAN_INSTALL, bytes(install))] });
  await inside(E.SEVERED_UNCOVERED, "text-uncovered", "text stands in the envelope, and the manifest holds no digest of it", good, {}, { rest: [pair(MAN_TEXT, bytes(map()))] });
  await inside(E.SEVERED_REDUNDANT, "severed-redundant", "install stands in the manifest and in the envelope", section(install), {}, { rest: [pair(MAN_INSTALL, bytes(install))] });
  await inside(E.PAYLOAD_UNREFERENCED, "payload-unreferenced", "a payload that no signed command names", good, {}, { rest: [payload()] });
  await inside(E.PAYLOAD_UNREFERENCED, "payload-other-uri", "a payload whose URI differs from the signed one in case", section(install), {}, { rest: [payload(IMAGE, "#FW")] });

  const foreign: [string, Piece, EnvelopeSpec?][] = [
    ["component-id", manifest({ more: [[suit.MAN_COMPONENT_ID, C0]] })],
    ["set-version", manifest({ more: [[suit.MAN_SET_VERSION, bytes(array(int(1)))]] })],
    ["coswid", manifest({ more: [[MAN_COSWID, bytes(map())]] })],
    ["coswid-severed", manifest({ more: [[MAN_COSWID, digest(bytes(map()))]] }), { rest: [pair(MAN_COSWID, bytes(map()))] }],
    ["dependency-resolution", manifest({ sections: { [suit.MAN_DEPENDENCY_RESOLUTION]: seq([COND_ABORT, 0]) } })],
    ["candidate-verification", manifest({ sections: { [suit.MAN_CANDIDATE_VERIFICATION]: seq([COND_ABORT, 0]) } })],
    ["uninstall", manifest({ sections: { [suit.MAN_UNINSTALL]: seq([COND_ABORT, 0]) } })],
    ["mud", manifest({ more: [[suit.MAN_MUD, bytes([])]] })],
    ["dependencies", manifest({ common: map(pair(COM_DEPENDENCIES, map(pair(1, map()))), pair(COM_COMPONENTS, array(C0))) })],
  ];
  for (const [name, content, e] of foreign)
    await inside(E.NOT_SUPPORTED, `not-supported-${name}`, `${name.replace(/-severed$/, ", severed")}: known, and not run by this build`, content, {}, e);
  add(E.NOT_SUPPORTED, "not-supported-delegation", "a delegation chain: of an old draft, and not followed", tag(TAG_ENVELOPE, map(pair(ENV_DELEGATION, bytes([])), pair(ENV_MANIFEST, bytes(good)))));
  const commands = [
    ["use-before", suit.COND_USE_BEFORE],
    ["dependency-integrity", suit.COND_DEPENDENCY_INTEGRITY],
    ["is-dependency", suit.COND_IS_DEPENDENCY],
    ["process-dependency", suit.DIR_PROCESS_DEPENDENCY],
    ["image-not-match", suit.COND_IMAGE_NOT_MATCH],
    ["minimum-battery", suit.COND_MINIMUM_BATTERY],
    ["update-authorized", suit.COND_UPDATE_AUTHORIZED],
    ["version", suit.COND_VERSION],
    ["wait", suit.DIR_WAIT],
    ["unlink", suit.DIR_UNLINK],
  ] as const;
  for (const [name, code] of commands) await inside(E.NOT_SUPPORTED, `not-supported-command-${name}`, `the command ${name}: known, and not run by this build`, section(seq([code, 0])));
  await inside(E.NOT_SUPPORTED, "not-supported-command-set-parameters", "the command set-parameters: known, and not run by this build", section(seq([DIR_SET_PARAMETERS, params(sizeParam(1))])));
  await inside(E.NOT_SUPPORTED, "not-supported-command-override-multiple", "the command override-multiple: known, and not run by this build", section(seq([DIR_OVERRIDE_MULTIPLE, map(pair(0, params(sizeParam(1))))])));
  await inside(E.NOT_SUPPORTED, "not-supported-command-copy-params", "the command copy-params: known, and not run by this build", section(seq([DIR_COPY_PARAMS, map(pair(0, array(int(14))))])));
  const parameters: [string, number, Piece][] = [
    ["use-before", suit.PARAM_USE_BEFORE, int(1_800_000_000)],
    ["encryption-info", suit.PARAM_ENCRYPTION_INFO, bytes([])],
    ["minimum-battery", suit.PARAM_MINIMUM_BATTERY, int(1)],
    ["update-priority", suit.PARAM_UPDATE_PRIORITY, int(1)],
    ["version", suit.PARAM_VERSION, bytes(array(int(2), array(int(1))))],
    ["wait-info", suit.PARAM_WAIT_INFO, bytes(map(pair(1, int(1))))],
    ["component-metadata", suit.PARAM_COMPONENT_METADATA, bytes(map())],
  ];
  for (const [name, key, value] of parameters)
    await inside(E.NOT_SUPPORTED, `not-supported-parameter-${name}`, `the parameter ${name}: known, and not acted on by this build`, section(seq(override([key, value]))));
  await inside(E.NOT_SUPPORTED, "not-supported-shake128", "the manifest's digest is SHAKE128", good, {}, { digest: array(int(cose.HASH_SHAKE128), bytes(hash(bytes(good)))) });
  await inside(E.NOT_SUPPORTED, "not-supported-mac", "a COSE_Mac (tag 97), with recipients", good, {}, { blocks: [async (m) => tag(cose.TAG_MAC, await block(m, { tag: null }))] });
  await inside(E.OLD_DRAFT, "old-install", "install has number 17, as up to draft -28", manifest({ sections: { [MAN_INSTALL_OLD]: install } }));
  await inside(E.OLD_DRAFT, "old-install-severed", "install stands in the envelope under number 17", good, {}, { rest: [pair(MAN_INSTALL_OLD, bytes(install))] });
  await inside(E.MANIFEST_VERSION, "version-2", "manifest-version 2", manifest({ version: int(2) }));
  await inside(E.MANIFEST_VERSION, "version-0", "manifest-version 0", manifest({ version: int(0) }));
  await inside(E.MANIFEST_KEY, "manifest-key-10", "an element of number 10: validate, before it was 7", manifest({ sections: { 10: seq([COND_ABORT, 0]) } }));
  await inside(E.MANIFEST_KEY, "manifest-key-private", "an element of a private number", manifest({ more: [[-257, int(0)]] }));
  await inside(E.MANIFEST_INCOMPLETE, "no-version", "no manifest-version", manifest({ version: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-sequence-number", "no sequence number", manifest({ sequence: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-common", "no common", manifest({ common: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-components", "common without components", manifest({ common: map() }));
  await inside(E.COMMON_KEY, "common-key-3", "an element of number 3 in common", manifest({ common: map(pair(COM_COMPONENTS, array(C0)), pair(3, int(0))) }));
  await inside(E.COMPONENT_LIST, "components-none", "an empty list of components", common(array()));
  await inside(E.COMPONENT_LIST, "components-17", "seventeen components", common(array(...Array.from({ length: 17 }, (_, i) => array(bytes([i]))))));
  await inside(E.COMPONENT_LIST, "component-parts", "a component identifier of six parts", common(array(array(...Array.from({ length: 6 }, (_, i) => bytes([i]))))));
  await inside(E.COMPONENT_LIST, "component-twice", "one component listed twice", common(array(C0, C1, C0)));

  // Rollback, compared exactly: each of these bounds is where an int32, an uint32, a double, an int64 loses something
  for (const bits of [0, 31, 32, 53, 63]) {
    const n = 2n ** BigInt(bits);
    await inside(E.ROLLBACK, `rollback-2-${bits}`, `sequence number 2^${bits} against a floor one above`, manifest({ sequence: n }), { trust: { anchors: [anchorOf("a")], floor: halves(n + 1n) } });
    await inside(E.ROLLBACK, `rollback-below-2-${bits}`, `sequence number 2^${bits} - 1 against a floor of 2^${bits}`, manifest({ sequence: n - 1n }), { trust: { anchors: [anchorOf("a")], floor: halves(n) } });
  }
  await inside(E.ROLLBACK, "rollback-2-64", "sequence number 2^64 - 2 against a floor of 2^64 - 1", manifest({ sequence: 2n ** 64n - 2n }), { trust: { anchors: [anchorOf("a")], floor: halves(2n ** 64n - 1n) } });
  await inside(E.ROLLBACK, "rollback-low-half", "the low half is the larger one, the high half decides", manifest({ sequence: 2n ** 32n + 9n }), { trust: { anchors: [anchorOf("a")], floor: [2, 0] } });
  await inside(E.ROLLBACK, "rollback-device", "an older release on a device whose floor is above it", update({ sequence: 7 }), { action: "install", device: { sequence: [0, 8] } }, { rest: [payload()] });
  await inside(E.ROLLBACK, "rollback-device-over-policy", "the device's floor counts where the caller's is lower", update({ sequence: 7 }), { action: "install", device: { sequence: [0, 8] }, trust: { anchors: [anchorOf("a")], floor: [0, 1] } }, { rest: [payload()] });
  await inside(E.ROLLBACK, "rollback-policy-over-device", "the caller's floor counts where the device's is lower", update({ sequence: 7 }), { action: "install", device: { sequence: [0, 1] }, trust: { anchors: [anchorOf("a")], floor: [0, 8] } }, { rest: [payload()] });

  for (const [name, code] of [["fetch", DIR_FETCH], ["write", DIR_WRITE], ["copy", DIR_COPY], ["invoke", DIR_INVOKE], ["swap", DIR_SWAP]] as const)
    await inside(E.SHARED_COMMAND, `shared-${name}`, `${name} in the shared sequence, which may have no side effect`, manifest({ shared: seq([code, 2]) }));
  await inside(E.SHARED_COMMAND, "shared-nested", "fetch in a try-each of the shared sequence", manifest({ shared: seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]), seq([DIR_FETCH, 2]))]) }));
  await inside(E.COMMAND_UNKNOWN, "command-10", "a command of number 10", section(seq([10, 0])));
  await inside(E.COMMAND_UNKNOWN, "command-custom", "a custom command, -257", section(seq([-257, 0])));
  await inside(E.COMMAND_UNKNOWN, "command-unknown-nested", "an unknown command in an alternative that would never be taken", section(seq([DIR_TRY_EACH, alternatives(seq(override(sizeParam(1))), seq([99, 0]))])));
  await inside(E.COMMAND_ARGUMENT, "policy-16", "a reporting policy of five bits", section(seq([COND_ABORT, 16])));
  await inside(E.COMMAND_ARGUMENT, "sequence-empty", "a sequence without commands", section(array()));
  await inside(E.COMMAND_ARGUMENT, "sequence-odd", "a command without its argument", section(array(int(COND_ABORT), int(0), int(COND_ABORT))));
  await inside(E.COMMAND_ARGUMENT, "index-false", "set-component-index with false", section(seq([DIR_SET_COMPONENT_INDEX, FALSE])));
  await inside(E.COMMAND_ARGUMENT, "index-list-empty", "set-component-index with an empty list", section(seq([DIR_SET_COMPONENT_INDEX, array()])));
  await inside(E.COMMAND_ARGUMENT, "index-list-long", "set-component-index with more indices than components", section(seq([DIR_SET_COMPONENT_INDEX, array(int(0), int(0))])));
  await inside(E.COMMAND_ARGUMENT, "parameters-empty", "override-parameters with an empty map", section(seq([DIR_OVERRIDE_PARAMETERS, map()])));
  await inside(E.COMMAND_ARGUMENT, "try-each-one", "try-each with one alternative", section(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]))])));
  await inside(E.COMMAND_ARGUMENT, "try-each-nil-second", "try-each with one alternative and nil", section(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]), null)])));
  await inside(E.COMMAND_ARGUMENT, "try-each-nil-first", "try-each succeeds too early: nil stands before the alternatives", section(seq([DIR_TRY_EACH, alternatives(null, seq([COND_ABORT, 0]), seq([COND_ABORT, 0]))])));
  await inside(E.COMMAND_ARGUMENT, "try-each-empty", "try-each without alternatives", section(seq([DIR_TRY_EACH, array()])));
  await inside(E.PARAMETER_UNKNOWN, "parameter-99", "a parameter of number 99", section(seq(override([99, int(0)]))));
  await inside(E.PARAMETER_UNKNOWN, "parameter-custom", "a custom parameter, -1", section(seq(override([-1, int(0)]))));
  await inside(E.PARAMETER_VALUE, "class-15", "a class identifier of 15 bytes", section(seq(override([PARAM_CLASS_IDENTIFIER, bytes(as.CLASS.slice(1))]))));
  await inside(E.PARAMETER_VALUE, "vendor-17", "a vendor identifier of 17 bytes", section(seq(override([PARAM_VENDOR_IDENTIFIER, bytes([...as.VENDOR, 0])]))));
  await inside(E.PARAMETER_VALUE, "vendor-tag", "a vendor identifier under tag 37", section(seq(override([PARAM_VENDOR_IDENTIFIER, tag(37, bytes(as.VENDOR))]))));
  await inside(E.URI_CHARACTER, "uri-newline", "a line end in a URI", section(seq(override(uriParam("a:\nb")))));
  await inside(E.URI_CHARACTER, "uri-escape", "a terminal escape sequence in reference-uri", referenceUri(text("a:\x1b[2J")));
  await inside(E.URI_CHARACTER, "uri-non-ascii", "a letter beyond ASCII in a URI", section(seq(override([PARAM_URI, text([0x61, 0x3a, 0xc3, 0xbc])]))));
  add(E.URI_CHARACTER, "payload-name-space", "a space in the name of an integrated payload", await envelope(good, { rest: [[text("# x"), bytes([])]] }));
  const texts = (m: Piece) => manifest({ more: [[MAN_TEXT, bytes(map([text("en"), m]))]] });
  await inside(E.TEXT_KEY, "text-key-5", "a text of the manifest with number 5", texts(map(pair(5, text("x")))), { action: "peek" });
  await inside(E.TEXT_KEY, "text-component-key-9", "a text of a component with number 9", texts(map([C0, map(pair(9, text("x")))])), { action: "peek" });
  await inside(E.DIGEST_MANIFEST, "peek-manifest-exchanged", "peek() checks digests as open() does", good, { action: "peek" }, { digest: digest(bytes(manifest({ sequence: 6 }))) });

  // Who signed

  const one = [anchorOf("a")];
  const policies: [string, string, TrustSpec][] = [
    ["anchors-none", "no anchor at all", { anchors: [] }],
    ["need-0", "no signature is needed", { anchors: one, need: 0 }],
    ["need-negative", "-1 signatures are needed", { anchors: one, need: -1 }],
    ["need-half", "half a signature is needed", { anchors: one, need: 0.5 }],
    ["need-more", "two signatures are needed of one anchor", { anchors: one, need: 2 }],
    ["need-same-key", "two signatures are needed of one key that is listed twice", { anchors: [anchorOf("a", "01"), anchorOf("a", "02")], need: 2 }],
    ["floor-fraction", "a floor that is no integer", { anchors: one, floor: [0, 0.5] }],
    ["floor-wide", "half a floor of more than 32 bits", { anchors: one, floor: [0, 4294967296] }],
  ];
  for (const [name, about, trust] of policies) add(E.TRUST_POLICY, name, about, signed, { trust });
  add(E.TRUST_POLICY, "anchor-alg-none", "an anchor of the algorithm none", null, { action: "anchor", trust: { anchors: [{ alg: "none", key: anchorOf("a").key }] } });
  add(E.TRUST_POLICY, "anchor-alg-constructor", "an anchor of the algorithm constructor, which every object has", null, { action: "anchor", trust: { anchors: [{ alg: "constructor", key: anchorOf("a").key }] } });
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
    ["public-key-as-secret", "hmac256", "a public key of P-256 as the secret of a MAC", publicKey("p")],
  ];
  for (const [name, alg, about, key] of keys) add(E.ANCHOR_KEY, `anchor-${name}`, `${alg}: ${about}`, null, { action: "anchor", trust: { anchors: [{ alg, key: hex(key) }] } });

  const spoilt = async (code: number, name: string, about: string, b: EnvelopeSpec["blocks"], trust: TrustSpec = { anchors: one }) => {
    add(code, name, about, await envelope(good, { blocks: b ?? [] }), { trust });
  };
  const p = { anchors: [anchorOf("p")] };
  const m = { anchors: [anchorOf("m")] };
  const bucket = (...pairs: Pair[]) => map(...as.sort(pairs));
  await spoilt(E.WRAPPER_EMPTY, "wrapper-empty", "a digest, and no signature over it", []);
  await spoilt(E.BLOCK_TAG, "block-untagged", "a COSE_Sign1 without its tag", [{ tag: null }]);
  await spoilt(E.BLOCK_TAG, "block-encrypt0", "a COSE_Encrypt0 (tag 16)", [{ tag: 16 }]);
  await spoilt(E.BLOCK_TAG, "block-tag-wide", "tag 18 + 2^32", [async (d) => [...head(6, 2n ** 32n + 18n), ...(await block(d, { tag: null }))]]);
  await spoilt(E.HEADER_NO_ALG, "alg-none", "no alg", [{ protected: [] }]);
  await spoilt(E.HEADER_NO_ALG, "alg-none-empty-map", "no alg, and the protected bucket is an encoded empty map", [{ protected: map() }]);
  await spoilt(E.HEADER_NO_ALG, "alg-unprotected", "alg in the unprotected bucket", [{ protected: [], unprotected: bucket(pair(1, int(-19))) }]);
  await spoilt(E.HEADER_NO_ALG, "alg-body-only", "alg in the body of a COSE_Sign, not with the signature", [(d) => signBlock(d, [{ protected: [] }], map(pair(1, int(-19))))]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-zero", "alg 0", [{ alg: 0 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-text-none", 'alg is the text "none"', [{ protected: map(pair(1, text("none"))) }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-unassigned", "alg -9999", [{ alg: -9999 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-mac-in-sign1", "a COSE_Sign1 with the algorithm of a MAC", [{ alg: cose.ALG_HMAC_256_256 }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-mac-in-sign1-keyed", "a MAC under the public key, in a COSE_Sign1 with alg 5", [{ alg: 5, mac: publicKey("a"), tag: cose.TAG_SIGN1, context: "Signature1" }]);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-signature-in-mac0", "a COSE_Mac0 with alg -8", [{ key: "m", alg: cose.ALG_EDDSA }], m);
  await spoilt(E.HEADER_ALG_UNKNOWN, "alg-mac-truncated", "a COSE_Mac0 with HMAC 256/64 (alg 4) and a tag of 8 bytes", [{ key: "m", alg: 4, spoil: (s) => s.slice(0, 8) }], m);
  await spoilt(E.HEADER_TWICE, "kid-in-both", "kid in both buckets", [{ protected: bucket(pair(1, int(-19)), pair(4, bytes([1]))), unprotected: map(pair(4, bytes([1]))) }]);
  await spoilt(E.HEADER_TWICE, "alg-in-both", "alg in both buckets", [{ unprotected: map(pair(1, int(-7))) }]);
  await spoilt(E.HEADER_TWICE, "unknown-in-both", "a label nobody knows in both buckets", [{ protected: bucket(pair(1, int(-19)), pair(99, int(1))), unprotected: map(pair(99, int(2))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-unknown", "a label that is critical and unknown", [{ protected: bucket(pair(1, int(-19)), pair(2, array(int(99))), pair(99, int(1))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-text", "a critical label that is text", [{ protected: bucket(pair(1, int(-19)), pair(2, array(text("exp")))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-empty", "an empty list of critical labels", [{ protected: bucket(pair(1, int(-19)), pair(2, array())) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-unprotected", "crit in the unprotected bucket", [{ unprotected: map(pair(2, array(int(1)))) }]);
  await spoilt(E.HEADER_CRITICAL, "crit-in-body", "an unknown critical label in the body of a COSE_Sign", [(d) => signBlock(d, [{}], map(pair(2, array(int(99)))))]);
  await spoilt(E.PAYLOAD_ATTACHED, "payload-attached", "the digest stands in the COSE_Sign1 as well", [{ payload: bytes(digest(bytes(good))) }]);
  await spoilt(E.PAYLOAD_ATTACHED, "payload-attached-other", "a signature over another payload, which it carries", [{ payload: bytes(digest(bytes(update()))), signed: digest(bytes(update())) }]);
  await spoilt(E.SIGNATURE_COUNT, "blocks-9", "nine signatures", Array.from({ length: 9 }, () => ({})));
  await spoilt(E.SIGNATURE_COUNT, "sign-9", "nine signatures in one COSE_Sign", [(d) => signBlock(d, Array.from({ length: 9 }, () => ({})))]);
  await spoilt(E.SIGNATURE_COUNT, "sign-5-4", "nine signatures in two COSE_Sign", [(d) => signBlock(d, Array.from({ length: 5 }, () => ({}))), (d) => signBlock(d, Array.from({ length: 4 }, () => ({})))]);

  const R = (s: number[]) => s.slice(0, 32);
  const S = (s: number[]) => s.slice(32);
  const le = (b: Piece) => big([...b].reverse());
  await spoilt(E.SIGNATURE_INVALID, "signature-bit", "one bit of the signature is wrong", [{ spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-empty", "an empty signature", [{ spoil: () => [] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-zero", "64 zero bytes", [{ spoil: () => new Array(64).fill(0) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-63", "the last byte of the signature is missing", [{ spoil: (s) => s.slice(0, 63) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-65", "a byte behind the signature", [{ spoil: (s) => [...s, 0] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-s-plus-l", "S + L in place of S: the same signature in another encoding", [{ spoil: (s) => [...R(s), ...unbig(le(S(s)) + L).reverse()] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-s-high-bits", "S + 2^253", [{ spoil: (s) => [...s.slice(0, 63), s[63]! | 0x20] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-r-identity", "R is the identity", [{ spoil: (s) => [1, ...new Array(31).fill(0), ...S(s)] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-r-not-canonical", "R is the identity, encoded as y = p + 1", [{ spoil: (s) => [0xee, ...new Array(30).fill(0xff), 0x7f, ...S(s)] }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-other-key", "signed by a key that is not trusted", [{ key: "b" }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-other-key-with-kid", "signed by a key that is not trusted, under the identifier of one that is", [{ key: "b", unprotected: map(pair(4, bytes([1]))) }], { anchors: [anchorOf("a", "01")] });
  await spoilt(E.SIGNATURE_INVALID, "signature-key-in-message", "signed by a key that the message brings along, in the unprotected bucket", [
    { key: "b", unprotected: bucket(pair(33, bytes(publicKey("b"))), [text("jwk"), map(pair(1, int(1)), pair(-1, int(6)), pair(-2, bytes(publicKey("b"))))]) },
  ]);
  await spoilt(E.SIGNATURE_INVALID, "signature-of-other-manifest", "the signature of another release", [{ signed: digest(bytes(manifest({ sequence: 6 }))) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-of-manifest", "the manifest is signed, not its digest", [{ signed: good }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-wrapped-twice", "the digest is signed as a byte string in a byte string", [{ signed: bytes(digest(bytes(good))) }]);
  await spoilt(E.SIGNATURE_INVALID, "signature-context", "signed as one of several signers, used as the only one", [{ context: "Signature" }]);
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
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-bit", "ES256: one bit of the signature is wrong", [{ key: "p", spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-r-zero", "ES256: r = 0", [{ key: "p", spoil: (s) => [...unbig(0n), ...S(s)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-s-zero", "ES256: s = 0", [{ key: "p", spoil: (s) => [...R(s), ...unbig(0n)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-zero", "ES256: r = s = 0", [{ key: "p", spoil: () => new Array(64).fill(0) }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-r-n", "ES256: r = n", [{ key: "p", spoil: (s) => [...unbig(N), ...S(s)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-s-n", "ES256: s = n", [{ key: "p", spoil: (s) => [...R(s), ...unbig(N)] }], p);
  await spoilt(E.SIGNATURE_INVALID, "ecdsa-der", "ES256: r and s in DER", [
    {
      key: "p",
      spoil: (s) => {
        const integer = (b: number[]) => (b[0]! > 127 ? [2, 33, 0, ...b] : [2, 32, ...b]);
        const body = [...integer(R(s)), ...integer(S(s))];
        return [0x30, body.length, ...body];
      },
    },
  ], p);
  await spoilt(E.SIGNATURE_INVALID, "mac-bit", "one bit of the MAC is wrong", [{ key: "m", spoil: (s) => [...s.slice(0, 31), s[31]! ^ 1] }], m);
  await spoilt(E.SIGNATURE_INVALID, "mac-short", "the MAC is cut to 16 bytes", [{ key: "m", spoil: (s) => s.slice(0, 16) }], m);
  await spoilt(E.SIGNATURE_INVALID, "mac-empty", "an empty MAC", [{ key: "m", spoil: () => [] }], m);
  await spoilt(E.SIGNATURE_INVALID, "mac-other-secret", "a MAC under another secret", [{ key: "m", mac: new Array(32).fill(0) }], m);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-other-alg", "an ES256 signature where Ed25519 is trusted", [{ key: "p" }]);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-alg-confusion-mac", "a MAC under the public key of a trusted signer", [{ key: "m", mac: publicKey("a") }]);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-alg-confusion-mac-p256", "a MAC under the x coordinate of a trusted P-256 key", [{ key: "m", mac: publicKey("p").slice(1, 33) }], p);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-alg-relabelled", "an Ed25519 signature whose alg says ES256", [{ alg: cose.ALG_ES256 }]);
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-other-kid", "a good signature under the identifier of another key", [{ unprotected: map(pair(4, bytes([2]))) }], { anchors: [anchorOf("a", "01")] });
  await spoilt(E.SIGNATURE_NO_ANCHOR, "anchor-es512", "an algorithm of the family that no anchor here can have", [{ alg: cose.ALG_ES512 }]);
  const two: TrustSpec = { anchors: [anchorOf("a"), anchorOf("b")], need: 2 };
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-one", "one of two signatures is missing", [{}], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-same-twice", "the same signature twice", [{}, {}], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-same-key-two-algs", "one key signs as -8 and as -19", [{ alg: cose.ALG_EDDSA }, { alg: cose.ALG_ED25519 }], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-same-key-two-kids", "one key signs under two identifiers, both of them trusted", [
    { unprotected: map(pair(4, bytes([1]))) },
    { unprotected: map(pair(4, bytes([2]))) },
  ], { anchors: [anchorOf("a", "01"), anchorOf("a", "02"), anchorOf("b", "03")], need: 2 });
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-sign-twice", "one key signs twice in a COSE_Sign", [(d) => signBlock(d, [{}, {}])], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-second-bad", "the second of two signatures is wrong", [{}, { key: "b", spoil: (s) => [s[0]! ^ 1, ...s.slice(1)] }], two);
  await spoilt(E.SIGNATURE_THRESHOLD, "threshold-of-three", "two of three have signed where three are needed", [{}, { key: "b" }], { anchors: [anchorOf("a"), anchorOf("b"), anchorOf("p")], need: 3 });

  // Running a sequence

  const runs2 = async (code: number, name: string, about: string, commands: Piece, more: Rest & { components?: Piece[]; shared?: Piece } = {}) => {
    const { components = [C0], shared, ...rest } = more;
    await inside(code, name, about, manifest({ components, ...(shared && { shared }), sections: { [MAN_INSTALL]: commands } }), { action: "run", sections: [MAN_INSTALL], ...rest });
  };
  add(E.NOT_A_MANIFEST, "outline-started", "an envelope that was looked into without checking its signature is started", signed, { action: "start" });
  await runs2(E.INDEX_UNSET, "index-unset", "two components, and none of them set", seq([COND_ABORT, 0]), { components: [C0, C1] });
  await runs2(E.INDEX_UNSET, "index-not-inherited", "the shared sequence sets the component index, the section does not", seq([COND_ABORT, 0]), { components: [C0, C1], shared: seq([DIR_SET_COMPONENT_INDEX, 0]) });
  await inside(E.INDEX_RANGE, "index-1-of-1", "component index 1 where there is one component", section(seq([DIR_SET_COMPONENT_INDEX, 1])));
  await inside(E.INDEX_RANGE, "index-in-list", "a component index in a list is too large", section(seq([DIR_SET_COMPONENT_INDEX, array(int(0), int(2))]), [C0, C1]));
  await inside(E.INDEX_RANGE, "index-2-52", "component index 2^52", section(seq([DIR_SET_COMPONENT_INDEX, int(2 ** 52)])));
  await inside(E.INDEX_RANGE, "source-1-of-1", "source-component 1 where there is one component", section(seq(override([PARAM_SOURCE_COMPONENT, int(1)]))));
  for (const [name, code] of [["fetch", DIR_FETCH], ["write", DIR_WRITE], ["copy", DIR_COPY], ["swap", DIR_SWAP]] as const)
    await runs2(E.PARAMETER_MISSING, `${name}-without-parameter`, `${name} without its parameter`, seq([code, 2]));
  await runs2(E.PARAMETER_MISSING, "fetch-without-parameter-softly", "a directive without its parameter is not swallowed by a try-each", seq([DIR_TRY_EACH, alternatives(seq([DIR_FETCH, 2]), seq(override(sizeParam(1))))]));
  for (const [name, code] of [["image-match", COND_IMAGE_MATCH], ["component-slot", COND_COMPONENT_SLOT], ["check-content", COND_CHECK_CONTENT]] as const)
    await runs2(E.PARAMETER_MISSING, `${name}-without-parameter`, `${name} without its parameter`, seq([code, 15]));
  await runs2(E.SOFT_FAILURE_SCOPE, "soft-failure-section", "soft-failure outside try-each and run-sequence", seq(override([PARAM_SOFT_FAILURE, TRUE])));
  await runs2(E.SOFT_FAILURE_SCOPE, "soft-failure-section-false", "soft-failure false outside try-each and run-sequence", seq(override([PARAM_SOFT_FAILURE, FALSE])));
  await runs2(E.SOFT_FAILURE_SCOPE, "soft-failure-shared", "soft-failure in the shared sequence itself", seq([COND_ABORT, 0]), { shared: seq(override([PARAM_SOFT_FAILURE, TRUE])) });
  await runs2(E.VENDOR_MISMATCH, "vendor-other", "the right signature, for another vendor", seq(override(as.vendorParam(OTHER)), [COND_VENDOR_IDENTIFIER, 15]));
  await runs2(E.VENDOR_MISMATCH, "vendor-unset", "the vendor is checked, and none is named", seq([COND_VENDOR_IDENTIFIER, 15]));
  await runs2(E.VENDOR_MISMATCH, "vendor-pen", "a private enterprise number where the device knows a UUID", seq(override([PARAM_VENDOR_IDENTIFIER, tag(112, bytes(as.VENDOR))]), [COND_VENDOR_IDENTIFIER, 15]));
  await runs2(E.CLASS_MISMATCH, "class-other", "the right signature, for another class of device", seq(override(as.classParam(OTHER)), [COND_CLASS_IDENTIFIER, 15]));
  await runs2(E.CLASS_MISMATCH, "class-is-vendor", "the vendor's identifier in place of the class's", seq(override(as.classParam(as.VENDOR)), [COND_CLASS_IDENTIFIER, 15]));
  await runs2(E.DEVICE_MISMATCH, "device-other", "the right signature, for another device", seq(override([suit.PARAM_DEVICE_IDENTIFIER, bytes(OTHER)]), [COND_DEVICE_IDENTIFIER, 15]));
  await runs2(E.DEVICE_MISMATCH, "device-nameless", "for one device, on one that has no name", seq(override([suit.PARAM_DEVICE_IDENTIFIER, bytes(as.DEVICE)]), [COND_DEVICE_IDENTIFIER, 15]), { device: { device: [] } });
  await runs2(E.IMAGE_MISMATCH, "image-mismatch", "image-match does not hold", seq(override(digestParam(IMAGE)), [COND_IMAGE_MATCH, 15]), { outcomes: [false] });
  await runs2(E.SLOT_MISMATCH, "slot-mismatch", "component-slot does not hold", seq(override([PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5]), { outcomes: [false] });
  await runs2(E.CONTENT_MISMATCH, "content-mismatch", "check-content does not hold", seq(override([PARAM_CONTENT, bytes(IMAGE)]), [COND_CHECK_CONTENT, 15]), { outcomes: [false] });
  await runs2(E.ABORTED, "abort", "the manifest aborts", seq([COND_ABORT, 2]));
  await runs2(E.ABORTED, "abort-hard", "abort in a try-each whose sequence has turned soft-failure off", seq([DIR_TRY_EACH, alternatives(seq(override([PARAM_SOFT_FAILURE, FALSE]), [COND_ABORT, 2]), seq(override(sizeParam(1))))]));
  await runs2(E.ABORTED, "abort-not-inherited", "abort in a run-sequence around which another one is soft: the failure is handed on, and ends the section behind it", seq([DIR_RUN_SEQUENCE, bytes(seq([DIR_RUN_SEQUENCE, bytes(seq([COND_ABORT, 2]))]))]));
  await runs2(E.TRY_EACH_EXHAUSTED, "try-each-exhausted", "no alternative fits", seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 2]), seq([COND_ABORT, 2]))]));
  await runs2(E.TRY_EACH_EXHAUSTED, "try-each-exhausted-nested", "no alternative of a nested try-each fits: that is no condition, and the outer one does not go on", seq([DIR_TRY_EACH, alternatives(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 2]), seq([COND_ABORT, 2]))]), seq(override(sizeParam(1))))]));
  await runs2(E.DIRECTIVE_FAILED, "directive-failed", "a fetch fails", seq(override(uriParam("#fw")), [DIR_FETCH, 2]), { outcomes: [false] });
  await runs2(E.DIRECTIVE_FAILED, "directive-failed-try-each", "a fetch fails in a try-each: not swallowed", seq([DIR_TRY_EACH, alternatives(seq(override(uriParam("#fw")), [DIR_FETCH, 2]), seq(override(sizeParam(1))))]), { outcomes: [false] });
  await runs2(E.DIRECTIVE_FAILED, "directive-failed-soft", "a fetch fails under soft-failure: not swallowed", seq([DIR_RUN_SEQUENCE, bytes(seq(override([PARAM_SOFT_FAILURE, TRUE], uriParam("#fw")), [DIR_FETCH, 2]))]), { outcomes: [false] });
  const copyFrom = (source: number, strict: boolean) => override([PARAM_STRICT_ORDER, strict ? TRUE : FALSE], [PARAM_SOURCE_COMPONENT, int(source)]);
  await runs2(E.STRICT_ORDER, "strict-order-chain", "without strict order, a component is target and then source", seq([DIR_SET_COMPONENT_INDEX, 0], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_SET_COMPONENT_INDEX, 1], override([PARAM_SOURCE_COMPONENT, int(0)]), [DIR_SET_COMPONENT_INDEX, array(int(0), int(1))], override([PARAM_STRICT_ORDER, FALSE]), [DIR_COPY, 2]), { components: [C0, C1] });
  await runs2(E.STRICT_ORDER, "strict-order-self", "without strict order, a component is copied onto itself", seq(copyFrom(0, false), [DIR_COPY, 2]));
  await inside(E.SEVERED_ABSENT, "severed-absent", "a section is run that was severed and is not at hand", severed(digest(bytes(install))), { action: "run", sections: [MAN_INSTALL] });
  await inside(E.SEVERED_ABSENT, "severed-absent-install", "an installation whose install was severed and is not at hand", severed(digest(bytes(install))), { action: "install" });
  await inside(E.RUN_OUTCOME, "outcome-first", "an outcome is given before there is an effect", section(seq([COND_ABORT, 0])), { action: "step", sections: [MAN_INSTALL], outcomes: [true] });
  await inside(E.RUN_OUTCOME, "outcome-missing", "no outcome is given for an effect", section(seq(override(uriParam("#fw")), [DIR_FETCH, 2])), { action: "step", sections: [MAN_INSTALL], outcomes: [null, null] });
  const all = (inner: Piece): Piece => seq([DIR_SET_COMPONENT_INDEX, TRUE], [DIR_RUN_SEQUENCE, bytes(inner)]);
  await runs2(E.RUN_LIMIT, "run-limit", "sequences over sixteen components, nested: 17^3 commands", all(all(all(seq(override(sizeParam(1)))))), { components: Array.from({ length: 16 }, (_, i) => array(bytes([i]))) });

  // Installing

  const installs = async (code: number, name: string, about: string, content: Piece, device: DeviceSpec = {}, rest: Pair[] = [payload()], action: Vector["action"] = "install") => {
    await inside(code, name, about, content, { action, ...(Object.keys(device).length > 0 && { device }) }, { rest });
  };
  const noValidate = { [MAN_VALIDATE]: seq(override(sizeParam(IMAGE.length))) };
  await installs(E.VENDOR_MISMATCH, "install-vendor", "a good update for another vendor: nothing is erased", update(), { vendor: [hex(OTHER)] });
  await installs(E.CLASS_MISMATCH, "install-class", "a good update for another class: nothing is erased", update(), { class: [hex(OTHER)] });
  const unchecked = (...checks: as.Command[]) => update({ shared: seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE), sizeParam(IMAGE.length)), ...checks) });
  await installs(E.IDENTITY_UNCHECKED, "identity-unchecked", "neither vendor nor class is checked", unchecked());
  await installs(E.IDENTITY_UNCHECKED, "class-unchecked", "the vendor is checked, the class is not", unchecked([COND_VENDOR_IDENTIFIER, 15]));
  await installs(E.IDENTITY_UNCHECKED, "vendor-unchecked", "the class is checked, the vendor is not", unchecked([COND_CLASS_IDENTIFIER, 15]));
  await installs(E.IDENTITY_UNCHECKED, "identity-too-late", "vendor and class are checked after the fetch", update({ shared: seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE))), sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_VENDOR_IDENTIFIER, 15], [COND_CLASS_IDENTIFIER, 15]) } }));
  await installs(E.IDENTITY_UNCHECKED, "identity-swallowed", "vendor and class are another's, in a try-each that ends with nil", update({
    shared: seq(override(as.vendorParam(OTHER), as.classParam(OTHER), digestParam(IMAGE)), [DIR_TRY_EACH, alternatives(seq([COND_VENDOR_IDENTIFIER, 15]), seq([COND_CLASS_IDENTIFIER, 15]), null)]),
  }));
  await installs(E.DIGEST_UNSET, "digest-unset", "a component is fetched, and no digest is named for it", update({ shared: sharedOf(), sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), ...noValidate } }));
  await installs(E.DIGEST_UNSET, "write-digest-unset", "a component is written, and no digest is named for it", update({ shared: sharedOf(), sections: { [MAN_INSTALL]: seq(override([PARAM_CONTENT, bytes(IMAGE)]), [DIR_WRITE, 2]), ...noValidate } }), {}, []);
  const outside = (m2: Piece, device: DeviceSpec, code: number, name: string, about: string) => installs(code, name, about, m2, device, []);
  await outside(update(), { payloads: { "#fw": hex([...IMAGE, 0]) } }, E.PAYLOAD_SIZE, "payload-longer", "the payload is one byte longer than image-size");
  await outside(update(), { payloads: { "#fw": hex(IMAGE.slice(1)) } }, E.PAYLOAD_SIZE, "payload-shorter", "the payload is one byte shorter than image-size");
  await outside(update(), { chunks: { "#fw": [hex(IMAGE), "00"] } }, E.PAYLOAD_SIZE, "payload-longer-chunks", "an endless payload is cut off as it arrives");
  await outside(update(), { chunks: { "#fw": [hex(IMAGE.slice(0, 5))] } }, E.PAYLOAD_SIZE, "payload-shorter-chunks", "the payload ends too soon");
  await outside(update({ shared: sharedOf(digestParam(IMAGE), sizeParam(65)) }), { payloads: { "#fw": hex(IMAGE) } }, E.PAYLOAD_SIZE, "size-over-capacity", "image-size is larger than the component");
  await outside(update({ shared: sharedOf(digestParam(IMAGE)) }), { chunks: { "#fw": [hex(new Array(60).fill(0)), hex(new Array(60).fill(0))] } }, E.PAYLOAD_SIZE, "payload-over-capacity", "no image-size, and a payload larger than the component");
  await outside(update({ shared: sharedOf(digestParam([]), sizeParam(0)) }), { chunks: { "#fw": ["00"] } }, E.PAYLOAD_SIZE, "payload-for-size-0", "image-size 0, and a payload of one byte");
  await installs(E.COMPONENT_UNKNOWN, "component-unknown", "a component that the device does not have", update({ components: [C2] }));
  await installs(E.COMPONENT_UNKNOWN, "component-prefix", "a component whose identifier only begins as that of the device's", update({ components: [array(bytes([0]), bytes([0]))] }));
  await installs(E.COMPONENT_UNKNOWN, "source-unknown", "a source that the device does not have", update({ components: [C0, C2], shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(digestParam(IMAGE))), sections: { [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_COPY, 2]), [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]), [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]) } }), {}, []);
  await installs(E.IMAGE_MISMATCH, "image-exchanged", "the payload is not the one whose digest is signed", update(), {}, [payload(ascii("bad firmware"))]);
  await installs(E.IMAGE_MISMATCH, "image-rotten", "storage holds something else than what was written: the second look, before the commit, finds it", update(), { fault: "rot" });
  await installs(E.IMAGE_UNVERIFIED, "image-unverified", "no condition looks at the image, which is not the one whose digest is signed", update({ sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), ...noValidate } }), {}, [payload(ascii("bad firmware"))]);
  await installs(E.IMAGE_UNVERIFIED, "image-rotten-unvalidated", "storage holds something else than what was written, and validate does not look", update({ sections: noValidate }), { fault: "rot" });
  await outside(update(), { chunks: { "#fw": false } }, E.PAYLOAD_ABSENT, "payload-absent", "the payload cannot be had");
  await outside(update({ sections: { [MAN_INSTALL]: seq([DIR_TRY_EACH, alternatives(seq(override(uriParam("a:1")), [DIR_FETCH, 2]), seq(override(uriParam("a:2")), [DIR_FETCH, 2]))]) } }), { chunks: { "a:1": false }, payloads: { "a:2": hex(IMAGE) } }, E.PAYLOAD_ABSENT, "payload-absent-try-each", "the payload cannot be had, in a try-each: a directive that fails is not swallowed");
  await outside(update({ components: [C0, C1], shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(digestParam(IMAGE))), sections: { [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_COPY, 2]), [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]), [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]) } }), {}, E.PAYLOAD_ABSENT, "copy-from-empty", "a copy from a component that is empty");
  for (const fault of ["erase", "write", "persist"] as const) await installs(E.DEVICE_FAULT, `device-fault-${fault}`, `the device fails to ${fault}`, update(), { fault });
  const installed: DeviceSpec = { current: { 0: hex(IMAGE) }, sequence: [0, 7] };
  await installs(E.INVOKE_UNVERIFIED, "invoke-unverified", "an image is invoked, and validate does not look at it", update({ sections: noValidate }), installed, [payload()], "boot");
  await installs(E.IMAGE_MISMATCH, "boot-image-changed", "what lies in storage is no longer what was installed", update(), { current: { 0: hex(ascii("bad firmware")) }, sequence: [0, 7] }, [payload()], "boot");
  await installs(E.IMAGE_MISMATCH, "boot-empty", "there is no image to start", update(), {}, [payload()], "boot");
  await installs(E.IDENTITY_UNCHECKED, "boot-identity-unchecked", "an image is invoked, and neither vendor nor class is checked", unchecked(), installed, [payload()], "boot");
  await installs(E.INVOKE_MISPLACED, "invoke-misplaced", "install invokes what it has just written", update({ sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15], [DIR_INVOKE, 2]) } }));
  await installs(E.TRY_EACH_EXHAUSTED, "install-no-slot", "an update for two slots, neither of which is the one that is not current", update({
    shared: seq(...identity, [DIR_TRY_EACH, alternatives(seq(override([PARAM_COMPONENT_SLOT, int(2)]), [COND_COMPONENT_SLOT, 5]), seq(override([PARAM_COMPONENT_SLOT, int(3)]), [COND_COMPONENT_SLOT, 5]))]),
  }));
  await installs(E.NOT_SUPPORTED, "swap-of-written", "a swap of what this installation has just written", update({
    components: [C0, C1],
    shared: seq([DIR_SET_COMPONENT_INDEX, TRUE], ...identity, override(digestParam(IMAGE))),
    sections: {
      [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override(uriParam("#fw")), [DIR_FETCH, 2], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_SWAP, 2]),
      [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
      [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
    },
  }));
  await installs(E.PAYLOAD_SIZE, "write-longer", "write brings more bytes than image-size says", update({ sections: { [MAN_INSTALL]: seq(override([PARAM_CONTENT, bytes([...IMAGE, 0])]), [DIR_WRITE, 2]) } }), {}, []);
  await installs(E.PAYLOAD_SIZE, "integrated-longer", "the integrated payload is longer than image-size", update(), {}, [payload([...IMAGE, 0])]);
  return out;
}
