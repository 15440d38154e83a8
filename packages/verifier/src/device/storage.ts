// A device in Espruino's Storage: two files for each component and for the envelope, and two for records. A record says
// what is current; the newest complete one applies. It is written last, beside the older one, so that a cut leaves one
// of the two. The device never lets Storage compact, because a cut during that loses files: without room, the
// installation is refused. The device survives only what Storage itself survives: docs/guides/espruino.md describes
// this and the layout. Does not protect against an attacker who can write to Storage, and so replace the boot file.

import { subBytes } from "../base/bytes.js";
import { HAS_BOOT, HAS_GENERAL } from "../base/features.js";
import { compareSequence } from "../base/number.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { feed, inputOf, sameBytes } from "../cbor/reader.js";
import type { Commit, ComponentId, TrialDevice } from "../install/device.js";
import { type Arrival, arrive, arrived, type Shelf } from "../install/receive.js";
import type { Identity } from "../interpreter/frame.js";
import { HASH_SHA_256 } from "../spec/cose.js";
import { DEVICE_FAULT, NOT_SUPPORTED, STORAGE_FULL, UNCONFIRMED } from "../spec/errors.generated.js";
import { sameId } from "./component.js";
import { nextGeneration } from "./generation.js";
import {
  digestText,
  fileOf,
  HEAD,
  type Kept,
  keptCounters,
  keptSize,
  newestKept,
  note,
  ONES,
  PART,
  type StorageIo,
  slotOf,
  textOf,
  u32InText,
  ZEROS,
} from "./storage-record.js";

export type { EspruinoE, EspruinoStorage, StorageIo } from "./storage-record.js";

/** A device in the Storage of Espruino. */
export interface StorageDevice extends TrialDevice {
  /** SHA-256 of an image, computed in place. */
  digest(id: ComponentId, fresh: boolean, alg: number): Bytes | undefined;
  /** The texts of the images that boot() has verified and invoked, in order. Start them with eval(). */
  invoked: string[];
  /**
   * Removes what the next installation replaces: the files of the previous release, to which the device can no longer
   * go back. Afterwards, compaction of Storage makes room for the next release. Throws a Refusal, UNCONFIRMED, if the
   * current release is on trial.
   */
  makeRoom(): void;
}

/** The global `firmsealApp` of an app. */
export interface StartedApp {
  confirm(): void;
  /** The text of component `i`: 0 is the app; others may be modules, for Modules.addCached(). */
  read(i: number): string;
}

/** Maximum overhead of a file in bytes: header, alignment, and one byte. */
var EXTRA = 40;

/**
 * Removes a file, and any file with part of its name: a header that was not completely written when the power failed.
 * Otherwise its room would be lost for good.
 */
function remove(io: StorageIo, name: string): void {
  var whole = name + ZEROS,
    i;
  io.storage.erase(name);
  for (i = 0; i < 28; i += 4) io.storage.erase(whole.substring(0, i) + ONES.substring(i, 28));
}

/** Whether every image matches the record. */
function whole(io: StorageIo, k: Kept): boolean {
  var i, n, at;
  for (i = 1; i < k.parts; i++) {
    n = keptSize(k, i);
    at = HEAD + PART * i + 12 + 36 * slotOf(k, i);
    if (n && digestText(io, io.storage.read(fileOf(i, slotOf(k, i)), 0, n) || "") !== k.text.substring(at, at + 32)) return false;
  }
  return true;
}

/**
 * Starts the installed app: call it from the boot file. Counts the start if the release is unconfirmed, and compares
 * every image with the digest in the record. A release whose images do not match uses up a try; after the last one, the
 * previous release is used.
 *
 * @param io - From espruinoIo().
 * @param root - The global object. Its `firmsealApp` is set for the app.
 * @returns The text of component 0, or "" if nothing may be started.
 */
export function storageBoot(io: StorageIo, root: { firmsealApp?: StartedApp }): string {
  var k: Kept | null, good;
  function read(i: number): string {
    var n = keptSize(k, i + 1);
    // with 0, Storage would read all of a file. whole() has compared it: a text that is missing now starts nothing
    return (n && io.storage.read(fileOf(i + 1, slotOf(k, i + 1)), 0, n)) || "";
  }
  do {
    k = note(io, false);
    if (!k) return "";
    good = whole(io, k);
  } while (!good && k.pending);
  if (!good) return "";
  root.firmsealApp = {
    confirm: function () {
      note(io, true);
    },
    read: read,
  };
  return read(0);
}

