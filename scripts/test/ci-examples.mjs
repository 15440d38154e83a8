// What examples/ci has a shell run, taken out of the files of each CI system.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import { runWorkflow } from "./runner.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const read = (path) => readFileSync(ROOT + path, "utf8");
export const example = (name) => read(`examples/ci/${name}`);
/** The block of a document with this head. */
export const blockOf = (path, head) => read(path).split(`\n\`\`\`${head}\n`)[1].split("\n```\n")[0];

/** Puts the program into a folder for the tests, with folders beside it. Returns the environment that finds it. */
export function withProgram(folder, ...names) {
  for (const name of ["bin", ...names]) mkdirSync(join(folder, name));
  const program = join(folder, "bin/firmseal");
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${ROOT}packages/cli/bin/firmseal.js" "$@"\n`);
  chmodSync(program, 0o755);
  return {
    ...{ PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder, FIRMSEAL_STATE: join(folder, "state") },
    ...{ NO_COLOR: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  };
}

/** The keywords of GitLab that the component may use, and the type of each: https://docs.gitlab.com/ci/yaml/ */
const GITLAB = {
  stage: "string",
  image: "string",
  rules: "array",
  needs: "array",
  environment: "string",
  resource_group: "string",
  script: "array",
  artifacts: "object",
};
const INPUT = ["description", "default", "type", "options", "regex"];
/** The pattern of an input. In some versions of GitLab, ^ and $ are the ends of a line, and not of the text. */
function patternOf(regex = "") {
  if (/[$^]/.test(regex)) throw new Error(`${regex}: use \\A and \\z`);
  return new RegExp(regex.replace("\\A", "^").replace("\\z", "$"));
}
const typeOf = (value) => (Array.isArray(value) ? "array" : typeof value);

/** A file of GitLab with inputs: `jobs` with these values, or the defaults. Throws for what GitLab does not know. */
function filledIn(text, inputs) {
  const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true });
  for (const { errors, warnings } of documents) if (errors.length + warnings.length > 0) throw errors[0] ?? warnings[0];
  const [{ spec, ...more }, jobs] = documents.map((one) => one.toJS());
  if (documents.length !== 2 || Object.keys(more).length > 0) throw new Error("there are not two documents: spec, and the jobs");
  const values = {};
  for (const [name, input] of Object.entries(spec.inputs)) {
    for (const key of Object.keys(input)) if (!INPUT.includes(key)) throw new Error(`input ${name} has ${key}`);
    if (typeof input.default !== "string" || !input.description) throw new Error(`input ${name} has no default or description`);
    values[name] = inputs[name] ?? input.default;
    for (const value of [input.default, values[name]])
      if (!patternOf(input.regex).test(value)) throw new Error(`input ${name} must not be ${value}`);
  }
  const used = new Set();
  const filled = JSON.stringify(jobs).replace(/\$\[\[ inputs\.(\w+) \]\]/g, (_, name) => {
    if (values[name] === undefined) throw new Error(`no input ${name}`);
    used.add(name);
    return values[name];
  });
  if (used.size !== Object.keys(values).length) throw new Error("an input is not used");
  return JSON.parse(filled);
}

/** The jobs of a GitLab component with these inputs, or their defaults. Throws for what GitLab does not know. */
export function gitlabJobs(text, inputs = {}) {
  const jobs = filledIn(text, inputs);
  for (const [name, job] of Object.entries(jobs)) {
    for (const [key, value] of Object.entries(job))
      if (GITLAB[key] !== typeOf(value)) throw new Error(`${name}: ${key} is not a ${GITLAB[key]}`);
    for (const line of job.script) if (typeof line !== "string") throw new Error(`${name}: a line of its script is not text`);
    for (const rule of job.rules)
      if (typeOf(rule) !== "object" || typeof rule.if !== "string") throw new Error(`${name}: a rule without if`);
  }
  return jobs;
}

/** The jobs of a project that includes the component. It must give the component inputs that this has. */
export function projectJobs(text, inputs = {}) {
  const { include, ...jobs } = filledIn(text, inputs);
  for (const one of include) gitlabJobs(example("gitlab/templates/firmseal.yml"), one.inputs);
  return jobs;
}

/** The sh steps of a Jenkinsfile, whose quotes and braces must be balanced. */
export function jenkinsLines(text) {
  const code = text.replace(/^\/\/.*$/gm, "");
  const plain = code.replace(/'[^'\n]*'/g, "''");
  if (/'[^']|"/.test(plain.replaceAll("''", ""))) throw new Error("a quote is not closed");
  let depth = 0;
  for (const c of plain) {
    depth += c === "{" ? 1 : c === "}" ? -1 : 0;
    if (depth < 0) throw new Error("a brace is closed that was not open");
  }
  if (depth !== 0) throw new Error("a brace is not closed");
  return [...code.matchAll(/^\s*sh '([^']*)'$/gm)].map(([, line]) => line);
}

/** The instructions of a Dockerfile, by name. */
export function dockerfile(text) {
  const out = {};
  for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const [, name, value] = /^([A-Z]+) (.+)$/.exec(line);
    out[name] = [...(out[name] ?? []), value];
  }
  return out;
}

/** The line with which all of them install firmseal. */
export const INSTALL = "npm install --global firmseal";

