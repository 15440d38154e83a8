// What really happens to a device: it is offered the steps, then what a thief can make, then what we can still make.
// Nothing here asks the plan.

import type { TrustStore } from "@firmseal/verifier";
import { decodeEnvelope, equalBytes, formatSequence, looksLikeTrustFile, ROLE_DEBUG, ROLE_RELEASE, toHex } from "@firmseal/verifier/tools";
import type { Device } from "../../../test-support/src/rotation-world.js";
import { bigSequence, LAST } from "../../src/input/sequence.js";
import type { Verdict } from "../../src/rotation/plan/verdict.js";
import { higher } from "../../src/trust/quorum.js";
import { isFor, type Offer, offer, type Scenario, type State, stateKey } from "./fleet.js";
import { type ALGS, all, type Key, type List, list, release } from "./world.js";

const floorOf = (d: Device<string>) => bigSequence(d.memory.sequence);
const isRoot = (store: TrustStore, k: Key) => store.anchors.some((a) => a.roles.includes(1) && toHex(Uint8Array.from(a.key)) === k.hex);

/** What stolen keys may sign for a device. */
export const ROLES = ["release", "root", "debug"] as const;

export type Exposure = { readonly [role in (typeof ROLES)[number]]: boolean };

export interface Outcome {
  readonly verdict: Verdict;
  /** Of each step: whether the device took it. */
  readonly took: readonly boolean[];
  readonly trust: string;
  readonly exposed: Exposure;
}

interface Worth {
  readonly exposed: Exposure;
  readonly reachable: boolean;
  readonly renewable: boolean;
}

/** Bytes that were made before for the same question. */
type Made = Map<string, Promise<Uint8Array>>;
function once(made: Made, key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  let known = made.get(key);
  if (!known) {
    known = make();
    made.set(key, known);
  }
  return known;
}

export class Judge {
  private readonly made: Made = new Map();
  private readonly worths = new Map<string, Promise<Worth>>();
  private readonly listed = new Map<string, Promise<List>>();
  private readonly lost: readonly Key[];
  private readonly stolen: readonly Key[];
  private readonly numbers = new Map<Uint8Array, bigint>();

  constructor(private readonly s: Scenario) {
    this.lost = s.lost ?? [];
    this.stolen = s.stolen ?? [];
    for (const { bytes } of s.steps)
      if (!looksLikeTrustFile(bytes)) this.numbers.set(bytes, bigSequence(decodeEnvelope(bytes).manifest.sequence));
  }

  private newest(store: TrustStore): List {
    const line = this.s.lists.filter((l) => equalBytes(l.store.name, store.name));
    return line.reduce((a, b) => (bigSequence(a.store.sequence) >= bigSequence(b.store.sequence) ? a : b));
  }

  /**
   * The keys that still sign a number for us: those that the newest list does not end below it, and retired ones that
   * are available.
   */
  private held(store: TrustStore, sequence: bigint): Key[] {
    const { keys, store: newest } = this.newest(store);
    const ends = (k: Key) => newest.anchors.find((a) => toHex(Uint8Array.from(a.key)) === k.hex)?.until;
    const counts = (k: Key) => {
      const until = ends(k);
      return !until || bigSequence(until) >= sequence;
    };
    const held = new Set([...keys.filter(counts), ...(this.s.have ?? [])]);
    return [...held].filter((k) => !this.lost.includes(k));
  }

  private pairs({ kind }: State): { vendor: string; class: string }[] {
    return kind.vendors.flatMap((vendor) => kind.classes.map((name) => ({ vendor, class: name })));
  }

  /** Whether a step is for devices of this kind, whatever its signers. */
  private isFor(step: Offer, { kind, device }: State): boolean {
    if (step.to) return isFor(step, kind);
    // a list, or a chain that ends with it
    const isLast = ({ bytes }: List) => equalBytes(bytes, step.bytes.subarray(-bytes.length));
    return this.s.lists.some((l) => isLast(l) && equalBytes(l.store.name, device.store.name));
  }

