// A floor for each role on a device that has one: a debug release neither raises the floor of releases nor is held by
// it. The counters of the device hold the floors: they are a part of its record, so they change in one step with the
// images, and never go back. Firmware without this wrapper reads the same record: its floor is the highest of all.

import { concat, subBytes } from "../base/bytes.js";
import { sequenceLess } from "../base/number.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Sequence } from "../base/types.js";
import type { Commit, Device, TrialDevice } from "../install/device.js";
import { epochOf, SUM } from "../install/session.js";
import { DEVICE_FAULT } from "../spec/errors.generated.js";
import { ROLE_RECOVERY, ROLE_RELEASE } from "../spec/trust.js";

/** A device with a floor for each role. */
export interface RoleDevice extends Device {
  /** The role of the current release, even after the device went back. Start it in this role. */
  currentRole(): number;
}

// The counters: those of the last commit, with its role and the highest epoch of all; the role of the release to go
// back to; the floor, the role and the epoch of the last role; then the floor and the counters of each other role that
// has them.

/** Bytes of the counters of one release, and of a floor. */
const ONE = 32;
const FLOOR = 8;
/** The role and the epoch at the end of the counters of one release. */
const END = ONE - SUM;
/** Where the role and the epoch of the last role begin, and the entries of the other roles. */
const OWN = ONE + 1 + FLOOR;
const OTHERS = OWN + END;

/** A number of 32 bits as 4 bytes. */
function octets(n: number): Bytes {
  // 32 bits
  return [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function half(b: Bytes, at: number): number {
  return b[at] * 16777216 + b[at + 1] * 65536 + b[at + 2] * 256 + b[at + 3];
}

interface Entry {
  floor: Sequence;
  counters: Bytes | null;
}

/** The entry in 40 bytes, for `role`. Counters that nobody kept are those of no manifest. */
function entryBytes(e: Entry, role: number): Bytes {
  var c = e.counters || [],
    out: number[] = [],
    i;
  for (i = 0; i < ONE; i++) out.push(i === SUM ? role : i < c.length ? c[i] : 0);
  return concat([octets(e.floor[0]), octets(e.floor[1]), out]);
}

/**
 * Gives a device a floor for each role. What it has installed before counts for every role.
 *
 * @param device - The device, which keeps counters. It changes.
 * @returns The same device.
 * @throws DEVICE_FAULT if the device keeps no counters.
 * @example
 * ```ts
 * import { boot, policyOf } from "@firmseal/verifier";
 * import { roleFloors } from "@firmseal/verifier/device/roles";
 *
 * const withRoles = roleFloors(device);
 * const kept = device.envelope();
 * if (kept) boot(kept, policyOf(store, withRoles.currentRole(), device.identity), withRoles).next();
 * ```
 */
export function roleFloors<D extends Device>(device: D): D & RoleDevice {
  var one = device as D & RoleDevice,
    floor = one.floor,
    counters = one.counters as () => Bytes | null,
    persist = one.persist;

  /** The floor and counters of a role, or null if it has none. */
  function entry(role: number): Entry | null {
    var c = counters(),
      n = c ? c.length - OTHERS : -1,
      at = OTHERS;
    if (!c || n < 0 || n % (FLOOR + ONE)) return c || floor()[0] || floor()[1] ? { floor: floor(), counters: c } : null;
    if (c[SUM] === role)
      return { floor: [half(c, ONE + 1), half(c, ONE + 5)], counters: concat([subBytes(c, 0, SUM), subBytes(c, OWN, END)]) };
    while (at < c.length && c[at + FLOOR + SUM] !== role) at += FLOOR + ONE;
    return at < c.length ? { floor: [half(c, at), half(c, at + 4)], counters: subBytes(c, at + FLOOR, ONE) } : null;
  }

  if (!counters) refuse(DEVICE_FAULT);
  one.floor = function (role) {
    var e = entry(role || ROLE_RELEASE);
    return e ? e.floor : [0, 0];
  };
  one.counters = function (role) {
    var e = entry(role || ROLE_RELEASE);
    return e && e.counters;
  };
  one.currentRole = function () {
    var c = counters() || [],
      trial = one as unknown as TrialDevice;
    return (c.length > ONE && trial.rolledBack && trial.rolledBack() ? c[ONE] : c[SUM]) || ROLE_RELEASE;
  };
  one.persist = function (commit: Commit) {
    var role = commit.counters[SUM] || ROLE_RELEASE,
      last = entryBytes({ floor: commit.sequence, counters: commit.counters }, role),
      first = subBytes(last, FLOOR, ONE),
      others: Bytes[] = [],
      highest = commit.sequence,
      own,
      e,
      i;
    if (role < ROLE_RELEASE || role > ROLE_RECOVERY || (!commit.reset && sequenceLess(commit.sequence, one.floor(role))))
      refuse(DEVICE_FAULT);
    for (i = ROLE_RELEASE; i <= ROLE_RECOVERY; i++) {
      e = i === role ? null : entry(i);
      if (e) {
        others.push(entryBytes(e, i));
        if (sequenceLess(highest, e.floor)) highest = e.floor;
        // firmware without this wrapper must not reset the floor again
        if (epochOf(first) < epochOf(e.counters))
          first = concat([subBytes(first, 0, SUM + 1), subBytes(e.counters as Bytes, SUM + 1, END - 1)]);
      }
    }
    own = [first, [one.currentRole()], subBytes(last, 0, FLOOR), subBytes(last, FLOOR + SUM, END)];
    persist({ sequence: highest, written: commit.written, counters: concat(own.concat(others)), reset: commit.reset || false });
  };
  return one;
}
