// --vendor and --class, for what is signed and for the device alike.

import { identityUuids } from "@firmseal/signer";
import { usage } from "./failure.js";

/** The identifiers behind --vendor and --class; wrong use where they do not go together. */
export function identityOf(vendor: string, name: string): { vendor: Uint8Array; class: Uint8Array } {
  try {
    return identityUuids(vendor, name);
  } catch (e) {
    throw usage((e as Error).message, "give a domain and a name, or two UUIDs");
  }
}
