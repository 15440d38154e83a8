// A simulated A/B device in a folder, for Node: device.json (identity, floor, current slots) and two slot files for
// each component. device.json is replaced by rename, and this single step is the commit. Protects against a power cut
// at any point, but not against an attacker who can write to the folder. The caller passes the file system, so that
// this package imports nothing.

import { formatSequence, parseSequence } from "../base/number.js";
import type { Bytes, Source } from "../base/types.js";
import { feed, inputOf } from "../cbor/reader.js";
import type { Commit, ComponentId, Device } from "../install/device.js";
import type { Identity } from "../interpreter/frame.js";

/** The part of node:fs that is used here. */
export interface FileSystem {
  openSync(path: string, flags: string, mode?: number): number;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  fsyncSync(fd: number): void;
  closeSync(fd: number): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string, options: { recursive: boolean }): unknown;
  existsSync(path: string): boolean;
  statSync(path: string): { size: number };
  readFileSync(path: string, encoding: "utf8"): string;
}

/**
 * The content of device.json. Identifiers are lower-case hex; components are named by the hex of their parts, joined by
 * "-".
 */
export interface DeviceRecord {
  format: "firmseal-device-1";
  vendor: string[];
  class: string[];
  device: string[];
  /** In decimal, up to 2^64 - 1. */
  floor: string;
  /** Device.counters(), in hex. Absent before the first installation. */
  counters?: string;
  /** The capacity of a slot, in bytes. */
  capacity: number;
  /** For each component, the current slot (0 or 1) and the size of its image. */
  components: { [name: string]: { slot: number; size: number } };
  /** The current one of envelope.a.suit and envelope.b.suit; "" before the first installation. */
  envelope: string;
}

/** A device with files in a folder. */
export interface FileDevice extends Device {
  /** The content of device.json. */
  record: DeviceRecord;
  /** The envelope of the current release, or null. */
  envelope(): Source | null;
  /** The names of the components that were invoked in this session. */
  invoked: string[];
  /** The payloads for fetch(), by URI. */
  payloads: { [uri: string]: Source | Bytes };
}

/** Files are read and written in chunks of this many bytes. */
var CHUNK = 262144;

function hex(bytes: Bytes): string {
  var out = "",
    i;
  for (i = 0; i < bytes.length; i++) out += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
  return out;
}

function unhex(text: string): Bytes {
  var out = [],
    i;
  for (i = 0; i + 1 < text.length; i += 2) out.push(parseInt(text.substring(i, i + 2), 16));
  return out;
}

function all<T, U>(list: T[], f: (x: T) => U): U[] {
  var out = [],
    i;
  for (i = 0; i < list.length; i++) out.push(f(list[i]));
  return out;
}

function partName(part: Bytes): string {
  return hex(part) || "_";
}

/** Whether a table has a member of its own: names are untrusted, and may be those of members of Object. */
function own(table: object, name: string): boolean {
  return Object.prototype.hasOwnProperty.call(table, name);
}

/**
 * Names a component on disk. No identifier can lead out of the folder.
 *
 * @param id - The component.
 * @returns Hex of its parts, "_" for an empty one: unique for each.
 */
export function componentName(id: ComponentId): string {
  return all(id, partName).join("-") || "none";
}

function readExactly(fs: FileSystem, fd: number, offset: number, n: number): Uint8Array {
  var out = new Uint8Array(n),
    have = 0,
    got;
  while (have < n) {
    got = fs.readSync(fd, out, have, n - have, offset + have);
    if (got === 0) throw new Error("the file is shorter than it was");
    have += got;
  }
  return out;
}

/**
 * Reads a file as a Source. Its descriptor stays open until the process ends.
 *
 * @param fs - The file system: `node:fs`.
 * @param path - The file.
 * @param length - Its length in bytes.
 * @returns The source.
 */
export function fileSource(fs: FileSystem, path: string, length: number): Source {
  var fd = fs.openSync(path, "r");
  return {
    length: length,
    chunk: CHUNK,
    read: function (offset: number, n: number) {
      return readExactly(fs, fd, offset, n);
    },
  };
}

function typed(bytes: Bytes): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}

