// The folder of a release as one thing to sign: all its boards at once, by people in different places, in any order.

import { basename, extname, join } from "node:path";
import { RECORD } from "@firmseal/behaviour";
import { keyFacts, keyName, parseSignature, publicKeys } from "@firmseal/keys";
import { isFolder, type PassphraseOptions, passphraseOptions, readAll, sha256Hex, usage } from "@firmseal/keys/internal";
import { type DoneRelease, makeRelease, type ReleasePlan, readProduct } from "@firmseal/release";
import {
  approvalPath,
  approvalProgress,
  attachSignatures,
  LIMITS,
  messagesOf,
  PRODUCT_FILE,
  planSigning,
  type RoundOptions,
  recordSignatureOf,
  releaseToApprove,
  signedElsewhere,
  signingProgress,
  withReleaseLock,
} from "@firmseal/release/internal";
import type { PublicKey, RoleName } from "@firmseal/signer";
import { LiveLines } from "../../show/live.js";
import { withFindings } from "./findings.js";
import { showReview } from "./review.js";
import { isReleaseFolder, OF_ENVELOPES, progressFacts } from "./signatures.js";

/** Options that commands for folders have. */
export interface FolderOptions extends PassphraseOptions, Omit<RoundOptions, "role"> {
  role?: RoleName;
  product?: string;
  allowOutside?: string[];
}

/** Refuses options that a folder has no use for. `more`: further ones, by their names in `o`. */
export function refuseForFolder(folder: string, o: object, more: { readonly [name: string]: string } = {}): void {
  for (const [name, flag] of Object.entries({ ...OF_ENVELOPES, ...more }))
    if ((o as { [name: string]: unknown })[name] !== undefined)
      throw usage(`${flag} is not for the folder of a release, and ${folder} is one`, "drop it: the product file says it");
}

const productOf = ({ product, allowOutside }: FolderOptions) => readProduct(product ?? PRODUCT_FILE, allowOutside);

/** What planSigning() takes of the options of a command. */
function roundOptions(o: FolderOptions & { key?: unknown; signature?: unknown }): RoundOptions {
  const { product: _p, allowOutside: _a, key: _k, signature: _s, passphraseEnv: _e, passphraseFd: _f, role, ...rest } = o;
  // roots sign no release: planSigning() says so
  return { ...rest, ...(role !== undefined && { role: role as "release" }), passphrases: passphraseOptions(o) };
}

/** Runs `work` on a release that others may be signing too, and shows what it reaches and why lint refuses it. */
const onRelease = async <T>(folder: string, work: (shown: Pick<RoundOptions, "linted" | "progress">) => Promise<T>): Promise<T> => {
  const lines = new LiveLines();
  return await withReleaseLock(folder, () =>
    withFindings((linted) => work({ linted, progress: (board, stage, state) => lines.set(board, stage, state) })),
  );
};

function doneFacts({ folder, boards }: ReleasePlan, { record, receipts, by, progress, lint }: DoneRelease) {
  const envelopes = record.artifacts.filter(({ kind }) => kind === "envelope");
  const inside = boards.flatMap(({ images }) => images.flatMap(({ file, uri }) => (file === undefined ? [uri] : [])));
  const outside = record.artifacts.flatMap(({ kind, uri }) => (kind === "payload" && uri !== null ? [uri] : []));
  return {
    out: folder,
    bytes: envelopes.reduce((n, { size }) => n + size, 0),
    sequence: record.sequence,
    version: record.version,
    signers: by.map(keyFacts),
    log: [...receipts],
    payloads: { inside: [...new Set(inside)], outside: [...new Set(outside)] },
    signatures: progressFacts(progress),
    lint,
  };
}

/** Signs all boards of a release. */
export async function signFolder(folder: string, o: FolderOptions & { key: string[] }) {
  const product = productOf(o);
  return await onRelease(folder, async (shown) => {
    const review = product.approval.keys.length > 0 ? { review: showReview } : {};
    const plan = await planSigning(product, folder, { ...roundOptions(o), ...shown, ...review, keys: o.key });
    return { ...doneFacts(plan, await makeRelease(plan)), approval: (await approvalProgress(plan)) ?? null };
  });
}

