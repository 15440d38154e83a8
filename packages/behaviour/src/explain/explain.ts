// What a device does with a release: the interpreter runs it for every kind of device that it distinguishes, with the
// answers that this kind gives, and each effect becomes an action. The interpreter is given, so that a page can use
// that of a device bundle.

import { type Bytes, type Digest, type Effect, errors, type Manifest } from "@firmseal/verifier";
import { type ActionName, COMMAND_ROWS, formatSequence, HASH_NAMES, refusalOf, toHex } from "@firmseal/verifier/tools";
import type { Interpreter, Phase } from "./device-rules.js";
import { type Course, coursesOf, type DeviceKind, type DeviceRefusal } from "./device-run.js";

/** One action of a device, in order. */
export interface Action {
  what: ActionName;
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
  /** Whether the device already has the images of the release. Missing if that makes no difference. */
  has?: boolean;
  /** The devices: UUID, or hex of another identifier. `device`: missing if the release is not for single devices. */
  devices: { vendor: string; class: string; device?: string }[];
  install: Action[];
  start: Action[];
  /** The refusal with which the installation or the start ends. */
  refused?: { during: Phase; code: number; reason: string; words: string };
}

/** What a release makes devices do. */
export interface Explained {
  /** The sequence number, in decimal. */
  sequence: string;
  /** Identifiers of the components: hex of each part. */
  components: string[][];
  /** Devices that behave alike share an entry. */
  behaviours: Behaviour[];
  /** Kinds of devices that the release is not for. */
  others: number;
}

/**
 * Formats an identifier.
 *
 * @param bytes - The identifier, or undefined if the release does not ask for it.
 * @returns A UUID for 16 bytes, otherwise hex. undefined for undefined.
 */
export function identifierText(bytes: Bytes | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const hex = toHex(bytes);
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : hex;
}

const digestOf = (digest: Digest | undefined) =>
  digest ? { digest: { algorithm: HASH_NAMES[digest.alg] ?? String(digest.alg), hex: toHex(digest.bytes) } } : {};
const sizeOf = (size: number | undefined) => (size === undefined ? {} : { bytes: size });

/** What a component must hold afterwards, or already holds. */
function expectedOf({ content, size, digest }: Effect): Pick<Action, "bytes" | "digest"> {
  return content ? { bytes: content.length } : { ...sizeOf(size), ...digestOf(digest) };
}

/**
 * Describes an effect as an action of a device.
 *
 * @param m - The open manifest.
 * @param e - The effect, from step().
 * @returns The action, or undefined for a question about the slot of the device.
 */
export function actionOf(m: Manifest, e: Effect): Action | undefined {
  const what = COMMAND_ROWS[e.op]?.action;
  if (what === undefined) return undefined;
  const { component, uri, source } = e;
  return {
    what,
    component,
    ...(uri !== undefined && { uri, inside: m.payloads.some((p) => p.uri === uri) }),
    ...(source !== undefined && { source }),
    ...(what !== "start" && expectedOf(e)),
  };
}

/**
 * Adds the name and the words to a refusal.
 *
 * @param refusal - The number, and the phase in which the device refuses.
 * @returns The refusal, for refusedWords().
 */
export function namedRefusal({ during, code }: Pick<DeviceRefusal, "during" | "code">): NonNullable<Behaviour["refused"]> {
  const row = refusalOf(code);
  return { during, code, reason: row?.name ?? "UNKNOWN", words: row?.meaning ?? `number ${code}` };
}

function behaviourOf(by: Interpreter, m: Manifest, kind: DeviceKind): Pick<Behaviour, "install" | "start" | "refused"> {
  const { install, start } = coursesOf(by, m, kind);
  const actions = (course: Course | undefined) => (course?.done ?? []).flatMap((e) => actionOf(m, e) ?? []);
  const refused = install?.refused ?? start?.refused;
  return { install: actions(install), start: actions(start), ...(refused && { refused: namedRefusal(refused) }) };
}

/** A pair of identifiers that the release does not combine is not one of its devices. */
const NOT_FOR_IT: readonly number[] = [errors.VENDOR_MISMATCH, errors.CLASS_MISMATCH, errors.DEVICE_MISMATCH];

/**
 * Asks whether a device refuses a release because the release is for other devices.
 *
 * @param refusal - The number of the refusal, from kindRefusal().
 * @returns true if an identifier of the device is not one that the release asks for.
 */
export const isOfIdentity = ({ code }: Pick<DeviceRefusal, "code">): boolean => NOT_FOR_IT.includes(code);

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

/** Options of explainManifest(). */
export interface ExplainOptions {
  /** Whether to name slots. */
  slots?: boolean;
}

/**
 * Finds what each kind of device does with an open manifest.
 *
 * @param by - The interpreter that runs the commands: limitedInterpreter().
 * @param m - The manifest, from open() of the verifier.
 * @param kinds - The kinds of device: everyKind().
 * @param options - Whether to name slots.
 * @returns What each kind does, for explainedLines(). Kinds that do the same share an entry.
 * @example
 * ```ts
 * import { everyKind, explainedLines, explainManifest, limitedInterpreter } from "@firmseal/behaviour";
 * import { open } from "@firmseal/verifier";
 *
 * const interpreter = limitedInterpreter(1_000_000, () => new Error("too many commands"));
 * const kinds = everyKind([vendorUuid], [classUuid], [new Uint8Array()], [0]);
 * const explained = explainManifest(interpreter, open(envelope, trust), kinds);
 * console.log(explainedLines(explained).join("\n"));
 * ```
 */
export function explainManifest(
  by: Interpreter,
  m: Manifest,
  kinds: readonly DeviceKind[],
  { slots = false }: ExplainOptions = {},
): Explained {
  const groups = new Map<string, Behaviour>();
  const all = kinds.map((kind) => ({ kind, found: behaviourOf(by, m, kind) }));
  const own = all.filter(({ found: { refused } }) => !(refused && isOfIdentity(refused)));
  // where it is for none of them, each is a device that refuses it
  const shown = own.length > 0 && all.length > 2 ? own : all;
  for (const { kind, found } of shown) {
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
    others: all.length - shown.length,
  };
}
