// Vectors that must be accepted: the forms that are allowed, bounds that just hold, and names that must not be special.

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec, Expect, TrustSpec, Vector } from "../../index.mjs";
import {
  alternatives,
  anchorOf,
  array,
  ascii,
  bytes,
  C0,
  C1,
  CLASS,
  classParam,
  countersOf,
  digest,
  digestParam,
  type EnvelopeSpec,
  envelope,
  hex,
  IMAGE,
  identity,
  int,
  manifest,
  map,
  OLD,
  override,
  type Pair,
  type Piece,
  payload,
  publicKey,
  seq,
  sharedOf,
  signBlock,
  sizeParam,
  TRUE,
  tag,
  text,
  unhex,
  update,
  uriParam,
  VENDOR,
  vendorParam,
} from "../pieces/assemble.js";
import { ACCEPTED, hssOf, N24_W4 } from "../pieces/hsslms.js";
import type { Made } from "./adder.js";

const {
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
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_REFERENCE_URI,
  MAN_TEXT,
  MAN_VALIDATE,
} = suit;

const halves = (n: bigint): [number, number] => [Number(n >> 32n), Number(n & 4294967295n)];
const pair = (key: number, value: Piece): Pair => [int(key), value];

type More = { trust?: TrustSpec; device?: DeviceSpec; action?: Vector["action"]; expect?: Partial<Expect & { ok: true }> };

export async function positives(): Promise<Made[]> {
  const tools = toolsOf();
  for (const section of [
    algorithms,
    severalSigners,
    headers,
    signedStructures,
    envelopes,
    severedElements,
    sequenceNumbers,
    decoded,
    installations,
    identities,
    conditions,
    digestsAndScopes,
    swaps,
    slotsOfInstallations,
    dangerousDevices,
    specialNames,
    starts,
  ])
    await section(tools);
  return tools.out;
}

/** What the sections share. */
type Tools = ReturnType<typeof toolsOf>;

function toolsOf() {
  const out: Made[] = [];
  const good = manifest();
  const opens = async (name: string, about: string, content: Piece, more: More = {}, e: EnvelopeSpec = {}) => {
    const { action = "open", expect, ...rest } = more;
    const usual = action === "open" ? { sequence: "7", signers: [0], absent: [] } : { sequence: "7", absent: [] };
    out.push({ name, about, action, envelope: hex(await envelope(content, e)), ...rest, expect: { ok: true, ...usual, ...expect } });
  };
  const p = { anchors: [anchorOf("p")] };
  const install = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  const top = 2n ** 64n - 1n;
  const installs = async (
    name: string,
    about: string,
    content: Piece,
    expect: { current: Piece[]; sequence?: string },
    device?: DeviceSpec,
    rest: Pair[] = [payload()],
  ) => {
    const { current, sequence = "7" } = expect;
    out.push({
      name,
      about,
      action: "install",
      envelope: hex(await envelope(content, { rest })),
      ...(device && { device }),
      expect: { ok: true, sequence, current: current.map(hex), invoked: [] },
    });
  };
  const done = { current: [IMAGE, []] };
  const withIndex = (sections: { [key: number]: Piece }, ...pairs: [number, Piece][]) =>
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(...pairs)),
      sections: {
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
        ...sections,
      },
    });
  return { good, opens, p, out, install, top, installs, done, withIndex };
}

