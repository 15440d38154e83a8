// What the tools say that follows a command, compared with what the verifier reads there.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  alternatives,
  array,
  bytes,
  type Command,
  envelope,
  FALSE,
  int,
  manifest,
  type Piece,
  params,
  seq,
  TRUE,
  uriParam,
} from "../../../test-vectors/src/pieces/assemble.js";
import { isChange } from "../src/install/admission.js";
import { COMMAND_KINDS, OWN_ARGUMENT, POLICY, tableEntry } from "../src/manifest/code-points.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_IMAGE_MATCH,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
  MAN_INSTALL,
} from "../src/spec/suit.js";
import { type ArgumentKind, COMMAND_ROWS, type CommandRow } from "../src/tools/command-table.js";
import { decodeEnvelope } from "../src/tools/envelope.js";
import { COMMAND_NAMES } from "../src/tools/names.js";

const inner = seq([COND_ABORT, 15]);

/** For each kind, an argument that no command of another kind takes, except those that take anything. */
const SAMPLES: { [kind in ArgumentKind]: Piece } = {
  policy: int(14),
  index: TRUE,
  parameters: params(uriParam("#a")),
  sequence: bytes(inner),
  alternatives: alternatives(inner, inner),
  other: array(FALSE),
};

async function isRead(command: Command): Promise<boolean> {
  const made = await envelope(manifest({ more: [[MAN_INSTALL, bytes(seq(command))]] }));
  try {
    decodeEnvelope(Uint8Array.from(made));
    return true;
  } catch {
    return false;
  }
}

describe("what follows a command", () => {
  it.each(Object.entries(COMMAND_NAMES))("is known for %s, %s, as the verifier reads it", async (text, name) => {
    const code = Number(text);
    const kind = COMMAND_ROWS[code]?.argument;
    expect(kind === "policy", name).toBe(Boolean(tableEntry(COMMAND_KINDS, code) & POLICY));
    expect(kind !== "policy", name).toBe(Boolean(tableEntry(COMMAND_KINDS, code) & OWN_ARGUMENT));
    for (const [other, sample] of Object.entries(SAMPLES)) {
      // an index can be a number, as a policy is; what is skipped can be anything
      const fits = kind === "other" || kind === other || (kind === "index" && other === "policy");
      expect(await isRead([code, sample]), `${name} with ${other}`).toBe(fits);
    }
  });
  it("is known for commands only", () => {
    for (let code = -1; code < 300; code++) expect(COMMAND_ROWS[code] !== undefined, String(code)).toBe(code in COMMAND_NAMES);
  });
});

describe("what a command makes a device do", () => {
  const rows = Object.entries(COMMAND_ROWS).map(([code, row]) => [Number(code), row as CommandRow] as const);

  it("has words where the command itself is carried out, for one line of text", () => {
    const registry: { table: string; code: number; executed: boolean }[] = JSON.parse(
      readFileSync(new URL("../../../test-vectors/registry.json", import.meta.url), "utf8"),
    );
    const executed = registry.filter((r) => r.executed && (r.table === "condition" || r.table === "directive")).map(({ code }) => code);
    // of the others, what they set or choose is shown
    const wanted = executed.filter((code) => ["policy", "sequence"].includes(COMMAND_ROWS[code]?.argument ?? ""));
    expect(rows.filter(([, { words }]) => words !== undefined).map(([code]) => code)).toEqual(wanted.sort((a, b) => a - b));
    for (const [, { words }] of rows) expect(words ?? "words").toMatch(/^[a-z][a-z ]*$/);
  });

  it("has the names that scripts read in the JSON of explain", () => {
    expect(Object.fromEntries(rows.flatMap(([code, { action }]) => (action === undefined ? [] : [[code, action]])))).toEqual({
      [COND_IMAGE_MATCH]: "compare",
      [COND_CHECK_CONTENT]: "check-content",
      [DIR_WRITE]: "write",
      [DIR_FETCH]: "fetch",
      [DIR_COPY]: "copy",
      [DIR_INVOKE]: "start",
      [DIR_SWAP]: "swap",
    });
  });

  it("is reported as a change of a component by those that write to it", () => {
    expect(rows.filter(([op, { action }]) => action && isChange({ op, component: 0 })).map(([code]) => code)).toEqual([
      DIR_WRITE,
      DIR_FETCH,
      DIR_COPY,
      DIR_SWAP,
    ]);
  });
});
