// The two modes of the action. It runs the command line that is built into it, and adds nothing to what that decides:
// candidate needs no key, publish signs only what a candidate of the same digest has described. Who signs, who is
// trusted and what was released before are those of a protected ref, and never of an artifact.

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "@actions/core";
import { takeVariable, withHeld } from "../../packages/keys/src/secrets/environment.js";
import { candidateText, imagesFolder, pinnedCandidate, productFile, refuseOther, sha256 } from "./candidate.js";
import { type Checkout, isIn, openCheckout } from "./protected.js";
import { type ReleaseFacts, summarize, summarizeLint, summarizeRefusal } from "./summary.js";

const BUILT_IN = fileURLToPath(new URL("firmseal/bin/firmseal.js", import.meta.url));

/**
 * Shows text of a program in the log of the job. To the runner, `::` after spaces and `##[` anywhere begin a command.
 */
function showInLog(text: string): void {
  const token = randomUUID();
  // as one stream: with the text in another one, the runner may read the two in any order
  if (text) process.stdout.write(`::stop-commands::${token}\n${text}\n::${token}::\n`);
}

/**
 * The names in passphrase-env, in the order of the keys. Takes their values out of the environment, which every command
 * and everything that it starts would get. Throws if one has no value: GitHub makes a missing secret an empty variable.
 */
function takePassphrases(): string[] {
  const names = core.getInput("passphrase-env").split(/\s+/).filter(Boolean);
  for (const name of names) {
    // it may be the passphrase itself by mistake, which must not get into a log
    if (!/^[A-Z_][A-Z0-9_]{0,99}$/.test(name))
      throw new Error("passphrase-env: not the name of a variable in capitals; give the name, and set the variable in env of the step");
    const value = takeVariable(name);
    if (!value)
      throw new Error(
        `passphrase-env: the variable ${name} is ${value === "" ? "empty" : "not set"}; set it in env of the step, from a secret`,
      );
    core.setSecret(value);
  }
  return names;
}

/**
 * Runs a command, which opens keys with these taken variables. Its words go to the log of the job. Throws the message
 * of a failure, with its hint.
 */
function firmseal<T>([command = "", ...args]: readonly string[], variables: readonly string[] = []): T {
  const opening = variables.map((name) => `--passphrase-env=${name}`);
  const { status, stdout, stderr, error } = withHeld(variables, () =>
    spawnSync(process.execPath, [core.getInput("program") || BUILT_IN, command, ...opening, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    }),
  );
  if (error) throw error;
  showInLog(stderr);
  const answer = JSON.parse(stdout || "{}") as T & { message?: string; hint?: string; lint?: ReleaseFacts["lint"] };
  // why a release is refused belongs into the summary too
  if (status !== 0 && answer.lint) summarizeLint(answer.lint);
  if (status !== 0) throw new Error(`${answer.message ?? `firmseal ended with exit code ${status}`}; ${answer.hint ?? "see the log"}`);
  return answer;
}

/** Inputs are values, never options: they are joined to their option, or come after all of them. */
function releaseArguments(...more: string[]): string[] {
  const boards = core.getInput("boards").split(/\s+/).filter(Boolean);
  // a tag is often v1.4.2
  const version = core.getInput("version", { required: true }).replace(/^v(?=[0-9])/, "");
  const previous = core.getInput("previous-release");
  const images = core.getInput("images");
  const before = previous ? [`--previous-release=${previous}`, ...(hasEnvelopes(previous) ? [`--diff=${previous}`] : [])] : [];
  const from = [`--product=${productFile()}`, ...(images ? [`--images=${images}`] : [])];
  return ["release", `--version=${version}`, ...from, "--json", ...before, ...more, "--", ...boards];
}

/** Whether there is more than a record: that says what was released, and not what devices do with it. */
const hasEnvelopes = (path: string) => !path.endsWith(".json") || readdirSync(dirname(path)).some((name) => name.endsWith(".suit"));

function refuseMissing(input: string, path: string, hint: string): void {
  if (!existsSync(path)) throw new Error(`${input}: ${path} does not exist; ${hint}`);
}

const writeSummary = async () => {
  if (process.env["GITHUB_STEP_SUMMARY"]) await core.summary.write();
};

/** What was released before must be there in both modes: without it, any number and any version would be new. */
function checkInputs(): void {
  const previous = core.getInput("previous-release");
  if (previous) refuseMissing("previous-release", previous, "name the release.json of the last release, in the checkout");
  refuseMissing("images", imagesFolder(), "download the images into it");
}

