// The text of a product file as a value that fits the schema.

import { refusedInput, visible } from "@firmseal/keys/internal";
import { conform, DescriptionError } from "@firmseal/signer";
import { parse, TomlDate, TomlError } from "smol-toml";
import type { ConsumerName } from "../../consumer/consumers.js";
import { violations } from "../../input/schema.js";
import type { Policy, Waiver } from "./policy.js";
import { positionOf } from "./position.js";

export const HINT = "docs/reference/product.md has the members; firmseal init writes a new file";

/** Where sequence numbers come from. */
export type SequenceSource = "version" | "previous" | "log" | "given";
export type SigningRole = "release" | "recovery" | "debug";

export interface WrittenMcuboot {
  "header-size": number | string;
  "pad-header"?: boolean;
  counter?: number;
  identity?: boolean;
  align?: 1 | 2 | 4 | 8 | 16 | 32;
  pad?: "test" | "confirm";
}

export interface WrittenBoard {
  class?: string;
  revisions?: string[];
  image: string | { a: string; b: string };
  format?: "mcuboot" | "esp32";
  mcuboot?: WrittenMcuboot;
  uri?: string;
  inside?: boolean;
  slots?: { a?: number | string; b?: number | string };
  engine?: string;
  for?: ConsumerName;
  "cose-alg"?: string | string[];
  component?: string;
  components?: { name: string; image: string; uri?: string; slot?: number | string }[];
}

export type References = string | string[];

export interface Written {
  name: string;
  vendor: string;
  uri?: string;
  out?: string;
  for?: ConsumerName;
  "cose-alg"?: string | string[];
  boards: { [name: string]: WrittenBoard };
  keys?: { [role in SigningRole | "boot"]?: References };
  trust?: {
    file?: string;
    root?: References;
    name?: string;
    carry?: string;
    earlier?: References;
    keys?: References;
    threshold?: number;
    boot?: References;
  };
  approval?: { keys: References; threshold?: number };
  sequence?: { source?: SequenceSource; previous?: string; ledger?: string };
  profile?: string;
  policy?: { suite?: Policy; sbom?: string; waivers?: Waiver[] };
}

/** Dates of TOML need no quotes: until = 2027-03-31. */
function withTextDates(value: unknown): void {
  const waivers = (value as Partial<Written>).policy?.waivers;
  if (!Array.isArray(waivers)) return;
  for (const one of waivers as { until?: unknown }[])
    if (one?.until instanceof TomlDate && one.until.isDate()) one.until = one.until.toISOString();
}

/** The table or the member that a line begins with. */
function writtenAt(text: string, line: number): string {
  const [begin = "this"] = /^(\[[^\]]*\]+|[^=]*)/.exec((text.split("\n")[line - 1] ?? "").trim()) ?? [];
  return begin.trim();
}

/** Reads the text of a product file as a value that fits the schema. */
export function writtenIn(path: string, text: string): Written {
  const fault = (line: number, column: number, what: string) =>
    refusedInput("ERR_PRODUCT", `${path}:${line}:${column}: ${visible(what)}`, HINT);
  let value: unknown;
  try {
    value = parse(text, { unsafeKeyBehaviour: "throw", maxDepth: 16 });
  } catch (e) {
    if (!(e instanceof TomlError)) throw e;
    // the rest of the message quotes the file
    const [first = ""] = e.message.split("\n");
    const what = first.replace(/^Invalid TOML document: /, "");
    if (/unsafe property/.test(what)) throw fault(e.line, e.column, "__proto__ and constructor are not names");
    throw fault(e.line, e.column, /redefine/.test(what) ? `${writtenAt(text, e.line)} is written twice` : what);
  }
  withTextDates(value);
  try {
    conform(value, (json) => violations(json, "product"));
  } catch (e) {
    if (!(e instanceof DescriptionError)) throw e;
    const { line, column } = positionOf(text, e.member === undefined ? e.path : `${e.path}/${e.member}`);
    const at = e.path.slice(1).replaceAll("/", ".");
    throw fault(line, column, e.message.replace(`${e.path}: `, at === "" ? "" : `${at}: `));
  }
  return value as Written;
}
