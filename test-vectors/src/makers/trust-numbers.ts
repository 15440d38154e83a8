// Chains of trust files, limits on jumps, counting from a new beginning, and keys for one device at a time: what is
// accepted, and what is refused.

import * as E from "../../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../../packages/verifier/src/spec/suit.js";
import { ROLE_DEBUG, ROLE_RELEASE, ROLE_ROOT } from "../../../packages/verifier/src/spec/trust.js";
import type { DeviceSpec, Vector } from "../../index.mjs";
import {
  array,
  ascii,
  bytes,
  countersOf,
  DEVICE,
  digestParam,
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
  seq,
  sharedOf,
  sizeParam,
  unhex,
  update,
} from "../pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, RELEASE, ROOT } from "../pieces/trust-file.js";
import { adder, halves, type Made, pair } from "./adder.js";

/** The component of trust files alone: the list is in the manifest itself. */
const TRUST: Piece = array(bytes(ascii("trust")));
const EPOCH = (n: number | bigint, from: number | bigint): Pair => pair(7, array(int(n), int(from)));
const JUMPS = (...all: [number, number | bigint][]): Pair => pair(6, map(...all.map(([role, n]): Pair => pair(role, int(n)))));
const TOP = 2n ** 64n - 1n;

const file = (sequence: number, f: FileFields = {}): Promise<Piece> => fileOf(listOf({ sequence: int(sequence), ...f }));
/** A release whose only component is the list that it brings, signed by the release key. */
const bringing = (list: Piece, sequence: number | bigint): Piece =>
  manifest({
    sequence,
    components: [TRUST],
    shared: sharedOf(digestParam(list), sizeParam(list.length)),
    sections: {
      [suit.MAN_INSTALL]: seq(override([suit.PARAM_CONTENT, bytes(list)]), [suit.DIR_WRITE, 2], [suit.COND_IMAGE_MATCH, 15]),
      [suit.MAN_VALIDATE]: seq([suit.COND_IMAGE_MATCH, 15]),
    },
  });
const byRelease = { blocks: [{ key: "b" as const }] };
const single: FileFields = {
  anchors: [ROOT, listed("b", [ROLE_DEBUG], { more: [pair(9, int(1))] })],
  thresholds: [
    [ROLE_ROOT, 1],
    [ROLE_DEBUG, 1],
  ],
};
/** An update that asks for the device `id`. */
const forDevice = (id: Piece): Piece =>
  update({
    shared: seq(
      override([suit.PARAM_DEVICE_IDENTIFIER, bytes(id)], digestParam(IMAGE), sizeParam(IMAGE.length)),
      [suit.COND_DEVICE_IDENTIFIER, 15],
      ...identity,
    ),
  });
/** What a device has whose number a thief has taken to the end. */
const poisoned: DeviceSpec = {
  components: [["7472757374"]],
  capacity: 1024,
  current: { 0: hex(OLD) },
  sequence: halves(TOP),
  counters: `${"09".repeat(28)}02000000`,
};

