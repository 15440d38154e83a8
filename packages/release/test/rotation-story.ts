// The story that a fleet of virtual devices is carried through: trust files and releases, a server, an attacker, and who judges what came of it.

import type { PrivateKey } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { splitEnvelope, writeEnvelope } from "../../signer/src/envelope/envelope.js";
import { randoms } from "../../test-support/src/randoms.js";
import {
  CLASSES,
  type ClassName,
  type Cut,
  Device,
  identity,
  imageOf,
  keysOf,
  release,
  trustFileOf,
} from "../../test-support/src/rotation-world.js";
import { bigSequence } from "../src/input/sequence.js";
import { type Cohort, modelOf } from "../src/rotation/model.js";
import { planSteps } from "../src/rotation/plan/plan.js";
import type { PlannedRelease } from "../src/rotation/plan/steps.js";
import type { Keys } from "../src/trust/quorum.js";
import { Member, States } from "./rotation-states.js";

export const { A, B, C, D, E, F, G } = keysOf("A", "B", "C", "D", "E", "F", "G");
export const { R1, R2, R3, R4, R5 } = keysOf("R1", "R2", "R3", "R4", "R5");
const { X1, X2, X3, X4 } = keysOf("X1", "X2", "X3", "X4");

const hexOf = (k: PrivateKey) => Buffer.from(k.key).toString("hex");
export const keys = (...list: PrivateKey[]): Keys => new Set(list.map(hexOf));
export const NOBODY = { lost: keys(), stolen: keys() };

/** What is genuine of one sequence number: a release for each class. */
export interface Genuine {
  readonly sequence: number;
  readonly isBridge: boolean;
  readonly envelopes: { readonly [name in ClassName]: Uint8Array };
}

export async function genuine(sequence: number, signers: readonly PrivateKey[], trust?: Uint8Array): Promise<Genuine> {
  const make = (name: ClassName) =>
    release({ sequence, class: name, keys: signers, image: imageOf(`${name} ${sequence}`), ...(trust && { trust }) });
  const [v2, v3] = [await make("board-v2"), await make("board-v3")];
  return { sequence, isBridge: sequence % 10 === 0 && trust !== undefined, envelopes: { "board-v2": v2, "board-v3": v3 } };
}

/**
 * The trust files, one after the other, and the releases. Two rules keep devices that skip any of them from being left behind: each file is signed by
 * enough roots of every file that is still in the field, and each release carries the trust file of its time.
 */
export async function story(careless: boolean) {
  // careless: each file is signed by those who have to, and only the bridges carry one
  const roots = (few: PrivateKey[], all: PrivateKey[]) => (careless ? few : all);
  const carried = (trust: Uint8Array) => (careless ? undefined : trust);
  const T1 = await trustFileOf(1, { releases: [A, B, C], roots: [R1, R2, R3] });
  // C was retired before the story begins, and half of the devices have not heard of it
  const T2 = await trustFileOf(2, { releases: [A, B, D], roots: [R1, R2, R3] }, T1);
  // a planned rotation: E takes the place of A
  const T3 = await trustFileOf(3, { releases: [E, B, D], roots: [R1, R2, R3] }, T2);
  // B is lost
  const T4 = await trustFileOf(4, { releases: [E, F, D], roots: [R1, R2, R3] }, T3);
  // R2 is lost
  const T5 = await trustFileOf(5, { releases: [E, F, D], roots: [R1, R3, R4], signers: roots([R1, R3], [R1, R3, R4]) }, T4);
  // E is stolen
  const T6 = await trustFileOf(6, { releases: [G, F, D], roots: [R1, R3, R4], signers: roots([R1, R4], [R1, R3, R4]) }, T5);
  // R3 is stolen: what somebody else has as well can still sign, and those who have T4 want it
  const T7 = await trustFileOf(7, { releases: [G, F, D], roots: [R1, R5, R4], signers: roots([R1, R4], [R1, R3, R4]) }, T6);
  return {
    trusts: [T1, T2, T3, T4, T5, T6, T7],
    releases: [
      await genuine(10, [A, B]),
      await genuine(20, [A, B, D], T2),
      await genuine(21, [A, D], carried(T2)),
      await genuine(30, [B, D, E], T3),
      await genuine(31, [D, E], carried(T3)),
      await genuine(40, [D, E, F], T4),
      await genuine(41, [E, F], carried(T4)),
      await genuine(50, [E, F], T5),
      await genuine(60, [D, F, G], T6),
      await genuine(61, [F, G], carried(T6)),
      await genuine(70, [D, G], T7),
      await genuine(71, [F, G], carried(T7)),
    ],
  };
}

