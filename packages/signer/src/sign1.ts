// COSE_Sign1 messages (RFC 9052 §4.2) for people and programs, not for devices: approvals, and signatures in the record
// of a release.

import { decodeItem, equalBytes, HEADER_ALG, HEADER_KID, type Item, TAG_SIGN1 } from "@firmseal/verifier/tools";
import { encodeCbor as cbor, protectedHeader, Tagged } from "./cbor.js";
import type { KnownSignature, SignedWith } from "./signable.js";

/**
 * What a message says, as external_aad: with it, no signature of one kind is valid as one of the other, or over a
 * manifest, where it is empty, or over a trust file.
 */
export type Sign1Context = "firmseal.approval" | "firmseal.record";

const utf8 = new TextEncoder();

/** The bytes that are signed: the Sig_structure. */
function sigStructureOf(context: Sign1Context, bucket: Uint8Array, payload: Uint8Array): Uint8Array {
  return cbor(["Signature1", bucket, utf8.encode(context), payload]);
}

/** The bytes that a key signs. */
export function sign1Message(context: Sign1Context, payload: Uint8Array, key: SignedWith): Uint8Array {
  return sigStructureOf(context, protectedHeader(key), payload);
}

/** The message with its signature. `payload`: null if it is detached. */
export function encodeSign1(payload: Uint8Array | null, key: SignedWith, signature: Uint8Array): Uint8Array {
  return cbor(new Tagged(TAG_SIGN1, [protectedHeader(key), new Map(), payload, signature]));
}

/** A message as it was read. */
export interface Sign1 extends KnownSignature {
  /** Null if it is detached. */
  readonly payload: Uint8Array | null;
}

/** The algorithm and the key identifier of a protected header. */
function headersIn(bucket: Uint8Array): Pick<KnownSignature, "alg" | "kid"> {
  const { items } = decodeItem(bucket);
  let alg = 0;
  let kid: Uint8Array | undefined;
  for (let i = 0; i < items.length; i += 2) {
    const value = items[i + 1] as Item;
    if (items[i]?.value === HEADER_ALG) alg = value.value;
    if (items[i]?.value === HEADER_KID) kid = Uint8Array.from(bucket.subarray(value.body, value.end));
  }
  // its form is the one that encodeSign1() writes, and no other
  if (!equalBytes(bucket, protectedHeader({ alg, kid }))) throw new TypeError("not the header of a signature");
  return { alg, kid: kid ?? null };
}

/**
 * Reads a message in the form that encodeSign1() writes, and no other. `detached`: its payload, if the message has
 * none. Returns undefined if it is not one.
 */
export function readSign1(context: Sign1Context, bytes: Uint8Array, detached?: Uint8Array): Sign1 | undefined {
  try {
    const [message] = decodeItem(bytes).items as [Item];
    const [bucket, , payload, signature] = message.items.map((item) =>
      item.kind === "bytes" ? Uint8Array.from(bytes.subarray(item.body, item.end)) : null,
    );
    if (!bucket || !signature || (payload === null) === (detached === undefined)) return undefined;
    const headers = headersIn(bucket);
    const again = cbor(new Tagged(TAG_SIGN1, [bucket, new Map(), payload as Uint8Array | null, signature]));
    if (!equalBytes(bytes, again)) return undefined;
    return {
      ...headers,
      payload: payload as Uint8Array | null,
      signature,
      message: sigStructureOf(context, bucket, (payload ?? detached) as Uint8Array),
    };
  } catch {
    return undefined;
  }
}
