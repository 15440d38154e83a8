// What devices make of a release of which nobody knows more than whether they have its images: each kind of device that a
// manifest tells apart, through an installation and a start. Only the contents that the manifest writes are known.

import * as E from "../../src/spec/errors.generated.js";
import { BOOT, INSTALL, Order } from "./device.js";
import { hashOf } from "./encode.js";
import { type Effect, Interpreter, type Me, Refused } from "./interpreter.js";
import { CODES, type Digest, type Manifest, valuesOf } from "./manifest.js";

/** A kind of device that a manifest tells apart: who it is, its slot, and whether it already has the images. */
export interface Kind {
  me: Me;
  slot: number;
  there: boolean;
}

export function* kindsOf(m: Manifest): Generator<Kind> {
  // a device with two slots writes either of them, even if the manifest names only one
  const slots = new Set(valuesOf(m, "slot").flatMap((slot) => [slot, 0, 1]));
  const or = <T>(all: T[], none: T) => (all.length > 0 ? all : [none]);
  for (const vendor of or(valuesOf(m, "vendor"), ""))
    for (const classId of or(valuesOf(m, "class"), ""))
      for (const device of or(valuesOf(m, "device"), ""))
        for (const slot of or([...slots], 0))
          for (const there of [true, false]) yield { me: { vendor: [vendor], class: [classId], device: [device] }, slot, there };
}

/** Devices with all identities at once. */
function everybody(m: Manifest): Kind[] {
  const kinds = [...kindsOf(m)];
  const parts = (name: "vendor" | "class" | "device") => [...new Set(kinds.flatMap(({ me }) => me[name] ?? []))];
  const me = { vendor: parts("vendor"), class: parts("class"), device: parts("device") };
  return kinds.map(({ slot, there }) => ({ me, slot, there }));
}

/** How an installation or a start is refused. Where several things are wrong, each of `codes` is a right answer. */
export interface End {
  installing: boolean;
  codes: readonly number[];
  /** The commands are wrong: who the device is and what it has makes no difference. */
  fault: boolean;
  /** A start is refused, or the rehearsal of the start that ends an installation. */
  ofStart: boolean;
}

export const isChange = (e: Effect): boolean => [CODES.fetch, CODES.write, CODES.copy, CODES.swap].includes(e.op as 21);
const isComparison = ({ op }: Effect): boolean => op === CODES.image || op === CODES.content;

/** What was written to a component. `content`: in hexadecimal, if the manifest has it. */
interface Put {
  digest: Digest | undefined;
  size: number | undefined;
  content: string | undefined;
}

const equalDigests = (alg: number, a: Digest, b: Digest) => hashOf(alg, a.of) === hashOf(alg, b.of);

/** The rules of devices have ended it. */
class Wrong extends Refused {}

export class KindOfDevice {
  readonly #m: Manifest;
  readonly #kind: Kind;
  /** Before this installation or start, and in it. */
  #old = new Map<number, Put>();
  #new = new Map<number, Put>();
  #matched = new Set<number>();
  /** The last thing that happened was a comparison that fails on every device. */
  #doomed = false;

  constructor(m: Manifest, kind: Kind) {
    this.#m = m;
    this.#kind = kind;
  }

