// Lists each key in a token once: a pair and its certificate are three objects with one label and one identifier.

import type { PublicKey } from "@firmseal/signer";
import { readPublic } from "./key.js";
import { CKA_CLASS, CKA_ID, CKA_LABEL, CKO_CERTIFICATE, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY } from "./names.js";
import type { OpenToken } from "./token.js";
import type { TokenUri } from "./uri.js";

/** A key on a token, as listKeys() finds it: the objects with one label and CKA_ID. */
export interface TokenKey {
  /** CKA_LABEL. */
  readonly label: string;
  /** CKA_ID. */
  readonly id: Uint8Array;
  /** undefined if the kind of key is not supported, or the token does not show it. */
  readonly public?: PublicKey;
  /** The kinds of objects. */
  readonly has: readonly ("private" | "public" | "certificate")[];
}

const OBJECT_CLASSES = [
  [CKO_PRIVATE_KEY, "private"],
  [CKO_PUBLIC_KEY, "public"],
  [CKO_CERTIFICATE, "certificate"],
] as const;

/**
 * Lists the keys that a session shows. Private keys are visible only after login.
 *
 * @param token - The open token.
 * @param uri - What the reference `pkcs11:…` asks for.
 * @returns The keys.
 */
export function listKeys(token: OpenToken, uri: TokenUri): TokenKey[] {
  const keys = new Map<string, { label: string; id: Uint8Array; public?: PublicKey; has: TokenKey["has"][number][] }>();
  for (const [value, what] of OBJECT_CLASSES) {
    if (uri.type !== undefined && uri.type !== what) continue;
    for (const object of token.find([{ type: CKA_CLASS, value }])) {
      const label = token.attribute(object, CKA_LABEL)?.toString() ?? "";
      const id = token.attribute(object, CKA_ID) ?? Buffer.alloc(0);
      if ((uri.object !== undefined && uri.object !== label) || (uri.id && !id.equals(uri.id))) continue;
      const place = `${label} ${id.toString("hex")}`;
      const key = keys.get(place) ?? { label, id: Uint8Array.from(id), has: [] };
      keys.set(place, key);
      key.has.push(what);
      const found = key.public ?? readPublic(token, object);
      if (found) key.public = found;
    }
  }
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}
