// Refused while installing or starting (90 to 109); and what open() or the interpreter refuses, on a device: there,
// nothing may have changed.

import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec, TrustSpec, Vector } from "../../index.mjs";
import * as as from "../pieces/assemble.js";
import {
  alternatives,
  anchorOf,
  array,
  ascii,
  bytes,
  C0,
  C1,
  C2,
  digestParam,
  hex,
  IMAGE,
  identity,
  int,
  OTHER,
  override,
  type Pair,
  type Piece,
  payload,
  seq,
  sharedOf,
  sizeParam,
  TRUE,
  update,
  uriParam,
} from "../pieces/assemble.js";
import { adder } from "./adder.js";

const {
  COND_ABORT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_VALIDATE,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
} = suit;

export async function ofInstall(): Promise<Vector[]> {
  const tools = toolsOf();
  for (const section of [
    ofAnchors,
    ofIdentity,
    ofScope,
    ofDigests,
    ofSizes,
    ofComponents,
    ofImages,
    ofPayloads,
    ofDevices,
    ofStart,
    ofPlaces,
    ofSwaps,
    ofBranches,
    ofContents,
    ofRoom,
  ])
    await section(tools);
  return tools.all;
}

/** What the sections share. */
type Tools = ReturnType<typeof toolsOf>;

function toolsOf() {
  const { all, inside } = adder();
  const installs = async (
    code: number,
    name: string,
    about: string,
    content: Piece,
    device: DeviceSpec = {},
    rest: Pair[] = [payload()],
    action: Vector["action"] = "install",
  ) => {
    await inside(code, name, about, content, { action, ...(Object.keys(device).length > 0 && { device }) }, { rest });
  };
  const noValidate = { [MAN_VALIDATE]: seq(override(sizeParam(IMAGE.length))) };
  const unchecked = (...checks: as.Command[]) =>
    update({ shared: seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE), sizeParam(IMAGE.length)), ...checks) });
  const outside = (content: Piece, device: DeviceSpec, code: number, name: string, about: string) =>
    installs(code, name, about, content, device, []);
  const index = (i: number): as.Command => [DIR_SET_COMPONENT_INDEX, i];
  const full: DeviceSpec = { current: { 0: hex(IMAGE), 1: hex(IMAGE) } };
  const content = (c: Piece) => seq(override([PARAM_CONTENT, bytes(c)]), [suit.COND_CHECK_CONTENT, 15]);
  return { inside, installs, unchecked, noValidate, outside, index, full, content, all };
}

async function ofAnchors({ inside }: Tools): Promise<void> {
  for (const [name, about, trust] of [
    ["install-anchors-none", "an installation that trusts nobody", { anchors: [] }],
    ["install-need-0", "an installation that needs no signature", { anchors: [anchorOf("a")], threshold: 0 }],
  ] as [string, string, TrustSpec][])
    await inside(E.TRUST_POLICY, name, about, update(), { action: "install", trust }, { rest: [payload()] });
  await inside(
    E.SIGNATURE_INVALID,
    "install-unsigned-by-anchor",
    "an installation signed by a key that is not trusted: nothing is erased",
    update(),
    { action: "install" },
    { rest: [payload()], blocks: [{ key: "b" }] },
  );
}

