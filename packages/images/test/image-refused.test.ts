// Images in each format: what is read, and what is refused.

import { describe, expect, it } from "vitest";
import {
  concat,
  EOF,
  FAMILY_PRESENT,
  linearBase,
  record,
  text,
  uf2Blocks,
  writeElf,
  writeHex,
  writeUf2,
} from "../../test-support/src/image-writers.js";
import { detectFormat, type Image, parseImage } from "../src/image-formats.js";
import { bytes, flash, MIB, read, refuse } from "./image-common.js";

describe("Intel HEX", () => {
  const some = record(0, 0, [1, 2, 3, 4]);

  it.each<[string, string[], Omit<Image, "format">]>([
    ["no linear base", [record(0, 0x10, [1]), EOF], { address: 0x10, bytes: bytes(1), gaps: 0 }],
    ["a segment base", [record(2, 0, [0x10, 0x01]), record(0, 2, [1, 2]), EOF], { address: 0x10012, bytes: bytes(1, 2), gaps: 0 }],
    ["a linear base of 2 GiB and more", [linearBase(0x9000), record(0, 0, [7]), EOF], { address: 0x90000000, bytes: bytes(7), gaps: 0 }],
    ["the last byte of 4 GiB", [linearBase(0xffff), record(0, 0xffff, [7]), EOF], { address: 0xffffffff, bytes: bytes(7), gaps: 0 }],
    [
      "a record over 64 KiB after a linear base",
      [linearBase(0), record(0, 0xffff, [1, 2]), EOF],
      { address: 0xffff, bytes: bytes(1, 2), gaps: 0 },
    ],
    [
      "start addresses",
      [some, record(3, 0, [0, 0, 1, 0]), record(5, 0, [8, 0, 1, 0]), EOF],
      { address: 0, bytes: bytes(1, 2, 3, 4), gaps: 0 },
    ],
    ["a record without data", [record(0, 9, []), some, EOF], { address: 0, bytes: bytes(1, 2, 3, 4), gaps: 0 }],
    ["a gap", [record(0, 4, [2]), record(0, 0, [1]), EOF], { address: 0, bytes: bytes(1, 255, 255, 255, 2), gaps: 3 }],
    ["blanks and empty lines", ["", `${some} \t`, "", EOF, " ", ""], { address: 0, bytes: bytes(1, 2, 3, 4), gaps: 0 }],
  ])("reads %s", (_, lines, image) => {
    const expected = { format: "ihex", ...image };
    expect(parseImage(text(...lines), "ihex")).toEqual(expected);
    expect(parseImage(Buffer.from(lines.join("\r\n").toLowerCase()), "ihex")).toEqual(expected);
    expect(parseImage(Buffer.from(lines.join("\r")), "ihex")).toEqual(expected);
  });

  it.each<[string, string[], RegExp]>([
    ["a wrong checksum", [some.replace(/..$/, "00"), EOF], /line 1: wrong checksum/],
    ["a flipped digit", [some.replace("0102", "0103"), EOF], /line 1: wrong checksum/],
    ["a length that is too large", [some.replace(":04", ":05"), EOF], /says 5 bytes of data and holds 4/],
    ["a length that is too small", [some.replace(":04", ":03"), EOF], /says 3 bytes of data and holds 4/],
    ["an odd digit", [`${some}0`, EOF], /a record of 19 digits/],
    ["a record that is too short", [":00000001", EOF], /a record of 8 digits/],
    ["a record that is too long", [`:FF${"0".repeat(520)}`, EOF], /a record of 522 digits/],
    ["a letter that is not a digit", [some.replace("0102", "01O2"), EOF], /not a hexadecimal digit/],
    ["a line that is not a record", [some, "; comment", EOF], /line 2: not a record/],
    ["an indented record", [some, ` ${EOF}`], /line 2: not a record/],
    ["two records in a line", [some + some, EOF], /line 1: a record of 37 digits/],
    ["an unknown record type", [record(6, 0, []), EOF], /record type 0x06/],
    ["a record type of universal HEX", [record(0x0a, 0, [1, 2, 3, 4]), EOF], /record type 0x0a/],
    ["no end-of-file record", [some], /without an end-of-file record/],
    ["data after the end-of-file record", [some, EOF, record(0, 4, [1])], /line 3: text after/],
    ["a second end-of-file record", [some, EOF, EOF], /line 3: text after/],
    ["text after the end-of-file record", [some, EOF, "signature"], /line 3: text after/],
    ["an end-of-file record with data", [some, record(1, 0, [1])], /type 01 with 1 bytes/],
    ["an end-of-file record with an offset", [some, record(1, 1, [])], /type 01 with an offset/],
    ["an empty linear base", [record(4, 0, []), some, EOF], /type 04 with 0 bytes/],
    ["a linear base of one byte", [record(4, 0, [8]), some, EOF], /type 04 with 1 bytes/],
    ["a linear base with an offset", [record(4, 1, [8, 0]), some, EOF], /type 04 with an offset/],
    ["a segment base of three bytes", [record(2, 0, [1, 2, 3]), some, EOF], /type 02 with 3 bytes/],
    ["a start address of two bytes", [some, record(5, 0, [1, 2]), EOF], /type 05 with 2 bytes/],
    ["overlapping records", [some, record(0, 3, [4, 5]), EOF], /set the byte at 0x00000003/],
    ["the same record twice", [some, some, EOF], /set the byte at 0x00000000/],
    ["a segment that overlaps the one before", [record(0, 0x10, [1]), record(2, 0, [0, 1]), some, EOF], /set the byte at 0x00000010/],
    ["data over the end of a segment", [record(2, 0, [0x10, 0]), record(0, 0xffff, [1, 2]), EOF], /64 KiB segment/],
    ["data over 64 KiB without a base", [record(0, 0xffff, [1, 2]), EOF], /64 KiB segment/],
    ["data over the end of 4 GiB", [linearBase(0xffff), record(0, 0xffff, [1, 2]), EOF], /4 GiB/],
    ["a hole of 4 GiB", [some, linearBase(0xffff), record(0, 0xfff0, [1]), EOF], /more than 1 MiB of filling/],
    ["nothing but the end", [EOF], /no byte to flash/],
    ["nothing but empty records", [record(0, 0, []), EOF], /no byte to flash/],
  ])("refuses %s", (_, lines, message) => {
    refuse(text(...lines), "ihex", message);
  });

  it("fills exactly 1 MiB, in one gap or in several", () => {
    const at = (upper: number, offset: number) => [linearBase(upper), record(0, offset, [1])];
    expect(read(text(...at(0, 0), ...at(0x10, 1), EOF), "ihex").gaps).toBe(MIB);
    refuse(text(...at(0, 0), ...at(0x10, 2), EOF), "ihex", /1 MiB/);
    refuse(text(...at(0, 0), ...at(8, 0), ...at(0x10, 4), EOF), "ihex", /1 MiB/);
  });

  it("reads the longest possible record", () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => i);
    expect(read(text(record(0, 0, bytes), EOF), "ihex")).toMatchObject({ bytes, gaps: 0 });
  });

  it("every truncation is refused", () => {
    const file = writeHex([{ address: 0x8000000, bytes: new Uint8Array(40).fill(1) }]);
    for (let n = 0; n < file.length - 1; n++) refuse(file.subarray(0, n), "ihex", /Intel HEX, line/);
  });
});
describe("UF2", () => {
  const blocks = uf2Blocks([{ address: 0x10000000, bytes: Uint8Array.from({ length: 700 }, (_, i) => i) }]);
  const image = flash(blocks.map((b) => ({ address: b.address, bytes: b.data })));
  const [first, second, third] = blocks as [(typeof blocks)[0], (typeof blocks)[0], (typeof blocks)[0]];
  const numbered = (list: typeof blocks) => list.map((b, number) => ({ ...b, number, total: list.length }));

  /** The block that build tools put before an image for the RP2350. */
  const erratum = {
    flags: 0xa000,
    address: 0x10ffff00,
    number: 0,
    total: 2,
    family: 0xe48bff57,
    data: new Uint8Array(256).fill(0xef),
    tail: [0x04, 0xe3, 0x57, 0x99],
  };

  it("reads blocks without a family, with extension tags and with a checksum", () => {
    expect(read(writeUf2(blocks), "uf2")).toEqual({ format: "uf2", ...image });
    for (const flags of [0, FAMILY_PRESENT + 0x8000, FAMILY_PRESENT + 0x4000]) {
      expect(read(writeUf2(blocks.map((b) => ({ ...b, flags }))), "uf2").bytes).toEqual(image.bytes);
    }
  });

  it("reads the largest payloads, up to the last byte of 4 GiB", () => {
    for (const [flags, size] of [
      [FAMILY_PRESENT, 476],
      [FAMILY_PRESENT + 0x4000, 452],
    ] as const) {
      const block = { address: 2 ** 32 - size, data: new Uint8Array(size).fill(1), flags, number: 0, total: 1 };
      expect(read(writeUf2([block]), "uf2")).toMatchObject({ address: block.address, bytes: block.data });
    }
  });

  it("counts and leaves out blocks that are not for the main flash", () => {
    const source = { ...first, flags: 1, address: 0x20000000, family: 0 };
    expect(read(writeUf2(numbered([source, ...blocks, source])), "uf2").bytes).toEqual(image.bytes);
    refuse(writeUf2([source, ...blocks]), "uf2", /says that the file has/);
    refuse(writeUf2([{ ...source, number: 0, total: 1 }]), "uf2", /no byte to flash/);
  });

  it("leaves out the block of erratum RP2350-E10, and no other", () => {
    expect(read(writeUf2([erratum, ...blocks]), "uf2")).toEqual({ format: "uf2", ...image });
    expect(read(writeUf2([{ ...erratum, flags: FAMILY_PRESENT, tail: [] }, ...blocks]), "uf2").bytes).toEqual(image.bytes);
    refuse(writeUf2([erratum]), "uf2", /no byte to flash/);
    for (const other of [
      { ...erratum, tail: [0x04, 0xe3, 0x57, 0x98] },
      { ...erratum, flags: 0xa001 },
      { ...erratum, data: erratum.data.with(255, 0xee) },
      { ...erratum, data: erratum.data.subarray(1) },
      { ...erratum, family: 0xe48bff59 },
      { ...erratum, total: 3 },
      { ...erratum, number: 1 },
    ]) {
      refuse(writeUf2([other, ...blocks]), "uf2", /board families|says that the file has/);
    }
    refuse(writeUf2([...blocks, erratum]), "uf2", /board families/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["a file cut inside of a block", writeUf2(blocks).subarray(0, 1100), /not a multiple of 512/],
    ["a byte too many", concat(writeUf2(blocks), bytes(0)), /not a multiple of 512/],
    ["a lost last block", writeUf2([first, second]), /has 3 blocks, but it has 2/],
    ["a lost middle block", writeUf2([first, { ...third, total: 2 }].map((b) => ({ ...b, total: 2 }))), /block 2 is in place of block 1/],
    ["a doubled block", writeUf2([first, second, second]), /block 1 is in place of block 2/],
    ["swapped blocks", writeUf2([second, first, third]), /block 1 is in place of block 0/],
    ["two files in one", writeUf2([...blocks, ...blocks]), /has 3 blocks, but it has 6/],
    ["a count that is wrong in one block", writeUf2([first, { ...second, total: 4 }, third]), /block 1 says/],
    ["a wrong first magic number", writeUf2([first, { ...second, magic0: 1 }, third]), /block 1: invalid magic value at offset 0/],
    ["a wrong second magic number", writeUf2([first, { ...second, magic1: 1 }, third]), /block 1: invalid magic value at offset 4/],
    ["a wrong last magic number", writeUf2([first, second, { ...third, end: 1 }]), /block 2: invalid magic value at offset 508/],
    ["more data than fits", writeUf2([first, { ...second, size: 477 }, third]), /invalid payload size 477/],
    ["more data than fits before a checksum", writeUf2([{ ...first, flags: 0x6000, size: 453 }, second, third]), /room for 452/],
    ["a file container", writeUf2([{ ...first, flags: 0x3000 }, second, third]), /file container/],
    ["overlapping blocks", writeUf2([first, { ...second, address: first.address + 255 }, third]), /set the byte at 0x100000ff/],
    ["data over the end of 4 GiB", writeUf2([first, second, { ...third, address: 0xffffffff }]), /end of its 4 GiB/],
    ["a hole of 256 MiB", writeUf2([first, second, { ...third, address: 0x20000000 }]), /1 MiB/],
    ["blocks without data", writeUf2([{ ...first, total: 1, size: 0 }]), /no byte to flash/],
  ])("refuses %s", (_, file, message) => {
    refuse(file, "uf2", message);
  });

  it("refuses several families and names them", () => {
    const others = blocks.map((b) => ({ ...b, family: 0x12345678 }));
    const error = refuse(writeUf2([...blocks, ...others]), "uf2", /2 board families: Raspberry Pi RP2040, 0x12345678/);
    expect(error.hint).toMatch(/one board family/);
    refuse(writeUf2([first, { ...second, flags: 0 }, third]), "uf2", /Raspberry Pi RP2040, none/);
  });
});
describe.each([
  [false, true],
  [false, false],
  [true, true],
  [true, false],
])("ELF, 64 bits %s, little-endian %s", (wide, little) => {
  const code = { address: 0x08000000, bytes: bytes(1, 2, 3, 4) };
  const data = { address: 0x08000008, vaddr: 0x20000000, bytes: bytes(5, 6) };
  const write = (elf: Parameters<typeof writeElf>[0]) => writeElf({ wide, little, ...elf });
  const head = wide ? 64 : 52;
  const one = head + (wide ? 56 : 32);

  it("flashes at the physical address, and no bss, notes or empty segments", () => {
    const image = read(
      write({
        segments: [
          { ...data, memsz: 4096 },
          code,
          { address: 0x20000100, bytes: bytes(), memsz: 0x10000 },
          { address: 0, bytes: bytes(), offset: 0x7fffffff },
          { address: 0x40000000, bytes: bytes(9, 9), type: 4 },
        ],
      }),
      "elf",
    );
    expect(image).toEqual({ format: "elf", address: 0x08000000, bytes: bytes(1, 2, 3, 4, 255, 255, 255, 255, 5, 6), gaps: 4 });
  });

  it("needs no section headers if no flashed segment holds the ELF header", () => {
    const bss = { address: 0x20000000, bytes: bytes(), offset: 0, memsz: 64 };
    expect(read(write({ segments: [code, bss] }), "elf").bytes).toEqual(code.bytes);
    // A segment that begins right behind the header, before or over the program headers, is taken as it is.
    const behind = write({ segments: [{ ...code, offset: head, filesz: 4 }] });
    expect(read(behind, "elf").bytes).toEqual(behind.subarray(head, head + 4));
  });

  it("uses virtual addresses if no segment has a physical one", () => {
    const at = (vaddr: number, value: number) => ({ address: 0, vaddr, bytes: bytes(value) });
    expect(read(write({ segments: [at(0x1001, 2), at(0x1000, 1)] }), "elf")).toMatchObject({ address: 0x1000, bytes: bytes(1, 2) });
    expect(read(write({ segments: [at(0x20000000, 1)] }), "elf")).toMatchObject({ address: 0 });
  });

  it("leaves out the ELF header if the linker mapped it", () => {
    const mapped = { mapHeader: true, segments: [code] };
    const sections = [
      { address: 0, offset: one + 1, size: 3, flags: 0 },
      { address: code.address + 2, offset: one + 2, size: 2 },
      { address: code.address, offset: one, size: 2 },
      { address: code.address, offset: head, size: 4, type: 8 },
      { address: code.address, offset: head, size: 0 },
    ];
    expect(read(write({ ...mapped, sections }), "elf")).toMatchObject({ address: code.address, bytes: code.bytes, gaps: 0 });
    refuse(write({ ...mapped, sections: [] }), "elf", /no byte to flash/);
    refuse(write(mapped), "elf", /holds the ELF header/);
    refuse(write({ ...mapped, sections, shnum: 7 }), "elf", /section headers run past/);
    refuse(write({ ...mapped, sections, shoff: 0x7fffffff }), "elf", /section headers run past/);
  });

  it.each<[string, Parameters<typeof writeElf>[0], RegExp]>([
    ["an object file", { type: 1, segments: [code] }, /not linked/],
    ["a core dump", { type: 4, segments: [code] }, /not linked/],
    ["a program with an interpreter", { type: 3, segments: [code, { address: 0, bytes: bytes(0), type: 3 }] }, /operating system/],
    ["a wrong e_version", { version: 2, segments: [code] }, /e_version/],
    ["a wrong e_ehsize", { ehsize: 40, segments: [code] }, /e_ehsize/],
    ["no program headers", { phnum: 0, segments: [code] }, /no byte to flash/],
    ["a program header table at 0", { phoff: 0, segments: [code] }, /no byte to flash/],
    ["program headers of another size", { phentsize: 16, segments: [code] }, /headers of 16 bytes/],
    ["more program headers than the file holds", { phnum: 3, segments: [code] }, /program headers run past/],
    ["a program header table past the end", { phoff: 0x7fffffff, segments: [code] }, /program headers run past/],
    ["more program headers than counted", { phnum: 0xffff, segments: [code] }, /more program headers/],
    ["a segment past the end of the file", { segments: [{ ...code, offset: one + 1 }] }, /past the end of the file/],
    ["a segment far past the end of the file", { segments: [{ ...code, offset: 0xfffffff0 }] }, /past the end of the file/],
    ["a segment larger than the file", { segments: [{ ...code, filesz: 5 }] }, /past the end of the file/],
    ["a segment larger in the file than in memory", { segments: [{ ...code, memsz: 3 }] }, /larger in the file than in memory/],
    ["overlapping segments", { segments: [code, { ...data, address: 0x08000003 }] }, /set the byte at 0x08000003/],
    ["a hole between flash and RAM", { segments: [code, { ...data, address: 0x20000000 }] }, /1 MiB/],
    ["nothing but bss", { segments: [{ address: 0x20000000, bytes: bytes(), memsz: 64 }] }, /no byte to flash/],
  ])("refuses %s", (_, elf, message) => {
    refuse(write(elf), "elf", message);
  });

  it("refuses segments that multiply the bytes of the file", () => {
    const body = { address: 0, bytes: new Uint8Array(1000).fill(1) };
    const again = Array.from({ length: 3 }, (_, i) => ({ address: 0x1000 * (i + 1), bytes: bytes(), offset: head, filesz: 1000 }));
    refuse(write({ segments: [body, ...again] }), "elf", /share bytes/);
  });

  it("refuses an end past the address space", () => {
    const top = { ...code, address: wide ? Number.MAX_SAFE_INTEGER - 3 : 0xfffffffd };
    refuse(write({ segments: [top] }), "elf", /end of the address space/);
    if (!wide) expect(read(write({ segments: [{ ...code, address: 0xfffffffc }] }), "elf").address).toBe(0xfffffffc);
  });

  it("every truncation of the header and the program headers is refused", () => {
    const file = write({ segments: [code] });
    for (let n = 0; n < file.length; n++) refuse(file.subarray(0, n), "elf", /ELF/);
  });

  it("refuses an identification that does not exist", () => {
    for (const [at, value] of [
      [0, 0x7e],
      [4, 0],
      [4, 3],
      [5, 0],
      [5, 3],
      [6, 0],
    ] as const) {
      const file = write({ segments: [code] });
      file[at] = value;
      expect(detectFormat(file, "app.bin")).toBe("raw");
      refuse(file, "elf", /no ELF header/);
    }
  });
});
it("64-bit ELF: a number beyond 2^53 is refused, not rounded", () => {
  const file = writeElf({ wide: true, segments: [{ address: 0x1000, bytes: bytes(1) }] });
  new DataView(file.buffer).setBigUint64(64 + 24, 0xffffffff80000000n, true);
  refuse(file, "elf", /2\^53/);
});
