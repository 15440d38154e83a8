// The summary of the job: the facts that the command line returned about a release, as people read them on GitHub.

import { basename } from "node:path";
import * as core from "@actions/core";
import { visible } from "../../packages/keys/src/words.js";
import { isSimulated, lintCounts } from "../../packages/release/src/lint/counts.js";

export interface Image {
  path: string;
  real: string;
  component: string;
  slot: string | null;
  size: number;
  digest: string;
  uri: string;
  file: string | null;
  slotSize: number | null;
}

interface Finding {
  rule: string;
  name: string;
  severity: "error" | "warning" | "note";
  path: string;
  message: string;
  fix: string;
  waived?: { reason: string; until: string };
}

interface Change {
  board: string;
  state: "changed" | "new" | "gone";
  before: { version: string } | null;
  lines: string[];
}

/** A member of the product file that names something. */
interface Member {
  member: string;
  refersTo: string;
  value: string;
  path: string | null;
  sha256: string | null;
  startsProgram: boolean;
}

export interface ReleaseFacts {
  product: string;
  version: string;
  sequence: string | null;
  state: string;
  folder: string;
  boards: { board: string; classes: string[]; images: Image[]; cuts?: number; cutsDuringRecovery?: number }[];
  artifacts: { kind: string; file: string; board: string; digest: string; size: number }[];
  signers: { alg: string; thumbprint: string }[];
  previous: { path: string; version: string; sequence: string } | null;
  /** Of a dry run. */
  references?: { members: Member[]; thumbprints: string[] };
  lint: { findings: Finding[]; skipped: { rule: string; name: string; why: string }[] };
  changes?: Change[];
}

/** Text in a summary is HTML. A blank line would end that, and begin Markdown. */
const escaped = (text: string) => visible(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** How much of its slot an image takes. GitHub shows no styles, so the bar is of characters. */
function slotText({ size, slotSize }: Image): string {
  if (slotSize === null) return "";
  const share = Math.min(1, size / slotSize);
  const filled = Math.max(1, Math.min(share < 1 ? 9 : 10, Math.round(share * 10)));
  return `${"█".repeat(filled)}${"░".repeat(10 - filled)} ${Math.ceil(share * 100)} % of ${slotSize.toLocaleString("en-US")}`;
}

/** A part of a candidate that is not the same where it would be released. */
export interface Difference {
  part: string;
  candidate: string;
  here: string;
}

/** Adds a table of the parts that differ from the candidate. */
export function summarizeDifferences(found: readonly Difference[]): void {
  core.summary.addHeading("Not the candidate", 3);
  core.summary.addTable([
    ["Part", "Candidate", "Here"].map((data) => ({ data, header: true })),
    ...found.map(({ part, candidate, here }) => [part, candidate, here].map(escaped)),
  ]);
}

/** Why the step has failed: the line of the error. */
export const summarizeRefusal = (message: string) => core.summary.addHeading("Refused", 2).addRaw(escaped(message), true);

const ORDER = ["error", "warning", "note"];

/** What lint found, the worst first. */
export function summarizeLint({ findings, skipped }: ReleaseFacts["lint"]): void {
  const rows = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  core.summary.addHeading("Lint", 3);
  // what existed before was not simulated again, so there is less than lint finds
  if (isSimulated({ skipped })) core.summary.addRaw(escaped(`Found: ${lintCounts({ findings, skipped })}.`), true);
  if (rows.length > 0)
    core.summary.addTable([
      ["Severity", "Rule", "Where", "Finding"].map((data) => ({ data, header: true })),
      ...rows.map(({ severity, rule, name, path, message, fix, waived }) =>
        [
          waived ? `waived until ${waived.until}` : severity,
          `${rule} ${name}`,
          basename(path),
          waived ? `${message} (${waived.reason})` : `${message}. ${fix}`,
        ].map(escaped),
      ),
    ]);
  const missing = [...new Set(skipped.map(({ rule, name, why }) => `${rule} ${name}: ${why}`))];
  if (missing.length > 0) core.summary.addRaw(escaped(`Not checked: ${missing.join("; ")}.`), true);
}

/** What changes for devices since the release before. */
function summarizeChanges({ changes, previous }: ReleaseFacts): void {
  core.summary.addHeading("What changes for devices", 3);
  if (!changes) {
    const known = previous
      ? `The previous release is ${previous.version}; without its envelopes, nothing is compared.`
      : "No previous release is known.";
    core.summary.addRaw(escaped(known), true);
    return;
  }
  for (const { board, state, before, lines } of changes) {
    core.summary.addRaw(escaped(state === "changed" ? `${board}, compared with ${before?.version}:` : `${board}: ${state}`), true);
    if (lines.length > 0) core.summary.addList(lines.map(escaped));
  }
}

/** What the product file names: the person who approves the release approves this. */
function summarizeProduct({ product, boards, references }: ReleaseFacts): void {
  const { members = [], thumbprints = [] } = references ?? {};
  const rows = [
    ...members.map(({ member, refersTo, value, path, sha256, startsProgram }) => [
      member,
      startsProgram ? `${refersTo}, starts a program` : refersTo,
      value,
      [path ?? "", sha256 ?? ""].filter(Boolean).join(", sha-256 "),
    ]),
    ...boards.map(({ board, classes }) => [`/boards/${board}`, "device", classes.join(", "), ""]),
    ...thumbprints.map((thumbprint) => ["", "key", "devices trust", thumbprint]),
  ];
  core.summary.addHeading("What the product file names", 3);
  core.summary.addTable([
    ["Member", "Names", "Value", "File"].map((data) => ({ data, header: true })),
    ...rows.map((row) => row.map(escaped)),
  ]);
  core.summary.addRaw(escaped(`Not signed: the name of the product (${product}), names of boards, and names of files.`), true);
}

/** The same summary for both modes: what each board gets, what changes, and what lint finds. */
export function summarize(state: string, facts: ReleaseFacts, rows: [string, string][]): void {
  core.summary
    .addHeading(escaped(`${facts.version}: ${state}`), 2)
    .addTable([
      ["Board", "Image", "Bytes", "Slot", "URI", "SHA-256"].map((data) => ({ data, header: true })),
      ...facts.boards.flatMap(({ board, images }) =>
        images.map((one) => [
          escaped(`${board}${one.slot === null ? "" : ` ${one.slot}`}`),
          escaped(basename(one.path)),
          one.size.toLocaleString("en-US"),
          slotText(one),
          escaped(one.uri),
          one.digest.replace(/^sha-256:/, "").slice(0, 16),
        ]),
      ),
    ]);
  core.summary.addTable(rows.map((row) => row.map(escaped)));
  summarizeProduct(facts);
  summarizeChanges(facts);
  summarizeLint(facts.lint);
}
