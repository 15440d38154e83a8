// A fleet of virtual devices, each of which is brought to its state by what it was offered. Devices in one state are one device: what the
// verifier does depends on nothing else, so the outcome of one stands for all of them.

import { decodeEnvelope, formatSequence, looksLikeTrustFile, ROLE_RELEASE, toHex } from "@firmseal/verifier/tools";
import { type Cut, Device, VENDOR } from "../../../test-support/src/rotation-world.js";
import { type Cohort, type DeviceModel, modelOf } from "../../src/rotation/model.js";
import { selfSignedTrust } from "../../src/trust/chain.js";
import { ALGS, identityOf, type Key, type List, type ReleaseFacts, release } from "./world.js";

/** Devices of one kind. */
export interface Kind {
  readonly name: string;
  readonly vendors: readonly string[];
  readonly classes: readonly string[];
  /** Its own identifier, 16 bytes in hex, if it has one. */
  readonly device?: string;
  readonly algorithms?: readonly (keyof typeof ALGS)[];
  /** The list in its firmware. */
  readonly first: List;
  /** How many there are, in proportion to the other kinds. */
  readonly share: number;
}

/** A release, or a list that comes without one. */
export interface Offer {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The role that the device's own code asks for. Default: release. */
  readonly role?: number;
  /** The devices that a release is for. */
  readonly to?: { readonly vendor: string; readonly class: string };
}

/** A release with its name. */
export async function published(name: string, facts: ReleaseFacts, role?: number): Promise<Offer> {
  const to = { vendor: facts.vendor ?? VENDOR, class: facts.class ?? "board-v2" };
  return { name, to, bytes: await release(facts), ...(role !== undefined && { role }) };
}

/** What a device has been offered before. */
export interface Past extends Offer {
  /** How many of all devices were there and took part, from 0 to 1. */
  readonly chance: number;
}

export interface Scenario {
  readonly kinds: readonly Kind[];
  readonly past: readonly Past[];
  /** What is offered now, in this order. */
  readonly steps: readonly Offer[];
  /** Every list of ours that is out. */
  readonly lists: readonly List[];
  readonly lost?: readonly Key[];
  readonly stolen?: readonly Key[];
  /** Retired, and still available. */
  readonly have?: readonly Key[];
  /** What a thief has got hold of ready-made, and the kinds that it was made for. */
  readonly leaked?: readonly (Offer & { readonly kinds: readonly string[] })[];
}

export interface State {
  readonly kind: Kind;
  readonly device: Device<string>;
  /** The release that it runs, as it was published. */
  readonly release: Uint8Array | null;
  readonly role: number;
}

const digestOf = (envelope: Uint8Array) => toHex(Uint8Array.from(decodeEnvelope(envelope).digest?.bytes ?? []));

/** Whether a release is for devices of a kind, whatever its signers. */
export function isFor({ to }: Offer, kind: Kind): boolean {
  return !to || (kind.vendors.includes(to.vendor) && kind.classes.includes(to.class));
}

/** Offers a release or a list. Where the power fails in the middle, the device comes again. Whether it took it. */
export function offer(device: Device<string>, { bytes, role }: Offer, cut: Cut = "none"): boolean {
  if (looksLikeTrustFile(bytes)) return device.offerTrust(bytes);
  const took = device.dryRun(bytes, cut, role);
  return took || (cut === "writing" && device.dryRun(bytes, "none", role));
}

function born({ name, vendors, classes, device, algorithms, first }: Kind): Device<string> {
  const algs = (algorithms ?? ["ed25519" as const]).map((alg) => ALGS[alg]);
  return new Device(name, first.bytes, identityOf(vendors, classes, device), algs);
}

/** The state of a device, as text. */
export function stateKey({ memory, kept }: Device<string>): string {
  const envelope = memory.envelope ? digestOf(Uint8Array.from(memory.envelope)) : "";
  return [Buffer.from(kept).toString("base64"), formatSequence(memory.sequence), envelope, Array.from(memory.counted ?? []).slice(28)].join(
    " ",
  );
}

/** Releases by their digest, as they were published. */
export function releasesOf(offers: readonly Offer[]): ReadonlyMap<string, Offer> {
  return new Map(offers.filter(({ bytes }) => !looksLikeTrustFile(bytes)).map((p) => [digestOf(p.bytes), p]));
}

/** The state of a device that runs one of these releases, or none. */
export function stateOf(kind: Kind, device: Device<string>, published: ReadonlyMap<string, Offer>): State {
  const { envelope } = device.memory;
  const runs = envelope && published.get(digestOf(Uint8Array.from(envelope)));
  return { kind, device, release: runs ? runs.bytes : null, role: runs ? (runs.role ?? ROLE_RELEASE) : ROLE_RELEASE };
}

/** Maximum number of states of one scenario. */
const STATES = 36;

/** Brings devices to their states, by random histories. */
export function statesOf(s: Scenario, random: () => number): State[] {
  const published = releasesOf(s.past);
  const out = new Map<string, State>();
  for (const kind of s.kinds)
    for (let i = 0; i < STATES; i++) {
      const device = born(kind);
      // one that was there for all of it, one that was for none, and others
      for (const past of s.past) if (isFor(past, kind) && (i === 0 || (i > 1 && random() < past.chance))) offer(device, past);
      const key = `${kind.name} ${stateKey(device)}`;
      if (out.has(key) || out.size >= STATES) continue;
      out.set(key, stateOf(kind, device, published));
    }
  return [...out.values()];
}

/** A fleet file in memory: a row for each device, and the state of each. */
export interface Fleet {
  readonly rows: Cohort[];
  readonly of: State[];
}

/** Makes one. Some rows do not name the release that the device runs. */
export function fleetOf(states: readonly State[], devices: number, random: () => number): Fleet {
  // rows that do not name their release share a model, as rows of a fleet file do
  const unnamed = new Map<string, DeviceModel>();
  const models = states.map((state): [DeviceModel, DeviceModel] => {
    const { kind, device, release, role } = state;
    const trust = { path: `${kind.name}.trust`, bytes: device.kept, store: selfSignedTrust(device.kept) };
    const facts = { trust, identity: device.memory.identity, algorithms: kind.algorithms ?? ["ed25519" as const] };
    const key = `${kind.name} ${toHex(Uint8Array.from(device.kept))}`;
    const shared = unnamed.get(key) ?? modelOf(facts);
    unnamed.set(key, shared);
    return [modelOf({ ...facts, ...(release && role === ROLE_RELEASE && { release }) }), shared];
  });
  const shares = states.map(({ kind }) => kind.share / states.filter((other) => other.kind === kind).length);
  const total = shares.reduce((sum, n) => sum + n, 0);
  const rows: Cohort[] = [];
  const of: State[] = [];
  for (let n = 0; n < devices; n++) {
    let i = n;
    // each state has a device
    if (n >= states.length) {
      let at = random() * total;
      for (i = 0; i < states.length - 1 && at >= (shares[i] as number); i++) at -= shares[i] as number;
    }
    const state = states[i] as State;
    const floor = state.device.memory.sequence;
    rows.push({
      name: `d${n}`,
      devices: 1,
      model: (models[i] as [DeviceModel, DeviceModel])[random() < 0.8 ? 0 : 1],
      floor,
      floors: { debug: floor, recovery: floor },
    });
    of.push(state);
  }
  return { rows, of };
}
