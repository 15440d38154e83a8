// What an envelope that the verifier refuses says all the same: its number, its digest and its signatures, in any
// encoding and in old drafts. For inspect and whosigned. Nothing that acts reads it.

import { createHash } from "node:crypto";
import {
  elementNow,
  exactArgument,
  isMessage,
  keyOf,
  type LooseItem,
  looseItem,
  oldDraftOf,
  openedItem,
  under,
  untagged,
} from "@firmseal/behaviour";
import {
  type CoseSignature,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  equalBytes,
  HASH_NAMES,
  HASH_SHA_256,
  HEADER_ALG,
  HEADER_KID,
  MAN_SEQUENCE_NUMBER,
  MAX_SIGNATURE,
  MAX_SIGNATURES,
  sigStructure,
  TAG_MAC0,
  TAG_SIGN,
  TAG_SIGN1,
} from "@firmseal/verifier/tools";

/** A signature with its unverified claims: what signersOf() needs. */
export type SignatureClaim = Pick<CoseSignature, "alg" | "kid" | "message" | "signature">;

/** What an envelope that the verifier refuses says. */
export interface LooseEnvelope {
  /** The sequence number, in decimal. */
  readonly sequence: string | null;
  /** The digest that the signatures cover: its COSE hash algorithm, and its bytes. */
  readonly digest: { readonly alg: number; readonly bytes: Uint8Array } | null;
  /** Whether it is the digest of the manifest. Without that, no signature says anything about the manifest. */
  readonly isCovered: boolean;
  readonly signatures: readonly SignatureClaim[];
}

/** Bytes of a payload in a signature: a digest has no more. */
const MOST_PAYLOAD = 4096;
/** SHA-256 in the drafts before -16, which had hash algorithms of their own. */
const OLD_SHA_256 = 2;

/** The content of a byte string of definite length. */
function contentOf(bytes: Uint8Array, item: LooseItem | undefined, most: number): Uint8Array | undefined {
  if (item?.kind !== "bytes" || item.value < 0 || item.value > most) return undefined;
  return bytes.subarray(item.body, item.end);
}

/** The headers of a message or of a signature in it: what they claim, and the protected ones as they are signed. */
function headers(bytes: Uint8Array, [first, second]: readonly LooseItem[]) {
  const raw = contentOf(bytes, first, MOST_PAYLOAD);
  const map = openedItem(bytes, first);
  const header = (label: number) => under(map, label) ?? under(second, label);
  const alg = header(HEADER_ALG);
  const kid = contentOf(bytes, header(HEADER_KID), MOST_PAYLOAD);
  // an empty map is signed as an empty string (RFC 9052 §4.4)
  const isEmpty = map?.kind === "map" && map.items.length === 0;
  return { alg: alg && keyOf(alg), kid: kid ? [...kid] : null, signed: raw && [...(isEmpty ? [] : raw)] };
}

/** The signatures of one COSE message. `digest`: what it covers if it has no payload. */
function claimsIn(bytes: Uint8Array, message: LooseItem, digest: Uint8Array | undefined): SignatureClaim[] {
  const tag = message.kind === "tag" ? message.value : TAG_SIGN1;
  const items = untagged(message)?.items ?? [];
  const payload = items[2]?.kind === "bytes" ? contentOf(bytes, items[2], MOST_PAYLOAD) : digest;
  const body = headers(bytes, items);
  if (!payload || !body.signed) return [];
  const claim = (context: string, own: typeof body, parts: number[][], signature: LooseItem | undefined): SignatureClaim[] => {
    const made = contentOf(bytes, signature, MAX_SIGNATURE);
    if (!made || own.alg === undefined) return [];
    return [{ alg: own.alg, kid: own.kid, message: sigStructure(context, [...parts, [], [...payload]]), signature: [...made] }];
  };
  if (tag === TAG_SIGN1) return claim("Signature1", body, [body.signed], items[3]);
  if (tag === TAG_MAC0) return claim("MAC0", body, [body.signed], items[3]);
  if (tag !== TAG_SIGN) return [];
  const signed = body.signed;
  return (items[3]?.items ?? []).slice(0, MAX_SIGNATURES).flatMap((one) => {
    const own = headers(bytes, one.items);
    return own.signed ? claim("Signature", own, [signed, own.signed], one.items[2]) : [];
  });
}

/** A SUIT_Digest. */
function digestIn(bytes: Uint8Array, item: LooseItem | undefined): LooseEnvelope["digest"] {
  const [alg, sum] = item?.kind === "array" ? item.items : [];
  const number = alg && keyOf(alg);
  const content = contentOf(bytes, sum, MOST_PAYLOAD);
  return number === undefined || !content ? null : { alg: number === OLD_SHA_256 ? HASH_SHA_256 : number, bytes: content };
}

/** Whether a digest is that of the manifest: of its byte string, with its head. */
function isDigestOf(bytes: Uint8Array, digest: LooseEnvelope["digest"], manifest: LooseItem | undefined): boolean {
  const name = digest && HASH_NAMES[digest.alg];
  if (!name || !manifest || !/^sha-\d+$/.test(name)) return false;
  return equalBytes(createHash(name.replace("-", "")).update(bytes.subarray(manifest.at, manifest.end)).digest(), digest.bytes);
}

/** Reads an envelope in any encoding. Throws NotWellFormed. */
export function readLooseEnvelope(bytes: Uint8Array): LooseEnvelope {
  const outer = looseItem(bytes);
  const draft = oldDraftOf(bytes, outer);
  const element = (number: number) => elementNow(untagged(outer), "envelope", number, draft);
  const manifest = element(ENV_MANIFEST);
  const number = under(openedItem(bytes, manifest), MAN_SEQUENCE_NUMBER);
  const wrapped = openedItem(bytes, element(ENV_AUTHENTICATION_WRAPPER))?.items ?? [];
  const messages = wrapped.slice(0, MAX_SIGNATURES + 1).flatMap((item) => {
    const message = openedItem(bytes, item);
    return message && isMessage(message) ? [message] : [];
  });
  const beside = wrapped[0] && !isMessage(openedItem(bytes, wrapped[0])) ? wrapped[0] : undefined;
  // a message with a payload covers that, whatever is beside it
  const covered = messages.map((message) => {
    const payload = untagged(message)?.items[2];
    return digestIn(bytes, openedItem(bytes, payload?.kind === "bytes" ? payload : beside));
  });
  const digest = beside ? digestIn(bytes, openedItem(bytes, beside)) : (covered[0] ?? null);
  const own = beside && (contentOf(bytes, beside, MOST_PAYLOAD) ?? bytes.subarray(beside.at, beside.end));
  return {
    sequence: number?.kind === "unsigned" ? String(exactArgument(number)) : null,
    digest,
    isCovered: [digest, ...covered].every((one) => isDigestOf(bytes, one, manifest)),
    signatures: messages.flatMap((message) => claimsIn(bytes, message, own)).slice(0, MAX_SIGNATURES),
  };
}
