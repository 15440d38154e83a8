// Small writers of the formats, and a sample of each. Every field can be set wrong, one at a time.

import { countingBytes } from "./bytes.js";

export interface Part {
  address: number;
  bytes: Uint8Array;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function text(...lines: string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.map((l) => `${l}\n`).join(""), "latin1"));
}

// Intel HEX

export const EOF = ":00000001FF";

export function record(type: number, offset: number, data: ArrayLike<number>): string {
  const bytes = [data.length, offset >> 8, offset & 0xff, type, ...Array.from(data)];
  const sum = bytes.reduce((a, b) => a + b, 0);
  return `:${[...bytes, -sum & 0xff].map((b) => b.toString(16).toUpperCase().padStart(2, "0")).join("")}`;
}

export function linearBase(upper: number): string {
  return record(4, 0, [upper >> 8, upper & 0xff]);
}

/** Records of at most `width` bytes, none across a border of 64 KiB. */
export function writeHex(parts: readonly Part[], width = 16): Uint8Array {
  const lines: string[] = [];
  for (const { address, bytes } of parts) {
    let upper = -1;
    for (let i = 0; i < bytes.length; ) {
      const at = address + i;
      const offset = at % 0x10000;
      if ((at - offset) / 0x10000 !== upper) {
        upper = (at - offset) / 0x10000;
        lines.push(linearBase(upper));
      }
      const n = Math.min(width, bytes.length - i, 0x10000 - offset);
      lines.push(record(0, offset, bytes.subarray(i, i + n)));
      i += n;
    }
  }
  return text(...lines, EOF);
}

// UF2

export interface Block {
  magic0?: number;
  magic1?: number;
  flags?: number;
  address: number;
  size?: number;
  number: number;
  total: number;
  family?: number;
  data: Uint8Array;
  tail?: number[];
  end?: number;
}

export const RP2040 = 0xe48bff56;
export const FAMILY_PRESENT = 0x2000;

export function uf2Block(b: Block): Uint8Array {
  const out = new Uint8Array(512);
  const view = new DataView(out.buffer);
  const fields = [
    b.magic0 ?? 0x0a324655,
    b.magic1 ?? 0x9e5d5157,
    b.flags ?? FAMILY_PRESENT,
    b.address,
    b.size ?? b.data.length,
    b.number,
    b.total,
    b.family ?? RP2040,
  ];
  fields.forEach((field, i) => {
    view.setUint32(4 * i, field, true);
  });
  out.set(b.data, 32);
  out.set(b.tail ?? [], 32 + b.data.length);
  view.setUint32(508, b.end ?? 0x0ab16f30, true);
  return out;
}

export function uf2Blocks(parts: readonly Part[], size = 256): Block[] {
  const cut = parts.flatMap(({ address, bytes }) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
      address: address + i * size,
      data: bytes.subarray(i * size, (i + 1) * size),
    })),
  );
  return cut.map((c, number) => ({ ...c, number, total: cut.length }));
}

export function writeUf2(blocks: readonly Block[]): Uint8Array {
  return concat(...blocks.map(uf2Block));
}

// ELF

export interface Segment extends Part {
  type?: number;
  vaddr?: number;
  offset?: number;
  filesz?: number;
  memsz?: number;
}

export interface Section {
  type?: number;
  flags?: number;
  address: number;
  offset: number;
  size: number;
}

export interface Elf {
  wide?: boolean;
  little?: boolean;
  type?: number;
  version?: number;
  ehsize?: number;
  phoff?: number;
  phnum?: number;
  phentsize?: number;
  shoff?: number;
  shnum?: number;
  /** Maps the header and the program headers into the first segment, like a linker with large pages. */
  mapHeader?: boolean;
  segments: readonly Segment[];
  sections?: readonly Section[];
}

/** Header, program headers, contents of the segments, section headers. */
export function writeElf(elf: Elf): Uint8Array {
  const wide = elf.wide ?? false;
  const little = elf.little ?? true;
  const [ehsize, phentsize, shentsize] = wide ? [64, 56, 64] : [52, 32, 40];
  const head = ehsize + elf.segments.length * phentsize;
  const body = elf.segments.reduce((n, s) => n + s.bytes.length, 0);
  const sections = elf.sections ? [{ type: 0, flags: 0, address: 0, offset: 0, size: 0 }, ...elf.sections] : [];
  const shoff = head + body;
  const out = new Uint8Array(shoff + sections.length * shentsize);
  const view = new DataView(out.buffer);
  const u16 = (at: number, v: number) => view.setUint16(at, v, little);
  const u32 = (at: number, v: number) => view.setUint32(at, v, little);
  const word = (at: number, v: number) => (wide ? view.setBigUint64(at, BigInt(v), little) : view.setUint32(at, v, little));
  const row = (at: number, words: readonly number[], size: number) => {
    words.forEach((w, i) => {
      if (size === 8) word(at + 8 * i, w);
      else u32(at + 4 * i, w);
    });
  };
  const unit = wide ? 8 : 4;

  out.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  u16(16, elf.type ?? 2);
  u16(18, wide ? 183 : 40);
  u32(20, elf.version ?? 1);
  row(24, [0, elf.phoff ?? ehsize, elf.shoff ?? (elf.sections ? shoff : 0)], unit);
  const tail = [elf.ehsize ?? ehsize, elf.phentsize ?? phentsize, elf.phnum ?? elf.segments.length];
  [...tail, shentsize, elf.shnum ?? sections.length, 0].forEach((v, i) => {
    u16(24 + 3 * unit + 4 + 2 * i, v);
  });

  let at = head;
  elf.segments.forEach((s, i) => {
    const extra = elf.mapHeader && i === 0 ? head : 0;
    const offset = s.offset ?? at - extra;
    const filesz = s.filesz ?? s.bytes.length + extra;
    const ph = ehsize + i * phentsize;
    const words = [offset, s.vaddr ?? s.address - extra, s.address - extra, filesz, s.memsz ?? Math.max(filesz, s.bytes.length)];
    u32(ph, s.type ?? 1);
    row(ph + unit, words, unit);
    out.set(s.bytes, at);
    at += s.bytes.length;
  });
  sections.forEach((s, i) => {
    const sh = shoff + i * shentsize;
    u32(sh + 4, s.type ?? 1);
    row(sh + 8, [s.flags ?? 2, s.address, s.offset, s.size], unit);
  });
  return out;
}

const PARTS: readonly Part[] = [
  { address: 0x10000000, bytes: countingBytes(40) },
  { address: 0x10000100, bytes: countingBytes(20) },
];

/** A file of each format that is not raw, by its name in IMAGE_FORMATS. */
export const SAMPLES: { readonly [format: string]: Uint8Array } = {
  "Intel HEX": writeHex(PARTS),
  UF2: writeUf2(uf2Blocks(PARTS)),
  ELF: writeElf({ segments: PARTS }),
};
