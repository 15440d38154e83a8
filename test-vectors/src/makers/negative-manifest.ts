// Refused for the manifest (20 to 49).

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec, Vector } from "../../index.mjs";
import * as as from "../pieces/assemble.js";
import {
  alternatives,
  anchorOf,
  array,
  block,
  bytes,
  C0,
  C1,
  countersOf,
  digest,
  envelope,
  FALSE,
  hash,
  int,
  manifest,
  map,
  override,
  type Piece,
  params,
  payload,
  seq,
  sizeParam,
  tag,
  text,
  update,
  uriParam,
} from "../pieces/assemble.js";
import { adder, commonOf, good, halves, install, pair, referenceUri, section } from "./adder.js";

const {
  COM_COMPONENTS,
  COND_ABORT,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_MULTIPLE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_COPY_PARAMS,
  DIR_SET_COMPONENT_INDEX,
  DIR_SET_PARAMETERS,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_INSTALL_OLD,
  MAN_TEXT,
  PARAM_CLASS_IDENTIFIER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} = suit;

export async function ofManifest(): Promise<Vector[]> {
  const tools = adder();
  for (const section of [
    ofForeignCommands,
    ofManifests,
    ofRollback,
    ofSharedSequence,
    ofCommands,
    ofTryEach,
    ofParameters,
    ofUris,
    ofTexts,
  ])
    await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = ReturnType<typeof adder>;

async function ofForeignCommands({ inside }: Tools): Promise<void> {
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
  for (const [name, code] of commands)
    await inside(
      E.NOT_SUPPORTED,
      `not-supported-command-${name}`,
      `the command ${name}: known, and not run by this build`,
      section(seq([code, 0])),
    );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-command-set-parameters",
    "the command set-parameters: known, and not run by this build",
    section(seq([DIR_SET_PARAMETERS, params(sizeParam(1))])),
  );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-command-override-multiple",
    "the command override-multiple: known, and not run by this build",
    section(seq([DIR_OVERRIDE_MULTIPLE, map(pair(0, params(sizeParam(1))))])),
  );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-command-copy-params",
    "the command copy-params: known, and not run by this build",
    section(seq([DIR_COPY_PARAMS, map(pair(0, array(int(14))))])),
  );
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
    await inside(
      E.NOT_SUPPORTED,
      `not-supported-parameter-${name}`,
      `the parameter ${name}: known, and not acted on by this build`,
      section(seq(override([key, value]))),
    );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-shake256",
    "the manifest's digest is SHAKE256",
    good,
    {},
    { digest: array(int(cose.HASH_SHAKE256), bytes(hash(bytes(good), cose.HASH_SHA_512))) },
  );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-shake128",
    "the manifest's digest is SHAKE128",
    good,
    {},
    { digest: array(int(cose.HASH_SHAKE128), bytes(hash(bytes(good)))) },
  );
  await inside(
    E.NOT_SUPPORTED,
    "not-supported-mac",
    "a COSE_Mac (tag 97), with recipients",
    good,
    {},
    { blocks: [async (m) => tag(cose.TAG_MAC, await block(m, { tag: null }))] },
  );
}