  /** How the release ends on it. Undefined: it is installed and starts. */
  end(): End | undefined {
    for (const installing of [true, false]) {
      const end = (installing ? (this.#rehearsal(true) ?? this.#rehearsal(false)) : undefined) ?? this.#real(installing);
      if (end) return end;
      this.#old = new Map([...this.#old, ...this.#new]);
      const kept = installing ? (this.#exactly(true) ?? this.#exactly(false)) : undefined;
      if (kept) return { ...kept, installing: true };
    }
    return undefined;
  }

  /** The numbers of the refusal of the interpreter alone. Empty: the installation comes to its end. */
  interpreted(): readonly number[] {
    return (
      this.#try(true, () => {
        for (const _ of this.effects()) {
          // to the end
        }
      })?.codes ?? []
    );
  }

  /** Every effect of an installation, and undefined for its end, with what has been checked by then. Throws the refusal of the interpreter. */
  *effects(): Generator<[Effect | undefined, Interpreter]> {
    this.#begin();
    const run = new Interpreter(this.#m, this.#kind.me);
    const effects = run.run(this.#sections(true));
    for (let next = effects.next(); ; ) {
      yield [next.value ?? undefined, run];
      if (next.done) return;
      next = effects.next(this.#answer(next.value, true));
    }
  }

  #begin(): void {
    this.#new = new Map();
    this.#matched = new Set();
    this.#doomed = false;
  }

  #sections(installing: boolean): number[] {
    return (installing ? INSTALL : BOOT).filter((key) => this.#m.sections[key]);
  }

  #try(installing: boolean, run: () => void): End | undefined {
    try {
      run();
      return undefined;
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return { installing, codes: e.codes, fault: e instanceof Wrong || this.#doomed, ofStart: !installing };
    }
  }

  #drive(installing: boolean, answer: (e: Effect) => boolean): Interpreter {
    const run = new Interpreter(this.#m, this.#kind.me);
    const effects = run.run(this.#sections(installing));
    for (let next = effects.next(); !next.done; ) {
      this.#admit(next.value, installing, run.identified);
      next = effects.next(answer(next.value));
    }
    return run;
  }

  #admit(e: Effect, installing: boolean, identified: boolean): void {
    const wrong: number[] = [];
    if (e.op === CODES.invoke && installing) wrong.push(E.INVOKE_MISPLACED);
    if (isChange(e) && (!e.digest || (e.op === CODES.swap && !e.sourceDigest))) wrong.push(E.DIGEST_UNSET);
    if ((isChange(e) || e.op === CODES.invoke) && !identified) wrong.push(E.IDENTITY_UNCHECKED);
    if (wrong.length > 0) throw new Wrong(...wrong);
  }

  #rehearsal(fits: boolean): End | undefined {
    const end = this.#try(true, () => {
      this.#begin();
      const run = this.#drive(true, (e) => (e.op === CODES.slot ? this.#isSlot(e, true) : fits || !isComparison(e)));
      if (fits && !run.identified) throw new Wrong(E.IDENTITY_UNCHECKED);
    });
    return this.#said(fits, end);
  }