async function ofIdentity({ installs, unchecked }: Tools): Promise<void> {
  await installs(E.VENDOR_MISMATCH, "install-vendor", "a good update for another vendor: nothing is erased", update(), {
    vendor: [hex(OTHER)],
  });
  await installs(E.CLASS_MISMATCH, "install-class", "a good update for another class: nothing is erased", update(), {
    class: [hex(OTHER)],
  });
  await installs(E.IDENTITY_UNCHECKED, "identity-unchecked", "neither vendor nor class is checked", unchecked());
  await installs(
    E.IDENTITY_UNCHECKED,
    "class-unchecked",
    "the vendor is checked, the class is not",
    unchecked([COND_VENDOR_IDENTIFIER, 15]),
  );
  await installs(
    E.IDENTITY_UNCHECKED,
    "vendor-unchecked",
    "the class is checked, the vendor is not",
    unchecked([COND_CLASS_IDENTIFIER, 15]),
  );
  await installs(
    E.IDENTITY_UNCHECKED,
    "identity-too-late",
    "vendor and class are checked after the fetch",
    update({
      shared: seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_VENDOR_IDENTIFIER, 15], [COND_CLASS_IDENTIFIER, 15]),
      },
    }),
  );
  await installs(
    E.IDENTITY_UNCHECKED,
    "identity-swallowed",
    "vendor and class are another's, in a try-each that ends with nil",
    update({
      shared: seq(override(as.vendorParam(OTHER), as.classParam(OTHER), digestParam(IMAGE)), [
        DIR_TRY_EACH,
        alternatives(seq([COND_VENDOR_IDENTIFIER, 15]), seq([COND_CLASS_IDENTIFIER, 15]), null),
      ]),
    }),
  );
  const oneByOne = seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE), sizeParam(IMAGE.length)), [
    DIR_TRY_EACH,
    alternatives(seq([COND_VENDOR_IDENTIFIER, 15], [COND_ABORT, 15]), seq([COND_CLASS_IDENTIFIER, 15], [COND_ABORT, 15]), null),
  ]);
  await installs(
    E.IDENTITY_UNCHECKED,
    "identity-failed-branches",
    "the vendor is checked in one branch that fails, the class in another: no branch found both",
    update({ shared: oneByOne }),
  );
  await installs(
    E.IDENTITY_UNCHECKED,
    "identity-failed-run",
    "vendor and class are checked in a sequence that then fails softly",
    update({
      shared: seq(override(as.vendorParam(), as.classParam(), digestParam(IMAGE), sizeParam(IMAGE.length)), [
        DIR_RUN_SEQUENCE,
        bytes(seq(override([PARAM_SOFT_FAILURE, TRUE]), [COND_VENDOR_IDENTIFIER, 15], [COND_CLASS_IDENTIFIER, 15], [COND_ABORT, 15])),
      ]),
    }),
  );
}

/** A key that is trusted for one class, on a device that has two. */
async function ofScope({ inside }: Tools): Promise<void> {
  const both = { class: [hex(as.CLASS), hex(OTHER)] };
  const limited = (more: object) => ({ anchors: [{ ...anchorOf("a"), ...more }] });
  for (const [name, about, more] of [
    ["class", "a key for one class has signed for the other class of the device", { class: hex(OTHER) }],
    ["vendor", "a key for another vendor has signed", { vendor: hex(OTHER) }],
  ] as const)
    await inside(
      E.IDENTITY_UNCHECKED,
      `scope-${name}`,
      about,
      update(),
      { action: "install", device: both, trust: limited(more) },
      { rest: [payload()] },
    );
}

async function ofDigests({ installs, noValidate }: Tools): Promise<void> {
  await installs(
    E.DIGEST_UNSET,
    "digest-unset",
    "a component is fetched, and no digest is named for it",
    update({ shared: sharedOf(), sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), ...noValidate } }),
  );
  await installs(
    E.DIGEST_UNSET,
    "write-digest-unset",
    "a component is written, and no digest is named for it",
    update({
      shared: sharedOf(),
      sections: { [MAN_INSTALL]: seq(override([PARAM_CONTENT, bytes(IMAGE)]), [DIR_WRITE, 2]), ...noValidate },
    }),
    {},
    [],
  );
}

async function ofSizes({ outside }: Tools): Promise<void> {
  await outside(
    update(),
    { payloads: { "#fw": hex([...IMAGE, 0]) } },
    E.PAYLOAD_SIZE,
    "payload-longer",
    "the payload is one byte longer than image-size",
  );
  await outside(
    update(),
    { payloads: { "#fw": hex(IMAGE.slice(1)) } },
    E.PAYLOAD_SIZE,
    "payload-shorter",
    "the payload is one byte shorter than image-size",
  );
  await outside(
    update(),
    { chunks: { "#fw": [hex(IMAGE), "00"] } },
    E.PAYLOAD_SIZE,
    "payload-longer-chunks",
    "an endless payload is cut off as it arrives",
  );
  await outside(
    update(),
    { chunks: { "#fw": [hex(IMAGE.slice(0, 5))] } },
    E.PAYLOAD_SIZE,
    "payload-shorter-chunks",
    "the payload ends too soon",
  );
  await outside(
    update({ shared: sharedOf(digestParam(IMAGE), sizeParam(65)) }),
    { payloads: { "#fw": hex(IMAGE) } },
    E.PAYLOAD_SIZE,
    "size-over-capacity",
    "image-size is larger than the component",
  );
  await outside(
    update({ shared: sharedOf(digestParam(IMAGE)) }),
    { chunks: { "#fw": [hex(new Array(60).fill(0)), hex(new Array(60).fill(0))] } },
    E.PAYLOAD_SIZE,
    "payload-over-capacity",
    "no image-size, and a payload larger than the component",
  );
  await outside(
    update({ shared: sharedOf(digestParam([]), sizeParam(0)) }),
    { chunks: { "#fw": ["00"] } },
    E.PAYLOAD_SIZE,
    "payload-for-size-0",
    "image-size 0, and a payload of one byte",
  );
}

