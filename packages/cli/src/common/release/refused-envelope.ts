// What inspect and whosigned say about an envelope that the verifier refuses.

import { type LooseElement, looseLines, looseTree, NotWellFormed } from "@firmseal/behaviour";
import type { Failure } from "@firmseal/keys";
import { warn } from "@firmseal/keys/internal";
import { refusalMeaning } from "@firmseal/release";
import {
  formatDigest,
  type IdentifiedSignature,
  LIMITS,
  type LooseEnvelope,
  readLooseEnvelope,
  refusalName,
  signersOf,
  testKeysAmong,
  withReason,
} from "@firmseal/release/internal";
import type { Refusal } from "@firmseal/verifier";
import { failureOf } from "../../show/failure-of.js";

/** The facts of a refused envelope, as inspect shows them. */
export interface RefusedFacts {
  bytes: number;
  verified: false;
  sequence: string | null;
  /** The old draft of SUIT whose numbers it has. */
  draft?: string;
  digest?: ReturnType<typeof formatDigest>;
  /** Whether the digest is that of the manifest. */
  covered: boolean;
  signatures: { alg: string; kid: string | null; testKey?: string }[];
  elements: LooseElement[];
  testKeys: string[];
}

/** A refusal with its reason. */
export const refusedFailure = (e: Refusal, envelope: Uint8Array): Failure => failureOf(withReason(e, envelope));

/** What an envelope says that the verifier refuses. Undefined if it is not well-formed CBOR. */
export function looseEnvelope(envelope: Uint8Array): LooseEnvelope | undefined {
  try {
    return readLooseEnvelope(envelope);
  } catch (e) {
    if (e instanceof NotWellFormed) return undefined;
    throw e;
  }
}

export function warnOfTestSigners(names: readonly string[]): void {
  for (const name of names) warn(`signed with the published test key ${name}: anybody can sign with it`);
}

/** A signature, as inspect shows it. */
export const signatureFacts = ({ alg, kid, testKey }: IdentifiedSignature) => ({ alg, kid, ...(testKey === undefined ? {} : { testKey }) });

/** The facts of an envelope that was refused. Undefined if it is not well-formed CBOR. */
export async function refusedFacts(envelope: Uint8Array, e: Refusal): Promise<RefusedFacts | undefined> {
  const found = looseEnvelope(envelope);
  if (!found) return undefined;
  const words = `refused: ${refusalMeaning(e.code)} (${refusalName(e.code)})`;
  const { root, draft } = looseTree(envelope, LIMITS.shownBytes, e.at < 0 ? undefined : { at: e.at, words });
  const signatures = await signersOf(found.signatures, []);
  const testKeys = testKeysAmong(signatures);
  warnOfTestSigners(testKeys);
  return {
    bytes: envelope.length,
    verified: false,
    sequence: found.sequence,
    ...(draft && { draft: `${draft.name}: ${draft.sign}` }),
    ...(found.digest && { digest: formatDigest(found.digest) }),
    covered: found.isCovered,
    signatures: signatures.map(signatureFacts),
    elements: [root],
    testKeys,
  };
}

export const signatureWords = (signatures: RefusedFacts["signatures"]) =>
  signatures.map((s) => `${s.alg}${s.kid ? ` kid ${s.kid}` : ""}${s.testKey ? ` by test key ${s.testKey}` : ""}`).join("; ") || "none";

/** The lines that inspect shows. */
export function refusedLines(path: string, size: string, f: RefusedFacts): string[] {
  const isOther = f.digest && !f.covered ? " (NOT that of the manifest)" : "";
  return [
    `${path}: ${size}, refused by devices (signatures not verified)`,
    ...(f.draft === undefined ? [] : [`draft            ${f.draft}`]),
    `sequence number  ${f.sequence ?? "none"}`,
    `manifest digest  ${f.digest ? `${f.digest.algorithm} ${f.digest.hex}${isOther}` : "none"}`,
    `signatures       ${signatureWords(f.signatures)}`,
    ...f.elements.flatMap((one) => looseLines(one)),
  ];
}