async function algorithms({ good, opens, p }: Tools): Promise<void> {
  await opens("ed25519", "Ed25519 (-19)", good);
  await opens("eddsa", "EdDSA (-8), the older number of Ed25519", good, {}, { blocks: [{ alg: cose.ALG_EDDSA }] });
  await opens("esp256", "ESP256 (-9)", good, { trust: p }, { blocks: [{ key: "p" }] });
  await opens("es256", "ES256 (-7), the older number of ESP256", good, { trust: p }, { blocks: [{ key: "p", alg: cose.ALG_ES256 }] });
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  await opens(
    "es256-other-s",
    "ES256 with n - s in place of s, which is as good",
    good,
    { trust: p },
    {
      blocks: [
        { key: "p", spoil: (s) => [...s.slice(0, 32), ...unhex((n - BigInt(`0x${hex(s.slice(32))}`)).toString(16).padStart(64, "0"))] },
      ],
    },
  );
  await opens("hmac", "HMAC 256/256 (5)", good, { trust: { anchors: [anchorOf("m")] } }, { blocks: [{ key: "m" }] });
  for (const [name, about, levels] of ACCEPTED) {
    const { trust, block } = hssOf(name, levels);
    await opens(name, about, good, { trust }, { blocks: [block] });
  }
  const hss = hssOf("hsslms-hybrid", [N24_W4]);
  const both = { anchors: [anchorOf("a"), ...hss.trust.anchors], threshold: 2 };
  await opens(
    "hsslms-hybrid",
    "HSS/LMS and Ed25519 on one envelope, both needed",
    good,
    { trust: both, expect: { signers: [1, 0] } },
    { blocks: [hss.block, {}] },
  );
  await opens("hsslms-sign", "HSS/LMS in a COSE_Sign", good, { trust: hss.trust }, { blocks: [(d) => signBlock(d, [hss.block])] });
  await opens("sign", "COSE_Sign with one signature", good, {}, { blocks: [(d) => signBlock(d, [{}])] });
}

async function severalSigners({ good, opens }: Tools): Promise<void> {
  const two: TrustSpec = { anchors: [anchorOf("a"), anchorOf("b")], threshold: 2 };
  await opens("two-blocks", "two signers, both needed", good, { trust: two, expect: { signers: [1, 0] } }, { blocks: [{ key: "b" }, {}] });
  await opens(
    "sign-two",
    "two signers in a COSE_Sign, both needed",
    good,
    { trust: two, expect: { signers: [0, 1] } },
    { blocks: [(d) => signBlock(d, [{}, { key: "b" }])] },
  );
  await opens("one-of-two", "a signature of an unknown signer beside the one that is needed", good, {}, { blocks: [{ key: "b" }, {}] });
  await opens(
    "two-kinds",
    "Ed25519 and ES256 on one envelope, both needed",
    good,
    { trust: { anchors: [anchorOf("a"), anchorOf("p")], threshold: 2 }, expect: { signers: [0, 1] } },
    { blocks: [{}, { key: "p" }] },
  );
  await opens(
    "signatures-4",
    "four signatures, the last of which counts: as many strangers as a device bears with",
    good,
    {},
    { blocks: [...Array.from({ length: 3 }, () => ({ key: "b" as const })), {}] },
  );
  await opens(
    "signatures-8",
    "eight signatures, the last of which counts: kids tell the others apart",
    good,
    { trust: { anchors: [anchorOf("a", "01")] } },
    {
      blocks: [
        ...Array.from({ length: 7 }, () => ({ key: "b" as const, unprotected: map(pair(4, bytes([2]))) })),
        { unprotected: map(pair(4, bytes([1]))) },
      ],
    },
  );
}

async function headers({ good, opens }: Tools): Promise<void> {
  await opens(
    "kid-protected",
    "kid in the protected bucket, as the anchor has it",
    good,
    { trust: { anchors: [anchorOf("a", "01")] } },
    { blocks: [{ protected: map(pair(1, int(-19)), pair(4, bytes([1]))) }] },
  );
  await opens(
    "kid-unprotected",
    "kid in the unprotected bucket, as the anchor has it",
    good,
    { trust: { anchors: [anchorOf("a", "01")] } },
    { blocks: [{ unprotected: map(pair(4, bytes([1]))) }] },
  );
  await opens(
    "kid-without-one-to-match",
    "kid in the message where the anchor has none",
    good,
    {},
    { blocks: [{ unprotected: map(pair(4, bytes([9]))) }] },
  );
  await opens("kid-missing", "no kid in the message where the anchor has one", good, { trust: { anchors: [anchorOf("a", "01")] } });
  await opens(
    "header-unknown",
    "labels that nobody knows and nobody calls critical",
    good,
    {},
    { blocks: [{ unprotected: map(pair(99, array(int(1))), [text("note"), text("x")]) }] },
  );
  await opens(
    "header-key-ignored",
    "a key in the unprotected bucket is not looked at",
    good,
    {},
    { blocks: [{ unprotected: map([text("jwk"), bytes(publicKey("b"))]) }] },
  );
  await opens(
    "crit-known",
    "alg is critical, and known",
    good,
    {},
    { blocks: [{ protected: map(pair(1, int(-19)), pair(2, array(int(1)))) }] },
  );
  await opens(
    "crit-kid",
    "kid is critical, and stands in the protected bucket",
    good,
    {},
    { blocks: [{ protected: map(pair(1, int(-19)), pair(2, array(int(4))), pair(4, bytes([1]))) }] },
  );
  await opens(
    "kid-64",
    "a key identifier of 64 bytes",
    good,
    {},
    { blocks: [{ unprotected: map(pair(4, bytes(ascii("k".repeat(64))))) }] },
  );
  await opens(
    "labels-16",
    "16 labels in the unprotected bucket",
    good,
    {},
    { blocks: [{ unprotected: map(...Array.from({ length: 16 }, (_, i) => pair(100 + i, int(0)))) }] },
  );
}

