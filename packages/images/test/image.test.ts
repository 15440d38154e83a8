import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, EOF, SAMPLES, text, uf2Block, uf2Blocks, writeElf, writeHex, writeUf2 } from "../../test-support/src/image-writers.js";
import { repositoryText } from "../../test-support/src/repository.js";
import { detectFormat, IMAGE_FORMATS, ImageError, type ImageFormat, parseImage } from "../src/image-formats.js";
import { bytes, flash, MIB, type Parsed, parts, read, refuse } from "./image-common.js";

it("each format that is not raw has a sample, which is read as one", () => {
  expect(["raw", ...Object.keys(SAMPLES)], "SAMPLES in packages/test-support/src/image-writers.ts").toEqual(IMAGE_FORMATS);
  const images = Object.values(SAMPLES).map((file) => parseImage(file, detectFormat(file, "firmware.bin") as Parsed));
  expect(new Set(images.map(({ format }) => format)).size).toBe(images.length);
});

it("docs/reference/file-formats.md names each format", () => {
  const row = /^\| an image .*$/m.exec(repositoryText("docs/reference/file-formats.md"))?.[0].toLowerCase() ?? "";
  expect(IMAGE_FORMATS.filter((format) => !row.includes(format.toLowerCase()))).toEqual([]);
});

describe("round trips", () => {
  it("Intel HEX", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 255 }), (list, width) => {
        expect(read(writeHex(list, width), "ihex")).toEqual({ format: "ihex", ...flash(list) });
      }),
    );
  });

  it("UF2", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 476 }), (list, size) => {
        expect(read(writeUf2(uf2Blocks(list, size)), "uf2")).toEqual({ format: "uf2", ...flash(list) });
      }),
    );
  });

  it("ELF, both classes and both byte orders", () => {
    fc.assert(
      fc.property(parts, fc.boolean(), fc.boolean(), fc.constantFrom(2, 3), (list, wide, little, type) => {
        // With 0 in every p_paddr the virtual address counts; the writer gives both the same value.
        expect(read(writeElf({ wide, little, type, segments: list }), "elf")).toEqual({ format: "elf", ...flash(list) });
      }),
    );
  });

  it("never throws anything but an ImageError on damaged files", () => {
    const files = [
      writeHex([{ address: 0x10000, bytes: new Uint8Array(40) }]),
      writeUf2(uf2Blocks([{ address: 0x10000000, bytes: new Uint8Array(600) }])),
      writeElf({ segments: [{ address: 0x8000, bytes: new Uint8Array(40) }], sections: [], mapHeader: true }),
      writeElf({ wide: true, little: false, segments: [{ address: 0x8000, bytes: new Uint8Array(40) }] }),
    ] as const;
    const formats: Parsed[] = ["ihex", "uf2", "elf", "elf"];
    fc.assert(
      fc.property(fc.nat(3), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 4 }), fc.nat(2000), (which, edits, cut) => {
        const file = (files[which] as Uint8Array).slice(0, cut === 0 ? undefined : cut);
        for (const [at, value] of edits) if (file.length > 0) file[at % file.length] = value;
        try {
          const image = parseImage(file, formats[which] as Parsed);
          expect(image.bytes.length).toBeLessThanOrEqual(file.length + MIB);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
describe("detect", () => {
  it.each<[string, Uint8Array, string, ImageFormat]>([
    ["a vector table", bytes(0, 0, 4, 0x20, 1, 1, 0, 8), "app.bin", "raw"],
    ["an empty file", bytes(), "app.bin", "raw"],
    ["a binary that begins with a colon", bytes(0x3a, 0, 1, 2, 3, 0x0a), "app.bin", "raw"],
    ["a binary that begins like a record", concat(text(":1000").subarray(0, 5), bytes(0, 1, 2, 3)), "app.bin", "raw"],
    ["hexadecimal digits that no record is as long as", text(`:${"0".repeat(522)}`), "app.bin", "raw"],
    ["a binary that begins with UF2 and no second magic number", bytes(0x55, 0x46, 0x32, 0x0a, 0, 0, 0, 0), "app.bin", "raw"],
    ["a binary that begins with the ELF magic and an unknown class", bytes(0x7f, 0x45, 0x4c, 0x46, 7, 1, 1), "app.bin", "raw"],
    ["a JavaScript app", text("S1 = require('Storage');"), "app.js", "raw"],
    ["HEX under another name", text(EOF), "app.bin", "ihex"],
    ["HEX with CR LF and small letters", text(":0400000001020304f2\r", ":00000001ff\r"), "app", "ihex"],
    ["HEX after empty lines", text("", EOF), "app", "ihex"],
    ["HEX after a byte order mark", concat(bytes(0xef, 0xbb, 0xbf), text(EOF)), "app", "ihex"],
    ["HEX with a wrong checksum", text(":00000001FE"), "app", "ihex"],
    ["the text of a damaged HEX file", text(":00zz"), "app.HEX", "ihex"],
    ["a raw binary named .uf2", bytes(1, 2, 3), "app.uf2", "uf2"],
    ["a raw binary named .elf", bytes(1, 2, 3), "app.elf", "elf"],
    ["a UF2 that is cut short", uf2Block({ address: 0, number: 0, total: 1, data: bytes(1) }).subarray(0, 100), "x", "uf2"],
    ["an ELF that is cut short", bytes(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1), "x", "elf"],
    ["an ELF named .hex", writeElf({ segments: [{ address: 0, bytes: bytes(1) }] }), "app.hex", "elf"],
  ])("%s", (_, head, name, format) => {
    expect(detectFormat(head, name)).toBe(format);
  });

  it("refuses S-records, whose text could pass for a raw image", () => {
    expect(() => detectFormat(text("S0030000FC", "S1051000AABB85"), "app.bin")).toThrow(ImageError);
    expect(() => detectFormat(text("S1051000AABB85"), "app.s19")).toThrow(/S-records/);
  });

  it.each<[Parsed, RegExp]>([
    ["ihex", /line 1/],
    ["uf2", /multiple of 512/],
    ["elf", /no ELF header/],
  ])("a raw binary with the extension of %s is refused", (format, message) => {
    refuse(bytes(1, 2, 3), format, message);
    refuse(bytes(), format, format === "ihex" ? /end-of-file/ : message);
  });
});
it("reads a view into a larger buffer", () => {
  const within = (file: Uint8Array) => concat(bytes(9, 9, 9), file, bytes(9)).subarray(3, 3 + file.length);
  const list = [{ address: 0x08000000, bytes: Uint8Array.from({ length: 300 }, (_, i) => i) }];
  expect(read(within(writeHex(list)), "ihex").bytes).toEqual(list[0]?.bytes);
  expect(read(within(writeUf2(uf2Blocks(list))), "uf2").bytes).toEqual(list[0]?.bytes);
  expect(read(within(writeElf({ segments: list })), "elf").bytes).toEqual(list[0]?.bytes);
});
