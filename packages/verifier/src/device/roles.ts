// A floor for each role on a device that has one: a debug release neither raises the floor of releases nor is held by
// it. The floors are in a component of their own, which is written with each release and becomes current in the same
// step. So they need no place of their own, and go back together with the images. No manifest can name the component.

import { concat, equalConstantTime, subBytes } from "../base/bytes.js";
import { sequenceLess } from "../base/number.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Sequence } from "../base/types.js";
import type { Commit, ComponentId, Device } from "../install/device.js";
import { SUM } from "../install/session.js";
import { COMPONENT_UNKNOWN, DEVICE_FAULT } from "../spec/errors.generated.js";
import { ROLE_RECOVERY, ROLE_RELEASE } from "../spec/trust.js";
import { sameId } from "./component.js";

/** The component identifier of the floors: the letters "floors". */
export var FLOORS_COMPONENT: ComponentId = [[102, 108, 111, 111, 114, 115]];

/** Bytes that the component needs at least. */
const FLOORS_BYTES = 128;

/** A device with a floor for each role. */
export interface RoleDevice extends Device {
  /** The role of the current release, even after the device went back. Start it in this role. */
  currentRole(): number;
}

// The component: the role of the release that it was written with; then for each role that has a floor the role, the
// number of bytes that follow, the floor (8 bytes) and what counters() returned.

/** A number of 32 bits as 4 bytes. */
function octets(n: number): Bytes {
  // 32 bits
  return [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function half(b: Bytes, at: number): number {
  return b[at] * 16777216 + b[at + 1] * 65536 + b[at + 2] * 256 + b[at + 3];
}

function entryOf(floor: Sequence, counters: Bytes | null): Bytes {
  return concat([octets(floor[0]), octets(floor[1]), counters || []]);
}

/**
 * Gives `device` a floor for each role, and returns it. It needs a component "floors" (FLOORS_COMPONENT) of at least
 * 128 bytes. What a device has installed before counts for every role. Throws COMPONENT_UNKNOWN if the component is
 * missing or too small, or if the device keeps no counters.
 *
 * device = roleFloors(flashDevice(flash, identity, layout, invoke));
 * boot(device.envelope(), policyOf(store, device.currentRole(), identity), device)
 */
export function roleFloors<D extends Device>(device: D): D & RoleDevice {
  var one = device as D & RoleDevice,
    floor = one.floor,
    counters = one.counters as () => Bytes | null,
    capacity = one.capacity,
    persist = one.persist;

  /** The role of the last commit. Without a trust file, it is a release. */
  function last(): number {
    var c = counters();
    return (c && c[SUM]) || ROLE_RELEASE;
  }

  function all(): Bytes {
    var n = one.size(FLOORS_COMPONENT, false);
    return n ? one.read(FLOORS_COMPONENT, 0, n, false) : [];
  }

  /** The floor and counters of a role; empty if it has none. */
  function entry(role: number): Bytes {
    var kept = all(),
      at = 1;
    // the record of the device is newer than the component, which may have gone back
    if (role === last() || !kept.length) return entryOf(floor(), counters());
    while (at < kept.length && kept[at] !== role) at += 2 + kept[at + 1];
    return at < kept.length ? subBytes(kept, at + 2, kept[at + 1]) : [];
  }

  if (!counters || !(capacity(FLOORS_COMPONENT) >= FLOORS_BYTES)) refuse(COMPONENT_UNKNOWN);
  one.floor = function (role) {
    var e = entry(role || ROLE_RELEASE);
    return e.length ? [half(e, 0), half(e, 4)] : [0, 0];
  };
  one.counters = function (role) {
    var e = entry(role || ROLE_RELEASE);
    return e.length > 8 ? subBytes(e, 8, e.length - 8) : null;
  };
  one.capacity = function (id) {
    return sameId(id, FLOORS_COMPONENT) ? -1 : capacity(id);
  };
  one.currentRole = function () {
    return all()[0] || last();
  };
  one.persist = function (commit: Commit) {
    var role = commit.counters[SUM] || ROLE_RELEASE,
      pieces: Bytes[] = [[role]],
      bytes,
      e,
      i;
    if (!commit.reset && sequenceLess(commit.sequence, one.floor(role))) refuse(DEVICE_FAULT);
    for (i = ROLE_RELEASE; i <= ROLE_RECOVERY; i++) {
      e = i === role ? entryOf(commit.sequence, commit.counters) : entry(i);
      if (e.length) pieces.push([i, e.length], e);
    }
    bytes = concat(pieces);
    one.erase(FLOORS_COMPONENT, bytes.length);
    one.write(FLOORS_COMPONENT, 0, bytes);
    if (!equalConstantTime(bytes, one.read(FLOORS_COMPONENT, 0, bytes.length, true))) refuse(DEVICE_FAULT);
    // the floor of the device is that of the last role, which may be lower than that of the role before
    persist({ sequence: commit.sequence, written: commit.written.concat([FLOORS_COMPONENT]), counters: commit.counters, reset: true });
  };
  return one;
}
