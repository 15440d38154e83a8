// Reads a file out of a ZIP archive: the central directory, entries stored or deflated. No ZIP64, no encryption.

import { crc32, inflateRawSync } from "node:zlib";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/** The content of the entry `name`; throws if the archive has none, or if it is damaged. */
export function readZip(archive, name) {
  // the end record is 22 bytes and a comment of at most 65,535
  let end = archive.length - 22;
  while (end >= 0 && end >= archive.length - 22 - 65_535 && archive.readUInt32LE(end) !== END) end--;
  if (end < 0 || archive.readUInt32LE(end) !== END) throw new Error("no ZIP archive");
  let at = archive.readUInt32LE(end + 16);
  for (let n = archive.readUInt16LE(end + 10); n > 0; n--) {
    if (archive.readUInt32LE(at) !== CENTRAL) throw new Error("a damaged ZIP archive");
    const nameLength = archive.readUInt16LE(at + 28);
    if (archive.toString("utf8", at + 46, at + 46 + nameLength) === name) return content(archive, at);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`the ZIP archive holds no ${name}`);
}

function content(archive, at) {
  const method = archive.readUInt16LE(at + 10);
  const local = archive.readUInt32LE(at + 42);
  // the local header has a name and an extra field of its own lengths
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + archive.readUInt32LE(at + 20));
  if (method !== STORED && method !== DEFLATED) throw new Error(`compression method ${method} is not read here`);
  const bytes = method === STORED ? packed : inflateRawSync(packed);
  if (bytes.length !== archive.readUInt32LE(at + 24)) throw new Error("a damaged ZIP archive");
  // node has its own CRC-32 from 20.15 on
  if (crc32(bytes) !== archive.readUInt32LE(at + 16)) throw new Error("a damaged ZIP archive");
  return bytes;
}
