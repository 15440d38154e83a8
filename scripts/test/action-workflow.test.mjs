// The workflow that the document of the action shows, run as it is written: each job on a runner of its own, with an
// encrypted key in a secret. And the same with a build that an attacker controls.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { firmseal as call } from "../../packages/test-support/src/command-line/run.ts";
import { AT_LENGTH, LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { CANARY, moto } from "../../packages/test-support/src/keys/kms-servers.ts";
import { makeAction } from "../action.mjs";
import { runWorkflow } from "./runner.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(`${ROOT}action/README.md`, "utf8");
const block = (kind) => new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(README)[1];
const WORKFLOW = parse(block("yaml"));
const DEFAULTS = Object.fromEntries(
  Object.entries(parse(readFileSync(`${ROOT}action/action.yml`, "utf8")).inputs).map(([name, { default: value = "" }]) => [name, value]),
);

const WAIVER = { rule: "L40", reason: "the build of 2025 writes no <sbom>", until: "2099-01-01" };
const PRODUCT = `${block("toml")}
[[policy.waivers]]
rule = "${WAIVER.rule}"
reason = "${WAIVER.reason}"
until = ${WAIVER.until}
`;
const PASSPHRASE = "correct horse battery staple";
const server = await moto();
afterAll(() => server?.stop());
let folder;
let origin;
let secrets;
let env;

const git = (...args) => {
  const who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"];
  const r = spawnSync("git", [...who, "-C", origin, ...args], { encoding: "utf8" });
  expect(r, `${args.join(" ")}: ${r.stderr}`).toMatchObject({ status: 0 });
};

function commit(files, message) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(origin, name, ".."), { recursive: true });
    writeFileSync(join(origin, name), text);
  }
  git("add", "-A");
  git("commit", "-q", "--allow-empty", "-m", message);
}

beforeAll(async () => {
  folder = temporaryFolder("firmseal-workflow-");
  await makeAction(join(folder, "action"));
  origin = join(folder, "origin");
  mkdirSync(origin);
  env = { PATH: process.env.PATH, FIRMSEAL_STATE: join(folder, "state"), NODE_OPTIONS: process.env.NODE_OPTIONS };
  const at = mkdtempSync(join(folder, "first-"));
  const own = { ...env, P: PASSPHRASE };
  const firmseal = async (...args) => expect(await call(args, { cwd: at, env: own }), args.join(" ")).toMatchObject({ exit: 0 });
  await firmseal("keygen", "--passphrase-env", "P", "--out", "release.pem");
  await firmseal("pubkey", "release.pem", "--passphrase-env", "P", "--out", "release.pub");
  secrets = { RELEASE_KEY: readFileSync(join(at, "release.pem"), "utf8"), RELEASE_PASSPHRASE: PASSPHRASE };
  own.RELEASE_KEY = secrets.RELEASE_KEY;
  writeFileSync(join(at, "firmseal.toml"), PRODUCT);
  mkdirSync(join(at, "build"));
  writeFileSync(join(at, "build/gateway.bin"), Buffer.alloc(2000, 1));
  await firmseal("release", "--version", "1.4.1", "--first", "--passphrase-env", "P");
  git("init", "-q", "-b", "main");
  commit(
    {
      "firmseal.toml": PRODUCT,
      "release.pub": readFileSync(join(at, "release.pub")),
      "releases/release.json": readFileSync(join(at, "dist/1.4.1/release.json")),
      Makefile: "images:\n\tmkdir -p build && head -c 3000 /dev/zero > build/gateway.bin\n",
    },
    "gateway",
  );
}, 120_000);

/**
 * Runs the workflow for a tag. `after`: what an attacker does once a job has ended. `ref`: whose file GitHub takes.
 * `more`: another workflow, its secrets, and what roles give.
 */
function run(tag, after, ref = "refs/heads/main", { workflow = WORKFLOW, ...more } = {}) {
  const made = (name) => mkdtempSync(join(folder, name));
  const action = join(folder, "action/index.mjs");
  const state = { ...env, FIRMSEAL_STATE: made("state-") };
  return runWorkflow(workflow, {
    origin,
    ref,
    inputs: { tag },
    artifacts: made("artifacts-"),
    work: made("work-"),
    secrets,
    env: state,
    action,
    defaults: DEFAULTS,
    after,
    ...more,
  });
}

const error = ({ log }) => /^::error::(.*)$/m.exec(log)?.[1] ?? log;

