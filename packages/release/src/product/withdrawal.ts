// withdrawn.json, the mark in the folder of a withdrawn release. The signing log is the evidence: the mark tells those
// who have only the folder.

import { join } from "node:path";
import { type ReleaseRecord, WITHDRAWN } from "@firmseal/behaviour";
import { grouped, readIfThere, refusedInput, usage, visible, type WithdrawnRelease } from "@firmseal/keys/internal";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";
import { violations } from "../input/schema.js";

/** The content of withdrawn.json. schema/withdrawn.schema.json describes the members. */
export interface WithdrawalMark extends Pick<ReleaseRecord, "product" | "vendor" | "version" | "role" | "sequence">, WithdrawnRelease {
  readonly $schema: "urn:firmseal:withdrawn:1";
  readonly version: string;
}

/** Returns why text is not a reason: logs, messages and pages show it in one line. Undefined if it is one. */
export function reasonFault(text: string): string | undefined {
  if (text.trim() === "") return "is empty";
  if (visible(text) !== text) return "has a line break, or a control or formatting character";
  return text.length > LIMITS.reason ? `has more than ${grouped(LIMITS.reason)} characters` : undefined;
}

/** The reason that a person gives. Throws a usage Failure if it is not one line of text. */
export function checkedReason(text: string): string {
  const fault = reasonFault(text);
  if (fault !== undefined) throw usage(`\`reason\` ${fault}`, "say in one line why nobody may install this release any more");
  return text.trim();
}

const SAME = ["product", "vendor", "version", "role", "sequence"] as const;

/**
 * Reads the mark in the folder of a release. Returns undefined if there is none. Throws a Failure, RELEASE, if it is
 * damaged or of another release: only withdraw writes one.
 */
export function findMark(folder: string, record: ReleaseRecord): WithdrawalMark | undefined {
  const path = join(folder, WITHDRAWN);
  const bytes = readIfThere(path, LIMITS.withdrawnMark);
  if (!bytes) return undefined;
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
  }
  const mark = value as WithdrawalMark;
  const isMark = value !== undefined && violations(value, "withdrawn").length === 0 && reasonFault(mark.reason) === undefined;
  if (!isMark || SAME.some((member) => mark[member] !== record[member]))
    throw refusedInput(
      "ERR_RELEASE",
      `${path} is not the mark of this release`,
      "find out whether it was withdrawn, then get the folder again",
    );
  return mark;
}

/** The mark of a release that is withdrawn, as bytes. */
export function markOf({ product, vendor, version, role, sequence }: ReleaseRecord, { time, reason }: WithdrawnRelease): Uint8Array {
  const mark: WithdrawalMark = { $schema: "urn:firmseal:withdrawn:1", product, vendor, version, role, sequence, time, reason };
  return Buffer.from(`${JSON.stringify(mark, null, 2)}\n`);
}
