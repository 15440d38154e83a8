// fleet.json: the devices in the field, in cohorts of those that have the same trust file, class and floor. docs/guides/rotation.md has the format.

import { dirname, isAbsolute, join } from "node:path";
import { readAll, refusedInput } from "@firmseal/keys";
import type { Identity, Sequence } from "@firmseal/verifier";
import { parseSequence } from "@firmseal/verifier/tools";
import { identityOf } from "../input/identity.js";
import { LIMITS } from "../limits.js";
import { readTrustFile, type TrustOnFile } from "../trust/trust-file.js";

/** Devices of which one stands for all. */
export interface Cohort {
  readonly name: string;
  readonly devices: number;
  readonly trust: TrustOnFile;
  readonly identity: Identity;
  /** The lowest sequence number that they still accept: that of the release they run. */
  readonly floor: Sequence;
}

/** In one cohort: sums of 256 stay exact. */
const MAX_DEVICES = 1e12;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._+-]{0,63}$/u;
const MEMBERS = ["name", "devices", "trust", "vendor", "class", "floor"] as const;

function fault(path: string, what: string): never {
  throw refusedInput("FLEET", `${path}: ${what}`, "docs/guides/rotation.md has the format of a fleet file");
}

function record(value: unknown, members: readonly string[], where: string, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fault(path, `${where} is not an object`);
  const names = Object.keys(value);
  const missing = members.find((name) => !names.includes(name));
  if (missing !== undefined) fault(path, `${where} lacks ${JSON.stringify(missing)}`);
  const unknown = names.find((name) => !members.includes(name));
  if (unknown !== undefined) fault(path, `${where} has the unknown member ${JSON.stringify(unknown)}`);
  return value as Record<string, unknown>;
}

/** A sequence number: a number below 2^53, or a decimal string of up to 64 bits. */
function sequence(value: unknown): Sequence | undefined {
  if (typeof value === "number" ? !Number.isSafeInteger(value) || value < 0 : typeof value !== "string") return undefined;
  const text = String(value);
  return /^(0|[1-9][0-9]{0,19})$/.test(text) && BigInt(text) < 2n ** 64n ? parseSequence(text) : undefined;
}

function identified(name: string, vendor: string, model: string, path: string): ReturnType<typeof identityOf> {
  try {
    return identityOf(vendor, model);
  } catch (e) {
    fault(path, `cohort ${name}: ${(e as Error).message}`);
  }
}

function cohort(value: unknown, i: number, path: string): Cohort {
  const where = `cohort ${i + 1}`;
  const c = record(value, MEMBERS, where, path);
  const { name, devices, trust, vendor, class: model } = c;
  if (typeof name !== "string" || !NAME.test(name)) fault(path, `${where}: "name" is not a name of up to 64 letters and digits`);
  if (typeof devices !== "number" || !Number.isInteger(devices) || devices < 1 || devices > MAX_DEVICES)
    fault(path, `cohort ${name}: "devices" is not a whole number from 1 to ${MAX_DEVICES}`);
  for (const [key, text] of Object.entries({ trust, vendor, class: model }))
    if (typeof text !== "string" || text === "" || text.includes("\0")) fault(path, `cohort ${name}: ${JSON.stringify(key)} is not text`);
  const floor = sequence(c["floor"]);
  if (!floor) fault(path, `cohort ${name}: "floor" is not a sequence number`);
  const id = identified(name, vendor as string, model as string, path);
  const file = trust as string;
  return {
    name,
    devices,
    // relative to the file that names it, as in a description
    trust: readTrustFile(isAbsolute(file) ? file : join(dirname(path), file)),
    identity: { vendor: [id.vendor], class: [id.class] },
    floor,
  };
}

/** Reads a fleet file and the trust files that it names. Throws a Failure: FLEET where it is none, or the refusal of a trust file. */
export function readFleet(path: string): Cohort[] {
  let value: unknown;
  const bytes = readAll(path, LIMITS.description);
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // the engine's message quotes the text, which may be a secret that was named by mistake
    fault(path, "is not JSON");
  }
  const { cohorts } = record(value, ["cohorts"], "the file", path);
  if (!Array.isArray(cohorts) || cohorts.length === 0 || cohorts.length > LIMITS.fleetCohorts)
    fault(path, `"cohorts" is not a list of 1 to ${LIMITS.fleetCohorts} cohorts`);
  const all = cohorts.map((c, i) => cohort(c, i, path));
  const twice = all.find((c, i) => all.findIndex((other) => other.name === c.name) !== i);
  if (twice) fault(path, `two cohorts have the name ${twice.name}`);
  return all;
}
