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
import { HASHES, type Interpreter } from "../device-rules.js";
import type { DeviceKind } from "../device-run.js";
import { type Action, type Behaviour, explainManifest, hexOf } from "../explain.js";
import { TEXTS } from "./texts.js";
import { thumbprintOf } from "./thumbprint.js";

/** What the page uses of a device bundle. */
export interface DeviceBundle extends Pick<Interpreter, "start" | "step"> {
  open(envelope: Uint8Array, trust: Trust): Manifest;
  anchor(alg: string, key: Uint8Array, kid?: Uint8Array): Anchor;
  errors: { [name: string]: number };
}

export type PageData = Omit<ReportData, "envelope">;

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

/** Each payload once, from what devices fetch. Throws if one in the envelope does not match its digest. */
function payloadsOf(behaviours: readonly Behaviour[], envelope: Uint8Array): PayloadFacts[] {
  const { payloads } = decodeEnvelope(envelope).envelope;
  const fetched = behaviours
    .flatMap(({ install }) => install)
    .filter((action): action is Action & { uri: string } => action.uri !== undefined);
  const found = new Map<string, PayloadFacts>();
  const hashed = new Map<string, string>();
  const digestOf = (algorithm: string, { at, n }: { at: number; n: number }) => {
    const key = `${algorithm} ${at}`;
    const known = hashed.get(key) ?? hexOf(HASHES[algorithm]?.(envelope.subarray(at, at + n)) ?? []);
    hashed.set(key, known);
    return known;
  };
  for (const { uri, bytes, digest } of fetched) {
    const content = payloads.find((p) => p.uri === uri)?.content;
    if (content) {
      const fits = bytes === undefined || bytes === content.n;
      if (!digest || !fits || digestOf(digest.algorithm, content) !== digest.hex) throw new Error(TEXTS.payloadWrong(uri));
    }
    const facts = { uri, inside: content !== undefined, ...(bytes !== undefined && { bytes }), ...(digest && { digest }) };
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
    const name = number === MAN_COSWID ? TEXTS.sbom : number === MAN_MUD ? TEXTS.mud : (MANIFEST_NAMES[number] ?? String(number));
    return TEXTS.severed(name, !outline.absent.includes(number));
  });
}

/** Verifies the release as a device does. Throws the refusal of the bundle, or an Error with words. */
export function verifyRelease(device: DeviceBundle, data: PageData, envelope: Uint8Array): Verified {
  const anchors = data.keys.map((key) => anchorOf(device, key));
  const manifest = device.open(envelope, { anchors, threshold: data.threshold });
  const signed = anchors.map((anchor) => hasSigned(device, envelope, anchor));
  const { components, behaviours } = explainManifest(device, manifest, data.kinds.map(kindOf), data.slots);
  const digest = decodeEnvelope(envelope).digest;
  return {
    sequence: formatSequence(manifest.sequence),
    digest: digest ? hexOf(digest.bytes) : "",
    thumbprints: data.keys.map(({ alg, key }) => hexOf(thumbprintOf(alg, bytesOf(key)))),
    signed,
    components,
    behaviours,
    payloads: payloadsOf(behaviours, envelope),
    texts: textsOf(envelope),
    elements: elementsOf(envelope),
  };
}
