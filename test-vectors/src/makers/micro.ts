// Vectors for micro verifiers: releases that are the template firmseal-single-1, and those that are nearly. They are
// assembled here byte by byte, not by the signer.

import {
  ALG_ED25519,
  ALG_EDDSA,
  ALG_ES256,
  ALG_ESP256,
  HEADER_ALG,
  HEADER_CONTENT_TYPE,
  HEADER_KID,
} from "../../../packages/verifier/src/spec/cose.js";
import * as errors from "../../../packages/verifier/src/spec/errors.generated.js";
import type { DeviceSpec, Expect, TrustSpec, Vector } from "../../index.mjs";
import {
  anchorOf,
  array,
  type Block,
  bytes,
  C0,
  C1,
  CLASS,
  classParam,
  countersOf,
  digestParam,
  type EnvelopeSpec,
  envelope,
  hex,
  int,
  type ManifestSpec,
  manifest,
  map,
  negated,
  OTHER,
  override,
  type Pair,
  type Piece,
  payload,
  seq,
  signBlock,
  sizeParam,
  text,
  uriParam,
  VENDOR,
  vendorParam,
} from "../pieces/assemble.js";
import { ACCEPTED, hssOf, N24_W4, N32_W4 } from "../pieces/hsslms.js";

/** A vector without the offset of a refusal, which is found by playing it. */
export type MicroVector = Omit<Vector, "action"> & { action: "open" | "install" | "boot" };

const imageOf = (n: number): Piece => Array.from({ length: n }, (_, i) => (i * 31 + n) & 255);
const IMAGE = imageOf(40);
const NAME = "#firmware";
const OUTSIDE = "https://example.com/fw.bin";

interface Spec extends ManifestSpec {
  image?: Piece;
  uri?: string;
  vendor?: Piece;
  class?: Piece;
  alg?: number;
}

/** The manifest of the template, or one that differs from it. */
function content({ image = IMAGE, uri = NAME, vendor = VENDOR, class: name = CLASS, alg, ...m }: Spec = {}): Piece {
  return manifest({
    shared: seq(override(vendorParam(vendor), classParam(name), digestParam(image, alg), sizeParam(image.length)), [1, 15], [2, 15]),
    sections: { 7: seq([3, 15]), 9: seq([23, 2]), 20: seq(override(uriParam(uri)), [21, 2], [3, 15]) },
    ...m,
  });
}

const whole = async (m: Spec = {}, e: EnvelopeSpec = {}): Promise<Piece> => {
  const uri = m.uri ?? NAME;
  return envelope(content(m), { rest: uri.startsWith("#") ? [payload(m.image ?? IMAGE, uri)] : [], ...e });
};

const BY_A: TrustSpec = { anchors: [anchorOf("a")] };
const BY_A_AND_P: TrustSpec = { anchors: [anchorOf("a"), anchorOf("p")], threshold: 2 };
const DEVICE: DeviceSpec = { vendor: [hex(VENDOR)], class: [hex(CLASS)], components: [["00"]], capacity: 600 };

/** What is left of an envelope after an installation: without tag and payload. */
const keptOf = async (m: Spec = {}, e: EnvelopeSpec = {}): Promise<Piece> => envelope(content(m), { ...e, tag: null });

const made: MicroVector[] = [];

function add(
  name: string,
  about: string,
  action: MicroVector["action"],
  from: Piece,
  expect: Expect,
  more: Partial<MicroVector> = {},
): void {
  made.push({ name, about, action, trust: BY_A, ...(action !== "open" && { device: DEVICE }), ...more, envelope: hex(from), expect });
}

const opened = (sequence: string, signers = [0]): Expect => ({ ok: true, sequence, signers });
const installed = (image: Piece, sequence = "7"): Expect => ({ ok: true, sequence, current: [hex(image)], invoked: [] });

