// vault: against a server that answers in the shapes of the transit engine's API reference.

import { describe, expect, it } from "vitest";
import { FACTS, standard } from "../../test-support/src/command-line/run.js";
import { deviceBundle as device } from "../../test-support/src/device-bundle.js";
import {
  type Answer,
  bytesFlooded,
  CANARY,
  closedPort,
  hasOpenssl,
  httpService,
  refusalOfKey,
  type ServiceKey,
  serviceKey,
  setEnv,
  signatureOf,
  signatureOfHash,
} from "../../test-support/src/keys/kms-servers.js";
import { openVaultKey } from "../src/sources/services/vault.js";

const MESSAGE = new Uint8Array(55).fill(7);

type Shape = { [name: string]: unknown };
type Change = (what: "read" | "sign", given: Shape) => Answer | undefined;

const encoded = ({ publicKey, isEc }: ServiceKey) =>
  isEc
    ? (publicKey.export({ type: "spki", format: "pem" }) as string)
    : Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url").toString("base64");

/** A Vault whose key "release" has these versions. `change` may alter the data of each answer, or give another answer. */
async function vault(versions: readonly ServiceKey[], change: Change = () => undefined) {
  const calls: string[] = [];
  const isEc = versions[0]?.isEc === true;
  const port = await httpService((request, content) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.headers["x-vault-token"] !== CANARY) return { status: 403, json: { errors: [`${CANARY} is not permitted`] } };
    if (request.method === "GET") {
      const keys = Object.fromEntries(
        versions.map((one, i) => [String(i + 1), { name: isEc ? "P-256" : "ed25519", public_key: encoded(one) }]),
      );
      const given = {
        type: isEc ? "ecdsa-p256" : "ed25519",
        name: "release",
        derived: false,
        exportable: false,
        supports_signing: true,
        latest_version: versions.length,
        min_encryption_version: 0,
        keys,
      };
      return change("read", given) ?? { json: { request_id: "1", data: given } };
    }
    const { input, key_version, prehashed, hash_algorithm, marshaling_algorithm } = JSON.parse(content.toString()) as Shape;
    const key = versions[Number(key_version) - 1] as ServiceKey;
    const bytes = Buffer.from(String(input), "base64");
    expect([prehashed, hash_algorithm, marshaling_algorithm]).toEqual(
      isEc ? [true, "sha2-256", "asn1"] : [undefined, undefined, undefined],
    );
    const signature = (isEc ? signatureOfHash(key, bytes) : signatureOf(key, bytes)).toString("base64");
    const given = { signature: `vault:v${key_version}:${signature}`, key_version };
    return change("sign", given) ?? { json: { data: given } };
  });
  const env = { VAULT_ADDR: `http://127.0.0.1:${port}`, VAULT_TOKEN: CANARY, VAULT_NAMESPACE: undefined, HOME: standard().path };
  setEnv(env);
  return { calls, env: { VAULT_ADDR: env.VAULT_ADDR, VAULT_TOKEN: CANARY } };
}

const failure = (ref = "vault:transit/release") => refusalOfKey(openVaultKey, ref);

const data = (more: Shape) => (given: Shape) => ({ json: { data: { ...given, ...more } } });