async function ofComponents({ installs }: Tools): Promise<void> {
  await installs(E.COMPONENT_UNKNOWN, "component-unknown", "a component that the device does not have", update({ components: [C2] }));
  await installs(
    E.COMPONENT_UNKNOWN,
    "component-prefix",
    "a component whose identifier only begins as that of the device's",
    update({ components: [array(bytes([0]), bytes([0]))] }),
  );
  await installs(
    E.COMPONENT_UNKNOWN,
    "slot-of-unknown",
    "the slot of a component that the device does not have",
    update({ components: [C2], sections: { [MAN_INSTALL]: seq(override([PARAM_COMPONENT_SLOT, int(0)]), [COND_COMPONENT_SLOT, 5]) } }),
    {},
    [],
  );
  await installs(
    E.COMPONENT_UNKNOWN,
    "source-unknown",
    "a source that the device does not have",
    update({
      components: [C0, C2],
      shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_COPY, 2]),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    }),
    {},
    [],
  );
}

async function ofImages({ installs, noValidate }: Tools): Promise<void> {
  await installs(E.IMAGE_MISMATCH, "image-exchanged", "the payload is not the one whose digest is signed", update(), {}, [
    payload(ascii("bad firmware")),
  ]);
  await installs(E.IMAGE_MISMATCH, "image-rotten", "storage does not hold what was written: a condition reads it back", update(), {
    fault: "rot",
  });
  await installs(
    E.IMAGE_UNVERIFIED,
    "image-unverified",
    "no condition looks at the image, which is not the one whose digest is signed",
    update({ sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), ...noValidate } }),
    {},
    [payload(ascii("bad firmware"))],
  );
  await installs(
    E.IMAGE_UNVERIFIED,
    "image-rotten-unvalidated",
    "storage does not hold what was written, and no condition reads it: the check before the commit finds it",
    update({ sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]), ...noValidate } }),
    { fault: "rot" },
  );
  await installs(
    E.IMAGE_UNVERIFIED,
    "load-exchanged",
    "a payload that only a start fetches is not the one whose digest is signed",
    update({
      sections: {
        [MAN_INSTALL]: seq([COND_VENDOR_IDENTIFIER, 15]),
        [MAN_LOAD]: seq(override(uriParam("#fw")), [DIR_FETCH, 2]),
        ...noValidate,
      },
    }),
    {},
    [payload(ascii("bad firmware"))],
  );
}

async function ofPayloads({ outside }: Tools): Promise<void> {
  await outside(update(), { chunks: { "#fw": false } }, E.PAYLOAD_ABSENT, "payload-absent", "the payload cannot be had");
  await outside(
    update({
      sections: {
        [MAN_INSTALL]: seq([
          DIR_TRY_EACH,
          alternatives(seq(override(uriParam("a:1")), [DIR_FETCH, 2]), seq(override(uriParam("a:2")), [DIR_FETCH, 2])),
        ]),
      },
    }),
    { chunks: { "a:1": false }, payloads: { "a:2": hex(IMAGE) } },
    E.PAYLOAD_ABSENT,
    "payload-absent-try-each",
    "the payload cannot be had, in a try-each: a directive that fails is not swallowed",
  );
  await outside(
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq([DIR_SET_COMPONENT_INDEX, 0], override([PARAM_SOURCE_COMPONENT, int(1)]), [DIR_COPY, 2]),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    }),
    {},
    E.PAYLOAD_ABSENT,
    "copy-from-empty",
    "a copy from a component that is empty",
  );
}

async function ofDevices({ installs }: Tools): Promise<void> {
  for (const fault of ["erase", "write", "persist"] as const)
    await installs(E.DEVICE_FAULT, `device-fault-${fault}`, `the device fails to ${fault}`, update(), { fault });
  await installs(E.STORAGE_FULL, "storage-full", "the device has no room for the image", update(), { fault: "full" });
  await installs(E.UNCONFIRMED, "unconfirmed", "the release before is still on trial", update(), { fault: "trial" });
}

