// Refused for their bytes (1 to 19): CBOR that is malformed, or not deterministic, or of no kind that SUIT uses.

import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { Vector } from "../../index.mjs";
import {
  anchorOf,
  array,
  ascii,
  block,
  bytes,
  C0,
  digest,
  digestParam,
  envelope,
  hash,
  head,
  hex,
  IMAGE,
  int,
  manifest,
  map,
  NIL,
  override,
  type Piece,
  payload,
  seq,
  tag,
  text,
  update,
} from "../pieces/assemble.js";
import { adder, commonOf, good, pair, referenceUri, section, signedEnvelope } from "./adder.js";

const {
  COM_COMPONENTS,
  COND_ABORT,
  COND_IMAGE_MATCH,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  MAN_SEQUENCE_NUMBER,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_SOFT_FAILURE,
  TAG_ENVELOPE,
} = suit;

/** Arrays in arrays, `n` deep. */
const nested = (n: number): Piece => (n === 0 ? array() : array(nested(n - 1)));
const runs = (n: number): Piece => (n === 0 ? seq([COND_ABORT, 0]) : seq([DIR_RUN_SEQUENCE, bytes(runs(n - 1))]));

export async function ofBytes(): Promise<Vector[]> {
  const tools = await toolsOf();
  for (const section of [ofHeads, ofTypes, ofKeys, ofTextAndDepth, ofTrailingBytes, ofNumbers, ofOctets]) await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = Awaited<ReturnType<typeof toolsOf>>;

async function toolsOf() {
  const { all, add, inside } = adder();
  const signed = await signedEnvelope();
  return { add, inside, signed, all };
}

async function ofHeads({ add, inside, signed }: Tools): Promise<void> {
  add(E.CBOR_TRUNCATED, "truncated-envelope", "the last byte of the envelope is missing", signed.slice(0, -1));
  await inside(E.CBOR_TRUNCATED, "truncated-manifest", "the manifest's map announces one pair more than there is", [
    good[0]! + 1,
    ...good.slice(1),
  ]);
  await inside(
    E.CBOR_TRUNCATED,
    "length-2-40",
    "a text string of 2^40 bytes is announced: nothing may be allocated for it",
    referenceUri([...head(3, 2n ** 40n), 0x61]),
  );
  await inside(E.CBOR_TRUNCATED, "array-2-40", "an array of 2^40 components is announced", commonOf([...head(4, 2n ** 40n), ...C0]));
  await inside(E.CBOR_TRUNCATED, "map-2-32", "a map of 2^32 pairs is announced", [...head(5, 2n ** 32n), ...good.slice(1)]);
  await inside(E.CBOR_NOT_SHORTEST, "version-in-two-bytes", "manifest-version 1 is encoded as 18 01", manifest({ version: [0x18, 1] }));
  await inside(
    E.CBOR_NOT_SHORTEST,
    "version-in-nine-bytes",
    "manifest-version 1 is encoded in eight bytes",
    manifest({ version: [0x1b, 0, 0, 0, 0, 0, 0, 0, 1] }),
  );
  await inside(
    E.CBOR_NOT_SHORTEST,
    "bstr-head-not-shortest",
    "the length of a component's part is encoded as 58 01",
    commonOf(array(array([0x58, 1, 0]))),
  );
  await inside(E.CBOR_NOT_SHORTEST, "map-head-not-shortest", "the number of pairs in the manifest is encoded as b8 03", [
    0xb8,
    3,
    ...good.slice(1),
  ]);
  add(E.CBOR_NOT_SHORTEST, "tag-not-shortest", "tag 107 is encoded in two bytes", [
    0xd9,
    0,
    TAG_ENVELOPE,
    ...(await envelope(good, { tag: null })),
  ]);
  await inside(E.CBOR_INDEFINITE, "indefinite-map", "the manifest is a map of indefinite length", [0xbf, ...good.slice(1), 0xff]);
  await inside(E.CBOR_INDEFINITE, "indefinite-array", "the components are an array of indefinite length", commonOf([0x9f, ...C0, 0xff]));
  await inside(
    E.CBOR_INDEFINITE,
    "indefinite-bstr",
    "a component's part is a byte string in chunks",
    commonOf(array(array([0x5f, 0x41, 0, 0xff]))),
  );
  await inside(E.CBOR_INDEFINITE, "indefinite-tstr", "reference-uri is a text string in chunks", referenceUri([0x7f, 0x61, 0x61, 0xff]));
  await inside(E.CBOR_INDEFINITE, "break-alone", "a break stands where a value belongs", manifest({ version: [0xff] }));
  await inside(E.CBOR_RESERVED, "reserved-28", "additional information 28", manifest({ version: [0x1c] }));
  await inside(E.CBOR_RESERVED, "reserved-30", "additional information 30 in a byte string's head", commonOf(array(array([0x5e, 0]))));
}

async function ofTypes({ inside }: Tools): Promise<void> {
  await inside(E.CBOR_TYPE, "version-as-text", 'manifest-version is the text "1"', manifest({ version: text("1") }));
  await inside(E.CBOR_TYPE, "sequence-negative", "the sequence number is -1", manifest({ sequence: -1 }));
  await inside(
    E.CBOR_TYPE,
    "sequence-bignum",
    "the sequence number is 2^64, a bignum with tag 2",
    manifest({ sequence: null, more: [[MAN_SEQUENCE_NUMBER, tag(2, bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))]] }),
  );
  await inside(
    E.CBOR_TYPE,
    "common-not-wrapped",
    "common is a map where a byte string belongs",
    manifest({ common: null, more: [[suit.MAN_COMMON, map(pair(COM_COMPONENTS, array(C0)))]] }),
  );
  await inside(E.CBOR_TYPE, "uri-tagged", "reference-uri carries tag 32: no tag belongs there", referenceUri(tag(32, text("a:b"))));
  await inside(
    E.CBOR_TYPE,
    "digest-extended",
    "a third element is in the image digest",
    section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-16), bytes(hash(IMAGE)), NIL))]), [COND_IMAGE_MATCH, 15])),
  );
  await inside(
    E.CBOR_TYPE,
    "soft-failure-null",
    "soft-failure is null",
    section(seq([DIR_RUN_SEQUENCE, bytes(seq(override([PARAM_SOFT_FAILURE, NIL])))])),
  );
}

