// What the page verifies: the envelope with the device bundle, then the payloads, and what a device does with both.

import type { Anchor, Identity, Manifest, Trust } from "@firmseal/verifier";
import {
  COMPONENT_TEXT_NAMES,
  decodeEnvelope,
  formatSequence,
  MAN_COSWID,
  MAN_MUD,
  MANIFEST_NAMES,
  TEXT_NAMES,
} from "@firmseal/verifier/tools";
import type { ReportData, ReportKey, ReportKind } from "../data.js";
import { HASH_FUNCTIONS, type Interpreter } from "../device-rules.js";
import type { DeviceKind } from "../device-run.js";
import { type Action, type Behaviour, explainManifest, hexOf } from "../explain.js";
import { digestInSlices, type OnProgress } from "./slices.js";
import { REPORT_TEXTS } from "./texts.js";
import { thumbprintOf } from "./thumbprint.js";

/** What the page uses of a device bundle. */
export interface DeviceBundle extends Pick<Interpreter, "start" | "step"> {
  open(envelope: Uint8Array, trust: Trust): Manifest;
  anchor(alg: string, key: Uint8Array, kid?: Uint8Array): Anchor;
  errors: { [name: string]: number };
}

export type PageData = Omit<ReportData, "envelope">;

/** The bytes of a short text in base64. */
export const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export interface PayloadFacts {
  uri: string;
  inside: boolean;
  bytes?: number;
  digest?: { algorithm: string; hex: string };
}

export interface Verified {
  sequence: string;
  digest: string;
  /** For each key, its thumbprint in hex, and whether it has signed. */
  thumbprints: string[];
  signed: boolean[];
  components: string[][];
  behaviours: Behaviour[];
  payloads: PayloadFacts[];
  texts: [label: string, text: string][];
  /** Elements for auditors. */
  elements: string[];
}

function anchorOf(device: DeviceBundle, { alg, key, kid, since, until }: ReportKey): Anchor {
  const anchor = device.anchor(alg, bytesOf(key), kid === undefined ? undefined : bytesOf(kid));
  return Object.assign(anchor, { ...(since && { since }), ...(until && { until }) });
}

function hasSigned(device: DeviceBundle, envelope: Uint8Array, anchor: Anchor): boolean {
  try {
    device.open(envelope, { anchors: [anchor], threshold: 1 });
    return true;
  } catch {
    return false;
  }
}

function kindOf({ vendor, class: name, device, slot, has, unchecked }: ReportKind): DeviceKind {
  const part = (text: string | undefined) => (text === undefined ? [] : [bytesOf(text)]);
  const identity: Identity = { vendor: part(vendor), class: part(name), device: part(device) };
  return { identity, slot, there: has, ...(unchecked && { unchecked }) };
}

/** Throws if the payload of an action is in the envelope and is not the one that was signed. */
type PayloadCheck = (action: Action & { uri: string }) => Promise<boolean>;

function payloadCheck(envelope: Uint8Array, progress?: OnProgress): PayloadCheck {
  const { payloads } = decodeEnvelope(envelope).envelope;
  const hashed = new Map<string, string>();
  return async ({ uri, bytes, digest }) => {
    const content = payloads.find((p) => p.uri === uri)?.content;
    if (!content) return false;
    const hash = digest && HASH_FUNCTIONS[digest.algorithm];
    if (!hash || (bytes !== undefined && bytes !== content.n)) throw new Error(REPORT_TEXTS.payloadWrong(uri));
    const key = `${digest.algorithm} ${content.at}`;
    const hex = hashed.get(key) ?? hexOf(await digestInSlices(hash, envelope.subarray(content.at, content.at + content.n), progress));
    hashed.set(key, hex);
    if (hex !== digest.hex) throw new Error(REPORT_TEXTS.payloadWrong(uri));
    return true;
  };
}

/** Each payload once, from what devices fetch. */
async function payloadsOf(behaviours: readonly Behaviour[], isInside: PayloadCheck): Promise<PayloadFacts[]> {
  const fetched = behaviours
    .flatMap(({ install }) => install)
    .filter((action): action is Action & { uri: string } => action.uri !== undefined);
  const found = new Map<string, PayloadFacts>();
  for (const action of fetched) {
    const { uri, bytes, digest } = action;
    const facts = { uri, inside: await isInside(action), ...(bytes !== undefined && { bytes }), ...(digest && { digest }) };
    found.set(JSON.stringify(facts), facts);
  }
  return [...found.values()];
}

const decoder = new TextDecoder();
const textOf = (bytes: ArrayLike<number>) => decoder.decode(Uint8Array.from(bytes));

function textsOf(envelope: Uint8Array): [string, string][] {
  return decodeEnvelope(envelope).text.flatMap(({ language, texts, components }) => [
    ...texts.map((t): [string, string] => [`${TEXT_NAMES[t.key] ?? t.key} (${textOf(language)})`, textOf(t.text)]),
    ...components.flatMap((c) =>
      c.texts.map((t): [string, string] => [`${COMPONENT_TEXT_NAMES[t.key] ?? t.key} (${textOf(language)})`, textOf(t.text)]),
    ),
  ]);
}

function elementsOf(envelope: Uint8Array): string[] {
  const outline = decodeEnvelope(envelope);
  return outline.manifest.digests.map(({ number }) => {
    const name =
      number === MAN_COSWID ? REPORT_TEXTS.sbom : number === MAN_MUD ? REPORT_TEXTS.mud : (MANIFEST_NAMES[number] ?? String(number));
    return REPORT_TEXTS.severed(name, !outline.absent.includes(number));
  });
}

/** The policy that the data of a report describes. */
export const trustOf = (device: DeviceBundle, { keys, threshold }: Pick<PageData, "keys" | "threshold">): Trust => ({
  anchors: keys.map((key) => anchorOf(device, key)),
  threshold,
});

/**
 * Verifies the release as a device does. `trust` has an anchor for each key of `data`. Throws the refusal of the
 * bundle, or an Error with words.
 */
export async function verifyReport(
  device: DeviceBundle,
  trust: Trust,
  data: PageData,
  envelope: Uint8Array,
  progress?: OnProgress,
): Promise<Verified> {
  const manifest = device.open(envelope, trust);
  const signed = trust.anchors.map((anchor) => hasSigned(device, envelope, anchor));
  const { components, behaviours } = explainManifest(device, manifest, data.kinds.map(kindOf), data.slots);
  const digest = decodeEnvelope(envelope).digest;
  return {
    sequence: formatSequence(manifest.sequence),
    digest: digest ? hexOf(digest.bytes) : "",
    thumbprints: trust.anchors.map(({ alg }, i) => hexOf(thumbprintOf(alg, bytesOf((data.keys[i] as ReportKey).key)))),
    signed,
    components,
    behaviours,
    payloads: await payloadsOf(behaviours, payloadCheck(envelope, progress)),
    texts: textsOf(envelope),
    elements: elementsOf(envelope),
  };
}
