// What a person sees of a product file before a key signs, and what a candidate pins: its marked members, with the
// files that they lead to. Nothing of it depends on the machine, or on whether a signing key is there.

import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { keyFacts, publicKeys } from "@firmseal/keys";
import { isFile, readAll, sha256Hex, startsProgram } from "@firmseal/keys/internal";
import { keyOfAnchor, unlessThrown } from "@firmseal/signer";
import { LIMITS } from "../../input/limits.js";
import type { TrustOnFile } from "../../trust/read.js";
import type { MarkedMember } from "./marked.js";
import type { Product } from "./product.js";

/** A marked member, with the file that it leads to. */
export interface ShownMember extends MarkedMember {
  /** The file, with links resolved, from the folder of the product file. Null: none, or none that is there. */
  readonly path: string | null;
  /** SHA-256 of the file, in hex. Null: the file may have a secret, or is too large, or no file. */
  readonly sha256: string | null;
  /** Whether it starts a program, or loads a library. */
  readonly startsProgram: boolean;
}

/** Files that hold no secret: those of [trust] and [approval], the earlier release, and the bill of materials. */
const PUBLIC = /^\/(trust|approval|policy)\/|^\/sequence\/previous$/;

function shownMember(product: Product, one: MarkedMember): ShownMember {
  const folder = dirname(product.path);
  const isRelative = !one.value.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(one.value);
  const file = isRelative ? join(folder, one.value) : one.value;
  // images are relative to another folder, and the folder of releases may not exist yet
  const isFound = PUBLIC.test(one.member) || one.refersTo === "key";
  const real = isFound ? unlessThrown(() => realpathSync(file)) : undefined;
  const hasDigest = real !== undefined && PUBLIC.test(one.member) && isFile(real);
  return {
    ...one,
    path: real === undefined ? null : relative(realpathSync(folder), real).split(sep).join("/"),
    sha256: hasDigest ? (unlessThrown(() => sha256Hex(readAll(real, LIMITS.envelope))) ?? null) : null,
    startsProgram: one.refersTo === "program" || (one.refersTo === "key" && startsProgram(one.value)),
  };
}

/** Returns the marked members of a product file as people see them. */
export const shownMembers = (product: Product): ShownMember[] => product.marked.map((one) => shownMember(product, one));

/** Returns the thumbprints of the keys that devices trust, as far as the product file names them in public files. */
export async function trustedThumbprints(product: Product, lists: readonly TrustOnFile[]): Promise<string[]> {
  const files = [...product.trust.root, ...product.trust.keys].filter((file) => existsSync(file));
  const own = files.length > 0 ? await publicKeys(files, []) : [];
  const listed = lists.flatMap(({ store }) => store.anchors.flatMap((anchor) => keyOfAnchor(anchor) ?? []));
  return [...new Set([...own, ...listed].map((key) => keyFacts(key).thumbprint))].sort();
}