export type Story = Awaited<ReturnType<typeof story>>;

export const at = (s: Story, sequence: number) => s.releases.find((r) => r.sequence === sequence) as Genuine;

/** What the server does for a device: the bridges in order from the oldest that it has not passed, then the newest release. */
export function serve(device: Pick<Device, "name" | "memory" | "dryRun">, releases: readonly Genuine[], cut: () => Cut): void {
  const newest = releases.at(-1) as Genuine;
  for (const r of releases) {
    const envelope = r.envelopes[device.name];
    if ((!r.isBridge && r !== newest) || r.sequence <= (device.memory.sequence[1] as number)) continue;
    const first = cut();
    // a device that the power left in the middle comes again
    if (!device.dryRun(envelope, first) && first === "writing") device.dryRun(envelope);
  }
}

/** Envelopes with the signatures of `from` as well: over another digest, so they are good for nothing. */
function withBlocksOf(envelope: Uint8Array, from: Uint8Array): Uint8Array {
  const parts = splitEnvelope(envelope);
  parts.blocks.push(...splitEnvelope(from).blocks);
  return writeEnvelope(parts);
}

export interface Attacks {
  readonly envelopes: { readonly [name in ClassName]: readonly Uint8Array[] };
  readonly trusts: readonly Uint8Array[];
}

/** What somebody on the way can make of what was published so far, with the release keys and root keys that he has stolen. */
export async function attacks(s: Story, upTo: number, released: readonly PrivateKey[], rooted: readonly PrivateKey[]): Promise<Attacks> {
  const published = s.releases.filter((r) => r.sequence <= upTo);
  const old = s.trusts.slice(0, Math.max(1, ...published.filter((r) => r.isBridge).map((r) => r.sequence / 10)));
  // the newest that lists the root that he has
  const rootedIn = s.trusts[5] as Uint8Array;
  // the keys of the real releases too, so that what a device runs is good under the list
  const own = { releases: [A, B, D, E, F, G, X1, X2], roots: [X3, X4] };
  const files: Uint8Array[] = [];
  for (const sequence of [2, 7, 8, 2 ** 40]) {
    files.push(await trustFileOf(sequence, own));
    // signed by the roots that he lists, the stolen one among them; and once with a list of the stolen one and his own
    if (rooted.length > 0) {
      files.push(await trustFileOf(sequence, { ...own, signers: [...own.roots, ...rooted] }, rootedIn));
      files.push(await trustFileOf(sequence, { ...own, roots: [...rooted, X3] }));
    }
  }
  const make = async (name: ClassName) => {
    const other = CLASSES.find((c) => c !== name) as ClassName;
    const out = published.map((r) => r.envelopes[other]);
    for (const r of published) {
      const envelope = r.envelopes[name];
      // one of the signatures taken away; the image or the trust file exchanged
      const one = splitEnvelope(envelope);
      one.blocks.splice(1);
      const changed = splitEnvelope(envelope);
      for (const uri of changed.payloads.keys()) changed.payloads.set(uri, uri === "#trust" ? (old[0] as Uint8Array) : imageOf("evil"));
      // an older release, which was good in its time
      out.push(writeEnvelope(one), writeEnvelope(changed), envelope);
    }
    for (const [sequence, trust] of [
      [upTo + 1, undefined],
      [upTo + 1, files.at(-1)],
      ["9223372036854775808", files[0]],
      ["18446744073709551615", new Uint8Array(40).fill(0xd8)],
    ] as const)
      for (const signers of released.length > 0 ? [released, [...released, X1]] : [[X1, X2]]) {
        const facts = { sequence, class: name, keys: signers, image: imageOf(`evil ${sequence}`), ...(trust && { trust }) };
        const envelope = await release(facts);
        out.push(envelope, withBlocksOf(envelope, (published.at(-1) as Genuine).envelopes[name]));
      }
    return out;
  };
  return { envelopes: { "board-v2": await make("board-v2"), "board-v3": await make("board-v3") }, trusts: [...files, ...old] };
}

/** The digest of the manifest: a device keeps less of an envelope than it was given. */
export const manifestOf = (envelope: ArrayLike<number>) => Buffer.from(decodeEnvelope(envelope).digest?.bytes ?? []).toString("hex");