function writeFully(fs: FileSystem, fd: number, bytes: Uint8Array, position: number): void {
  var done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** Replaces a file atomically: temporary file, fsync, rename. Removes the temporary file if this fails. */
function replace(fs: FileSystem, path: string, write: (fd: number) => void): void {
  var temporary = path + ".new",
    fd = fs.openSync(temporary, "w", 384),
    whole = false;
  try {
    try {
      write(fd);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
    whole = true;
  } finally {
    if (!whole) fs.unlinkSync(temporary);
  }
}

/**
 * Makes the names in a folder durable. Windows has no such operation and returns EPERM or EISDIR. fsync(2) does not
 * define them, nor does open(2) for reading.
 *
 * @param fs - The file system: `node:fs`.
 * @param folder - The folder.
 */
export function syncFolder(fs: Pick<FileSystem, "openSync" | "fsyncSync" | "closeSync">, folder: string): void {
  var fd;
  try {
    fd = fs.openSync(folder, "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (e) {
    if ((e as { code?: string }).code !== "EPERM" && (e as { code?: string }).code !== "EISDIR") throw e;
  }
}

function ascii(text: string): Uint8Array {
  var out = new Uint8Array(text.length),
    i;
  for (i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

function writeRecord(fs: FileSystem, folder: string, record: DeviceRecord): void {
  replace(fs, folder + "/device.json", function (fd) {
    writeFully(fs, fd, ascii(JSON.stringify(record, null, 2) + "\n"), 0);
  });
}

/**
 * Makes a folder and those around it. Not the recursive mkdir of Node 20: it never returns where a folder is there and
 * takes no other one, as in /proc.
 */
function makeFolders(fs: FileSystem, path: string): void {
  // a backslash separates on Windows, where paths rarely have both
  var at = path.lastIndexOf(path.indexOf("/") < 0 ? "\\" : "/");
  if (fs.existsSync(path)) return;
  try {
    fs.mkdirSync(path, { recursive: false });
  } catch (e) {
    if ((e as { code?: string }).code === "ENOENT" && at > 0) {
      makeFolders(fs, path.slice(0, at));
      // not for a path that ends with a slash
      if (!fs.existsSync(path)) fs.mkdirSync(path, { recursive: false });
    } else if (!fs.existsSync(path)) throw e;
  }
}

/**
 * Creates the folder of a device, and its device.json.
 *
 * @param fs - The file system: `node:fs`.
 * @param folder - The folder.
 * @param identity - Vendor and class, 16 bytes each.
 * @param capacity - Bytes of a slot.
 * @throws Error if one already exists.
 * @example
 * ```ts
 * import * as fs from "node:fs";
 * import { install } from "@firmseal/verifier";
 * import { createFileDevice, fileDevice } from "@firmseal/verifier/device/file";
 *
 * createFileDevice(fs, "device", { vendor: [vendorUuid], class: [classUuid] }, 65_536);
 * const opened = fileDevice(fs, "device");
 * install(envelope, trust, opened).next();
 * ```
 */
export function createFileDevice(fs: FileSystem, folder: string, identity: Identity, capacity: number): void {
  if (fs.existsSync(folder + "/device.json")) throw new Error("there is already a device");
  makeFolders(fs, folder + "/slots");
  writeRecord(fs, folder, {
    format: "firmseal-device-1",
    vendor: all(identity.vendor, hex),
    class: all(identity.class, hex),
    device: all(identity.device || [], hex),
    floor: "0",
    capacity: capacity,
    components: {},
    envelope: "",
  });
  syncFolder(fs, folder);
}

function isHexList(list: unknown): boolean {
  var i;
  if (!list || typeof (list as string[]).length !== "number") return false;
  for (i = 0; i < (list as string[]).length; i++) if (!/^([0-9a-f]{2})+$/.test((list as string[])[i])) return false;
  return true;
}

function readRecord(fs: FileSystem, folder: string): DeviceRecord {
  var record = JSON.parse(fs.readFileSync(folder + "/device.json", "utf8")) as DeviceRecord,
    names,
    i,
    part;
  if (
    !record ||
    record.format !== "firmseal-device-1" ||
    !isHexList(record.vendor) ||
    !isHexList(record.class) ||
    !isHexList(record.device) ||
    !isHexList(record.counters === undefined ? [] : [record.counters]) ||
    !(record.capacity >= 0) ||
    !record.components ||
    !/^[ab]?$/.test(record.envelope)
  )
    throw new Error("device.json is not a device record");
  parseSequence(record.floor);
  names = Object.keys(record.components);
  for (i = 0; i < names.length; i++) {
    part = record.components[names[i]];
    if (!/^(none|([0-9a-f]+|_)(-([0-9a-f]+|_))*)$/.test(names[i]) || (part.slot !== 0 && part.slot !== 1) || !(part.size >= 0))
      throw new Error("device.json is not a device record");
  }
  return record;
}

/**
 * Opens the device in a folder, which createFileDevice() has created.
 *
 * @param fs - The file system: `node:fs`.
 * @param folder - The folder.
 * @returns The device. Its functions throw if another process has changed the device meanwhile.
 * @throws Error if the folder has no valid device.json.
 */
export function fileDevice(fs: FileSystem, folder: string): FileDevice {
  var record = readRecord(fs, folder),
    installing = true,
    fresh: { [name: string]: { fd: number; path: string; size: number } } = {},
    open: { [path: string]: Source } = {},
    device: FileDevice;

  function path(name: string, slot: number): string {
    return folder + "/slots/" + name + (slot ? ".b" : ".a");
  }

  function part(name: string): { slot: number; size: number } {
    return own(record.components, name) ? record.components[name] : { slot: 0, size: 0 };
  }

  /** Refuses once another device has changed the folder: a slot that was not current may be current now. */
  function settled(): void {
    if (JSON.stringify(readRecord(fs, folder)) !== JSON.stringify(record)) throw new Error("the device has changed meanwhile");
  }

  /** The envelope file that is not current. */
  function other(): string {
    return record.envelope === "a" ? "b" : "a";
  }

  function envelopeFile(which: string): string {
    return folder + "/envelope." + which + ".suit";
  }

  function close(): void {
    var names = Object.keys(fresh),
      i;
    for (i = 0; i < names.length; i++) fs.closeSync(fresh[names[i]].fd);
  }

  device = {
    identity: { vendor: all(record.vendor, unhex), class: all(record.class, unhex), device: all(record.device, unhex) },
    record: record,
    invoked: [],
    payloads: {},
    chunk: CHUNK,
    floor: function () {
      return parseSequence(record.floor);
    },
    counters: function () {
      return record.counters === undefined ? null : unhex(record.counters);
    },
    begin: function (forInstalling: boolean) {
      device.discard();
      installing = forInstalling;
    },
    capacity: function (id: ComponentId) {
      // a name that is too long for the file system is not a component of this device
      return componentName(id).length <= 200 ? record.capacity : -1;
    },
    slot: function (id: ComponentId) {
      var slot = part(componentName(id)).slot;
      return installing ? 1 - slot : slot;
    },
    erase: function (id: ComponentId) {
      var name = componentName(id),
        target = installing ? path(name, 1 - part(name).slot) : folder + "/slots/" + name + ".ram";
      settled();
      if (own(fresh, name)) {
        fs.closeSync(fresh[name].fd);
        delete fresh[name];
      }
      fresh[name] = { fd: fs.openSync(target, "w+", 384), path: target, size: 0 };
    },
    write: function (id: ComponentId, offset: number, bytes: Bytes) {
      var f = fresh[componentName(id)];
      settled();
      writeFully(fs, f.fd, typed(bytes), offset);
      if (offset + bytes.length > f.size) f.size = offset + bytes.length;
    },
    size: function (id: ComponentId, isFresh: boolean) {
      var name = componentName(id);
      return isFresh ? fresh[name].size : part(name).size;
    },
    read: function (id: ComponentId, offset: number, n: number, isFresh: boolean) {
      var name = componentName(id),
        file;
      if (isFresh) return readExactly(fs, fresh[name].fd, offset, n);
      file = path(name, part(name).slot);
      if (!own(open, file)) open[file] = fileSource(fs, file, part(name).size);
      return open[file].read(offset, n);
    },
    invoke: function (id: ComponentId) {
      device.invoked.push(componentName(id));
      return true;
    },
    keep: function (envelope: Bytes | Source) {
      var file = envelopeFile(other()),
        r = inputOf(envelope);
      settled();
      replace(fs, file, function (fd) {
        var at = 0;
        feed(r, r, function (bytes) {
          writeFully(fs, fd, typed(bytes), at);
          at += bytes.length;
        });
      });
      return fileSource(fs, file, r.n);
    },
    persist: function (commit: Commit) {
      settled();
      var components: DeviceRecord["components"] = {},
        names = Object.keys(record.components),
        updated: DeviceRecord,
        i,
        name;
      for (i = 0; i < names.length; i++) components[names[i]] = record.components[names[i]];
      for (i = 0; i < commit.written.length; i++) {
        name = componentName(commit.written[i]);
        fs.fsyncSync(fresh[name].fd);
        components[name] = { slot: 1 - part(name).slot, size: fresh[name].size };
      }
      syncFolder(fs, folder + "/slots");
      // file systems do not order changes of names: that of the envelope must reach the disk before that of the record
      syncFolder(fs, folder);
      updated = {
        format: record.format,
        vendor: record.vendor,
        class: record.class,
        device: record.device,
        floor: formatSequence(commit.sequence),
        counters: hex(commit.counters),
        capacity: record.capacity,
        components: components,
        envelope: other(),
      };
      writeRecord(fs, folder, updated);
      // from here on the new release is current: a later failure must not remove its slots
      record = device.record = updated;
      close();
      fresh = {};
      open = {};
      syncFolder(fs, folder);
    },
    discard: function () {
      var names = Object.keys(fresh),
        left = fresh,
        i,
        now;
      fresh = {};
      if (names.length === 0) return;
      now = readRecord(fs, folder);
      // remove data that failed its check, so that nothing takes it for an image later (python-tuf CVE-2020-15163)
      for (i = 0; i < names.length; i++) {
        fs.closeSync(left[names[i]].fd);
        // unless another session has made it current since
        if (!own(now.components, names[i]) || left[names[i]].path !== path(names[i], now.components[names[i]].slot))
          fs.unlinkSync(left[names[i]].path);
      }
    },
    fetch: function (uri: string) {
      return own(device.payloads, uri) ? device.payloads[uri] : undefined;
    },
    envelope: function () {
      var file = envelopeFile(record.envelope);
      return record.envelope ? fileSource(fs, file, fs.statSync(file).size) : null;
    },
  };
  return device;
}
