// The JSON that a trust file is made from (docs/guides/trust.md). Keys are named by files, roles by name; whatever else stands in it is refused.

import { dirname, isAbsolute } from "node:path";
import type { Asking } from "@firmseal/keys";
import { Failure, openKeyFile, refusedInput } from "@firmseal/keys";
import { isUuid, parseUuid, ROLES, type RoleName, type TrustDescription, type TrustEntry } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { identityOf } from "../input/identity.js";
import { LIMITS } from "../limits.js";
import { refusalHint } from "../refusals.js";

const TRUST_SCHEMA = "urn:firmseal:trust:1";
const FORMAT_HINT = "docs/guides/trust.md describes the format";

type TrustJson = { [name: string]: unknown };

/** Reads one object member by member, and refuses what nobody has asked for. */
class Members {
  private readonly left: Set<string>;
  constructor(
    private readonly value: unknown,
    private readonly at: string,
  ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "is not an object");
    this.left = new Set(Object.keys(value));
  }
  get(name: string): unknown {
    this.left.delete(name);
    return Object.hasOwn(this.value as TrustJson, name) ? (this.value as TrustJson)[name] : undefined;
  }
  text(name: string): string | undefined {
    const v = this.get(name);
    if (v !== undefined && (typeof v !== "string" || v === "" || !v.isWellFormed())) throw wrong(`${this.at}${name}`, "is not text");
    return v as string | undefined;
  }
  needed(name: string): string {
    const v = this.text(name);
    if (v === undefined) throw wrong(`${this.at}${name}`, "is missing");
    return v;
  }
  list(name: string): unknown[] {
    const v = this.get(name);
    if (!Array.isArray(v)) throw wrong(`${this.at}${name}`, "is not a list");
    return v;
  }
  /** A number of 64 bits, as text, or as a number where that is exact. */
  number(name: string): bigint | undefined {
    const v = this.get(name);
    if (v === undefined) return undefined;
    const exact = typeof v === "number" ? Number.isSafeInteger(v) && v >= 0 : typeof v === "string" && /^(0|[1-9][0-9]{0,19})$/.test(v);
    const n = exact ? BigInt(v as string | number) : -1n;
    if (n < 0n || n >= 2n ** 64n) throw wrong(`${this.at}${name}`, 'is not a number below 2^64; write large ones as text: "7"');
    return n;
  }
  done(): void {
    const [other] = this.left;
    if (other !== undefined) throw wrong(`${this.at}${other}`, "is unknown");
  }
}

function wrong(where: string, what: string): Failure {
  return refusedInput("DESCRIPTION", `the description: ${where || "it"} ${what}`, FORMAT_HINT);
}

function roleName(value: unknown, where: string): RoleName {
  if (typeof value !== "string" || !Object.hasOwn(ROLES, value))
    throw wrong(where, `is not a role; the roles are ${Object.keys(ROLES).join(", ")}`);
  return value as RoleName;
}

function scope(vendor: string | undefined, name: string | undefined, at: string): { vendor?: Uint8Array; class?: Uint8Array } {
  if (vendor !== undefined && name !== undefined) return identityOf(vendor, name);
  if (vendor !== undefined) return { vendor: identityOf(vendor, NIL_UUID).vendor };
  if (name === undefined) return {};
  if (!isUuid(name)) throw wrong(`${at}class`, "is a name, and needs a vendor");
  return { class: parseUuid(name) };
}

const NIL_UUID = "00000000-0000-0000-0000-000000000000";

async function readEntry(value: unknown, at: string, folder: string, ask: Asking): Promise<TrustEntry> {
  const m = new Members(value, at);
  const file = m.needed("key");
  if (file === "-") throw wrong(`${at}key`, "is stdin, but must name a file");
  const roles = m.list("roles").map((role, i) => roleName(role, `${at}roles[${i}]`));
  const id = scope(m.text("vendor"), m.text("class"), at);
  const [since, until] = [m.number("since"), m.number("until")];
  m.done();
  // files alone: a description must not be able to name a program that is then run
  const key = (await openKeyFile(isAbsolute(file) || folder === "." ? file : `${folder}/${file}`, ask)).public;
  return { key, roles, ...id, ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

/** What the reader would refuse, told with the names of the description. */
function checkRoles({ anchors, thresholds }: TrustDescription): void {
  const refuse = (code: "TRUST_THRESHOLD" | "TRUST_ROLE_EMPTY", message: string): never => {
    throw new Failure(1, code, errors[code], `the description: ${message}`, refusalHint(errors[code]));
  };
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const n = thresholds[role];
    const inRole = anchors.filter((a) => a.roles.includes(role)).length;
    if (n === undefined && inRole > 0) refuse("TRUST_ROLE_EMPTY", `thresholds.${role} is missing, but ${inRole} keys have the role`);
    if (n !== undefined && inRole === 0) refuse("TRUST_ROLE_EMPTY", `thresholds.${role} is ${n}, but no key has the role`);
    if (n !== undefined && (n < 1 || n > inRole))
      refuse("TRUST_THRESHOLD", `thresholds.${role} is ${n}, but ${inRole} ${inRole === 1 ? "key has" : "keys have"} the role`);
  }
  if (thresholds.root === undefined) refuse("TRUST_ROLE_EMPTY", "no key has the role root, and only a root signs trust files");
}

/** The description in a file; `bytes` is its JSON text, `path` where it came from. `sequence` where it is left out, undefined: it must be there. */
export async function readDescription(
  bytes: Uint8Array,
  path: string,
  sequence: bigint | undefined,
  ask: Asking,
): Promise<TrustDescription> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // the engine's message quotes the text, which may be a secret that was named by mistake
    throw refusedInput("DESCRIPTION", `${path}: is not JSON`, FORMAT_HINT);
  }
  const m = new Members(value, "");
  if (m.get("$schema") !== TRUST_SCHEMA) throw wrong("$schema", `is not "${TRUST_SCHEMA}"`);
  const name = m.needed("name");
  const own = m.number("sequence") ?? sequence;
  if (own === undefined) throw wrong("sequence", "is missing, and no previous trust file is given");
  const list = m.list("anchors");
  // before the file of any is opened
  if (list.length > LIMITS.trustAnchors) throw wrong("anchors", `has more than ${LIMITS.trustAnchors} members`);
  const t = new Members(m.get("thresholds"), "thresholds.");
  const thresholds: { [role in RoleName]?: number } = {};
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const n = t.number(role);
    if (n !== undefined) thresholds[role] = Number(n);
  }
  t.done();
  m.done();
  const anchors: TrustEntry[] = [];
  for (const [i, item] of list.entries()) anchors.push(await readEntry(item, `anchors[${i}].`, path === "-" ? "." : dirname(path), ask));
  const description = { name, sequence: own, anchors, thresholds };
  checkRoles(description);
  return description;
}
