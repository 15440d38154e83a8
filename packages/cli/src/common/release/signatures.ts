// Who has signed a release, and who still has to: facts, their shape, and words.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RECORD } from "@firmseal/behaviour";
import { keyFacts } from "@firmseal/keys";
import { isFolderLost, keyWords, STDIO, shellWord, someOf } from "@firmseal/keys/internal";
import type { BoardProgress } from "@firmseal/release";
import { type ApprovalProgress, approvalWords, productOption, progressWords } from "@firmseal/release/internal";
import { unlessThrown } from "@firmseal/signer";
import { KEY, membersOf, type Shape } from "../shapes.js";
import { onDemand } from "./on-demand.js";

/** Whether a path is the folder of a release, signed or not. */
export const isReleaseFolder = (path: string): boolean => path !== STDIO && existsSync(join(path, RECORD));

/** Whether a file is in the folder of a release, or beside one. */
export function isAmongReleases(path: string): boolean {
  if (path === STDIO) return false;
  const folder = dirname(path);
  return isReleaseFolder(folder) || (unlessThrown(() => readdirSync(folder)) ?? []).some((name) => isReleaseFolder(join(folder, name)));
}

/** Brings back the folder of a release if the power was cut while a signature was added to it. */
export async function recoverRelease(folder: string): Promise<void> {
  if (folder === STDIO || !isFolderLost(folder)) return;
  const { withReleaseLock } = await onDemand();
  await withReleaseLock(folder, async () => undefined);
}

/** Options about one envelope or one image: the product file and the release have answered them. */
export const OF_ENVELOPES = {
  ...{ vendor: "--vendor", class: "--class", seq: "--seq", version: "--version", uri: "--uri" },
  ...{ imageOut: "--image-out", envelopeOut: "--envelope-out", replace: "--replace", board: "--board", trust: "--trust", for: "--for" },
  ...{
    target: "--target",
    allowKeyAsImage: "--allow-key-as-image",
    allowNoStart: "--allow-no-start",
    allowNoDevice: "--allow-no-device",
    coseAlg: "--cose-alg",
  },
} as const;

export type OfEnvelope = keyof typeof OF_ENVELOPES;

/** Who has signed each board, and who still has to. */
export const progressFacts = (progress: readonly BoardProgress[]) =>
  progress.map(({ board, isComplete, signers, others, needed, families }) => ({
    board,
    complete: isComplete,
    needed,
    signers: signers.map(keyFacts),
    others: others.map(keyFacts),
    families: families.map((one) => ({ ...one, algorithms: [...one.algorithms] })),
  }));

export type SignatureFacts = ReturnType<typeof progressFacts>;

export const SIGNATURES: Shape = {
  board: ["string", "board of the product"],
  complete: ["boolean", "whether its devices accept the release"],
  needed: ["number", "how many trusted keys must sign"],
  signers: ["object[]", "trusted keys that have signed"],
  ...membersOf("signers[]", KEY),
  others: ["object[]", "trusted keys that have not"],
  ...membersOf("others[]", KEY),
  families: ["object[]", "with thresholds for families of algorithms: how many keys of each have signed"],
};

/** Who must approve a release, by the product file. */
export const APPROVAL: Shape = {
  complete: ["boolean", "whether enough people have approved it"],
  needed: ["number", "how many must approve"],
  approvers: ["object[]", "keys that have approved it"],
  ...membersOf("approvers[]", KEY),
  others: ["object[]", "keys of the others who may approve"],
  ...membersOf("others[]", KEY),
};

/** "0 of 1 approved, still to approve: …". None if nobody must approve. */
export const approvalLines = (folder: string, approval: ApprovalProgress | null): string[] =>
  approval ? [`${folder}: ${approvalWords(approval)}`] : [];

const countWords = ({ signers, needed, families }: SignatureFacts[number]) =>
  `${signers.length} of ${needed} signed${families.length > 0 ? ` (${progressWords(families)})` : ""}`;

/** "1 of 2 signed", and for each board that is not complete, who may sign. Boards with the same answer share a line. */
export function progressLines(folder: string, all: SignatureFacts): string[] {
  const open = all.filter(({ complete }) => !complete);
  if (open.length === 0) return [`${folder}: complete, ${countWords(all[0] as SignatureFacts[number])}`];
  const lines = new Map<string, string[]>();
  for (const one of open) {
    const line = `${countWords(one)}, still to sign: ${someOf(one.others.map(keyWords))}`;
    lines.set(line, [...(lines.get(line) ?? []), one.board]);
  }
  return [...lines].map(([line, boards]) => `${folder}: ${boards.length === all.length ? "" : `board ${boards.join(", ")}: `}${line}`);
}

/** What people who have not signed do. */
export const signLine = (folder: string, product: string | undefined): string =>
  `each signer: firmseal sign ${shellWord(folder)}${productOption(product)} --key KEY`;
