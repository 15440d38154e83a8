// A device on raw NOR flash: two slots for each component and for the envelope, and two pages for records. A record
// says what is current; the newest complete one applies. It is written last, into the page of the older one, so that a
// cut at any point leaves one of the two. Protects against a power cut at any write and erase. Does not protect against
// an attacker who can write to the flash, nor against code that starts images without this device: an unsigned boot
// loader is not a root of trust. docs/guides/devices.md describes the layout and the limits.

import { concat, equalConstantTime, newBytes } from "../base/bytes.js";
import { HAS_GENERAL } from "../base/features.js";
import { compareSequence } from "../base/number.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import { feed, type Input, inputOf, sameBytes } from "../cbor/reader.js";
import type { Commit, ComponentId, TrialDevice } from "../install/device.js";
import { type Arrival, arrive, arrived, type Shelf } from "../install/receive.js";
import type { Identity } from "../interpreter/frame.js";
import { DEVICE_FAULT, STORAGE_FULL, UNCONFIRMED } from "../spec/errors.generated.js";
import { sameId } from "./component.js";
import {
  CONFIRMED,
  COUNTED,
  ERASED,
  type FlashRecord,
  MAGIC,
  MOST,
  newestFlashRecord,
  octets,
  octetsAt,
  recordSize,
  STARTED,
  sealOf,
} from "./flash-record.js";
import { nextGeneration } from "./generation.js";

/** The flash driver. Each function does what it promises, or throws. */
export interface Flash {
  /** The number of bytes that erase() sets to 255. */
  pageSize: number;
  read(address: number, n: number): Bytes;
  /** `address` and the number of bytes are multiples of 4. Each word is written only once after its page was erased. */
  write(address: number, bytes: Bytes): void;
  /** Erases the page at `address`. */
  erase(address: number): void;
}

/** Two regions of whole pages, of `size` bytes each. */
export interface FlashArea {
  slots: [number, number];
  size: number;
}

/** A component, and the place of its two slots. */
export interface FlashComponent extends FlashArea {
  id: ComponentId;
}

/**
 * The flash layout. Once devices are in the field, components may only be added at the end; nothing else may change.
 */
export interface FlashLayout {
  components: FlashComponent[];
  envelopes: FlashArea;
  /** Addresses of two pages. */
  records: [number, number];
  /**
   * How often a new release is started without confirm() before the previous one is restored. Default: no limit, it is
   * never restored.
   */
  tries?: number;
}

/** Starts an image. `address` is its address, or -1 for a loaded image, which read(id, …, true) returns. */
export type FlashInvoke = (id: ComponentId, args: Bytes | undefined, address: number, size: number) => boolean;

/** A device on raw flash, with trials of new releases: confirm() ends one. */
export type FlashDevice = TrialDevice;

interface Writer {
  base: number;
  size: number;
  /** Bytes accepted. The last `tail` of them, up to 3, are not written yet. */
  n: number;
  tail: Bytes;
  /** The number of erased bytes from `base` on. */
  erased: number;
  closed: boolean;
  /** Whether its place has been overwritten since. */
  stale: boolean;
  /** For booting: the content itself. */
  ram: number[] | null;
}

function part(bytes: Bytes, from: number, to: number): Bytes {
  var out, i;
  if (from === 0 && to === bytes.length) return bytes;
  out = newBytes(to - from);
  for (i = from; i < to; i++) out[i - from] = bytes[i];
  return out;
}

/** Throws if a layout does not fit the flash, or if two regions share a page. */
function checkLayout(flash: Flash, areas: FlashArea[], layout: FlashLayout): void {
  var begin: number[] = [],
    size: number[] = [],
    i,
    j;
  function add(at: number, n: number): void {
    if (!(at >= 0 && n > 0 && n < 2147483648) || at % flash.pageSize || n % flash.pageSize)
      throw new Error("the layout is not in whole pages");
    begin.push(at);
    size.push(n);
  }
  for (i = 0; i < areas.length; i++) for (j = 0; j < 2; j++) add(areas[i].slots[j], areas[i].size);
  for (j = 0; j < 2; j++) add(layout.records[j], flash.pageSize);
  for (i = 0; i < begin.length; i++)
    for (j = 0; j < i; j++) if (begin[i] < begin[j] + size[j] && begin[j] < begin[i] + size[i]) throw new Error("the layout overlaps");
  if (recordSize(areas.length, COUNTED) + (layout.tries || 0) * 4 + 4 > flash.pageSize) throw new Error("a record does not fit a page");
}