async function accepted(): Promise<void> {
  for (const n of [0n, 23n, 24n, 255n, 256n, 65535n, 65536n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 64n - 1n])
    add(`sequence-${n}`, `the sequence number ${n}`, "open", await whole({ sequence: n }), opened(String(n)));
  for (const n of [1, 23, 24, 255, 256, 600])
    add(`image-${n}`, `an image of ${n} bytes in the envelope`, "install", await whole({ image: imageOf(n) }), installed(imageOf(n)));
  const outside = await whole({ uri: OUTSIDE });
  const arrives = { device: { ...DEVICE, chunks: { [OUTSIDE]: [hex(IMAGE.slice(0, 7)), "", hex(IMAGE.slice(7))] } } };
  add("image-arrives", "an image outside the envelope, in three pieces", "install", outside, installed(IMAGE), arrives);
  add("image-fetched", "an image outside the envelope, which the device has", "install", outside, installed(IMAGE), {
    device: { ...DEVICE, payloads: { [OUTSIDE]: hex(IMAGE) } },
  });
  const long = `https://example.com/${"a".repeat(235)}`;
  add("uri-255", "a URI of 255 characters", "open", await whole({ uri: long }), opened("7"));
  add("uri-0", "an empty URI", "open", await whole({ uri: "" }), opened("7"));
  for (const [name, key, alg] of [
    ["eddsa", "a", ALG_EDDSA],
    ["ed25519", "a", ALG_ED25519],
    ["es256", "p", ALG_ES256],
    ["esp256", "p", ALG_ESP256],
  ] as const)
    add(`alg-${name}`, `a signature that names its algorithm ${alg}`, "open", await whole({}, { blocks: [{ key, alg }] }), opened("7"), {
      trust: { anchors: [anchorOf(key)] },
    });
  for (const [name, about, levels] of ACCEPTED.filter(([name]) => /w4$|last-leaf|levels/.test(name))) {
    const { trust, block } = hssOf(name, levels);
    add(name, about, "open", await whole({}, { blocks: [block] }), opened("7"), { trust });
  }
  const kid = (length: number): Block => ({
    protected: map([int(HEADER_ALG), int(ALG_ED25519)], [int(HEADER_KID), bytes(new Array(length).fill(0xbe))]),
  });
  add("kid-1", "a key identifier of one byte, and an anchor without one", "open", await whole({}, { blocks: [kid(1)] }), opened("7"));
  add("kid-64", "a key identifier of 64 bytes, which the anchor has too", "open", await whole({}, { blocks: [kid(64)] }), opened("7"), {
    trust: { anchors: [anchorOf("a", "be".repeat(64))] },
  });
  const two: Block[] = [{ key: "a" }, { key: "p" }];
  add("two-first", "two signatures, the first of which is enough", "open", await whole({}, { blocks: two }), opened("7"));
  add("two-second", "two signatures, the second of which is enough", "open", await whole({}, { blocks: [...two].reverse() }), opened("7"));
  add("two-both", "two signatures, both required", "install", await whole({}, { blocks: two }), installed(IMAGE), { trust: BY_A_AND_P });
  const hss = hssOf("micro two", [N32_W4]);
  add("two-hsslms", "HSS/LMS and Ed25519, both required", "open", await whole({}, { blocks: [hss.block, {}] }), opened("7", [0, 1]), {
    trust: { anchors: [...hss.trust.anchors, anchorOf("a")], threshold: 2 },
  });
  const windows = (since: number, until: number) =>
    ({ trust: { anchors: [{ ...anchorOf("a"), since: [0, since], until: [0, until] }] } }) as Partial<MicroVector>;
  add("window-begins", "a key that is trusted from this sequence number on", "open", await whole(), opened("7"), windows(7, 9));
  add("window-ends", "a key that is trusted up to this sequence number", "open", await whole(), opened("7"), windows(3, 7));
  const running: DeviceSpec = { ...DEVICE, current: { "0": hex(IMAGE) }, sequence: [0, 7] };
  const started: Expect = { ok: true, sequence: "7", current: [hex(IMAGE)], invoked: [{ component: ["00"] }] };
  add("boot", "the start of what a device has kept", "boot", await keptOf(), started, { device: running });
  add("boot-two", "the start of what a device has kept, with two signatures", "boot", await keptOf({}, { blocks: two }), started, {
    device: running,
    trust: BY_A_AND_P,
  });
  add("boot-outside", "the start of a release whose image was not in the envelope", "boot", await keptOf({ uri: OUTSIDE }), started, {
    device: running,
  });
  add("floor", "a release with the number of the floor", "open", await whole(), opened("7"), { trust: { ...BY_A, floor: [0, 7] } });
  add("again", "the installed release once more", "install", await whole(), installed(IMAGE), {
    device: { ...DEVICE, sequence: [0, 7], counters: countersOf(content()) },
  });
}

const NUMBERS = { ...errors };
const refusedWith = (name: keyof typeof errors): Expect => ({ code: NUMBERS[name] });

