// Images that other programs write, and published firmware.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { uf2Blocks, writeHex, writeUf2 } from "../../test-support/src/image-writers.js";
import { DETECT_BYTES, detectFormat } from "../src/image-formats.js";
import { read } from "./image-common.js";

const runs = (tool: string, option: string, wanted: RegExp) => wanted.test(spawnSync(tool, [option], { encoding: "utf8" }).stdout ?? "");
const objcopy = runs("objcopy", "--version", /GNU/);
const linker = objcopy && runs("ld", "-V", /elf_x86_64[\s\S]*elf_i386/);
const skipped = (there: boolean, what: string) => (there ? "" : ` (skipped: no ${what} on this machine)`);
describe("against GNU binutils", () => {
  const dir = temporaryFolder("firmseal-image-");
  const put = (name: string, content: Uint8Array | string) => writeFileSync(join(dir, name), content);
  const get = (name: string) => new Uint8Array(readFileSync(join(dir, name)));
  const run = (tool: string, ...args: string[]) => execFileSync(tool, args, { cwd: dir });
  const raw = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) ^ (i >> 8));

  it.skipIf(!objcopy).each([0, 0x08000000, 0x0800fff8, 0x90000000])(`HEX by objcopy at %i${skipped(objcopy, "objcopy")}`, (address) => {
    put("in.bin", raw);
    run("objcopy", "-I", "binary", "-O", "ihex", `--change-addresses=${address}`, "in.bin", "out.hex");
    expect(read(get("out.hex"), "ihex")).toEqual({ format: "ihex", address, bytes: raw, gaps: 0 });
  });

  // At 0x08004000, within a page of 64 KiB, the linker maps the ELF header into the first segment, which then begins at 0x08000000.
  it.skipIf(!linker).each([
    ["elf_x86_64", "elf64-x86-64", 0x08000000],
    ["elf_x86_64", "elf64-x86-64", 0x08004000],
    ["elf_i386", "elf32-i386", 0x08000000],
    ["elf_i386", "elf32-i386", 0x08004000],
  ])(`an ELF linked as %s (%s) at %i gives what objcopy gives${skipped(linker, "ld for x86")}`, (emulation, format, address) => {
    put("in.bin", raw.subarray(0, 1001));
    put(
      "flash.ld",
      `SECTIONS {
        .text ${address} : { *(.data) }
        .data 0x20000000 : AT(${address + 0x1000}) { LONG(1) LONG(2) }
        .bss : { . += 64; }
      }`,
    );
    run(
      "ld",
      "-m",
      emulation,
      "--oformat",
      format,
      "-z",
      "max-page-size=0x10000",
      "-T",
      "flash.ld",
      "-b",
      "binary",
      "in.bin",
      "-o",
      "out.elf",
    );
    run("objcopy", "-O", "binary", "--gap-fill", "0xff", "out.elf", "out.bin");
    const image = read(get("out.elf"), "elf");
    expect(image).toMatchObject({ address, gaps: 0x1000 - 1001 });
    expect(image.bytes).toEqual(get("out.bin"));
  });
});
/** The members of a ZIP file by its central directory, for files without ZIP64 and encryption. */
function unzip(file: Buffer): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  const end = file.lastIndexOf("PK\x05\x06", undefined, "latin1");
  let at = file.readUInt32LE(end + 16);
  for (let n = file.readUInt16LE(end + 10); n > 0; n--) {
    const local = file.readUInt32LE(at + 42);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const packed = file.subarray(start, start + file.readUInt32LE(at + 20));
    const name = file.toString("utf8", at + 46, at + 46 + file.readUInt16LE(at + 28));
    out.set(name, file.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed);
    at += 46 + file.readUInt16LE(at + 28) + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return out;
}
describe("published firmware", () => {
  const build = dirname(createRequire(import.meta.url).resolve("@pybricks/firmware/build/index.js"));
  const zips = existsSync(build) ? readdirSync(build).filter((name) => name.endsWith(".zip")) : [];

  it("exists", () => expect(zips.length).toBeGreaterThan(3));

  it.each(zips)("%s is raw, and comes back from HEX and UF2 as it was", (zip) => {
    const firmware = unzip(readFileSync(join(build, zip))).get("firmware-base.bin") as Uint8Array;
    expect(firmware.length).toBeGreaterThan(50_000);
    expect(detectFormat(firmware.subarray(0, DETECT_BYTES), "firmware-base.bin")).toBe("raw");
    const list = [{ address: 0x08008000, bytes: firmware }];
    for (const image of [read(writeHex(list), "ihex"), read(writeUf2(uf2Blocks(list)), "uf2")]) {
      expect(image.address).toBe(0x08008000);
      expect(Buffer.compare(image.bytes, firmware)).toBe(0);
    }
  });
});