async function ofStart({ installs, noValidate, unchecked }: Tools): Promise<void> {
  const installed: DeviceSpec = { current: { 0: hex(IMAGE) }, sequence: [0, 7] };
  await installs(
    E.INVOKE_UNVERIFIED,
    "invoke-unverified",
    "an image is invoked, and validate does not look at it",
    update({ sections: noValidate }),
    installed,
    [payload()],
    "boot",
  );
  await installs(
    E.INVOKE_UNVERIFIED,
    "start-unverified",
    "an update would be current, and no start would invoke its image, because validate does not look at it",
    update({ sections: noValidate }),
  );
  await installs(
    E.PARAMETER_MISSING,
    "start-parameter-missing",
    "an update would be current, and each start would end in its load, which copies from nowhere",
    update({ sections: { [MAN_LOAD]: seq([DIR_COPY, 2]) } }),
  );
  await installs(
    E.IDENTITY_UNCHECKED,
    "start-identity-unchecked",
    "an update would be current, and its start does not check for which devices it is",
    update({
      shared: seq(override(digestParam(IMAGE))),
      sections: { [MAN_INSTALL]: seq(...identity, override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]) },
    }),
  );
  await installs(
    E.IMAGE_MISMATCH,
    "boot-image-changed",
    "storage no longer has what was installed",
    update(),
    { current: { 0: hex(ascii("bad firmware")) }, sequence: [0, 7] },
    [payload()],
    "boot",
  );
  await installs(E.IMAGE_MISMATCH, "boot-empty", "there is no image to start", update(), {}, [payload()], "boot");
  await installs(
    E.IDENTITY_UNCHECKED,
    "boot-identity-unchecked",
    "an image is invoked, and neither vendor nor class is checked",
    unchecked(),
    installed,
    [payload()],
    "boot",
  );
}

async function ofPlaces({ installs }: Tools): Promise<void> {
  await installs(
    E.INVOKE_MISPLACED,
    "invoke-misplaced",
    "install invokes what it has just written",
    update({ sections: { [MAN_INSTALL]: seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15], [DIR_INVOKE, 2]) } }),
  );
  await installs(
    E.TRY_EACH_EXHAUSTED,
    "install-no-slot",
    "an update for two slots, neither of which is the one that is not current",
    update({
      shared: seq(...identity, [
        DIR_TRY_EACH,
        alternatives(
          seq(override([PARAM_COMPONENT_SLOT, int(2)]), [COND_COMPONENT_SLOT, 5]),
          seq(override([PARAM_COMPONENT_SLOT, int(3)]), [COND_COMPONENT_SLOT, 5]),
        ),
      ]),
    }),
  );
}

