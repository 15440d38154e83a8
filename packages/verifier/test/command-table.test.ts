// What the tools say that follows a command, compared with what the verifier reads there.

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
import { COMMAND_KINDS, OWN_ARGUMENT, POLICY, tableEntry } from "../src/manifest/code-points.js";
import { COND_ABORT, MAN_INSTALL } from "../src/spec/suit.js";
import { type ArgumentKind, COMMAND_ROWS } from "../src/tools/command-table.js";
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
