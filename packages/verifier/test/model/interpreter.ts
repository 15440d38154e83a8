// The interpreter again, from the specification alone (M37 §6, §8.4): slow and obvious. A nested sequence is a nested call, a failed condition
// an exception. It shares nothing with packages/verifier/src but the numbers of refusals and commands.

import * as E from "../../src/spec/errors.generated.js";
import { CODES, type Command, type Digest, type Manifest, type Parameters, type Sequence } from "./manifest.js";

/** What the device says it is. */
export interface Me {
  vendor: string[];
  class: string[];
  device: string[];
}

/** A command that needs the device, with what is set for its component at that moment. */
export interface Effect {
  op: number;
  component: number;
  digest?: Digest;
  size?: number;
  content?: string;
  uri?: string;
  args?: string;
  source?: number;
  slot?: number;
  sourceDigest?: Digest;
  sourceSize?: number;
}

/** The run is over. Where several things are wrong at once, each of `codes` is a right answer. */
export class Refused extends Error {
  readonly codes: number[];
  constructor(...codes: number[]) {
    super(`refused: ${codes.join(" or ")}`);
    this.codes = codes;
  }
}

/** A condition does not hold: a failure that can be soft. Nothing else is. */
class ConditionFailed extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`condition failed: ${code}`);
    this.code = code;
  }
}

/** The identifiers that were found to be this device's. */
export interface Checked {
  readonly vendor: readonly string[];
  readonly class: readonly string[];
}

/** A sequence at work. */
interface Scope {
  /** Inside try-each or run-sequence: there alone soft-failure can be set. */
  nested: boolean;
  soft: boolean;
  index: number[] | undefined;
}

const CONDITION_CODES: { [op: number]: number } = {
  [CODES.image]: E.IMAGE_MISMATCH,
  [CODES.slot]: E.SLOT_MISMATCH,
  [CODES.content]: E.CONTENT_MISMATCH,
};

export class Interpreter {
  readonly #m: Manifest;
  readonly #me: Me;
  /** By component. They live as long as the run (decision 9); nothing takes back what a failed branch has set (M37 §8.4.10). */
  readonly #parameters: Parameters[];
  /** What of the identity has been checked and holds. It belongs to the branch that checked it: a branch that failed has checked nothing. */
  checked: Checked = { vendor: [], class: [] };
  #strict = true;
  #sources = new Set<number>();
  #targets = new Set<number>();

  constructor(m: Manifest, me: Me) {
    this.#m = m;
    this.#me = me;
    this.#parameters = m.components.map(() => ({}));
  }

  /** Whether both identifiers have been checked (decision 11). */
  get identified(): boolean {
    return this.checked.vendor.length > 0 && this.checked.class.length > 0;
  }

  /** Sections in order, the shared sequence before each of them. A section that is not there is a success. */
  *run(sections: number[]): Generator<Effect, void, boolean> {
    for (const key of sections) {
      if (this.#m.absent.includes(key)) throw new Refused(E.SEVERED_ABSENT);
      const commands = this.#m.sections[key];
      if (!commands) continue;
      if (this.#m.shared) yield* this.#section(this.#m.shared);
      yield* this.#section(commands);
    }
  }

  *#section(commands: Sequence): Generator<Effect, void, boolean> {
    this.#strict = true;
    this.#barrier();
    try {
      yield* this.#sequence(commands, { nested: false, soft: false, index: this.#m.components.length === 1 ? [0] : undefined });
    } catch (e) {
      throw e instanceof ConditionFailed ? new Refused(e.code) : e;
    }
  }

  /** Each command is carried out for every component that is chosen before the next one is. */
  *#sequence(commands: Sequence, scope: Scope): Generator<Effect, void, boolean> {
    for (const c of commands) {
      if (c.do === "index") {
        this.#barrier();
        scope.index = c.to === true ? this.#m.components.map((_, i) => i) : typeof c.to === "number" ? [c.to] : c.to;
        continue;
      }
      if (!scope.index) throw new Refused(E.INDEX_UNSET);
      for (const component of scope.index) yield* this.#command(c, component, scope);
    }
  }

