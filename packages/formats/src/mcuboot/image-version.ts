// Versions of images: major u8, minor u8, revision u16, build u32.

import { refuseFormat } from "../refusal.js";

export interface ImageVersionNumbers {
  readonly major: number;
  readonly minor: number;
  readonly revision: number;
  readonly build: number;
}

const NUMBER = "(0|[1-9]\\d{0,9})";
const PATTERN = new RegExp(`^${NUMBER}(?:\\.${NUMBER}(?:\\.${NUMBER}(?:\\+${NUMBER})?)?)?$`);

/**
 * Reads a version as text.
 *
 * @param text - MAJOR[.MINOR[.REVISION[+BUILD]]]; what is missing is 0.
 * @returns The numbers.
 * @throws FormatRefusal MCUBOOT_VERSION.
 */
export function parseImageVersion(text: string): ImageVersionNumbers {
  const match = PATTERN.exec(text);
  const [major, minor, revision, build] = [1, 2, 3, 4].map((i) => Number(match?.[i] ?? 0)) as [number, number, number, number];
  if (!match || major > 0xff || minor > 0xff || revision > 0xffff || build > 0xffffffff)
    return refuseFormat("MCUBOOT_VERSION", -1, JSON.stringify(text));
  return { major, minor, revision, build };
}

/** The version as text; without a build of 0. */
export const formatImageVersion = ({ major, minor, revision, build }: ImageVersionNumbers) =>
  `${major}.${minor}.${revision}${build === 0 ? "" : `+${build}`}`;

export const readVersion = (view: DataView, at: number): ImageVersionNumbers => ({
  major: view.getUint8(at),
  minor: view.getUint8(at + 1),
  revision: view.getUint16(at + 2, true),
  build: view.getUint32(at + 4, true),
});

/** 8 bytes. */
export function writeVersion({ major, minor, revision, build }: ImageVersionNumbers): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, major);
  view.setUint8(1, minor);
  view.setUint16(2, revision, true);
  view.setUint32(4, build, true);
  return new Uint8Array(view.buffer);
}

/** The security counter that imgtool derives from a version. The build does not count. */
export const counterOfVersion = ({ major, minor, revision }: ImageVersionNumbers) => major * 2 ** 24 + minor * 2 ** 16 + revision;
