// A run at its edges: how many commands, what a step takes, and what is dead after a refusal. The commands have vectors.

import { describe, expect, it } from "vitest";
import { readVectors } from "../../../test-vectors/index.mjs";
import { outcome, same } from "../../../test-vectors/play/forms.js";
import {
  alternatives,
  bytes,
  type Command,
  envelope,
  int,
  manifest,
  override,
  type Piece,
  publicKey,
  seq,
  sharedOf,
  sizeParam,
  uriParam,
} from "../../../test-vectors/src/pieces/assemble.js";
import { HAS_COPY } from "../src/base/features.js";
import { anchor, errors, type Manifest, open, start, step } from "../src/index.js";
import {
  COND_CLASS_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_FETCH,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_TRY_EACH,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
} from "../src/spec/suit.js";
import { refusalOf } from "./refusals.js";

const trust = { anchors: [anchor("ed25519", publicKey("a"))] };
const identity = { vendor: [], class: [] };
async function opened(install: Piece, more: { components?: Piece[]; shared?: Piece } = {}): Promise<Manifest> {
  return open(Uint8Array.from(await envelope(manifest({ ...more, sections: { [MAN_INSTALL]: install } }))), trust);
}
const fetching = () => opened(seq(override(uriParam("a:1"), sizeParam(3)), [DIR_FETCH, 2], [DIR_FETCH, 2]));