  /** The numbers that a thief, or we, may try: above what the device has, and where the windows of keys begin and end. */
  private tries(device: Device<string>, after: bigint): bigint[] {
    const limits = device.store.anchors.flatMap((a) => [a.since, a.until].flatMap((n) => (n ? [bigSequence(n)] : [])));
    return [...new Set([after + 1n, ...limits, ...limits.map((n) => n + 1n)])].filter((n) => n > after && n <= LAST);
  }

  /** What the thief's keys do to a device, each role for itself. */
  async exposure(state: State, device: Device<string>): Promise<Exposure> {
    const thieves = [...this.stolen];
    if (thieves.length === 0) return { release: false, root: false, debug: false };
    const [mine, own] = all("thief", "thief's root") as [Key, Key];
    const algorithms = state.kind.algorithms ?? ["ed25519"];
    const known = this.s.lists
      .flatMap((l) => l.keys)
      .filter((k, i, a) => a.indexOf(k) === i && algorithms.includes(k.public.alg as keyof typeof ALGS) && !isRoot(device.store, k));
    const roots = thieves.filter((k) => isRoot(device.store, k));
    const place = toHex(Uint8Array.from(device.store.payload));
    const bad = await once(this.made, `list ${place}`, async () => {
      const store = device.store;
      const next = { name: Buffer.from(Uint8Array.from(store.name)).toString(), sequence: bigSequence(store.sequence) + 1n };
      const facts = { root: [own, ...roots].slice(0, 8), release: [mine, ...known].slice(0, 8), need: { root: 1, release: 1 } };
      const epoch = store.begins ? { epoch: { number: store.epoch, from: bigSequence(store.begins) } } : {};
      const before = { bytes: device.kept, store, keys: [] };
      return (await list({ ...next, ...facts, ...epoch, after: [before], by: [own, ...roots] })).bytes;
    });
    const takes = async (role: number) => {
      const floor = floorOf(device);
      for (const sequence of new Set([floor, ...this.tries(device, floor), floor + 2n ** 40n, LAST]))
        for (const pair of this.pairs(state))
          for (const brings of [undefined, bad]) {
            if (sequence > LAST) continue;
            const signers = thieves.filter((k) => !isRoot(device.store, k));
            if (signers.length === 0) return false;
            const facts = { ...pair, sequence, by: [...signers, mine].slice(0, 8), image: "thief", brings };
            const bound = state.kind.device === undefined ? {} : { device: state.kind.device };
            const name = [sequence, pair.vendor, pair.class, brings ? place : "", state.kind.device ?? ""].join(" ");
            const bytes = await once(this.made, `thief ${name}`, () => release({ ...facts, ...bound }));
            const twin = device.twin();
            if (offer(twin, { name, bytes, role }) || twin.image().includes("thief")) return true;
          }
      return false;
    };
    const twin = device.twin();
    return { release: await takes(ROLE_RELEASE), debug: await takes(ROLE_DEBUG), root: twin.offerTrust(bad) };
  }

  /** Whether a release that we can still sign reaches the device, with a list or without. */
  private async reaches(state: State, device: Device<string>, after: bigint, brings?: Uint8Array): Promise<boolean> {
    const isListed = (k: Key) => !isRoot(device.store, k) && device.store.anchors.some((a) => toHex(Uint8Array.from(a.key)) === k.hex);
    for (const sequence of this.tries(device, after))
      for (const pair of this.pairs(state)) {
        const by = this.held(device.store, sequence).filter(isListed).slice(0, 8);
        if (by.length === 0) continue;
        const name = ["ours", sequence, pair.vendor, pair.class, by.map((k) => k.label), brings ? toHex(brings) : ""].join(" ");
        const bytes = await once(this.made, name, () => release({ ...pair, sequence, by, image: "later", brings }));
        const twin = device.twin();
        const before = bigSequence(twin.store.sequence);
        if (offer(twin, { name, bytes }) && (!brings || bigSequence(twin.store.sequence) > before)) return true;
      }
    return false;
  }