async function ofKeys({ add, inside }: Tools): Promise<void> {
  await inside(E.CBOR_KEY_ORDER, "manifest-key-order", "sequence-number stands before manifest-version", [
    ...head(5, 3),
    ...int(2),
    ...int(7),
    ...int(1),
    ...int(1),
    ...good.slice(5),
  ]);
  add(
    E.CBOR_KEY_ORDER,
    "manifest-before-wrapper",
    "the manifest comes before the authentication wrapper",
    tag(
      TAG_ENVELOPE,
      map(
        pair(ENV_MANIFEST, bytes(good)),
        pair(ENV_AUTHENTICATION_WRAPPER, bytes(array(bytes(digest(bytes(good))), bytes(await block(digest(bytes(good)), {}))))),
      ),
    ),
  );
  await inside(
    E.CBOR_KEY_ORDER,
    "parameter-order",
    "image-size comes before image-digest",
    section(seq([DIR_OVERRIDE_PARAMETERS, map(pair(PARAM_IMAGE_SIZE, int(1)), pair(...digestParam(IMAGE)))])),
  );
  add(
    E.CBOR_KEY_ORDER,
    "element-behind-payload",
    "a severed element behind an integrated payload: text keys come last",
    await envelope(good, { rest: [payload(), pair(suit.MAN_INSTALL, bytes(seq([COND_ABORT, 0])))] }),
  );
  await inside(
    E.CBOR_KEY_DUPLICATE,
    "sequence-number-twice",
    "two sequence numbers, 7 and 8: which one counts must not depend on the reader",
    [...head(5, 4), ...int(1), ...int(1), ...int(2), ...int(7), ...int(2), ...int(8), ...good.slice(5)],
  );
  add(
    E.CBOR_KEY_DUPLICATE,
    "manifest-twice",
    "two manifests in one envelope: the one that is verified would not be the one that is used",
    await envelope(good, { rest: [pair(ENV_MANIFEST, bytes(manifest({ sequence: 8 })))] }),
  );
  await inside(
    E.CBOR_KEY_DUPLICATE,
    "parameter-twice",
    "image-size is given twice",
    section(seq([DIR_OVERRIDE_PARAMETERS, map(pair(PARAM_IMAGE_SIZE, int(1)), pair(PARAM_IMAGE_SIZE, int(2)))])),
  );
  add(
    E.CBOR_KEY_DUPLICATE,
    "payload-twice",
    "two payloads under one URI",
    await envelope(update(), { rest: [payload(), payload(ascii("evil"))] }),
    { action: "install" },
  );
  await inside(
    E.CBOR_KEY_DUPLICATE,
    "header-twice",
    "one label twice in the unprotected bucket",
    good,
    {},
    { blocks: [{ unprotected: map(pair(99, int(1)), pair(99, int(2))) }] },
  );
}

async function ofTextAndDepth({ inside }: Tools): Promise<void> {
  await inside(E.CBOR_UTF8, "utf8-stray", "reference-uri holds the byte ff", referenceUri(text([0x61, 0xff])));
  await inside(E.CBOR_UTF8, "utf8-overlong", "reference-uri holds c0 af, an overlong slash", referenceUri(text([0xc0, 0xaf])));
  await inside(E.CBOR_UTF8, "utf8-surrogate", "reference-uri holds a surrogate", referenceUri(text([0xed, 0xa0, 0x80])));
  await inside(E.CBOR_UTF8, "utf8-cut", "a text string ends inside a character", referenceUri(text([0x61, 0xe2, 0x82])));
  await inside(
    E.CBOR_DEPTH,
    "header-nested",
    "arrays nested nine deep in an unprotected header",
    good,
    {},
    { blocks: [{ unprotected: map(pair(99, nested(9))) }] },
  );
  await inside(E.CBOR_DEPTH, "sequences-nested", "command sequences nested nine deep", section(runs(8)));
}

