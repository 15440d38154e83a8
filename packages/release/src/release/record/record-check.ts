// Checks a record against the envelopes that it names: backends publish by it.

import { join } from "node:path";
import { type Artifact, payloadFault, type ReleaseRecord, signersFault } from "@firmseal/behaviour";
import { explain } from "../../explain/explain.js";
import type { Board, Product } from "../../product/file/product.js";
import { releaseFault } from "../../product/record.js";
import { logDigest } from "../../signing/scope.js";
import { readEnvelopeFile } from "../../verify/envelope-file.js";
import { signersOf, testKeysAmong } from "../../verify/signers.js";
import type { VerifiedRelease } from "../../verify/verified.js";
import { classesOf } from "../board/devices.js";

const AGAIN = "do not publish it: make the release again";

/** The signatures of an envelope, and the trusted keys that made them. */
interface FoundSigners {
  readonly outline: VerifiedRelease["outline"];
  readonly signers: readonly { readonly thumbprint: string | null }[];
}

/** Why the signers in a record are not those of the envelope, or its test keys. */
async function faultOfSigners(artifact: Artifact, { outline, signers }: FoundSigners): Promise<string | undefined> {
  const fault = signersFault(
    artifact,
    outline,
    signers.map(({ thumbprint }) => thumbprint),
  );
  if (fault !== undefined) return fault;
  const tests = testKeysAmong(await signersOf(outline.signatures, []));
  return [...tests].sort().join() === [...artifact.testKeys].sort().join() ? undefined : "its test keys are not those that signed";
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
  const { behaviours } = await explain(bytes);
  const fault = payloadFault(
    payloads,
    behaviours,
    board.images.map(({ name }) => name),
  );
  const path = join(folder, own.find(({ kind }) => kind === "envelope")?.file ?? "");
  if (fault !== undefined) throw releaseFault(`${path}: release.json: ${fault}`, AGAIN);
}

/** Refuses a record that says other things about the signers of a board than its envelope. */
export async function refuseRecordedSigners(folder: string, record: ReleaseRecord, board: Board, found: FoundSigners): Promise<void> {
  for (const one of artifactsFor(record, board)) {
    const fault = await faultOfSigners(one, found);
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
  const { version } = found;
  const content = {
    version,
    sequence: String(found.sequence),
    manifest: logDigest(found.manifest),
    bytes: readEnvelopeFile(join(folder, artifact.file)),
  };
  await refuseRecordedSigners(folder, record, board, found);
  await refuseRecordedContent(folder, record, product, board, content);
}
