// Refused for the envelope (20 to 49).

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { Vector } from "../../index.mjs";
import * as as from "../pieces/assemble.js";
import {
  array,
  ascii,
  block,
  bytes,
  C0,
  digest,
  type EnvelopeSpec,
  envelope,
  hash,
  IMAGE,
  int,
  manifest,
  map,
  override,
  type Piece,
  payload,
  seq,
  tag,
} from "../pieces/assemble.js";
import { adder, good, install, pair, section, severed } from "./adder.js";

const {
  COM_COMPONENTS,
  COM_DEPENDENCIES,
  COND_ABORT,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_DELEGATION,
  ENV_MANIFEST,
  MAN_COSWID,
  MAN_INSTALL,
  MAN_TEXT,
  PARAM_IMAGE_DIGEST,
  TAG_ENVELOPE,
  TAG_MANIFEST,
} = suit;

export async function ofEnvelope(): Promise<Vector[]> {
  const tools = adder();
  for (const section of [ofElements, ofDigests, ofSeveredElements, ofPayloads, ofForeignElements]) await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = ReturnType<typeof adder>;

async function ofElements({ add }: Tools): Promise<void> {
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
        const pairs = as.sort([
          pair(2, bytes(array(bytes(message), bytes(await block(message, {}))))),
          pair(3, whole),
          pair(key, bytes([0])),
        ]);
        return tag(TAG_ENVELOPE, map(...pairs));
      })(),
    );
  add(E.ENVELOPE_NO_WRAPPER, "no-wrapper", "no authentication wrapper", tag(TAG_ENVELOPE, map(pair(ENV_MANIFEST, bytes(good)))));
  add(
    E.ENVELOPE_NO_MANIFEST,
    "no-manifest",
    "a wrapper and no manifest",
    tag(TAG_ENVELOPE, map(pair(ENV_AUTHENTICATION_WRAPPER, bytes(array(bytes(digest(bytes(good)))))))),
  );
}

async function ofDigests({ inside }: Tools): Promise<void> {
  await inside(
    E.DIGEST_ALG,
    "digest-alg-unknown",
    "the wrapper's digest is of algorithm -99",
    good,
    {},
    { digest: array(int(-99), bytes(hash(bytes(good)))) },
  );
  await inside(
    E.DIGEST_ALG,
    "digest-alg-sha1",
    "the image digest is SHA-1 (-14)",
    section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-14), bytes(new Array(20).fill(0))))]))),
  );
  await inside(
    E.DIGEST_LENGTH,
    "digest-short",
    "the wrapper's digest has 31 bytes",
    good,
    {},
    { digest: array(int(-16), bytes(hash(bytes(good)).slice(1))) },
  );
  await inside(
    E.DIGEST_LENGTH,
    "digest-empty",
    "the image digest has no bytes",
    section(seq(override([PARAM_IMAGE_DIGEST, bytes(array(int(-16), bytes([])))]))),
  );
  await inside(
    E.DIGEST_LENGTH,
    "digest-of-other-hash",
    "a digest of 32 bytes is said to be SHA-512",
    good,
    {},
    { digest: array(int(-44), bytes(hash(bytes(good)))) },
  );
  for (const [name, alg] of [
    ["sha384", cose.HASH_SHA_384],
    ["sha512", cose.HASH_SHA_512],
  ] as const)
    for (const [by, change] of [
      ["short", (d: number[]) => d.slice(1)],
      ["long", (d: number[]) => [...d, 0]],
    ] as const)
      await inside(
        E.DIGEST_LENGTH,
        `digest-${name}-${by}`,
        `a digest by ${name} that is a byte too ${by}`,
        good,
        {},
        { digest: array(int(alg), bytes(change(hash(bytes(good), alg)))) },
      );
  await inside(
    E.DIGEST_MANIFEST,
    "manifest-exchanged",
    "the manifest is not the one that was signed",
    good,
    {},
    { digest: digest(bytes(manifest({ sequence: 6 }))) },
  );
  await inside(
    E.DIGEST_MANIFEST,
    "digest-without-head",
    "the digest leaves out the head of the manifest's byte string",
    good,
    {},
    { digest: digest(good) },
  );
}

