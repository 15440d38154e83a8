// What the makers of accepted vectors share.

import * as suit from "../../../packages/verifier/src/spec/suit.js";
import type { DeviceSpec, Expect, TrustSpec, Vector } from "../../index.mjs";
import {
  anchorOf,
  C0,
  C1,
  type EnvelopeSpec,
  envelope,
  hex,
  IMAGE,
  identity,
  manifest,
  override,
  type Pair,
  type Piece,
  payload,
  seq,
  update,
  uriParam,
} from "../pieces/assemble.js";
import type { Made } from "./adder.js";

const { COND_IMAGE_MATCH, DIR_FETCH, DIR_INVOKE, DIR_SET_COMPONENT_INDEX, MAN_INVOKE, MAN_VALIDATE } = suit;

export type More = { trust?: TrustSpec; device?: DeviceSpec; action?: Vector["action"]; expect?: Partial<Expect & { ok: true }> };

/** What the sections share. */
export type Tools = ReturnType<typeof toolsOf>;

export function toolsOf() {
  const out: Made[] = [];
  const good = manifest();
  const opens = async (name: string, about: string, content: Piece, more: More = {}, e: EnvelopeSpec = {}) => {
    const { action = "open", expect, ...rest } = more;
    const usual = action === "open" ? { sequence: "7", signers: [0], absent: [] } : { sequence: "7", absent: [] };
    out.push({ name, about, action, envelope: hex(await envelope(content, e)), ...rest, expect: { ok: true, ...usual, ...expect } });
  };
  const p = { anchors: [anchorOf("p")] };
  const install = seq(override(uriParam("#fw")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  const top = 2n ** 64n - 1n;
  const installs = async (
    name: string,
    about: string,
    content: Piece,
    expect: { current: Piece[]; sequence?: string },
    device?: DeviceSpec,
    rest: Pair[] = [payload()],
  ) => {
    const { current, sequence = "7" } = expect;
    out.push({
      name,
      about,
      action: "install",
      envelope: hex(await envelope(content, { rest })),
      ...(device && { device }),
      expect: { ok: true, sequence, current: current.map(hex), invoked: [] },
    });
  };
  const done = { current: [IMAGE, []] };
  const withIndex = (sections: { [key: number]: Piece }, ...pairs: [number, Piece][]) =>
    update({
      components: [C0, C1],
      shared: seq([DIR_SET_COMPONENT_INDEX, 0], ...identity, override(...pairs)),
      sections: {
        [MAN_VALIDATE]: seq([DIR_SET_COMPONENT_INDEX, 0], [COND_IMAGE_MATCH, 15]),
        [MAN_INVOKE]: seq([DIR_SET_COMPONENT_INDEX, 0], [DIR_INVOKE, 2]),
        ...sections,
      },
    });
  return { good, opens, p, out, install, top, installs, done, withIndex };
}
