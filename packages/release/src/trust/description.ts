// The JSON description of a trust file (docs/guides/trust.md). It names keys by file and roles by name. Unknown members
// are refused.

import { dirname, isAbsolute } from "node:path";
import { Failure } from "@firmseal/keys";
import type { Asking } from "@firmseal/keys/internal";
import { openKeyFile, refusedInput, STDIO } from "@firmseal/keys/internal";
import {
  conform,
  DescriptionError,
  type FamilyEntry,
  isUuid,
  parseUuid,
  ROLES,
  type RoleName,
  type TrustDescription,
  type TrustEntry,
} from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { MAX_SIGNATURES, sameKey } from "@firmseal/verifier/tools";
import { identityOf } from "../input/identity.js";
import { parseJson } from "../input/json.js";
import { violations } from "../input/schema.js";
import { refusalHint } from "../verify/refusals.js";

const HINT = "compare it with schema/trust.schema.json of @firmseal/release; docs/guides/trust.md has an example";

/** The structure in schema/trust.schema.json. */
interface Written {
  readonly name: string;
  readonly sequence?: number | string;
  readonly anchors: readonly WrittenAnchor[];
  readonly thresholds: { readonly [role in RoleName]?: number | string };
  readonly jumps?: { readonly [role in RoleName]?: number | string };
  readonly families?: { readonly [role in RoleName]?: readonly FamilyEntry[] };
  readonly epoch?: { readonly number: number; readonly from: number | string };
}

interface WrittenAnchor {
  readonly key: string;
  readonly roles: readonly RoleName[];
  readonly vendor?: string;
  readonly class?: string;
  readonly since?: number | string;
  readonly until?: number | string;
  readonly devices?: "single";
}

function wrong(where: string, what: string): Failure {
  return refusedInput("ERR_DESCRIPTION", `the description: ${where}${where === "" ? "" : " "}${what}`, HINT);
}

function conforming(value: unknown): Written {
  try {
    conform(value, (json) => violations(json, "trust"));
  } catch (e) {
    if (e instanceof DescriptionError) throw refusedInput("ERR_DESCRIPTION", `the description: ${e.message}`, HINT);
    throw e;
  }
  return value as Written;
}

/** Parses a 64-bit number. The schema does not bound those in text form. */
function number(value: number | string | undefined, where: string): bigint | undefined {
  const n = value === undefined ? undefined : BigInt(value);
  if (n !== undefined && n >= 2n ** 64n) throw wrong(where, "is not below 2^64");
  return n;
}

function scope(vendor: string | undefined, name: string | undefined, at: string): { vendor?: Uint8Array; class?: Uint8Array } {
  if (vendor !== undefined && name !== undefined) return identityOf(vendor, name);
  if (vendor !== undefined) return { vendor: identityOf(vendor, NIL_UUID).vendor };
  if (name === undefined) return {};
  if (!isUuid(name)) throw wrong(`${at}/class`, "is a name, and needs a vendor");
  return { class: parseUuid(name) };
}

const NIL_UUID = "00000000-0000-0000-0000-000000000000";

async function entry(a: WrittenAnchor, at: string, folder: string, ask: Asking): Promise<TrustEntry> {
  const { key: file, roles, devices } = a;
  if (file === STDIO) throw wrong(`${at}/key`, "is stdin, but must name a file");
  const id = scope(a.vendor, a.class, at);
  const [since, until] = [number(a.since, `${at}/since`), number(a.until, `${at}/until`)];
  // files only: a description must not be able to name a program to run
  const key = (await openKeyFile(isAbsolute(file) || folder === "." ? file : `${folder}/${file}`, ask)).public;
  return { key, roles, ...id, ...(since !== undefined && { since }), ...(until !== undefined && { until }), ...(devices && { devices }) };
}

const have = (keys: number) => (keys === 1 ? "key has" : "keys have");