/** Everything that is genuine, to compare devices with. */
export class Judge {
  private readonly envelopes: Set<string>;
  private readonly trusts: Set<string>;
  private readonly images: Set<string>;
  /** What was found good and has not changed since. */
  private readonly good = new WeakMap<object, Device>();
  constructor(s: Story) {
    this.envelopes = new Set(s.releases.flatMap((r) => Object.values(r.envelopes).map(manifestOf)));
    this.trusts = new Set(s.trusts.map((t) => Buffer.from(t).toString("latin1")));
    this.images = new Set(
      s.releases.flatMap((r) => CLASSES.map((name) => `${name}|${Buffer.from(imageOf(`${name} ${r.sequence}`)).toString("latin1")}`)),
    );
  }
  /** Whether a device runs or trusts what is not genuine. */
  fooled(d: Device): boolean {
    const part = d.memory.parts[0];
    const slot = part?.slots[part.current] as object;
    const envelope = d.memory.envelope as Uint8Array;
    if (this.good.get(envelope) !== d) {
      if (!this.envelopes.has(manifestOf(envelope))) return true;
      this.good.set(envelope, d);
    }
    if (this.good.get(slot) !== d) {
      if (!this.images.has(`${d.name}|${d.image()}`)) return true;
      this.good.set(slot, d);
    }
    if (this.good.get(d.kept) !== d) {
      if (!this.trusts.has(Buffer.from(d.kept).toString("latin1"))) return true;
      this.good.set(d.kept, d);
    }
    return false;
  }
}

/** A fleet as it is when the story begins: 30 % have trust file 1, some of them an old release, and 70 % trust file 2. */
export function mixed(s: Story, from: number, to: number): Device[] {
  const kinds = Array.from({ length: 10 }, (_, i) => {
    const device = new Device(i % 5 === 0 ? "board-v3" : "board-v2", s.trusts[0] as Uint8Array);
    const history = i < 3 ? [10] : i < 6 ? [10, 20] : i < 9 ? [20, 21] : [20];
    for (const sequence of history)
      if (!device.dryRun(at(s, sequence).envelopes[device.name])) throw new Error(`release ${sequence} was refused`);
    return device;
  });
  return Array.from({ length: to - from }, (_, k) => (kinds[(from + k) % 10] as Device).twin());
}

/** Devices that nothing tells apart, as a fleet file has them. */
export function cohorts(devices: readonly Device[]): { cohort: Cohort; devices: Device[] }[] {
  const groups = new Map<string, Device[]>();
  for (const d of devices) {
    const name = `${d.name} trust ${bigSequence(d.store.sequence)} floor ${bigSequence(d.memory.sequence)}`;
    groups.set(name, [...(groups.get(name) ?? []), d]);
  }
  return [...groups].map(([name, group]) => {
    const [first] = group as [Device];
    const trust = { path: name, bytes: first.kept, store: first.store };
    const floor = first.memory.sequence;
    const model = modelOf({ trust, identity: identity(first.name) });
    return {
      cohort: { name, devices: group.length, model, floor, floors: { debug: floor, recovery: floor } },
      devices: group,
    };
  });
}

const stepsFor = (releases: readonly Genuine[], name: ClassName): PlannedRelease[] =>
  releases.map((r) => ({ name: `${r.sequence}`, envelope: r.envelopes[name], sequence: BigInt(r.sequence) }));

/** The plan for each cohort, which has the releases of its class. */
export function planned(devices: readonly Device[], releases: readonly Genuine[], gone = NOBODY) {
  return cohorts(devices).map((group) => {
    const [name] = group.devices.map((d) => d.name) as [ClassName];
    const [result] = planSteps([group.cohort], stepsFor(releases, name), gone);
    return { ...group, result: result as NonNullable<typeof result> };
  });
}

export interface Run {
  /** Devices by their places in the fleet: from, to. */
  readonly share: readonly [number, number];
  /** Hostile releases that each device meets each time that it is online. */
  readonly attacks: number;
  /** Without the two rules of story(). */
  readonly careless?: boolean;
}

export interface Counts {
  /** Of the phases: how many devices have which trust file. */
  phases: { name: string; trust: { [sequence: string]: number } }[];
  served: number;
  offline: number;
  cuts: number;
  hostile: number;
  hostileTrust: number;
  refused: { [code: number]: number };
  stranded: number;
  fooled: number;
  /** The states that its devices were in, what these were asked, and how often the answer was known. */
  states: number;
  asked: number;
  remembered: number;
  /** Devices that were carried without any memory of answers as well. */
  beside: number;
  /** What the plan said beforehand. */
  planned: { [verdict: string]: number };
}

