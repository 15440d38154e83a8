// Services with a key, as the recipes for CI reach them: a login that accepts the tokens of a CI system that a document
// says, and the calls that firmseal makes.

import { createRequire } from "node:module";
import { rawFromDer } from "../../packages/keys/src/formats/der/ecdsa.ts";
import { crc32c } from "../../packages/keys/src/sources/services/crc32c.ts";
import {
  CANARY,
  grpcService,
  httpService,
  proxyTo,
  serviceKey,
  signatureOf,
  signatureOfHash,
} from "../../packages/test-support/src/keys/kms-servers.ts";
import { example, read } from "./ci-examples.mjs";

/** The libraries of the services, as the command line finds them. */
export const library = createRequire(new URL("../../packages/cli/package.json", import.meta.url));

/** Whether a token of a CI system has these claims. */
export function hasClaims(token, wanted) {
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  return Object.entries(wanted).every(([name, value]) => claims[name] === value);
}

const pemOf = (key) => key.publicKey.export({ type: "spki", format: "pem" });

const POLICY = [...read("docs/guides/keys/kms.md").matchAll(/^path "(.*)" \{ capabilities = \["(\w+)"\] \}$/gm)];

/** A Vault with a key, the policy of the document, and the role `release` of another document. */
export async function vault({ bound_audiences, bound_subject: sub, bound_claims = { sub } }) {
  const key = serviceKey("ed25519");
  const calls = [];
  const denied = { status: 403, json: { errors: ["permission denied"] } };
  const port = await httpService((request, content) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url === "/v1/auth/jwt/login") {
      const { role, jwt } = JSON.parse(content.toString());
      if (role !== "release" || !bound_audiences.some((aud) => hasClaims(jwt, { aud, ...bound_claims }))) return { ...denied, status: 400 };
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
  return { calls, url: `http://127.0.0.1:${port}`, publicKey: pemOf(key) };
}

/** Google: access for tokens with the claims, through the provider that google.json names, and a key in its KMS. */
export async function google(tls, claims) {
  const key = serviceKey("ed25519");
  const name = "projects/acme/locations/europe-west1/keyRings/fw/cryptoKeys/release/cryptoKeyVersions/3";
  const { PublicKey, AsymmetricSignRequest, AsymmetricSignResponse } = library("@google-cloud/kms").protos.google.cloud.kms.v1;
  const { audience, token_url } = JSON.parse(example("gitlab/google.json"));
  const calls = [];
  const login = await httpService(({ headers, url }, content) => {
    calls.push(`https://${headers.host}${url}`);
    const form = new URLSearchParams(content.toString());
    if (form.get("audience") !== audience || !hasClaims(form.get("subject_token"), claims))
      return { status: 400, json: { error: "invalid_grant" } };
    const issued_token_type = "urn:ietf:params:oauth:token-type:access_token";
    return { json: { access_token: CANARY, issued_token_type, token_type: "Bearer", expires_in: 3600 } };
  }, tls);
  const kms = await grpcService((method, message, { authorization }) => {
    calls.push(method);
    if (authorization !== `Bearer ${CANARY}`) return 16;
    const sum = (bytes) => ({ value: crc32c(Buffer.from(bytes)) });
    const pem = pemOf(key);
    if (method === "GetPublicKey") return PublicKey.encode({ name, pem, algorithm: 40, pemCrc32c: sum(pem) }).finish();
    const signature = signatureOf(key, AsymmetricSignRequest.decode(message).data);
    return AsymmetricSignResponse.encode({ name, signature, signatureCrc32c: sum(signature), verifiedDataCrc32c: true }).finish();
  }, tls);
  const [HTTPS_PROXY, grpc_proxy] = [await proxyTo(login), await proxyTo(kms)].map(({ url }) => url);
  const found = { HTTPS_PROXY, grpc_proxy, NODE_EXTRA_CA_CERTS: tls.path, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: tls.path };
  return { reference: `gcpkms:${name}`, publicKey: pemOf(key), env: found, calls, allowed: [token_url, "AsymmetricSign", "GetPublicKey"] };
}

/** Azure: access for the application with a token that has the claims, and a key in its vault. */
export async function azure(tls, claims, { AZURE_CLIENT_ID: client, AZURE_TENANT_ID: tenant }) {
  const key = serviceKey("p256");
  const [authority, vault] = [`https://login.microsoftonline.com/${tenant}`, "https://acme-fw.vault.azure.net"];
  const kid = `${vault}/keys/release/9885aa558e8d448789683188f8c194b0`;
  const calls = [];
  const port = await httpService(({ method, headers, url }, content) => {
    const path = `https://${headers.host}${url.replace(/\?.*/, "")}`;
    const token_endpoint = `${authority}/oauth2/v2.0/token`;
    if (path === `${authority}/v2.0/.well-known/openid-configuration`)
      return { json: { token_endpoint, issuer: `${authority}/v2.0`, authorization_endpoint: `${authority}/oauth2/v2.0/authorize` } };
    const isLogin = path === token_endpoint;
    // the library first asks the vault who gives tokens
    if (isLogin || headers.authorization) calls.push(`${method} ${path}`);
    if (isLogin) {
      const form = new URLSearchParams(content.toString());
      if (form.get("client_id") !== client || !hasClaims(form.get("client_assertion"), claims))
        return { status: 400, json: { error: "invalid_client" } };
      return { json: { access_token: CANARY, token_type: "Bearer", expires_in: 3600 } };
    }
    if (headers.authorization !== `Bearer ${CANARY}`)
      return { status: 401, headers: { "www-authenticate": `Bearer authorization="${authority}", resource="https://vault.azure.net"` } };
    if (method === "GET")
      return { json: { key: { ...key.publicKey.export({ format: "jwk" }), kid, key_ops: ["sign"] }, attributes: { enabled: true } } };
    const value = rawFromDer(signatureOfHash(key, Buffer.from(JSON.parse(content.toString()).value, "base64url")));
    return { json: { kid, value: Buffer.from(value).toString("base64url") } };
  }, tls);
  const found = { HTTPS_PROXY: (await proxyTo(port)).url, NODE_EXTRA_CA_CERTS: tls.path };
  const allowed = [`POST ${authority}/oauth2/v2.0/token`, `GET ${vault}/keys/release/`, `POST ${kid}/sign`];
  return { reference: `azurekv:${vault}/keys/release`, publicKey: pemOf(key), env: found, calls, allowed };
}
