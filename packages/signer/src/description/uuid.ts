// Identifiers of vendors and classes: UUIDs of version 5 (RFC 9562 §5.5, M37 §8.4.8.2).

import { fromHex, toHex } from "@firmseal/verifier/tools";
import { sha1 } from "@noble/hashes/legacy.js";
import { nodeHash } from "../alg/openssl.js";

const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Recognizes a UUID in its canonical form, in upper or lower case.
 *
 * @param text - The text.
 * @returns Whether it is one.
 */
export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}

/** The namespace of domain names (RFC 9562 §6.6). */
const DNS = parseUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

/**
 * Parses a UUID in its canonical form, in upper or lower case.
 *
 * @param text - The text.
 * @returns 16 bytes.
 * @throws TypeError for any other text.
 */
export function parseUuid(text: string): Uint8Array {
  if (!isUuid(text)) throw new TypeError(`not a UUID: ${JSON.stringify(text)}`);
  return fromHex(text.replaceAll("-", ""));
}

/**
 * Formats a UUID in its canonical form.
 *
 * @param bytes - 16 bytes.
 * @returns The text, in lower case.
 */
export function formatUuid(bytes: ArrayLike<number>): string {
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function uuid5(space: Uint8Array, name: string): Uint8Array {
  const bytes = Uint8Array.from([...space, ...new TextEncoder().encode(name)]);
  const out = (nodeHash("sha1", bytes) ?? sha1(bytes)).slice(0, 16);
  out[6] = ((out[6] as number) & 15) | 80;
  out[8] = ((out[8] as number) & 63) | 128;
  return out;
}

/**
 * Derives the UUID of a vendor. For example, arm.com gives fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe.
 *
 * @param domain - The domain of the vendor.
 * @returns 16 bytes.
 */
export function vendorUuid(domain: string): Uint8Array {
  return uuid5(DNS, domain.toLowerCase());
}

/**
 * Derives the UUID of a class.
 *
 * @param vendor - The UUID of the vendor, 16 bytes.
 * @param name - The name of the class.
 * @returns 16 bytes.
 */
export function classUuid(vendor: Uint8Array, name: string): Uint8Array {
  return uuid5(vendor, name);
}

/**
 * Derives the vendor and class identifiers of a device. If the vendor is a UUID, the class must be a UUID too, because
 * the UUID of a class is derived from the domain of its vendor.
 *
 * @param vendor - The domain of the vendor, or its UUID.
 * @param name - The name of the class, or its UUID.
 * @returns The identifiers, 16 bytes each.
 * @throws TypeError for the name of a class with the UUID of a vendor.
 * @example
 * ```ts
 * import { formatUuid, identityUuids } from "@firmseal/signer";
 *
 * const { vendor, class: board } = identityUuids("example.com", "board-v2");
 * console.log(formatUuid(vendor), formatUuid(board));
 * ```
 */
export function identityUuids(vendor: string, name: string): { vendor: Uint8Array; class: Uint8Array } {
  if (isUuid(vendor) && !isUuid(name)) throw new TypeError("a vendor given as UUID needs its class as UUID too");
  const id = isUuid(vendor) ? parseUuid(vendor) : vendorUuid(vendor);
  return { vendor: id, class: isUuid(name) ? parseUuid(name) : classUuid(id, name) };
}
