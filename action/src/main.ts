// The two modes of the action. It runs the command line that is built into it, and adds nothing to what that decides:
// candidate needs no key, publish signs only what a candidate of the same digest has described.

import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "@actions/core";
import { type Image, type ReleaseFacts, summarize, summarizeLint } from "./summary.js";

const BUILT_IN = fileURLToPath(new URL("firmseal/bin/firmseal.js", import.meta.url));

/** What a candidate pins. Nothing in it depends on the machine, or on whether a key is there. */
interface Candidate {
  product: string;
  /** SHA-256 of the product file, which says which keys sign, and how numbers are made. */
  productFile: string;
  version: string;
  boards: { board: string; classes: string[]; images: Omit<Image, "path" | "slotSize">[] }[];
}

/** Shows text of a program in the log of the job. To the runner, `::` after spaces and `##[` anywhere begin a command. */
function showInLog(text: string): void {
  const token = randomUUID();
  // as one stream: with the text in another one, the runner may read the two in any order
  if (text) process.stdout.write(`::stop-commands::${token}\n${text}\n::${token}::\n`);
}

/** Runs a command. Its words go to the log of the job. Throws the message of a failure, with its hint. */
function firmseal<T>(args: readonly string[]): T {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [core.getInput("program") || BUILT_IN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  showInLog(stderr);
  const answer = JSON.parse(stdout || "{}") as T & { message?: string; hint?: string; lint?: ReleaseFacts["lint"] };
  // why a release is refused belongs into the summary too
  if (status !== 0 && answer.lint) summarizeLint(answer.lint);
  if (status !== 0) throw new Error(`${answer.message ?? `firmseal ended with exit code ${status}`}; ${answer.hint ?? "see the log"}`);
  return answer;
}

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const productFile = () => core.getInput("product") || "firmseal.toml";

/** Inputs are values, never options: they are joined to their option, or come after all of them. */
function releaseArguments(...more: string[]): string[] {
  const boards = core.getInput("boards").split(/\s+/).filter(Boolean);
  // a tag is often v1.4.2
  const version = core.getInput("version", { required: true }).replace(/^v(?=[0-9])/, "");
  const previous = core.getInput("previous");
  const before = previous ? [`--previous=${previous}`, ...(hasEnvelopes(previous) ? [`--diff=${previous}`] : [])] : [];
  return ["release", `--version=${version}`, `--product=${productFile()}`, "--json", ...before, ...more, "--", ...boards];
}

/** Whether there is more than a record: that says what was released, and not what devices do with it. */
const hasEnvelopes = (path: string) => !path.endsWith(".json") || readdirSync(dirname(path)).some((name) => name.endsWith(".suit"));

function candidateOf({ product, version, boards }: ReleaseFacts): Candidate {
  return {
    product,
    productFile: sha256(readFileSync(productFile())),
    version,
    boards: boards.map(({ board, classes, images }) => ({
      board,
      classes,
      images: images.map(({ component, slot, size, digest, uri, file }) => ({ component, slot, size, digest, uri, file })),
    })),
  };
}

/** The file of the candidate. Throws if its digest is not the pinned one. */
function pinnedCandidate(): string {
  const wanted = core.getInput("candidate-digest", { required: true });
  if (!/^[0-9a-f]{64}$/.test(wanted)) throw new Error("candidate-digest: not a SHA-256 in hex; give the output of the candidate job");
  const path = core.getInput("candidate");
  if (!existsSync(path)) throw new Error(`candidate: the file ${path} does not exist; download what the candidate job uploaded`);
  const given = readFileSync(path);
  if (sha256(given) !== wanted) throw new Error(`${path} is not the candidate with the digest ${wanted}`);
  return given.toString("utf8");
}

const textOf = (candidate: Candidate) => `${JSON.stringify(candidate, null, 2)}\n`;

const writeSummary = async () => {
  if (process.env["GITHUB_STEP_SUMMARY"]) await core.summary.write();
};

async function candidate(): Promise<void> {
  const folder = dirname(core.getInput("candidate"));
  if (!existsSync(folder)) throw new Error(`candidate: the folder ${folder} does not exist; make it, or name another file`);
  const sarif = core.getInput("sarif");
  const facts = firmseal<ReleaseFacts>(releaseArguments("--dry-run", ...(sarif ? [`--sarif=${sarif}`] : [])));
  const text = textOf(candidateOf(facts));
  writeFileSync(core.getInput("candidate"), text);
  const digest = sha256(text);
  core.setOutput("candidate-digest", digest);
  core.setOutput("version", facts.version);
  core.setOutput("folder", facts.folder);
  core.setOutput("sequence", facts.sequence ?? "");
  summarize(`${facts.product} ${facts.version}: candidate`, facts, [
    ["Sequence number", facts.sequence ?? "next number of the log"],
    ["Candidate", digest],
  ]);
  await writeSummary();
}

/** Throws unless the sources here make what the candidate describes. */
function refuseOther(facts: ReleaseFacts): void {
  if (textOf(candidateOf(facts)) !== pinnedCandidate())
    throw new Error("what would be released here is not the candidate: the images or the product file have changed since");
}

async function publish(): Promise<void> {
  const out = core.getInput("out");
  const first = core.getBooleanInput("first");
  // before a minute of power cuts
  pinnedCandidate();
  const more = [...(out ? [`--out=${out}`] : []), ...(first ? ["--first"] : [])];
  const planned = firmseal<ReleaseFacts>(releaseArguments("--dry-run", ...more));
  refuseOther(planned);
  // a runner is new: it cannot know of another build with this version
  if (!planned.previous && planned.state !== "unchanged" && !first)
    throw new Error("no earlier release is known: give previous, or first: true if nothing was released yet");
  const facts = firmseal<ReleaseFacts>(releaseArguments(...more));
  // what was written, against what was described, and by the verifier of the devices. Otherwise nothing of it may be published.
  try {
    refuseOther(facts);
    firmseal<object>(["verify", `--product=${productFile()}`, "--json", "--", facts.folder]);
  } catch (e) {
    if (facts.state === "released") rmSync(facts.folder, { recursive: true, force: true });
    throw e;
  }
  const envelopes = facts.artifacts
    .filter(({ kind }) => kind === "envelope")
    .map(({ board, file }) => ({ board, file, sha256: sha256(readFileSync(join(facts.folder, file))) }));
  core.setOutput("candidate-digest", core.getInput("candidate-digest"));
  core.setOutput("folder", facts.folder);
  core.setOutput("sequence", facts.sequence ?? "");
  core.setOutput("version", facts.version);
  core.setOutput("envelopes", JSON.stringify(envelopes));
  core.setOutput("signers", JSON.stringify(facts.signers.map(({ alg, thumbprint }) => ({ alg, thumbprint }))));
  summarize(`${facts.product} ${facts.version}: ${facts.state}`, facts, [
    ["Sequence number", facts.sequence ?? ""],
    ...facts.signers.map(({ alg, thumbprint }): [string, string] => [`Signed by ${alg}`, thumbprint]),
    ...envelopes.map(({ file, sha256: digest }): [string, string] => [file, digest]),
  ]);
  await writeSummary();
}

const MODES: { readonly [mode: string]: () => Promise<void> } = { candidate, publish };

/** Runs the mode in the inputs. A failure is the one error of the step. */
export async function run(): Promise<void> {
  try {
    const mode = core.getInput("mode", { required: true });
    const action = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
    if (!action) throw new Error(`mode: ${JSON.stringify(mode)} is neither candidate nor publish`);
    await action();
  } catch (e) {
    core.setFailed(e instanceof Error ? e.message : String(e));
    await writeSummary();
  }
}