/** Refuses what the reader would refuse, but in the terms of the description. */
function checkRoles({ anchors, thresholds }: TrustDescription): void {
  const refuse = (code: "TRUST_THRESHOLD" | "TRUST_ROLE_EMPTY", message: string): never => {
    throw new Failure(1, `ERR_${code}`, `the description: ${message}`, refusalHint(errors[code]));
  };
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const n = thresholds[role];
    const inRole = anchors.filter((a) => a.roles.includes(role)).length;
    if (n === undefined && inRole > 0) refuse("TRUST_ROLE_EMPTY", `thresholds.${role} is missing, but ${inRole} ${have(inRole)} the role`);
    if (n !== undefined && inRole === 0) refuse("TRUST_ROLE_EMPTY", `thresholds.${role} is ${n}, but no key has the role`);
    if (n !== undefined && (n < 1 || n > inRole))
      refuse("TRUST_THRESHOLD", `thresholds.${role} is ${n}, but ${inRole} ${have(inRole)} the role`);
  }
  if (thresholds.root === undefined) refuse("TRUST_ROLE_EMPTY", "no key has the role root, and only a root signs trust files");
}

/** Refuses a key that appears twice, also in another form that its secret signs for. */
function checkKeys(anchors: readonly TrustEntry[]): void {
  for (const [i, { key }] of anchors.entries()) {
    const twin = anchors.slice(0, i).findIndex((other) => sameKey(key.key, other.key.key));
    if (twin >= 0)
      throw new Failure(
        1,
        "ERR_TRUST_KEY_TWICE",
        `the description: it lists a key twice: /anchors/${i} is the key of /anchors/${twin}`,
        refusalHint(errors.TRUST_KEY_TWICE),
      );
  }
}

/** Refuses families that no signatures can satisfy: an envelope and a trust file have at most 8. */
function checkFamilies({ anchors, families = {} }: TrustDescription): void {
  for (const [role, all] of Object.entries(families) as [RoleName, readonly FamilyEntry[]][]) {
    const at = (i: number) => `/families/${role}/${i}`;
    const inRole = anchors.filter((a) => a.roles.includes(role));
    for (const [i, { algorithms, threshold }] of all.entries()) {
      const keys = inRole.filter(({ key }) => algorithms.includes(key.alg)).length;
      if (threshold > keys) throw wrong(at(i), `needs ${threshold} of the keys of the role ${role}, and ${keys} have these algorithms`);
      if (all.slice(0, i).some((other) => other.algorithms.some((alg) => algorithms.includes(alg))))
        throw wrong(at(i), "has an algorithm of a family before it: each algorithm is in one family of a role");
    }
    const needed = all.reduce((sum, { threshold }) => sum + threshold, 0);
    if (needed > MAX_SIGNATURES) throw wrong(`/families/${role}`, `needs ${needed} signatures, and there are at most ${MAX_SIGNATURES}`);
  }
}

/**
 * Reads the description of a trust file. `bytes` is its JSON text, `path` its file name. `sequence` is the default for
 * an absent sequence number; if undefined, the number is required. Throws a Failure, DESCRIPTION, with the place of the
 * fault.
 */
export async function readDescription(
  bytes: Uint8Array,
  path: string,
  sequence: bigint | undefined,
  ask: Asking,
): Promise<TrustDescription> {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (e) {
    throw refusedInput("ERR_DESCRIPTION", `${path}: ${(e as Error).message}`, HINT);
  }
  const written = conforming(value);
  const { name } = written;
  const own = number(written.sequence, "/sequence") ?? sequence;
  if (own === undefined) throw wrong("/sequence", "is missing, and no previous trust file is given");
  const thresholds: { [role in RoleName]?: number } = {};
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const n = number(written.thresholds[role], `/thresholds/${role}`);
    if (n !== undefined) thresholds[role] = Number(n);
  }
  const jumps: { [role in RoleName]?: bigint } = {};
  for (const role of Object.keys(written.jumps ?? {}) as RoleName[]) {
    const n = number(written.jumps?.[role], `/jumps/${role}`);
    if (n === 0n) throw wrong(`/jumps/${role}`, "is 0, so devices would accept no release of the role");
    if (n !== undefined) jumps[role] = n;
  }
  const from = number(written.epoch?.from, "/epoch/from");
  const epoch = written.epoch && from !== undefined && { number: written.epoch.number, from };
  const anchors: TrustEntry[] = [];
  // before any key file is opened; the schema bounds their number
  for (const [i, item] of written.anchors.entries())
    anchors.push(await entry(item, `/anchors/${i}`, path === STDIO ? "." : dirname(path), ask));
  const description = {
    name,
    sequence: own,
    anchors,
    thresholds,
    ...(written.jumps && { jumps }),
    ...(written.families && { families: written.families }),
    ...(epoch && { epoch }),
  };
  checkRoles(description);
  checkKeys(anchors);
  checkFamilies(description);
  return description;
}
