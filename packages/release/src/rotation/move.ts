// A move from one trust file to the next, as it is read: both trust files, what comes between them, the fleet, and the
// envelope of the bridge before it is signed.

import type { ClockOverride, SequenceOverrides } from "@firmseal/keys";
import { refusedInput, usage } from "@firmseal/keys/internal";
import { draftOf, type EnvelopeDraft, bridge as recipe } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, trustFileUnchecked } from "@firmseal/verifier";
import { equalBytes } from "@firmseal/verifier/tools";
import { identityOf } from "../input/identity.js";
import { bigSequence, LAST } from "../input/sequence.js";
import type { Product } from "../product/file/product.js";
import { refuseLastNumber } from "../signing/authorize-trust.js";
import { type InputOptions, makeDraft, type NextSequence, type PreparedInput, readInput, releaseFacts } from "../signing/draft.js";
import { readTrustChain } from "../trust/chain.js";
import { higher } from "../trust/quorum.js";
import { readTrustFile, type TrustOnFile } from "../trust/read.js";
import { withFileName } from "../verify/refusals.js";
import { readFleet } from "./fleet.js";
import type { Cohort } from "./model.js";
import type { CohortResult } from "./plan/plan.js";

/** A board of a product: the bridge for its devices is made from what the product file and the last release say. */
export interface BridgedBoard {
  readonly name: string;
  /** The devices: one identity for each class. */
  readonly identities: readonly Identity[];
  /** The kinds of device, as logs name them. */
  readonly scope: readonly string[];
  /** The lowest number that is above the releases of the product. Undefined if there is none. */
  readonly least: bigint | undefined;
  /** The product counts its releases: see isLittleRoom(). */
  readonly isCount: boolean;
  /** Returns what makes the envelope. `trust`: what it brings. */
  prepare(trust: Uint8Array): Promise<(sequence: bigint) => EnvelopeDraft>;
}

/** What a bridge is made from. */
export interface BridgeOptions extends InputOptions, SequenceOverrides, ClockOverride {
  /** Name of the bridge in the results for the fleet. */
  out: string;
  /** The current trust file of the devices, and the next one. */
  trust: string;
  nextTrust: string;
  /** Trust files that the bridge brings before `nextTrust`, for devices that were away: all after theirs, in order. */
  before?: readonly string[];
  /** The devices in the field. */
  fleet?: string;
  /** The product whose boards and versions the rows of the fleet file may name. */
  product?: Product | undefined;
  /** The board that the bridge is for, instead of vendor, class and image. */
  board?: BridgedBoard | undefined;
  /** The log of the keys, if it is elsewhere. */
  log?: string;
  /** Sign although a key is a root of the trust file. */
  allowRootKey?: boolean;
  /** Examines the outcome for the fleet before anything is logged or signed. Throws to refuse. */
  judge?(results: readonly CohortResult[]): void | Promise<void>;
  /** See SigningOptions. */
  admit?(draft: EnvelopeDraft): void | Promise<void>;
}

/** A move from one trust file to the next, and the facts of the bridge. */
export interface TrustMove {
  readonly old: TrustOnFile;
  readonly next: TrustOnFile;
  /** What the bridge brings before `nextTrust`. */
  readonly before: readonly TrustOnFile[];
  readonly fleet: readonly Cohort[] | undefined;
  /** The devices that the bridge is for: one identity for each kind. */
  readonly identities: readonly Identity[];
  /** The unsigned envelope. With "next", its number is above the floors of these devices. */
  readonly prepared: PreparedInput;
  /** The image; undefined if the trust file travels alone, and for a board. */
  readonly image: string | undefined;
  readonly options: BridgeOptions;
}

/** Refuses a trust file that devices with `old` do not take after it, unless both have the same content. */
export function checkSuccession(old: TrustOnFile, next: TrustOnFile): void {
  // a release may carry today's trust file, for devices that missed the bridge
  if (equalBytes(old.store.payload, next.store.payload)) return;
  try {
    trustFileUnchecked(next.bytes, old.store, nodeHost);
  } catch (e) {
    throw withFileName(next.path, e);
  }
}