/** Each length has another head in what is signed. */
async function signedStructures({ out, good, opens }: Tools): Promise<void> {
  for (const [length, filler] of [
    [23, 17],
    [24, 18],
    [255, 248],
    [256, 249],
    [512, 504],
  ] as const)
    await opens(
      `protected-${length}`,
      `a protected bucket of ${length} bytes`,
      good,
      {},
      { blocks: [{ protected: map(pair(1, int(-19)), pair(99, bytes(new Array(filler).fill(0x78)))) }] },
    );
  await opens(
    "sign-empty-map",
    "the body of a COSE_Sign has an encoded empty map, which is signed as an empty string",
    good,
    {},
    {
      blocks: [
        async (d) => {
          const b = await signBlock(d, [{}]);
          // behind the tag and the head of the array: 40 becomes 41 a0
          return [...b.slice(0, 3), 0x41, 0xa0, ...b.slice(4)];
        },
      ],
    },
  );
  await opens(
    "sign-8",
    "eight signatures in a COSE_Sign, the last of which counts: kids tell the others apart",
    good,
    { trust: { anchors: [anchorOf("a", "01")] } },
    {
      blocks: [
        (d) =>
          signBlock(d, [
            ...Array.from({ length: 7 }, () => ({ key: "b" as const, unprotected: map(pair(4, bytes([2]))) })),
            { unprotected: map(pair(4, bytes([1]))) },
          ]),
      ],
    },
  );
  await opens(
    "signers-no-more-than-needed",
    "two have signed, and one is needed: the second signature is not looked at",
    good,
    { trust: { anchors: [anchorOf("a"), anchorOf("b")], threshold: 1 } },
    { blocks: [{}, { key: "b" }] },
  );
  for (const v of out) v.group = "signature";
}

async function envelopes({ good, opens }: Tools): Promise<void> {
  await opens("untagged", "a bare map without tag 107", good, {}, { tag: null });
  await opens("digest-sha384", "the manifest's digest is SHA-384", good, {}, { digestAlg: cose.HASH_SHA_384 });
  await opens("digest-sha512", "the manifest's digest is SHA-512", good, {}, { digestAlg: cose.HASH_SHA_512 });
  await opens("reference-uri", "a reference URI", manifest({ more: [[MAN_REFERENCE_URI, text("https://vendor.example/7.suit")]] }));
  await opens("components-16", "sixteen components", manifest({ components: Array.from({ length: 16 }, (_, i) => array(bytes([i]))) }));
  await opens(
    "component-parts-5",
    "a component whose identifier has five parts",
    manifest({ components: [array(...[1, 2, 3, 4, 5].map((i) => bytes([i])))] }),
  );
  const uris = Array.from({ length: 16 }, (_, i) => `#${String(i).padStart(2, "0")}`);
  await opens(
    "payloads-16",
    "sixteen integrated payloads, each named by a command",
    manifest({ sections: { [MAN_INSTALL]: seq(...uris.map((uri) => override(uriParam(uri)))) } }),
    {},
    { rest: uris.map((uri): Pair => [text(uri), bytes([])]) },
  );
  await opens("uri-1024", "a URI of 1,024 bytes", manifest({ more: [[MAN_REFERENCE_URI, text("u".repeat(1024))]] }));
  await opens(
    "uri-characters",
    "a URI of the first and the last character that one may have",
    manifest({ more: [[MAN_REFERENCE_URI, text("!~")]] }),
  );
  const runs = (left: number): Piece => (left === 0 ? seq([COND_ABORT, 0]) : seq([suit.DIR_RUN_SEQUENCE, bytes(runs(left - 1))]));
  await opens("sequences-8", "command sequences nested eight deep", manifest({ sections: { [MAN_INSTALL]: runs(7) } }));
  await opens("size-2-53", "image-size 2^53 - 1", manifest({ sections: { [MAN_INSTALL]: seq(override(sizeParam(2 ** 53 - 1))) } }));
  await opens("component-empty-id", "a component whose identifier has no part", manifest({ components: [array()] }));
  await opens("update", "an update with an integrated payload", update(), {}, { rest: [payload()] });
  await opens(
    "vendor-pen",
    "a vendor as a private enterprise number, tag 112",
    manifest({
      sections: {
        [MAN_INSTALL]: seq(override([suit.PARAM_VENDOR_IDENTIFIER, tag(112, bytes([0x19, 4, 0xd2]))]), [COND_VENDOR_IDENTIFIER, 15]),
      },
    }),
  );
}

