// An envelope taken apart and put together. What was received is kept as the bytes it came in: nothing that a digest or a signature
// covers is ever encoded again.

import {
  decodeEnvelope,
  decodeItem,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  HASH_SHA_256,
  TAG_ENVELOPE,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Encodable, encodeBytesMap, encodeCbor } from "../cbor.js";

/** The contents of an envelope's byte strings. */
export interface EnvelopeParts {
  /** Encoded SUIT_Digest of the manifest. */
  digest: Uint8Array;
  /** Encoded COSE messages. */
  blocks: Uint8Array[];
  manifest: Uint8Array;
  severed: Map<number, Uint8Array>;
  payloads: Map<string, Uint8Array>;
}

/** Writes the envelope: tag 107, keys in order, so that the wrapper comes before the manifest. */
export function writeEnvelope(parts: EnvelopeParts): Uint8Array {
  return encodeBytesMap(
    TAG_ENVELOPE,
    new Map<Encodable, Uint8Array>([
      [ENV_AUTHENTICATION_WRAPPER, encodeCbor([parts.digest, ...parts.blocks])],
      [ENV_MANIFEST, parts.manifest],
      ...parts.severed,
      ...parts.payloads,
    ]),
  );
}

/**
 * Takes an envelope apart. Payloads are views of `bytes`, everything else is a copy. Structure and digests are checked by decodeEnvelope(), whose refusals are thrown. An envelope without a wrapper gets
 * one: the SHA-256 digest of its manifest and no signature.
 */
export function splitEnvelope(bytes: Uint8Array): EnvelopeParts {
  return partsOf(bytes, decodeEnvelope(bytes));
}

/** The same, of an envelope that decodeEnvelope() has read. */
export function partsOf(bytes: Uint8Array, { envelope }: UnverifiedEnvelope): EnvelopeParts {
  const cut = (s: { readonly at: number; readonly n: number }) => bytes.slice(s.at, s.at + s.n);
  const manifest = cut(envelope.manifestElement.inside);
  const wrapped = envelope.wrapper ? decodeItem(bytes, envelope.wrapper.inside).items : [];
  const [digest, ...blocks] = wrapped.map(({ body, end }) => Uint8Array.from(bytes.subarray(body, end)));
  return {
    digest: digest ?? encodeCbor([HASH_SHA_256, sha256(encodeCbor(manifest))]),
    blocks,
    manifest,
    severed: new Map(envelope.severed.map((e) => [e.number, cut(e.inside)])),
    // views: only they are large
    payloads: new Map(envelope.payloads.map((p) => [p.uri, bytes.subarray(p.content.at, p.content.at + p.content.n)])),
  };
}

/**
 * The envelope without the severable elements `keys` (numbers of the specification), or without any, and without the payloads that only
 * those fetch: an envelope must not carry what nothing in it vouches for. Signatures stay valid.
 */
export function sever(bytes: Uint8Array, keys?: readonly number[]): Uint8Array {
  const parts = splitEnvelope(bytes);
  for (const key of [...parts.severed.keys()]) if (!keys || keys.includes(key)) parts.severed.delete(key);
  const { uris } = decodeEnvelope(writeEnvelope({ ...parts, payloads: new Map() })).manifest;
  for (const uri of [...parts.payloads.keys()]) if (!uris.includes(uri)) parts.payloads.delete(uri);
  return writeEnvelope(parts);
}

/** The envelope with the severed elements and payloads that `from`, another form of it, still has. Refused where a digest does not match. */
export function reattach(bytes: Uint8Array, from: Uint8Array): Uint8Array {
  const parts = splitEnvelope(bytes);
  const whole = splitEnvelope(from);
  for (const [key, content] of whole.severed) parts.severed.set(key, content);
  for (const [uri, content] of whole.payloads) if (!parts.payloads.has(uri)) parts.payloads.set(uri, content);
  const out = writeEnvelope(parts);
  decodeEnvelope(out);
  return out;
}