async function ofSwaps({ installs, index, full }: Tools): Promise<void> {
  await installs(
    E.NOT_SUPPORTED,
    "swap-of-written",
    "a swap of what this installation has just written",
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, TRUE], ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq(
          [DIR_SET_COMPONENT_INDEX, 0],
          override(uriParam("#fw")),
          [DIR_FETCH, 2],
          override([PARAM_SOURCE_COMPONENT, int(1)]),
          [DIR_SWAP, 2],
        ),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    }),
  );
  const moved = (...commands: as.Command[]) =>
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, TRUE], ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq(...commands),
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
      },
    });
  const from = (i: number, directive: number): as.Command[] => [override([PARAM_SOURCE_COMPONENT, int(i)]), [directive, 2]];
  const fetched: as.Command[] = [override(uriParam("#fw")), [DIR_FETCH, 2]];
  await installs(E.NOT_SUPPORTED, "swap-with-itself", "a swap of a component with itself", moved(index(0), ...from(0, DIR_SWAP)), full, []);
  await installs(
    E.NOT_SUPPORTED,
    "swap-with-written",
    "a swap with what this installation has just written",
    moved(index(1), ...fetched, index(0), ...from(1, DIR_SWAP)),
    full,
  );
  await installs(
    E.NOT_SUPPORTED,
    "copy-of-written-to-itself",
    "a copy to itself of what this installation has just written",
    moved(index(0), ...fetched, ...from(0, DIR_COPY)),
    full,
  );
  await installs(
    E.DIGEST_UNSET,
    "swap-digest-unset",
    "a swap where no digest is named for what the source gets",
    update({
      components: [C0, C1],
      shared: seq(index(0), ...identity, override(digestParam(IMAGE))),
      sections: {
        [MAN_INSTALL]: seq(index(0), ...from(1, DIR_SWAP)),
        [MAN_VALIDATE]: seq(index(0), [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq(index(0), [DIR_INVOKE, 2]),
      },
    }),
    full,
    [],
  );
}

async function ofBranches({ installs, index, full }: Tools): Promise<void> {
  const other = seq([DIR_SET_COMPONENT_INDEX, 1], override(uriParam("#fw")), [DIR_FETCH, 2]);
  for (const [name, about, condition] of [
    ["image", "image", [COND_IMAGE_MATCH, 15]],
    ["content", "content", [suit.COND_CHECK_CONTENT, 15]],
  ] as const)
    await installs(
      E.DIGEST_UNSET,
      `rehearsal-${name}`,
      `where the ${about} did not fit, another component would be fetched without a digest: refused though it fits`,
      update({
        components: [C0, C1],
        shared: seq(index(0), ...identity, override(digestParam(IMAGE), [PARAM_CONTENT, bytes(IMAGE)])),
        sections: {
          [MAN_INSTALL]: seq(index(0), [DIR_TRY_EACH, alternatives(seq(condition), other)]),
          [MAN_VALIDATE]: seq(index(0), override(sizeParam(IMAGE.length))),
          [MAN_INVOKE]: seq(index(0), [DIR_INVOKE, 2]),
        },
      }),
      full,
    );
}

async function ofContents({ installs, content }: Tools): Promise<void> {
  const looks = (code: number, name: string, about: string, commands: Piece, current: Piece) =>
    installs(
      code,
      name,
      about,
      update({ shared: sharedOf(), sections: { [MAN_INSTALL]: commands, [MAN_VALIDATE]: commands } }),
      { current: { 0: hex(current) } },
      [],
    );
  await looks(
    E.IMAGE_MISMATCH,
    "image-size-other",
    "image-size is not the size of the image, though its digest is right",
    seq(override(digestParam(IMAGE), sizeParam(IMAGE.length + 1)), [COND_IMAGE_MATCH, 15]),
    IMAGE,
  );
  await looks(
    E.IMAGE_MISMATCH,
    "image-of-nothing",
    "a missing image is not an image of 0 bytes unless image-size says so",
    seq(override(digestParam([])), [COND_IMAGE_MATCH, 15]),
    [],
  );
  await looks(E.CONTENT_MISMATCH, "content-begins", "what is there begins with the content", content(IMAGE.slice(0, 5)), IMAGE);
  await looks(E.CONTENT_MISMATCH, "content-goes-on", "the content goes on behind what is there", content([...IMAGE, 0]), IMAGE);
  await looks(E.CONTENT_MISMATCH, "content-of-same-length", "other content of the same length", content([...IMAGE.slice(1), 0]), IMAGE);
}

async function ofRoom({ installs }: Tools): Promise<void> {
  for (const size of [65, 1031])
    await installs(
      E.PAYLOAD_SIZE,
      `integrated-over-capacity-${size}`,
      "no image-size, and an integrated payload of one byte more than the component holds",
      update({ shared: sharedOf(digestParam(new Array(size).fill(1))) }),
      { capacity: size - 1 },
      [payload(new Array(size).fill(1))],
    );
  await installs(
    E.PAYLOAD_SIZE,
    "write-over-capacity",
    "write brings one byte more than the component holds: nothing is erased",
    update({
      shared: sharedOf(digestParam(new Array(65).fill(1))),
      sections: { [MAN_INSTALL]: seq(override([PARAM_CONTENT, bytes(new Array(65).fill(1))]), [DIR_WRITE, 2]) },
    }),
    {},
    [],
  );
  await installs(
    E.PAYLOAD_SIZE,
    "write-longer",
    "write brings more bytes than image-size says",
    update({ sections: { [MAN_INSTALL]: seq(override([PARAM_CONTENT, bytes([...IMAGE, 0])]), [DIR_WRITE, 2]) } }),
    {},
    [],
  );
  await installs(E.PAYLOAD_SIZE, "integrated-longer", "the integrated payload is longer than image-size", update(), {}, [
    payload([...IMAGE, 0]),
  ]);
}