  *#command(c: Command, component: number, scope: Scope): Generator<Effect, void, boolean> {
    switch (c.do) {
      case "override":
        return this.#override(c.set, component, scope);
      case "run":
        return yield* this.#runSequence(c.of, component);
      case "try":
        return yield* this.#tryEach(c.of, c.nil, component);
      case "vendor":
      case "class":
      case "device":
        return this.#identify(c.do, component);
      case "abort":
        throw new ConditionFailed(E.ABORTED);
      case "image":
      case "slot":
      case "content":
        return yield* this.#ask(c.do, component);
      case "index":
      case "wrong":
        throw new Error("handled elsewhere");
      default:
        return yield* this.#act(c.do, component);
    }
  }

  #override(set: Parameters, component: number, scope: Scope): void {
    this.#barrier();
    const { strict, soft, ...rest } = set;
    if (soft !== undefined && !scope.nested) throw new Refused(E.SOFT_FAILURE_SCOPE);
    Object.assign(this.#parameters[component] as Parameters, rest);
    if (strict !== undefined) this.#strict = strict;
    if (soft !== undefined) scope.soft = soft;
  }

  /** Soft-failure begins as false. Where it is true a failed condition ends this sequence and no other; else the one around it fails. */
  *#runSequence(commands: Sequence, component: number): Generator<Effect, void, boolean> {
    const scope: Scope = { nested: true, soft: false, index: [component] };
    const before = this.checked;
    try {
      yield* this.#sequence(commands, scope);
    } catch (e) {
      if (!(e instanceof ConditionFailed)) throw e;
      this.#forget(before);
      if (!scope.soft) throw e;
    }
  }

  /** Soft-failure begins as true in each alternative. The first that ends without a failed condition is taken. */
  *#tryEach(alternatives: Sequence[], nil: boolean, component: number): Generator<Effect, void, boolean> {
    for (const commands of alternatives) {
      const scope: Scope = { nested: true, soft: true, index: [component] };
      const before = this.checked;
      try {
        return yield* this.#sequence(commands, scope);
      } catch (e) {
        if (!(e instanceof ConditionFailed)) throw e;
        this.#forget(before);
        if (!scope.soft) throw new Refused(e.code);
      }
    }
    if (!nil) throw new Refused(E.TRY_EACH_EXHAUSTED);
  }

  #forget(before: Checked): void {
    this.checked = before;
  }

  #identify(what: "vendor" | "class" | "device", component: number): void {
    const id = this.#parameters[component]?.[what];
    if (id === undefined || !this.#me[what].includes(id))
      throw new ConditionFailed({ vendor: E.VENDOR_MISMATCH, class: E.CLASS_MISMATCH, device: E.DEVICE_MISMATCH }[what]);
    if (what !== "device") this.checked = { ...this.checked, [what]: [...this.checked[what], id] };
  }

  /** A condition that the device answers. Without its parameter it does not hold. */
  *#ask(what: "image" | "slot" | "content", component: number): Generator<Effect, void, boolean> {
    const p = this.#parameters[component] as Parameters;
    const needed = { image: p.digest, slot: p.slot, content: p.content }[what];
    if (needed === undefined) throw new ConditionFailed(E.PARAMETER_MISSING);
    const effect = this.#effect(CODES[what], component);
    if (what === "slot") effect.slot = p.slot as number;
    if (what === "content") effect.content = p.content as string;
    if (!(yield effect)) throw new ConditionFailed(CONDITION_CODES[CODES[what]] as number);
  }

  /** A directive. One that fails, or lacks its parameter, ends the run, whatever soft-failure says. */
  *#act(what: "fetch" | "write" | "copy" | "swap" | "invoke", component: number): Generator<Effect, void, boolean> {
    const p = this.#parameters[component] as Parameters;
    const effect = this.#effect(CODES[what], component);
    const needed = { fetch: p.uri, write: p.content, copy: p.source, swap: p.source, invoke: "" }[what];
    if (needed === undefined) throw new Refused(E.PARAMETER_MISSING);
    if (what === "fetch") Object.assign(effect, { uri: p.uri }, p.fetchArgs !== undefined && { args: p.fetchArgs });
    if (what === "invoke" && p.invokeArgs !== undefined) effect.args = p.invokeArgs;
    if (what === "write") effect.content = p.content as string;
    const reads: number[] = [];
    // what is started may change itself
    const writes: number[] = [component];
    if (what === "copy" || what === "swap") {
      effect.source = p.source as number;
      reads.push(p.source as number);
    }
    if (what === "swap") {
      reads.push(component);
      writes.push(p.source as number);
      const other = this.#parameters[p.source as number] as Parameters;
      if (other.digest) effect.sourceDigest = other.digest;
      if (other.size !== undefined) effect.sourceSize = other.size;
    }
    if (!this.#strict) {
      for (const i of reads) this.#sources.add(i);
      for (const i of writes) this.#targets.add(i);
      if ([...this.#sources].some((i) => this.#targets.has(i))) throw new Refused(E.STRICT_ORDER);
    }
    if (!(yield effect)) throw new Refused(E.DIRECTIVE_FAILED);
  }

  #effect(op: number, component: number): Effect {
    const { digest, size } = this.#parameters[component] as Parameters;
    return { op, component, ...(digest && { digest }), ...(size !== undefined && { size }) };
  }

  /** All that was begun without strict order is done here (M37 §8.4.8.13). */
  #barrier(): void {
    this.#sources = new Set();
    this.#targets = new Set();
  }
}