async function ofManifests({ inside }: Tools): Promise<void> {
  await inside(
    E.OLD_DRAFT,
    "old-install",
    "install has number 17, as up to draft -28",
    manifest({ sections: { [MAN_INSTALL_OLD]: install } }),
  );
  await inside(
    E.OLD_DRAFT,
    "old-install-severed",
    "install is in the envelope under number 17",
    good,
    {},
    { rest: [pair(MAN_INSTALL_OLD, bytes(install))] },
  );
  await inside(E.MANIFEST_VERSION, "version-2", "manifest-version 2", manifest({ version: int(2) }));
  await inside(E.MANIFEST_VERSION, "version-0", "manifest-version 0", manifest({ version: int(0) }));
  await inside(
    E.MANIFEST_KEY,
    "manifest-key-10",
    "an element of number 10: validate, before it was 7",
    manifest({ sections: { 10: seq([COND_ABORT, 0]) } }),
  );
  await inside(E.MANIFEST_KEY, "manifest-key-private", "an element of a private number", manifest({ more: [[-257, int(0)]] }));
  await inside(E.MANIFEST_INCOMPLETE, "no-version", "no manifest-version", manifest({ version: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-sequence-number", "no sequence number", manifest({ sequence: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-common", "no common", manifest({ common: null }));
  await inside(E.MANIFEST_INCOMPLETE, "no-components", "common without components", manifest({ common: map() }));
  await inside(
    E.COMMON_KEY,
    "common-key-3",
    "an element of number 3 in common",
    manifest({ common: map(pair(COM_COMPONENTS, array(C0)), pair(3, int(0))) }),
  );
  await inside(E.COMPONENT_LIST, "components-none", "an empty list of components", commonOf(array()));
  await inside(
    E.COMPONENT_LIST,
    "components-17",
    "seventeen components",
    commonOf(array(...Array.from({ length: 17 }, (_, i) => array(bytes([i]))))),
  );
  await inside(
    E.COMPONENT_LIST,
    "component-parts",
    "a component identifier of six parts",
    commonOf(array(array(...Array.from({ length: 6 }, (_, i) => bytes([i]))))),
  );
  await inside(E.COMPONENT_LIST, "component-twice", "one component listed twice", commonOf(array(C0, C1, C0)));
}

/**
 * Rollback, compared exactly: each of these bounds is where an int32, an uint32, a double, an int64 loses something.
 */
async function ofRollback({ inside }: Tools): Promise<void> {
  for (const bits of [0, 31, 32, 53, 63]) {
    const n = 2n ** BigInt(bits);
    await inside(E.ROLLBACK, `rollback-2-${bits}`, `sequence number 2^${bits} against a floor one above`, manifest({ sequence: n }), {
      trust: { anchors: [anchorOf("a")], floor: halves(n + 1n) },
    });
    await inside(
      E.ROLLBACK,
      `rollback-below-2-${bits}`,
      `sequence number 2^${bits} - 1 against a floor of 2^${bits}`,
      manifest({ sequence: n - 1n }),
      { trust: { anchors: [anchorOf("a")], floor: halves(n) } },
    );
  }
  await inside(
    E.ROLLBACK,
    "rollback-2-64",
    "sequence number 2^64 - 2 against a floor of 2^64 - 1",
    manifest({ sequence: 2n ** 64n - 2n }),
    { trust: { anchors: [anchorOf("a")], floor: halves(2n ** 64n - 1n) } },
  );
  await inside(
    E.ROLLBACK,
    "rollback-low-half",
    "the low half is the larger one, the high half decides",
    manifest({ sequence: 2n ** 32n + 9n }),
    { trust: { anchors: [anchorOf("a")], floor: [2, 0] } },
  );
  await inside(
    E.ROLLBACK,
    "rollback-device",
    "an older release on a device whose floor is above it",
    update({ sequence: 7 }),
    { action: "install", device: { sequence: [0, 8] } },
    { rest: [payload()] },
  );
  await inside(
    E.ROLLBACK,
    "rollback-device-over-policy",
    "the device's floor counts where the caller's is lower",
    update({ sequence: 7 }),
    { action: "install", device: { sequence: [0, 8] }, trust: { anchors: [anchorOf("a")], floor: [0, 1] } },
    { rest: [payload()] },
  );
  await inside(
    E.ROLLBACK,
    "rollback-policy-over-device",
    "the caller's floor counts where the device's is lower",
    update({ sequence: 7 }),
    { action: "install", device: { sequence: [0, 1] }, trust: { anchors: [anchorOf("a")], floor: [0, 8] } },
    { rest: [payload()] },
  );
  for (const [name, about, sequence, device] of [
    ["sequence-taken", "another manifest with the number of the installed one", 7, { sequence: [0, 7], counters: countersOf(good) }],
    [
      "sequence-taken-unknown",
      "the number of the floor, on a device that does not know what the floor comes from",
      7,
      { sequence: [0, 7] },
    ],
    ["sequence-taken-0", "another manifest with number 0 than the installed one", 0, { sequence: [0, 0], counters: countersOf(good) }],
    [
      "sequence-taken-short",
      "the device gives less of a digest than it was given",
      7,
      { sequence: [0, 7], counters: countersOf(update()).slice(0, -2) },
    ],
    ["sequence-taken-empty", "the device gives no octets", 7, { sequence: [0, 7], counters: "00000000" }],
    [
      "sequence-taken-2-64",
      "another manifest with number 2^64 - 1",
      2n ** 64n - 1n,
      { sequence: halves(2n ** 64n - 1n), counters: countersOf(good) },
    ],
  ] as [string, string, number | bigint, DeviceSpec][])
    await inside(E.SEQUENCE_TAKEN, name, about, update({ sequence }), { action: "install", device }, { rest: [payload()] });
}

async function ofSharedSequence({ inside }: Tools): Promise<void> {
  for (const [name, code] of [
    ["fetch", DIR_FETCH],
    ["write", DIR_WRITE],
    ["copy", DIR_COPY],
    ["invoke", DIR_INVOKE],
    ["swap", DIR_SWAP],
  ] as const)
    await inside(
      E.SHARED_COMMAND,
      `shared-${name}`,
      `${name} in the shared sequence, which may have no side effect`,
      manifest({ shared: seq([code, 2]) }),
    );
  await inside(
    E.SHARED_COMMAND,
    "shared-nested",
    "fetch in a try-each of the shared sequence",
    manifest({ shared: seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]), seq([DIR_FETCH, 2]))]) }),
  );
}