describe("a key in the transit engine", () => {
  for (const kind of ["ed25519", "p256"] as const) {
    const skipped = kind === "p256" && !hasOpenssl;
    it.skipIf(skipped)(`signs with ${kind}; the device bundle accepts it${skipped ? " (skipped: no openssl)" : ""}`, async () => {
      const versions = [serviceKey(kind), serviceKey(kind)];
      const { calls, env } = await vault(versions);
      const p = standard();
      for (const [ref, version] of [
        ["vault:transit/release", 2],
        ["vault:transit/release@1", 1],
      ] as const) {
        calls.length = 0;
        const r = await p.ok(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "7", "--json"], { env });
        expect(r.stderr).toBe("");
        expect(calls).toEqual(["GET /v1/transit/keys/release", "POST /v1/transit/sign/release"]);
        const raw = (await p.ok(["pubkey", ref, "--format", "raw"], { env })).bytes;
        const jwk = (versions[version - 1] as ServiceKey).publicKey.export({ format: "jwk" });
        expect(Buffer.from(raw).toString("base64url")).toContain(kind === "ed25519" ? jwk.x : "");
        expect(device.open(p.get("fw.suit"), { anchors: [device.anchor(kind === "p256" ? "es256" : kind, raw)] }).sequence).toEqual([0, 7]);
      }
    });
  }

  it("is found by a longer mount, in a namespace, with the token of vault login", async () => {
    const { calls } = await vault([serviceKey("ed25519")]);
    const home = standard();
    home.put(".vault-token", `${CANARY}\n`);
    setEnv({ VAULT_TOKEN: undefined, HOME: home.path, VAULT_NAMESPACE: "team" });
    await (await openVaultKey("vault:team/transit/release")).signer?.sign(MESSAGE);
    expect(calls).toEqual(["GET /v1/team/transit/keys/release", "POST /v1/team/transit/sign/release"]);
  });

  it.skipIf(process.platform === "win32")("keeps its token from a program that signs with another key of the command", async () => {
    const { env } = await vault([serviceKey("ed25519")]);
    const p = standard();
    const { x } = JSON.parse(p.get("A.jwk").toString()) as { x: string };
    const answer = { contractVersion: 1, alg: "ed25519", publicKey: Buffer.from(x, "base64url").toString("base64") };
    // it signs nothing: what it sees is what counts
    p.put(
      "plugin.sh",
      `#!/bin/sh\nIFS= read -r request\nenv >> "${p.at("seen")}"\ncat /proc/$PPID/environ >> "${p.at("seen")}"\necho '${JSON.stringify(answer)}'\n`,
      0o755,
    );
    const plugin = `exec:${p.at("plugin.sh")}`;
    for (const name of ["VAULT_TOKEN", "BAO_TOKEN"]) {
      p.put("seen", "");
      const credentials = { VAULT_ADDR: env.VAULT_ADDR, [name]: CANARY, OTHER: "for the program" };
      const r = await p.run(["sign", "fw.bin", "--key", plugin, "--key", "vault:transit/release", ...FACTS, "--seq", "7"], {
        env: credentials,
        program: true,
      });
      // Vault has signed: the program is what fails
      expect(r.stderr).toContain("plugin.sh");
      expect(p.get("seen").toString()).toContain("OTHER=for the program");
      expect(p.get("seen").toString()).not.toContain(CANARY);
      // alone, it gets what is there for it
      p.put("seen", "");
      await p.run(["sign", "fw.bin", "--key", plugin, ...FACTS, "--seq", "7"], { env: credentials, program: true });
      expect(p.get("seen").toString()).toContain(CANARY);
    }
  });

  it("is requested again if Vault is busy, and only then", async () => {
    let n = 0;
    const { calls } = await vault([serviceKey("ed25519")], () => (n++ === 1 ? { status: 503 } : undefined));
    await (await openVaultKey("vault:transit/release")).signer?.sign(MESSAGE);
    expect(calls).toHaveLength(3);
    const refused = await vault([serviceKey("ed25519")], () => ({ status: 400 }));
    expect((await failure()).message).toContain("Vault refuses the request");
    expect(refused.calls).toHaveLength(1);
  });
});

