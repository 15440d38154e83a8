// Images of ESP32 chips that tests compose.

import { createHash } from "node:crypto";

/** What an image has that others do not. */
export interface Parts {
  readonly chip?: number;
  /** Lengths of the segments behind the first one, which has the descriptor. */
  readonly more?: readonly number[];
  /** Undefined: version 1.2.3. null: none. */
  readonly version?: string | null;
  readonly hash?: boolean;
}

function descriptor(version: string): Buffer {
  const out = Buffer.alloc(256);
  out.writeUInt32LE(0xabcd5432, 0);
  out.writeUInt32LE(7, 4);
  for (const [at, text] of [
    [16, version],
    [48, "thermostat"],
    [80, "12:00:00"],
    [96, "Dec  2 2026"],
    [112, "v5.5"],
  ] as const)
    out.write(text, at, "latin1");
  out.fill(0xe1, 144, 176);
  return out;
}

/** An image as esptool elf2image writes it. */
export function espImage({ chip = 5, more = [300], version = "1.2.3", hash = true }: Parts = {}): Uint8Array {
  const header = Buffer.alloc(24);
  header.set([0xe9, 1 + more.length, 2, 0x20]);
  header.writeUInt32LE(0x40380000, 4);
  header[8] = 0xee;
  header.writeUInt16LE(chip, 12);
  header.writeUInt16LE(399, 17);
  header[23] = hash ? 1 : 0;
  const segments = [version === null ? Buffer.alloc(256, 3) : descriptor(version), ...more.map((n) => Buffer.alloc(n, 5))];
  const parts: Buffer[] = [header];
  for (const [i, data] of segments.entries()) {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x3c000020 + i * 0x10000, 0);
    head.writeUInt32LE(data.length, 4);
    parts.push(head, data);
  }
  const body = Buffer.concat(parts);
  const padded = Buffer.alloc(body.length - (body.length % 16) + 16);
  padded.set(body);
  padded[padded.length - 1] = segments.reduce((sum, data) => data.reduce((one, byte) => one ^ byte, sum), 0xef);
  return new Uint8Array(hash ? Buffer.concat([padded, createHash("sha256").update(padded).digest()]) : padded);
}
