// Common parts of the key services: their optional libraries, limits on time and bytes, errors with one line and one
// hint.

import { createPublicKey, type KeyObject } from "node:crypto";
import { fromJwk, KeyError, type PublicKey } from "@firmseal/signer";
import { algOfNode, wordsFor } from "../../algorithms.js";
import { KeyFileError } from "../../errors/key-file.js";
import type { OpenedKey } from "../../source.js";
import { checkedSigner } from "../foreign.js";
import { limitAnswers, onTooLong } from "./answer-limit.js";

/** The time limit for a call and its retries, whatever the library waits for: credentials, DNS, an answer. */
const CALL_TIMEOUT = 30_000;

/** The time limit for one attempt, so that another one fits within the limit. */
export const ATTEMPT = 10_000;

export const ATTEMPTS = 3;

/**
 * What happened, and what to do. Neither contains any part of the service's message, which may name accounts and
 * requests.
 */
export type Trouble = readonly [what: string, hint: string];

const NETWORK: Trouble = ["the service cannot be reached", "check the network, the region and the proxy settings, then run it again"];
const TIMED_OUT: Trouble = ["the service did not answer in time", "check the network and the proxy settings, then run it again"];

export const TOO_LONG: Trouble = [
  "the service answered with more than 1 MiB",
  "check the endpoint and the proxy settings: this is not a key service",
];

export const OTHER_KEY: Trouble = ["the service returned a different key", "try again; if the fault stays, ask the service's operator"];

const NETWORK_CODES: { readonly [code: string]: Trouble } = {
  ECONNREFUSED: NETWORK,
  ECONNRESET: NETWORK,
  ENOTFOUND: NETWORK,
  EAI_AGAIN: NETWORK,
  EHOSTUNREACH: NETWORK,
  ENETUNREACH: NETWORK,
  EPIPE: NETWORK,
  ETIMEDOUT: TIMED_OUT,
  ABORT_ERR: TIMED_OUT,
  AbortError: TIMED_OUT,
  TimeoutError: TIMED_OUT,
};

const CERTIFICATE: Trouble = [
  "the certificate of the service is not trusted",
  "check the address and the clock; if you use your own proxy, give its certificate: NODE_EXTRA_CA_CERTS",
];

/** Errors common to all services, by the properties that distinguish them. */
export function commonTrouble(e: unknown): Trouble | undefined {
  const { code, name } = (typeof e === "object" && e !== null ? e : {}) as { code?: unknown; name?: unknown };
  for (const mark of [code, name]) {
    if (typeof mark !== "string") continue;
    if (Object.hasOwn(NETWORK_CODES, mark)) return NETWORK_CODES[mark];
    if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_)/.test(mark)) return CERTIFICATE;
  }
  return undefined;
}

export function serviceError(ref: string, [what, hint]: Trouble): KeyFileError {
  return new KeyFileError(`${ref}: ${what}`, hint, 3);
}

/** A usage error: the reference itself is invalid. */
export function wrongReference(ref: string, what: string, hint: string): KeyFileError {
  return new KeyFileError(`${ref} ${what}`, hint, 2);
}

/** An error that is in no table: names its class, if that is a word. */
export function unknownTrouble(service: string, mark: unknown): Trouble {
  const word = typeof mark === "string" && /^[A-Za-z][A-Za-z0-9_]{0,60}$/.test(mark) ? ` (${mark})` : "";
  return [`${service} has failed${word}`, "try it with the service's own command line, which says more"];
}

/** Loads an optional library. `packages` is what to install. */
export async function importPackage<T>(ref: string, packages: string, load: () => Promise<T>): Promise<T> {
  // before its warning is suppressed with those below: public key and credentials could be anybody's
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0")
    throw new KeyFileError(
      `${ref}: NODE_TLS_REJECT_UNAUTHORIZED=0 is set, and anybody could answer as the service`,
      "unset it; if you use your own proxy, give its certificate: NODE_EXTRA_CA_CERTS",
      3,
    );
  // these libraries emit process warnings about Node versions and missing files, which do not help a signer
  process.removeAllListeners("warning");
  limitAnswers();
  try {
    return await load();
  } catch (e) {
    const absent = (e as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    throw new KeyFileError(
      `${ref}: the library of the service ${absent ? "is not installed" : "cannot be loaded here"}`,
      `npm install ${packages}`,
      3,
    );
  }
}

/**
 * Calls the service. `troubleOf` describes its errors. The call ends at the limits on time and bytes, and when `signal`
 * aborts, even if the library ignores its signal: a build must not hang on a key.
 */
export async function callService<T>(
  ref: string,
  call: (signal: AbortSignal) => Promise<T>,
  troubleOf: (e: unknown) => Trouble,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let forget = () => {};
  const limit = new Promise<never>((_, reject) => {
    const end = (reason: unknown) => {
      reject(reason);
      stop.abort();
    };
    timer = setTimeout(() => end(serviceError(ref, TIMED_OUT)), CALL_TIMEOUT);
    const forgetLength = onTooLong(() => end(serviceError(ref, TOO_LONG)));
    const onAbort = () => end(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    forget = () => {
      forgetLength();
      signal?.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([call(stop.signal), limit]);
  } catch (e) {
    signal?.throwIfAborted();
    throw e instanceof KeyFileError ? e : serviceError(ref, troubleOf(e));
  } finally {
    clearTimeout(timer);
    forget();
  }
}

function notForSigning(ref: string): KeyFileError {
  return serviceError(ref, [
    `the key is not an ${wordsFor("node")} key for signing`,
    "make a signing key on one of these curves in the service",
  ]);
}

/** The public key in an SPKI (DER or PEM) from a service. */
export function keyOfSpki(ref: string, spki: Uint8Array | string): PublicKey {
  let object: KeyObject;
  try {
    object = createPublicKey(typeof spki === "string" ? spki : { key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    throw serviceError(ref, ["the service did not return a public key", "try again; if the fault stays, check the key in the service"]);
  }
  if (!algOfNode(object)) throw notForSigning(ref);
  return keyOfJwk(ref, object.export({ format: "jwk" }));
}

/** The public key in a JWK from a service. Its identifier is not used in signatures. */
export function keyOfJwk(ref: string, { kty, crv, x, y }: { kty?: unknown; crv?: unknown; x?: unknown; y?: unknown }): PublicKey {
  try {
    return fromJwk({ kty, crv, x, ...(y !== undefined && { y }) });
  } catch (e) {
    if (e instanceof KeyError) throw notForSigning(ref);
    throw e;
  }
}

/** A key whose private half is in a service. `sign` returns raw signatures; each is verified before it is returned. */
export function servedKey(ref: string, key: PublicKey, sign: (tbs: Uint8Array) => Promise<Uint8Array>, close: () => unknown): OpenedKey {
  return {
    name: ref,
    public: key,
    signer: checkedSigner(
      ref,
      key,
      "the service signs with a different key than it shows, or wrongly: do not use it until the cause is known",
      sign,
    ),
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}

/** For a result that cannot be a signature; checkedSigner() detects an invalid one. */
export function notASignature(ref: string): KeyFileError {
  return serviceError(ref, ["the service did not return a signature", "try again; if the fault stays, ask the service's operator"]);
}