async function severedElements({ opens, install }: Tools): Promise<void> {
  const severed = manifest({ more: [[MAN_INSTALL, digest(bytes(install))]] });
  await opens("severed-present", "install severed into the envelope", severed, {}, { rest: [pair(MAN_INSTALL, bytes(install))] });
  await opens("severed-absent", "install severed and not at hand", severed, { expect: { absent: [MAN_INSTALL] } });
  await opens(
    "severed-sha512",
    "install severed, with a digest of another algorithm than the manifest's",
    manifest({ more: [[MAN_INSTALL, digest(bytes(install), cose.HASH_SHA_512)]] }),
    {},
    { rest: [pair(MAN_INSTALL, bytes(install))] },
  );
}

/** Sequence numbers: exact at the bounds where an int32, an uint32, a double, an int64 loses something. */
async function sequenceNumbers({ opens, top }: Tools): Promise<void> {
  for (const bits of [0, 31, 32, 53, 63]) {
    const value = 2n ** BigInt(bits);
    for (const [name, floor] of [
      ["equal", value],
      ["above", value - 1n],
    ] as const)
      await opens(
        `sequence-2-${bits}-${name}`,
        `sequence number 2^${bits} against a floor ${name === "equal" ? "of the same" : "one below"}`,
        manifest({ sequence: value }),
        { trust: { anchors: [anchorOf("a")], floor: halves(floor) }, expect: { sequence: String(value) } },
      );
  }
  await opens("sequence-2-64", "the largest sequence number against a floor of the same", manifest({ sequence: top }), {
    trust: { anchors: [anchorOf("a")], floor: halves(top) },
    expect: { sequence: String(top) },
  });
  await opens("sequence-0", "sequence number 0", manifest({ sequence: 0 }), { expect: { sequence: "0" } });
}