  /** The next list that we can still sign for the device. */
  private async nextList(device: Device<string>): Promise<Uint8Array | undefined> {
    const { store } = device;
    const newest = this.newest(store);
    const held = this.held(store, 0n);
    const roots = held.filter((k) => isRoot(store, k) || isRoot(newest.store, k)).slice(0, 8);
    const releases = held.filter((k) => !roots.includes(k)).slice(0, 8);
    const sequence = higher(bigSequence(newest.store.sequence), bigSequence(store.sequence)) + 1n;
    if (roots.length === 0 || releases.length === 0 || sequence > LAST) return undefined;
    const key = [toHex(Uint8Array.from(store.payload)), sequence].join(" ");
    let made = this.listed.get(key);
    if (!made) {
      const name = Buffer.from(Uint8Array.from(store.name)).toString();
      const epoch = newest.store.begins ? { epoch: { number: newest.store.epoch, from: bigSequence(newest.store.begins) } } : {};
      const facts = { name, sequence, root: roots, release: releases, need: { root: 1, release: 1 }, ...epoch };
      made = list({ ...facts, after: [{ bytes: device.kept, store, keys: [] }], by: roots });
      this.listed.set(key, made);
    }
    return (await made).bytes;
  }

  /** What a device is worth: to the thief, and to us. */
  private worth(state: State, device: Device<string>, after: bigint): Promise<Worth> {
    const key = `${state.kind.name} ${stateKey(device)} ${after}`;
    let known = this.worths.get(key);
    if (!known) {
      known = (async () => {
        const next = await this.nextList(device);
        // by itself, or behind all lists of the line
        const line = this.s.lists
          .filter((l) => equalBytes(l.store.name, device.store.name))
          .sort((x, y) => (bigSequence(x.store.sequence) < bigSequence(y.store.sequence) ? -1 : 1));
        const ways = next ? [next, Buffer.concat([...line.map((l) => l.bytes), next])] : [];
        let renewable = false;
        for (const way of ways) renewable ||= await this.reaches(state, device, after, way);
        return { exposed: await this.exposure(state, device), reachable: await this.reaches(state, device, after), renewable };
      })();
      this.worths.set(key, known);
    }
    return known;
  }

  /** Runs the steps on the device, and returns its state afterwards. */
  async outcome(state: State, cut: () => "none" | "writing" | "before keeping"): Promise<Outcome> {
    const device = state.device.twin();
    const took: boolean[] = [];
    let dark = false;
    let after = 0n;
    let last: { step: Offer; took: boolean; passed: boolean } | undefined;
    for (const step of this.s.steps) {
      const before = { floor: floorOf(device), trust: bigSequence(device.store.sequence), starts: device.memory.invoked.length };
      const took1 = offer(device, step, cut());
      took.push(took1);
      if (!this.isFor(step, state)) continue;
      const number = this.numbers.get(step.bytes);
      if (number !== undefined && number > after) after = number;
      if (took1 && number !== undefined && device.memory.invoked.length === before.starts) dark = true;
      last = { step, took: took1, passed: number === undefined ? !took1 : !took1 && number < before.floor };
    }
    const floor = floorOf(device);
    if (floor > after) after = floor;
    const { exposed, reachable, renewable } = await this.worth(state, device, after);
    const isOld = bigSequence(device.store.sequence) < bigSequence(this.newest(device.store).store.sequence);
    const isRelease = last !== undefined && !looksLikeTrustFile(last.step.bytes);
    const verdict = (): Verdict => {
      if (last && isRelease && !last.took && !last.passed) return "stranded";
      if (dark || !reachable) return "stranded";
      if (!renewable) return "roots-lost";
      if (exposed.release || exposed.root || exposed.debug) return "exposed";
      if (isOld) return "behind";
      if (!last) return "unaffected";
      return last.passed ? "ahead" : "moved";
    };
    return { verdict: verdict(), took, trust: formatSequence(device.store.sequence), exposed };
  }
}
