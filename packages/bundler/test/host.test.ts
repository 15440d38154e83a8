// A bundle with what an engine offers: a one-shot hash and no other, as Espruino has it.

import { createHash } from "node:crypto";
import vm from "node:vm";
import { expect, it } from "vitest";
import { readVector } from "../../../test-vectors/index.mjs";
import { hex } from "../../test-support/src/bytes.js";
import { minifiedBundle } from "../src/bundle.js";

const hash = (pieces: (number | Uint8Array)[]) =>
  createHash("sha256")
    .update(Buffer.concat(pieces.map((p) => (typeof p === "number" ? Uint8Array.of(p) : Uint8Array.from(p)))))
    .digest();

let bundle: string | undefined;

it.each([["once"], ["once", "joined"]])("the host's %s %s is used, and hashing in pieces is ours", async (...kinds) => {
  const context = vm.createContext({ Uint8Array });
  bundle ??= await minifiedBundle({ algs: ["hsslms", "es256"], features: [], format: "script" });
  vm.runInContext(bundle, context);
  const firmseal = vm.runInContext("firmseal", context);
  const calls = { once: 0, joined: 0 };
  const all = {
    once: (b: Uint8Array) => {
      calls.once++;
      return hash([b]);
    },
    joined: (pieces: (number | Uint8Array)[]) => {
      calls.joined++;
      return hash(pieces);
    },
  };
  const host = { sha256: Object.fromEntries(Object.entries(all).filter(([name]) => kinds.includes(name))) };
  for (const name of ["hsslms-n32-w4", "hsslms-n24-w4", "hsslms-two-levels-n32", "esp256"]) {
    const { trust, envelope = "" } = readVector(`vectors/signature/accepted/${name}.json`);
    const anchors = trust?.anchors.map(({ alg, key }) => firmseal.anchor(alg, hex(key)));
    expect(firmseal.open(hex(envelope), { anchors }, host).sequence, name).toEqual([0, 7]);
    const bad = hex(envelope);
    bad[bad.length - 60]! ^= 1;
    expect(() => firmseal.open(bad, { anchors }, host), name).toThrow();
  }
  expect(calls.once).toBeGreaterThan(0);
  expect(calls.joined > 0).toBe(kinds.includes("joined"));
});