/** Decode: also what open() does not run. */
async function decoded({ good, opens }: Tools): Promise<void> {
  const abort = seq([COND_ABORT, 0]);
  const foreign = manifest({
    common: map(pair(suit.COM_DEPENDENCIES, map(pair(1, map(pair(suit.DEP_PREFIX, C1))))), pair(suit.COM_COMPONENTS, array(C0))),
    sections: {
      [MAN_VALIDATE]: seq(
        [DIR_SET_COMPONENT_INDEX, 1],
        ...[
          suit.COND_DEPENDENCY_INTEGRITY,
          suit.DIR_PROCESS_DEPENDENCY,
          suit.COND_IS_DEPENDENCY,
          suit.COND_USE_BEFORE,
          suit.COND_IMAGE_NOT_MATCH,
        ].map((c) => [c, 0] as const),
        ...[suit.COND_MINIMUM_BATTERY, suit.COND_UPDATE_AUTHORIZED, suit.COND_VERSION, suit.DIR_WAIT, suit.DIR_UNLINK].map(
          (c) => [c, 0] as const,
        ),
        [suit.DIR_SET_PARAMETERS, map(pair(suit.PARAM_USE_BEFORE, int(1)), pair(suit.PARAM_ENCRYPTION_INFO, bytes([])))],
        [suit.DIR_OVERRIDE_MULTIPLE, map(pair(0, map(pair(suit.PARAM_IMAGE_SIZE, int(1)))))],
        [suit.DIR_COPY_PARAMS, map(pair(0, array(int(suit.PARAM_IMAGE_SIZE))))],
        override(
          [suit.PARAM_MINIMUM_BATTERY, int(1)],
          [suit.PARAM_UPDATE_PRIORITY, int(-1)],
          [suit.PARAM_VERSION, bytes(array(int(2), array(int(1))))],
          [suit.PARAM_WAIT_INFO, bytes(map())],
          [suit.PARAM_COMPONENT_METADATA, bytes(map())],
        ),
      ),
      [suit.MAN_DEPENDENCY_RESOLUTION]: abort,
      [suit.MAN_UNINSTALL]: abort,
    },
    more: [
      [suit.MAN_COMPONENT_ID, C0],
      [suit.MAN_SET_VERSION, bytes(array(int(1)))],
      [suit.MAN_COSWID, digest(bytes(map()))],
      [suit.MAN_CANDIDATE_VERIFICATION, digest(bytes(abort))],
      [suit.MAN_MUD, bytes([])],
    ],
  });
  await opens(
    "decode-foreign",
    "trust domains, update management and encryption: read, though not run",
    foreign,
    { action: "decode", expect: { absent: [] } },
    { rest: [pair(suit.MAN_COSWID, bytes(map())), pair(suit.MAN_CANDIDATE_VERIFICATION, bytes(abort))] },
  );
  await opens("decode-unsigned", "an envelope without a signature", good, { action: "decode" }, { blocks: [] });
  await opens(
    "decode-text",
    "every text",
    manifest({
      more: [
        [
          MAN_TEXT,
          bytes(
            map([
              text("en"),
              map(...[1, 2, 3, 4].map((k) => pair(k, text("t"))), [
                C0,
                map(...[1, 2, 3, 4, 5, 6, 7, 8].map((k) => pair(k, text([0xc3, 0xa4])))),
              ]),
            ]),
          ),
        ],
      ],
    }),
    { action: "decode" },
  );
}

async function installations({ install, top, installs, done }: Tools): Promise<void> {
  await installs("install", "an update with an integrated payload", update(), done);
  await installs(
    "install-again",
    "the same sequence number again, as after a power cut",
    update(),
    { current: [IMAGE, OLD] },
    { current: { 0: hex(OLD), 1: hex(OLD) }, sequence: [0, 7], counters: countersOf(update()) },
  );
  await installs("install-number-0", "number 0, on a device that has never had a release", update({ sequence: 0 }), {
    ...done,
    sequence: "0",
  });
  await installs("install-outside", "a payload that the device fetches at once", update(), done, { payloads: { "#fw": hex(IMAGE) } }, []);
  await installs(
    "install-load-outside",
    "a start fetches an image that is not in the envelope",
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override(uriParam("#fw")), [DIR_FETCH, 2]),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_LOAD]: seq([DIR_SET_COMPONENT_INDEX, 1], override(digestParam(IMAGE), uriParam("a:1")), [DIR_FETCH, 2]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    }),
    done,
  );
  await installs(
    "install-chunks",
    "a payload that arrives in pieces, one of them empty",
    update(),
    done,
    { chunks: { "#fw": [hex(IMAGE.slice(0, 1)), "", hex(IMAGE.slice(1))] } },
    [],
  );
  await installs(
    "install-fetch-first",
    "payload-fetch, and an install that only looks",
    update({ sections: { [MAN_PAYLOAD_FETCH]: install, [MAN_INSTALL]: seq([COND_IMAGE_MATCH, 15]) } }),
    done,
  );
  await installs("install-no-size", "no image-size: the digest decides", update({ shared: sharedOf(digestParam(IMAGE)) }), done);
  await installs("install-sha384", "an image digest by SHA-384", update({ shared: sharedOf(digestParam(IMAGE, cose.HASH_SHA_384)) }), done);
  await installs("install-sha512", "an image digest by SHA-512", update({ shared: sharedOf(digestParam(IMAGE, cose.HASH_SHA_512)) }), done);
  await installs(
    "install-largest",
    "an image that fills its component",
    update({ shared: sharedOf(digestParam(new Array(64).fill(7)), sizeParam(64)) }),
    { current: [new Array(64).fill(7), []] },
    undefined,
    [payload(new Array(64).fill(7))],
  );
  await installs("install-sequence-2-64", "the largest sequence number becomes the floor, exactly", update({ sequence: top }), {
    ...done,
    sequence: String(top),
  });
}