async function ofSeveredElements({ inside }: Tools): Promise<void> {
  await inside(
    E.DIGEST_SEVERED,
    "severed-mixed",
    "the severed install is that of another release: mix and match",
    severed(digest(bytes(install))),
    {},
    { rest: [pair(MAN_INSTALL, bytes(seq([COND_ABORT, 0])))] },
  );
  await inside(
    E.DIGEST_SEVERED,
    "severed-without-head",
    "the digest leaves out the head of the severed element",
    severed(digest(install)),
    {},
    { rest: [pair(MAN_INSTALL, bytes(install))] },
  );
  await inside(
    E.DIGEST_SEVERED,
    "severed-text",
    "the severed text was changed, which no command looks at",
    manifest({ more: [[MAN_TEXT, digest(bytes(ascii("signed")))]] }),
    {},
    { rest: [pair(MAN_TEXT, bytes(ascii("forged")))] },
  );
  await inside(
    E.SEVERED_UNCOVERED,
    "severed-uncovered",
    "install is in the envelope, and the manifest holds no digest of it",
    good,
    {},
    { rest: [pair(MAN_INSTALL, bytes(install))] },
  );
  await inside(
    E.SEVERED_UNCOVERED,
    "text-uncovered",
    "text is in the envelope, and the manifest holds no digest of it",
    good,
    {},
    { rest: [pair(MAN_TEXT, bytes(map()))] },
  );
  await inside(
    E.SEVERED_REDUNDANT,
    "severed-redundant",
    "install is in the manifest and in the envelope",
    section(install),
    {},
    { rest: [pair(MAN_INSTALL, bytes(install))] },
  );
}

async function ofPayloads({ inside }: Tools): Promise<void> {
  await inside(E.PAYLOAD_UNREFERENCED, "payload-unreferenced", "a payload that no signed command names", good, {}, { rest: [payload()] });
  await inside(
    E.PAYLOAD_UNREFERENCED,
    "payload-other-uri",
    "a payload whose URI differs from the signed one in case",
    section(install),
    {},
    { rest: [payload(IMAGE, "#FW")] },
  );
  await inside(
    E.PAYLOAD_COUNT,
    "payloads-17",
    "17 payloads, which nobody has signed yet",
    good,
    {},
    {
      rest: Array.from({ length: 17 }, (_, i) => payload(ascii(String(i)), `#${String(i).padStart(2, "0")}`)),
    },
  );
}

async function ofForeignElements({ add, inside }: Tools): Promise<void> {
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
    await inside(
      E.NOT_SUPPORTED,
      `not-supported-${name}`,
      `${name.replace(/-severed$/, ", severed")}: known, and not run by this build`,
      content,
      {},
      e,
    );
  const delegated = async (blocks: EnvelopeSpec["blocks"]) => {
    const whole = await envelope(good, { tag: null, ...(blocks && { blocks }) });
    return tag(TAG_ENVELOPE, [0xa3, ...int(ENV_DELEGATION), ...bytes([]), ...whole.slice(1)]);
  };
  add(E.NOT_SUPPORTED, "not-supported-delegation", "a delegation chain: of an old draft, and not followed", await delegated(undefined));
  // who signed comes first, then what the envelope says
  add(E.SIGNATURE_INVALID, "unsigned-delegation", "a delegation chain, and no trusted signature", await delegated([{ key: "b" }]));
  for (const [name, number] of [
    ["coswid", MAN_COSWID],
    ["dependency-resolution", suit.MAN_DEPENDENCY_RESOLUTION],
    ["candidate-verification", suit.MAN_CANDIDATE_VERIFICATION],
  ] as const)
    await inside(
      E.SIGNATURE_INVALID,
      `unsigned-${name}`,
      `${name}, severed, and no trusted signature: what this build does not run is not told to strangers`,
      manifest({ more: [[number, digest(bytes(map()))]] }),
      {},
      { rest: [pair(number, bytes(map()))], blocks: [{ key: "b" }] },
    );
  await inside(
    E.SIGNATURE_INVALID,
    "unsigned-digest-shake",
    "a digest by SHAKE128, and no trusted signature",
    good,
    {},
    { digest: array(int(-18), bytes(new Array(32).fill(0))), blocks: [{ key: "b" }] },
  );
  await inside(
    E.HEAD_LENGTH,
    "head-201",
    "wrapper and manifest take more than the 200 bytes that the device has for them",
    good,
    {
      memory: 200,
    },
    { blocks: [{ unprotected: map(pair(99, bytes(new Array(100).fill(0)))) }] },
  );
}
