// Runs the jobs of a workflow as GitHub's runner does: each in a new folder, with the inputs, the outputs, the secrets
// and the artifacts that the workflow gives it. It knows the actions that the document of our action uses.

import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Replaces expressions by their values. Throws for what it does not know. */
function filled(text, context) {
  return String(text).replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, path) => {
    const value = path.split(".").reduce((of, name) => of?.[name], context);
    if (value === undefined) throw new Error(`no ${path}`);
    return value;
  });
}

/** The folder that the names in an artifact begin after: that of the files before the first pattern. */
function rootOf(pattern) {
  const parts = pattern.split("/");
  const at = parts.findIndex((part) => part.includes("*"));
  return at < 0 ? dirname(pattern) : parts.slice(0, at).join("/") || ".";
}

/** The files that a path means: a folder with all that is in it, or a pattern whose stars stay in one name. */
function filesAt(at, path) {
  const form = path.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  const all = readdirSync(at, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return all.map(({ parentPath, name }) => relative(at, join(parentPath, name))).filter((name) => new RegExp(`^${form}(/|$)`).test(name));
}

const sh = (cwd, program, args, env = process.env) => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
};

/** What each action of others does. `runner`: the state that all jobs share. */
const ACTIONS = {
  "actions/checkout"({ origin }, at, { ref: wanted }) {
    sh(at, "git", ["init", "-q"]);
    const isTag = wanted.startsWith("refs/tags/");
    const [from, to] = isTag ? [wanted, wanted] : [`refs/heads/${wanted}`, `refs/remotes/origin/${wanted}`];
    sh(at, "git", ["fetch", "-q", "--depth=1", `file://${origin}`, `+${from}:${to}`]);
    sh(at, "git", ["checkout", "-q", "--force", to]);
  },
  "actions/upload-artifact"({ artifacts }, at, { name, path }) {
    const folder = mkdtempSync(join(artifacts, "a-"));
    const files = filesAt(at, path);
    if (files.length === 0) throw new Error(`${path}: no files`);
    for (const file of files)
      cpSync(
        join(at, file),
        join(folder, relative(files.includes(path) ? rootOf(path) : rootOf(path.includes("*") ? path : `${path}/*`), file)),
      );
    this.artifacts.set(name, folder);
  },
  "actions/download-artifact"(_, at, { name, path = "." }) {
    if (!this.artifacts.has(name)) throw new Error(`no artifact ${name}`);
    mkdirSync(join(at, path), { recursive: true });
    cpSync(this.artifacts.get(name), join(at, path), { recursive: true });
  },
  // the role that a token of GitHub gives: its credentials are variables of the later steps
  "aws-actions/configure-aws-credentials"({ roles }, _, { "role-to-assume": role, "aws-region": region }) {
    Object.assign(this.env, { ...roles[role], AWS_REGION: region });
  },
  "actions/attest-build-provenance"(_, at, { "subject-path": path }) {
    if (filesAt(at, path).length === 0) throw new Error(`${path}: no files`);
  },
};

/**
 * `runner`: { origin, ref, inputs, artifacts, work, secrets, env, action, defaults, after, roles }. Returns the outputs
 * and logs of the jobs.
 */
export function runWorkflow(workflow, runner) {
  const artifacts = new Map();
  const needs = {};
  const logs = {};
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const at = mkdtempSync(join(runner.work, `${name}-`));
    const shared = { artifacts, env: {} };
    const context = { inputs: runner.inputs, needs, steps: {}, secrets: job.environment ? runner.secrets : {} };
    const fill = (given = {}) => Object.fromEntries(Object.entries(given).map(([key, value]) => [key, filled(value, context)]));
    for (const step of job.steps) {
      const [uses] = (step.uses ?? "").split("@");
      const inputs = fill(step.with);
      if (step.run) sh(at, "sh", ["-ec", step.run], { ...process.env, PATH: runner.env.PATH, ...shared.env, ...fill(step.env) });
      else if (uses === "OWNER/firmseal") {
        const outputs = runAction(at, runner, inputs, { ...shared.env, ...fill(step.env) });
        logs[name] = outputs;
        if (outputs.status !== 0) return { logs, failed: name };
        if (step.id) context.steps[step.id] = { outputs: outputs.outputs };
      } else ACTIONS[uses].call(shared, runner, at, inputs);
    }
    needs[name] = { outputs: fill(job.outputs) };
    logs[name] = { ...logs[name], at };
    runner.after?.(name, artifacts);
  }
  return { logs };
}

/** Starts our action: its inputs are variables, as the runner makes them, with the defaults of action.yml. */
function runAction(at, { action, defaults, env, ref }, inputs, own) {
  const files = Object.fromEntries(["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"].map((name) => [name, join(at, `.${name}`)]));
  for (const path of Object.values(files)) appendFileSync(path, "");
  const given = Object.fromEntries(
    Object.entries({ ...defaults, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const github = { GITHUB_REF: ref, GITHUB_REF_PROTECTED: String(ref === "refs/heads/main") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [action], {
    cwd: at,
    env: { ...env, ...files, ...github, ...own, ...given },
    encoding: "utf8",
  });
  const outputs = Object.fromEntries(
    [...readFileSync(files.GITHUB_OUTPUT, "utf8").matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [
      name,
      value,
    ]),
  );
  return { status, outputs, log: `${stdout}${stderr}`, summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8") };
}
