// Reads a release as rules see it. Nothing is trusted: a rule says what is wrong, and `verify` decides what is trusted.

import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Explained } from "@firmseal/behaviour";
import { versionIn } from "@firmseal/behaviour";
import { VERSION_BYTES } from "@firmseal/formats";
import { Failure } from "@firmseal/keys";
import { readFirstBytes, STDIO, sizeOf } from "@firmseal/keys/internal";
import { EnvelopeDraft, keyOfAnchor, roleNames } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import {
  decodeEnvelope,
  decodeItem,
  formatSequence,
  MAN_COSWID,
  readSlice,
  refusalOf,
  type Slice,
  toHex,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { explain } from "../explain/explain.js";
import { isBillOfMaterials } from "../report/documents.js";
import { carriedStores } from "../rotation/plan/steps.js";
import { openWithTrialKey } from "../signing/draft.js";
import { scopeOf } from "../signing/scope.js";
import { readEnvelopeFile, readSource } from "../verify/envelope-file.js";
import { outsideUris } from "../verify/manifest-facts.js";
import { certainRefusal, checkPayloads, payloadFiles } from "../verify/payload-check.js";
import { isRefusal, refusalMeaning, refusalName } from "../verify/refusals.js";
import { type IdentifiedSignature, type KnownKey, signersOf } from "../verify/signers.js";
import { sequenceCommands } from "../verify/tree.js";
import { payloadsBeside } from "../verify/verified.js";
import type { CutInput } from "./cuts.js";
import type { LintPayload, LintPrevious, LintRelease } from "./rule.js";

/** A bill of materials in SPDX or CycloneDX, by the names that their specifications recommend. */
const BILL_OF_MATERIALS = /(^|\.)(spdx\.(json|rdf\.xml|ya?ml)|spdx|cdx\.(json|xml)|bom\.(json|xml))$/i;

const digestIn = ({ digest }: UnverifiedEnvelope) => (digest ? toHex(Uint8Array.from(digest.bytes)) : undefined);

/** The files of the payloads outside an envelope, by URI, and the URIs of those that are not there. */
function filesOf(path: string, { manifest, envelope }: UnverifiedEnvelope, given: readonly string[], inMemory?: ReadOptions["outside"]) {
  const parts = { ...manifest, payloads: envelope.payloads };
  const files = inMemory ? new Map<string, string>() : payloadsBeside(path, parts, payloadFiles(parts, given));
  return { files, unseen: outsideUris(parts).filter((uri) => !(files.has(uri) || inMemory?.has(uri))) };
}

function payloadsOf(
  { envelope }: UnverifiedEnvelope,
  files: ReadonlyMap<string, string>,
  inMemory: ReadOptions["outside"] = new Map(),
): LintPayload[] {
  const bytes = ({ at, n }: Slice) => Uint8Array.from(readSlice(envelope.input, { at, n: Math.min(n, VERSION_BYTES) }));
  return [
    ...envelope.payloads.map(({ uri, content }) => ({ uri, size: content.n, head: bytes(content) })),
    ...[...files].map(([uri, file]) => ({ uri, size: sizeOf(file), head: readFirstBytes(file, VERSION_BYTES) })),
    ...[...inMemory].map(([uri, content]) => ({ uri, size: content.length, head: content.subarray(0, VERSION_BYTES) })),
  ];
}

/** Whether the manifest has suit-coswid, severed or not. */
function hasCoswid({ envelope, manifest }: UnverifiedEnvelope): boolean {
  if (manifest.digests.some(({ number }) => number === MAN_COSWID)) return true;
  const { items } = decodeItem(Uint8Array.from(readSlice(envelope.input, envelope.manifestElement.inside)));
  return items.some(({ value }, i) => i % 2 === 0 && value === MAN_COSWID);
}

function hasBillBeside(path: string): boolean {
  if (path === STDIO) return false;
  const folder = dirname(path);
  try {
    return readdirSync(folder).some((name) => BILL_OF_MATERIALS.test(name) && isBillOfMaterials(join(folder, name)));
  } catch {
    // a folder that may not be listed shows none
    return false;
  }
}

interface Doings {
  explained?: Explained;
  refusal?: LintRelease["refusal"];
}

/** What devices do, and why all of them refuse, or all with one identity. */
async function doings(envelope: Uint8Array, files: Map<string, string>): Promise<Doings> {
  const words = (code: number) => ({ reason: refusalName(code), words: refusalMeaning(code) });
  try {
    const m = await openWithTrialKey(EnvelopeDraft.read(envelope));
    const refusal = certainRefusal(m);
    const explained = await explain(envelope);
    if (refusal) return { explained, refusal: words(refusal.code) };
    await checkPayloads(m, files);
    return { explained };
  } catch (e) {
    // there may be no room for the signature of a trial key
    if (isRefusal(e)) return e.code === errors.SIGNATURE_COUNT ? {} : { refusal: words(e.code) };
    // a refusal that names its payload
    if (e instanceof Failure && refusalOf(e.number)) return { refusal: { reason: e.reason, words: e.message.replace(/^refused: /, "") } };
    throw e;
  }
}

export interface ReadOptions {
  /** Files of payloads, as --payload names them. */
  readonly payload?: readonly string[];
  /** Keys that may have signed. */
  readonly known?: readonly KnownKey[];
  /** A bill of materials that the product names. */
  readonly sbom?: string;
  /** The payloads outside the envelope, by URI, if they are not in files yet. */
  readonly outside?: ReadonlyMap<string, Uint8Array>;
  /** Who will sign it, in the order of its signatures, if nobody has. */
  readonly signatures?: readonly IdentifiedSignature[];
}

/** The trust files that a release carries, of those that their own roots have signed. */
const storesIn = (path: string, envelope: Uint8Array, sequence: bigint): TrustStore[] =>
  carriedStores([{ name: path, envelope, sequence }]);

/** The keys of a trust file, with their roles. */
export function knownKeys(store: TrustStore | undefined): KnownKey[] {
  return (store?.anchors ?? []).flatMap((a) => {
    const key = keyOfAnchor(a);
    return key ? [{ name: "", key, roles: roleNames(a) }] : [];
  });
}

/**
 * Reads an envelope, signed or not, and what is beside it. `path`: where it is. Throws the refusals of
 * decodeEnvelope(), and Failures for files that cannot be read and for releases with too much in them.
 */
export async function readForLint(path: string, envelope: Uint8Array, o: ReadOptions = {}): Promise<LintRelease> {
  const outline = decodeEnvelope(envelope);
  const { manifest: m } = outline;
  const { files, unseen } = filesOf(path, outline, o.payload ?? [], o.outside);
  const { explained, refusal } = await doings(envelope, files);
  const sequence = BigInt(formatSequence(m.sequence));
  const carried = storesIn(path, envelope, sequence);
  return {
    path,
    outline,
    sequence,
    version: versionIn(outline),
    digest: digestIn(outline),
    signatures: o.signatures ?? (await signersOf(outline.signatures, [...(o.known ?? []), ...carried.flatMap(knownKeys)])),
    scope: scopeOf(m),
    sections: [...(m.shared ? [m.shared] : []), ...m.commands.map((c) => c.inside)].map((slice) => sequenceCommands(m.input, slice)),
    payloads: payloadsOf(outline, files, o.outside),
    unseen,
    explained,
    refusal,
    carried,
    hasBillOfMaterials: hasCoswid(outline) || hasBillBeside(path) || (o.sbom !== undefined && isBillOfMaterials(o.sbom)),
  };
}

/** What is compared with an earlier release. */
export interface EarlierRelease extends LintPrevious {
  readonly scope: readonly string[];
}

/** Reads an earlier release. Throws the refusals of decodeEnvelope(). */
export function readEarlier(path: string): EarlierRelease {
  const outline = decodeEnvelope(readEnvelopeFile(path));
  return {
    path,
    sequence: BigInt(formatSequence(outline.manifest.sequence)),
    version: versionIn(outline),
    digest: digestIn(outline),
    scope: scopeOf(outline.manifest),
  };
}

/** A release to install on a simulated device. Undefined if a payload is not there. */
export function readToInstall(path: string, envelope: Uint8Array, payload: readonly string[] = []): CutInput | undefined {
  const { files, unseen } = filesOf(path, decodeEnvelope(envelope), payload);
  return unseen.length > 0 ? undefined : { envelope, payloads: new Map([...files].map(([uri, file]) => [uri, readSource(file)])) };
}