async function ofCommands({ inside }: Tools): Promise<void> {
  await inside(E.COMMAND_UNKNOWN, "command-10", "a command of number 10", section(seq([10, 0])));
  await inside(E.COMMAND_UNKNOWN, "command-custom", "a custom command, -257", section(seq([-257, 0])));
  await inside(
    E.COMMAND_UNKNOWN,
    "command-unknown-nested",
    "an unknown command in an alternative that would never be taken",
    section(seq([DIR_TRY_EACH, alternatives(seq(override(sizeParam(1))), seq([99, 0]))])),
  );
  await inside(E.COMMAND_ARGUMENT, "policy-16", "a reporting policy of five bits", section(seq([COND_ABORT, 16])));
  await inside(E.COMMAND_ARGUMENT, "sequence-empty", "a sequence without commands", section(array()));
  await inside(
    E.COMMAND_ARGUMENT,
    "sequence-odd",
    "a command without its argument",
    section(array(int(COND_ABORT), int(0), int(COND_ABORT))),
  );
  await inside(E.COMMAND_ARGUMENT, "index-false", "set-component-index with false", section(seq([DIR_SET_COMPONENT_INDEX, FALSE])));
  await inside(
    E.COMMAND_ARGUMENT,
    "index-list-empty",
    "set-component-index with an empty list",
    section(seq([DIR_SET_COMPONENT_INDEX, array()])),
  );
  await inside(
    E.COMMAND_ARGUMENT,
    "index-list-twice",
    "set-component-index with an index twice",
    section(seq([DIR_SET_COMPONENT_INDEX, array(int(0), int(0))])),
  );
  await inside(
    E.COMMAND_ARGUMENT,
    "index-list-17",
    "set-component-index with more indices than there can be components",
    section(seq([DIR_SET_COMPONENT_INDEX, array(...Array.from({ length: 17 }, (_, i) => int(i)))])),
  );
  await inside(
    E.COMMAND_ARGUMENT,
    "parameters-empty",
    "override-parameters with an empty map",
    section(seq([DIR_OVERRIDE_PARAMETERS, map()])),
  );
}

