// What a device does with a release: the interpreter of the devices runs it for every kind of device that it
// distinguishes, with the answers that this kind gives, and each effect becomes an action.

import { EnvelopeDraft, formatUuid, toHex } from "@firmseal/signer";
import { type Digest, type Effect, INSTALL_SECTIONS, type Manifest, start, step } from "@firmseal/verifier";
import {
  COND_CHECK_CONTENT,
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
  formatSequence,
  START_SECTIONS,
} from "@firmseal/verifier/tools";
import { openWithTrialKey } from "../input/draft.js";
import { type DeviceKind, deviceKinds, installerRefusal, unidentified } from "../payload-check/payload-check.js";
import { type DigestText, formatDigest } from "../payload-check/tree.js";
import { isRefusal, refusalMeaning, refusalName } from "../refusals.js";

/** One action of a device, in order. */
export interface Action {
  what: "fetch" | "write" | "copy" | "swap" | "compare" | "check-content" | "start";
  /** Index of the component in the manifest. */
  component: number;
  /** fetch: where from, and whether the envelope has it. */
  uri?: string;
  inside?: boolean;
  /** Expected content, in bytes. */
  bytes?: number;
  digest?: DigestText;
  /** copy, swap: index of the source. */
  source?: number;
}

/** What devices of one kind do. */
export interface Behaviour {
  /** Slot in which the device would install. Missing if the release does not distinguish slots. */
  slot?: number;
  /** Whether the device has the images of the release already. Missing if that makes no difference. */
  has?: boolean;
  /** The devices: UUID, or hex of another identifier. `device`: missing if the release is not for single devices. */
  devices: { vendor: string; class: string; device?: string }[];
  install: Action[];
  start: Action[];
  /** The refusal with which the installation or the start ends. */
  refused?: { code: number; reason: string; words: string };
}

export interface Explained {
  sequence: string;
  /** Identifiers of the components: hex of each part. */
  components: string[][];
  /** Devices that behave alike are together. */
  behaviours: Behaviour[];
  /** Kinds of devices that the release is not for. */
  others: number;
}

const digestOf = (digest: Digest | undefined) => (digest ? { digest: formatDigest(digest) } : {});
const sizeOf = (size: number | undefined) => (size === undefined ? {} : { bytes: size });

function actionOf(m: Manifest, e: Effect): Action | undefined {
  const { component } = e;
  const expected = { ...sizeOf(e.size), ...digestOf(e.digest) };
  switch (e.op) {
    case DIR_FETCH:
      return { what: "fetch", component, uri: String(e.uri), inside: m.payloads.some((p) => p.uri === e.uri), ...expected };
    case DIR_WRITE:
      return { what: "write", component, bytes: e.content?.length ?? 0 };
    case DIR_COPY:
      return { what: "copy", component, source: e.source as number, ...expected };
    case DIR_SWAP:
      return { what: "swap", component, source: e.source as number, ...expected };
    case COND_IMAGE_MATCH:
      return { what: "compare", component, ...expected };
    case COND_CHECK_CONTENT:
      return { what: "check-content", component, bytes: e.content?.length ?? 0 };
    case DIR_INVOKE:
      return { what: "start", component };
    default:
      return undefined;
  }
}

/** A run that a refusal ends, with what was done before. */
class Ended extends Error {
  constructor(
    readonly refusal: { code: number },
    readonly done: Action[],
  ) {
    super();
  }
}

/** Runs some sections. Comparisons hold once the device has written the component, and before if it has the images. */
function actionsIn(m: Manifest, sections: readonly number[], kind: DeviceKind, has: boolean): Action[] {
  const run = start(
    m,
    sections.filter((s) => !m.absent.includes(s)),
    kind.identity,
  );
  const out: Action[] = [];
  const written = new Set<number>();
  let ok: boolean | undefined;
  for (;;) {
    let e: Effect | undefined;
    try {
      e = step(run, ok);
    } catch (x) {
      throw isRefusal(x) ? new Ended(x, out) : x;
    }
    const refusal = sections === INSTALL_SECTIONS ? (e ? installerRefusal(run, e) : unidentified(run)) : undefined;
    if (refusal) throw new Ended(refusal, out);
    if (!e) return out;
    const action = actionOf(m, e);
    const holds = has || written.has(e.component);
    ok = true;
    if (e.op === COND_COMPONENT_SLOT) ok = e.slot === kind.slot;
    else if (action?.what === "compare" || action?.what === "check-content") ok = holds;
    else if (e.op !== DIR_INVOKE) written.add(e.component);
    if (e.op === DIR_SWAP) written.add(e.source as number);
    // a comparison that fails leads to another branch, and has no effect
    if (action && ok) out.push(action);
  }
}

