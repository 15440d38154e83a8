// Which leaf of an HSS/LMS key is next. A leaf that signs twice gives the key away (SP 800-208 §9.1), so the number goes to the disk before
// the signature is made, and only ever up. It is kept twice: beside the key, and as the last-seen mark outside of it, in the folder of this machine.
// A state that is behind the mark comes from a backup or a copy, and is refused. In both places a leaf is claimed first (claim.ts), so that
// no leaf depends on a lock: the one beside the key is for whoever shares its folder, the one outside for copies of the key on this machine.

import { lstatSync, readFileSync } from "node:fs";
import { CODES, Failure, systemFault } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { writeWhole } from "../files/write.js";
import { type Claim, Claims } from "../locks/claim.js";
import { lock } from "../locks/lock.js";
import { LastSeen } from "../signing-log/last-seen.js";

/** The trees below the top one that have been signed, by level: whatever happens, their keys must not come out differently a second time. */
export type SignedRoots = ReadonlyMap<number, { readonly tree: bigint; readonly root: string }>;

export interface HssState {
  /** The number of the next signature; all below are used, or given up. */
  readonly next: bigint;
  readonly roots: SignedRoots;
}

/** A state with the claims that it was seen with: it can be gone on from only while they are the last ones. */
export interface Standing extends HssState {
  readonly beside: Claim | undefined;
  readonly outside: Claim | undefined;
  /** What this machine has seen. */
  readonly seen: bigint;
}

/** Leaves by which a state may be ahead of the record: other machines that share the folder of the key have signed. */
const FAR = 256n;

/** Of numbers that are not below 0. */
export function highest(...numbers: readonly bigint[]): bigint {
  let most = 0n;
  for (const number of numbers) if (number > most) most = number;
  return most;
}

export function stateFault(message: string, hint: string): Failure {
  return new Failure(3, "KEY_STATE", CODES.KEY_STATE, message, hint);
}

/** Where the state of one key lies, and the words for it. */
export class HssPlaceOnDisk {
  readonly state: string;
  readonly beside: Claims;
  constructor(
    /** The key file, without symbolic links. */
    readonly file: string,
    /** As messages call it. */
    readonly name: string,
    readonly thumbprint: string,
  ) {
    this.state = `${file}.state`;
    this.beside = new Claims(this.state);
  }

  get lastSeen(): LastSeen {
    return new LastSeen(this.thumbprint, "leaves");
  }

  tree(level: number): string {
    return `${this.file}.tree${level}`;
  }

  /**
   * Both locks, so that signers wait for each other instead of losing leaves. `wait`: seconds. `stillOurs`: whether both are still ours, for a person
   * may have removed them.
   */
  async locked<T>(work: (stillOurs: () => boolean) => Promise<T>, wait = 60): Promise<T> {
    const busy = `${this.name}: another process is signing with the key`;
    const beside = await lock(`${this.state}.lock`, { wait, busy });
    try {
      const outside = await this.lastSeen.lock(wait, busy);
      try {
        return await work(() => beside.isOurs() && outside.isOurs());
      } finally {
        outside.release();
      }
    } finally {
      beside.release();
    }
  }

  /** The state, or what is wrong with it: `missing` or `damaged`. */
  readState(): HssState | "missing" | "damaged" {
    const lines = readLines(this.state);
    if (typeof lines === "string") return lines;
    const [head, key, next, ...rest] = lines;
    if (head !== STATE_HEAD || key !== `key ${this.thumbprint}`) return "damaged";
    const roots = rest.map((line) => /^tree ([1-7]) (\d{1,61}) ([0-9a-f]{48}|[0-9a-f]{64})$/.exec(line));
    const number = numberOf(next);
    if (number === undefined || roots.includes(null)) return "damaged";
    return {
      next: number,
      roots: new Map(roots.map((found) => [Number(found?.[1]), { tree: BigInt(found?.[2] as string), root: found?.[3] as string }])),
    };
  }

  readSeen(): bigint | "missing" | "damaged" {
    const seen = this.lastSeen.look();
    return typeof seen === "string" ? seen : seen.count;
  }

  /** Everything that is known, whatever it is. The outside first, the other way round than it is written: see checked(). */
  look(): Pick<Standing, "beside" | "outside"> & { state: HssState | "missing" | "damaged"; seen: bigint | "missing" | "damaged" } {
    const outside = this.lastSeen.claims.last();
    const seen = this.readSeen();
    const beside = this.beside.last();
    return { outside, seen, beside, state: this.readState() };
  }

