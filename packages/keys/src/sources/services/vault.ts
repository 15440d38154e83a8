// vault:MOUNT/NAME[@VERSION], an Ed25519 or P-256 key in the transit engine of HashiCorp Vault or OpenBao. Two calls of
// its HTTP API (/v1/MOUNT/keys/NAME and /v1/MOUNT/sign/NAME), which have not changed since version 1.0. The address and
// the token come from the variables and the file of `vault login`, never from the reference.

import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestOptions } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { inWords, KeyError, type PublicKey, publicKey, signatureLength } from "@firmseal/signer";
import { CURVE_ALGS, CUSTODY, type CurveAlg } from "../../algorithms.js";
import { sha256Of } from "../../files/digest.js";
import { decodeBase64 } from "../../formats/base64.js";
import { rawFromDer } from "../../formats/der/ecdsa.js";
import { heldVariable } from "../../secrets/environment.js";
import type { Asking, OpenedKey } from "../../source.js";
import {
  ATTEMPT,
  ATTEMPTS,
  callService,
  commonTrouble,
  importPackage,
  keyOfSpki,
  notASignature,
  OTHER_KEY,
  servedKey,
  serviceError,
  type Trouble,
  unknownTrouble,
  wrongReference,
} from "./service.js";

const SERVICE = "Vault";

const REFERENCE_FORM = "give the mount and the name of the key: vault:transit/NAME or vault:transit/NAME@VERSION";
/** Words with slashes between them; a dot alone would leave the mount. */
const REFERENCE = /^((?:[A-Za-z0-9_-][\w.-]*\/)+)([A-Za-z0-9_-][\w.-]*)(?:@([1-9][0-9]{0,8}))?$/;

/** The type of a key in the transit engine: ed25519, ecdsa-p256. */
const typeOf = ({ plain, ecdsa }: CurveAlg) => (ecdsa ? "ecdsa-" : "") + plain.toLowerCase();
const KINDS = CURVE_ALGS.map(typeOf);
const KIND: Trouble = [
  `the key is not a signing key of the type ${inWords(KINDS)}`,
  `make one: vault write -f transit/keys/NAME type=${KINDS[0]} (not derived, not exportable)`,
];
const ADDRESS: Trouble = [
  "the address of Vault is missing or unsafe",
  "set VAULT_ADDR (or BAO_ADDR) to https://HOST:PORT; http only to an agent on this machine",
];
const TOKEN: Trouble = ["no Vault token found", "run vault login, or set VAULT_TOKEN (or BAO_TOKEN)"];
const VERSION: Trouble = ["Vault has no such version of the key", "check it: vault read MOUNT/keys/NAME"];
const DOWN: Trouble = ["Vault cannot answer at the moment", "run it again later; vault status says whether it is sealed"];

/** By HTTP status. */
const TROUBLES: { readonly [status: number]: Trouble } = {
  307: ["Vault redirects to another node, and the token must not follow", "set VAULT_ADDR to the active node"],
  400: ["Vault refuses the request", "the key must support signing, and its version must not be below min_encryption_version"],
  403: [
    "the token is wrong or expired, or has no permission for this key",
    "its policy needs read on MOUNT/keys/NAME, and update on MOUNT/sign/NAME",
  ],
  404: ["the key does not exist", "check the mount and the name, and VAULT_NAMESPACE: vault list MOUNT/keys"],
  429: ["Vault accepts no more requests at the moment", "run it again later"],
  500: DOWN,
  502: DOWN,
  503: DOWN,
  504: DOWN,
};

/** The answer has a status other than 200. Its text is not kept: it may name paths and policies. */
class Status extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

function troubleOf(e: unknown): Trouble {
  if (!(e instanceof Status)) return commonTrouble(e) ?? unknownTrouble(SERVICE, (e as { code?: unknown }).code);
  return TROUBLES[e.status] ?? unknownTrouble(SERVICE, `HTTP_${e.status}`);
}

const variable = (name: string) => heldVariable(`VAULT_${name}`) || heldVariable(`BAO_${name}`) || undefined;

/** Where Vault is. A token does not go over the network in clear. */
function address(ref: string): URL {
  let url: URL;
  try {
    url = new URL(variable("ADDR") ?? "");
  } catch {
    throw serviceError(ref, ADDRESS);
  }
  const isHere = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) throw serviceError(ref, ADDRESS);
  if (url.username !== "" || url.password !== "" || url.pathname !== "/") throw serviceError(ref, ADDRESS);
  return url;
}

function tokenOf(ref: string): string {
  let token = variable("TOKEN");
  try {
    token ??= readFileSync(join(homedir(), ".vault-token"), "utf8").trim();
  } catch {
    // there is none
  }
  // another character would end the header
  if (!token || !/^[!-~]{1,4096}$/.test(token)) throw serviceError(ref, TOKEN);
  return token;
}

type Shape = { readonly [member: string]: unknown };

const objectOf = (value: unknown): Shape => (typeof value === "object" && value !== null ? (value as Shape) : {});

