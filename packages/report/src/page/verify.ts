// What the page verifies: the envelope with the device bundle, then the payloads, and what a device does with both.

import {
  type Behaviour,
  type DeviceKind,
  derivedNames,
  type Expectation,
  explainManifest,
  HASH_FUNCTIONS,
  type IdentifierNames,
  type Interpreter,
  loadedPayloadsOf,
  payloadsOf,
  versionIn,
} from "@firmseal/behaviour";
import { type Anchor, errors, type Identity, type Manifest, type Trust } from "@firmseal/verifier";
import {
  ALG_NAMES,
  COMPONENT_TEXT_NAMES,
  type CoseSignature,
  decodeEnvelope,
  formatSequence,
  HASH_NAMES,
  MAN_COSWID,
  MAN_MUD,
  MANIFEST_NAMES,
  TEXT_NAMES,
  toHex,
} from "@firmseal/verifier/tools";
import type { ReportData, ReportKey, ReportKind } from "../data.js";
import { digestInSlices, type OnProgress } from "./slices.js";
import { REPORT_TEXTS } from "./texts.js";
import { thumbprintOf } from "./thumbprint.js";

/** What the page uses of a device bundle. */
export interface DeviceBundle extends Pick<Interpreter, "start" | "step"> {
  open(envelope: Uint8Array, trust: Trust): Manifest;
  anchor(alg: string, key: Uint8Array, kid?: Uint8Array): Anchor;
  errors: { [name: string]: number };
}

/** What the page reads from its own file, besides the envelope. */
export type PageData = Omit<ReportData, "envelope">;

/** The bytes of a short text in base64. */
export const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

export interface PayloadFacts {
  uri: string;
  /** Index of the component that gets it. */
  component: number;
  inside: boolean;
  /** Whether the page has compared it: never if it is outside. */
  checked: boolean;
  bytes?: number;
  digest?: { algorithm: string; hex: string };
}

