// A device, its installation and its start again, from docs/explanation/architecture.md and docs/reference/errors.md: two rehearsals, the sections, one look at what
// storage holds, one commit. Slots are strings.

import * as E from "../../src/spec/errors.generated.js";
import { MAN_INSTALL, MAN_INVOKE, MAN_LOAD, MAN_PAYLOAD_FETCH, MAN_VALIDATE } from "../../src/spec/suit.js";
import { hashOf } from "./encode.js";
import { type Checked, type Effect, Interpreter, Refused } from "./interpreter.js";
import { CODES, type Digest, type Manifest } from "./manifest.js";
import { refusals } from "./rules.js";
import { CAPACITY, IDS } from "./sequences.js";
import { rotten, type World } from "./world.js";

export const INSTALL = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];
export const BOOT = [MAN_VALIDATE, MAN_LOAD, MAN_INVOKE];

export interface Outcome {
  /** The refusals that would be right; empty: it succeeds. */
  codes: number[];
  /** What is current afterwards, by component of the device. */
  current: string[];
  floor: bigint;
  /** Components that were emptied, in order, and those that were invoked with their arguments. */
  erased: string[];
  invoked: [string, string | undefined][];
}

const CHANGES: number[] = [CODES.fetch, CODES.write, CODES.copy, CODES.swap];

/** The components that an effect writes. */
const writtenBy = ({ op, component, source }: Effect): number[] =>
  op === CODES.swap ? [component, source as number] : CHANGES.includes(op) ? [component] : [];

/** Whether an effect would lose what it copies or swaps: what was written is in the slot that would be written again. */
const isLost = ({ op, component, source }: Effect, written: ReadonlySet<number>): boolean =>
  (op === CODES.copy && component === source && written.has(component)) ||
  (op === CODES.swap && (component === source || written.has(component) || written.has(source as number)));

/** What a start has compared and written, with the rules of order. */
export class Order {
  readonly written = new Set<number>();
  readonly #compared = new Set<number>();

  /** The refusal of an effect after these; undefined: it may be done. */
  refusal(e: Effect): number | undefined {
    if (isLost(e, this.written)) return E.NOT_SUPPORTED;
    return e.op === CODES.invoke && !this.#compared.has(e.component) ? E.INVOKE_UNVERIFIED : undefined;
  }

  took(e: Effect, ok: boolean): void {
    if (e.op === CODES.image && ok) this.#compared.add(e.component);
    if (e.op === CODES.image && !ok) this.#compared.delete(e.component);
    for (const i of writtenBy(e)) {
      this.#compared.delete(i);
      this.written.add(i);
    }
  }
}

export class Device {
  readonly #m: Manifest;
  readonly #w: World;
  #installing: boolean;
  /** The release is installed but not yet current, and its start is rehearsed. */
  #kept = false;
  /** What this session has written, and the digest that each component has to have in the end. */
  readonly #fresh = new Map<string, string>();
  readonly #expected = new Map<string, Digest>();
  /** Components in which the last image-match of this session has found what it looked for, and that were not written since. */
  readonly #seen = new Set<string>();
  /** What the run that counted has checked of the identity. */
  checked: Checked = { vendor: [], class: [] };
  readonly #erased: string[] = [];
  readonly #invoked: [string, string | undefined][] = [];

  constructor(m: Manifest, w: World, installing: boolean) {
    this.#m = m;
    this.#w = w;
    this.#installing = installing;
  }

