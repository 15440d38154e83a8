// Our own devices with one mistake each, as somebody could make it who writes a device. The contract has to find it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { deviceContract } from "../src/contract.js";
import { type FilesCode, filesStore } from "../src/devices/files.js";
import { type FlashCode, flashStore } from "../src/devices/flash.js";
import { type StorageCode, storageStore } from "../src/devices/storage.js";
import type { MakeStore } from "../src/store.js";

const folder = temporaryFolder("mutated-device-");

type Change = readonly [from: string, to: string];

/** The code of a device with a part of its text replaced. */
async function mutated(device: string, name: string, changes: readonly Change[]): Promise<unknown> {
  const found = new Set<string>();
  const outfile = join(folder, `${device}-${name.replaceAll(/\W+/g, "-")}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL(`../../verifier/src/device/${device}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: "esm",
    logLevel: "silent",
    plugins: [
      {
        name: "change",
        setup({ onLoad }) {
          onLoad({ filter: new RegExp(`device/${device}(-record)?\\.ts$`) }, async ({ path }) => {
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
  return import(pathToFileURL(outfile).href);
}

const STORES: { [device: string]: (code: unknown, receiving: boolean) => MakeStore } = {
  flash: (code, receiving) => (setup) => flashStore(setup, { receiving, code: code as FlashCode }),
  storage: (code, receiving) => (setup) => storageStore(setup, { receiving, code: code as StorageCode }),
  file: (code) => (setup) => filesStore(setup, undefined, code as FilesCode),
};

/** What the contract says about a device with these changes. */
async function complaints(device: string, name: string, changes: readonly Change[], receiving = false): Promise<string> {
  const make = STORES[device]?.(await mutated(device, name, changes), receiving) as MakeStore;
  const out: string[] = [];
  for (const { name: demand, run } of deviceContract(make, { secondCuts: 2 }))
    await run().catch((e: unknown) => {
      out.push(`${demand.split(":")[0]}: ${(e as Error).message}`);
    });
  return out.join("\n");
}

type Mistake = [name: string, changes: Change[], complaint: RegExp];

const FLASH: Mistake[] = [
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

const STORAGE: Mistake[] = [
  ["installs while a release is on trial", [["device.pending()) refuse(UNCONFIRMED)", "false) refuse(UNCONFIRMED)"]], /on trial: /],
  ["goes back to the slots of the release that failed", [["(k.back ? 4 : 0)", "0"]], /on trial: /],
  ["never goes back", [["k.pending = !k.confirmed && k.starts <= tries;", "k.pending = !k.confirmed;"]], /on trial: /],
  ["counts no start", [["well ? 0 : 8 * k.starts + 8", "well ? 0 : 0"]], /on trial: |stays/],
  ["confirms nothing", [["if (marked(k, 0)) k.confirmed = true;", ""]], /on trial: |stays/],
  [
    "takes the floor back with the images",
    [
      [
        "return kept ? [u32InText(kept.text, 8), u32InText(kept.text, 12)]",
        "return kept ? [0, u32InText(kept.text, 12) - (kept.back ? 1 : 0)]",
      ],
    ],
    /the floor is 0,7 afterwards/,
  ],
  ["does not see that another object has committed", [["if (is && code) refuse(code);", ""]], /a second object of the device commits: /],
  ["forgets which manifest it has", [["return kept && keptCounters(io, kept);", "return null;"]], /refusal 101/],
  ["discards nothing", [["io.storage.erase(left[i] as string);", ";"]], /an image that fails its check: /],
  [
    "writes over the record that applies",
    [[`kept.name === "firmseal.r0" ? "firmseal.r1"`, `kept.name === "firmseal.r0" ? "firmseal.r0"`]],
    /cuts end badly/,
  ],
  ["takes the older of two records", [["isLater(a.generation, b.generation) ? a : b", "isLater(a.generation, b.generation) ? b : a"]], /./],
  [
    "takes a record that is not complete",
    // most cuts also change the length that it names
    [
      ["digestText(io, text.substring(0, body)).substring(0, 8) !== text.substring(body, body + 8)", "false"],
      ["text.length !== body + 25 + 8 * tries", "false"],
    ],
    /cuts end badly/,
  ],
];

const FILE: Mistake[] = [
  [
    "does not see that another object has committed",
    [['throw new Error("the device has changed meanwhile")', ";"]],
    /a second object of the device commits: /,
  ],
  ["writes over the current image", [["path(name, 1 - part(name).slot)", "path(name, part(name).slot)"]], /./],
  ["writes over the current envelope", [[`record.envelope === "a" ? "b" : "a"`, `record.envelope === "b" ? "b" : "a"`]], /cuts end badly/],
  ["keeps the old floor", [["floor: formatSequence(commit.sequence)", "floor: record.floor"]], /the floor is 0,0/],
  [
    "forgets which manifest it has",
    [["return record.counters === undefined ? null : unhex(record.counters);", "return null;"]],
    /refusal 101/,
  ],
  ["discards nothing", [["fs.unlinkSync(left[names[i]].path);", ";"]], /an image that fails its check: /],
  ["does not wait until an image is on the disk", [["fs.fsyncSync(fresh[name].fd);", ""]], /cuts end badly/],
  ["does not wait until its record is on the disk", [["write(fd);\n      fs.fsyncSync(fd);", "write(fd);"]], /cuts end badly/],
  [
    "does not wait until names are on the disk",
    [
      [
        "fs.fsyncSync(fd);\n    } finally {\n      fs.closeSync(fd);\n    }\n  } catch",
        "} finally {\n      fs.closeSync(fd);\n    }\n  } catch",
      ],
    ],
    /cuts end badly/,
  ],
];

const ALL = Object.entries({ flash: FLASH, storage: STORAGE, file: FILE }).flatMap(([device, mistakes]) =>
  mistakes.map((mistake) => [device, ...mistake] as const),
);

it.each(some(ALL, 6))(
  `the contract finds a device in %s that %s${OF_SOME}`,
  async (device, name, changes, complaint) => {
    expect(await complaints(device, name, changes), name).toMatch(complaint);
  },
  300_000,
);

it.each(["flash", "storage", "file"])(
  "there is no complaint about a device in %s without a mistake",
  async (device) => {
    expect(await complaints(device, "whole", [], true)).toBe("");
  },
  300_000,
);
