// Keys in services, as the recipes for CI reach them: the login that a document shows, against a service that has the
// role, the policy and nothing else that the documents give it.

import { execFile, spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { Place } from "../../packages/test-support/src/command-line/run.ts";
import { AT_LENGTH } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { hasProgram } from "../../packages/test-support/src/environment/programs.ts";
import { CANARY, certificate, hasOpenssl, moto } from "../../packages/test-support/src/keys/kms-servers.ts";
import { why as noSoftHsm, PIN, SoftHsm } from "../../packages/test-support/src/keys/softhsm.ts";
import { blockOf, CI_PRODUCT, ciSystems, example, projectJobs, read, withProgram } from "./ci-examples.mjs";
import { azure, google, hasClaims, library, vault } from "./ci-services.mjs";
import { tokenOf } from "./runner.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ROLE = JSON.parse(blockOf("docs/guides/ci.md", "json role.json"));
const hasCurl = hasProgram("curl", "--version");

let folder;
let env;

beforeAll(() => {
  folder = temporaryFolder("firmseal-ci-keys-");
  env = withProgram(folder, "product", "tmp");
  expect(spawnSync("bash", ["-e", "-c", CI_PRODUCT], { cwd: join(folder, "product"), env })).toMatchObject({ status: 0 });
}, 120_000);

/** A checkout of the product whose key is elsewhere, and what GitLab, or another system, runs there for the release. */
async function checkoutOf(name, reference, publicKey, { before_script = [], passphrases = "RELEASE_PASSPHRASE" }, system = "gitlab") {
  const here = join(folder, name);
  cpSync(join(folder, "product"), here, { recursive: true });
  writeFileSync(join(here, "release.pub"), publicKey);
  // where every process of this machine finds it, but for this test
  writeFileSync(join(here, "ci/google.json"), example("gitlab/google.json").replaceAll("/dev/shm/", `${folder}/`));
  const commit = "git -c user.name=t -c user.email=t@example.com commit -q -a -m x; git update-ref refs/remotes/origin/main HEAD";
  const { at, env: own, candidate, release } = ciSystems(here, join(folder, "tmp"), join(folder, "release.pem"))[system];
  // the shell of the runner
  const shell = async (script, more) => {
    const options = { cwd: here, env: { ...env, ...own, ...more } };
    const ended = (e) => ({ status: e.code, ...e });
    return promisify(execFile)("bash", ["-e", "-o", "pipefail", "-c", script], options).then((r) => ({ status: 0, ...r }), ended);
  };
  const toml = `sed -i 's#env:RELEASE_KEY#${reference}#' firmseal.toml`;
  const script = `sed -i 's/^passphrases=.*/passphrases=${passphrases}/' ci/release.sh`;
  expect(await shell(`${toml}; ${script}; git add ci; ${commit}; cp -r ../images images`, {})).toMatchObject({ status: 0 });
  const looked = await shell(candidate, {});
  expect(looked.status, looked.stderr).toBe(0);
  // the library is there
  const lines = before_script.filter((line) => !line.startsWith("npm install --global @"));
  const isReleased = () => existsSync(join(here, at, "dist"));
  return { publish: (more) => shell([...lines, release].join("\n"), more), isReleased };
}

describe.skipIf(!hasCurl)(`GitLab with a key in Vault${hasCurl ? "" : " (skipped: no curl)"}`, () => {
  const { "firmseal-release": job } = projectJobs(example("gitlab/project.yml"), { tag: "v1.4.2" });
  const token = (more) => tokenOf({ aud: job.id_tokens.VAULT_ID_TOKEN.aud, ...ROLE.bound_claims, ...more });

  it("releases through the role and the policy of the documents, and as no other project, branch or environment", async () => {
    const { url, calls, publicKey } = await vault(ROLE);
    expect(job.variables).toEqual({ VAULT_ADDR: ROLE.bound_audiences[0] });
    const { publish: start, isReleased } = await checkoutOf("vault", "vault:transit/release", publicKey, job);
    expect(calls).toEqual([]);
    const publish = (more) => start({ VAULT_ADDR: url, VAULT_ID_TOKEN: token(more) });
    for (const more of [{ project_id: "43" }, { ref: "v1.4.2" }, { environment: "test" }, { aud: "https://other.example.com" }]) {
      const { status, stdout, stderr } = await publish(more);
      expect([status === 0, stdout + stderr]).toEqual([false, expect.not.stringContaining(CANARY)]);
      expect(isReleased()).toBe(false);
    }
    calls.length = 0;
    const made = await publish({});
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toContain(": good, board gateway");
    expect(made.stdout + made.stderr).not.toContain(CANARY);
    // and nothing more than the policy allows
    expect([...new Set(calls)].sort()).toEqual([
      "GET /v1/transit/keys/release",
      "POST /v1/auth/jwt/login",
      "POST /v1/transit/sign/release",
    ]);
  }, 120_000);
});

describe.skipIf(noSoftHsm !== "")(`a key in a token of the runner${noSoftHsm}`, () => {
  const key = "pkcs11:token=release;object=fw";

  it.each([
    ["plain", "the setting of release.sh", key, "RELEASE_PIN"],
    ["gitlab", "the product file", `${key}?pin-source=env:RELEASE_PIN`, ""],
  ])(
    "%s: releases with the PIN in the variable that %s names, and reads no other",
    async (system, _, reference, passphrases) => {
      const hsm = new SoftHsm(new Place());
      const publicKey = await hsm.withKey("release", key);
      const { publish, isReleased } = await checkoutOf(`token-${system}`, reference, publicKey, { passphrases }, system);
      for (const [more, said] of [
        [{ RELEASE_PIN: undefined }, "variable RELEASE_PIN is not set"],
        [{ RELEASE_PIN: "" }, "empty"],
        [{ RELEASE_PIN: "wrong-one" }, "wrong PIN"],
      ]) {
        const { status, stdout, stderr } = await publish({ ...hsm.env, ...more });
        expect([status, stderr]).toEqual([3, expect.stringContaining(said)]);
        for (const secret of [PIN, "wrong-one"]) expect(stdout + stderr).not.toContain(secret);
        expect(isReleased()).toBe(false);
      }
      const made = await publish({ ...hsm.env, PIN: undefined, RELEASE_PIN: PIN });
      expect(made.status, made.stderr).toBe(0);
      expect(made.stderr).toContain(": good, board gateway");
      expect(made.stdout + made.stderr).not.toContain(PIN);
    },
    120_000,
  );
});

const aws = await moto();
afterAll(() => aws?.stop());

/** AWS with the role and the policy of the documents: what they allow goes to moto, which allows all. */
async function guarded(calls) {
  const [{ Condition }] = JSON.parse(blockOf("docs/guides/ci.md", "json aws-role.json")).Statement;
  const bound = Object.fromEntries(Object.entries(Condition.StringEquals).map(([name, value]) => [name.split(":").at(-1), value]));
  const { Action } = JSON.parse(/^## AWS KMS\n[\s\S]*?^```json\n([\s\S]*?)^```$/m.exec(read("docs/guides/keys/kms.md"))[1]);
  const server = createServer(async (request, response) => {
    const content = Buffer.concat(await request.toArray());
    const form = new URLSearchParams(content.toString());
    const target = request.headers["x-amz-target"];
    const action = target ? `kms:${target.split(".").at(-1)}` : `sts:${form.get("Action")}`;
    calls.push(action);
    const may = target ? Action.includes(action) : hasClaims(form.get("WebIdentityToken"), bound);
    if (!may) return response.writeHead(403).end();
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !/^(host|connection|content-length)$/.test(name)),
    );
    const answer = await fetch(`${aws.url}${request.url}`, { method: request.method, headers, body: content });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

describe.skipIf(!aws)(`GitLab with a key in AWS${aws ? "" : " (skipped: no moto_server)"}`, () => {
  const { "firmseal-release": job } = parse(example("gitlab/aws.yml"));

  it("releases through the role and the policy of the documents, and as no other project or branch", async () => {
    const calls = [];
    const url = await guarded(calls);
    const { CreateKeyCommand, GetPublicKeyCommand, KMSClient } = library("@aws-sdk/client-kms");
    const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: CANARY };
    const admin = new KMSClient({ endpoint: aws.url, region: job.variables.AWS_REGION, credentials });
    const { KeyMetadata } = await admin.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }));
    const { PublicKey } = await admin.send(new GetPublicKeyCommand({ KeyId: KeyMetadata.Arn }));
    const pem = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" }).export({ type: "spki", format: "pem" });
    const { publish: start, isReleased } = await checkoutOf("aws", `awskms:${KeyMetadata.Arn}`, pem, job);
    expect(calls).toEqual([]);
    // the account of moto
    const role = job.variables.AWS_ROLE_ARN.replace("111122223333", "123456789012");
    const sub = "project_path:acme/gateway:ref_type:branch:ref:main";
    const publish = (more) =>
      start({
        ...job.variables,
        AWS_ROLE_ARN: role,
        AWS_ENDPOINT_URL: url,
        AWS_ID_TOKEN: tokenOf({ aud: job.id_tokens.AWS_ID_TOKEN.aud, sub, ...more }),
      });
    for (const more of [
      { sub: sub.replace("gateway", "other") },
      { sub: sub.replace("main", "x") },
      { aud: "https://other.example.com" },
    ]) {
      const { status, stderr } = await publish(more);
      expect([status === 0, stderr]).toEqual([false, expect.stringContaining("awskms:")]);
      expect(isReleased()).toBe(false);
    }
    expect(new Set(calls)).toEqual(new Set(["sts:AssumeRoleWithWebIdentity"]));
    calls.length = 0;
    const made = await publish({});
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toContain(": good, board gateway");
    expect([...new Set(calls)].sort()).toEqual(["kms:GetPublicKey", "kms:Sign", "sts:AssumeRoleWithWebIdentity"]);
  }, 120_000);
});