async function identities({ installs, done }: Tools): Promise<void> {
  await installs(
    "install-write",
    "the image stands in the manifest",
    update({ sections: { [MAN_INSTALL]: seq(override([suit.PARAM_CONTENT, bytes(IMAGE)]), [DIR_WRITE, 2], [COND_CHECK_CONTENT, 15]) } }),
    done,
    undefined,
    [],
  );
  await installs(
    "install-device-identifier",
    "for one device only",
    update({
      shared: seq(
        ...identity,
        override([suit.PARAM_DEVICE_IDENTIFIER, bytes([...Array(16).keys()].map((i) => i + 1))], digestParam(IMAGE)),
        [COND_DEVICE_IDENTIFIER, 15],
      ),
    }),
    done,
  );
  await installs(
    "install-vendor-pen",
    "a vendor as a private enterprise number",
    update({
      shared: seq(
        override([suit.PARAM_VENDOR_IDENTIFIER, tag(112, bytes([0x19, 4, 0xd2]))], classParam(), digestParam(IMAGE)),
        [COND_VENDOR_IDENTIFIER, 15],
        [COND_CLASS_IDENTIFIER, 15],
      ),
    }),
    done,
    { vendor: [hex(VENDOR), hex(tag(112, bytes([0x19, 4, 0xd2])))] },
  );
}

async function conditions({ installs, withIndex }: Tools): Promise<void> {
  await installs(
    "install-copy",
    "a copy of another component",
    withIndex(
      {
        [MAN_INSTALL]: seq(
          [DIR_SET_COMPONENT_INDEX, 0],
          override([suit.PARAM_SOURCE_COMPONENT, int(1)]),
          [DIR_COPY, 2],
          [COND_IMAGE_MATCH, 15],
        ),
      },
      digestParam(IMAGE),
    ),
    { current: [IMAGE, IMAGE] },
    { current: { 0: hex(OLD), 1: hex(IMAGE) } },
    [],
  );
  await installs(
    "install-nothing",
    "an image of no bytes, where image-size says so, in a component that holds none",
    update({ shared: sharedOf(digestParam([]), sizeParam(0)) }),
    { current: [[], []] },
    { capacity: 0 },
    [payload([])],
  );
  const largest = new Array(64).fill(0x2a);
  await installs(
    "install-write-largest",
    "write fills its component",
    update({
      shared: sharedOf(digestParam(largest)),
      sections: { [MAN_INSTALL]: seq(override([suit.PARAM_CONTENT, bytes(largest)]), [DIR_WRITE, 2]) },
    }),
    { current: [largest, []] },
    undefined,
    [],
  );
  for (const [name, about, condition] of [
    ["image-match", "an image", [COND_IMAGE_MATCH, 15]],
    ["check-content", "content", [COND_CHECK_CONTENT, 15]],
  ] as const)
    await installs(
      `install-${name}-before-identity`,
      `${about} is looked at before vendor and class are: that changes nothing`,
      update({
        shared: seq(
          override(vendorParam(), classParam(), digestParam(IMAGE), sizeParam(IMAGE.length), [suit.PARAM_CONTENT, bytes(IMAGE)]),
          [DIR_TRY_EACH, alternatives(seq(condition), seq(condition), null)],
          ...identity.slice(1),
        ),
      }),
      { current: [IMAGE, []] },
      { current: { 0: hex(IMAGE) } },
    );
}