describe("is not signed with", () => {
  const [own, other] = [serviceKey("ed25519"), serviceKey("ed25519")];
  const foreign = signatureOf(other, MESSAGE).toString("base64");
  it.each<[string, string, Change]>([
    [
      "another version",
      "a different key",
      (w, g) => (w === "sign" ? data({ signature: String(g["signature"]).replace("v1", "v2") })(g) : undefined),
    ],
    [
      "a signature of another key",
      "signs with a different key",
      (w, g) => (w === "sign" ? data({ signature: `vault:v1:${foreign}` })(g) : undefined),
    ],
    ["no signature", "did not return a signature", (w, g) => (w === "sign" ? data({ signature: "vault:v1:AAAA" })(g) : undefined)],
    ["lax base64", "did not return a signature", (w, g) => (w === "sign" ? data({ signature: `${g["signature"]}=` })(g) : undefined)],
    ["no data", "did not return a signature", (w) => (w === "sign" ? { json: { data: [] } } : undefined)],
    ["a derived key", "the key is not a signing key of the type", (_, g) => data({ derived: true })(g)],
    [
      "a key for encryption",
      "the key is not a signing key of the type",
      (_, g) => data({ type: "aes256-gcm96", supports_signing: false })(g),
    ],
    ["a key of another type", "the key is not a signing key of the type", (_, g) => data({ type: "rsa-2048" })(g)],
    ["a short key", "the key is not a signing key of the type", (_, g) => data({ keys: { 1: { public_key: "AAAA" } } })(g)],
    ["no version", "no such version", (_, g) => data({ keys: {} })(g)],
    ["a version that is not a number", "the key is not a signing key of the type", (_, g) => data({ latest_version: "1" })(g)],
    ["no permission", "no permission", () => ({ status: 403 })],
    ["no key", "the key does not exist", () => ({ status: 404 })],
    ["a redirect", "Vault redirects", () => ({ status: 307, headers: { location: "https://other.example.com/" } })],
    ["an endless answer", "more than 1 MiB", () => "endless"],
  ])("%s", async (_, words, change) => {
    await vault([own], change);
    const e = await failure();
    expect([e.exit, `${e.message}; ${e.hint}`]).toEqual([3, expect.stringContaining(words)]);
    expect(bytesFlooded()).toBeLessThan(64 << 20);
  });

  it.each([
    ["a wrong token", { VAULT_TOKEN: "other" }, "no permission"],
    ["a token with a line break", { VAULT_TOKEN: `${CANARY}\nx: y` }, "no Vault token"],
    ["no token", { VAULT_TOKEN: "" }, "no Vault token"],
    ["no address", { VAULT_ADDR: "" }, "missing or unsafe"],
    ["http to another machine", { VAULT_ADDR: "http://vault.example.com:8200" }, "missing or unsafe"],
    ["an address with a password", { VAULT_ADDR: "https://a:b@vault.example.com" }, "missing or unsafe"],
    ["an address with a path", { VAULT_ADDR: "https://vault.example.com/v1/x" }, "missing or unsafe"],
    ["no checks of certificates", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "NODE_TLS_REJECT_UNAUTHORIZED"],
  ])("%s", async (_, env, words) => {
    const { calls } = await vault([own]);
    setEnv(env);
    expect(await failure()).toMatchObject({ exit: 3, message: expect.stringContaining(words) });
    expect(calls.length).toBe("VAULT_TOKEN" in env && env.VAULT_TOKEN === "other" ? 1 : 0);
  });

  it("a Vault that is not there", async () => {
    await vault([own]);
    setEnv({ VAULT_ADDR: `http://127.0.0.1:${await closedPort()}` });
    expect(await failure()).toMatchObject({ exit: 3, message: "vault:transit/release: the service cannot be reached" });
  });

  it.each([
    "vault:release",
    "vault:transit/",
    "vault:transit/../x/release",
    "vault:/release",
    "vault:transit/release@0",
    "vault:transit/release?x",
    "vault:transit//r",
  ])("%s, which asks nothing", async (ref) => {
    const { calls } = await vault([own]);
    expect(await failure(ref)).toMatchObject({ exit: 2, hint: expect.stringContaining("vault:transit/NAME") });
    expect(calls).toEqual([]);
  });
});