export async function trustNumbers(): Promise<Made[]> {
  const all: Made[] = [];
  const chain = async (name: string, about: string, numbers: number[], before: number, sequence: string) =>
    all.push({
      name: `trust-chain-${name}`,
      about,
      action: "trust",
      envelope: hex((await Promise.all(numbers.map((n) => file(n)))).flat()),
      previous: hex(await file(before)),
      expect: { ok: true, sequence },
    });
  await chain("next", "two lists one behind the other, the first of which is next", [2, 3], 1, "3");
  await chain("passed", "a device that has the first of the lists", [2, 3], 2, "3");
  await chain("older", "the first of the lists is older than that of the device", [1, 2, 3], 2, "3");
  await chain("own", "the last of the lists is that of the device", [1, 2], 2, "2");
  await chain(
    "16",
    "16 lists",
    Array.from({ length: 16 }, (_, i) => i + 2),
    1,
    "17",
  );
  await chain("2-32", "the numbers pass from one half to the other", [4294967295, 4294967296], 1, "4294967296");

  const installs = async (
    name: string,
    about: string,
    content: Piece,
    list: Piece,
    device: DeviceSpec,
    current: Piece[],
    rest: Pair[] = [],
  ) =>
    all.push({
      name,
      about,
      action: "install",
      envelope: hex(await envelope(content, { ...byRelease, rest })),
      store: { file: hex(list), role: ROLE_RELEASE },
      device,
      expect: { ok: true, sequence: name.endsWith("2-63") ? String(2n ** 63n + 7n) : "7", current: current.map(hex), invoked: [] },
    });
  const at = (n: number): DeviceSpec => ({ sequence: [0, n], counters: countersOf(manifest()) });
  await installs(
    "jump-most",
    "as far as the list allows",
    update(),
    await file(1, { more: [JUMPS([ROLE_RELEASE, 2])] }),
    at(5),
    [IMAGE, []],
    [payload()],
  );
  await installs(
    "jump-new",
    "a new device has nothing to count from",
    update(),
    await file(1, { more: [JUMPS([ROLE_RELEASE, 2])] }),
    {},
    [IMAGE, []],
    [payload()],
  );
  await installs(
    "jump-2-63",
    "half of all numbers, where the list says nothing",
    update({ sequence: 2n ** 63n + 7n }),
    await file(1),
    at(7),
    [IMAGE, []],
    [payload()],
  );
  const cure = await file(2, { more: [EPOCH(1, 7)] });
  await installs(
    "epoch-reset",
    "a release below the floor brings the list by which counting begins again",
    bringing(cure, 7),
    await file(1),
    poisoned,
    [cure],
  );
  await installs(
    "epoch-next",
    "the second epoch, on a device that has had the first",
    bringing(await file(2, { more: [EPOCH(2, 7)] }), 7),
    await file(1, { more: [EPOCH(1, 9)] }),
    { ...poisoned, counters: `${"09".repeat(28)}02000001` },
    [await file(2, { more: [EPOCH(2, 7)] })],
  );
  all.push({
    name: "single-device",
    about: "a key for one device at a time, and a manifest for this device",
    action: "install",
    envelope: hex(await envelope(forDevice(DEVICE), { ...byRelease, rest: [payload()] })),
    store: { file: hex(await file(1, single)), role: ROLE_DEBUG },
    expect: { ok: true, sequence: "7", current: [hex(IMAGE), ""], invoked: [] },
  });
  return all;
}

