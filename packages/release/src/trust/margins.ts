// How many keys of a role may be lost. A key may be limited to a vendor or a class, count from a number, or end at one.
// So the question is asked for each kind of device that the limits distinguish, at each number that changes the answer.

import { formatUuid, ROLES, type RoleName } from "@firmseal/signer";
import type { Bytes, Identity, TrustAnchor, TrustStore } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { LAST } from "../input/sequence.js";
import { countedTogether, knownFamilies, listedFor, numbersAbove, windowOf } from "./quorum.js";

/** How many keys of a role must sign, and how many have it. */
export interface NeededKeys {
  readonly needed: number;
  readonly of: number;
}

/** What a role can still lose. */
export interface RoleMargin extends NeededKeys {
  readonly role: RoleName;
  /**
   * Keys that may be lost, whichever they are, before nobody can sign in the role for some devices that can be reached
   * now. -1: no device has as many keys as it needs.
   */
  readonly margin: number;
  /** The devices that can lose no more than that, in words; null: all. */
  readonly where: string | null;
}

/** A kind of device with numbers from `from` to `to`. `spare` and `keys`: for each list. */
interface Point {
  readonly kind: string;
  readonly from: bigint;
  readonly to: bigint;
  /** Keys that may be lost; -1: too few count. */
  readonly spare: readonly number[];
  /** Keys that count. */
  readonly keys: readonly number[];
}

const hex = (id: Bytes | undefined) => id && toHex(Uint8Array.from(id));

/** The limits that the keys of a role have. Undefined: none of these. */
function limitsIn(anchors: readonly TrustAnchor[], member: "vendor" | "class"): (Bytes | undefined)[] {
  const all = new Map(anchors.flatMap((a) => (a[member] ? [[hex(a[member]), a[member]] as const] : [])));
  return [...all.values(), undefined];
}

/** The kind of device that has these keys, in words. `all`: of every kind. */
function kindWords(own: readonly TrustAnchor[], all: readonly TrustAnchor[]): string {
  const [vendor, name] = (["vendor", "class"] as const).map((member) => own.find((a) => a[member])?.[member]);
  const [vendors, classes] = (["vendor", "class"] as const).map((member) => all.some((a) => a[member]));
  const id = (bytes: Bytes) => formatUuid(Uint8Array.from(bytes));
  if (!vendor && !name && (vendors || classes))
    return `${[vendors && "vendors", classes && "classes"].filter(Boolean).join(" or ")} that no key names`;
  const words = [vendor ? `vendor ${id(vendor)}` : vendors && "other vendors", name ? `class ${id(name)}` : classes && "other classes"];
  return words.filter(Boolean).join(", ");
}

/** The kinds of device that the limits of the keys distinguish, each with one of its identities. */
function kindsOf(stores: readonly TrustStore[], role: number): Map<string, Identity> {
  const all = stores.flatMap(({ anchors }) => anchors).filter((a) => a.roles.includes(role));
  const kinds = new Map<string, Identity>();
  for (const vendor of limitsIn(all, "vendor"))
    for (const name of limitsIn(all, "class")) {
      const identity = { vendor: vendor ? [vendor] : [], class: name ? [name] : [] };
      const words = kindWords(
        stores.flatMap((store) => listedFor(store, role, identity)),
        all,
      );
      if (!kinds.has(words)) kinds.set(words, identity);
    }
  return kinds;
}

/** The floors at which other keys count, ascending: a key has ended, or a release can go to its first number. */
function floorsIn(stores: readonly TrustStore[], role: number): bigint[] {
  const found = stores.flatMap(({ anchors, jumps }) =>
    anchors
      .filter((a) => a.roles.includes(role))
      .map(windowOf)
      .flatMap(({ from, until }) => [until, from - numbersAbove(1n, jumps[role]).highest + 1n]),
  );
  // a new device has no floor to jump from
  return [...new Set([0n, 1n, ...found])].filter((floor) => floor >= 0n && floor < LAST).sort((a, b) => (a < b ? -1 : 1));
}

interface Spare {
  readonly spare: number;
  readonly keys: number;
}

/** How many keys a kind of device has at a floor, and how many it may lose, at best: a release may skip numbers. */
function spareKeys(store: TrustStore, role: number, identity: Identity): (floor: bigint) => Spare {
  const families = knownFamilies(store, role);
  const counting = listedFor(store, role, identity)
    .filter((a) => a.alg)
    .map((a) => ({ ...windowOf(a), cose: a.cose }));
  const spare = (keys: readonly { cose: number }[]): Spare => {
    const threshold = store.thresholds[role];
    if (!threshold || !families) return { spare: -1, keys: keys.length };
    // a key may be the last one of its family
    const spares = families.map((f) => keys.filter(({ cose }) => f.ids.includes(cose)).length - f.threshold);
    return { spare: Math.max(-1, Math.min(keys.length - threshold, ...spares)), keys: keys.length };
  };
  return (floor) =>
    countedTogether(counting, numbersAbove(floor, store.jumps[role]))
      .map(spare)
      .reduce((best, one) => (one.spare > best.spare || (one.spare === best.spare && one.keys > best.keys) ? one : best), spare([]));
}