  /** The whole course, and what it leaves. */
  outcome(): Outcome {
    const left = (codes: number[]) => ({ codes, erased: this.#erased, invoked: this.#invoked });
    try {
      this.#course();
      if (!this.#installing) return { ...left([]), current: this.#w.current, floor: this.#w.floor };
      return { ...left([]), current: IDS.map((id, i) => this.#fresh.get(id) ?? (this.#w.current[i] as string)), floor: this.#m.sequence };
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return { ...left(e.codes), current: this.#w.current, floor: this.#w.floor };
    }
  }

  #course(): void {
    // a start does not ask for the floor: what is current stays startable
    const first = refusals(this.#m, this.#installing ? this.#w.floor : 0n);
    if (first.size > 0) throw new Refused(...first);
    // the number of the floor is for the manifest that it comes from; without any, 0 is not a floor
    if (this.#installing && this.#m.sequence === this.#w.floor)
      if (this.#w.had === "another" || (this.#w.had === "unknown" && this.#w.floor > 0n)) throw new Refused(E.SEQUENCE_TAKEN);
    for (const fits of this.#installing ? [true, false] : []) this.#rehearse(fits);
    this.#drive((e) => this.#carryOut(e));
    for (const [id, expected] of this.#expected)
      if (this.#installing && hashOf(expected.alg, this.#fresh.get(id) as string) !== hashOf(expected.alg, expected.of))
        throw new Refused(E.IMAGE_UNVERIFIED);
    if (this.#installing) this.#rehearseStart();
  }

  /** With what is there. */
  #rehearseStart(): void {
    const { checked } = this;
    this.#kept = true;
    this.#installing = false;
    for (const fits of [true, false]) this.#tolerating(fits, () => this.#rehearseExactly(fits));
    this.checked = checked;
    this.#installing = true;
  }

  #rehearseExactly(fits: boolean): void {
    const order = new Order();
    this.#drive((e) => {
      const refusal = fits ? order.refusal(e) : undefined;
      if (refusal) throw new Refused(refusal);
      if (CHANGES.includes(e.op)) this.#look(e, order.written);
      const ok = e.op === CODES.slot ? this.#isSlot(this.#id(e.component), e.slot as number) : this.#holds(e, order.written, fits);
      order.took(e, ok);
      return ok;
    }, fits);
  }

  /** What a start will write has to be what its digest says. A payload that is named by a fragment is nowhere else. */
  #look(e: Effect, written: ReadonlySet<number>): void {
    const brought = e.op === CODES.write ? e.content : this.#m.payloads[e.uri ?? ""];
    if (e.op === CODES.fetch && brought === undefined) {
      if (e.uri?.startsWith("#") && this.#w.payloads[e.uri] === undefined) throw new Refused(E.PAYLOAD_ABSENT);
      return;
    }
    const from = e.source === undefined ? brought : written.has(e.source) ? undefined : this.#fresh.get(this.#id(e.source));
    if (from !== undefined && !this.#isImage(e, from)) throw new Refused(E.IMAGE_UNVERIFIED);
  }

  /** The outcome of a comparison: known of what was installed. What the start itself writes was checked. */
  #holds(e: Effect, written: ReadonlySet<number>, assumed: boolean): boolean {
    const here = written.has(e.component) ? undefined : this.#fresh.get(this.#id(e.component));
    if (e.op !== CODES.image && e.op !== CODES.content) return true;
    if (here === undefined) return assumed;
    return e.op === CODES.content ? here === e.content : this.#isImage(e, here);
  }

  #drive(answer: (e: Effect) => boolean, identifies = true): void {
    const run = new Interpreter(this.#m, this.#w.me);
    const effects = run.run(this.#installing ? INSTALL : BOOT);
    let next = effects.next();
    while (!next.done) {
      this.#admit(next.value, run.identified);
      next = effects.next(answer(next.value));
    }
    this.checked = run.checked;
    // a release that does nothing has been checked to be for this device all the same
    if (identifies && !run.identified) throw new Refused(E.IDENTITY_UNCHECKED);
  }

  /** Every directive taken as done; all images fit, or none. Where none does, conditions that fail say nothing. */
  #rehearse(fits: boolean): void {
    this.#tolerating(fits, () =>
      this.#drive((e) => {
        if (e.op === CODES.slot) return this.#isSlot(this.#id(e.component), e.slot as number);
        return e.op === CODES.image || e.op === CODES.content ? fits : true;
      }),
    );
  }

  #tolerating(fits: boolean, rehearse: () => void): void {
    try {
      rehearse();
    } catch (e) {
      const conditions: number[] = [E.IMAGE_MISMATCH, E.CONTENT_MISMATCH, E.TRY_EACH_EXHAUSTED];
      if (!(e instanceof Refused) || fits || !e.codes.every((c) => conditions.includes(c))) throw e;
    }
  }

  #isImage(e: Effect, here: string): boolean {
    const { alg, of } = e.digest as Digest;
    // no image differs from an image of 0 bytes, unless that is what is asked for
    const there = e.size === undefined ? here !== "" : e.size === here.length / 2;
    return there && hashOf(alg, here) === hashOf(alg, of);
  }

  /** What holds before anything is done. */
  #admit(e: Effect, identified: boolean): void {
    const wrong: number[] = [];
    const touched = e.source === undefined ? [e.component] : [e.component, e.source];
    if (touched.some((i) => !IDS.includes(this.#id(i)))) wrong.push(E.COMPONENT_UNKNOWN);
    if (e.op === CODES.invoke && this.#installing) wrong.push(E.INVOKE_MISPLACED);
    if (CHANGES.includes(e.op) || e.op === CODES.invoke) {
      if (!identified) wrong.push(E.IDENTITY_UNCHECKED);
      if (!e.digest && CHANGES.includes(e.op)) wrong.push(E.DIGEST_UNSET);
      if (e.op === CODES.swap && !e.sourceDigest) wrong.push(E.DIGEST_UNSET);
    }
    if (CHANGES.includes(e.op)) {
      if ((e.size ?? 0) > CAPACITY || (e.op === CODES.swap && (e.sourceSize ?? 0) > CAPACITY)) wrong.push(E.PAYLOAD_SIZE);
      const n = (e.content ?? "").length / 2;
      if (n > CAPACITY) wrong.push(E.PAYLOAD_SIZE);
    }
    if (wrong.length > 0) throw new Refused(...wrong);
  }

  #carryOut(e: Effect): boolean {
    const id = this.#id(e.component);
    const here = this.#content(id);
    switch (e.op) {
      case CODES.slot:
        return this.#slot(id) === e.slot;
      case CODES.content:
        return here === e.content;
      case CODES.image: {
        const fits = this.#isImage(e, here);
        // the last look decides, though the digest may have been another one
        if (fits) this.#seen.add(id);
        else this.#seen.delete(id);
        if (this.#fresh.has(id)) this.#expected.set(id, e.digest as Digest);
        return fits;
      }
      case CODES.invoke:
        if (!this.#seen.has(id)) throw new Refused(E.INVOKE_UNVERIFIED);
        this.#invoked.push([id, e.args]);
        return true;
      case CODES.write:
        return this.#put(id, e.content as string, e.size, e.digest as Digest);
      case CODES.fetch:
        return this.#put(id, this.#m.payloads[e.uri as string] ?? this.#w.payloads[e.uri as string], e.size, e.digest as Digest);
      case CODES.copy:
        return this.#copy(e, id, this.#id(e.source as number));
      default:
        return this.#swap(e, id, here);
    }
  }

  /** What was written in this session is where it would be written again. */
  #copy(e: Effect, id: string, source: string): boolean {
    const there = this.#content(source);
    if (id === source && this.#fresh.has(id)) throw new Refused(E.NOT_SUPPORTED);
    if (there === "") throw new Refused(E.PAYLOAD_ABSENT);
    return this.#put(id, there, e.size, e.digest as Digest);
  }

  /** Each goes to the slot of the other that is not current, so neither may have been written in this session. */
  #swap(e: Effect, id: string, here: string): boolean {
    const source = this.#id(e.source as number);
    if (id === source || this.#fresh.has(id) || this.#fresh.has(source)) throw new Refused(E.NOT_SUPPORTED);
    const there = this.#content(source);
    if (here === "" || there === "") throw new Refused(E.PAYLOAD_ABSENT);
    this.#put(id, there, e.size, e.digest as Digest);
    return this.#put(source, here, e.sourceSize, e.sourceDigest as Digest);
  }

  #put(id: string, bytes: string | undefined, size: number | undefined, digest: Digest): boolean {
    this.#erased.push(id);
    if (bytes === undefined) throw new Refused(E.PAYLOAD_ABSENT);
    const n = bytes.length / 2;
    if (n > CAPACITY || (size !== undefined && n !== size)) throw new Refused(E.PAYLOAD_SIZE);
    this.#fresh.set(id, id === this.#w.rots ? rotten(bytes) : bytes);
    this.#expected.set(id, digest);
    this.#seen.delete(id);
    return true;
  }

  #id(component: number): string {
    return this.#m.components[component] as string;
  }

  #content(id: string): string {
    return this.#fresh.get(id) ?? (this.#w.current[IDS.indexOf(id)] as string);
  }

  /** In a rehearsal. A component that is not written stays in the slot in which it is. */
  #isSlot(id: string, slot: number): boolean {
    const current = this.#w.slots[IDS.indexOf(id)] as number;
    if (!this.#kept) return slot === this.#slot(id);
    return slot === (this.#fresh.has(id) ? 1 - current : current);
  }

  /** Installing: the slot that will be written. */
  #slot(id: string): number {
    const current = this.#w.slots[IDS.indexOf(id)] as number;
    return this.#installing ? 1 - current : current;
  }
}