export async function ofTrustNumbers(): Promise<Vector[]> {
  const { all, add } = adder();
  const list = async (code: number, name: string, about: string, f: FileFields) =>
    add(code, `trust-${name}`, about, await file(1, f), { action: "trust" });
  await list(E.TRUST_ROLE, "jump-root", "a limit on jumps for roots, who sign no releases", { more: [JUMPS([ROLE_ROOT, 1])] });
  await list(E.TRUST_ROLE, "jump-role-5", "a limit on jumps for a role that is not known", { more: [JUMPS([5, 1])] });
  await list(E.TRUST_ROLE_EMPTY, "jump-empty", "a limit on jumps for a role that no key has", { more: [JUMPS([ROLE_DEBUG, 1])] });
  await list(E.CBOR_TYPE, "epoch-number", "an epoch without its first number", { more: [pair(7, int(1))] });
  await list(E.TRUST_LIMIT, "epoch-0", "epoch 0", { more: [EPOCH(0, 7)] });
  await list(E.TRUST_LIMIT, "epoch-2-24", "epoch 2^24", { more: [EPOCH(2 ** 24, 7)] });
  const devices = (n: number) => listed("b", [ROLE_RELEASE], { more: [pair(9, int(n))] });
  await list(E.TRUST_SCOPE, "devices-2", "a key for devices of an unknown kind", { anchors: [ROOT, devices(2)] });
  await list(E.TRUST_SCOPE, "devices-root", "a root for one device at a time", {
    anchors: [listed("a", [ROLE_ROOT], { more: [pair(9, int(1))] }), RELEASE],
  });

  const after = async (code: number, name: string, about: string, pieces: Piece[], before: Piece) =>
    add(code, `trust-${name}`, about, pieces.flat(), { action: "trust", previous: hex(before) });
  const [one, two, three, four] = (await Promise.all([1, 2, 3, 4].map((n) => file(n)))) as [Piece, Piece, Piece, Piece];
  const epoch = await file(1, { more: [EPOCH(2, 7)] });
  await after(E.TRUST_EPOCH, "epoch-back", "the epoch of the list before is higher", [await file(2, { more: [EPOCH(1, 7)] })], epoch);
  await after(E.TRUST_EPOCH, "epoch-gone", "the list before had an epoch, and this one has none", [two], epoch);
  await after(E.TRUST_CHAIN, "chain-gap", "a list of the chain is missing", [two, four], one);
  await after(E.TRUST_CHAIN, "chain-order", "the lists of the chain are in another order", [three, two], one);
  await after(E.TRUST_CHAIN, "chain-twice", "a list stands twice in the chain", [two, two], one);
  await after(
    E.TRUST_ROLLBACK,
    "chain-fork",
    "the chain has another list of the device's number",
    [two, three],
    await file(2, { anchors: [ROOT, listed("p", [ROLE_RELEASE])] }),
  );
  await after(E.TRUST_ROLLBACK, "chain-old", "every list of the chain is older", [one, two], three);
  await after(
    E.TRUST_PREVIOUS,
    "chain-unsigned",
    "a root of nobody has signed the list in the middle",
    [two, await fileOf(listOf({ sequence: int(3) }), [{ key: "b" }]), four],
    one,
  );
  await after(E.TRUST_LIMIT, "chain-17", "17 lists", await Promise.all(Array.from({ length: 17 }, (_, i) => file(i + 2))), one);
  await after(E.CBOR_TRAILING, "chain-trailing", "a byte behind the chain", [two, three, [0]], one);

  const refused = async (
    code: number,
    name: string,
    about: string,
    content: Piece,
    stored: Piece,
    device: DeviceSpec,
    rest: Pair[] = [],
    role = ROLE_RELEASE,
  ) =>
    add(code, name, about, await envelope(content, { ...byRelease, rest }), {
      action: "install",
      store: { file: hex(stored), role },
      device,
    });
  const at = (n: bigint): DeviceSpec => ({ sequence: halves(n), counters: countersOf(manifest()) });
  const jumps = await file(1, { more: [JUMPS([ROLE_RELEASE, 2])] });
  await refused(E.SEQUENCE_JUMP, "jump-far", "one more than the list allows", update(), jumps, at(4n), [payload()]);
  await refused(E.SEQUENCE_JUMP, "jump-2-64", "number 2^64 - 1 on a device with number 7", update({ sequence: TOP }), one, at(7n), [
    payload(),
  ]);
  await refused(E.SEQUENCE_JUMP, "jump-new-2-64", "number 2^64 - 1 on a new device", update({ sequence: TOP }), jumps, {}, [payload()]);
  await refused(
    E.SEQUENCE_JUMP,
    "jump-2-32",
    "the jump passes from one half to the other",
    update({ sequence: 2n ** 32n + 2n }),
    jumps,
    at(2n ** 32n - 1n),
    [payload()],
  );
  const cure = await file(2, { more: [EPOCH(1, 7)] });
  await refused(E.ROLLBACK, "epoch-below", "a number below that from which counting begins again", bringing(cure, 6), one, poisoned);
  await refused(E.ROLLBACK, "epoch-none", "a release below the floor brings a list without a new epoch", bringing(two, 7), one, poisoned);
  await refused(
    E.ROLLBACK,
    "epoch-not-brought",
    "the device has the list of the epoch, and the release brings it again",
    bringing(cure, 7),
    cure,
    poisoned,
  );
  await refused(E.ROLLBACK, "epoch-again", "counting has begun again already", bringing(cure, 7), one, {
    ...poisoned,
    counters: `${"09".repeat(28)}02000001`,
  });
  await refused(
    E.ROLLBACK,
    "epoch-unsigned",
    "the list of a new epoch is signed by a root of nobody",
    bringing(await fileOf(listOf({ sequence: int(2), more: [EPOCH(1, 7)] }), [{ key: "b" }]), 7),
    one,
    poisoned,
  );
  await refused(
    E.ROLLBACK,
    "epoch-unsound",
    "the release would not be good under the list of a new epoch that it brings: it is not installed",
    bringing(await file(2, { anchors: [ROOT, listed("p", [ROLE_RELEASE])], more: [EPOCH(1, 7)] }), 7),
    one,
    poisoned,
  );
  const bound = await file(1, single);
  await refused(
    E.IDENTITY_UNCHECKED,
    "single-any",
    "a key for one device at a time, and a manifest for any",
    update(),
    bound,
    {},
    [payload()],
    ROLE_DEBUG,
  );
  await refused(
    E.DEVICE_MISMATCH,
    "single-other",
    "a key for one device at a time, and a manifest for another",
    forDevice(unhex("ff".repeat(16))),
    bound,
    {},
    [payload()],
    ROLE_DEBUG,
  );
  return all;
}
