// --vendor and --class, both for signing and for the device.

import { usage } from "@firmseal/keys/internal";
import { identityUuids, isUuid } from "@firmseal/signer";

/** Nearly a UUID, or a part of one: a typo must not become the name of a class that no device has. */
const ALMOST_UUID = /^[0-9a-f]*(-[0-9a-f]*){2,}$/i;
/**
 * Names in ASCII, as most are: V8 takes milliseconds to prepare the expressions with classes of Unicode, which permit
 * them too.
 */
const PLAIN_DOMAIN = /^[A-Za-z\d]([\w-]*[A-Za-z\d])?(\.[A-Za-z\d]([\w-]*[A-Za-z\d])?)*$/;
const PLAIN_TEXT = /^[ -~]+$/;
const DOMAIN = /^[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?)*$/u;

const isDomain = (value: string) => PLAIN_DOMAIN.test(value) || DOMAIN.test(value);
const isPlainText = (value: string) => PLAIN_TEXT.test(value) || /^\P{C}+$/u.test(value);

function checkName(option: string, value: string, isName: (value: string) => boolean, hint: string): void {
  if (isUuid(value)) return;
  if (value === "" || value !== value.trim() || !isName(value) || (ALMOST_UUID.test(value) && value.length > 20))
    throw usage(`${option} ${JSON.stringify(value)} is neither a UUID nor a name`, hint);
}

/** Refuses what is neither a domain nor a UUID. */
export const checkVendor = (vendor: string): void =>
  checkName("`vendor`", vendor, isDomain, "give the vendor's domain, for example example.com, or its UUID");

/** Returns the identifiers for --vendor and --class. Throws a usage Failure if they cannot be combined. */
export function identityOf(vendor: string, name: string): { vendor: Uint8Array; class: Uint8Array } {
  checkVendor(vendor);
  checkName("`class`", name, isPlainText, "give the name of the class, for example board-v2, or its UUID");
  try {
    return identityUuids(vendor, name);
  } catch (e) {
    throw usage((e as Error).message, "give a domain and a name, or two UUIDs");
  }
}
