// The nonces that a server has sent, one for each device, as JSON Lines. docs/reference/status.md describes the file.

import { randomBytes } from "node:crypto";
import type { Failure } from "@firmseal/keys";
import { grouped, readAll, refusedInput, tooMuch, visible } from "@firmseal/keys/internal";
import { jsonLines } from "../input/json-lines.js";
import { LIMITS } from "../input/limits.js";

/** A nonce that was sent to a device. */
export interface SentNonce {
  /** The key identifier of the device. */
  readonly device: string;
  readonly nonce: Uint8Array;
  /** When it was made: the answer is not older. ISO 8601. */
  readonly sent: string;
}

const HINT = 'each line has {"device": "SERIAL", "nonce": "HEX", "sent": "2026-11-26T08:00:00Z"}: firmseal status ask writes them';
const fault = (path: string, words: string): Failure => refusedInput("ERR_STATUS", `${path}: ${words}`, HINT);

const NONCE = /^([0-9a-f]{2}){8,64}$/i;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** Bytes of the nonces that we make. */
const LENGTH = 16;
const MEMBERS = ["device", "nonce", "sent"];

/** Clocks differ by less. */
const AHEAD = 12 * 3600_000;

function read(path: string, where: string, value: unknown, now: number): SentNonce {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault(path, `${where} is not an object`);
  const { device, nonce, sent } = value as { [member: string]: unknown };
  const other = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (other !== undefined) throw fault(path, `${where} has the unknown member ${visible(JSON.stringify(other.slice(0, 64)))}`);
  if (typeof device !== "string" || device === "" || Buffer.byteLength(device) > 128)
    throw fault(path, `${where}: "device" is not the name of a device`);
  if (typeof nonce !== "string" || !NONCE.test(nonce)) throw fault(path, `${where}: "nonce" is not 8 to 64 bytes in hex`);
  if (typeof sent !== "string" || !TIME.test(sent) || Number.isNaN(Date.parse(sent)))
    throw fault(path, `${where}: "sent" is not a time, as 2026-11-26T08:00:00Z`);
  if (Date.parse(sent) > now + AHEAD) throw fault(path, `${where}: "sent" is in the future: ${sent}`);
  return { device, nonce: Uint8Array.from(Buffer.from(nonce, "hex")), sent };
}

/**
 * Reads the nonces, by device. Throws a Failure: STATUS for a line that has another form, a device that appears twice
 * or a nonce that two devices share; LIMIT if there are too many.
 */
export function readNonces(path: string): Map<string, SentNonce> {
  const bytes = readAll(path, LIMITS.fleet);
  const out = new Map<string, SentNonce>();
  const nonces = new Set<string>();
  const now = Date.now();
  const how = { longest: LIMITS.nonceLine, what: "one nonce", fault: (words: string) => fault(path, words) };
  for (const { where, value } of jsonLines(path, bytes, how)) {
    const one = read(path, where, value, now);
    if (out.has(one.device)) throw fault(path, `${where}: ${visible(one.device)} has two nonces`);
    const hex = Buffer.from(one.nonce).toString("hex");
    // an answer to one would be an answer to the other
    if (nonces.has(hex)) throw fault(path, `${where}: two devices have this nonce`);
    if (out.size === LIMITS.fleetRows)
      throw tooMuch(`${path}: more than ${grouped(LIMITS.fleetRows)} nonces`, "ask a part of the fleet at a time");
    nonces.add(hex);
    out.set(one.device, one);
  }
  if (out.size === 0) throw fault(path, "the file has no nonce");
  return out;
}

/**
 * Makes a nonce of 16 random bytes for each device.
 *
 * @param devices - The key identifiers of the devices.
 * @returns The text of a file for collectStatuses(): a line of JSON for each device.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { makeNonces } from "@firmseal/release";
 *
 * writeFileSync("sent.jsonl", makeNonces(["serial-1", "serial-2"]));
 * ```
 */
export function makeNonces(devices: Iterable<string>): string {
  const sent = new Date().toISOString();
  const all = [...devices];
  // a call for each nonce would take a third of the whole time
  const random = randomBytes(LENGTH * all.length);
  const nonce = (i: number) => random.toString("hex", LENGTH * i, LENGTH * (i + 1));
  return all.map((device, i) => `${JSON.stringify({ device, nonce: nonce(i), sent })}\n`).join("");
}
