// The code for devices does nothing that engines do in different ways: the vectors are played with every operation
// checked. docs/reference/engine-differences.md refers to it.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BUNDLE_ALGS, BUNDLE_FEATURES, MICRO_ALGS, readableBundle } from "../../packages/bundler/lib/index.js";
import { LONG, OF_SOME } from "../../packages/test-support/src/environment/effort.ts";
import { readMicroVectors } from "../../test-vectors/index.mjs";
import { partsOnce } from "../build/bundle.mjs";
import { asScript } from "../conformance/bundles.mjs";
import { everyNth, microFiles, vectorFiles } from "../conformance/vectors.mjs";
import { audited, auditors } from "../testing/audited.mjs";

const PLAYER = readFileSync(new URL("../../conformance/player.js", import.meta.url), "utf8");

/** Runs a script with its operations checked, followed by `rest`: { findings, said, value }. */
function run(code, rest = "", { without = [], isLeftOut } = {}) {
  const findings = [];
  const said = [];
  const names = { ...auditors((place, what) => findings.push(`${place}: ${what}`)), print: (line) => said.push(line) };
  const value = new Function(...Object.keys(names), ...without, `${audited(code, isLeftOut)}\n${rest}`)(...Object.values(names));
  return { findings, said, value };
}

const played = (files) => `var VECTORS = ${JSON.stringify(files)};\n${PLAYER}`;

describe("the operations of the vectors", () => {
  it.each([
    ["var a = 1, n = 33; a << n;", "a count of 33"],
    ["var a = 1, n = -1; a >>= n;", "a count of -1"],
    ["var a = 9007199254740992; a | 0;", "bits of 9007199254740992"],
    ["var a = -7; a % 3;", "-7 modulo 3"],
    ["var a = 7, n = 0; a % n;", "7 modulo 0"],
    ["var a = 7, n = 0; a / n;", "7 by 0"],
    ["var a, b; a + b;", "both are undefined"],
    ["var a, b; a >= b;", "both are undefined"],
    ["var a = []; a[1] = 2;", "element 1 of 0"],
    ["var a = [1]; a[-1] = 2;", "element -1 of 1"],
    ["var b = new Uint8Array(1); b[1] = 2;", "element 1 of 1"],
    ["var b = new Uint8Array(1); b[0] = 256;", "256 as a byte"],
    ["var b = new Uint8Array(1); b[0] += -1;", "-1 as a byte"],
    ["var b = new Uint32Array(1); b[0] = 4294967296;", "4294967296 as a word"],
    ["var b = new Uint32Array(1); b[0] = 0 / 2 + 1 / 2;", "0.5 as a word"],
    ["var b = new Uint8Array(1), i = -1; b[i];", "element -1"],
  ])("of %s are found", (code, what) => {
    expect(run(code).findings).toEqual([expect.stringMatching(new RegExp(`: ${what}$`))]);
  });

  const all = { algs: BUNDLE_ALGS, features: BUNDLE_FEATURES };
  const module = async (options) => asScript(await readableBundle(options));
  /** Some of each kind: the arithmetic of one vector takes a tenth of a second. */
  const some = everyNth(vectorFiles(), LONG ? 4 : 160);

  it(`in all of them are the same on every engine, besides those of the arithmetic${OF_SOME}`, async () => {
    const { modules } = await partsOnce();
    const isLeftOut = (name) => /^src\/(?:alg|hash)\//.test(modules[name]);
    const { findings, said } = run(await readableBundle({ ...all, format: "umd" }), played(everyNth(vectorFiles(), LONG ? 1 : 4)), {
      isLeftOut,
    });
    expect(said.at(-1)).toMatch(/^[1-9]\d\d+ passed, 0 failed/);
    // whatever the low 8 bits of such a number are, it is not equal to them
    const allowed = /^\d+ b & 255: bits of (?:Infinity|1e\+300)$/;
    expect([...new Set(findings)].filter((finding) => !allowed.test(finding))).toEqual([]);
  }, 300_000);

  it.each([
    ["a general bundle", () => readableBundle({ ...all, format: "umd" }), some, {}, []],
    // there, an array of octets may have holes for a moment: its length is written from its end
    [
      "a general bundle without typed arrays",
      () => readableBundle({ ...all, format: "umd" }),
      some,
      { without: ["Uint8Array", "Uint32Array", "Float64Array"] },
      [/^\d+ block\[--size\] = count % 256: element 6\d of 5\d$/, /^\d+ block\[--size\] = count % 256: element 1\d\d of 1\d\d$/],
    ],
    ["a module for Espruino", () => module({ ...all, format: "espruino" }), some, {}, []],
    [
      "a micro verifier",
      () => readableBundle({ algs: MICRO_ALGS, features: ["errors"], format: "umd", micro: [] }),
      everyNth(microFiles(), LONG ? 2 : 40),
      {},
      [],
    ],
  ])(
    "in %s are the same on every engine",
    async (_, make, files, options, allowed) => {
      const { findings, said } = run(await make(), played(files), options);
      expect(said.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed/);
      expect(findings.filter((finding) => !allowed.some((one) => one.test(finding)))).toEqual([]);
    },
    300_000,
  );

  it("in a micro verifier for engines with typed arrays differ only in numbers below 2^53, of which words and bytes keep the low bits", async () => {
    const octets = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
    const vector = readMicroVectors().find((v) => v.action === "open" && v.expect.ok && v.trust.anchors[0].alg === "ed25519");
    const [{ alg, key }] = vector.trust.anchors;
    const code = await readableBundle({ algs: ["ed25519"], features: [], format: "script", micro: [] });
    const { findings, value } = run(code, "return function (f) { return f(firmseal); };");
    const opened = value(({ open, anchor }) => open(octets(vector.envelope), { anchors: [anchor(alg, octets(key))] }));
    expect(opened.sequence[1]).toBe(Number(vector.expect.sequence));
    // the sums of SHA-512: hash/small.ts
    expect(findings).toContainEqual(expect.stringMatching(/ w\[j \+ k\] = b: \d+ as a word$/));
    for (const finding of findings) {
      const [, n] = /: (\S+) as a (?:word|byte)$/.exec(finding) ?? [];
      expect(Number(n), finding).toBeLessThan(2 ** 53);
    }
  });
});