/** Good releases of other forms, and bytes that are nearly the template. Each differs in one thing. */
async function otherForms(): Promise<void> {
  const other = (name: string, about: string, from: Piece, code: keyof typeof errors = "TEMPLATE_MISMATCH") =>
    add(`form-${name}`, about, "open", from, refusedWith(code));
  const image: Pair = payload(IMAGE, NAME);
  const good = await whole();
  other("untagged", "no tag 107", await whole({}, { tag: null }));
  other("text", "a manifest with a reference URI", await whole({ more: [[4, text("https://example.com")]] }));
  other("component", "another component", await whole({ components: [C1] }));
  other("two-components", "two components", await whole({ components: [C0, C1] }));
  other(
    "no-invoke",
    "nothing is invoked",
    await whole({ sections: { 7: seq([3, 15]), 20: seq(override(uriParam(NAME)), [21, 2], [3, 15]) } }),
  );
  other("version", "version 2", await whole({ version: int(2) }));
  other(
    "policy",
    "another reporting policy",
    await whole({ sections: { 7: seq([3, 2]), 9: seq([23, 2]), 20: seq(override(uriParam(NAME)), [21, 2], [3, 15]) } }),
  );
  other("name", "another name for the image in the envelope", await whole({ uri: "#image" }));
  other("name-outside", "an image outside the envelope under a name inside", await whole({}, { rest: [] }));
  other("name-inside", "an image in the envelope under a name outside", await whole({ uri: OUTSIDE }, { rest: [payload(IMAGE, OUTSIDE)] }));
  other("uri-blank", "a URI with a blank", await whole({ uri: "https://example.com/a b" }));
  other("uri-accent", "a URI beyond ASCII", await whole({ uri: "https://example.com/\u00e9" }));
  other("uri-256", "a URI of 256 characters", await whole({ uri: `https://example.com/${"a".repeat(236)}` }));
  other("sha-384", "an image with SHA-384", await whole({ alg: -43 }));
  other("manifest-sha-384", "a manifest with SHA-384", await whole({}, { digestAlg: -43 }));
  other("vendor", "a vendor of 15 bytes", await whole({ vendor: VENDOR.slice(1) }));
  other("size", "an image that is one byte longer than its size", await whole({}, { rest: [payload([...IMAGE, 0], NAME)] }));
  other("empty", "an image of no bytes", await whole({ image: [] }));
  other("unsigned", "no signature", await whole({}, { blocks: [] }));
  other("three", "three signatures", await whole({}, { blocks: [{}, { key: "b" }, { key: "p" }] }));
  other("cose-sign", "a COSE_Sign", await whole({}, { blocks: [(message) => signBlock(message, [{}])] }));
  other("mac", "a COSE_Mac0", await whole({}, { blocks: [{ key: "m" }] }));
  other("tag", "a COSE_Sign1 without its tag", await whole({}, { blocks: [{ tag: null }] }));
  other(
    "unprotected",
    "a header that is not protected",
    await whole({}, { blocks: [{ unprotected: map([int(HEADER_KID), bytes([1])]) }] }),
  );
  other("attached", "a signature with its payload", await whole({}, { blocks: [{ payload: bytes([1]) }] }));
  const protectedBy = (...pairs: Pair[]) => ({ blocks: [{ protected: map([int(HEADER_ALG), int(ALG_ED25519)], ...pairs) }] });
  other("content-type", "another protected header", await whole({}, protectedBy([int(HEADER_CONTENT_TYPE), int(1)])));
  other("kid-65", "a key identifier of 65 bytes", await whole({}, protectedBy([int(HEADER_KID), bytes(new Array(65).fill(1))])));
  other("alg", "an unknown algorithm", await whole({}, { blocks: [{ alg: -47 }] }));
  other("alg-second", "a second signature by an unknown algorithm", await whole({}, { blocks: [{}, { alg: -300 }] }));
  other("alg-text", "an algorithm with a name", await whole({}, { blocks: [{ protected: map([int(HEADER_ALG), text("EdDSA")]) }] }));
  other("severed", "a severed element", await whole({}, { rest: [[int(20), bytes(seq([21, 2]))], image] }));
  other("second-payload", "a second payload", await whole({}, { rest: [image, payload([1], "#other")] }));
  other("wrapper", "something else in the wrapper", await whole({}, { wrapper: (w) => [...array(int(1), int(2)), ...w] }));
  other("indefinite", "a byte string of indefinite length", [...good.slice(0, 4), 0x5f, ...good.slice(6)]);
  other("long-head", "a length that is not in its shortest form", [...good.slice(0, 4), 0x59, 0, ...good.slice(5)]);
  other("long-number", "a sequence number that is not in its shortest form", await whole({ sequence: null, more: [[2, [0x18, 7]]] }));
  other("trailing", "a byte more", [...good, 0], "CBOR_TRAILING");
  other("truncated", "a byte less", good.slice(0, -1), "CBOR_TRUNCATED");
  other("head", "only its head", good.slice(0, 20), "CBOR_TRUNCATED");
  other("nothing", "no bytes", [], "CBOR_TRUNCATED");
}