async function digestsAndScopes({ out, installs, withIndex }: Tools): Promise<void> {
  await installs(
    "install-two-hashes",
    "an image that is fetched under one digest and matched by another hash",
    update({
      sections: {
        [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], override(digestParam(IMAGE, cose.HASH_SHA_384)), [
          COND_IMAGE_MATCH,
          15,
        ]),
      },
    }),
    { current: [IMAGE, []] },
  );
  await installs(
    "install-digest-later",
    "the digest that counts is the one that matched last",
    update({
      sections: {
        [MAN_INSTALL]: seq(override(digestParam(OLD), uriParam("#fw")), [DIR_FETCH, 2], override(digestParam(IMAGE)), [
          COND_IMAGE_MATCH,
          15,
        ]),
      },
    }),
    { current: [IMAGE, []] },
  );
  await installs(
    "install-copy-over-written",
    "a copy of another component over what was written before",
    withIndex(
      {
        [MAN_INSTALL]: seq(
          [DIR_SET_COMPONENT_INDEX, 0],
          override([suit.PARAM_CONTENT, bytes(OLD)], [suit.PARAM_SOURCE_COMPONENT, int(1)]),
          [DIR_WRITE, 2],
          [DIR_COPY, 2],
        ),
      },
      digestParam(IMAGE),
    ),
    { current: [IMAGE, IMAGE] },
    { current: { 1: hex(IMAGE) } },
    [],
  );
  for (const [name, scope] of [
    ["vendor", { vendor: hex(VENDOR) }],
    ["class", { class: hex(CLASS) }],
    ["vendor-and-class", { vendor: hex(VENDOR), class: hex(CLASS) }],
  ] as const)
    out.push({
      name: `install-scope-${name}`,
      about: `the key is for this ${name.replaceAll("-", " ")} only`,
      action: "install",
      envelope: hex(await envelope(update(), { rest: [payload()] })),
      trust: { anchors: [{ ...anchorOf("a"), ...scope }] },
      expect: { ok: true, sequence: "7", current: [hex(IMAGE), ""], invoked: [] },
    });
}

async function swaps({ installs, withIndex }: Tools): Promise<void> {
  await installs(
    "install-copy-itself",
    "a copy of what is current to the other slot of the same component",
    withIndex(
      { [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override([suit.PARAM_SOURCE_COMPONENT, int(0)]), [DIR_COPY, 2]) },
      digestParam(IMAGE),
    ),
    { current: [IMAGE, []] },
    { current: { 0: hex(IMAGE) } },
    [],
  );
  await installs(
    "install-swap",
    "two components change places",
    withIndex(
      {
        [MAN_INSTALL]: seq(
          [DIR_SET_COMPONENT_INDEX, 1],
          override(digestParam(OLD)),
          [DIR_SET_COMPONENT_INDEX, 0],
          override([suit.PARAM_SOURCE_COMPONENT, int(1)]),
          [DIR_SWAP, 2],
          [COND_IMAGE_MATCH, 15],
        ),
      },
      digestParam(IMAGE),
    ),
    { current: [IMAGE, OLD] },
    { current: { 0: hex(OLD), 1: hex(IMAGE) } },
    [],
  );
  await installs(
    "install-two-components",
    "one payload each for all components",
    update({
      components: [C0, C1],
      shared: seq(
        [DIR_SET_COMPONENT_INDEX, TRUE],
        override(vendorParam(), classParam()),
        [COND_VENDOR_IDENTIFIER, 15],
        [COND_CLASS_IDENTIFIER, 15],
        [DIR_SET_COMPONENT_INDEX, 0],
        override(digestParam(IMAGE), uriParam("#fw")),
        [DIR_SET_COMPONENT_INDEX, 1],
        override(digestParam(OLD), uriParam("#other")),
      ),
      sections: {
        [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, array(int(0), int(1))], [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, TRUE], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    }),
    { current: [IMAGE, OLD] },
    undefined,
    [payload(), payload(OLD, "#other")],
  );
}

async function slotsOfInstallations({ installs }: Tools): Promise<void> {
  const slots = update({
    shared: seq(...identity, [
      DIR_TRY_EACH,
      alternatives(
        seq(override([suit.PARAM_COMPONENT_SLOT, int(0)]), [COND_COMPONENT_SLOT, 5], override(digestParam(OLD), uriParam("a:0"))),
        seq(override([suit.PARAM_COMPONENT_SLOT, int(1)]), [COND_COMPONENT_SLOT, 5], override(digestParam(IMAGE), uriParam("a:1"))),
      ),
    ]),
    sections: { [MAN_INSTALL]: seq([DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]) },
  });
  const links = { payloads: { "a:0": hex(OLD), "a:1": hex(IMAGE) } };
  await installs("install-slot-1", "one image for each slot: the second slot is free", slots, { current: [IMAGE, []] }, links, []);
  await installs(
    "install-slot-0",
    "one image for each slot: the first slot is free",
    slots,
    { current: [OLD, []] },
    { ...links, slots: [1] },
    [],
  );
}

async function dangerousDevices({ installs, done }: Tools): Promise<void> {
  await installs(
    "install-skip-identity",
    "dangerous: a device that asks for neither vendor nor class",
    update({ shared: seq(override(digestParam(IMAGE))) }),
    done,
    { dangerouslySkipIdentity: true },
  );
  await installs(
    "install-skip-digest",
    "dangerous: a device that asks for no digest",
    update({
      shared: sharedOf(),
      sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), [MAN_VALIDATE]: seq(...identity) },
    }),
    done,
    { dangerouslySkipDigest: true },
  );
}