/** The `data` of an answer. Throws Status. */
async function dataOf(response: IncomingMessage): Promise<Shape> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  if (response.statusCode !== 200) throw new Status(response.statusCode ?? 0);
  try {
    return objectOf(objectOf(JSON.parse(Buffer.concat(chunks).toString("utf8")))["data"]);
  } catch {
    return {};
  }
}

type Call = (path: string, body?: object) => Promise<Shape>;

/**
 * Calls Vault, up to three times if it cannot be reached or is busy. A redirect is an error: it would get the token.
 */
async function caller(ref: string, outer: AbortSignal | undefined): Promise<Call> {
  const base = address(ref);
  const namespace = variable("NAMESPACE");
  const headers = {
    "x-vault-token": tokenOf(ref),
    "x-vault-request": "true",
    ...(namespace !== undefined && { "x-vault-namespace": namespace }),
  };
  const { request } = await importPackage(ref, "", () => (base.protocol === "https:" ? import("node:https") : import("node:http")));
  const once = (path: string, body: string | undefined, signal: AbortSignal) =>
    new Promise<Shape>((resolve, reject) => {
      const options: RequestOptions = { method: body === undefined ? "GET" : "POST", headers, signal, timeout: ATTEMPT, agent: false };
      const sent = request(new URL(`/v1/${path}`, base), options, (response) => dataOf(response).then(resolve, reject));
      sent.on("timeout", () => sent.destroy(Object.assign(new Error(), { name: "TimeoutError" }))).on("error", reject);
      sent.end(body);
    });
  const repeated = async (path: string, body: string | undefined, signal: AbortSignal) => {
    for (let i = 1; ; i++) {
      try {
        return await once(path, body, signal);
      } catch (e) {
        const isPassing = e instanceof Status ? e.status === 429 || e.status >= 500 : (e as { code?: unknown }).code === "ECONNRESET";
        if (!isPassing || i === ATTEMPTS) throw e;
        await new Promise((done) => setTimeout(done, 200 * i));
      }
    }
  };
  return (path, body) => callService(ref, (signal) => repeated(path, body && JSON.stringify(body), signal), troubleOf, outer);
}

/** The public key of a version, in the encoding of its type: base64 for Ed25519, PEM for P-256. */
function publicOf(ref: string, type: unknown, encoded: unknown): PublicKey {
  const served = CURVE_ALGS.find((one) => typeOf(one) === type);
  if (!served || typeof encoded !== "string") throw serviceError(ref, KIND);
  const { alg, ecdsa } = served;
  if (ecdsa) {
    const key = keyOfSpki(ref, encoded);
    if (key.alg !== alg) throw serviceError(ref, OTHER_KEY);
    return key;
  }
  try {
    return publicKey(alg, Uint8Array.from(decodeBase64(encoded) ?? []));
  } catch (e) {
    if (e instanceof KeyError) throw serviceError(ref, KIND);
    throw e;
  }
}

/**
 * Opens the key for a reference. Requests its public half once, and signs with that version of the key. Throws
 * KeyFileError.
 */
export async function openVaultKey(ref: string, { signal }: Pick<Asking, "signal"> = {}): Promise<OpenedKey> {
  const [, mount, name, asked] = REFERENCE.exec(ref.slice("vault:".length)) ?? [];
  if (mount === undefined || name === undefined) throw wrongReference(ref, "is not a key in Vault's transit engine", REFERENCE_FORM);
  const call = await caller(ref, signal);
  const got = await call(`${mount}keys/${name}`);
  if (got["supports_signing"] !== true || got["derived"] === true) throw serviceError(ref, KIND);
  const version = asked === undefined ? got["latest_version"] : Number(asked);
  if (typeof version !== "number" || !Number.isSafeInteger(version)) throw serviceError(ref, KIND);
  const entry = objectOf(got["keys"])[String(version)];
  if (entry === undefined) throw serviceError(ref, VERSION);
  const key = publicOf(ref, got["type"], objectOf(entry)["public_key"]);
  const { ecdsa } = CUSTODY[key.alg];
  const length = signatureLength(key.alg) as number;
  const sign = async (tbs: Uint8Array) => {
    const input = Buffer.from(ecdsa ? sha256Of(tbs) : tbs).toString("base64");
    const how = ecdsa ? { prehashed: true, hash_algorithm: "sha2-256", marshaling_algorithm: "asn1" } : {};
    const { signature } = await call(`${mount}sign/${name}`, { input, key_version: version, ...how });
    const [, by, base64] = /^vault:v([1-9][0-9]*):([A-Za-z0-9+/=]+)$/.exec(String(signature)) ?? [];
    if (base64 === undefined) throw notASignature(ref);
    if (by !== String(version)) throw serviceError(ref, OTHER_KEY);
    const bytes = decodeBase64(base64);
    const raw = bytes && ecdsa ? rawFromDer(bytes, length) : bytes;
    if (raw?.length !== length) throw notASignature(ref);
    return Uint8Array.from(raw);
  };
  return servedKey(ref, key, sign, () => {});
}