/** What the bridge brings, which devices with `old` must take: `next`, and what comes before it. */
function chainOf(old: TrustOnFile, before: readonly TrustOnFile[], next: TrustOnFile): Uint8Array {
  const bytes = Buffer.concat([...before, next].map((file) => file.bytes));
  try {
    if (before.length > 0) trustFileUnchecked(bytes, old.store, nodeHost);
  } catch (e) {
    throw withFileName([...before, next].map(({ path }) => path).join(", "), e);
  }
  return bytes;
}

function isFor(cohort: Cohort, { vendor, class: name }: Identity): boolean {
  const among = (ids: Identity["vendor"], one: Identity["vendor"]) =>
    (ids ?? []).some((id) => equalBytes(Uint8Array.from(id), Uint8Array.from(one?.[0] ?? [])));
  return among(cohort.model.identity.vendor, vendor) && among(cohort.model.identity.class, name);
}

/** The highest floor of the devices of this kind. */
export const highestFloor = (fleet: readonly Cohort[], identity: Identity): bigint =>
  fleet.filter((c) => isFor(c, identity)).reduce((most, c) => higher(most, bigSequence(c.floor)), 0n);

/** The lowest number that every device of these kinds accepts, but not lower than that of `next`. */
function aboveFloors(next: NextSequence, fleet: readonly Cohort[] | undefined, identities: readonly Identity[]): NextSequence {
  const floor = identities.map((identity) => highestFloor(fleet ?? [], identity)).reduce(higher, 0n);
  return (scope) => {
    const own = next(scope);
    if (floor >= LAST)
      throw refusedInput(
        "ERR_SEQUENCE",
        "no sequence number is left: devices of the fleet are at 2^64 - 1",
        "none is higher than 2^64 - 1",
      );
    return higher(own, floor + 1n);
  };
}

/** The envelope to sign: the trust file with an image, or alone. */
async function prepare(image: string | undefined, o: BridgeOptions, trust: Uint8Array): Promise<PreparedInput> {
  if (image === undefined) {
    const { sequence, ...device } = releaseFacts(o);
    return { draft: (next) => draftOf(recipe({ sequence: sequence(next), ...device, trust })) };
  }
  const input = await readInput(image, o);
  if (input.kind !== "image") throw usage(`${image} is not an image`, "make a bridge from an image, or without one");
  return makeDraft(input, o, ({ sequence, vendor, class: name, ...rest }) => recipe({ sequence, vendor, class: name, trust, image: rest }));
}

/** The envelope to sign for a board of a product. */
async function prepareFor(board: BridgedBoard, { seq }: BridgeOptions, trust: Uint8Array): Promise<PreparedInput> {
  const draft = await board.prepare(trust);
  return { draft: (next) => draft(typeof seq === "bigint" ? seq : higher(next(board.scope), board.least ?? 0n)) };
}

/** The devices that vendor and class name. */
function identityIn(o: BridgeOptions): Identity {
  const { vendor, class: name } = releaseFacts(o);
  const id = identityOf(vendor, name);
  return { vendor: [id.vendor], class: [id.class] };
}

/**
 * Reads the trust files and the fleet of a bridge, and makes the envelope.
 *
 * @param image - A file, or undefined for the trust file alone.
 * @param o - The trust files, the fleet, and the facts of the release.
 * @returns The move, for unsignedBridge().
 * @throws Failure with the refusal of a file, of a trust file that does not follow the other, or of a fleet.
 */
export async function readTrustMove(image: string | undefined, o: BridgeOptions): Promise<TrustMove> {
  const { board } = o;
  const identities = board ? board.identities : [identityIn(o)];
  const [old, next] = [readTrustFile(o.trust), readTrustChain(o.nextTrust)];
  const fleet = o.fleet === undefined ? undefined : await readFleet(o.fleet, o.product);
  checkSuccession(old, next);
  refuseLastNumber(bigSequence(next.store.sequence));
  const before = (o.before ?? []).map((path) => readTrustFile(path));
  const trust = chainOf(old, before, next);
  const made = board ? await prepareFor(board, o, trust) : await prepare(image, o, trust);
  const prepared = { ...made, draft: (numbers: NextSequence) => made.draft(aboveFloors(numbers, fleet, identities)) };
  return { old, next, before, fleet, identities, prepared, image, options: o };
}