describe("GitLab with a key in another service", () => {
  const jobIn = (name) => parse(example(`gitlab/${name}.yml`))["firmseal-release"];
  const why = AT_LENGTH || (hasOpenssl ? "" : " (skipped: no openssl)");

  it.skipIf(why !== "").each([
    ["google", google, /assertion\.(\w+) == '(\w+)'/g, [{ project_id: "43" }, { ref: "v1.4.2" }, { environment: "test" }]],
    ["azure", azure, /the (sub|aud)\w+ `(.*?)`/g, [{ sub: "project_path:acme/gateway:ref_type:branch:ref:x" }]],
  ])(
    `%s: releases as the table of the guide says, and as no other job${why}`,
    async (name, service, condition, others) => {
      const { id_tokens, variables = {}, before_script } = jobIn(name);
      const [[token, { aud }]] = Object.entries(id_tokens);
      const [row] = new RegExp(`^\\| ${name} \\|.*$`, "im").exec(read("docs/guides/ci.md"));
      const claims = Object.fromEntries([...row.matchAll(condition)].map(([, claim, value]) => [claim, value]));
      const tls = certificate(
        folder,
        "cloudkms.googleapis.com",
        "sts.googleapis.com",
        "login.microsoftonline.com",
        "acme-fw.vault.azure.net",
      );
      const { reference, publicKey, env: found, calls, allowed } = await service(tls, { aud, ...claims }, variables);
      const script = before_script.map((line) => line.replaceAll("/dev/shm/", `${folder}/`));
      const { publish: start, isReleased } = await checkoutOf(name, reference, publicKey, { before_script: script });
      const publish = (more) => start({ ...variables, ...found, [token]: tokenOf({ ...claims, aud, ...more }) });
      for (const more of [...others, { aud: "https://other.example.com" }]) {
        const { status, stdout, stderr } = await publish(more);
        expect([status, stdout + stderr]).toEqual([3, expect.not.stringContaining(CANARY)]);
        expect(isReleased()).toBe(false);
      }
      expect(new Set(calls)).toEqual(new Set([allowed[0]]));
      const made = await publish({});
      expect(made.status, made.stderr).toBe(0);
      expect(made.stderr).toContain(": good, board gateway");
      expect(made.stdout + made.stderr).not.toContain(CANARY);
      expect(new Set(calls)).toEqual(new Set(allowed));
    },
    120_000,
  );

  it.each([
    ["aws", "AWS_WEB_IDENTITY_TOKEN_FILE"],
    ["google", "GOOGLE_APPLICATION_CREDENTIALS"],
    ["azure", "AZURE_FEDERATED_TOKEN_FILE"],
  ])("%s: the token of this job alone is in a file that nobody else can read, and not an argument", (name, variable) => {
    const { id_tokens, before_script } = jobIn(name);
    const [[token, { aud }], ...others] = Object.entries(id_tokens);
    expect([others, typeof aud]).toEqual([[], "string"]);
    expect(example(`gitlab/${name}.yml`)).not.toMatch(/SECRET|PASSWORD|PRIVATE/);
    // printf is a part of the shell
    for (const line of before_script.filter((one) => one.includes(`$${token}`)))
      expect(line).toMatch(new RegExp(`^(umask 077 && )?printf %s "\\$${token}" > \\S+$`));
    const here = join(folder, `login-${name}`);
    mkdirSync(join(here, "protected/ci"), { recursive: true });
    cpSync(`${ROOT}examples/ci/gitlab/google.json`, join(here, "protected/ci/google.json"));
    // as the folder of a container would be
    const script = ["npm() { true; }", ...before_script, `printf %s "$${variable}"`].join("\n").replaceAll("/dev/shm/", `${here}/`);
    const own = { ...env, [token]: CANARY, CI_PROJECT_DIR: here, TMPDIR: here };
    const { status, stdout, stderr } = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: here, env: own, encoding: "utf8" });
    expect([status, stdout + stderr]).toEqual([0, expect.not.stringContaining(CANARY)]);
    let path = stdout;
    if (name === "google") {
      const { credential_source, ...more } = JSON.parse(readFileSync(path, "utf8"));
      // no account whose rights the job would have too
      expect(more).not.toHaveProperty("service_account_impersonation_url");
      path = credential_source.file.replace("/dev/shm/", `${here}/`);
    }
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual([CANARY, 0o600]);
  });
});