function behaviourOf(m: Manifest, kind: DeviceKind): Pick<Behaviour, "install" | "start" | "refused"> {
  const done: Pick<Behaviour, "install" | "start" | "refused"> = { install: [], start: [] };
  try {
    done.install = actionsIn(m, INSTALL_SECTIONS, kind, kind.there);
    done.start = actionsIn(m, START_SECTIONS, kind, true);
  } catch (e) {
    if (!(e instanceof Ended)) throw e;
    const { code } = e.refusal;
    // nothing is started from an installation that was refused
    done.install = done.install.length > 0 ? done.install : e.done;
    done.refused = { code, reason: refusalName(code), words: refusalMeaning(code) };
  }
  return done;
}

/** A UUID, or the hex of another identifier. Undefined: the release does not ask for it. */
function identifierText(bytes: ArrayLike<number> | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  return bytes.length === 16 ? formatUuid(bytes) : toHex(bytes);
}

/** Narrows what is explained. Identifiers as a device stores them. */
export interface ForDevice {
  vendor?: Uint8Array;
  class?: Uint8Array;
  slot?: number;
}

function isAsked({ identity, slot }: DeviceKind, o: ForDevice): boolean {
  const same = (asked: Uint8Array | undefined, found: ArrayLike<number> | undefined) =>
    asked === undefined || (found !== undefined && (found.length === 0 || toHex(found) === toHex(asked)));
  return same(o.vendor, identity.vendor?.[0]) && same(o.class, identity.class?.[0]) && (o.slot === undefined || o.slot === slot);
}

/** A pair of identifiers that the release does not combine is no device of it. */
const NOT_FOR_IT: ReadonlySet<string> = new Set(["VENDOR_MISMATCH", "CLASS_MISMATCH", "DEVICE_MISMATCH"]);

/** Puts devices with and without the images together if they do the same. */
function withoutNeedlessHas(all: readonly Behaviour[]): Behaviour[] {
  const name = ({ has, ...rest }: Behaviour) => JSON.stringify(rest);
  const names = all.map(name);
  return all.flatMap((one, i) => {
    const first = names.indexOf(name(one));
    if (first === names.lastIndexOf(name(one))) return [one];
    const { has, ...rest } = one;
    return first === i ? [rest] : [];
  });
}

/**
 * Explains a release that devices would open. `envelope`: signed or not; its signatures are not looked at. Throws the
 * refusal with which every device would refuse it before the first command, and a Failure if it distinguishes too many
 * kinds of devices.
 */
export async function explain(envelope: Uint8Array, o: ForDevice = {}): Promise<Explained> {
  const m = await openWithTrialKey(EnvelopeDraft.read(envelope));
  const kinds = deviceKinds(m).filter((kind) => isAsked(kind, o));
  const slots = new Set(kinds.map((kind) => kind.slot)).size > 1 || o.slot !== undefined;
  const groups = new Map<string, Behaviour>();
  let others = 0;
  for (const kind of kinds) {
    const found = behaviourOf(m, kind);
    if (found.refused && NOT_FOR_IT.has(found.refused.reason) && kinds.length > 2) {
      others++;
      continue;
    }
    const behaviour: Omit<Behaviour, "devices"> = { ...(slots && { slot: kind.slot }), has: kind.there, ...found };
    const name = JSON.stringify(behaviour);
    const group = groups.get(name) ?? { ...behaviour, devices: [] };
    const [vendor, classId, device] = (["vendor", "class", "device"] as const).map((part) => identifierText(kind.identity[part]?.[0]));
    group.devices.push({ vendor: vendor ?? "any", class: classId ?? "any", ...(device !== undefined && { device }) });
    groups.set(name, group);
  }
  return {
    sequence: formatSequence(m.sequence),
    components: m.components.map((id) => id.map(toHex)),
    behaviours: withoutNeedlessHas([...groups.values()]),
    others,
  };
}