describe("a run", () => {
  it("executes 4,096 commands, and not one more", async () => {
    const many = (n: number) => opened(seq(...Array.from({ length: n }, () => override(sizeParam(1)))));
    expect(step(start(await many(4096), MAN_INSTALL, identity))).toBeUndefined();
    expect(refusalOf(step, start(await many(4097), MAN_INSTALL, identity))[0]).toBe(errors.RUN_LIMIT);
  });

  it("counts a command for each component that it is carried out for", async () => {
    const components = Array.from({ length: 16 }, (_, i): Piece => [0x81, 0x41, i]);
    // 1 for the index, then 16 for each
    const many = (n: number, ...more: Command[]) =>
      opened(seq([DIR_SET_COMPONENT_INDEX, [0xf5]], ...Array.from({ length: n }, () => override(sizeParam(1))), ...more), { components });
    expect(step(start(await many(255), MAN_INSTALL, identity))).toBeUndefined();
    expect(refusalOf(step, start(await many(256), MAN_INSTALL, identity))[0]).toBe(errors.RUN_LIMIT);
    const one: Command = [DIR_SET_COMPONENT_INDEX, int(0)];
    expect(step(start(await many(255, ...Array.from({ length: 15 }, () => one)), MAN_INSTALL, identity))).toBeUndefined();
    expect(refusalOf(step, start(await many(255, ...Array.from({ length: 16 }, () => one)), MAN_INSTALL, identity))[0]).toBe(
      errors.RUN_LIMIT,
    );
  });

  it("accepts an outcome only if there is an effect", async () => {
    const m = await fetching();
    const run = start(m, MAN_INSTALL, identity);
    expect(step(run)).toMatchObject({ op: DIR_FETCH, component: 0, uri: "a:1", size: 3 });
    expect(step(run, true)).toMatchObject({ op: DIR_FETCH });
    expect(step(run, true)).toBeUndefined();
    expect(step(run)).toBeUndefined();
    for (const outcome of [true, false, null, 1])
      expect(refusalOf(step, start(m, MAN_INSTALL, identity), outcome)).toEqual([errors.RUN_OUTCOME, -1]);
    for (const outcome of [undefined, null, 1, "true"]) {
      const waiting = start(m, MAN_INSTALL, identity);
      step(waiting);
      expect(refusalOf(step, waiting, outcome)).toEqual([errors.RUN_OUTCOME, -1]);
    }
  });

  it("is dead after a refusal", async () => {
    const run = start(await fetching(), MAN_INSTALL, identity);
    step(run);
    expect(refusalOf(step, run, false)[0]).toBe(errors.DIRECTIVE_FAILED);
    for (const outcome of [undefined, true, false]) expect(refusalOf(step, run, outcome)).toEqual([errors.RUN_OUTCOME, -1]);
  });

  it("goes through the given sections in order, and skips those that are missing", async () => {
    const shared = seq(override(uriParam("a:0")));
    const m = open(
      Uint8Array.from(
        await envelope(
          manifest({
            shared,
            sections: {
              [MAN_VALIDATE]: seq([COND_IMAGE_MATCH, 15]),
              [MAN_INVOKE]: seq([DIR_FETCH, 2]),
              [MAN_INSTALL]: seq(override(uriParam("a:2")), [DIR_FETCH, 2]),
            },
          }),
        ),
      ),
      trust,
    );
    const uris = (sections: number | number[]) => {
      const run = start(m, sections, identity);
      const out: unknown[] = [];
      for (let e = step(run); e; e = step(run, true)) out.push(e.uri);
      return out;
    };
    expect(uris(MAN_INSTALL)).toEqual(["a:2"]);
    expect(uris([MAN_INSTALL, MAN_INVOKE])).toEqual(["a:2", "a:0"]);
    expect(uris([MAN_INVOKE, 99, MAN_INSTALL])).toEqual(["a:0", "a:2"]);
    expect(uris([])).toEqual([]);
    expect(uris(undefined as never)).toEqual([]);
    expect(uris(0)).toEqual([]);
  });

  it("knows no vendor and no class if none is given", async () => {
    const m = await opened(seq([COND_VENDOR_IDENTIFIER, 15]), { shared: sharedOf() });
    for (const nobody of [undefined, null, {}, identity])
      expect(refusalOf(step, start(m, MAN_INSTALL, nobody as never))[0]).toBe(errors.VENDOR_MISMATCH);
    const only = await opened(seq([COND_CLASS_IDENTIFIER, 15]));
    expect(refusalOf(step, start(only, MAN_INSTALL, identity))[0]).toBe(errors.CLASS_MISMATCH);
  });

  it("nests eight sequences, and not one more", async () => {
    const nested = (n: number): Piece =>
      n === 1 ? seq(override(uriParam("a:1")), [DIR_FETCH, 2]) : seq([DIR_RUN_SEQUENCE, bytes(nested(n - 1))]);
    expect(step(start(await opened(nested(8)), MAN_INSTALL, identity))).toMatchObject({ op: DIR_FETCH });
    await expect(opened(nested(9))).rejects.toMatchObject({ code: errors.CBOR_DEPTH });
  });

  it("has 256 alternatives in a try-each, and not one more", async () => {
    const tries = (n: number) => opened(seq([DIR_TRY_EACH, alternatives(...Array.from({ length: n }, () => seq(override(sizeParam(1)))))]));
    expect(step(start(await tries(256), MAN_INSTALL, identity))).toBeUndefined();
    await expect(tries(257)).rejects.toMatchObject({ code: errors.COMMAND_ARGUMENT });
  });

  it.each([
    [MAN_VALIDATE, true],
    [MAN_LOAD, true],
    [MAN_INVOKE, true],
    [MAN_PAYLOAD_FETCH, false],
    [MAN_INSTALL, false],
  ])("that fetches in section %i wants its payloads at a start: %s", async (section, loads) => {
    const sections = { [section]: seq(override(uriParam("a:1")), [DIR_FETCH, 2]) };
    expect(open(Uint8Array.from(await envelope(manifest({ sections }))), trust).loads).toBe(loads);
  });
});

// true for the sources as they are, and with the constants of boards (pnpm mutation:boards)
it.each(readVectors("effects").filter((v) => v.name === "copy" || v.name === "swap"))(
  "$name is run, or refused before anything is",
  (v) => {
    const { result } = outcome(v, { input: same });
    expect(result).toEqual(HAS_COPY ? v.expect : { code: errors.NOT_SUPPORTED });
  },
);
