// Vectors whose envelope and manifest must be accepted.

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { TrustSpec } from "../../index.mjs";
import {
  anchorOf,
  array,
  ascii,
  bytes,
  C0,
  C1,
  digest,
  hex,
  int,
  manifest,
  map,
  override,
  type Pair,
  type Piece,
  payload,
  publicKey,
  seq,
  signBlock,
  sizeParam,
  tag,
  text,
  unhex,
  update,
  uriParam,
} from "../pieces/assemble.js";
import { ACCEPTED, hssOf, N24_W4 } from "../pieces/hsslms.js";
import { halves, pair } from "./adder.js";
import type { Tools } from "./positive-tools.js";

const { COND_ABORT, COND_VENDOR_IDENTIFIER, DIR_SET_COMPONENT_INDEX, MAN_INSTALL, MAN_REFERENCE_URI, MAN_TEXT, MAN_VALIDATE } = suit;

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
    "a key in the unprotected bucket is ignored",
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
    "kid is critical, and is in the protected bucket",
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
    "two have signed, and one is needed: the second signature is not checked",
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
  await opens(
    "decode-text-numbers",
    "texts with numbers that applications use, or that the draft does not have",
    manifest({
      more: [
        [
          MAN_TEXT,
          bytes(map([text("en"), map(pair(5, text("t")), pair(-1, text("t")), [C0, map(pair(9, text("t")), pair(-1, text("t")))])])),
        ],
      ],
    }),
    { action: "decode" },
  );
}

/** The makers, in the order of the vectors. */
export const ENVELOPES = [algorithms, severalSigners, headers, signedStructures, envelopes, severedElements, sequenceNumbers, decoded];
