// Runs the jobs of a workflow as GitHub's runner does: each in a new folder, with the inputs, the outputs, the secrets
// and the artifacts that the workflow gives it. It knows the actions that the documents use.

import { execFile, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

/** A token of a CI system with these claims. */
export const tokenOf = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

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

/** A pattern whose stars stay in one name. A folder also means all that is in it. */
const formOf = (path) => new RegExp(`^${path.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}(/|$)`);

/** The files that a path means. */
function filesAt(at, path) {
  const all = readdirSync(at, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return all.map(({ parentPath, name }) => relative(at, join(parentPath, name))).filter((name) => formOf(path).test(name));
}

const sh = (cwd, program, args, env = process.env) => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
};

/** What each action of others does. `runner`: the state that all jobs share. */
const ACTIONS = {
  "actions/checkout"({ origin, ref }, at, { ref: wanted = ref.replace("refs/heads/", "") }) {
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
  // those of a pattern get a folder each
  "actions/download-artifact"(_, at, { name, pattern, path = "." }) {
    const found = [...this.artifacts].filter(([one]) => (pattern ? formOf(pattern).test(one) : one === name));
    if (found.length === 0) throw new Error(`no artifact ${name ?? pattern}`);
    for (const [one, folder] of found) cpSync(folder, join(at, path, pattern ? one : ""), { recursive: true });
  },
  // the role that a token of GitHub gives: its credentials are variables of the later steps
  "aws-actions/configure-aws-credentials"({ roles }, _, { "role-to-assume": role, "aws-region": region }) {
    Object.assign(this.env, { ...roles[role], AWS_REGION: region });
  },
  async "hashicorp/vault-action"(_, _at, { url, method, role, jwtGithubAudience, exportToken }) {
    const login = { method: "POST", body: JSON.stringify({ role, jwt: this.token(jwtGithubAudience) }) };
    const answer = await fetch(`${url}/v1/auth/${method}/login`, login);
    if (!answer.ok) throw new Error(`failed to retrieve vault token: ${answer.status}`);
    if (exportToken === "true") this.env.VAULT_TOKEN = (await answer.json()).auth.client_token;
  },
  "actions/attest-build-provenance"(_, at, { "subject-path": path }) {
    if (filesAt(at, path).length === 0) throw new Error(`${path}: no files`);
  },
};

/** The jobs, each once for every combination of its matrix. */
const jobsOf = ({ jobs }) =>
  Object.entries(jobs).flatMap(([name, job]) =>
    Object.entries(job.strategy?.matrix ?? {})
      .reduce((all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))), [{}])
      .map((matrix) => [name, job, matrix]),
  );

/**
 * `runner`: { origin, ref, inputs, artifacts, work, secrets, env, action, defaults, after, roles }. Returns the outputs
 * and logs of the jobs.
 */
export async function runWorkflow(workflow, runner) {
  const artifacts = new Map();
  const needs = {};
  const logs = {};
  for (const [name, job, matrix] of jobsOf(workflow)) {
    const at = mkdtempSync(join(runner.work, `${name}-`));
    /** The token that GitHub gives to the job, if it may have one. */
    const token = (aud) => {
      if (job.permissions?.["id-token"] !== "write") throw new Error(`${name} may have no token`);
      return tokenOf({ aud, sub: `repo:OWNER/NAME:${job.environment ? `environment:${job.environment}` : `ref:${runner.ref}`}` });
    };
    const shared = { artifacts, env: {}, token };
    const context = { inputs: runner.inputs, matrix, needs, steps: {}, secrets: job.environment ? runner.secrets : {} };
    const fill = (given = {}) => Object.fromEntries(Object.entries(given).map(([key, value]) => [key, filled(value, context)]));
    for (const step of job.steps) {
      const [uses] = (step.uses ?? "").split("@");
      const inputs = fill(step.with);
      if (step.run) sh(at, "sh", ["-ec", filled(step.run, context)], { ...process.env, ...runner.env, ...shared.env, ...fill(step.env) });
      else if (uses === "OWNER/firmseal") {
        const outputs = await runAction(at, runner, inputs, { ...shared.env, ...fill(step.env) });
        logs[name] = outputs;
        if (outputs.status !== 0) return { logs, failed: name };
        if (step.id) context.steps[step.id] = { outputs: outputs.outputs };
      } else await ACTIONS[uses].call(shared, runner, at, inputs);
    }
    needs[name] = { outputs: fill(job.outputs) };
    logs[name] = { ...logs[name], at };
    runner.after?.(name, artifacts);
  }
  return { logs };
}

/** Starts our action: its inputs are variables, as the runner makes them, with the defaults of action.yml. */
async function runAction(at, { action, defaults, env, ref }, inputs, own) {
  const files = Object.fromEntries(["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"].map((name) => [name, join(at, `.${name}`)]));
  for (const path of Object.values(files)) appendFileSync(path, "");
  const given = Object.fromEntries(
    Object.entries({ ...defaults, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const github = { GITHUB_REF: ref, GITHUB_REF_PROTECTED: String(ref === "refs/heads/main") };
  const options = { cwd: at, env: { ...env, ...files, ...github, ...own, ...given } };
  // not waited for in this thread: a service may be in it
  const ended = (e) => ({ status: e.code, ...e });
  const { status = 0, stdout, stderr } = await promisify(execFile)(process.execPath, [action], options).catch(ended);
  const outputs = Object.fromEntries(
    [...readFileSync(files.GITHUB_OUTPUT, "utf8").matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [
      name,
      value,
    ]),
  );
  return { status, outputs, log: `${stdout}${stderr}`, summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8") };
}
