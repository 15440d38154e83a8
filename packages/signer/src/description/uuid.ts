// Identifiers of vendors and classes: UUIDs of version 5 (RFC 9562 §5.5, M37 §8.4.8.2).

import { fromHex, toHex } from "@firmseal/verifier/tools";
import { sha1 } from "@noble/hashes/legacy.js";
import { nodeHash } from "../alg/openssl.js";

const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns whether a text is a UUID in its canonical form, in upper or lower case. */
export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}

/** The namespace of domain names (RFC 9562 §6.6). */
const DNS = parseUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

/** Parses a UUID in its canonical form, in upper or lower case, to 16 bytes. Throws TypeError for any other text. */
export function parseUuid(text: string): Uint8Array {
  if (!isUuid(text)) throw new TypeError(`not a UUID: ${JSON.stringify(text)}`);
  return fromHex(text.replaceAll("-", ""));
}

/** Returns the canonical text form of a 16-byte UUID, in lower case. */
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
 * Returns the 16-byte UUID of a vendor, from its domain. For example, arm.com gives
 * fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe.
 */
export function vendorUuid(domain: string): Uint8Array {
  return uuid5(DNS, domain.toLowerCase());
}

/** Returns the 16-byte UUID of a class, from the UUID of the vendor and the name of the class. */
export function classUuid(vendor: Uint8Array, name: string): Uint8Array {
  return uuid5(vendor, name);
}

/**
 * Returns the vendor and class identifiers of a device, 16 bytes each. Accepts the domain of a vendor and the name of a
 * class, or UUIDs. If the vendor is a UUID, the class must be a UUID too (otherwise TypeError), because the UUID of a
 * class is derived from the domain of its vendor.
 */
export function identityUuids(vendor: string, name: string): { vendor: Uint8Array; class: Uint8Array } {
  if (isUuid(vendor) && !isUuid(name)) throw new TypeError("a vendor given as UUID needs its class as UUID too");
  const id = isUuid(vendor) ? parseUuid(vendor) : vendorUuid(vendor);
  return { vendor: id, class: isUuid(name) ? parseUuid(name) : classUuid(id, name) };
}
