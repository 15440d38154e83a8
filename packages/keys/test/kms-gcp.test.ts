// gcpkms: with Google's library, over gRPC and TLS, against a server that answers in the messages of the library's own descriptors.

import { fromRaw } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, standard } from "../../test-support/src/command-line/run.js";
import { deviceBundle as device } from "../../test-support/src/device-bundle.js";
import { AT_LENGTH } from "../../test-support/src/environment/effort.js";
import { drawnPair } from "../../test-support/src/keys/drawn-keys.js";
import {
  bytesFlooded,
  CANARY,
  certificate,
  closedPort,
  grpcService,
  hasOpenssl,
  proxyTo,
  refusalOfKey,
  type ServiceKey,
  serviceKey,
  setEnv,
  signatureOf,
  signatureOfHash,
} from "../../test-support/src/keys/kms-servers.js";
import { crc32c } from "../src/sources/services/crc32c.js";
import { openGoogleKey } from "../src/sources/services/gcpkms.js";

type Given = { [name: string]: unknown };

const NAME = "projects/acme/locations/europe-west1/keyRings/fw/cryptoKeys/release/cryptoKeyVersions/3";
const REF = `gcpkms:${NAME}`;
const ALGORITHMS = { p256: 12, ed25519: 40, p384: 13 } as const;
const MESSAGE = new Uint8Array(55).fill(7);

