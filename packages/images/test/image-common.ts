// What the tests of images share.

import fc from "fast-check";
import { expect } from "vitest";
import type { Part } from "../../test-support/src/image-writers.js";
import { DETECT_BYTES, detectFormat, type Image, ImageError, type ImageFormat, parseImage } from "../src/image-formats.js";

export type Parsed = Exclude<ImageFormat, "raw">;
export const bytes = (...values: number[]) => Uint8Array.from(values);
export const MIB = 1024 * 1024;

export function read(file: Uint8Array, format: Parsed): Image {
  expect(detectFormat(file.subarray(0, DETECT_BYTES), "firmware.bin")).toBe(format);
  return parseImage(file, format);
}

export function refuse(file: Uint8Array, format: Parsed, message: RegExp): ImageError {
  try {
    parseImage(file, format);
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    const { message: said, hint } = error as ImageError;
    expect(said).toMatch(message);
    expect(`${said}${hint}`).not.toContain("\n");
    expect(hint.length).toBeGreaterThan(10);
    return error as ImageError;
  }
  throw new Error(`not refused: ${message}`);
}

/** What the parts look like in flash, laid out in the plainest way. */
export function flash(parts: readonly Part[]): Omit<Image, "format"> {
  const address = Math.min(...parts.map((p) => p.address));
  const end = Math.max(...parts.map((p) => p.address + p.bytes.length));
  const out = new Uint8Array(end - address).fill(0xff);
  for (const p of parts) out.set(p.bytes, p.address - address);
  return { address, bytes: out, gaps: end - address - parts.reduce((n, p) => n + p.bytes.length, 0) };
}

/** One to four parts with gaps from 0 to 300 bytes, anywhere in 4 GiB, in any order. */
export const parts = fc
  .tuple(
    fc.oneof(fc.constantFrom(0, 0xfff0, 0x08000000, 0x7ffffff0, 0x90000000, 0xfffff000), fc.nat(0xffff0000)),
    fc.array(fc.tuple(fc.nat(300), fc.uint8Array({ minLength: 1, maxLength: 700 })), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([start, list, backwards]) => {
    let at = start;
    const out: Part[] = [];
    for (const [gap, content] of list) {
      out.push({ address: at, bytes: content });
      at += content.length + gap;
    }
    return backwards ? out.reverse() : out;
  })
  .filter((list) => list.every((p) => p.address + p.bytes.length <= 2 ** 32));
