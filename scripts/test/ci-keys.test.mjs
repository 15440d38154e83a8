// Keys in services, as the recipes for CI reach them: the login that a document shows, against a service that has the
// role, the policy and nothing else that the documents give it.

import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { hasProgram } from "../../packages/test-support/src/environment/programs.ts";
import { CANARY, httpService, serviceKey, signatureOf } from "../../packages/test-support/src/keys/kms-servers.ts";
import { CI_PRODUCT, ciSystems, example, projectJobs, withProgram } from "./ci-examples.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(ROOT + path, "utf8");
const ROLE = JSON.parse(/^```json role\.json\n([\s\S]*?)^```$/m.exec(read("docs/guides/ci.md"))[1]);
const POLICY = [...read("docs/guides/keys/kms.md").matchAll(/^path "(.*)" \{ capabilities = \["(\w+)"\] \}$/gm)];
const hasCurl = hasProgram("curl", "--version");

let folder;
let env;

beforeAll(() => {
  folder = temporaryFolder("firmseal-ci-keys-");
  env = withProgram(folder, "product", "tmp");
  expect(spawnSync("bash", ["-e", "-c", CI_PRODUCT], { cwd: join(folder, "product"), env })).toMatchObject({ status: 0 });
}, 120_000);

/** A Vault with the key, the role and the policy of the documents. */
async function vault() {
  const key = serviceKey("ed25519");
  const calls = [];
  const denied = { status: 403, json: { errors: ["permission denied"] } };
  const port = await httpService((request, content) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url === "/v1/auth/jwt/login") {
      const { role, jwt } = JSON.parse(content.toString());
      const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
      const isBound = Object.entries(ROLE.bound_claims).every(([name, value]) => claims[name] === value);
      if (role !== "release" || !ROLE.bound_audiences.includes(claims.aud) || !isBound) return { ...denied, status: 400 };
      return { json: { auth: { client_token: CANARY } } };
    }
    const needs = request.method === "GET" ? "read" : "update";
    const may = POLICY.some(([, path, capability]) => request.url === `/v1/${path}` && capability === needs);
    if (!may || request.headers["x-vault-token"] !== CANARY) return denied;
    if (needs === "read") {
      const public_key = Buffer.from(key.publicKey.export({ format: "jwk" }).x, "base64url").toString("base64");
      const data = { type: "ed25519", name: "release", derived: false, exportable: false, supports_signing: true, latest_version: 1 };
      return { json: { data: { ...data, min_encryption_version: 0, keys: { 1: { name: "ed25519", public_key } } } } };
    }
    const { input, key_version } = JSON.parse(content.toString());
    const signature = `vault:v${key_version}:${signatureOf(key, Buffer.from(input, "base64")).toString("base64")}`;
    return { json: { data: { signature, key_version } } };
  });
  return { calls, url: `http://127.0.0.1:${port}`, publicKey: key.publicKey.export({ type: "spki", format: "pem" }) };
}

describe.skipIf(!hasCurl)(`GitLab with a key in Vault${hasCurl ? "" : " (skipped: no curl)"}`, () => {
  const { "firmseal-release": job } = projectJobs(example("gitlab/project.yml"), { tag: "v1.4.2" });
  const token = (more) => {
    const claims = { aud: job.id_tokens.VAULT_ID_TOKEN.aud, ...ROLE.bound_claims, ...more };
    return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
  };

  it("releases through the role and the policy of the documents, and as no other project, branch or environment", async () => {
    const { url, calls, publicKey } = await vault();
    expect(job.variables).toEqual({ VAULT_ADDR: ROLE.bound_audiences[0] });
    const here = join(folder, "work");
    cpSync(join(folder, "product"), here, { recursive: true });
    writeFileSync(join(here, "release.pub"), publicKey);
    const commit = "git -c user.name=t -c user.email=t@example.com commit -q -a -m x; git update-ref refs/remotes/origin/main HEAD";
    const { env: own, candidate, release } = ciSystems(here, join(folder, "tmp"), join(folder, "release.pem")).gitlab;
    // the shell of the runner
    const shell = async (script, more) => {
      const options = { cwd: here, env: { ...env, ...own, ...more } };
      const ended = (e) => ({ status: e.code, ...e });
      return promisify(execFile)("bash", ["-e", "-o", "pipefail", "-c", script], options).then((r) => ({ status: 0, ...r }), ended);
    };
    const toml = `sed -i 's/env:RELEASE_KEY/vault:transit\\/release/' firmseal.toml; ${commit}; cp -r ../images images`;
    expect(await shell(toml, {})).toMatchObject({ status: 0 });
    const looked = await shell(candidate, {});
    expect(looked.status, looked.stderr).toBe(0);
    expect(calls).toEqual([]);
    const script = [...job.before_script, release].join("\n");
    const publish = (more) => shell(script, { VAULT_ADDR: url, VAULT_ID_TOKEN: token(more) });
    for (const more of [{ project_id: "43" }, { ref: "v1.4.2" }, { environment: "test" }, { aud: "https://other.example.com" }]) {
      const { status, stdout, stderr } = await publish(more);
      expect([status === 0, stdout + stderr]).toEqual([false, expect.not.stringContaining(CANARY)]);
      expect(existsSync(join(here, "protected/dist"))).toBe(false);
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