/** Nothing was signed, and no number was used. */
function expectNothing({ logs }, words) {
  expect(error(logs.publish)).toContain(words);
  expect([logs.publish.status, logs.publish.outputs]).toEqual([1, {}]);
}

describe("the workflow of the document", () => {
  it("has no trigger with which the ref of a stranger chooses its file, and secrets in one environment only", () => {
    // push, pull_request and release take the file from a ref, and pull_request_target, workflow_run and comments take
    // words
    expect(Object.keys(WORKFLOW.on)).toEqual(["workflow_dispatch"]);
    const secret = Object.entries(WORKFLOW.jobs).filter(([, job]) => /secrets\.|id-token/.test(JSON.stringify(job)));
    expect(secret.map(([name, { environment }]) => [name, environment])).toEqual([["publish", "release"]]);
    expect(WORKFLOW.permissions).toEqual({ contents: "read" });
    for (const words of ["Deployment branches and tags", "Require\n  reviewers", "A ruleset for the branch", "A ruleset for the tags"])
      expect(README).toContain(words);
  });

  it(`refuses an input that is not the name of a tag, and a run for another ref${OF_SOME}`, () => {
    git("tag", "-f", "v1.4.2");
    for (const name of some(["main", "refs/heads/main", "v1.4.2\nmain", "v1.4.2 --x", "../v1.4.2", "", "v1.4"], 3))
      expect(() => run(name), name).toThrow("grep");
    for (const ref of some(["refs/tags/v1.4.2", "refs/heads/other", "refs/pull/1/merge"], 3))
      expectNothing(run("v1.4.2", undefined, ref), `the workflow runs for ${ref}, so its file is of that`);
  });

  it("makes a release with an encrypted key, and shows what it pins", async () => {
    git("tag", "-f", "v1.4.2");
    const { logs, failed } = run("v1.4.2");
    expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
    const { outputs, summary, at } = logs.publish;
    expect(outputs).toMatchObject({
      version: "1.4.2",
      folder: "dist/1.4.2",
      "candidate-digest": logs.candidate.outputs["candidate-digest"],
    });
    expect(readdirSync(join(at, "dist/1.4.2"))).toContain("release.json");
    const [{ thumbprint }] = JSON.parse(outputs.signers);
    for (const said of [logs.candidate.summary, summary])
      for (const words of ["env:RELEASE_KEY", thumbprint, "release.pub", "example.com", "gateway-gateway"]) expect(said).toContain(words);
    expect(summary).toContain("refs/heads/main at ");
    expect(summary).toContain("Not signed: the name of the product (gateway), names of boards, and names of files.");
    // who approves the release approves what is waived: as the product file has it, and with each finding
    const reason = WAIVER.reason.replace("<", "&#60;").replace(">", "&#62;");
    for (const said of [logs.candidate.summary, summary]) {
      for (const [name, value] of Object.entries({ ...WAIVER, reason }))
        expect(said).toContain(`<tr><td>/policy/waivers/0/${name}</td><td>waiver</td><td>${value}</td>`);
      expect(said).toMatch(new RegExp(`<tr><td>waived until ${WAIVER.until}</td><td>${WAIVER.rule} .*\\(${reason}\\)</td></tr>`));
    }
    // the passphrase is masked, and nowhere else
    expect(logs.publish.log.replaceAll(`::add-mask::${PASSPHRASE}`, "")).not.toContain(PASSPHRASE);
    const check = await call(["verify", "dist/1.4.2", "--product", "firmseal.toml"], { cwd: at, env });
    expect(check.exit, check.stderr).toBe(0);
  });

  it.skipIf(!LONG)(`takes nothing but images from the tag, from its build, and from artifacts${AT_LENGTH}`, async () => {
    // the tag has its own product file, trust and earlier release; main does not
    const toml = PRODUCT.replace("env:RELEASE_KEY", "exec:make");
    git("checkout", "-q", "-b", "attack");
    commit({ "firmseal.toml": toml, "releases/release.json": "{}", "release.pub": "x" }, "attack");
    git("tag", "v1.4.3");
    git("checkout", "-q", "main");
    const { logs, failed } = run("v1.4.3", (job, artifacts) => {
      if (job !== "build") return;
      for (const [name, text] of Object.entries({ "firmseal.toml": toml, "release.json": "{}" }))
        writeFileSync(join(artifacts.get("images"), name), text);
    });
    expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
    expect(readFileSync(join(logs.publish.at, "firmseal.toml"), "utf8")).toBe(PRODUCT);
    expect(logs.candidate.summary).not.toContain("exec:make");
  });

  it(`refuses images and a candidate that were changed after the candidate job${OF_SOME}`, () => {
    git("tag", "-f", "v1.4.4");
    const images = run("v1.4.4", (job, artifacts) => {
      if (job === "candidate") writeFileSync(join(artifacts.get("images"), "gateway.bin"), Buffer.alloc(2500, 9));
    });
    expectNothing(images, "is not the candidate: these differ: image build/gateway.bin of gateway image; run the candidate job again");
    expect(images.logs.publish.summary).toMatch(/<td>image build.gateway.bin of gateway image<\/td><td>size 3000, .*<\/td><td>size 2500, /);
    if (!LONG) return;
    const candidate = run("v1.4.4", (job, artifacts) => {
      const path = job === "candidate" && join(artifacts.get("candidate"), "firmseal-candidate.json");
      if (path) writeFileSync(path, readFileSync(path, "utf8").replace("gateway", "gatewaz"));
    });
    expectNothing(candidate, "is not the candidate with the digest");
  });

  it.skipIf(!server)(
    `signs with a key in AWS through its role, and has no secret${server ? "" : " (skipped: no moto_server)"}`,
    async () => {
      const [trusts] = JSON.parse(block("json aws")).Statement;
      expect(trusts.Condition).toEqual({
        StringEquals: {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": `repo:OWNER/NAME:environment:${WORKFLOW.jobs.publish.environment}`,
        },
      });
      // what the policy of the guide allows is all that firmseal calls
      const allows = JSON.parse(
        /^## AWS KMS\n[\s\S]*?^```json\n([\s\S]*?)^```$/m.exec(readFileSync(`${ROOT}docs/guides/keys/kms.md`, "utf8"))[1],
      );
      expect(allows.Action).toEqual(["kms:GetPublicKey", "kms:Sign"]);
      const [install, login] = parse(block("yaml aws"));
      const workflow = structuredClone(WORKFLOW);
      const { steps } = workflow.jobs.publish;
      steps.splice(1, 0, install, login);
      const ours = steps.find(({ id }) => id === "release");
      delete ours.env;
      delete ours.with["passphrase-env"];
      [, ours.with.program] = /`program: (.*?)`/.exec(README);
      // what npm ci installs
      const bin = mkdtempSync(join(folder, "bin-"));
      const npm = `#!/bin/sh\n[ "$*" = "ci --ignore-scripts" ] && mkdir node_modules && ln -s "${ROOT}packages/cli" node_modules/firmseal\n`;
      writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
      const { CreateKeyCommand, GetPublicKeyCommand, KMSClient } = createRequire(`${ROOT}packages/cli/package.json`)("@aws-sdk/client-kms");
      const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: CANARY };
      const admin = new KMSClient({ endpoint: server.url, region: login.with["aws-region"], credentials });
      const { KeyMetadata } = await admin.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }));
      const { PublicKey } = await admin.send(new GetPublicKeyCommand({ KeyId: KeyMetadata.Arn }));
      const pem = Buffer.from(PublicKey)
        .toString("base64")
        .replace(/(.{64})/g, "$1\n");
      const before = origin;
      origin = mkdtempSync(join(folder, "aws-"));
      cpSync(before, origin, { recursive: true });
      commit(
        {
          "firmseal.toml": PRODUCT.replace("env:RELEASE_KEY", `awskms:${KeyMetadata.Arn}`),
          "release.pub": `-----BEGIN PUBLIC KEY-----\n${pem}\n-----END PUBLIC KEY-----\n`,
        },
        "aws",
      );
      git("tag", "-f", "v1.4.2");
      try {
        const role = {
          ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: CANARY, AWS_SESSION_TOKEN: CANARY },
          AWS_ENDPOINT_URL_KMS: server.url,
        };
        const given = { workflow, secrets: {}, roles: { [login.with["role-to-assume"]]: role } };
        const { logs, failed } = run("v1.4.2", undefined, "refs/heads/main", { ...given, env: { ...env, PATH: `${bin}:${env.PATH}` } });
        expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
        expect(JSON.parse(logs.publish.outputs.signers)).toMatchObject([{ alg: "es256" }]);
        expect(logs.publish.log + logs.publish.summary).not.toContain(CANARY);
      } finally {
        origin = before;
      }
    },
    120_000,
  );

  it("refuses the version of the earlier release of the protected ref with other content", () => {
    git("tag", "v1.4.1");
    const { logs, failed } = run("v1.4.1");
    expect([failed, error(logs.candidate)]).toEqual(["candidate", expect.stringContaining("1.4.1")]);
  });
});