it("CRC-32C has the values of RFC 3720 appendix B.4", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

const why = AT_LENGTH || (hasOpenssl ? "" : " (skipped: no openssl for its certificate)");
describe.skipIf(why !== "")(`Google Cloud KMS on this machine${why}`, () => {
  const calls: string[] = [];
  /** An account of a service, as gcloud writes it; its key signs the token here, so that no other server is asked for one. */
  const account = JSON.stringify({
    type: "service_account",
    project_id: "acme",
    private_key_id: CANARY,
    private_key: drawnPair("rsa").privateKey.export({ type: "pkcs8", format: "pem" }),
    client_email: `${CANARY}@acme.iam.gserviceaccount.com`,
    client_id: "1",
    token_uri: "https://oauth2.googleapis.com/token",
  });
  let tls: ReturnType<typeof certificate>;
  let messages: typeof import("@google-cloud/kms").protos.google.cloud.kms.v1;

  beforeAll(async () => {
    tls = certificate(standard().path, "cloudkms.googleapis.com");
    // read once, when the library is loaded
    process.env["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = tls.path;
    messages = (await import("@google-cloud/kms")).protos.google.cloud.kms.v1;
  });

  /** A service that holds `key`. `change` may alter each answer, or give a status of gRPC in its place. */
  async function google(
    key: ServiceKey,
    algorithm: number,
    change: (method: string, given: Given, sent: Given) => Given | number | "silence" | "endless" = (_, given) => given,
  ) {
    const { PublicKey, AsymmetricSignRequest, AsymmetricSignResponse } = messages;
    const pem = key.publicKey.export({ format: "pem", type: "spki" }) as string;
    calls.length = 0;
    const port = await grpcService((method, message, { authorization }) => {
      calls.push(method);
      if (!authorization?.startsWith("Bearer ")) return 16;
      if (method === "GetPublicKey") {
        const given = change(method, { name: NAME, pem, algorithm, pemCrc32c: { value: crc32c(Buffer.from(pem)) } }, {});
        return typeof given === "object" ? PublicKey.encode(given).finish() : given;
      }
      const sent = AsymmetricSignRequest.decode(message);
      const isDigest = sent.digest?.sha256 !== undefined && sent.digest.sha256 !== null;
      const content = Buffer.from(isDigest ? (sent.digest?.sha256 as Uint8Array) : (sent.data as Uint8Array));
      const sum = isDigest ? sent.digestCrc32c : sent.dataCrc32c;
      if (sent.name !== NAME || isDigest !== key.isEc || String(sum?.value) !== String(crc32c(content))) return 3;
      const signature = isDigest ? signatureOfHash(key, content) : signatureOf(key, content);
      const given = change(
        method,
        {
          name: NAME,
          signature,
          signatureCrc32c: { value: crc32c(signature) },
          verifiedDigestCrc32c: isDigest,
          verifiedDataCrc32c: !isDigest,
        },
        { content },
      );
      return typeof given === "object" ? AsymmetricSignResponse.encode(given).finish() : given;
    }, tls);
    const proxy = await proxyTo(port);
    const p = standard();
    p.put("account.json", account);
    const env = {
      grpc_proxy: proxy.url,
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: tls.path,
      GOOGLE_APPLICATION_CREDENTIALS: p.at("account.json"),
      NO_GCE_CHECK: "true",
    };
    setEnv(env);
    return { p, env, proxy };
  }

  const failure = (ref = REF) => refusalOfKey(openGoogleKey, ref);

  it("an endless response is cut off", async () => {
    bytesFlooded();
    for (const of of ["GetPublicKey", "AsymmetricSign"]) {
      await google(serviceKey("p256"), ALGORITHMS.p256, (method, given) => (method === of ? "endless" : given));
      expect(await failure()).toMatchObject({ exit: 3, message: `${REF}: the service answered with more than 1 MiB` });
      expect(bytesFlooded()).toBeLessThan(64 << 20);
    }
  });

  it.each(["p256", "ed25519"] as const)("signs with %s; the device bundle accepts it", async (kind) => {
    const { p, env, proxy } = await google(serviceKey(kind), ALGORITHMS[kind]);
    const held = await openGoogleKey(REF);
    expect((await held.signer?.sign(MESSAGE))?.length).toBe(64);
    await held[Symbol.asyncDispose]?.();
    expect(calls).toEqual(["GetPublicKey", "AsymmetricSign"]);
    expect(new Set(proxy.names)).toEqual(new Set(["cloudkms.googleapis.com:443"]));
    // the library keeps the credentials that it found for as long as its process lives
    const r = await p.ok(["sign", "fw.bin", "--key", REF, ...FACTS, "--seq", "7"], { env, program: true });
    expect(r.stderr).not.toContain(CANARY);
    const raw = (await p.ok(["pubkey", REF, "--format", "raw"], { env, program: true })).bytes;
    expect(device.open(p.get("fw.suit"), { anchors: [device.anchor(fromRaw(raw).alg, raw)] }).sequence).toEqual([0, 7]);
  });

  it("what was damaged, or belongs to another key, is not returned", async () => {
    const key = serviceKey("p256");
    const pem = key.publicKey.export({ format: "pem", type: "spki" }) as string;
    const other = NAME.replace("/3", "/4");
    const signature = (bytes: Uint8Array) => ({ signature: bytes, signatureCrc32c: { value: crc32c(bytes) } });
    const changes: [method: string, change: (given: Given) => Given, words: string][] = [
      ["GetPublicKey", () => ({ name: other }), "damaged"],
      ["GetPublicKey", () => ({ pemCrc32c: { value: 1 } }), "damaged"],
      ["GetPublicKey", () => ({ pemCrc32c: null }), "damaged"],
      ["GetPublicKey", () => ({ pem: `${pem}\n` }), "damaged"],
      ["GetPublicKey", () => ({ pem: "none", pemCrc32c: { value: crc32c(Buffer.from("none")) } }), "did not return a public key"],
      ["GetPublicKey", () => ({ algorithm: 40 }), "cannot be used to sign"],
      ["GetPublicKey", () => ({ algorithm: 10 }), "cannot be used to sign"],
      ["AsymmetricSign", () => ({ name: other }), "damaged"],
      ["AsymmetricSign", () => ({ verifiedDigestCrc32c: false }), "damaged"],
      ["AsymmetricSign", () => ({ verifiedDigestCrc32c: false, verifiedDataCrc32c: true }), "damaged"],
      ["AsymmetricSign", () => ({ signatureCrc32c: { value: 1 } }), "damaged"],
      ["AsymmetricSign", () => ({ signatureCrc32c: null }), "damaged"],
      ["AsymmetricSign", () => signature(Buffer.alloc(0)), "did not return a signature"],
      ["AsymmetricSign", () => signature(Buffer.alloc(64, 1)), "did not return a signature"],
      ["AsymmetricSign", (g) => signature(Buffer.concat([g.signature as Buffer, Buffer.of(0)])), "did not return a signature"],
      ["AsymmetricSign", () => signature(signatureOf(serviceKey("p256"), MESSAGE)), "not by this key"],
      ["AsymmetricSign", () => signature(signatureOf(key, Buffer.from("other"))), "not by this key"],
    ];
    let n = 0;
    await google(key, ALGORITHMS.p256, (method, given) => {
      const [of, change] = changes[n] as (typeof changes)[number];
      return method === of ? { ...given, ...change(given) } : given;
    });
    for (; n < changes.length; n++) expect((await failure()).message, String(n)).toContain(changes[n]?.[2]);
  });

  it("a key on another curve", async () => {
    await google(serviceKey("p384"), ALGORITHMS.p384);
    expect(await failure()).toMatchObject({ exit: 3, message: expect.stringContaining("not an Ed25519 or P-256 key") });
  });

  it("each status, of either call, in one line with a hint", async () => {
    const statuses: [status: number, words: string][] = [
      [3, "cannot be used to sign"],
      [5, "the key version does not exist"],
      [7, "have no permission for this key"],
      [8, "accepts no more requests"],
      [9, "cannot be used to sign"],
      [13, "cannot answer at the moment"],
      [14, "cannot be reached"],
      [16, "does not accept the credentials"],
      [12, "Google Cloud KMS has failed (gRPC_status_12)"],
    ];
    let now: [method: string, status: number] = ["", 0];
    await google(serviceKey("ed25519"), ALGORITHMS.ed25519, (method, given) => (method === now[0] ? now[1] : given));
    for (const [status, words] of statuses)
      for (const method of ["GetPublicKey", "AsymmetricSign"]) {
        now = [method, status];
        const e = await failure();
        expect(e, `${status} ${method}`).toMatchObject({ exit: 3, message: expect.stringContaining(words) });
        expect(e.message + e.hint).not.toContain("\n");
        // what may pass is tried again, a few times
        expect(calls.filter((c) => c === method).length).toBe(status === 14 ? 3 : 1);
        calls.length = 0;
      }
  });

  it("no credentials, or unreadable ones; no response", async () => {
    const { p, env } = await google(serviceKey("ed25519"), ALGORITHMS.ed25519);
    const before = p.tree();
    const run = async (more: { [name: string]: string }) =>
      expectFailure(
        await p.run(["sign", "fw.bin", "--key", REF, ...FACTS, "--seq", "7"], { env: { ...env, HOME: p.path, ...more }, program: true }),
        3,
      );
    expect(await run({ GOOGLE_APPLICATION_CREDENTIALS: p.at("none.json") })).toContain("no Google Cloud credentials");
    expect(await run({ GOOGLE_APPLICATION_CREDENTIALS: p.at("A.pem") })).toContain("no Google Cloud credentials");
    expect(await run({ GOOGLE_APPLICATION_CREDENTIALS: "" })).toContain("no Google Cloud credentials");
    expect(await run({ grpc_proxy: `http://127.0.0.1:${await closedPort()}` })).toContain("cannot be reached");
    // a certificate that nobody here vouches for
    p.put("other.pem", certificate(p.folder("other") && p.at("other"), "cloudkms.googleapis.com").cert);
    expect(await run({ GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: p.at("other.pem") })).toMatch(/cannot be reached|certificate/);
    expect(p.tree().filter((line) => !line.startsWith("other"))).toEqual(before);
  });
});

it.each([
  "",
  NAME.replace("/cryptoKeyVersions/3", ""),
  `${NAME}/`,
  NAME.replace("/3", "/0"),
  NAME.replace("/3", "/latest"),
  `${NAME}?x`,
  NAME.replace("acme", "../acme"),
])("gcpkms:%s does not name a key version", async (name) => {
  await expect(openGoogleKey(`gcpkms:${name}`)).rejects.toMatchObject({ name: "KeyFileError", exit: 2 });
});