  /** The start of what has just been installed, with what the release says about its images. */
  #exactly(fits: boolean): End | undefined {
    const end = this.#try(false, () => {
      this.#begin();
      const order = new Order();
      const { written } = order;
      this.#drive(false, (e) => {
        this.#doomed = false;
        const refusal = fits ? order.refusal(e) : undefined;
        if (refusal) throw new Wrong(refusal);
        if (!this.#isRight(e, written)) throw new Wrong(E.IMAGE_UNVERIFIED);
        if (e.op === CODES.slot) return this.#isSlot(e, false);
        const old = isComparison(e) && !written.has(e.component) ? this.#old.get(e.component) : undefined;
        const ok = old ? this.#fits(e, old, false) : fits || !isComparison(e);
        this.#doomed = !!old && !ok;
        order.took(e, ok);
        return ok;
      });
    });
    return this.#said(fits, end);
  }

  /** A rehearsal in which nothing matches says nothing by a comparison. */
  #said(fits: boolean, end: End | undefined): End | undefined {
    const ofComparisons: number[] = [E.IMAGE_MISMATCH, E.CONTENT_MISMATCH, E.TRY_EACH_EXHAUSTED];
    return !fits && end?.codes.every((code) => ofComparisons.includes(code)) ? undefined : end;
  }

  /** Whether a start writes what its digest says: what the manifest has, and what the release has installed. */
  #isRight(e: Effect, written: ReadonlySet<number>): boolean {
    const source = e.source === undefined || written.has(e.source) ? undefined : this.#old.get(e.source);
    const put = e.op === CODES.write ? { digest: undefined, size: undefined, content: e.content } : source;
    return !isChange(e) || !put || this.#fits(e, put, false);
  }

  #real(installing: boolean): End | undefined {
    return this.#try(installing, () => {
      this.#begin();
      const run = this.#drive(installing, (e) => {
        this.#allow(e);
        return this.#answer(e, installing);
      });
      if (!run.identified) throw new Wrong(E.IDENTITY_UNCHECKED);
      if (!installing) return;
      // the look at what was written
      for (const { content, digest } of this.#new.values())
        if (content !== undefined && digest && hashOf(digest.alg, content) !== hashOf(digest.alg, digest.of))
          throw new Wrong(E.IMAGE_UNVERIFIED);
    });
  }

  /** What the contents of the components do not allow. */
  #allow(e: Effect): void {
    const source = e.source as number;
    if (e.op === CODES.invoke && !this.#matched.has(e.component)) throw new Wrong(E.INVOKE_UNVERIFIED);
    if (e.op === CODES.write && e.size !== undefined && e.size !== (e.content as string).length / 2) throw new Wrong(E.PAYLOAD_SIZE);
    if (e.op === CODES.copy && e.component === source && this.#new.has(source)) throw new Wrong(E.NOT_SUPPORTED);
    if (e.op === CODES.swap && (e.component === source || this.#new.has(e.component) || this.#new.has(source)))
      throw new Wrong(E.NOT_SUPPORTED);
  }

  #answer(e: Effect, installing: boolean): boolean {
    this.#doomed = false;
    if (e.op === CODES.slot) return this.#isSlot(e, installing);
    if (isComparison(e)) return this.#compare(e, installing);
    if (isChange(e)) this.#change(e);
    return true;
  }

  /** The slot that is written, and after that the current one: the other one, if the component was not written. */
  #isSlot(e: Effect, installing: boolean): boolean {
    const { slot } = this.#kind;
    if (installing || this.#old.has(e.component)) return e.slot === slot;
    return slot > 1 ? e.slot !== slot : e.slot === 1 - slot;
  }

  #change(e: Effect): void {
    const put = (i: number) => this.#new.get(i) ?? this.#old.get(i);
    const { digest, size } = e;
    const [here, there] = [put(e.component), put(e.source ?? -1)];
    this.#matched.delete(e.component);
    if (e.op === CODES.write) this.#new.set(e.component, { digest, size, content: e.content });
    if (e.op === CODES.fetch) this.#new.set(e.component, { digest, size, content: undefined });
    if (e.op === CODES.copy || e.op === CODES.swap) this.#new.set(e.component, { digest, size, content: there?.content });
    if (e.op === CODES.swap) {
      this.#matched.delete(e.source as number);
      this.#new.set(e.source as number, { digest: e.sourceDigest, size: e.sourceSize, content: here?.content });
    }
  }

  #compare(e: Effect, installing: boolean): boolean {
    const fresh = this.#new.get(e.component);
    const put = fresh ?? this.#old.get(e.component);
    const ok = put ? this.#fits(e, put, fresh !== undefined) : !installing || this.#kind.there;
    this.#doomed = !ok && put !== undefined;
    if (e.op !== CODES.image) return ok;
    if (ok) this.#matched.add(e.component);
    else this.#matched.delete(e.component);
    if (put) {
      // what was installed stays what it is, whatever a start compares it with
      const digest = fresh ? e.digest : put.digest;
      (fresh ? this.#new : this.#old).set(e.component, { ...put, digest, size: ok ? (e.size ?? put.size) : put.size });
    }
    return ok;
  }

  #fits(e: Effect, put: Put, fresh: boolean): boolean {
    const wanted = e.digest as Digest;
    if (e.op === CODES.content) return put.content === undefined || put.content === e.content;
    if (put.content !== undefined) {
      const sized = e.size === undefined ? put.content !== "" : e.size === put.content.length / 2;
      return sized && hashOf(wanted.alg, put.content) === hashOf(wanted.alg, wanted.of);
    }
    // a payload that is still to be seen may be what this asks for
    if (fresh) return true;
    const sized = e.size === undefined || put.size === undefined || e.size === put.size;
    return sized && (!put.digest || put.digest.alg !== wanted.alg || equalDigests(wanted.alg, put.digest, wanted));
  }
}

/**
 * The numbers with which the interpreter refuses an installation, if it does on every kind of device, also on those with all
 * identities at once. Else empty.
 */
export function refusedByAll(m: Manifest): number[] {
  const ends = [...kindsOf(m), ...everybody(m)].map((kind) => new KindOfDevice(m, kind).interpreted());
  return ends.some((codes) => codes.length === 0) ? [] : ends.flat();
}

/** Whether every kind of device refuses the release, also one with all identities at once. */
export const noneTakes = (m: Manifest): boolean => [...kindsOf(m), ...everybody(m)].every((kind) => new KindOfDevice(m, kind).end());

/**
 * The refusals that would be right to name: those of starts by any kind of device; or else one for each kind that refuses it
 * for a fault, or else those of all kinds, if only a device with all identities may take it.
 */
export function refusalsOf(m: Manifest): End[] {
  const endsOf = (kinds: Iterable<Kind>) => [...kinds].map((kind) => new KindOfDevice(m, kind).end());
  const only = (ends: (End | undefined)[], which: "ofStart" | "fault") => ends.flatMap((end) => (end?.[which] ? [end] : []));
  const ends = endsOf(kindsOf(m));
  const found = [only(ends, "ofStart"), only(ends, "fault")].find((some) => some.length > 0);
  if (found || ends.includes(undefined)) return found ?? [];
  const together = endsOf(everybody(m));
  const starts = only(together, "ofStart");
  if (starts.length > 0) return starts;
  return (together.includes(undefined) ? ends : together).flatMap((end) => end ?? []);
}