async function ofTryEach({ inside }: Tools): Promise<void> {
  await inside(
    E.COMMAND_ARGUMENT,
    "try-each-one",
    "try-each with one alternative",
    section(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]))])),
  );
  await inside(
    E.COMMAND_ARGUMENT,
    "try-each-nil-second",
    "try-each with one alternative and nil",
    section(seq([DIR_TRY_EACH, alternatives(seq([COND_ABORT, 0]), null)])),
  );
  for (const [name, item] of [
    ["true", as.TRUE],
    ["false", FALSE],
    ["number", int(0)],
  ] as const)
    await inside(
      E.COMMAND_ARGUMENT,
      `try-each-${name}-last`,
      `${name} stands where nil may, behind two alternatives`,
      section(seq([DIR_TRY_EACH, array(bytes(seq([COND_ABORT, 0])), bytes(seq([COND_ABORT, 0])), item)])),
    );
  await inside(
    E.COMMAND_ARGUMENT,
    "try-each-nil-first",
    "try-each succeeds too early: nil comes before the alternatives",
    section(seq([DIR_TRY_EACH, alternatives(null, seq([COND_ABORT, 0]), seq([COND_ABORT, 0]))])),
  );
  await inside(
    E.COMMAND_ARGUMENT,
    "try-each-257",
    "try-each with more alternatives than a device reads over",
    section(seq([DIR_TRY_EACH, alternatives(...new Array(257).fill(seq([COND_ABORT, 0])))])),
  );
  await inside(E.COMMAND_ARGUMENT, "try-each-empty", "try-each without alternatives", section(seq([DIR_TRY_EACH, array()])));
}

async function ofParameters({ inside }: Tools): Promise<void> {
  await inside(E.PARAMETER_UNKNOWN, "parameter-99", "a parameter of number 99", section(seq(override([99, int(0)]))));
  await inside(E.PARAMETER_UNKNOWN, "parameter-custom", "a custom parameter, -1", section(seq(override([-1, int(0)]))));
  await inside(
    E.PARAMETER_VALUE,
    "class-15",
    "a class identifier of 15 bytes",
    section(seq(override([PARAM_CLASS_IDENTIFIER, bytes(as.CLASS.slice(1))]))),
  );
  await inside(
    E.PARAMETER_VALUE,
    "vendor-17",
    "a vendor identifier of 17 bytes",
    section(seq(override([PARAM_VENDOR_IDENTIFIER, bytes([...as.VENDOR, 0])]))),
  );
  await inside(
    E.CBOR_TYPE,
    "class-pen",
    "a class with tag 112, which only a vendor may have",
    section(seq(override([suit.PARAM_CLASS_IDENTIFIER, tag(112, bytes(new Array(16).fill(1)))]))),
  );
  await inside(
    E.PARAMETER_VALUE,
    "vendor-tag",
    "a vendor identifier under tag 37",
    section(seq(override([PARAM_VENDOR_IDENTIFIER, tag(37, bytes(as.VENDOR))]))),
  );
  await inside(E.URI_CHARACTER, "uri-newline", "a line end in a URI", section(seq(override(uriParam("a:\nb")))));
}

async function ofUris({ add, inside }: Tools): Promise<void> {
  await inside(E.URI_CHARACTER, "uri-space", "a URI with a space", referenceUri(text("a b")));
  await inside(E.URI_CHARACTER, "uri-del", "a URI with DEL", referenceUri(text([0x61, 0x7f])));
  await inside(E.URI_CHARACTER, "uri-escape", "a terminal escape sequence in reference-uri", referenceUri(text("a:\x1b[2J")));
  await inside(
    E.URI_CHARACTER,
    "uri-non-ascii",
    "a letter beyond ASCII in a URI",
    section(seq(override([PARAM_URI, text([0x61, 0x3a, 0xc3, 0xbc])]))),
  );
  add(
    E.URI_CHARACTER,
    "payload-name-space",
    "a space in the name of an integrated payload",
    await envelope(good, { rest: [[text("# x"), bytes([])]] }),
  );
}

async function ofTexts({ inside }: Tools): Promise<void> {
  const texts = (m: Piece) => manifest({ more: [[MAN_TEXT, bytes(map([text("en"), m]))]] });
  await inside(
    E.TEXT_KEY,
    "text-component-unknown",
    "a text of a component that the manifest does not have",
    texts(map([C1, map(pair(1, text("x")))])),
    { action: "decode" },
  );
  await inside(
    E.DIGEST_MANIFEST,
    "decode-manifest-exchanged",
    "decodeEnvelope() checks digests as open() does",
    good,
    { action: "decode" },
    { digest: digest(bytes(manifest({ sequence: 6 }))) },
  );
}
