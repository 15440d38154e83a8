// The list of keys of another product, for a new product of the same people.

import { keyName, refuseTestKeys } from "@firmseal/keys";
import { usage } from "@firmseal/keys/internal";
import { readTrustFile } from "@firmseal/release";
import { anchorFacts, keysOf, PRODUCT_FILE, readPinnedTrust } from "@firmseal/release/internal";
import { trustName } from "@firmseal/signer";
import { ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/tools";
import type { InitOptions } from "./answers.js";
import { type FirstList, lookAt, refuseTwice } from "./first-list.js";

/** A trust file that is there: nothing of it is written. */
export interface GivenList extends Pick<FirstList, "trust" | "name" | "roots" | "keys" | "rootThreshold"> {
  /** How many release keys must sign. */
  readonly threshold: number;
}

/** Reads the trust file of `--trust`, which the roots of `--root` must have signed. */
export async function givenList(trust: string, o: InitOptions): Promise<GivenList> {
  const other = o.loneKey ? "--lone-key" : o.key ? "--key" : o.threshold !== undefined ? "--threshold" : undefined;
  if (other !== undefined)
    throw usage(`--trust and ${other} exclude each other: the list says which keys sign releases, and how many`, `drop ${other}`);
  const roots = o.root ?? [];
  const found: Parameters<typeof refuseTwice>[0][number][] = [];
  for (const ref of roots) {
    const looked = await lookAt(o.out ?? PRODUCT_FILE, "--root", ref, "");
    if (looked.signs || !looked.public)
      throw usage(`--root ${ref} is not the file of a public key`, "give the public half: the product file names it");
    found.push({ ...looked, public: looked.public });
  }
  refuseTwice(found);
  const { store } = readTrustFile(trust);
  const rootThreshold = store.thresholds[ROLE_ROOT] as number;
  if (roots.length < rootThreshold)
    throw usage(
      `${trust}: ${rootThreshold} of its roots must sign a list, and --root is ${roots.length === 0 ? "not given" : roots.length === 1 ? "given once" : `given ${roots.length} times`}`,
      "give a public root for each, from a trusted source",
    );
  // as many as must sign: one of the others may be lost
  await readPinnedTrust(trust, { root: roots.slice(0, rootThreshold) });
  refuseTestKeys(keysOf(store), o.allowTestKey ?? []);
  const releases = keysOf({ ...store, anchors: store.anchors.filter((one) => anchorFacts(one).roles.includes("release")) });
  return {
    trust,
    name: trustName(store),
    roots: roots.map((ref) => ({ ref, publicKey: ref, signs: false })),
    keys: releases.map((key) => ({ ref: keyName(key), publicKey: "", signs: false })),
    rootThreshold,
    threshold: store.thresholds[ROLE_RELEASE] as number,
  };
}
