// ELF, System V gABI (header: chapter 4; program header: chapter 5), 32 and 64 bits, both byte orders. A linked image
// (ET_EXEC, or ET_DYN without PT_INTERP, which is how position-independent firmware is linked): its PT_LOAD segments at
// their physical addresses.
//
// Why a reader of our own: elfy 1.0.0 throws a TypeError without section headers and hands out short data where an
// offset points past the end of the file; elfinfo is a beta and opens files itself. Three fixed tables are all that is
// needed.

import { type AddressedBytes, formatHex, ImageError, type Layout, layOut } from "./layout.js";

const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_INTERP = 3;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;
/**
 * If a count is at least this, the real count is stored elsewhere (gABI chapter 4, e_phnum and e_shnum). No firmware
 * has so many.
 */
const PN_XNUM = 0xffff;

/** Offsets of the fields. A word is 4 bytes in ELFCLASS32 and 8 bytes in ELFCLASS64. */
const CLASS32 = {
  wide: false,
  header: { size: 52, phoff: 28, shoff: 32, ehsize: 40, phentsize: 42, phnum: 44, shentsize: 46, shnum: 48 },
  segment: { size: 32, offset: 4, vaddr: 8, paddr: 12, filesz: 16, memsz: 20 },
  section: { size: 40, flags: 8, offset: 16, length: 20 },
  limit: 2 ** 32,
};
const CLASS64 = {
  wide: true,
  header: { size: 64, phoff: 32, shoff: 40, ehsize: 52, phentsize: 54, phnum: 56, shentsize: 58, shnum: 60 },
  segment: { size: 56, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40 },
  section: { size: 64, flags: 8, offset: 24, length: 32 },
  limit: Number.MAX_SAFE_INTEGER,
};

interface Reader {
  readonly length: number;
  readonly layout: typeof CLASS32;
  u16(at: number): number;
  u32(at: number): number;
  word(at: number): number;
}

interface Segment {
  readonly at: number;
  readonly offset: number;
  readonly paddr: number;
  readonly filesz: number;
}

/**
 * Reads the bytes to flash from a linked ELF file: p_filesz bytes of each PT_LOAD segment at p_paddr. The rest of a
 * segment in memory (bss) is not flashed. Throws ImageError.
 */
export function parseElf(file: Uint8Array): Layout {
  const elf = openElf(file);
  const { segment } = elf.layout;
  const heads = tableOffsets(elf, "program", "phoff", "phnum", "phentsize", segment.size);
  if (heads.some((at) => elf.u32(at) === PT_INTERP)) {
    throw new ImageError(
      "ELF: a program that an operating system loads, not a flash image",
      "to ship it, sign an archive or a file system that contains it",
    );
  }

  const loads: Segment[] = [];
  let sum = 0;
  for (const at of heads) {
    if (elf.u32(at) !== PT_LOAD) continue;
    const filesz = elf.word(at + segment.filesz);
    const offset = elf.word(at + segment.offset);
    if (filesz > elf.word(at + segment.memsz)) {
      throw damagedElf(`the segment of header ${formatHex(at)} is larger in the file than in memory`);
    }
    if (filesz > 0 && offset + filesz > elf.length) {
      throw damagedElf(`the segment of header ${formatHex(at)} runs past the end of the file`);
    }
    loads.push({ at, offset, filesz, paddr: elf.word(at + segment.paddr) });
    sum += filesz;
  }
  // A few KiB of headers that all point to the same bytes could require gigabytes.
  if (sum > elf.length) throw damagedElf("segments share bytes of the file");

  const placed = physical(elf, loads).filter((load) => load.filesz > 0);
  // computed once for all segments: a hostile file can have 65,534 segments that begin in its header, and as many
  // sections
  const first = placed.some((load) => load.offset < elf.layout.header.size) ? firstSection(elf) : undefined;
  return layOut(placed.flatMap((load) => withoutHeaders(elf, load, file, first)));
}