/** Names that are special to JavaScript or to a file system, and must not be here. */
async function specialNames({ installs, done }: Tools): Promise<void> {
  for (const name of ["__proto__", "constructor", "hasOwnProperty", "toString"]) {
    const id = ascii(name);
    await installs(
      `name-${name.replace(/_/g, "")}`,
      `${name} as the name of a component and of a payload`,
      update({
        components: [array(bytes(id))],
        sections: { [MAN_INSTALL]: seq(override(uriParam(name)), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]) },
      }),
      { current: [IMAGE] },
      { components: [[hex(id)]] },
      [payload(IMAGE, name)],
    );
    await installs(
      `fetch-${name.replace(/_/g, "")}`,
      `${name} as the URI of a payload from outside`,
      update({ sections: { [MAN_INSTALL]: seq(override(uriParam(name)), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]) } }),
      done,
      { payloads: { [name]: hex(IMAGE) } },
      [],
    );
  }
  for (const [name, parts] of [
    ["dots", ["..", "..", "etc"]],
    ["slashes", ["../../etc/passwd"]],
    ["absolute", ["/etc", "C:\\"]],
    ["nul", ["a\0b", ""]],
  ] as const) {
    const id = parts.map(ascii);
    await installs(
      `path-${name}`,
      `a component whose identifier looks like a path: ${JSON.stringify(parts)}`,
      update({ components: [array(...id.map((x) => bytes(x)))] }),
      { current: [IMAGE] },
      { components: [id.map(hex)] },
    );
  }
}

/** Starting what is installed. */
async function starts({ out, install, withIndex }: Tools): Promise<void> {
  const boots = async (
    name: string,
    about: string,
    content: Piece,
    device: DeviceSpec,
    invoked: { component: string[]; args?: string }[],
    rest: Pair[] = [payload()],
  ) => {
    const current = [0, 1].map((i) => device.current?.[i] ?? "");
    out.push({
      name,
      about,
      action: "boot",
      envelope: hex(await envelope(content, { rest })),
      device,
      expect: { ok: true, sequence: String(device.sequence?.[1] ?? 0), current, invoked },
    });
  };
  const installed: DeviceSpec = { current: { 0: hex(IMAGE) }, sequence: [0, 7] };
  await boots("boot", "validate, and invoke", update(), installed, [{ component: ["00"] }]);
  await boots(
    "boot-args",
    "invoke with arguments",
    update({ sections: { [MAN_INVOKE]: seq(override([suit.PARAM_INVOKE_ARGS, bytes(ascii("-v"))]), [DIR_INVOKE, 2]) } }),
    installed,
    [{ component: ["00"], args: hex(ascii("-v")) }],
  );
  await boots("boot-older", "what is current may be older than the floor", update(), { ...installed, sequence: [0, 9] }, [
    { component: ["00"] },
  ]);
  await boots(
    "boot-load",
    "the image is copied to memory, looked at there, and invoked there",
    withIndex(
      {
        [MAN_LOAD]: seq(
          [DIR_SET_COMPONENT_INDEX, 1],
          override(digestParam(IMAGE), [suit.PARAM_SOURCE_COMPONENT, int(0)]),
          [DIR_COPY, 2],
          [COND_IMAGE_MATCH, 15],
        ),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 1], [DIR_INVOKE, 2]),
        [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override(uriParam("#fw")), [DIR_FETCH, 2]),
      },
      digestParam(IMAGE),
    ),
    installed,
    [{ component: ["01"] }],
  );
  await boots(
    "boot-severed",
    "install has been taken off, which a start does not need",
    manifest({
      shared: sharedOf(digestParam(IMAGE)),
      sections: { [MAN_VALIDATE]: seq([COND_IMAGE_MATCH, 15]), [MAN_INVOKE]: seq([DIR_INVOKE, 2]) },
      more: [[MAN_INSTALL, digest(bytes(install))]],
    }),
    installed,
    [{ component: ["00"] }],
    [],
  );
}
