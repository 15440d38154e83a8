// The device on raw flash with one mistake each, as somebody could make it who writes a device. The contract has to find it.

import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { deviceContract } from "../src/contract.js";
import { type FlashCode, flashStore } from "../src/devices/flash.js";

const SOURCE = fileURLToPath(new URL("../../verifier/src/device/flash.ts", import.meta.url));
const folder = temporaryFolder("mutated-device-");

/** The code of the device with a part of its text replaced. */
async function mutated(name: string, changes: readonly (readonly [string, string])[]): Promise<FlashCode> {
  const found = new Set<string>();
  const outfile = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  await build({
    entryPoints: [SOURCE],
    outfile,
    bundle: true,
    format: "esm",
    logLevel: "silent",
    plugins: [
      {
        name: "change",
        setup({ onLoad }) {
          onLoad({ filter: /device\/flash(-record)?\.ts$/ }, async ({ path }) => {
            const { readFile } = await import("node:fs/promises");
            let contents = await readFile(path, "utf8");
            for (const [from, to] of changes) {
              if (contents.includes(from)) found.add(from);
              contents = contents.replaceAll(from, to);
            }
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  // the code of the device has changed: the mistakes must follow
  for (const [from] of changes) if (!found.has(from)) throw new Error(`the device has no "${from}"`);
  return (await import(pathToFileURL(outfile).href)) as FlashCode;
}

/** What the contract says about it. */
async function complaints(code: FlashCode, receiving: boolean): Promise<string[]> {
  const out: string[] = [];
  for (const { name, run } of deviceContract((setup) => flashStore(setup, { receiving, code }), { secondCuts: 2 }))
    await run().catch((e: unknown) => {
      out.push(`${name.split(":")[0]}: ${(e as Error).message}`);
    });
  return out;
}

const MISTAKES: [string, [string, string][], RegExp][] = [
  [
    "installs while a release is on trial",
    [["pending) refuse(UNCONFIRMED)", "false) refuse(UNCONFIRMED)"]],
    /on trial: refusal 100 was expected/,
  ],
  [
    "goes back to the slots of the release that failed",
    [
      ["(back ? record.before : record.now)", "record.now"],
      ["current = r.before", "current = r.now"],
    ],
    /on trial: /,
  ],
  [
    "never goes back",
    [
      ["record.starts > record.tries", "false"],
      ["if (pending) {", "if (pending && r.starts < r.tries) {"],
    ],
    /on trial: the device does not go back/,
  ],
  ["goes back at once", [["mark(r, STARTED);", ""]], /on trial: |stays/],
  [
    "takes the floor back with the images",
    [["return record ? record.floor : [0, 0];", "return record ? (back ? [0, record.floor[1] - 1] : record.floor) : [0, 0];"]],
    /the floor is 0,7 afterwards/,
  ],
  ["confirms nothing", [["mark(record as FlashRecord, CONFIRMED);", ""]], /the mark was not written/],
  [
    "does not see that another object has committed",
    [["if (changed()) refuse(DEVICE_FAULT);", ""]],
    /a second object of the device commits: /,
  ],
  [
    "keeps a part of the counters",
    [["writeRecord(commit.sequence, now, commit.counters)", "writeRecord(commit.sequence, now, part(commit.counters, 0, 32))"]],
    /a floor for each role: /,
  ],
  [
    "keeps the floor of the last role only",
    [
      ["compareSequence(commit.sequence, device.floor()) < 0", "false"],
      ["record ? record.floor : [0, 0]", "[0, 0]"],
    ],
    /the floor is 0,0, not 0,7/,
  ],
  ["discards nothing", [["flash.erase(w.base);", ";"]], /an image that fails its check: the beginning of the refused image/],
  [
    "takes a page for erased by its first word",
    [[") flash.erase(w.base + w.erased);", ") if (flash.read(w.base + w.erased, 1)[0] !== 255) flash.erase(w.base + w.erased);"]],
    /after each power cut|: \d+ cuts end badly/,
  ],
  [
    "writes over the record that applies",
    [["page = record ? 1 - record.page : 0", "page = record ? record.page : 0"]],
    /after each power cut|: \d+ cuts end badly/,
  ],
];

it.each(some(MISTAKES, 5))(
  `a device that %s breaks the contract${OF_SOME}`,
  async (name, changes, complaint) => {
    const code = await mutated(name, changes);
    expect((await complaints(code, false)).join("\n"), name).toMatch(complaint);
  },
  300_000,
);

it("without a mistake there is no complaint", async () => {
  expect(await complaints(await mutated("whole", []), true)).toEqual([]);
}, 300_000);