const script = (lines) => lines.filter((line) => line !== INSTALL).join("\n");

/**
 * What each CI system runs, in a checkout `here`: `clean`, before the images are there, `candidate` and, with what that
 * has left, `release`. `at`: where the release is made, from `here`. `env`: the variables that the system sets, and
 * `secrets`: those of the release only, for the `key` that CI_PRODUCT has left. They need a folder `tmp`.
 */
export function ciSystems(here, tmp, key) {
  const jobs = gitlabJobs(example("gitlab/templates/firmseal.yml"), { tag: "v1.4.2" });
  const { "firmseal-candidate": candidate, "firmseal-release": release } = jobs;
  const [, clean, look, publish] = jenkinsLines(example("Jenkinsfile"));
  const fresh = "rm -rf protected candidate";
  const secrets = { RELEASE_KEY: readFileSync(key, "utf8"), RELEASE_PASSPHRASE: CI_PASSPHRASE };
  const gitlab = { CI_DEFAULT_BRANCH: "main", CI_REPOSITORY_URL: `file://${here}`, CI_PROJECT_DIR: here };
  return {
    plain: {
      at: ".",
      env: { T: tmp },
      clean: "",
      candidate: 'sh ci/release.sh v1.4.2 images > "$T/candidate"',
      release: 'sh ci/release.sh v1.4.2 images "$T/candidate"',
      secrets,
    },
    gitlab: {
      at: "protected",
      env: gitlab,
      clean: fresh,
      candidate: `${fresh}\n${script(candidate.script)}`,
      // each job has a folder of its own, with the artifacts of those that it needs
      release: `rm -rf protected\n${script(release.script)}`,
      secrets,
    },
    jenkins: {
      at: ".",
      env: { TAG: "v1.4.2", WORKSPACE_TMP: tmp },
      clean,
      candidate: look,
      release: publish,
      secrets: { KEY_FILE: key, RELEASE_PASSPHRASE: CI_PASSPHRASE },
    },
  };
}

/** The passphrase of the key of CI_PRODUCT. A shell must not take it apart. */
export const CI_PASSPHRASE = " correct  $horse * ";

/**
 * Makes a checkout of a product whose branch has the release 1.4.1. The images of 1.4.2 are in `../images`, and its
 * encrypted key is `../release.pem`.
 */
export const CI_PRODUCT = [
  `export RELEASE_PASSPHRASE='${CI_PASSPHRASE}'`,
  "git init -q -b main",
  `head -c 4096 /dev/zero > gateway.bin`,
  "firmseal keygen --passphrase-env RELEASE_PASSPHRASE --out ../release.pem",
  "cp ../release.pub .; firmseal init --vendor example.com --board gateway=gateway.bin --name acme --lone-key",
  `sed -i 's/"release.pem"/"env:RELEASE_KEY"/' firmseal.toml`,
  "mkdir ../images ../old; mv gateway.bin ../old; head -c 4096 /dev/zero | tr '\\0' x > ../images/gateway.bin",
  'export RELEASE_KEY="$(cat ../release.pem)"',
  "cp -r ../old old; firmseal release --version 1.4.1 --first --images old --passphrase-env RELEASE_PASSPHRASE; rm -r old",
  "mkdir releases ci; mv dist/1.4.1/release.json releases; rm -r dist",
  `cp ${ROOT}examples/ci/release.sh ci`,
  "printf 'build/\\n' > .gitignore",
  "git add -A; git -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false commit -q -m product",
  "git update-ref refs/remotes/origin/main HEAD",
].join("\n");

/** Makes a repository with a product of two boards and its release 1.4.1. The key is `../release.pem`. */
const MATRIX_PRODUCT = [
  "git init -q -b main; printf 'one two:\\n\\techo $@ > $@.js\\n' > Makefile; make -s one two",
  "firmseal keygen --no-passphrase --out ../release.pem; cp ../release.pub .",
  "firmseal init --vendor example.com --name matrix --lone-key --board one=one.js --board two=two.js",
  "firmseal release --version 1.4.1 --first --unsigned; mkdir releases; mv dist/1.4.1/release.json releases; rm -r dist *.js",
  "git add -A; git -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false commit -q -m product",
].join("\n");

/**
 * Runs the workflow of the guide with a board in each job, and signs what it makes. `install`: how it gets firmseal.
 * Returns how the signing ended.
 */
export async function runMatrix(folder, env, install) {
  for (const name of ["origin", "artifacts", "work"]) mkdirSync(join(folder, name), { recursive: true });
  const [origin, artifacts, work] = ["origin", "artifacts", "work"].map((name) => join(folder, name));
  const shell = (script) => spawnSync("bash", ["-e", "-c", script], { cwd: origin, env, encoding: "utf8" });
  const made = shell(MATRIX_PRODUCT);
  if (made.status !== 0) throw new Error(made.stderr);
  const workflow = parse(blockOf("docs/guides/ci.md", "yaml").replaceAll(INSTALL, install));
  let released;
  const after = (_, uploaded) => (released = uploaded.get("release"));
  await runWorkflow(workflow, { origin, ref: "refs/heads/main", artifacts, work, env, after });
  return shell(`mkdir dist; cp -r ${released} dist/1.4.2; firmseal sign dist/1.4.2 --key ../release.pem; firmseal verify dist/1.4.2`);
}