/**
 * Reads a file in Storage as a Source.
 *
 * @param io - From espruinoIo().
 * @param name - The file.
 * @param n - Its length in bytes.
 * @returns The source.
 */
export function storageSource(io: StorageIo, name: string, n: number): Source {
  return {
    length: n,
    chunk: 256,
    read: function (offset: number, count: number) {
      return io.E.toUint8Array(textOf(io, name, offset, count));
    },
  };
}

/**
 * Opens the device in `io.storage`. Once devices are in the field, components may only be added at the end; nothing
 * else may change.
 *
 * @param io - From espruinoIo().
 * @param identity - Vendor and class, 16 bytes each.
 * @param ids - Its components.
 * @param room - Most bytes of a component.
 * @param tries - How often a new release is started without confirm() before the previous one is restored. 0: it is
 *   never restored.
 * @returns The device.
 */
export function storageDevice(io: StorageIo, identity: Identity, ids: ComponentId[], room: number, tries: number): StorageDevice {
  var kept: Kept | null,
    // the file of the record that the next commit writes, and its text: an older record, or remains, of this
    // device or of another one on this Storage
    spare = "",
    next: string | undefined,
    installing = false,
    // for each part: the file that this session writes, and its length
    files: (string | undefined)[] = [],
    // a bundle without boot() keeps no envelope
    done: number[] = [0],
    // the part that is being written, the length of its file, and up to 7 pending bytes: a word of flash is written
    // once
    open = -1,
    most = 0,
    tail = "",
    inbox: Source | null = null,
    arrival: Arrival | null = null,
    shelf: Shelf,
    device: StorageDevice;

  /** The part of a component, or -1. */
  function find(id: ComponentId): number {
    var i;
    for (i = 0; i < ids.length; i++) if (sameId(ids[i], id)) return i + 1;
    return -1;
  }

  function refresh(): void {
    kept = newestKept(io);
    spare = kept && kept.name === "firmseal.r0" ? "firmseal.r1" : "firmseal.r0";
    next = io.storage.read(spare);
  }

  /**
   * Whether another device on this Storage has committed: a file that was not current may be current now. Remains that
   * no one reads twice alike are not a record. `code`: the refusal then. One function, because each function takes RAM.
   */
  function changed(code?: number): boolean {
    var now = io.storage.read(spare) !== next && newestKept(io),
      is = !!now && (!kept || now.generation !== kept.generation);
    if (is && code) refuse(code);
    return is;
  }

  /**
   * Creates an empty file of `n` bytes, if there is room. With less room at the end, Storage would compact. No header
   * is written into the last page: if one is cut there in its first word, the firmware erases all of Storage at its
   * next start.
   *
   * A header whose first word (the size) was cut is not a header to Storage, and is overwritten. The result has the
   * common bits of both sizes: too small a size, so that place is used up, and the second attempt succeeds. All sizes
   * are odd: two sizes without a common bit would give 0, which is never a header.
   */
  function create(name: string, n: number): void {
    var i;
    changed(DEVICE_FAULT);
    if (io.storage.getFree() < n + EXTRA + (io.page || 4096)) refuse(STORAGE_FULL);
    for (i = 0; i < 2; i++) {
      remove(io, name);
      if (!n || (io.storage.write(name, "", 0, n | 1) && (io.storage.read(name) || "").length === (n | 1))) return;
    }
    refuse(DEVICE_FAULT);
  }

  /** Appends to the open file. `all`: pending bytes too. */
  function append(bytes: Bytes, all: boolean): void {
    var text = tail + io.E.toString(bytes),
      n = all ? text.length : text.length - (text.length % 8);
    tail = text.substring(n);
    if (!n) return;
    changed(DEVICE_FAULT);
    if (!io.storage.write(files[open] as string, text.substring(0, n), done[open], most)) refuse(DEVICE_FAULT);
    done[open] += n;
  }

  /** Begins the file of a part beside the current one. */
  function begin(part: number, n: number): void {
    var name = fileOf(part, 1 - slotOf(kept, part));
    // writing would overwrite the release to go back to
    if (device.pending()) refuse(UNCONFIRMED);
    append([], true);
    // discards a previously received envelope
    if (HAS_GENERAL && !part) inbox = arrival = null;
    create(name, n);
    open = part;
    files[part] = name;
    done[part] = 0;
    most = n | 1;
  }

  /** The file of a part: as written by this session, or the current one. */
  function nameOf(part: number, fresh: boolean): string {
    append([], true);
    return fresh ? (files[part] as string) : fileOf(part, slotOf(kept, part));
  }

  shelf = {
    begin: function (n) {
      begin(0, n);
    },
    write: function (bytes) {
      // a later session owns the device
      if (open) refuse(DEVICE_FAULT);
      append(bytes, false);
    },
  };
  // a micro verifier has no receive() and received()
  device = {
    identity: identity,
    chunk: 256,
    invoked: HAS_BOOT ? [] : undefined,
    floor: function () {
      return kept ? [u32InText(kept.text, 8), u32InText(kept.text, 12)] : [0, 0];
    },
    counters: function () {
      return kept && keptCounters(io, kept);
    },
    begin: function (forInstalling: boolean) {
      device.discard();
      // what was received may be current now
      if (HAS_GENERAL && changed()) inbox = arrival = null;
      refresh();
      if (HAS_GENERAL) installing = forInstalling;
      if (forInstalling && device.pending()) refuse(UNCONFIRMED);
    },
    capacity: function (id: ComponentId) {
      // a micro verifier knows one component only
      return (HAS_GENERAL ? find(id) < 0 : ids[1]) ? -1 : room;
    },
    erase: function (id: ComponentId, n?: number) {
      if (HAS_GENERAL && !installing) refuse(NOT_SUPPORTED);
      begin(HAS_GENERAL ? find(id) : 1, HAS_GENERAL && n === undefined ? room : (n as number));
    },
    write: function (id: ComponentId, offset: number, bytes: Bytes) {
      if ((HAS_GENERAL ? find(id) : 1) !== open || offset !== done[open] + tail.length) refuse(DEVICE_FAULT);
      append(bytes, false);
    },
    size: function (id: ComponentId, fresh: boolean) {
      var part = HAS_GENERAL ? find(id) : 1;
      return fresh ? done[part] + (part === open ? tail.length : 0) : keptSize(kept, part);
    },
    read: function (id: ComponentId, offset: number, n: number, fresh: boolean) {
      return io.E.toUint8Array(textOf(io, nameOf(HAS_GENERAL ? find(id) : 1, fresh), offset, n));
    },
    digest: function (id: ComponentId, fresh: boolean, alg: number) {
      return HAS_GENERAL && alg !== HASH_SHA_256
        ? undefined
        : io.sha256(textOf(io, nameOf(HAS_GENERAL ? find(id) : 1, fresh), 0, device.size(id, fresh)));
    },
    invoke: HAS_BOOT
      ? function (id: ComponentId) {
          device.invoked.push(textOf(io, nameOf(HAS_GENERAL ? find(id) : 1, false), 0, device.size(id, false)));
          return true;
        }
      : undefined,
    keep: HAS_BOOT
      ? function (envelope: Bytes | Source) {
          var r, i, n;
          if (!HAS_GENERAL) {
            begin(0, envelope.length);
            // in pieces: a text of all of it takes as much memory again
            n = envelope.length;
            // Espruino makes views past the end, and does not return from their conversion
            for (i = 0; i < n; i += 256) append(subBytes(envelope as Bytes, i, n - i < 256 ? n - i : 256), false);
            append([], true);
            open = -1;
            return storageSource(io, files[0] as string, envelope.length);
          }
          r = inputOf(envelope);
          // a received envelope stays in place if it is the one to keep
          if (inbox && (envelope === inbox || sameBytes(inputOf(inbox), r))) return inbox;
          begin(0, r.n);
          feed(r, r, shelf.write);
          append([], true);
          open = -1;
          return storageSource(io, files[0] as string, r.n);
        }
      : undefined,
    persist: function (commit: Commit) {
      var generation = nextGeneration(kept ? kept.generation : 0),
        // without a previous release, there are no tries
        cells = kept ? tries : 0,
        name = spare,
        parts = HAS_GENERAL ? ids.length + 1 : 2,
        counters = io.E.toString(commit.counters),
        body = "f2" + String.fromCharCode(cells, parts),
        fresh = [true],
        size,
        isFresh,
        slot,
        old,
        i,
        j;

      function put32(n: number): string {
        // 32 bits
        return String.fromCharCode(n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255);
      }

      // a micro verifier has just compared them
      if (HAS_GENERAL && !commit.reset && compareSequence(commit.sequence, device.floor()) < 0) refuse(DEVICE_FAULT);
      for (i = 0; HAS_GENERAL && i < commit.written.length; i++) fresh[find(commit.written[i])] = true;
      if (!files[HAS_BOOT ? 0 : 1]) refuse(DEVICE_FAULT);
      append([], true);
      body += put32(generation) + put32(commit.sequence[0]) + put32(commit.sequence[1]);
      for (i = 0; i < parts; i++) {
        isFresh = !HAS_GENERAL || fresh[i];
        slot = slotOf(kept, i);
        body += put32(isFresh ? 1 - slot : slot) + put32(slot);
        for (j = 0; j < 2; j++) {
          old = HEAD + PART * i + 8 + 36 * j;
          if (isFresh && j !== slot)
            body +=
              put32(done[i]) +
              (i
                ? // a boot file compares with what is signed, even if the image has changed since it was hashed
                  HAS_GENERAL
                  ? digestText(io, textOf(io, nameOf(i, true), 0, done[i]))
                  : io.E.toString(commit.digest as Bytes)
                : (counters + ZEROS).substring(0, 32));
          // 36 bytes without meaning, if the slot has never been used
          else body += kept && (!HAS_GENERAL || i < kept.parts) ? kept.text.substring(old, old + 36) : put32(0) + digestText(io, "");
        }
      }
      if (HAS_GENERAL) {
        counters = counters.substring(32);
        if (!(counters.length & 1)) counters += "\0";
        body += String.fromCharCode(counters.length) + counters;
      } else body += "\x01\0";
      size = body.length + 25 + 8 * cells;
      create(name, size);
      // from here on, a failure must not remove the new files
      files = [];
      io.storage.write(name, body + digestText(io, body).substring(0, 8), 0, size);
      refresh();
      if (!kept || (kept as Kept).generation !== generation) refuse(DEVICE_FAULT);
      if (HAS_GENERAL) inbox = null;
      if (!HAS_BOOT) open = -1;
    },
    discard: function () {
      var left = files,
        i;
      tail = "";
      open = -1;
      // keep a received envelope: it is about to be installed
      files = [left[0]];
      // remove data that failed its check, so that nothing takes it for an image later (python-tuf CVE-2020-15163)
      if (changed()) return;
      for (i = 1; HAS_GENERAL && i < left.length; i++) if (left[i]) io.storage.erase(left[i] as string);
      if (!HAS_GENERAL && left[1]) io.storage.erase(left[1]);
    },
    envelope: HAS_BOOT
      ? function () {
          var n = keptSize(kept, 0);
          return n ? storageSource(io, nameOf(0, false), n) : null;
        }
      : undefined,
    start: HAS_BOOT
      ? function () {
          changed(DEVICE_FAULT);
          kept = note(io, false);
          return device.envelope();
        }
      : undefined,
    makeRoom: function () {
      var i;
      // an installation that has begun does not continue: the device belongs to no session
      device.session = device.begin(true);
      if (HAS_GENERAL) {
        arrival = null;
        inbox = null;
      }
      for (i = HAS_GENERAL ? ids.length + 1 : 2; HAS_BOOT ? i-- : i-- > 1; ) remove(io, fileOf(i, 1 - slotOf(kept, i)));
    },
    confirm: function () {
      changed(DEVICE_FAULT);
      kept = note(io, true);
    },
    pending: function () {
      return !!kept && kept.pending;
    },
    rolledBack: function () {
      return !!kept && kept.back;
    },
  } as unknown as StorageDevice;
  if (HAS_GENERAL) {
    // a start would need volatile memory for an image; what a micro verifier starts loads nothing
    device.cannotLoad = true;
    device.slot = function (id) {
      var slot = slotOf(kept, find(id));
      return installing ? 1 - slot : slot;
    };
    device.receive = function (bytes: Bytes, length: number, trust: Trust, host?: Host) {
      var before = arrival;
      // discarded, unless it continues
      arrival = null;
      arrival = arrive(before, bytes, length, trust, host, device, shelf);
    };
    device.received = function () {
      var a = arrival,
        s: Source,
        read: Source["read"];
      arrival = null;
      if (!a && inbox) return inbox;
      arrived(a);
      s = storageSource(io, nameOf(0, true), done[0]);
      read = s.read;
      open = -1;
      // a reader would get unverified bytes
      s.read = function (offset: number, n: number) {
        if (inbox !== s) refuse(DEVICE_FAULT);
        return read(offset, n);
      };
      inbox = s;
      return s;
    };
  }
  refresh();
  return device;
}
