// Images that are expensive to read.

import { truncateSync } from "node:fs";
import { buildMcuboot } from "@firmseal/formats";
import { FACTS } from "../../../../../test-support/src/command-line/run.js";
import { FAMILY_PRESENT, uf2Block } from "../../../../../test-support/src/image-writers.js";
import type { Row } from "../budget.js";
import { repeat } from "../budget-inputs.js";
import { REFUSED } from "./common.js";

function elf(segments: number, sections: number): Uint8Array {
  const out = Buffer.alloc(52 + 32 * segments + 40 * sections + 64);
  out.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  out.writeUInt16LE(2, 16);
  out.writeUInt32LE(1, 20);
  out.writeUInt32LE(52, 28);
  out.writeUInt32LE(52 + 32 * segments, 32);
  for (const [at, value] of [
    [40, 52],
    [42, 32],
    [44, segments],
    [46, 40],
    [48, sections],
  ] as const)
    out.writeUInt16LE(value, at);
  for (let i = 0; i < segments; i++) {
    const at = 52 + 32 * i;
    // one byte each, inside of the header, each at an address of its own
    for (const [k, value] of [
      [0, 1],
      [4, 0],
      [8, i],
      [12, i],
      [16, 1],
      [20, 1],
    ] as const)
      out.writeUInt32LE(value, at + k);
  }
  for (let i = 0; i < sections; i++) {
    const at = 52 + 32 * segments + 40 * i;
    for (const [k, value] of [
      [4, 1],
      [8, 2],
      [16, out.length - 64],
      [20, 1],
    ] as const)
      out.writeUInt32LE(value, at + k);
  }
  return out;
}

function onImage(name: string, units: number, ending: string, make: (n: number) => Uint8Array | string, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: REFUSED,
    args(place, n, tag) {
      const file = place.put(`${tag}.${ending}`, make(n));
      return ["tbs", file, "--key", "A.jwk", ...FACTS, "--seq", "1", "--out", `${tag}.tbs`, "--envelope-out", `${tag}.suit`];
    },
    ...more,
  };
}

const hexLine = (address: number): string => {
  const bytes = [1, (address >> 8) & 255, address & 255, 0, 0x55];
  return `:${[...bytes, -bytes.reduce((a, b) => a + b, 0) & 255].map((b) => b.toString(16).padStart(2, "0")).join("")}\n`;
};

export const IMAGES: Row[] = [
  onImage("ELF: segments times sections", 1_500, "elf", (n) => elf(n, n)),
  onImage("ELF: as many headers as there can be", 15_000, "elf", (n) => elf(n, 0), { long: 15_000 }),
  onImage("UF2: a family for each block", 4_000, "uf2", (n) =>
    Buffer.concat(
      repeat(n, (i) =>
        uf2Block({ flags: FAMILY_PRESENT, address: 256 * i, number: i, total: n, family: i + 1, data: new Uint8Array(256) }),
      ),
    ),
  ),
  onImage(
    "Intel HEX: a stretch for each line",
    2_000,
    "hex",
    (n) => `${repeat(n, (i) => hexLine((2 * i) & 0xffff)).join("")}:00000001ff\n`,
    { exit: [0, 1] },
  ),
  onImage("Intel HEX: empty lines", 1_000_000, "hex", (n) => `${hexLine(0)}${"\n".repeat(n)}`),
  onImage("Intel HEX: one long line", 1_000_000, "hex", (n) => `:${"0".repeat(n)}`),
  {
    name: "MCUboot: as many TLVs as an area holds",
    units: 2_000,
    long: 3_900,
    exit: [0],
    args(place, n, tag) {
      const custom = repeat(n, (i) => ({ type: 0xa0 + i, value: new Uint8Array(0) }));
      const image = buildMcuboot(new Uint8Array(1000), { version: "1", headerSize: 32, custom });
      return ["inspect", place.put(`${tag}.bin`, image.bytes)];
    },
  },
  {
    name: "an image that is larger than any",
    units: 2 ** 29,
    long: 2 ** 29,
    exit: [1, 2],
    args(place, n, tag) {
      const file = place.put(`${tag}.elf`, elf(1, 1));
      truncateSync(place.at(file), n);
      return ["tbs", file, "--key", "A.jwk", ...FACTS, "--seq", "1", "--out", `${tag}.tbs`, "--envelope-out", `${tag}.suit`];
    },
  },
];
