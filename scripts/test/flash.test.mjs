// The flash device in a bundle, on the engines that devices have: two releases, a power cut at every write and erase,
// failed starts.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { minifiedBundle, readableBundle } from "../../packages/bundler/src/bundle.ts";
import { LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { partsOnce } from "../build/bundle.mjs";
import { checkEs5 } from "../checks/es5.mjs";
import { engines } from "./engines.mjs";

const PLAYER = fileURLToPath(new URL("../../conformance/flash.js", import.meta.url));
const options = { algs: ["ed25519"], features: ["install", "flash"] };
const folder = temporaryFolder("firmseal-flash-");
const one = signer(privateKey("ed25519", new Uint8Array(32).fill(7)));
/** By format. Only umd runs on engines without typed arrays. */
const bundles = {};
let source;

beforeAll(async () => {
  const parts = await partsOnce();
  source = await readableBundle({ ...options, format: "umd" }, parts);
  bundles.script = await minifiedBundle({ ...options, format: "script" }, parts);
  // by default as written, which the same engine runs
  bundles.umd = LONG ? await minifiedBundle({ ...options, format: "umd" }, parts) : source;
});

async function release(sequence, n) {
  const image = Uint8Array.from({ length: n }, (_, i) => (i * 31 + sequence * 7) & 255);
  const digest = createHash("sha256").update(image).digest("hex");
  const facts = { sequence, vendor: "example.com", class: "board-v2", digest, size: n, uri: "#fw", payload: image };
  return [...(await signEnvelopeWithoutLog(encode(singleImage(facts)), [one]))];
}

const EXPECTED = [
  "first 600 floor 0,1",
  "cut true",
  ...Array.from({ length: 3 }, () => "start 701 false floor 0,2"),
  ...Array.from({ length: 2 }, () => "start 600 true floor 0,2"),
  "end",
];

async function script(step, format) {
  const uuid = (text) => [...Buffer.from(text.replaceAll("-", ""), "hex")];
  const values = {
    A: await release(1, 600),
    B: await release(2, 701),
    KEY: [...one.publicKey],
    VENDOR: uuid("cfbff0d1-9375-5685-968c-48ce8b15ae17"),
    CLASS: uuid("7ef25e26-57d5-563d-bec7-161eb72060bb"),
    STEP: step,
  };
  const given = Object.entries(values).map(([name, value]) => `var ${name} = ${JSON.stringify(value)};\n`);
  return `${bundles[format]}${given.join("")}${readFileSync(PLAYER, "utf8")}`;
}

/** An engine has time for one cut in this many. By default, fewer on engines that interpret slowly. */
const STEPS = { node: LONG ? 1 : 3, duk: LONG ? 4 : 16, qjs: LONG ? 4 : 16, mujs: LONG ? 4 : 24, espruino: LONG ? 20 : 60 };

describe("the flash device in a bundle", () => {
  it("uses only the language that every engine runs", () => {
    expect(checkEs5(bundles.umd, "flash.js")).toEqual([]);
    expect(checkEs5(source, "flash.src.js")).toEqual([]);
    expect(source).toContain("the layout overlaps");
  });

  for (const { name, command, args, missing, why } of engines()) {
    it.skipIf(missing)(`survives cuts and failed starts on ${name}${why}`, async () => {
      const file = join(folder, `${name}.js`);
      writeFileSync(file, await script(STEPS[name] ?? 8, name === "mujs" ? "umd" : "script"));
      const { stdout, stderr } = spawnSync(command, [...args, file], { cwd: folder, encoding: "latin1", timeout: 55_000 });
      // Espruino first prints a banner, and a prompt
      const said = `${stderr}${stdout}`.split(/\r?\n/).filter((line) => /[a-z]/.test(line) && !/^ |https?:/.test(line));
      expect(said.slice(-EXPECTED.length)).toEqual(EXPECTED);
    });
  }
});
