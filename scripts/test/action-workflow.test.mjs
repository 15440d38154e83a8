// The workflow that the document of the action shows, run as it is written: each job on a runner of its own, with an
// encrypted key in a secret. And the same with a build that an attacker controls.

import { spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { firmseal as call, Place } from "../../packages/test-support/src/command-line/run.ts";
import { AT_LENGTH, LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { CANARY, moto } from "../../packages/test-support/src/keys/kms-servers.ts";
import { why as noSoftHsm, PIN, SoftHsm } from "../../packages/test-support/src/keys/softhsm.ts";
import { makeAction } from "../action.mjs";
import { vault } from "./ci-services.mjs";
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

function commit(files, message, at = origin) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(at, name, ".."), { recursive: true });
    writeFileSync(join(at, name), text);
  }
  git("-C", at, "add", "-A");
  git("-C", at, "commit", "-q", "--allow-empty", "-m", message);
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

/** What the documents give the action, for what the built-in program does not have. */
const [, PROGRAM] = /`program: (.*?)`/.exec(README);

/**
 * A main whose product file names another key. `publish`: runs the workflow there, with these steps after the checkout
 * of the job, these inputs and variables of the action, what roles give, and other members of the job.
 */
async function withKey(reference, publicKey) {
  const at = mkdtempSync(join(folder, "origin-"));
  cpSync(origin, at, { recursive: true });
  const pem = createPublicKey(publicKey).export({ type: "spki", format: "pem" });
  commit({ "firmseal.toml": PRODUCT.replace("env:RELEASE_KEY", reference), "release.pub": pem }, "key", at);
  git("-C", at, "tag", "-f", "v1.4.2");
  // what npm ci installs
  const bin = mkdtempSync(join(folder, "bin-"));
  const install = `"ci --ignore-scripts") mkdir node_modules && ln -s "${ROOT}packages/cli" node_modules/firmseal ;;`;
  const npm = `#!/bin/sh\ncase "$*" in\n${install}\n"rebuild pkcs11js") ;;\n*) exit 1 ;;\nesac\n`;
  writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
  return {
    publish(steps, inputs, own, roles, members) {
      const workflow = structuredClone(WORKFLOW);
      const job = Object.assign(workflow.jobs.publish, members);
      job.steps.splice(1, 0, ...steps);
      const ours = job.steps.find(({ id }) => id === "release");
      const { "passphrase-env": _, ...others } = ours.with;
      Object.assign(ours, { env: own, with: { ...others, ...inputs } });
      return run("v1.4.2", undefined, undefined, { workflow, origin: at, secrets: {}, roles, env: { ...env, PATH: `${bin}:${env.PATH}` } });
    },
  };
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

  it(`refuses an input that is not the name of a tag, and a run for another ref${OF_SOME}`, async () => {
    git("tag", "-f", "v1.4.2");
    for (const name of some(["main", "refs/heads/main", "v1.4.2\nmain", "v1.4.2 --x", "../v1.4.2", "", "v1.4"], 3))
      await expect(run(name), name).rejects.toThrow("grep");
    for (const ref of some(["refs/tags/v1.4.2", "refs/heads/other", "refs/pull/1/merge"], 3))
      expectNothing(await run("v1.4.2", undefined, ref), `the workflow runs for ${ref}, so its file is of that`);
  });

  it("makes a release with an encrypted key, and shows what it pins", async () => {
    git("tag", "-f", "v1.4.2");
    const { logs, failed } = await run("v1.4.2");
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
    const { logs, failed } = await run("v1.4.3", (job, artifacts) => {
      if (job !== "build") return;
      for (const [name, text] of Object.entries({ "firmseal.toml": toml, "release.json": "{}" }))
        writeFileSync(join(artifacts.get("images"), name), text);
    });
    expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
    expect(readFileSync(join(logs.publish.at, "firmseal.toml"), "utf8")).toBe(PRODUCT);
    expect(logs.candidate.summary).not.toContain("exec:make");
  });

  it(`refuses images and a candidate that were changed after the candidate job${OF_SOME}`, async () => {
    git("tag", "-f", "v1.4.4");
    const images = await run("v1.4.4", (job, artifacts) => {
      if (job === "candidate") writeFileSync(join(artifacts.get("images"), "gateway.bin"), Buffer.alloc(2500, 9));
    });
    expectNothing(images, "is not the candidate: these differ: image build/gateway.bin of gateway image; run the candidate job again");
    expect(images.logs.publish.summary).toMatch(/<td>image build.gateway.bin of gateway image<\/td><td>size 3000, .*<\/td><td>size 2500, /);
    if (!LONG) return;
    const candidate = await run("v1.4.4", (job, artifacts) => {
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
      const { CreateKeyCommand, GetPublicKeyCommand, KMSClient } = createRequire(`${ROOT}packages/cli/package.json`)("@aws-sdk/client-kms");
      const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: CANARY };
      const admin = new KMSClient({ endpoint: server.url, region: login.with["aws-region"], credentials });
      const { KeyMetadata } = await admin.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }));
      const { PublicKey } = await admin.send(new GetPublicKeyCommand({ KeyId: KeyMetadata.Arn }));
      const role = {
        ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: CANARY, AWS_SESSION_TOKEN: CANARY },
        AWS_ENDPOINT_URL_KMS: server.url,
      };
      const { publish } = await withKey(`awskms:${KeyMetadata.Arn}`, { key: Buffer.from(PublicKey), format: "der", type: "spki" });
      const { logs, failed } = await publish([install, login], { program: PROGRAM }, {}, { [login.with["role-to-assume"]]: role });
      expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
      expect(JSON.parse(logs.publish.outputs.signers)).toMatchObject([{ alg: "es256" }]);
      expect(logs.publish.log + logs.publish.summary).not.toContain(CANARY);
    },
    120_000,
  );

  it("signs with a key in Vault through its role, as no other job or environment, and has no secret", async () => {
    const role = JSON.parse(block("json vault"));
    const { url, calls, publicKey } = await vault(role);
    const login = structuredClone(parse(block("yaml others")).find(({ uses }) => uses.startsWith("hashicorp/vault-action@")));
    expect([[login.with.url], [login.with.jwtGithubAudience]]).toEqual([role.bound_audiences, role.bound_audiences]);
    login.with.url = url;
    const { publish } = await withKey("vault:transit/release", publicKey);
    for (const environment of ["test", undefined])
      await expect(publish([login], {}, { VAULT_ADDR: url }, {}, { environment })).rejects.toThrow("failed to retrieve vault token: 400");
    await expect(publish([login], {}, {}, {}, { permissions: WORKFLOW.permissions })).rejects.toThrow("publish may have no token");
    calls.length = 0;
    const { logs, failed } = await publish([login], {}, { VAULT_ADDR: url });
    expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
    expect(JSON.parse(logs.publish.outputs.signers)).toMatchObject([{ alg: "ed25519" }]);
    expect(logs.publish.log + logs.publish.summary).not.toContain(CANARY);
    expect([...new Set(calls)]).toEqual(["POST /v1/auth/jwt/login", "GET /v1/transit/keys/release", "POST /v1/transit/sign/release"]);
  }, 120_000);

  it.skipIf(noSoftHsm !== "").each(
    some(
      [
        ["pkcs11:token=release;object=fw", "RELEASE_PIN", { "passphrase-env": "RELEASE_PIN" }],
        ["pkcs11:token=release;object=fw?pin-source=env:PIN", "PIN", {}],
      ],
      2,
    ),
  )(
    `signs with a key in a token of its runner, with the PIN that is named: %s${OF_SOME}${noSoftHsm}`,
    async (reference, variable, named) => {
      const [key] = reference.split("?");
      const hsm = new SoftHsm(new Place());
      const { publish } = await withKey(reference, await hsm.withKey("release", key));
      const { PIN: _, ...module } = hsm.env;
      const program = { program: PROGRAM };
      const start = (inputs, pin) => publish(parse(block("yaml token")), inputs, { ...module, [variable]: pin });
      expectNothing(await start({ ...program, ...named }, "wrong-one"), `${key}: wrong PIN`);
      if (LONG) {
        expectNothing(await start(named, PIN), "the npm package pkcs11js, which firmseal needs for tokens, is not installed");
        if (variable !== "PIN") expectNothing(await start(program, PIN), "PIN");
      }
      const { logs, failed } = await start({ ...program, ...named }, PIN);
      expect([failed, failed && logs[failed].log]).toEqual([undefined, undefined]);
      expect(logs.publish.log.replaceAll(`::add-mask::${PIN}`, "") + logs.publish.summary).not.toContain(PIN);
    },
    120_000,
  );

  it("refuses the version of the earlier release of the protected ref with other content", async () => {
    git("tag", "v1.4.1");
    const { logs, failed } = await run("v1.4.1");
    expect([failed, error(logs.candidate)]).toEqual(["candidate", expect.stringContaining("1.4.1")]);
  });
});