  /** The state, if it can be gone on with. Otherwise a Failure, exit 3, that says what is wrong and what can be done. */
  checked(): Standing {
    const { name } = this;
    // Without the lock others may sign between the reads. What is read last is the furthest then, and must not seem to be behind.
    const { outside, seen, beside, state } = this.look();
    const known = highest(outside?.number ?? 0n, typeof seen === "bigint" ? seen : 0n);
    const forward = (to: bigint) => `if no other copy has signed: firmseal hss skip ${name} --to ${to}`;
    if (typeof state === "string")
      throw stateFault(
        `${name}: its state, ${name}.state, is ${state}: the used leaves are unknown`,
        typeof seen === "bigint"
          ? forward(highest(known, beside?.number ?? 0n))
          : `restore ${name}.state from the machine that signed last`,
      );
    if (typeof seen === "string")
      throw stateFault(
        `${name}: this machine has ${seen === "missing" ? "never signed" : "a damaged record of what it has signed"} with the key, but another copy of it may sign`,
        `if no other copy signs: firmseal hss adopt ${name} --no-other-copy-signs`,
      );
    const next = highest(state.next, beside?.number ?? 0n);
    // the state alone as well: a claim that is there does not mend what was put back beside it
    if (state.next < seen || next < known)
      throw stateFault(
        `${name}: a restored backup or a copy: its state is at ${state.next}, but this machine has signed up to ${known}`,
        forward(highest(known, next)),
      );
    if (next > known + FAR)
      throw stateFault(
        `${name}: its state is at ${next}, far ahead of this machine, which has signed up to ${known}`,
        `find out who signed or changed ${name}.state; if the state is right: firmseal hss skip ${name} --to ${next}`,
      );
    return { next, roots: state.roots, beside, outside, seen };
  }

  /** The first state of a key. None must be there. */
  begin(): void {
    writeWhole(this.state, this.stateLines({ next: 0n, roots: new Map() }), { mode: 0o600, fresh: true });
  }

  /**
   * Claims all leaves below `next` and writes it down, the state first: a mark that is ahead of it would call a crash in between a restored
   * backup. Durable when it returns. `follows` looks at what is there at the last moment. false: another process has gone on since `from` was
   * looked at, and none of these leaves may be used.
   */
  advance(
    from: Pick<Standing, "beside" | "outside">,
    to: HssState,
    follows: (state: HssState | "missing" | "damaged") => boolean,
  ): boolean {
    const beside = this.beside.take(from.beside, to.next);
    if (!beside) return false;
    const mark = this.lastSeen;
    const outside = mark.claims.take(from.outside, to.next);
    if (!outside || !this.beside.write(beside, this.stateLines(to), () => follows(this.readState()))) return false;
    return this.record(mark, outside, to.next);
  }

  /** Writes the record alone, where there is none. false: another process has. */
  adopt(from: Pick<Standing, "outside">, next: bigint): boolean {
    const mark = this.lastSeen;
    const outside = mark.claims.take(from.outside, next);
    return outside !== undefined && this.record(mark, outside, next);
  }

  private record(mark: LastSeen, claim: Claim, next: bigint): boolean {
    return mark.write(claim, { count: next }, (now) => typeof now === "string" || now.count <= next);
  }

  private stateLines({ next, roots }: HssState): Uint8Array {
    const trees = [...roots].map(([level, { tree, root }]) => `tree ${level} ${tree} ${root}`);
    return stateText([STATE_HEAD, `key ${this.thumbprint}`, `next ${next}`, ...trees]);
  }
}

const STATE_HEAD = "firmseal hss state 1";
/** Far above what is ever in the file. */
const MAX_STATE_LENGTH = 4096;

// up to 2^200
function numberOf(line: string | undefined): bigint | undefined {
  const found = /^next (0|[1-9]\d{0,60})$/.exec(line ?? "");
  return found ? BigInt(found[1] as string) : undefined;
}

const sumOf = (text: string) => `sum ${sha256Hex(text)}\n`;

/** The lines of a file, without the last one, which is a checksum of all before it. */
function readLines(path: string): string[] | "missing" | "damaged" {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return "missing";
  // a link may lead two keys to one state, or one key to two
  if (!stat.isFile() || stat.size > MAX_STATE_LENGTH) return "damaged";
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
  const body = text.slice(0, text.lastIndexOf("sum "));
  return body !== "" && text === body + sumOf(body) ? body.split("\n").slice(0, -1) : "damaged";
}

function stateText(lines: readonly string[]): Uint8Array {
  const body = `${lines.join("\n")}\n`;
  return Buffer.from(body + sumOf(body));
}
