// azurekv: with Azure's libraries, over TLS and a proxy, against a vault that answers in the shapes of its REST reference.

import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, standard } from "../../test-support/src/command-line/run.js";
import { deviceBundle as device } from "../../test-support/src/device-bundle.js";
import { AT_LENGTH } from "../../test-support/src/environment/effort.js";
import {
  type Answer,
  believe,
  bytesFlooded,
  CANARY,
  certificate,
  closedPort,
  hasOpenssl,
  httpService,
  proxyTo,
  refusalOfKey,
  type ServiceKey,
  serviceKey,
  setEnv,
  signatureOf,
  signatureOfHash,
} from "../../test-support/src/keys/kms-servers.js";
import { rawFromDer } from "../src/formats/der/ecdsa.js";
import { openAzureKey } from "../src/sources/services/azurekv.js";

const VAULT = "https://acme-fw.vault.azure.net";
const VERSION = "9885aa558e8d448789683188f8c194b0";
const OTHER = "0123456789abcdef0123456789abcdef";
const REF = `azurekv:${VAULT}/keys/release`;
const MESSAGE = new Uint8Array(55).fill(7);

type Shape = { [name: string]: unknown };

const why = AT_LENGTH || (hasOpenssl ? "" : " (skipped: no openssl for its certificate)");
describe.skipIf(why !== "")(`a vault on this machine${why}`, () => {
  const calls: string[] = [];
  let tls: ReturnType<typeof certificate>;
  beforeAll(() => {
    tls = certificate(standard().path, "acme-fw.vault.azure.net");
  });

  /** A vault that holds `key`. `change` may alter each answer, or give another. */
  async function vault(key: ServiceKey, change: (what: "get" | "sign", given: Shape) => Answer | undefined = () => undefined) {
    calls.length = 0;
    const port = await httpService((request, content) => {
      const url = new URL(request.url ?? "", VAULT);
      if (request.headers.authorization !== `Bearer ${CANARY}`) {
        const challenge = 'Bearer authorization="https://login.microsoftonline.com/common", resource="https://vault.azure.net"';
        return { status: 401, headers: { "www-authenticate": challenge } };
      }
      calls.push(`${request.method} ${url.pathname}`);
      if (request.method === "GET") {
        const jwk = { ...key.publicKey.export({ format: "jwk" }), kid: `${VAULT}/keys/release/${VERSION}`, key_ops: ["sign", "verify"] };
        const given = { key: jwk, attributes: { enabled: true, created: 1, updated: 1, recoveryLevel: "Recoverable" } };
        return change("get", given) ?? { json: given };
      }
      const { alg, value } = JSON.parse(content.toString()) as { alg: string; value: string };
      if (alg !== "ES256") return { status: 400 };
      const raw = rawFromDer(signatureOfHash(key, Buffer.from(value, "base64url"))) as Uint8Array;
      const given = { kid: `${VAULT}/keys/release/${VERSION}`, value: Buffer.from(raw).toString("base64url") };
      return change("sign", given) ?? { json: given };
    }, tls);
    const proxy = await proxyTo(port);
    // how a machine at Azure gets its token
    const identity = await httpService((request) =>
      request.headers["x-identity-header"] === CANARY
        ? {
            json: {
              access_token: CANARY,
              expires_on: String(Math.floor(Date.now() / 1000) + 86_400),
              resource: "https://vault.azure.net",
              token_type: "Bearer",
            },
          }
        : { status: 401 },
    );
    const env = {
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "127.0.0.1",
      IDENTITY_ENDPOINT: `http://127.0.0.1:${identity}/msi/token`,
      IDENTITY_HEADER: CANARY,
      AZURE_TOKEN_CREDENTIALS: "prod",
    };
    // in this process the file of certificates was read at its start
    believe(tls);
    setEnv(env);
    return { proxy, env: { ...env, NODE_EXTRA_CA_CERTS: tls.path } };
  }

  const failure = (ref = REF) => refusalOfKey(openAzureKey, ref);

  it("signs with P-256 under the version that it found; the device bundle accepts it", async () => {
    const { env, proxy } = await vault(serviceKey("p256"));
    const p = standard();
    for (const ref of [REF, `${REF}/${VERSION}`]) {
      calls.length = 0;
      const r = await p.ok(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "7", "--json"], { env });
      expect(r.stderr).toBe("");
      expect(calls).toEqual([`GET /keys/release/${ref === REF ? "" : VERSION}`, `POST /keys/release/${VERSION}/sign`]);
      const raw = (await p.ok(["pubkey", ref, "--format", "raw"], { env })).bytes;
      expect(device.open(p.get("fw.suit"), { anchors: [device.anchor("es256", raw)] }).sequence).toEqual([0, 7]);
    }
    expect(new Set(proxy.names)).toEqual(new Set(["acme-fw.vault.azure.net:443"]));
  });

  it("an endless response is cut off, from the vault and from the provider of tokens", async () => {
    bytesFlooded();
    for (const of of ["get", "sign"]) {
      await vault(serviceKey("p256"), (what) => (what === of ? "endless" : undefined));
      expect(await failure()).toMatchObject({ exit: 3, message: `${REF}: the service answered with more than 1 MiB` });
      // what is in the buffers of the kernel, the proxy and the server
      expect(bytesFlooded()).toBeLessThan(64 << 20);
    }
    // in a process of its own, because this one already has a token
    const { env } = await vault(serviceKey("p256"));
    const IDENTITY_ENDPOINT = `http://127.0.0.1:${await httpService(() => "endless")}/msi/token`;
    const r = await standard().run(["pubkey", REF], { env: { ...env, IDENTITY_ENDPOINT } });
    expect(expectFailure(r, 3)).toContain("the service answered with more than 1 MiB");
    expect(bytesFlooded()).toBeLessThan(64 << 20);
  });

  it("a signature under a different key or algorithm from the requested one", async () => {
    const key = serviceKey("p256");
    for (const kid of [`${VAULT}/keys/release/${OTHER}`, `${VAULT}/keys/other/${VERSION}`, undefined]) {
      await vault(key, (what, given) => (what === "sign" ? { json: { ...given, kid } } : undefined));
      expect((await failure()).message, kid).toContain("a different key");
    }
  });

  it("another key, another version, another kind, disabled: not signed with", async () => {
    const key = serviceKey("p256");
    const jwk = key.publicKey.export({ format: "jwk" });
    const withKey = (more: Shape) => (given: Shape) => ({ json: { ...given, key: { ...(given["key"] as Shape), ...more } } });
    const cases: [words: string, ref: string, get: (given: Shape) => Answer][] = [
      ["a different key", REF, withKey({ kid: `${VAULT}/keys/debug/${VERSION}` })],
      ["a different key", REF, withKey({ kid: `https://evil.vault.azure.net/keys/release/${VERSION}` })],
      ["a different key", REF, withKey({ kid: `${VAULT}/keys/release` })],
      ["a different key", `${REF}/${OTHER}`, (given) => ({ json: given })],
      ["the key is not on P-256", REF, withKey({ kty: "RSA", crv: undefined, n: "AQAB", e: "AQAB" })],
      ["the key is not on P-256", REF, withKey({ crv: "P-384" })],
      ["the key is not on P-256", REF, withKey({ x: undefined })],
      ["not an Ed25519 or P-256 key", REF, withKey({ y: jwk.x })],
      ["disabled", REF, (given) => ({ json: { ...given, attributes: { enabled: false } } })],
    ];
    for (const [words, ref, get] of cases) {
      await vault(key, (what, given) => (what === "get" ? get(given) : undefined));
      expect(await failure(ref), words).toMatchObject({ exit: 3, message: expect.stringContaining(words) });
      expect(calls.filter((c) => c.startsWith("POST"))).toEqual([]);
    }
  });

  it("a signature of another key, over other bytes, in DER, or missing is not returned", async () => {
    const key = serviceKey("p256");
    const raw = (of: ServiceKey, m: Uint8Array) => rawFromDer(signatureOf(of, m)) as Uint8Array;
    for (const value of [
      raw(serviceKey("p256"), MESSAGE),
      raw(key, Buffer.from("other")),
      signatureOf(key, MESSAGE),
      Buffer.alloc(0),
      Buffer.alloc(1 << 20),
    ]) {
      await vault(key, (what, given) =>
        what === "sign" ? { json: { ...given, value: Buffer.from(value).toString("base64url") } } : undefined,
      );
      expect((await failure()).message).toMatch(/did not return a signature|not by this key|more than 1 MiB/);
    }
  });

  it("each status, of either call, in one line with a hint", async () => {
    const key = serviceKey("p256");
    for (const [status, inner, words] of [
      [400, undefined, "cannot sign with ES256"],
      [403, undefined, "have no permission for this key"],
      [403, "KeyDisabled", "disabled, expired, or not valid yet"],
      [403, "KeyExpired", "disabled, expired, or not valid yet"],
      [404, undefined, "the key is not in the vault"],
      [409, undefined, "being deleted or recovered"],
      [418, undefined, "Azure Key Vault has failed (HTTP_418)"],
    ] as const)
      for (const what of ["get", "sign"]) {
        const error = { code: "X", message: `${CANARY}\n`, ...(inner && { innererror: { code: inner } }) };
        await vault(key, (of) => (of === what ? { status, json: { error } } : undefined));
        const e = await failure();
        expect(e, `${status} ${what}`).toMatchObject({ exit: 3, message: expect.stringContaining(words) });
        expect(e.message + e.hint).not.toContain("\n");
      }
  });

  it.each([
    [429, "accepts no more requests"],
    [503, "cannot answer at the moment"],
  ])("%i is tried again, a few times", async (status, words) => {
    await vault(serviceKey("p256"), () => ({
      status,
      json: { error: { code: "X", message: CANARY } },
      headers: { "retry-after-ms": "50" },
    }));
    expect((await failure()).message).toContain(words);
    expect(calls.length).toBe(3);
  });

  it("no credentials, an untrusted certificate, no response", async () => {
    const { env } = await vault(serviceKey("p256"));
    const p = standard();
    const before = p.tree();
    const run = async (more: { [name: string]: string }) => {
      const r = await p.run(["sign", "fw.bin", "--key", REF, ...FACTS, "--seq", "7"], { env: { ...env, HOME: p.path, ...more } });
      expect(r.stderr).not.toContain(CANARY);
      return expectFailure(r, 3);
    };
    expect(await run({ AZURE_TOKEN_CREDENTIALS: "dev" })).toContain("no Azure credentials");
    expect(await run({ IDENTITY_HEADER: "wrong" })).toMatch(/credentials/);
    expect(await run({ NODE_EXTRA_CA_CERTS: "" })).toContain("certificate");
    expect(await run({ HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}` })).toContain("cannot be reached");
    expect(p.tree()).toEqual(before);
  });
});

it.each([
  "",
  VAULT,
  `${VAULT}/keys/`,
  `${VAULT}/secrets/release`,
  `${VAULT}/keys/release/latest`,
  `${VAULT}/keys/release/${VERSION}/sign`,
  VAULT.replace("https", "http").concat("/keys/release"),
  "https://vault.azure.net/keys/release",
  "https://acme.vault.azure.net.evil.example/keys/release",
  "https://evil.example/keys/release",
  "https://user@acme.vault.azure.net/keys/release",
  "https://acme.vault.azure.net:8443/keys/release",
])("azurekv:%s does not identify a key", async (id) => {
  await expect(openAzureKey(`azurekv:${id}`)).rejects.toMatchObject({ name: "KeyFileError", exit: 2 });
});
