// firmseal doctor: looks at everything that a release needs. It writes nothing, signs nothing and asks for no secret.

import type { Failure } from "@firmseal/keys";
import { someOf } from "@firmseal/keys/internal";
import { refuseUnknownRules } from "../lint/releases.js";
import { readProduct } from "../product/file/read.js";
import { type Check, Checks } from "./checks.js";
import { checkKeys } from "./keys.js";
import { checkAhead, checkBoards, checkClock, checkReleases, checkWaivers, lastNumber, readShelves } from "./releases.js";
import { checkApprovers, checkBootKeys, checkEnds, checkRoles, checkTrusted } from "./trust.js";

/** Options of examineProduct(). */
export interface ExamineOptions {
  /** Folders outside that of the product file to which its paths may lead. */
  allowOutside?: readonly string[];
  /** The folder that images are relative to. */
  images?: string;
  /** Also open keys in tokens, services and programs. */
  openKeys?: boolean;
}

/** The results of all checks. */
export interface Examination {
  readonly checks: readonly Check[];
  /** Why the product file cannot be read. Undefined if it can. */
  readonly failure: Failure | undefined;
}

/**
 * Checks whether a product can be released: its file, images, keys, logs, trust, releases, waivers, and the clock.
 * Nothing that is wrong stops the other checks, except a product file that cannot be read: that is the failure.
 * `failureOf`: turns what a check has thrown into words.
 */
export async function examineProduct(path: string, o: ExamineOptions, failureOf: (e: unknown) => Failure): Promise<Examination> {
  const checks = new Checks(failureOf);
  const product = await checks.run("product file", path, () => readProduct(path, o.allowOutside, o.images));
  if (!product) {
    await checkClock(checks, [], []);
    return { checks: checks.all, failure: checks.thrown };
  }
  await checks.run("product file", path, () => {
    refuseUnknownRules(product);
    checks.add("product file", path, "ok", `${product.name} by ${product.vendor}, ${someOf(product.boards.map(({ name }) => name))}`);
  });
  await checkBoards(checks, product);
  const { shelves, published } = await readShelves(checks, product);
  const known = [...shelves.flatMap((shelf) => shelf.known), ...published];
  const keys = await checkKeys(checks, product, known, o.openKeys === true);
  const trust = await checkTrusted(checks, product, keys);
  if (trust) {
    const last = lastNumber(known);
    await checkRoles(checks, product, keys, trust, last);
    await checkEnds(checks, product, keys, trust, last);
  }
  await checkApprovers(checks, product);
  await checkBootKeys(checks, product);
  await checkReleases(checks, product, shelves, trust?.verifies === true);
  await checkAhead(checks, product, keys, known);
  await checkWaivers(checks, product);
  await checkClock(checks, keys, known);
  return { checks: checks.all, failure: undefined };
}
