// The record of a release, and its files, as a plan makes them: again at each signature, so that what is there is
// compared and never copied.

import { join } from "node:path";
import {
  type Artifact,
  RECORD,
  type RecordedSigner,
  type RecordSignature,
  type ReleaseRecord,
  recordContradiction,
  SUMS,
  statementOf,
} from "@firmseal/behaviour";
import { type Entry, keyFacts } from "@firmseal/keys";
import { SIGN_RECORD, sha256Hex, withdrawalsAmong } from "@firmseal/keys/internal";
import { EnvelopeDraft, type PublicKey } from "@firmseal/signer";
import { equalBytes } from "@firmseal/verifier/tools";
import { sourceDate } from "../../input/clock.js";
import { GET_AGAIN, releaseFault, sumsOf } from "../../product/record.js";
import { logDigest } from "../../signing/scope.js";
import { signersOf, testKeysAmong } from "../../verify/signers.js";
import { classesOf } from "../board/devices.js";
import type { PreparedBoard } from "../board/prepare.js";
import { envelopeName } from "../names.js";
import { boardNames, type ReleasePlan } from "../plan.js";
import { type RecordClaim, recordClaims } from "../record/record-signatures.js";
import { type BoardProgress, isAmong, missingOf } from "./progress.js";

/** A signature of the record, and the key that made it. */
export interface SignedRecord {
  readonly key: PublicKey;
  readonly written: RecordSignature;
}

/** For each entry about a record of this version: its digest, and the withdrawn releases without those after it. */
export function enteredBefore(
  { version, withdrawn }: ReleasePlan,
  log: readonly Entry[],
): { readonly digest: string; readonly names: ReleaseRecord["withdrawn"] }[] {
  return log.flatMap((entry, at) => {
    if (entry.operation !== SIGN_RECORD || entry.version !== version || entry.digest === undefined) return [];
    const before = new Set(withdrawalsAmong(log.slice(0, at)).map(({ digest }) => digest));
    const later = new Set(withdrawalsAmong(log.slice(at)).flatMap(({ digest }) => (before.has(digest) ? [] : [digest])));
    return [{ digest: entry.digest, names: withdrawn.filter(({ manifests }) => !manifests.some((one) => later.has(one))) }];
  });
}

/** Refuses what nobody could read again. */
export function checkRecord(folder: string, record: ReleaseRecord): void {
  const fault = recordContradiction(record);
  if (fault !== undefined)
    throw releaseFault(`${join(folder, RECORD)} would contradict itself: ${fault}`, "give the release a higher number");
}

export async function statementOfPlan(plan: ReleasePlan, drafts: readonly EnvelopeDraft[]): Promise<Uint8Array> {
  const record = await recordOf(plan, [], drafts, []);
  checkRecord(plan.folder, { ...record, signatures: [] });
  return statementOf(record, boardNames(plan));
}

/**
 * The signatures of a record. It must say what the plan makes, and each key that signed the boards must have signed it,
 * and nobody else.
 */
export async function signaturesOfRecord(
  plan: ReleasePlan,
  record: ReleaseRecord,
  drafts: readonly EnvelopeDraft[],
  signers: readonly PublicKey[],
): Promise<SignedRecord[]> {
  const path = join(plan.folder, RECORD);
  const boards = boardNames(plan);
  if (!equalBytes(statementOf(record, boards), await statementOfPlan(plan, drafts)))
    throw releaseFault(`${path} does not describe the release that the product file makes`, GET_AGAIN);
  const claims = recordClaims(plan.folder, record);
  const found = await signersOf(
    claims,
    signers.map((key) => ({ name: "", key })),
  );
  const out = found.map(({ status, by }, i): SignedRecord => {
    if (status !== "valid" || !by) throw releaseFault(`${path} was changed, or has a signature of a stranger`, GET_AGAIN);
    return { key: by.key, written: (claims[i] as RecordClaim).written };
  });
  for (const key of signers) {
    const covered = out.flatMap((one) => (isAmong(one.key, [key]) ? one.written.boards : []));
    if (boards.some((name) => !covered.includes(name)))
      throw releaseFault(`${path} is not signed by each key that signed the boards`, GET_AGAIN);
  }
  return out;
}

async function artifactsOf(
  { product, version, options }: ReleasePlan,
  keys: readonly PublicKey[],
  { board, images }: PreparedBoard,
  draft: EnvelopeDraft,
): Promise<Artifact[]> {
  const { vendor, classes } = classesOf(product, board);
  const envelope = envelopeName(product, board.name, version, options.role);
  const { outline } = EnvelopeDraft.read(draft.bytes);
  const found = await signersOf(
    outline.signatures,
    keys.map((key) => ({ name: "", key })),
  );
  const signers = found.flatMap(({ by, kid }, i): RecordedSigner[] => {
    const { message } = outline.signatures[i] as (typeof outline.signatures)[number];
    return by ? [{ ...keyFacts(by.key), kid, tbs: sha256Hex(Uint8Array.from(message)) }] : [];
  });
  const common = {
    board: board.name,
    revisions: board.revisions,
    vendorId: vendor,
    classes,
    version,
    sequence: String(draft.sequence),
    envelope,
    manifest: logDigest(draft),
    signers,
    testKeys: testKeysAmong(found),
  };
  const file = { kind: "envelope" as const, file: envelope, digest: `sha-256:${sha256Hex(draft.bytes)}`, size: draft.bytes.length };
  return [
    { ...file, uri: null, component: null, slot: null, ...common },
    ...images.flatMap(({ file: name, digest, bytes, uri, component, slot }): Artifact[] =>
      name === undefined
        ? []
        : [{ kind: "payload", file: name, digest: `sha-256:${digest}`, size: bytes.length, uri, component, slot: slot ?? null, ...common }],
    ),
  ];
}

export async function recordOf(
  plan: ReleasePlan,
  keys: readonly PublicKey[],
  drafts: readonly EnvelopeDraft[],
  progress: readonly BoardProgress[],
): Promise<Omit<ReleaseRecord, "signatures">> {
  const { product, version, boards, options, existing } = plan;
  const time = sourceDate();
  const artifacts: Artifact[] = [];
  for (const [i, draft] of drafts.entries()) artifacts.push(...(await artifactsOf(plan, keys, boards[i] as PreparedBoard, draft)));
  const created = existing ? existing.created : time === undefined ? undefined : new Date(time * 1000).toISOString();
  return {
    $schema: "urn:firmseal:release:1",
    product: product.name,
    vendor: product.vendor,
    version,
    role: options.role ?? "release",
    sequence: String((drafts[0] as EnvelopeDraft).sequence),
    ...(created !== undefined && { created }),
    missing: missingOf(progress),
    // who signs later says what the first one said
    withdrawn: (existing ?? plan).withdrawn,
    artifacts,
  };
}

/** The files of a release by name, with their checksums. Nothing in them differs from one run to the next. */
export function filesOf({ product, version, options, boards }: ReleasePlan, drafts: readonly EnvelopeDraft[], record: ReleaseRecord) {
  const files = new Map<string, Uint8Array>();
  for (const [i, draft] of drafts.entries()) {
    const { board, images } = boards[i] as PreparedBoard;
    files.set(envelopeName(product, board.name, version, options.role), draft.bytes);
    for (const { file, bytes } of images) if (file !== undefined) files.set(file, bytes);
  }
  files.set(RECORD, Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return new Map([...files, [SUMS, Buffer.from(sumsOf(files))]]);
}
