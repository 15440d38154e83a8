// Vectors whose installation and start must be accepted.

import * as cose from "../../../packages/verifier/src/spec/cose.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec } from "../../index.mjs";
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
  envelope,
  hex,
  IMAGE,
  identity,
  int,
  manifest,
  OLD,
  override,
  type Pair,
  type Piece,
  payload,
  seq,
  sharedOf,
  sizeParam,
  TRUE,
  tag,
  update,
  uriParam,
  VENDOR,
  vendorParam,
} from "../pieces/assemble.js";
import type { Tools } from "./positive-tools.js";

const {
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
  MAN_VALIDATE,
} = suit;

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
    "the image is in the manifest",
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

/** The makers, in the order of the vectors. */
export const INSTALLATIONS = [
  installations,
  identities,
  conditions,
  digestsAndScopes,
  swaps,
  slotsOfInstallations,
  dangerousDevices,
  specialNames,
  starts,
];
