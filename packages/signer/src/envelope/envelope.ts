// Splits and assembles envelopes. Received parts are kept as their original bytes: nothing that a digest or a signature
// covers is encoded again.

import {
  decodeEnvelope,
  decodeItem,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  HASH_SHA_256,
  TAG_ENVELOPE,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { HASHES } from "../alg/hash.js";
import { type Encodable, encodeCbor, Tagged } from "../cbor.js";

/** The content of each byte string in an envelope. */
export interface EnvelopeParts {
  /** The encoded SUIT_Digest of the manifest. */
  digest: Uint8Array;
  /** The encoded COSE messages. */
  blocks: Uint8Array[];
  manifest: Uint8Array;
  severed: Map<number, Uint8Array>;
  payloads: Map<string, Uint8Array>;
}

/** Writes the envelope: tag 107 and the keys in order, so that the wrapper precedes the manifest. */
export function writeEnvelope(parts: EnvelopeParts): Uint8Array {
  const members = new Map<Encodable, Uint8Array>([
    [ENV_AUTHENTICATION_WRAPPER, encodeCbor([parts.digest, ...parts.blocks])],
    [ENV_MANIFEST, parts.manifest],
    ...parts.severed,
    ...parts.payloads,
  ]);
  return encodeCbor(new Tagged(TAG_ENVELOPE, members));
}

/**
 * Splits an envelope into its parts. An envelope without a wrapper gets one with the SHA-256 digest of its manifest and
 * no signature.
 *
 * @param bytes - The envelope.
 * @returns The parts. Payloads are views of `bytes`; everything else is a copy.
 * @throws The refusals of decodeEnvelope(), which checks the structure and the digests.
 */
export function splitEnvelope(bytes: Uint8Array): EnvelopeParts {
  return envelopeParts(bytes, decodeEnvelope(bytes));
}

/** Like splitEnvelope(), for an envelope that decodeEnvelope() has read. */
export function envelopeParts(bytes: Uint8Array, { envelope }: UnverifiedEnvelope): EnvelopeParts {
  const cut = (s: { readonly at: number; readonly n: number }) => bytes.slice(s.at, s.at + s.n);
  const manifest = cut(envelope.manifestElement.inside);
  const wrapped = envelope.wrapper ? decodeItem(bytes, envelope.wrapper.inside).items : [];
  const [digest, ...blocks] = wrapped.map(({ body, end }) => Uint8Array.from(bytes.subarray(body, end)));
  return {
    digest: digest ?? encodeCbor([HASH_SHA_256, HASHES["sha-256"].hash(encodeCbor(manifest))]),
    blocks,
    manifest,
    severed: new Map(envelope.severed.map((e) => [e.number, cut(e.inside)])),
    // views, because payloads can be large
    payloads: new Map(envelope.payloads.map((p) => [p.uri, bytes.subarray(p.content.at, p.content.at + p.content.n)])),
  };
}

/**
 * Removes severable elements from an envelope, and the payloads that only these elements fetch: an envelope must not
 * carry data that no digest in it covers. Signatures stay valid.
 *
 * @param bytes - The envelope.
 * @param keys - The numbers of the elements in the specification. Default: all.
 * @returns The envelope without them.
 * @throws The refusals of decodeEnvelope().
 * @example
 * ```ts
 * import { reattach, sever } from "@firmseal/signer";
 *
 * const small = sever(envelope);
 * const whole = reattach(small, envelope);
 * ```
 */
export function sever(bytes: Uint8Array, keys?: readonly number[]): Uint8Array {
  const parts = splitEnvelope(bytes);
  for (const key of [...parts.severed.keys()]) if (!keys || keys.includes(key)) parts.severed.delete(key);
  const { uris } = decodeEnvelope(writeEnvelope({ ...parts, payloads: new Map() })).manifest;
  for (const uri of [...parts.payloads.keys()]) if (!uris.includes(uri)) parts.payloads.delete(uri);
  return writeEnvelope(parts);
}

/**
 * Adds the severed elements and payloads that another copy of the same envelope still has.
 *
 * @param bytes - The envelope.
 * @param from - The other copy.
 * @returns The envelope with them.
 * @throws The refusals of decodeEnvelope(), also for an element whose digest does not match.
 */
export function reattach(bytes: Uint8Array, from: Uint8Array): Uint8Array {
  const parts = splitEnvelope(bytes);
  const whole = splitEnvelope(from);
  for (const [key, content] of whole.severed) parts.severed.set(key, content);
  for (const [uri, content] of whole.payloads) if (!parts.payloads.has(uri)) parts.payloads.set(uri, content);
  const out = writeEnvelope(parts);
  decodeEnvelope(out);
  return out;
}