/**
 * Opens the device on `flash`. Reads the records and writes nothing.
 *
 * @param flash - Reads, writes and erases the flash.
 * @param identity - Vendor and class, 16 bytes each.
 * @param layout - Where slots, envelopes and records are.
 * @param invoke - Starts an image.
 * @returns The device. Its functions throw what `flash` throws, and the Refusals UNCONFIRMED and STORAGE_FULL.
 * @example
 * ```ts
 * import { install } from "@firmseal/verifier";
 * import { type FlashLayout, flashDevice } from "@firmseal/verifier/device/flash";
 *
 * const memory = new Uint8Array(32 * 4096).fill(255);
 * const flash = {
 *   pageSize: 4096,
 *   read: (address: number, n: number) => memory.slice(address, address + n),
 *   write: (address: number, bytes: ArrayLike<number>) => memory.set(bytes, address),
 *   erase: (address: number) => void memory.fill(255, address, address + 4096),
 * };
 * const layout: FlashLayout = {
 *   components: [{ id: [[0]], slots: [0, 0x8000], size: 0x8000 }],
 *   envelopes: { slots: [0x10000, 0x14000], size: 0x4000 },
 *   records: [0x18000, 0x19000],
 * };
 * const opened = flashDevice(flash, { vendor: [vendorUuid], class: [classUuid] }, layout, () => true);
 * install(envelope, trust, opened).next();
 * ```
 */