/** Reads a release for a person who approves it, and shows it. */
export async function folderToApprove(folder: string, { key: ref, ...o }: FolderOptions & { key: string }) {
  // whether a lower number may be signed is asked of the signer
  const plan = await planSigning(productOf(o), folder, { ...roundOptions(o), first: true, allowLowerSequence: true });
  const release = await releaseToApprove(plan);
  await release.refuseEarly(ref);
  await showReview(plan);
  return {
    plan,
    release,
    fileOf: (key: PublicKey) => approvalPath(folder, key),
    progress: async () => (await approvalProgress(plan)) ?? null,
  };
}

/** The name of the file with the bytes that a key signs for an envelope or the record, without its ending. */
const stemOf = (name: string, key: PublicKey) => `${basename(name, extname(name))}.${keyFacts(key).thumbprint.slice(0, 16)}`;

/** The bytes that keys elsewhere have to sign, and the names of the files for them. */
export async function messagesFor(folder: string, o: FolderOptions & { key: string[] }) {
  const keys = await publicKeys(o.key, passphraseOptions(o));
  if (new Set(keys.map(keyName)).size < keys.length) throw usage("a key is given twice", "each key signs a release once");
  const plan = await planSigning(productOf(o), folder, roundOptions(o));
  const { boards, record } = await messagesOf(
    plan,
    keys.map((key, i) => ({ name: o.key[i] as string, public: key })),
  );
  const inFile = (name: string, { key, message }: { key: PublicKey; message: Uint8Array }) => ({
    file: `${stemOf(name, key)}.tbs`,
    sha256: sha256Hex(message),
  });
  return {
    boards: boards.map((one) => ({ ...one, ...inFile(one.envelope, one) })),
    record: record.map((one) => ({ ...one, ...inFile(RECORD, one) })),
  };
}

/** Where signatures come from: those of one key from a folder, or those of another copy of the release. */
export interface SignaturesFrom {
  key: string | undefined;
  signature: string | undefined;
  from: string;
}

/** Adds the signatures of one key, which are in a folder, or those of another copy of the release. */
export async function attachToFolder(folder: string, o: FolderOptions & Partial<SignaturesFrom>) {
  const product = productOf(o);
  if (o.from !== undefined && !isReleaseFolder(o.from))
    throw usage(`${o.from} is not the folder of a release`, "name the other copy of it");
  const { from, ...own } = roundOptions(o) as RoundOptions & { from?: string };
  return await onRelease(folder, async (shown) => {
    // those who sign compare with earlier releases
    const plan = await planSigning(product, folder, { ...own, ...shown, first: true });
    if (from !== undefined) {
      // its order is that of the folder, or it is another release, which signedElsewhere() refuses as such
      const copy = await planSigning(product, from, { ...own, first: true, allowLowerSequence: true });
      const added = await signedElsewhere(plan, copy);
      if (added.length === 0)
        throw usage(`${from} has no signature that ${folder} does not have`, "name the copy that somebody has signed");
      return doneFacts(plan, await attachSignatures(plan, added));
    }
    const { key: name, signature } = o as { key: string; signature: string };
    if (!isFolder(signature))
      throw usage(`${signature} is not a folder, and each board has a signature of its own`, "name the folder with the signatures");
    const [key] = (await publicKeys([name], passphraseOptions(o))) as [PublicKey];
    const envelopes = plan.existing?.artifacts.filter(({ kind }) => kind === "envelope") ?? [];
    const pathOf = (of: string) => join(signature, `${stemOf(of, key)}.sig`);
    const read = (of: string) => parseSignature(readAll(pathOf(of), LIMITS.signatureFile), key.alg, pathOf(of));
    const signatures = plan.boards.map(({ board }) => read(envelopes.find((one) => one.board === board.name)?.file ?? ""));
    const ofRecord = [await recordSignatureOf(plan, key, read(RECORD), pathOf(RECORD))];
    return doneFacts(plan, await attachSignatures(plan, [{ name, public: key, signatures, ofRecord }]));
  });
}

/** Returns who has signed each board of a release, and who has approved it, and who has not. */
export async function missingIn(folder: string, o: FolderOptions) {
  const plan = await planSigning(productOf(o), folder, { ...roundOptions(o), first: true, allowLowerSequence: true });
  return { signatures: progressFacts(await signingProgress(plan)), approval: (await approvalProgress(plan)) ?? null };
}
