// Lints the boards of a release before it is signed, as `firmseal lint` would afterwards: the signatures are those of
// the keys that will sign, and the payloads are still in memory.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { versionNumber } from "@firmseal/keys";
import { type EnvelopeDraft, type PublicKey, signedWith, testKeyName } from "@firmseal/signer";
import { ALG_NAMES, decodeEnvelope, toHex } from "@firmseal/verifier/tools";
import { type Finding, type LintReport, type LintTask, lintRelease, type SkippedRule, today, withWaivers } from "../lint/lint.js";
import { type EarlierRelease, readEarlier, readForLint } from "../lint/read.js";
import { boardsFor, releaseBefore } from "../lint/releases.js";
import type { Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import type { KnownRelease } from "../product/record.js";
import type { TrustOnFile } from "../trust/read.js";
import type { IdentifiedSignature } from "../verify/signers.js";
import type { PreparedBoard } from "./board/prepare.js";
import type { Cuts } from "./cuts/cuts.js";
import { envelopeName } from "./names.js";

/** What is linted of a plan. */
export interface LintedPlan {
  readonly product: Product;
  readonly version: string;
  readonly folder: string;
  readonly boards: readonly PreparedBoard[];
  readonly cuts: ReadonlyMap<string, Cuts>;
  readonly known: readonly KnownRelease[];
  readonly lists: readonly TrustOnFile[] | undefined;
  readonly options: { readonly role?: SigningRole; readonly allowTestKey?: readonly string[]; readonly allowSequenceJump?: boolean };
}

/** Findings about the boards of a release, and the envelopes that it will have. */
export type ReleaseLint = LintReport & { readonly releases: readonly string[] };

/** A release before, as its record has it: the envelopes may be elsewhere. */
function earlier({ path, record, version, sequence }: KnownRelease): EarlierRelease[] {
  if (!record) return [readEarlier(path)];
  return record.artifacts.flatMap(({ kind, file, manifest, vendorId, classes }) =>
    kind === "envelope"
      ? [
          {
            path: join(path, file),
            version,
            sequence,
            digest: manifest.replace(/^sha-\d+:/, ""),
            scope: classes.map(({ id }) => `${vendorId}/${id}`),
          },
        ]
      : [],
  );
}

/**
 * What stands for a signature that is not made yet: for HSS, the number of trees is that of the key (RFC 8554 §6.2).
 */
function markOf({ alg, key }: PublicKey): Uint8Array {
  const mark = new Uint8Array(randomBytes(64));
  if (alg === "hsslms") mark.set([key[0] as number, key[1] as number, key[2] as number, (key[3] as number) - 1]);
  return mark;
}

/** The envelope as if these keys had signed it, and who they are. */
async function asSigned(
  draft: EnvelopeDraft,
  keys: readonly PublicKey[],
): Promise<{ bytes: Uint8Array; signatures: IdentifiedSignature[] }> {
  let marked = draft;
  for (const key of keys) marked = await marked.withSignature(signedWith(key), markOf(key));
  const signatures = decodeEnvelope(marked.bytes).signatures.map(({ alg, kid }, i): IdentifiedSignature => {
    const key = keys[i] as PublicKey;
    const testKey = testKeyName(key);
    return {
      alg: ALG_NAMES[alg] ?? String(alg),
      kid: kid ? toHex(kid) : null,
      status: "valid",
      by: { name: "", key },
      ...(testKey !== undefined && { testKey }),
    };
  });
  return { bytes: marked.bytes, signatures };
}

async function taskOf(
  plan: LintedPlan,
  { board, images }: PreparedBoard,
  draft: EnvelopeDraft,
  before: readonly EarlierRelease[],
  keys: readonly PublicKey[] | undefined,
): Promise<LintTask> {
  const { product, version, folder, lists, cuts, options } = plan;
  const trust = lists?.[0];
  const { bytes, signatures } = keys ? await asSigned(draft, keys) : { bytes: draft.bytes, signatures: [] };
  const outside = images.flatMap(({ file, uri, bytes: content }) => (file === undefined ? [] : [[uri, content] as const]));
  const release = await readForLint(join(folder, envelopeName(product, board.name, version, options.role)), bytes, {
    signatures,
    outside: new Map(outside),
    ...(product.policy.sbom !== undefined && { sbom: product.policy.sbom }),
  });
  const previous = releaseBefore(release, before);
  const tried = cuts.get(board.name);
  return {
    context: {
      release,
      product,
      boards: boardsFor(product, release),
      ...(options.role !== undefined && { role: options.role }),
      ...(keys && { signed: true as const }),
      ...(previous && { previous }),
      ...(trust && { trust }),
      ...(tried && { cuts: { cuts: tried.cuts, faults: 0 } }),
    },
  };
}

/** What a person has already overridden by an option is accepted for this release. */
function overridden(finding: Finding, { allowTestKey, allowSequenceJump }: LintedPlan["options"]): Finding {
  const option =
    finding.rule === "L01" && allowTestKey?.length
      ? "--allow-test-key"
      : finding.rule === "L11" && allowSequenceJump
        ? "--allow-sequence-jump"
        : undefined;
  return option === undefined || finding.waived ? finding : { ...finding, waived: { reason: option, until: today() } };
}

/**
 * Lints the boards of a plan. `drafts`: in their order. `keys`: those that will sign; without them, rules about
 * signatures are skipped.
 */
export async function lintBoards(plan: LintedPlan, drafts: readonly EnvelopeDraft[], keys?: readonly PublicKey[]): Promise<ReleaseLint> {
  const { product, known, version, options } = plan;
  const { suite, waivers } = product.policy;
  // of an older line, the release before is one of that line
  const before = known.filter((one) => versionNumber(one.version) < versionNumber(version)).flatMap(earlier);
  const findings: Finding[] = [];
  const skipped: SkippedRule[] = [];
  const releases: string[] = [];
  for (const [i, prepared] of plan.boards.entries()) {
    const task = await taskOf(plan, prepared, drafts[i] as EnvelopeDraft, before, keys);
    const report = lintRelease(task, suite === undefined ? [] : [suite]);
    releases.push(task.context.release.path);
    for (const one of report.findings) findings.push(one);
    for (const one of report.skipped) skipped.push(one);
  }
  const judged = withWaivers(findings, { path: product.path, all: waivers }, today());
  return { releases, findings: judged.map((one) => overridden(one, options)), skipped };
}
