// What a device does with a release: the interpreter runs it for every kind of device that it distinguishes, with the
// answers that this kind gives, and each effect becomes an action. The interpreter is given, so that a page can use that
// of a device bundle.

import { type Bytes, type Digest, type Effect, errors, type Identity, INSTALL_SECTIONS, type Manifest } from "@firmseal/verifier";
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
  HASH_NAMES,
  refusalOf,
  START_SECTIONS,
} from "@firmseal/verifier/tools";
import { type Interpreter, installerRefusal, Known, type Phase } from "./device-rules.js";

/** A kind of device that a manifest distinguishes. */
export interface DeviceKind {
  identity: Identity;
  /** Slot in which it installs. */
  slot: number;
  /** Whether it has the images already. */
  there: boolean;
  /** The part in which it refuses a release that does not check its identity, for an interpreter that cannot tell. */
  unchecked?: Phase;
}

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
  /** Name of the hash, and hex. */
  digest?: { algorithm: string; hex: string };
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
  refused?: { during: Phase; code: number; reason: string; words: string };
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

/** Two digits for each byte. */
export const hexOf = (bytes: Bytes): string => {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += ((bytes[i] as number) + 256).toString(16).substring(1);
  return text;
};

/** A UUID, or the hex of another identifier. Undefined: the release does not ask for it. */
export function identifierText(bytes: Bytes | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const hex = hexOf(bytes);
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : hex;
}

const digestOf = (digest: Digest | undefined) =>
  digest ? { digest: { algorithm: HASH_NAMES[digest.alg] ?? String(digest.alg), hex: hexOf(digest.bytes) } } : {};
const sizeOf = (size: number | undefined) => (size === undefined ? {} : { bytes: size });

/** What an effect is for a device. Undefined: a question about its slot. */
export function actionOf(m: Manifest, e: Effect): Action | undefined {
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
    readonly code: number,
    readonly done: Action[],
  ) {
    super();
  }
}

const SECTIONS = { install: INSTALL_SECTIONS, start: START_SECTIONS } as const;

/** Runs some sections. Comparisons hold once the device has written the component, and before if it has the images. */
function actionsIn(given: Interpreter, m: Manifest, during: Phase, kind: DeviceKind, has: boolean): Action[] {
  const by = kind.unchecked === during ? { ...given, identityChecked: () => false } : given;
  const sections = SECTIONS[during].filter((s) => !m.absent.includes(s));
  const run = by.start(m, sections, kind.identity);
  const out: Action[] = [];
  const known = new Known(during);
  let ok: boolean | undefined;
  for (;;) {
    let e: Effect | undefined;
    try {
      e = by.step(run, ok);
    } catch (x) {
      const { code } = x as { code?: unknown };
      throw typeof code === "number" ? new Ended(code, out) : x;
    }
    const refusal = installerRefusal(by, run, e, during) ?? (e && known.refusal(e));
    if (refusal !== undefined) throw new Ended(refusal, out);
    if (!e) return out;
    const action = actionOf(m, e);
    ok = true;
    if (e.op === COND_COMPONENT_SLOT) ok = e.slot === kind.slot;
    else if (action?.what === "compare" || action?.what === "check-content") ok = has || known.written.has(e.component);
    if (ok) known.took(e);
    // a comparison that fails leads to another branch, and has no effect
    if (action && ok) out.push(action);
  }
}

function behaviourOf(by: Interpreter, m: Manifest, kind: DeviceKind): Pick<Behaviour, "install" | "start" | "refused"> {
  const done: Pick<Behaviour, "install" | "start" | "refused"> = { install: [], start: [] };
  for (const during of ["install", "start"] as const) {
    try {
      done[during] = actionsIn(by, m, during, kind, during === "start" || kind.there);
    } catch (e) {
      if (!(e instanceof Ended)) throw e;
      const { code, done: before } = e;
      done[during] = before;
      const row = refusalOf(code);
      done.refused = { during, code, reason: row?.name ?? "UNKNOWN", words: row?.meaning ?? `number ${code}` };
      // nothing is started from an installation that was refused
      return done;
    }
  }
  return done;
}

/** A pair of identifiers that the release does not combine is no device of it. */
const NOT_FOR_IT: readonly number[] = [errors.VENDOR_MISMATCH, errors.CLASS_MISMATCH, errors.DEVICE_MISMATCH];

/** Puts devices with and without the images together if they do the same. */
function withoutNeedlessHas(all: readonly Behaviour[]): Behaviour[] {
  const same = new Map<string, Behaviour[]>();
  for (const one of all) {
    const { has, ...rest } = one;
    const name = JSON.stringify(rest);
    same.set(name, [...(same.get(name) ?? []), one]);
  }
  return [...same.values()].flatMap((group) => {
    const [{ has, ...rest }] = group as [Behaviour];
    return group.length > 1 ? [rest] : group;
  });
}

/** What each kind of device does with an open manifest. `slots`: whether slots are to be named. */
export function explainManifest(by: Interpreter, m: Manifest, kinds: readonly DeviceKind[], slots: boolean): Explained {
  const groups = new Map<string, Behaviour>();
  let others = 0;
  for (const kind of kinds) {
    const found = behaviourOf(by, m, kind);
    if (found.refused && NOT_FOR_IT.includes(found.refused.code) && kinds.length > 2) {
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
    components: m.components.map((id) => id.map(hexOf)),
    behaviours: withoutNeedlessHas([...groups.values()]),
    others,
  };
}