/** What the page says about a release that it has verified. */
export interface Verified {
  /** The sequence number, in decimal. */
  sequence: string;
  /** The digest of the manifest, in hex. */
  digest: string;
  /** The version that its text names. */
  version?: string;
  /** For each key, its thumbprint in hex, and whether it has signed. */
  thumbprints: string[];
  signed: boolean[];
  /** For each key that has signed and is a published test key, its name. */
  testKeys: (string | undefined)[];
  /** Signatures that none of the keys made which have signed and count. `testKey`: the published test key that did. */
  unknown: { alg: string; kid: string; testKey?: string }[];
  /** The names from which the signed identifiers follow. */
  names: IdentifierNames;
  /** Identifiers of the components: hex of each part. */
  components: string[][];
  behaviours: Behaviour[];
  payloads: PayloadFacts[];
  /** The texts of the manifest, each with its label. */
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

/** The signatures that no key made which has signed and counts. `testKeyOf`: as in the data of a report. */
function unknownSignatures(
  signatures: readonly CoseSignature[],
  anchors: readonly Anchor[],
  testKeyOf: PageData["testKeyOf"] = [],
): Verified["unknown"] {
  const isBy = ({ alg, message, signature }: CoseSignature) =>
    anchors.some((a) => a.alg.ids.includes(alg) && a.alg.verify(a.key, message, signature, {}) === true);
  return signatures.flatMap((one, i) => {
    if (isBy(one)) return [];
    const { alg, kid } = one;
    const testKey = testKeyOf[i] ?? undefined;
    return [{ alg: ALG_NAMES[alg] ?? String(alg), kid: kid ? toHex(kid) : "", ...(testKey !== undefined && { testKey }) }];
  });
}

function kindOf({ vendor, class: name, device, slot, has, unchecked }: ReportKind): DeviceKind {
  const part = (text: string | undefined) => (text === undefined ? [] : [bytesOf(text)]);
  const identity: Identity = { vendor: part(vendor), class: part(name), device: part(device) };
  return { identity, slot, there: has, ...(unchecked && { unchecked }) };
}

/** A payload that is not the one that was signed: the number of the refusal of devices, and the URI. */
const payloadRefusal = (code: number, payload: string): Error =>
  Object.assign(new Error(REPORT_TEXTS.payloadWrong(payload)), { code, payload });

/** Compares payloads in an envelope with what a device expects of them. Gives those that were compared. */
function payloadCheck(envelope: Uint8Array, progress?: OnProgress) {
  const { payloads } = decodeEnvelope(envelope).envelope;
  const hashed = new Map<string, string>();
  const met = new Set<string>();
  const compare = async ({ uri, digest, size }: Expectation): Promise<void> => {
    const content = payloads.find((p) => p.uri === uri)?.content;
    if (!content) return;
    if (size !== undefined && size !== content.n) throw payloadRefusal(errors.PAYLOAD_SIZE, uri);
    const hash = digest && HASH_FUNCTIONS[HASH_NAMES[digest.alg] ?? ""];
    if (!hash) return;
    const key = `${digest.alg} ${content.at}`;
    const hex = hashed.get(key) ?? toHex(await digestInSlices(hash, envelope.subarray(content.at, content.at + content.n), progress));
    hashed.set(key, hex);
    if (hex !== toHex(digest.bytes)) throw payloadRefusal(errors.IMAGE_MISMATCH, uri);
    met.add(uri);
  };
  return { uris: payloads.map(({ uri }) => uri), met, compare };
}

/**
 * Checks the payloads in the envelope for each kind of device, as the command line does. Gives those that were
 * compared.
 */
async function checkPayloads(
  device: DeviceBundle,
  manifest: Manifest,
  kinds: readonly DeviceKind[],
  envelope: Uint8Array,
  progress?: OnProgress,
): Promise<ReadonlySet<string>> {
  const { uris, met, compare } = payloadCheck(envelope, progress);
  let isTaken = false;
  for (const kind of kinds) {
    const { expected, refused } = payloadsOf(device, manifest, kind);
    for (const one of expected) await compare(one);
    if (refused !== undefined && typeof (refused as { code?: unknown }).code !== "number") throw refused;
    isTaken ||= refused === undefined;
  }
  // a start may take what no installation does
  if (isTaken && met.size < uris.length)
    for (const kind of kinds) for (const one of loadedPayloadsOf(device, manifest, kind)) await compare(one);
  const unmet = isTaken ? uris.find((uri) => !met.has(uri)) : undefined;
  if (unmet !== undefined) throw payloadRefusal(errors.DIGEST_UNSET, unmet);
  return met;
}

/** Each payload once, from what devices fetch. `met`: those in the envelope that were compared. */
function payloadFacts(behaviours: readonly Behaviour[], met: ReadonlySet<string>): PayloadFacts[] {
  const found = new Map<string, PayloadFacts>();
  for (const { uri, component, inside, bytes, digest } of behaviours.flatMap(({ install }) => install)) {
    if (uri === undefined) continue;
    const where = { uri, component, inside: inside === true, checked: met.has(uri) };
    const facts = { ...where, ...(bytes !== undefined && { bytes }), ...(digest && { digest }) };
    found.set(JSON.stringify(facts), facts);
  }
  return [...found.values()];
}

const decoder = new TextDecoder();
const textOf = (bytes: ArrayLike<number>) => decoder.decode(Uint8Array.from(bytes));

const textLabel = (name: string | undefined, key: unknown, language: ArrayLike<number>) =>
  `${REPORT_TEXTS.textNames[name ?? ""] ?? name ?? key} (${textOf(language)})`;

function textsOf(envelope: Uint8Array): [string, string][] {
  return decodeEnvelope(envelope).text.flatMap(({ language, texts, components }) => [
    ...texts.map((t): [string, string] => [textLabel(TEXT_NAMES[t.key], t.key, language), textOf(t.text)]),
    ...components.flatMap((c) =>
      c.texts.map((t): [string, string] => [textLabel(COMPONENT_TEXT_NAMES[t.key], t.key, language), textOf(t.text)]),
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

/** Throws if too few keys of a family have signed: a device bundle reads these thresholds from trust files only. */
function checkFamilies(families: PageData["families"], signed: readonly boolean[]): void {
  for (const { keys, threshold } of families ?? [])
    if (keys.filter((i) => signed[i]).length < threshold) throw Object.assign(new Error(), { code: errors.SIGNATURE_FAMILY });
}

/** The names of published test keys, by their thumbprints in hex. */
export type TestKeyNames = (thumbprint: string) => string | undefined;

/**
 * Verifies the release as a device does.
 *
 * @param device - The device bundle of the page.
 * @param trust - Has an anchor for each key of `data`.
 * @param data - The data of the page.
 * @param envelope - The envelope.
 * @param testKeyName - Names published test keys.
 * @param progress - Is called with what is done.
 * @returns What was verified.
 * @throws The refusal of the bundle, or an Error with words.
 */
export async function verifyReport(
  device: DeviceBundle,
  trust: Trust,
  data: PageData,
  envelope: Uint8Array,
  testKeyName: TestKeyNames,
  progress?: OnProgress,
): Promise<Verified> {
  const manifest = device.open(envelope, trust);
  const signed = trust.anchors.map((anchor) => hasSigned(device, envelope, anchor));
  checkFamilies(data.families, signed);
  const kinds = data.kinds.map(kindOf);
  const met = await checkPayloads(device, manifest, kinds, envelope, progress);
  const { components, behaviours } = explainManifest(device, manifest, kinds, data);
  const outline = decodeEnvelope(envelope);
  const { digest, signatures } = outline;
  const version = versionIn(outline);
  const thumbprints = trust.anchors.map(({ alg }, i) => toHex(thumbprintOf(alg, bytesOf((data.keys[i] as ReportKey).key))));
  return {
    sequence: formatSequence(manifest.sequence),
    digest: digest ? toHex(digest.bytes) : "",
    ...(version !== undefined && { version }),
    thumbprints,
    signed,
    testKeys: thumbprints.map((one, i) => (signed[i] ? testKeyName(one) : undefined)),
    unknown: unknownSignatures(
      signatures,
      trust.anchors.filter((_, i) => signed[i]),
      data.testKeyOf,
    ),
    names: derivedNames(data.names, behaviours),
    components,
    behaviours,
    payloads: payloadFacts(behaviours, met),
    texts: textsOf(envelope),
    elements: elementsOf(envelope),
  };
}
