// Holds a record against the envelopes that it names: it is not signed, and backends publish by it.

import { join } from "node:path";
import { sha256Hex, visible } from "@firmseal/keys";
import { toHex } from "@firmseal/signer";
import { explain } from "../explain/explain.js";
import { readEnvelopeFile } from "../input/envelope-file.js";
import { fileOfUri, type VerifiedRelease } from "../payload-check/verified.js";
import { logDigest } from "../signing/authorize.js";
import { signersOf, testKeysAmong } from "../signing/signers.js";
import { classesOf } from "./devices.js";
import type { Board, Product } from "./file/product.js";
import { type Artifact, type ReleaseRecord, releaseFault } from "./record.js";

const AGAIN = "do not publish it: make the release again";

/** What devices fetch from outside the envelope, by URI. */
interface Fetched {
  digest: string | undefined;
  size: number | undefined;
  component: string | undefined;
  slots: Set<number | undefined>;
}

async function fetchedBy(envelope: Uint8Array, board: Board): Promise<Map<string, Fetched>> {
  const out = new Map<string, Fetched>();
  for (const { slot, install } of (await explain(envelope)).behaviours)
    for (const { what, uri, inside, digest, bytes, component } of install) {
      if (what !== "fetch" || inside || uri === undefined) continue;
      const one: Fetched = out.get(uri) ?? {
        digest: digest && `${digest.algorithm}:${digest.hex}`,
        size: bytes,
        component: board.images[component]?.name,
        slots: new Set(),
      };
      one.slots.add(slot);
      out.set(uri, one);
    }
  return out;
}

/** The slot that alone gets a payload. Null if both do. */
function slotOf({ slots }: Fetched): "a" | "b" | null {
  const [only, ...others] = slots;
  return others.length > 0 || only === undefined ? null : only === 0 ? "a" : "b";
}

/** Why the payloads in a record are not those that devices fetch. */
function payloadFault(payloads: readonly Artifact[], fetched: ReadonlyMap<string, Fetched>): string | undefined {
  const uris = payloads.map(({ uri }) => uri);
  const missing = [...fetched.keys()].find((uri) => !uris.includes(uri));
  if (missing !== undefined) return `the payload ${visible(missing)} is missing`;
  for (const [i, { file, uri, digest, size, component, slot }] of payloads.entries()) {
    const own = uri === null ? undefined : fetched.get(uri);
    if (!own || uris.indexOf(uri) !== i || fileOfUri(uri as string) !== file) return `the uri of ${file} is not the one in the envelope`;
    // by another hash, the file has been compared with both
    const isComparable = own.digest?.startsWith("sha-256:") === true;
    const is = { digest: isComparable ? own.digest : digest, size: own.size, component: own.component, slot: slotOf(own) };
    const says = { digest, size, component, slot };
    const wrong = (Object.keys(is) as (keyof typeof is)[]).find((member) => is[member] !== says[member]);
    if (wrong !== undefined) return `the ${wrong} of ${file} is not the one in the envelope`;
  }
  return undefined;
}

/** The signatures of an envelope, and the trusted keys that made them. */
interface FoundSigners {
  readonly outline: VerifiedRelease["outline"];
  readonly signers: readonly { readonly thumbprint: string | null }[];
}

/** Why the signers in a record are not those of the envelope. */
async function signersFault({ signers, testKeys }: Artifact, { outline, signers: verified }: FoundSigners): Promise<string | undefined> {
  const signed = outline.signatures.map(({ message, kid }) => `${sha256Hex(Uint8Array.from(message))} ${kid ? toHex(kid) : null}`);
  const said = signers.map(({ tbs, kid }) => `${tbs} ${kid}`);
  if (signed.sort().join() !== said.sort().join()) return "its signers are not those of the envelope";
  const named = new Set(signers.map(({ thumbprint }) => thumbprint));
  const unnamed = verified.find(({ thumbprint }) => thumbprint !== null && !named.has(thumbprint));
  if (unnamed) return `it does not name the signer ${unnamed.thumbprint?.slice(0, 16)}…`;
  const tests = testKeysAmong(await signersOf(outline.signatures, []));
  return [...tests].sort().join() === [...testKeys].sort().join() ? undefined : "its test keys are not those that signed";
}

/** What an envelope is, as a record must say it. */
export interface FoundContent {
  readonly version: string | undefined;
  readonly sequence: string;
  /** Its digest, as in logs. */
  readonly manifest: string;
  readonly bytes: Uint8Array;
}

const artifactsFor = (record: ReleaseRecord, { name }: Board) => record.artifacts.filter(({ board }) => board === name);

/** Refuses a record that says other things about a board than its envelope, signed or not, and the product file. */
export async function refuseRecordedContent(
  folder: string,
  record: ReleaseRecord,
  product: Product,
  board: Board,
  { bytes, version, sequence, manifest }: FoundContent,
): Promise<void> {
  const own = artifactsFor(record, board);
  const { vendor, classes } = classesOf(product, board);
  const is = {
    ...{ version, sequence, manifest },
    board: board.name,
    vendorId: vendor,
    classes: JSON.stringify(classes.map(({ name, id }) => [name, id])),
    revisions: JSON.stringify(board.revisions),
  };
  for (const one of own) {
    const says = {
      ...one,
      version: record.version,
      sequence: record.sequence,
      classes: JSON.stringify(one.classes.map(({ name, id }) => [name, id])),
      revisions: JSON.stringify(one.revisions),
    };
    const wrong = (Object.keys(is) as (keyof typeof is)[]).find((member) => is[member] !== says[member]);
    if (wrong !== undefined) throw releaseFault(`${join(folder, one.file)}: its ${wrong} is not the one in release.json`, AGAIN);
  }
  const payloads = own.filter(({ kind }) => kind === "payload");
  const fault = payloadFault(payloads, await fetchedBy(bytes, board));
  const path = join(folder, own.find(({ kind }) => kind === "envelope")?.file ?? "");
  if (fault !== undefined) throw releaseFault(`${path}: release.json: ${fault}`, AGAIN);
}

/** Refuses a record that says other things about the signers of a board than its envelope. */
export async function refuseRecordedSigners(folder: string, record: ReleaseRecord, board: Board, found: FoundSigners): Promise<void> {
  for (const one of artifactsFor(record, board)) {
    const fault = await signersFault(one, found);
    if (fault !== undefined) throw releaseFault(`${join(folder, one.envelope)}: release.json: ${fault}`, AGAIN);
  }
}

/** Refuses a record that says other things about a board than the verified envelope and the product file. */
export async function refuseRecord(
  folder: string,
  record: ReleaseRecord,
  artifact: Artifact,
  product: Product,
  board: Board,
  found: VerifiedRelease & { readonly version: string | undefined },
): Promise<void> {
  const { version, sequence } = found;
  const content = { version, sequence, manifest: logDigest(found.manifest), bytes: readEnvelopeFile(join(folder, artifact.file)) };
  await refuseRecordedSigners(folder, record, board, found);
  await refuseRecordedContent(folder, record, product, board, content);
}