export function flashDevice(flash: Flash, identity: Identity, layout: FlashLayout, invoke: FlashInvoke): FlashDevice {
  var areas: FlashArea[] = [layout.envelopes],
    record: FlashRecord | null = null,
    // for each area, twice the size plus the slot, as in a record: a word of 32 bits
    current: number[] = [],
    back = false,
    pending = false,
    // the record, or its remains, in the page that the next commit writes: of this device or of another on this flash
    next: Bytes,
    installing = false,
    fresh: (Writer | undefined)[] = [],
    // the incoming envelope, its parts that have arrived, and what will be kept
    inbox: Writer | null = null,
    inboxSource: Source | null = null,
    arrival: Arrival | null = null,
    kept: Writer | null = null,
    shelf: Shelf,
    device: FlashDevice,
    i;

  function nextPage(): Bytes {
    var n = recordSize(areas.length, MOST);
    return octetsAt(flash, layout.records[record ? 1 - record.page : 0], n < flash.pageSize ? n : flash.pageSize);
  }

  function refresh(): void {
    var k, list: number[];
    record = newestFlashRecord(flash, layout.records);
    next = nextPage();
    back = !!record && !record.confirmed && record.starts > record.tries;
    pending = !!record && !record.confirmed && !back;
    list = record ? (back ? record.before : record.now) : [];
    current = [];
    for (k = 0; k < areas.length; k++) current.push(list[k] || 0);
  }

  function index(id: ComponentId): number {
    var k;
    for (k = 0; k < layout.components.length; k++) if (sameId(layout.components[k].id, id)) return k + 1;
    return -1;
  }

  /**
   * Whether another device on this flash has committed: the slot that was not current may be current now. Remains that
   * no one reads twice alike are not a record.
   */
  function changed(): boolean {
    var now = equalConstantTime(nextPage(), next) ? null : newestFlashRecord(flash, layout.records);
    return !!now && (!record || now.generation !== record.generation);
  }

  function settled(): void {
    if (changed()) refuse(DEVICE_FAULT);
  }

  function writerAt(base: number, size: number, ram: number[] | null): Writer {
    return { base: base, size: size, n: 0, tail: [], erased: 0, closed: false, stale: false, ram: ram };
  }

  /** Refuses while a release is unconfirmed: writing would overwrite the release to go back to. */
  function free(): void {
    if (pending) refuse(UNCONFIRMED);
    settled();
  }

  function writer(area: number): Writer {
    free();
    return writerAt(areas[area].slots[1 - (current[area] & 1)], areas[area].size, null);
  }

  /** Writes whole words. Erases a page when its first byte arrives. */
  function put(w: Writer, bytes: Bytes, at: number): void {
    settled();
    for (; w.erased < at + bytes.length; w.erased += flash.pageSize) flash.erase(w.base + w.erased);
    if (bytes.length) flash.write(w.base + at, bytes);
  }

  function append(w: Writer, bytes: Bytes): void {
    var all = w.tail.length ? concat([w.tail, bytes]) : bytes,
      whole = all.length - (all.length % 4),
      k;
    if (w.closed) throw new Error("write beyond the end");
    if (bytes.length > w.size - w.n) refuse(STORAGE_FULL);
    if (w.ram) for (k = 0; k < bytes.length; k++) w.ram.push(bytes[k]);
    else {
      put(w, part(all, 0, whole), w.n - w.tail.length);
      w.tail = part(all, whole, all.length);
    }
    w.n += bytes.length;
  }

  /** Writes the rest, padded with erased bytes: its word is never written again. */
  function close(w: Writer): void {
    if (w.tail.length) put(w, part(concat([w.tail, [255, 255, 255]]), 0, 4), w.n - w.tail.length);
    w.tail = [];
    w.closed = true;
  }

  /** A Source for an area. `w`: its writer, if the content is not current yet. */
  function source(base: number, n: number, w: Writer | null): Source {
    var s: Source = {
      length: n,
      read: function (offset: number, count: number) {
        // a reader would get unverified bytes
        if (w && w.stale) throw new Error("another envelope is being received");
        return flash.read(base + offset, count);
      },
    };
    if (device.chunk) s.chunk = device.chunk;
    return s;
  }

  function place(area: number): number {
    return areas[area].slots[current[area] & 1];
  }

  /** The place for an envelope that is not current. Discards a previously received envelope. */
  function envelopeWriter(): Writer {
    var w = writer(0);
    if (inbox) inbox.stale = true;
    inbox = inboxSource = kept = arrival = null;
    return w;
  }

  /** Writes the envelope beside the current one. install() reads it back. */
  function store(r: Input): Writer {
    var w = envelopeWriter();
    feed(r, r, function (bytes) {
      append(w, bytes);
    });
    close(w);
    return w;
  }

  /** Erases the page of the older record and writes the new one. Its last word makes it apply. */
  function writeRecord(floor: Sequence, now: number[], counters: Bytes): void {
    var page = record ? 1 - record.page : 0,
      at = layout.records[page],
      // without a previous release, there is nothing to go back to
      tries = (current[0] && layout.tries) || 0,
      words = [MAGIC, nextGeneration(record ? record.generation : 0), floor[0], floor[1], tries, areas.length, counters.length],
      body,
      k;
    for (k = 0; k < areas.length; k++) words.push(now[k], current[k]);
    body = concat([octets(words), counters, part([0, 0, 0], 0, -counters.length & 3)]);
    // with a floor for each role, the counters are longer
    if (body.length + tries * 4 + 8 > flash.pageSize) refuse(STORAGE_FULL);
    flash.erase(at);
    flash.write(at, body);
    if (!equalConstantTime(flash.read(at, body.length), body)) throw new Error("the record was not written");
    // from here on, a failure must not remove the new slots
    fresh = [];
    flash.write(at + body.length, sealOf(body));
  }

  /** Writes the next word of the journal. If it is not erased, another device on this flash has written it. */
  function mark(r: FlashRecord, word: number): void {
    if (!equalConstantTime(octetsAt(flash, r.next, 4), octets([ERASED]))) refuse(DEVICE_FAULT);
    flash.write(r.next, octets([word]));
  }

  // a micro verifier has no receive() and received()
  device = {
    identity: identity,
    floor: function () {
      return record ? record.floor : [0, 0];
    },
    counters: function () {
      return record && record.counters;
    },
    begin: function (forInstalling: boolean) {
      device.discard();
      installing = forInstalling;
      if (installing && pending) refuse(UNCONFIRMED);
    },
    capacity: function (id: ComponentId) {
      var k = index(id);
      return k < 0 ? -1 : areas[k].size;
    },
    slot: function (id: ComponentId) {
      var slot = current[index(id)] & 1;
      return installing ? 1 - slot : slot;
    },
    erase: function (id: ComponentId) {
      var k = index(id);
      // not every engine has arrays with holes
      while (fresh.length < k) fresh.push(undefined);
      fresh[k] = installing ? writer(k) : writerAt(-1, areas[k].size, []);
    },
    write: function (id: ComponentId, offset: number, bytes: Bytes) {
      var w = fresh[index(id)] as Writer;
      if (offset !== w.n) throw new Error("write out of order");
      append(w, bytes);
    },
    size: function (id: ComponentId, isFresh: boolean) {
      var k = index(id),
        w = fresh[k];
      if (!isFresh) return current[k] >>> 1;
      close(w as Writer);
      return (w as Writer).n;
    },
    read: function (id: ComponentId, offset: number, n: number, isFresh: boolean) {
      var k = index(id),
        w = fresh[k];
      if (!isFresh) return flash.read(place(k) + offset, n);
      if ((w as Writer).ram) return part((w as Writer).ram as number[], offset, offset + n);
      close(w as Writer);
      return flash.read((w as Writer).base + offset, n);
    },
    invoke: function (id: ComponentId, args: Bytes | undefined) {
      var k = index(id),
        w = fresh[k];
      return invoke(id, args, w ? w.base : place(k), w ? w.n : current[k] >>> 1);
    },
    keep: function (envelope: Bytes | Source) {
      var r;
      if (!HAS_GENERAL) {
        kept = envelopeWriter();
        append(kept, envelope as Bytes);
        close(kept);
        return source(kept.base, kept.n, kept);
      }
      r = inputOf(envelope);
      // a received envelope stays in place if it is the one to keep
      kept = inboxSource && (envelope === inboxSource || sameBytes(inputOf(inboxSource), r)) ? (inbox as Writer) : store(r);
      return source(kept.base, kept.n, kept);
    },
    persist: function (commit: Commit) {
      var now: number[] = [],
        generation = record ? record.generation : 0,
        k,
        j,
        w;
      free();
      if (!commit.reset && compareSequence(commit.sequence, device.floor()) < 0) throw new Error("the floor would go down");
      for (k = 0; k < areas.length; k++) now.push(current[k]);
      for (j = 0; j < commit.written.length; j++) {
        k = index(commit.written[j]);
        w = fresh[k] as Writer;
        close(w);
        now[k] = w.n * 2 + 1 - (current[k] & 1);
      }
      if (!kept) throw new Error("no envelope was kept");
      now[0] = kept.n * 2 + 1 - (current[0] & 1);
      writeRecord(commit.sequence, now, commit.counters);
      inbox = inboxSource = kept = null;
      refresh();
      if (!record || record.generation !== nextGeneration(generation)) throw new Error("the record was not written");
    },
    discard: function () {
      var left = fresh,
        k,
        w;
      fresh = [];
      kept = null;
      if (changed()) return;
      // no record refers to it; erase its first page anyway, so that nothing takes it for an image (python-tuf
      // CVE-2020-15163)
      for (k = 1; k < left.length; k++) {
        w = left[k];
        if (w && w.erased) flash.erase(w.base);
      }
    },
    envelope: function () {
      return current[0] > 1 ? source(place(0), current[0] >>> 1, null) : null;
    },
    start: function () {
      var r = record as FlashRecord;
      settled();
      if (pending) {
        mark(r, STARTED);
        // Out of tries, or the word was not written: an uncounted start could fail forever. The previous release is
        // current.
        if (r.starts === r.tries || equalConstantTime(flash.read(r.next, 4), octets([ERASED]))) {
          pending = false;
          back = true;
          current = r.before;
        } else {
          r.starts++;
          r.next += 4;
        }
      }
      return device.envelope();
    },
    confirm: function () {
      var found;
      settled();
      // an app cannot confirm a release that was installed while it ran and has not started yet
      if (!pending || !(record as FlashRecord).starts) return;
      mark(record as FlashRecord, CONFIRMED);
      // without the mark, the next start would go back to what an installation has overwritten by then
      found = newestFlashRecord(flash, layout.records);
      if (!found || !found.confirmed) throw new Error("the mark was not written");
      pending = false;
    },
    pending: function () {
      return pending;
    },
    rolledBack: function () {
      return back;
    },
  } as unknown as FlashDevice;
  if (HAS_GENERAL) {
    shelf = {
      begin: function (n) {
        if (n > areas[0].size) refuse(STORAGE_FULL);
        inbox = envelopeWriter();
      },
      write: function (bytes) {
        append(inbox as Writer, bytes);
      },
    };
    device.receive = function (bytes: Bytes, length: number, trust: Trust, host?: Host) {
      var before = arrival;
      // discarded, unless it continues
      arrival = null;
      arrival = arrive(before, bytes, length, trust, host, device, shelf);
    };
    device.received = function () {
      var a = arrival;
      arrival = null;
      if (a || !inboxSource) {
        arrived(a);
        close(inbox as Writer);
        inboxSource = source((inbox as Writer).base, (inbox as Writer).n, inbox);
      }
      return inboxSource as Source;
    };
  }
  for (i = 0; i < layout.components.length; i++) areas.push(layout.components[i]);
  checkLayout(flash, areas, layout);
  refresh();
  return device;
}