async function candidate(): Promise<void> {
  checkInputs();
  const folder = dirname(core.getInput("candidate"));
  if (!existsSync(folder)) throw new Error(`candidate: the folder ${folder} does not exist; make it, or name another file`);
  const sarif = core.getInput("sarif-out");
  const facts = firmseal<ReleaseFacts>(releaseArguments("--dry-run", ...(sarif ? [`--sarif-out=${sarif}`] : [])));
  const text = candidateText(facts);
  writeFileSync(core.getInput("candidate"), text);
  const digest = sha256(text);
  core.setOutput("candidate-digest", digest);
  core.setOutput("version", facts.version);
  core.setOutput("folder", facts.folder);
  core.setOutput("sequence", facts.sequence ?? "");
  summarize("candidate", facts, [
    ["Sequence number", facts.sequence ?? "next number of the log"],
    ["Product file", sha256(readFileSync(productFile()))],
    ["Candidate", digest],
  ]);
  await writeSummary();
}

/** Throws if a path that decides about keys, trust, numbers or programs is among the images. */
function refuseAmongImages(what: string, path: string): void {
  let there = resolve(path);
  while (!existsSync(there)) there = dirname(there);
  if (isIn(imagesFolder(), there))
    throw new Error(`${what}: ${path} is in the folder of images, which a job without rights has written; take it from the protected ref`);
}

/** Throws unless everything that decides is as the protected ref has it. The facts are of a dry run: no key is open. */
function refuseUntrusted({ references, folder }: ReleaseFacts, checkout: Checkout): void {
  const base = realpathSync(dirname(productFile()));
  for (const { member, path, startsProgram, value } of references?.members ?? []) {
    if (startsProgram && !core.getBooleanInput("allow-exec"))
      throw new Error(`${member}: ${value} starts a program where the key is; if that is what you want: allow-exec: true`);
    if (path === null) continue;
    const file = join(base, path);
    refuseAmongImages(member, file);
    // a private key may be in no repository, and a bill of materials comes from the build
    if (/^\/(trust|approval|sequence)\//.test(member)) checkout.requireAll(file);
  }
  refuseAmongImages("out", folder);
}

/** What must not be wrong with a release that was just made. */
interface Doubts {
  signedByTestKeys: string[];
  otherSignatures: { alg: string }[];
  refusing: { class: string; reason: string }[];
}

function refuseDoubtful({ signedByTestKeys: [testKey], otherSignatures: [other], refusing: [refusing] }: Doubts): void {
  if (testKey) throw new Error(`the published test key ${testKey} signed it: anybody can do that; use a key of your own`);
  if (other) throw new Error(`a key that is not trusted signed it (${other.alg}); trust its public key, or sign without it`);
  if (refusing) throw new Error(`devices of class ${refusing.class} refuse it (${refusing.reason}); see the log`);
}

async function publish(): Promise<void> {
  const out = core.getInput("out");
  const first = core.getBooleanInput("first");
  const variables = takePassphrases();
  // before a minute of power cuts
  pinnedCandidate();
  checkInputs();
  if (!core.getInput("images")) throw new Error("images: publish takes images from a folder of their own; download the artifact into it");
  const checkout = openCheckout(productFile());
  refuseAmongImages("product", productFile());
  const program = core.getInput("program");
  if (program) refuseAmongImages("program", program);
  checkout.requireFile(productFile());
  const previous = core.getInput("previous-release");
  if (previous) {
    refuseAmongImages("previous-release", previous);
    checkout.requireAll(previous);
  }
  const more = [...(out ? [`--out=${out}`] : []), ...(first ? ["--first"] : [])];
  const planned = firmseal<ReleaseFacts>(releaseArguments("--dry-run", ...more));
  refuseUntrusted(planned, checkout);
  refuseOther(planned);
  // a runner is new: it cannot know of another build with this version
  if (!planned.previous && planned.state !== "unchanged" && !first)
    throw new Error("no earlier release is known: give previous-release, or first: true if nothing was released yet");
  const made = firmseal<ReleaseFacts>(releaseArguments(...more), variables);
  const facts = { ...made, ...(planned.references && { references: planned.references }) };
  // what was written, against what was described, and by the verifier of the devices. Otherwise nothing of it may be
  // published.
  try {
    refuseOther(facts);
    // without trusted keys in the product file, devices trust those that sign, which are opened again
    const opened = planned.references?.thumbprints.length ? [] : variables;
    refuseDoubtful(firmseal<Doubts>(["verify", `--product=${productFile()}`, "--json", "--", facts.folder], opened));
  } catch (e) {
    if (facts.state !== "unchanged") rmSync(facts.folder, { recursive: true, force: true });
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
  summarize(facts.state, facts, [
    ["Sequence number", facts.sequence ?? ""],
    ...facts.signers.map(({ alg, thumbprint }): [string, string] => [`Signed by ${alg}`, thumbprint]),
    ["Product file", sha256(readFileSync(productFile()))],
    ["Protected ref", `${checkout.ref} at ${checkout.commit}`],
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
    const message = e instanceof Error ? e.message : String(e);
    core.setFailed(message);
    summarizeRefusal(message);
    await writeSummary();
  }
}