function openElf(file: Uint8Array): Reader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (!isElf(file)) throw damagedElf("no ELF header of version 1");
  const layout = file[4] === 1 ? CLASS32 : CLASS64;
  const little = file[5] === 1;
  if (file.length < layout.header.size) throw damagedElf("cut short inside the header");

  const elf: Reader = {
    length: file.length,
    layout,
    u16: (at) => view.getUint16(at, little),
    u32: (at) => view.getUint32(at, little),
    word(at) {
      if (!layout.wide) return view.getUint32(at, little);
      const value = view.getBigUint64(at, little);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedElf(`the number at ${formatHex(at)} is 2^53 or more`);
      return Number(value);
    },
  };
  const type = elf.u16(16);
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new ImageError(`ELF: not linked (e_type ${type})`, "Sign the linker's output, not an object file or a core dump.");
  }
  if (elf.u32(20) !== 1 || elf.u16(layout.header.ehsize) !== layout.header.size) throw damagedElf("e_version or e_ehsize is wrong");
  return elf;
}

/** Whether the first seven bytes have a valid class, byte order and version (gABI chapter 4, e_ident). */
export function isElf(head: Uint8Array): boolean {
  const [a, b, c, d, bits, order, version] = head;
  return (
    a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46 && (bits === 1 || bits === 2) && (order === 1 || order === 2) && version === 1
  );
}

/** The file offsets of the entries of a table. Checks that all of them are inside the file. */
function tableOffsets(
  elf: Reader,
  name: string,
  off: "phoff" | "shoff",
  num: "phnum" | "shnum",
  entsize: "phentsize" | "shentsize",
  size: number,
): number[] {
  const { header } = elf.layout;
  const start = elf.word(header[off]);
  const count = elf.u16(header[num]);
  if (start === 0 || count === 0) return [];
  if (count === PN_XNUM) throw damagedElf(`more ${name} headers than firmware has`);
  if (elf.u16(header[entsize]) !== size) throw damagedElf(`${name} headers of ${elf.u16(header[entsize])} bytes instead of ${size}`);
  if (start + count * size > elf.length) throw damagedElf(`the ${name} headers run past the end of the file`);
  return Array.from({ length: count }, (_, i) => start + i * size);
}

/**
 * gABI chapter 5 does not specify p_paddr for System V. Linkers that do not set it leave 0 in every segment; then
 * p_vaddr counts. With a single segment, 0 may be intended (flash at 0, run from RAM) and is kept. The GNU tools do the
 * same.
 */
function physical(elf: Reader, loads: readonly Segment[]): readonly Segment[] {
  const unset = loads.length > 1 && loads.every((load) => load.paddr === 0);
  const { vaddr } = elf.layout.segment;
  const placed = unset ? loads.map((load) => ({ ...load, paddr: elf.word(load.at + vaddr) })) : loads;
  for (const load of placed) {
    if (load.paddr + load.filesz > elf.layout.limit) {
      throw damagedElf(`the segment at ${formatHex(load.paddr)} runs past the end of the address space`);
    }
  }
  return placed;
}

/**
 * With its default page size, the GNU linker maps the ELF header into the first segment, which then begins up to 64 KiB
 * below the vector table. The header does not belong in flash, so the segment begins with its first section, as in the
 * output of objcopy.
 */
function withoutHeaders(elf: Reader, load: Segment, file: Uint8Array, first: number | undefined): AddressedBytes[] {
  const end = load.offset + load.filesz;
  const from = load.offset < elf.layout.header.size ? Math.min(first ?? end, end) : load.offset;
  return from < end ? [{ address: load.paddr + (from - load.offset), bytes: file.subarray(from, end) }] : [];
}

/** The address of the first section that goes to flash. Returns undefined if there is none. */
function firstSection(elf: Reader): number | undefined {
  const { header, section } = elf.layout;
  const sections = tableOffsets(elf, "section", "shoff", "shnum", "shentsize", section.size);
  if (sections.length === 0) {
    throw new ImageError(
      "ELF: the first segment holds the ELF header, and no section headers say where the firmware begins",
      "Link with -n (--nmagic), or make a raw binary with `objcopy -O binary --gap-fill 0xff` before stripping.",
    );
  }
  let first: number | undefined;
  for (const at of sections) {
    if (!isFlashed(elf, at)) continue;
    const start = elf.word(at + section.offset);
    if (start >= header.size && (first === undefined || start < first)) first = start;
  }
  return first;
}

function isFlashed(elf: Reader, at: number): boolean {
  const { flags, length } = elf.layout.section;
  return elf.u32(at + 4) !== SHT_NOBITS && elf.word(at + flags) % (2 * SHF_ALLOC) >= SHF_ALLOC && elf.word(at + length) > 0;
}

function damagedElf(what: string): ImageError {
  return new ImageError(`ELF: ${what}`, "Build or download it again; a raw binary must not be named .elf.");
}