async function ofTrailingBytes({ add, inside, signed }: Tools): Promise<void> {
  add(E.CBOR_TRAILING, "trailing-envelope", "one byte behind the envelope", [...signed, 0]);
  await inside(E.CBOR_TRAILING, "trailing-manifest", "one byte behind the manifest, signed with it", [...good, 0]);
  await inside(
    E.CBOR_TRAILING,
    "trailing-common",
    "one byte behind common",
    manifest({ common: [...map(pair(COM_COMPONENTS, array(C0))), 0] }),
  );
  await inside(E.CBOR_TRAILING, "trailing-wrapper", "one byte behind the authentication wrapper", good, {}, { wrapper: (w) => [...w, 0] });
  await inside(
    E.CBOR_TRAILING,
    "trailing-block",
    "one byte behind the COSE_Sign1",
    good,
    {},
    { blocks: [async (m) => [...(await block(m, {})), 0]] },
  );
  await inside(
    E.CBOR_TRAILING,
    "trailing-protected",
    "one byte behind the protected header, signed with it",
    good,
    {},
    { blocks: [{ protected: [...map(pair(1, int(-19))), 0] }] },
  );
  await inside(
    E.CBOR_TRAILING,
    "trailing-digest",
    "one byte behind the digest, signed with it",
    good,
    {},
    { digest: [...digest(bytes(good)), 0] },
  );
  await inside(
    E.CBOR_TRAILING,
    "trailing-image-digest",
    "one byte behind the image digest",
    section(seq(override([PARAM_IMAGE_DIGEST, bytes([...digest(IMAGE), 0])]), [COND_IMAGE_MATCH, 15])),
  );
  await inside(E.CBOR_TRAILING, "trailing-sequence", "one byte behind a command sequence", section([...seq([COND_ABORT, 0]), 0]));
}

async function ofNumbers({ inside }: Tools): Promise<void> {
  await inside(E.CBOR_SIMPLE, "float", "manifest-version is 1.0", manifest({ version: [0xf9, 0x3c, 0] }));
  await inside(E.CBOR_SIMPLE, "undefined", "manifest-version is undefined", manifest({ version: [0xf7] }));
  await inside(E.CBOR_SIMPLE, "simple-255", "manifest-version is simple(255)", manifest({ version: [0xf8, 0xff] }));
  await inside(
    E.CBOR_RANGE,
    "size-2-53",
    "image-size is 2^53: not exact as a double",
    section(seq(override([PARAM_IMAGE_SIZE, int(2n ** 53n)]))),
  );
  await inside(E.URI_LENGTH, "uri-long", "a URI of 1,025 bytes", referenceUri(text("u".repeat(1025))));
  await inside(E.CBOR_RANGE, "length-2-63", "a text string of 2^63 bytes is announced", referenceUri([...head(3, 2n ** 63n), 0x61]));
}

/** Values that are not octets: an envelope that came through JSON, or was computed. */
async function ofOctets({ all, signed }: Tools): Promise<void> {
  const p256 = await envelope(good, { blocks: [{ key: "p" }] });
  const r = p256.findIndex((_, i) => p256[i] === 0x58 && p256[i + 1] === 64) + 2;
  const odd = (name: string, about: string, from: Piece, strange: [number, number, string][]) =>
    all.push({
      name,
      about,
      action: "open",
      envelope: hex(from),
      strange,
      trust: { anchors: [anchorOf("a"), anchorOf("p")] },
      expect: { code: E.CBOR_OCTET },
    });
  for (const value of ["NaN", "Infinity", "undefined", "object", "1e300"])
    odd(`octets-es256-r-${value.toLowerCase()}`, `ES256, with ${value} for each octet of r: zero, if it were a number`, p256, [
      [r, 32, value],
    ]);
  odd(
    "octets-es256-r-third",
    "ES256, with 1e300 for every third octet of r",
    p256,
    Array.from({ length: 11 }, (_, i): [number, number, string] => [r + 3 * i, 1, "1e300"]),
  );
  for (const value of ["256", "-1", "0.5", "4294967296", "text", "null"])
    odd(`octets-manifest-${value}`, `${value} in the place of an octet of the manifest`, signed, [[signed.length - 1, 1, value]]);
  odd("octets-above-255", "a length, and 256 more: the parser would mask what the hash ors into the octet before it", signed, [
    [signed.length - 10, 1, String((signed[signed.length - 10] as number) + 256)],
  ]);
}
