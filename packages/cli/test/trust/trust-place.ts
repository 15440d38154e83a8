// Trust files for the tests of the command line.

import { type PrivateKey, type PublicKey, privateKey, thumbprint, toJwk, twinsOf } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { expect } from "vitest";
import { expectFailure, FACTS, keyA, type Place, standard } from "../../../test-support/src/command-line/run.js";

export const key = (text: string): PrivateKey =>
  privateKey("ed25519", new TextEncoder().encode(`trust file test, ${text}`.padEnd(32, ".")));

export const KEYS = { r1: key("r1"), r2: key("r2"), r3: key("r3"), dbg: key("dbg") };

export interface Description {
  [name: string]: unknown;
  anchors: { [name: string]: unknown }[];
  thresholds: { [role: string]: unknown };
}

export const board = (): Description => ({
  $schema: "urn:firmseal:trust:1",
  name: "board",
  sequence: "1",
  anchors: [
    { key: "r1.jwk", roles: ["root"] },
    { key: "r2.jwk", roles: ["root"] },
    { key: "A.jwk", roles: ["release", "recovery"], vendor: "example.com", class: "board-v2", until: 9 },
    { key: "B.jwk", roles: ["release"] },
    { key: "dbg.jwk", roles: ["debug"] },
  ],
  thresholds: { root: 2, release: 1, debug: 1, recovery: 1 },
});

/** standard(), the keys, by default the roots r1 to r3 and the debug key, and board.json. */
export function place(description: unknown = board(), keys: { readonly [name: string]: PrivateKey } = KEYS): Place {
  const p = standard();
  p.putKeys(keys);
  p.put("A-negative.jwk", JSON.stringify(toJwk(twinsOf(keyA)[0] as PublicKey)));
  p.put("board.json", JSON.stringify(description));
  return p;
}

export const ROOTS = ["--root", "r1.jwk", "--root", "r2.jwk"];

/** A place with board.trust too, signed by both roots. */
export async function signed(): Promise<Place> {
  const p = place();
  await p.ok(["trust", "create", "--from", "board.json"]);
  await p.ok(["trust", "sign", "board.trust", "--key", "r1.pem", "--key", "r2.pem"]);
  return p;
}

export const release = (p: Place, by: string, seq: number, out: string, facts: readonly string[] = FACTS) =>
  p.ok(["sign", "fw.bin", "--key", by, ...facts, "--seq", String(seq), "--out", out]);

/** Refused with this number, in JSON and in words, and nothing on the disk has changed. */
export async function refused(p: Place, args: readonly string[], code: number, line: RegExp, exit = 1): Promise<void> {
  const before = p.tree();
  const r = await p.run(args);
  expect(expectFailure(r, exit), args.join(" ")).toMatch(line);
  const inJson = await p.run([...args, "--json"]);
  expect(inJson.json, args.join(" ")).toMatchObject({ ok: false, code, exit });
  expect(p.tree()).toEqual(before);
}

/** A key as messages name it. */
export const shortKey = (k: PublicKey) => `${k.alg} ${toHex(thumbprint(k)).slice(0, 16)}…`;
