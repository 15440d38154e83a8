// Finds which known keys made the signatures of an envelope. For people and audits; open() decides what a device
// trusts.

import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { usage } from "@firmseal/keys/internal";
import {
  anchorOf,
  keyAlgOf,
  loadAlg,
  type PublicKey,
  type TestKey,
  testKeyForms,
  testKeyName,
  testKeys,
  thumbprint,
  toJwk,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { ALG_NAMES, toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import type { SignatureClaim } from "./loose-envelope.js";

/** A key that may have signed: its name, and what it may sign according to a trust file. */
export interface KnownKey {
  readonly name: string;
  readonly key: PublicKey;
  readonly roles?: readonly string[];
}

/**
 * `valid`: by a known key; `test-key`: by a published test key that was not named; `invalid`: its kid names a known key
 * that did not sign it; `unknown`: by an unknown key.
 */
export type SignerStatus = "valid" | "test-key" | "invalid" | "unknown";

/** A signature of an envelope, and who made it. */
export interface IdentifiedSignature {
  /** The name of the algorithm. */
  readonly alg: string;
  /** The key identifier in the signature, in hex. */
  readonly kid: string | null;
  readonly status: SignerStatus;
  /** The signer. If the status is `invalid`, the key that the kid names. */
  readonly by?: KnownKey;
  /** The name of the published test key that made it. */
  readonly testKey?: string;
}

function isSignedBy(claim: SignatureClaim, key: PublicKey): boolean {
  const { alg } = anchorOf(key);
  return alg.ids.includes(claim.alg) && alg.verify(key.key, claim.message, claim.signature, nodeHost);
}

/** A public key of a published secret, and the same key for OpenSSL if that knows the algorithm. */
interface TestKeyForm {
  readonly key: PublicKey;
  readonly object: KeyObject | undefined;
}

const testForms = new Map<TestKey, readonly TestKeyForm[]>();

function objectOf(key: PublicKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...toJwk(key) }, format: "jwk" });
  } catch {
    return undefined;
  }
}

/** All public keys of a published secret. They are read once: there are dozens of them. */
function formsOf(test: TestKey): readonly TestKeyForm[] {
  const forms = testForms.get(test) ?? testKeyForms(test).map((key) => ({ key, object: objectOf(key) }));
  testForms.set(test, forms);
  return forms;
}

/**
 * Whether a published secret made a signature. OpenSSL first excludes the keys that did not sign: it accepts whatever a
 * device accepts, in a third of the time. The verifier of the device decides about the others.
 */
function isSignedByTest(claim: SignatureClaim, { key, object }: TestKeyForm): boolean {
  try {
    const form = object && ({ key: object, dsaEncoding: "ieee-p1363" } as const);
    if (form && !verify(null, Uint8Array.from(claim.message), form, Uint8Array.from(claim.signature))) return false;
  } catch {
    // an OpenSSL without this algorithm excludes no key
  }
  return isSignedBy(claim, key);
}

/** Whether the kid of a signature is the kid of the key or its thumbprint. */
function namesKey(claim: SignatureClaim, key: PublicKey): boolean {
  if (!claim.kid) return false;
  const kid = toHex(claim.kid);
  return (key.kid !== undefined && toHex(key.kid) === kid) || toHex(thumbprint(key)) === kid;
}

async function identifySigner(
  claim: SignatureClaim,
  known: readonly KnownKey[],
): Promise<Pick<IdentifiedSignature, "status" | "by" | "testKey">> {
  const alg = keyAlgOf(claim.alg);
  if (!alg) return { status: "unknown" };
  await loadAlg(alg);
  const fitting = known.filter(({ key }) => key.alg === alg);
  // a kid is only a hint: it decides which key is tried first
  const named = fitting.filter(({ key }) => namesKey(claim, key));
  const by = [...named, ...fitting.filter((k) => !named.includes(k))].find(({ key }) => isSignedBy(claim, key));
  if (by) {
    const testKey = testKeyName(by.key);
    return { status: "valid", by, ...(testKey !== undefined && { testKey }) };
  }
  const test = testKeys.find((t) => t.alg === alg && formsOf(t).some((form) => isSignedByTest(claim, form)));
  if (test) return { status: "test-key", testKey: test.name };
  return named[0] ? { status: "invalid", by: named[0] } : { status: "unknown" };
}

/**
 * Finds the signer of each signature. Tries every key of its algorithm, and the published test keys. Throws a usage
 * Failure for too many keys.
 */
export async function signersOf(claims: readonly SignatureClaim[], known: readonly KnownKey[]): Promise<IdentifiedSignature[]> {
  if (known.length > LIMITS.triedKeys)
    throw usage(`${known.length} keys: at most ${LIMITS.triedKeys} are tried`, "give the keys that may have signed this release");
  const out: IdentifiedSignature[] = [];
  for (const claim of claims)
    out.push({
      alg: ALG_NAMES[claim.alg] ?? String(claim.alg),
      kid: claim.kid ? toHex(claim.kid) : null,
      ...(await identifySigner(claim, known)),
    });
  return out;
}

/** Returns the names of the published test keys that made a signature. Anybody can make such signatures. */
export function testKeysAmong(signatures: readonly IdentifiedSignature[]): string[] {
  return [...new Set(signatures.flatMap((s) => s.testKey ?? []))];
}