function pointsOf(stores: readonly TrustStore[], role: number): Point[] {
  const floors = floorsIn(stores, role);
  return [...kindsOf(stores, role)].flatMap(([kind, identity]) => {
    const spares = stores.map((store) => spareKeys(store, role, identity));
    return floors.map((from, i) => {
      const found = spares.map((spare) => spare(from));
      return {
        kind,
        from,
        to: (floors[i + 1] ?? LAST) - 1n,
        spare: found.map(({ spare }) => spare),
        keys: found.map(({ keys }) => keys),
      };
    });
  });
}

/** The numbers of a kind among all its numbers, in words; "" for all of them. */
function numberWords(own: readonly Point[], all: readonly Point[]): string {
  if (own.length === all.length) return "";
  // those that follow one another
  const first = own[0] as Point;
  const last = own.findLast((p, i) => i === all.indexOf(p) - all.indexOf(first)) as Point;
  const isLast = last === all.at(-1);
  if (first === all[0]) return ` below number ${last.to + 1n}`;
  return isLast ? ` at number ${first.from} or above` : ` at numbers ${first.from} to ${last.to}`;
}

/** Which devices are those of `own` among `all`, in words; null: all of them. */
function whereWords(own: readonly Point[], all: readonly Point[]): string | null {
  const kinds = [...new Set(own.map(({ kind }) => kind))];
  const of = (points: readonly Point[], kind: string) => points.filter((p) => p.kind === kind);
  const words = kinds.map((kind) => [kind, numberWords(of(own, kind), of(all, kind))] as const);
  const numbers = new Set(words.map(([, text]) => text));
  // all kinds, at the same numbers
  if (kinds.length === new Set(all.map(({ kind }) => kind)).size && numbers.size === 1) {
    const [text] = numbers;
    return text ? `devices${text}` : null;
  }
  const [[kind, text] = ["", ""], ...more] = words;
  return `devices of ${kind}${text}${more.length > 0 ? `, and others` : ""}`;
}

const roles = Object.keys(ROLES) as RoleName[];

/** Null if no key has the role. */
export function neededKeys(store: TrustStore | undefined, role: RoleName): NeededKeys | null {
  const needed = store?.thresholds[ROLES[role]];
  return store && needed ? { needed, of: store.anchors.filter((a) => a.roles.includes(ROLES[role])).length } : null;
}

/** Returns the roles of a trust file, and how many keys of each may be lost. */
export function roleMargins(store: TrustStore): RoleMargin[] {
  return roles.flatMap((role) => {
    const n = neededKeys(store, role);
    if (!n) return [];
    // a kind of device for which too few keys count is not one that the file is for
    const points = pointsOf([store], ROLES[role]).filter(({ spare: [own] }) => (own as number) >= 0);
    const margin = Math.min(...points.map(({ spare }) => spare[0] as number));
    if (points.length === 0) return [{ role, ...n, margin: -1, where: null }];
    const least = points.filter(({ spare: [own] }) => own === margin);
    return [{ role, ...n, margin, where: whereWords(least, points) }];
  });
}

/** Returns how many keys may be lost, and for which devices that is so. */
export function marginWords({ margin, where }: Pick<RoleMargin, "margin" | "where">): string {
  const many = margin > 0 ? `${margin} may be lost` : margin === 0 ? "none may be lost" : "no device has enough of them";
  return where === null ? many : `${many} (${where})`;
}

/** Returns in words where fewer keys of a role may be lost after a change, and how many; undefined: nowhere. */
export function fallenMargin(before: TrustStore, after: TrustStore, role: RoleName): string | undefined {
  const points = pointsOf([before, after], ROLES[role]).filter(({ spare: [was] }) => (was as number) >= 0);
  const fallen = points.filter(({ spare: [was, is] }) => (is as number) < (was as number));
  if (fallen.length === 0) return undefined;
  const left = Math.min(...fallen.map(({ spare }) => spare[1] as number));
  const worst = fallen.filter(({ spare }) => spare[1] === left);
  const [was, keys] = [Math.max(...worst.map(({ spare }) => spare[0] as number)), Math.max(...worst.map((p) => p.keys[1] as number))];
  const where = whereWords(worst, points);
  const { needed } = neededKeys(after, role) ?? { needed: 0 };
  const who = where === null ? "" : ` for ${where}`;
  if (left < 0) return `role ${role}: ${keys} of ${needed} needed keys count${who}, so nobody can sign for them`;
  return `role ${role}: ${needed} of ${keys} keys are needed${who}, so ${marginWords({ margin: left, where: null })}; before ${was}`;
}
