// status() in a bundle, on the engines that devices have: the same bytes as in Node.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { macAttester, status } from "@firmseal/verifier";
import { beforeAll, describe, expect, it } from "vitest";
import { minifiedBundle } from "../../packages/bundler/src/bundle.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { partsOnce } from "../build/bundle.mjs";
import { engines } from "./engines.mjs";

const folder = temporaryFolder("firmseal-status-");

const PLAYER = `
var device = { floor: function () { return [4294967295, 4294967294]; }, pending: function () { return true; } };
var release = { digest: { alg: -16, bytes: SECRET }, sequence: [0, 65536] };
var store = { name: [108, 105, 110, 101], sequence: [1, 0] };
var bytes = firmseal.status(NONCE, device, release, store, firmseal.macAttester(SECRET, [1, 2, 3]));
var text = "", i;
for (i = 0; i < bytes.length; i++) text += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
(typeof print === "function" ? print : console.log)(text);
`;
const NONCE = Array.from({ length: 16 }, (_, i) => i * 16);
const SECRET = Array.from({ length: 32 }, (_, i) => 255 - i);
/** Only umd runs on engines without typed arrays. */
const formFor = (engine) => (engine === "mujs" ? "umd" : "script");
const bundles = {};

beforeAll(async () => {
  for (const form of ["script", "umd"])
    bundles[form] = await minifiedBundle({ algs: ["ed25519"], features: ["install", "status"], format: form }, await partsOnce());
});

function expected() {
  const device = { floor: () => [4294967295, 4294967294], pending: () => true };
  const release = { digest: { alg: -16, bytes: SECRET }, sequence: [0, 65536] };
  const store = { name: [108, 105, 110, 101], sequence: [1, 0] };
  return Buffer.from(status(NONCE, device, release, store, macAttester(SECRET, [1, 2, 3]))).toString("hex");
}

describe("status() in a bundle", () => {
  for (const { name, command, args, missing, why } of engines()) {
    it.skipIf(missing)(`gives the same bytes on ${name}${why}`, () => {
      const path = join(folder, `${name}.js`);
      writeFileSync(path, `${bundles[formFor(name)]}var NONCE = ${JSON.stringify(NONCE)}, SECRET = ${JSON.stringify(SECRET)};${PLAYER}`);
      const { stdout } = spawnSync(command, [...args, path], { cwd: folder, encoding: "latin1", timeout: 30_000 });
      expect(stdout).toContain(expected());
    });
  }
});
