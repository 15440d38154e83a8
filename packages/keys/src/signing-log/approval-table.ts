// Who approved what, in logs of any length: 16 bytes for each entry, because approvals between logs are compared in the
// order of their times.

import { type ApprovalFacts, NO_APPROVAL, type Unapproved, withoutApprover } from "./approvers.js";
import { type Entry, JOIN } from "./entry.js";

const PART = 65_536;

/** Numbers, as many as come. */
class Column {
  private readonly parts: Float64Array[] = [];
  length = 0;

  push(value: number): void {
    if (this.length % PART === 0) this.parts.push(new Float64Array(PART));
    (this.parts.at(-1) as Float64Array)[this.length++ % PART] = value;
  }

  at(i: number): number {
    return (this.parts[Math.floor(i / PART)] as Float64Array)[i % PART] as number;
  }
}

/** An entry as approvals see it. */
export interface Placed extends ApprovalFacts {
  /** Its number among all entries of all logs, from 0. */
  at: number;
}

const USUAL = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A number for a time, in the order of their texts: its digits after "20". undefined for one of another form. */
function numberOfTime(time: string): number | undefined {
  if (!USUAL.test(time)) return undefined;
  let number = 0;
  for (let i = 2; i < time.length; i++) {
    const digit = time.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) number = number * 10 + digit;
  }
  return number;
}

/** The inverse of numberOfTime(). */
function timeOfNumber(number: number): string {
  return String(number)
    .padStart(15, "0")
    .replace(/(..)(..)(..)(..)(..)(..)(...)/, "20$1-$2-$3T$4:$5:$6.$7Z");
}

const ZERO = "0".charCodeAt(0);

/** Collects what approvals depend on. */
export class ApprovalTable {
  /**
   * Of each entry: its time, or for an unusual one what -1 - x is the number of; and the number of its facts, negative
   * for a copy of an entry.
   */
  private readonly times = new Column();
  private readonly says = new Column();
  private readonly unusual: string[] = [];
  /** The facts of entries, each once. The first ones are those of an entry that does not matter. */
  private readonly facts: ApprovalFacts[] = [{ operation: "" }];
  private readonly numbers = new Map<string, number>();
  private readonly logs: { from: number; isJoined: boolean }[] = [];

  /** Begins a log. */
  begin(): void {
    this.logs.push({ from: this.times.length, isJoined: false });
  }

  /** Takes an entry. `isNew`: a copied log begins with the same entries, which count in their log only. */
  take(entry: Entry, isNew: boolean): void {
    const { time, operation, key } = entry;
    this.times.push(numberOfTime(time) ?? -this.unusual.push(time));
    const says = key === undefined && operation !== JOIN ? 0 : this.numberOf(entry);
    this.says.push(isNew ? says : -says);
    if (operation === JOIN) (this.logs.at(-1) as { isJoined: boolean }).isJoined = true;
  }

  private numberOf({ operation, key, approvers, removed, overrides, digest }: Entry): number {
    const names = approvers || removed ? JSON.stringify([approvers, removed]) : "";
    const isAllowed = overrides?.includes(NO_APPROVAL) === true;
    // the lengths say where each part ends
    const text = `${operation.length} ${key?.length} ${digest === undefined} ${isAllowed} ${operation}${key}${names}`;
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.facts.length);
    const facts: ApprovalFacts = {
      operation,
      ...(key !== undefined && { key }),
      ...(approvers && { approvers }),
      ...(removed && { removed }),
      ...(isAllowed && { overrides: [NO_APPROVAL] }),
      ...(digest !== undefined && { digest: "" }),
    };
    return this.facts.push(facts) - 1;
  }

  private timeAt(at: number): string {
    const number = this.times.at(at);
    return number < 0 ? (this.unusual[-1 - number] as string) : timeOfNumber(number);
  }

  private compare(a: number, b: number): number {
    const [one, other] = [this.times.at(a), this.times.at(b)];
    if (one >= 0 && other >= 0) return one - other;
    const [first, second] = [this.timeAt(a), this.timeAt(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  }

  private *placed(places: Iterable<number>): Generator<Placed> {
    for (const at of places) yield { ...(this.facts[Math.abs(this.says.at(at))] as ApprovalFacts), at };
  }

  private *inOrder(from: number, to: number, isEachOnce = false): Generator<number> {
    for (let at = from; at < to; at++) if (isEachOnce ? this.says.at(at) > 0 : this.says.at(at) !== 0) yield at;
  }

  private byTime(places: Iterable<number>): Float64Array {
    return Float64Array.from(places).sort((a, b) => this.compare(a, b));
  }

  /**
   * One for each approver of a key who was left out. In one log the order counts, whatever its clock said; in several
   * together, and in a joined one, the time: its file has the entries of one log after those of the other.
   */
  unapproved(): Unapproved<Placed>[] {
    const orders = this.logs.map(({ from, isJoined }, i) => {
      const to = this.logs[i + 1]?.from ?? this.times.length;
      return () => (isJoined ? this.byTime(this.inOrder(from, to)) : this.inOrder(from, to));
    });
    const out = new Map<string, Unapproved<Placed>>();
    for (const order of [...orders, ...(this.logs.length > 1 ? [() => this.byTime(this.inOrder(0, this.times.length, true))] : [])]) {
      const first = new Map<string, Unapproved<Placed>>();
      for (const one of withoutApprover(this.placed(order()))) {
        const id = `${one.approver} ${one.entry.key}`;
        if (!first.has(id)) first.set(id, one);
      }
      // key by key
      for (const [id, one] of [...first].sort(([, a], [, b]) => a.nth - b.nth)) if (!out.has(id)) out.set(id, one);
    }
    return [...out.values()];
  }
}
