// The answers of devices in files: one status by itself, or many as JSON Lines.

import { grouped, readAll, refusedInput, tooMuch } from "@firmseal/keys/internal";
import { FILE_KINDS } from "@firmseal/verifier/tools";
import { jsonLines } from "../input/json-lines.js";
import { LIMITS } from "../input/limits.js";

/** A status message that has not been verified. `where`: its place, for people. */
export interface Answer {
  readonly where: string;
  /** Undefined if it cannot be decoded. */
  readonly message: Uint8Array | undefined;
}

const HINT = 'each line has {"status": "BASE64"}; a file with one status has the bytes that the device answered with';

/** A message begins with its tag, in one byte (RFC 8949 §3.4); JSON does not. One that is damaged is a message too. */
const isMessage = (bytes: Uint8Array) => FILE_KINDS.message.tags.includes((bytes[0] as number) - 0xc0);

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

function decoded(value: unknown): Uint8Array | undefined {
  const { status, ...others } = (typeof value === "object" && value !== null ? value : {}) as { status?: unknown };
  if (typeof status !== "string" || !BASE64.test(status) || Object.keys(others).length > 0) return undefined;
  const bytes = Uint8Array.from(Buffer.from(status, "base64"));
  return bytes.length > LIMITS.statusMessage ? undefined : bytes;
}

/**
 * Reads the answers in `paths`, in their order. What cannot be decoded is an answer without a message: a device that
 * sends garbage must not keep the answers of others from being read. Throws a Failure: STATUS for a line that is not
 * JSON, LIMIT if there are too many.
 */
export function* readAnswers(paths: readonly string[]): Generator<Answer> {
  let n = 0;
  for (const path of paths) {
    const bytes = readAll(path, LIMITS.fleet);
    const fault = (words: string) => refusedInput("ERR_STATUS", `${path}: ${words}`, HINT);
    const many = { longest: LIMITS.statusLine, what: "one status", fault };
    const lines = isMessage(bytes)
      ? [{ where: "", value: { status: Buffer.from(bytes).toString("base64") } }]
      : jsonLines(path, bytes, many);
    for (const { where, value } of lines) {
      if (++n > LIMITS.fleetRows)
        throw tooMuch(`more than ${grouped(LIMITS.fleetRows)} statuses`, "collect the answers of a part of the fleet at a time");
      yield { where: where === "" ? path : `${path}, ${where}`, message: decoded(value) };
    }
  }
}