/** One in this many devices is carried beside the states. */
const BESIDE = 50;

const nothing = { released: [], rooted: [] };
const PHASES = [
  { name: "planned rotation", upTo: 30, ...nothing },
  { name: "release key lost", upTo: 40, ...nothing },
  { name: "root key lost", upTo: 50, ...nothing },
  { name: "release key stolen", upTo: 50, released: [E], rooted: [] },
  { name: "another in its place", upTo: 61, released: [E], rooted: [] },
  { name: "root key stolen too", upTo: 61, released: [E], rooted: [R3] },
  { name: "another in its place, all online", upTo: 71, released: [E], rooted: [R3] },
] as const;

/** Carries a share of the fleet through the whole story. */
export async function carry({ share: [from, to], attacks: each, careless = false }: Run): Promise<Counts> {
  const s = await story(careless);
  const random = randoms(from + 7);
  const judge = new Judge(s);
  const real = mixed(s, from, to);
  const states = new States();
  const devices = real.map((d, k) => new Member(states, d, k % BESIDE === BESIDE - 1 ? d : undefined));
  const count: Counts = {
    phases: [],
    served: 0,
    offline: 0,
    cuts: 0,
    hostile: 0,
    hostileTrust: 0,
    refused: {},
    stranded: 0,
    fooled: 0,
    states: 0,
    asked: 0,
    remembered: 0,
    beside: 0,
    planned: {},
  };
  const bridges = s.releases.filter((r) => r.isBridge || r.sequence === 71);
  for (const { result } of planned(real, bridges, { lost: keys(B, R2), stolen: keys(E, R3) }))
    count.planned[result.verdict] = (count.planned[result.verdict] ?? 0) + result.devices;

  const cut = (): Cut => {
    const x = random();
    return x < 0.04 ? "writing" : x < 0.1 ? "before keeping" : "none";
  };
  for (const [i, { name, upTo, released, rooted }] of PHASES.entries()) {
    const last = i === PHASES.length - 1;
    const hostile = await attacks(s, upTo, released, rooted);
    const published = s.releases.filter((r) => r.sequence <= upTo);
    const attack = (d: Member) => {
      const pool = hostile.envelopes[d.name];
      const before = d.device;
      for (let n = 0; n < each; n++) d.dryRun(pool[Math.floor(random() * pool.length)] as Uint8Array);
      d.offerTrust(hostile.trusts[Math.floor(random() * hostile.trusts.length)] as Uint8Array);
      count.hostile += each;
      count.hostileTrust++;
      if (judge.fooled(d.device) || bigSequence(d.device.store.sequence) < bigSequence(before.store.sequence)) count.fooled++;
    };
    for (const [k, d] of devices.entries()) {
      // a tenth is away until the end, half of the others come now and then
      if (!last && (k % 10 === 7 || (k % 2 === 1 && random() < 0.7))) count.offline++;
      else {
        const first = random() < 0.5;
        if (first) attack(d);
        serve(d, published, cut);
        count.served++;
        if (!first) attack(d);
      }
    }
    const trust: { [sequence: string]: number } = {};
    for (const { device } of devices)
      trust[`${bigSequence(device.store.sequence)}`] = (trust[`${bigSequence(device.store.sequence)}`] ?? 0) + 1;
    count.phases.push({ name, trust });
  }
  const final = at(s, 71);
  /** Whether a device that starts does not run the last release, under the last trust file. */
  const isStranded = (d: Device) => {
    d.memory.invoked.length = 0;
    d.start();
    return (
      manifestOf(d.memory.envelope ?? []) !== manifestOf(final.envelopes[d.name]) ||
      bigSequence(d.store.sequence) !== 7n ||
      d.memory.invoked.length !== 1
    );
  };
  const ends = new Map<Device, { stranded: boolean; fooled: boolean }>();
  for (const member of devices) {
    let end = ends.get(member.device);
    if (!end || member.beside) {
      const d = member.beside ?? member.device.twin();
      end = { stranded: isStranded(d), fooled: judge.fooled(d) };
      if (!member.beside) ends.set(member.device, end);
    }
    if (end.stranded) count.stranded++;
    if (end.fooled) count.fooled++;
    if (member.beside) count.beside++;
    count.cuts += member.cuts;
    for (const code of member.refused) count.refused[code] = (count.refused[code] ?? 0) + 1;
  }
  Object.assign(count, { states: states.count, asked: states.asked, remembered: states.remembered });
  return count;
}
