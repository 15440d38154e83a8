// An A/B device in memory: two slots for each component, one of them current. For tests and examples, and a pattern for real ones.

import type { Bytes, Sequence, Source } from "../base/types.js";
import { copySlice, inputOf } from "../cbor/reader.js";
import type { Commit, ComponentId, Device } from "../install/device.js";
import type { Identity } from "../interpreter/frame.js";
import { sameId } from "./component.js";

interface Part {
  id: ComponentId;
  capacity: number;
  slots: number[][];
  /** The slot that is current. */
  current: number;
  /** What this session wrote: installing, it goes to the other slot; booting, it stays in memory and is gone at the next begin(). */
  fresh: number[] | null;
}

export interface MemoryDevice extends Device {
  parts: Part[];
  sequence: Sequence;
  /** What counters() gives. */
  counted: Bytes | null;
  /** The envelope of what is current, and the one that will be. */
  envelope: Bytes | null;
  kept: Bytes | null;
  installing: boolean;
  /** Payloads that fetch() can give, by URI. */
  payloads: { [uri: string]: Bytes | Source };
  /** Components that were invoked, in order. */
  invoked: { id: ComponentId; args: Bytes | undefined }[];
}

/** A device with the components `ids`, each of two empty slots of `capacity` bytes. */
export function memoryDevice(identity: Identity, ids: ComponentId[], capacity: number): MemoryDevice {
  var device: MemoryDevice,
    parts: Part[] = [],
    i;

  function find(id: ComponentId): Part {
    var k;
    for (k = 0; k < parts.length; k++) if (sameId(parts[k].id, id)) return parts[k];
    throw new Error("no such component");
  }

  for (i = 0; i < ids.length; i++) parts.push({ id: ids[i], capacity: capacity, slots: [[], []], current: 0, fresh: null });
  device = {
    identity: identity,
    parts: parts,
    sequence: [0, 0],
    counted: null,
    envelope: null,
    kept: null,
    installing: false,
    payloads: {},
    invoked: [],
    floor: function () {
      return device.sequence;
    },
    counters: function () {
      return device.counted;
    },
    begin: function (installing: boolean) {
      device.discard();
      device.installing = installing;
    },
    capacity: function (id: ComponentId) {
      var k;
      for (k = 0; k < parts.length; k++) if (sameId(parts[k].id, id)) return parts[k].capacity;
      return -1;
    },
    slot: function (id: ComponentId) {
      return device.installing ? 1 - find(id).current : find(id).current;
    },
    erase: function (id: ComponentId) {
      var part = find(id);
      part.fresh = [];
      if (device.installing) part.slots[1 - part.current] = part.fresh;
    },
    write: function (id: ComponentId, offset: number, bytes: Bytes) {
      var fresh = find(id).fresh as number[],
        k;
      for (k = 0; k < bytes.length; k++) fresh[offset + k] = bytes[k];
    },
    size: function (id: ComponentId, fresh: boolean) {
      var part = find(id);
      return (fresh ? (part.fresh as number[]) : part.slots[part.current]).length;
    },
    read: function (id: ComponentId, offset: number, n: number, fresh: boolean) {
      var part = find(id);
      return (fresh ? (part.fresh as number[]) : part.slots[part.current]).slice(offset, offset + n);
    },
    invoke: function (id: ComponentId, args: Bytes | undefined) {
      device.invoked.push({ id: id, args: args });
      return true;
    },
    keep: function (envelope: Bytes | Source) {
      var from = inputOf(envelope);
      device.kept = copySlice(from, from);
      return device.kept;
    },
    persist: function (commit: Commit) {
      var k, part;
      for (k = 0; k < commit.written.length; k++) {
        part = find(commit.written[k]);
        part.current = 1 - part.current;
        part.fresh = null;
      }
      device.sequence = commit.sequence;
      device.counted = commit.counters;
      device.envelope = device.kept;
      device.kept = null;
    },
    discard: function () {
      var k;
      for (k = 0; k < parts.length; k++) {
        if (parts[k].fresh && device.installing) parts[k].slots[1 - parts[k].current] = [];
        parts[k].fresh = null;
      }
      device.kept = null;
    },
    fetch: function (uri: string) {
      return Object.prototype.hasOwnProperty.call(device.payloads, uri) ? device.payloads[uri] : undefined;
    },
  };
  return device;
}
