// An A/B device in memory: two slots for each component, one of them current. For tests and examples, and as a model
// for real devices.

import type { Bytes, Sequence, Source } from "../base/types.js";
import { copySlice, inputOf } from "../cbor/reader.js";
import type { Commit, ComponentId, Device } from "../install/device.js";
import type { Identity } from "../interpreter/frame.js";
import { sameId } from "./component.js";

interface Part {
  id: ComponentId;
  capacity: number;
  slots: number[][];
  /** The current slot. */
  current: number;
  /**
   * What this session has written. When installing, it goes to the other slot; when booting, it stays in memory until
   * the next begin().
   */
  fresh: number[] | null;
}

/** A device in RAM, for tests and examples. */
export interface MemoryDevice extends Device {
  /** The slots of the components, in the order of `ids`. */
  parts: Part[];
  /** The floor. */
  sequence: Sequence;
  /** The result of counters(). */
  counted: Bytes | null;
  /** The envelope of the current release, and the one that will become current. */
  envelope: Bytes | null;
  kept: Bytes | null;
  installing: boolean;
  /** The payloads for fetch(), by URI. */
  payloads: { [uri: string]: Bytes | Source };
  /** The components that were invoked, in order. */
  invoked: { id: ComponentId; args: Bytes | undefined }[];
}

/**
 * Makes a device in RAM, for tests and examples. Each component has two empty slots.
 *
 * @param identity - Vendor and class, 16 bytes each.
 * @param ids - The components. Functions of the device throw an Error for others.
 * @param capacity - Bytes of a slot.
 * @returns The device.
 * @example
 * ```ts
 * import { boot, install } from "@firmseal/verifier";
 * import { memoryDevice } from "@firmseal/verifier/device/memory";
 *
 * const simulated = memoryDevice({ vendor: [vendorUuid], class: [classUuid] }, [[[0]]], 65_536);
 * install(envelope, trust, simulated).next();
 * if (simulated.envelope) boot(simulated.envelope, trust, simulated).next();
 * console.log(simulated.invoked.length); // 1
 * ```
 */
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