async function refused(): Promise<void> {
  const good = await whole();
  const not = (
    name: string,
    about: string,
    code: keyof typeof errors,
    more: Partial<MicroVector> = {},
    from = good,
    action: MicroVector["action"] = "open",
  ) => add(name, about, action, from, refusedWith(code), more);
  const keyed = (...anchors: TrustSpec["anchors"]) => ({ trust: { anchors } });
  not(
    "signature",
    "one bit of the signature is wrong",
    "SIGNATURE_INVALID",
    {},
    await whole({}, { blocks: [{ spoil: (s) => s.map((b, i) => (i === 9 ? b ^ 1 : b)) }] }),
  );
  not("stranger", "a key that the device does not know", "SIGNATURE_INVALID", {}, await whole({}, { blocks: [{ key: "b" }] }));
  not("no-anchor", "an algorithm that no anchor has", "SIGNATURE_NO_ANCHOR", keyed(anchorOf("p")));
  not(
    "kid-other",
    "a key identifier that is not that of the anchor",
    "SIGNATURE_NO_ANCHOR",
    keyed(anchorOf("a", "02")),
    await whole(
      {},
      {
        blocks: [{ protected: map([int(HEADER_ALG), int(ALG_ED25519)], [int(HEADER_KID), bytes([1])]) }],
      },
    ),
  );
  not("threshold", "one signature of two", "SIGNATURE_THRESHOLD", { trust: BY_A_AND_P });
  not(
    "threshold-twice",
    "two signatures of one key",
    "SIGNATURE_THRESHOLD",
    { trust: { anchors: [anchorOf("a"), anchorOf("a"), anchorOf("p")], threshold: 2 } },
    await whole({}, { blocks: [{}, { alg: ALG_EDDSA }] }),
  );
  not(
    "threshold-negated",
    "a key and its negative",
    "SIGNATURE_THRESHOLD",
    { trust: { anchors: [anchorOf("p"), { alg: "es256", key: hex(negated("p")) }, anchorOf("a")], threshold: 2 } },
    await whole({}, { blocks: [{ key: "p" }, { key: "p", alg: ALG_ES256 }] }),
  );
  not(
    "window-late",
    "a key that is trusted only up to a lower number",
    "ANCHOR_WINDOW",
    keyed({ ...anchorOf("a"), until: [0, 6] } as never),
  );
  not(
    "window-early",
    "a key that is trusted only from a higher number on",
    "ANCHOR_WINDOW",
    keyed({ ...anchorOf("a"), since: [1, 0] } as never),
  );
  not("policy-none", "no anchor", "TRUST_POLICY", { trust: { anchors: [] } });
  not("policy-five", "five anchors", "TRUST_POLICY", { trust: { anchors: ["a", "b", "p", "a", "b"].map((key) => anchorOf(key as "a")) } });
  not("policy-three", "a threshold of three", "TRUST_POLICY", { trust: { ...BY_A, threshold: 3 } });
  not("policy-zero", "a threshold of none", "TRUST_POLICY", { trust: { ...BY_A, threshold: 0 } });
  not("policy-floor", "a floor that is not a number", "TRUST_POLICY", { trust: { ...BY_A, floor: [0, -1] } });
  not("rollback", "a number below the floor", "ROLLBACK", { trust: { ...BY_A, floor: [0, 8] } });
  const changed = good.map((b, i) => (i === hex(good).indexOf("a601010207") / 2 + 4 ? b ^ 8 : b));
  not("digest", "the manifest has changed after it was signed", "DIGEST_MANIFEST", {}, changed);
  not("memory", "a head that is larger than the host allows", "HEAD_LENGTH", { memory: 100 });
  const on = (device: Partial<DeviceSpec>) => ({ device: { ...DEVICE, ...device } });
  not("device-floor", "a number below the floor of the device", "ROLLBACK", on({ sequence: [0, 8] }), good, "install");
  not(
    "device-taken",
    "another release with the number of the floor",
    "SEQUENCE_TAKEN",
    on({ sequence: [0, 7], counters: "00".repeat(28) }),
    good,
    "install",
  );
  not(
    "device-unknown",
    "the number of the floor, on a device that does not know its release",
    "SEQUENCE_TAKEN",
    on({ sequence: [0, 7] }),
    good,
    "install",
  );
  not("device-vendor", "a device of another vendor", "VENDOR_MISMATCH", on({ vendor: [hex(OTHER)] }), good, "install");
  not("device-class", "a device of another class", "CLASS_MISMATCH", on({ class: [hex(OTHER)] }), good, "install");
  not("device-component", "a device without this component", "COMPONENT_UNKNOWN", on({ components: [["01"]] }), good, "install");
  not("device-room", "a device with too little room", "PAYLOAD_SIZE", on({ capacity: 39 }), good, "install");
  not("device-full", "a device whose storage is full", "STORAGE_FULL", on({ fault: "full" }), good, "install");
  not("device-trial", "a device with a release on trial", "UNCONFIRMED", on({ fault: "trial" }), good, "install");
  not("device-write", "a device that cannot write", "DEVICE_FAULT", on({ fault: "write" }), good, "install");
  not("device-rot", "storage that changes what was written", "IMAGE_MISMATCH", on({ fault: "rot" }), good, "install");
  not("device-persist", "a device that cannot commit", "DEVICE_FAULT", on({ fault: "persist" }), good, "install");
  not(
    "image",
    "an image that was not signed",
    "IMAGE_MISMATCH",
    {},
    await whole(
      {},
      {
        rest: [
          payload(
            IMAGE.map((b) => b ^ 1),
            NAME,
          ),
        ],
      },
    ),
    "install",
  );
  const outside = await whole({ uri: OUTSIDE });
  const arrives = (...pieces: Piece[]) => on({ chunks: { [OUTSIDE]: pieces.map(hex) } });
  not("image-absent", "an image outside the envelope that cannot be had", "PAYLOAD_ABSENT", {}, outside, "install");
  not("image-short", "an image outside the envelope that is too short", "PAYLOAD_SIZE", arrives(IMAGE.slice(1)), outside, "install");
  not("image-long", "an image outside the envelope that is too long", "PAYLOAD_SIZE", arrives(IMAGE, [0]), outside, "install");
  not("image-other", "another image from outside", "IMAGE_MISMATCH", arrives(IMAGE.map((b) => b ^ 1)), outside, "install");
  const running = { current: { "0": hex(IMAGE) }, sequence: [0, 7] as [number, number] };
  not(
    "boot-image",
    "the start of an image that has changed",
    "IMAGE_MISMATCH",
    on({ ...running, current: { "0": hex(IMAGE.slice(1)) } }),
    await keptOf(),
    "boot",
  );
  not("boot-none", "the start of an image that is not there", "IMAGE_MISMATCH", {}, await keptOf(), "boot");
  not("boot-release", "the start of a release that was not installed", "TEMPLATE_MISMATCH", on(running), good, "boot");
  not(
    "boot-stranger",
    "the start of what another key has signed",
    "SIGNATURE_INVALID",
    on(running),
    await keptOf({}, { blocks: [{ key: "b" }] }),
    "boot",
  );
  const hss = hssOf("micro", [N24_W4], (s) => s.map((b, i) => (i === 40 ? b ^ 1 : b)));
  not(
    "hsslms",
    "one bit of an HSS/LMS signature is wrong",
    "SIGNATURE_INVALID",
    { trust: hss.trust },
    await whole({}, { blocks: [hss.block] }),
  );
  not(
    "key-length",
    "a signature that is longer than its algorithm's",
    "SIGNATURE_INVALID",
    {},
    await whole({}, { blocks: [{ spoil: (s) => [...s, 0] }] }),
  );
}

/** All of them, in order. */
export async function micro(): Promise<MicroVector[]> {
  made.length = 0;
  await accepted();
  await otherForms();
  await refused();
  return made;
}
