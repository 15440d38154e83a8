// The next leaf of an HSS/LMS key. A leaf that signs twice reveals the key (SP 800-208 §9.1), so the number is written
// to disk before the signature is made, and it only increases. It is stored twice: beside the key, and as the last-seen
// mark in a folder of this machine. A state behind the mark comes from a backup or a copy, and is refused. In both
// places, leaves are claimed first (claim.ts), so that safety does not depend on locks: the claims beside the key
// protect against users of the same folder, those on this machine against copies of the key.

import { Failure } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { readOwn } from "../files/read.js";
import { writeWhole } from "../files/write.js";
import { type Claim, Claims } from "../locks/claim.js";
import { lock } from "../locks/lock.js";
import { endOfLog, entriesBy } from "../signing-log/end-of-log.js";
import { LastSeen } from "../signing-log/last-seen.js";
import { shellWord } from "../words.js";

/** For each level, the last signed tree below the top one. Its public key must never come out differently. */
export type SignedRoots = ReadonlyMap<number, { readonly tree: bigint; readonly root: string }>;

export interface HssState {
  /** The number of the next signature. All lower ones are used or lost. */
  readonly next: bigint;
  readonly roots: SignedRoots;
}

/** A state and the claims with which it was read. It is valid only while they are the last ones. */
export interface Standing extends HssState {
  readonly beside: Claim | undefined;
  readonly outside: Claim | undefined;
  /** What this machine has seen. */
  readonly seen: bigint;
}

/**
 * How many leaves a state may be ahead of the record: other machines with access to the folder of the key have signed.
 */
const FAR = 256n;

/** Returns the highest of non-negative numbers. */
export function highest(...numbers: readonly bigint[]): bigint {
  let most = 0n;
  for (const number of numbers) if (number > most) most = number;
  return most;
}

export function stateFault(message: string, hint: string): Failure {
  return new Failure(3, "ERR_KEY_STATE", message, hint);
}

/** The files of the state of one key. */
export class HssPlaceOnDisk {
  readonly state: string;
  readonly beside: Claims;
  private fromLog: bigint | undefined;
  constructor(
    /** The key file, with symbolic links resolved. */
    readonly file: string,
    /** The name in messages. */
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
   * Runs `work` with both locks, so that signers wait for each other instead of losing leaves. `wait`: seconds.
   * `stillOurs` returns whether both locks still exist, because a person may have removed them.
   */
  async locked<T>(work: (stillOurs: () => boolean) => Promise<T>, wait = 60, signal?: AbortSignal): Promise<T> {
    const busy = `${this.name}: another process is signing with the key`;
    const beside = await lock(`${this.state}.lock`, { wait, busy, signal });
    try {
      const outside = await this.lastSeen.lock({ wait, busy, signal });
      try {
        return await work(() => beside.isOurs() && outside.isOurs());
      } finally {
        outside.release();
      }
    } finally {
      beside.release();
    }
  }

  /** The state, or its fault: `missing` or `damaged`. */
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

  /** Reads everything, valid or not. The outside first, in the reverse order of writing: see checked(). */
  look(): Pick<Standing, "beside" | "outside"> & { state: HssState | "missing" | "damaged"; seen: bigint | "missing" | "damaged" } {
    const outside = this.lastSeen.claims.last();
    const seen = this.readSeen();
    const beside = this.beside.last();
    return { outside, seen, beside, state: this.readState() };
  }

  /**
   * The number after the highest leaf that the log beside the key, or its mark, names; 0 if there is none. Read once:
   * what others sign from then on is in the claims.
   */
  logged(): bigint {
    const look = () => {
      const seen = new LastSeen(this.thumbprint, "log").look();
      const mark = typeof seen === "string" ? undefined : seen;
      return entriesBy(endOfLog(`${this.file}.log`, [mark]), mark, mark?.binds ?? []);
    };
    this.fromLog ??= look().reduce(
      (most, { key, leaf }) => (key === this.thumbprint && leaf !== undefined ? highest(most, BigInt(leaf) + 1n) : most),
      0n,
    );
    return this.fromLog;
  }

  /** The state, if it is usable. Otherwise throws a Failure (exit 3) with the fault and a hint. */
  checked(): Standing {
    const { name } = this;
    // Without the lock, others may sign between the reads. The value that is read last is then the highest, and must
    // not seem to be behind: the log comes first.
    const logged = this.logged();
    const { outside, seen, beside, state } = this.look();
    const known = highest(outside?.number ?? 0n, typeof seen === "bigint" ? seen : 0n);
    const forward = (to: bigint) => `if no other copy has signed: firmseal hss skip ${shellWord(name)} --to ${to}`;
    if (typeof state === "string")
      throw stateFault(
        `${name}: its state, ${name}.state, is ${state}: the used leaves are unknown`,
        typeof seen === "bigint"
          ? forward(highest(known, beside?.number ?? 0n, logged))
          : `restore ${name}.state from the machine that signed last`,
      );
    if (typeof seen === "string")
      throw stateFault(
        `${name}: this machine has ${seen === "missing" ? "never signed" : "a damaged record of what it has signed"} with the key, but another copy of it may sign`,
        `if no other copy signs: firmseal hss adopt ${shellWord(name)} --no-other-copy-signs`,
      );
    const next = highest(state.next, beside?.number ?? 0n);
    // check the state by itself too: an existing claim does not repair a state that was restored beside it
    if (state.next < seen || next < known)
      throw stateFault(
        `${name}: a restored backup or a copy: its state is at ${state.next}, but this machine has signed up to ${known}`,
        forward(highest(known, next)),
      );
    if (next < logged)
      throw stateFault(
        `${name}: its state is at ${next}, but its log, ${name}.log, names leaf ${logged - 1n}: the state comes from a backup`,
        forward(logged),
      );
    if (next > known + FAR)
      throw stateFault(
        `${name}: its state is at ${next}, far ahead of this machine, which has signed up to ${known}`,
        `find out who signed or changed ${name}.state; if the state is right: firmseal hss skip ${shellWord(name)} --to ${next}`,
      );
    return { next, roots: state.roots, beside, outside, seen };
  }

  /** Creates the first state of a key. None may exist. */
  begin(): void {
    writeWhole(this.state, this.stateLines({ next: 0n, roots: new Map() }), { mode: 0o600, fresh: true });
  }

  /**
   * Claims all leaves below `next` and records this, the state first: otherwise a crash in between would look like a
   * restored backup. Durable on return. `follows` checks the current state at the last moment. Returns false if another
   * process has used the key since `from` was read; then none of these leaves may be used.
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

  /** Writes the record alone, if there is none. Returns false if another process has done so. */
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
/** Far more than the file ever contains. */
const MAX_STATE_LENGTH = 4096;

// up to 2^200
function numberOf(line: string | undefined): bigint | undefined {
  const found = /^next (0|[1-9]\d{0,60})$/.exec(line ?? "");
  return found ? BigInt(found[1] as string) : undefined;
}

const sumOf = (text: string) => `sum ${sha256Hex(text)}\n`;

/** The lines of a file, without the last one, which is a checksum of the others. */
function readLines(path: string): string[] | "missing" | "damaged" {
  // a link could give two keys one state, or one key two
  const bytes = readOwn(path, MAX_STATE_LENGTH);
  if (typeof bytes === "string") return bytes;
  const text = Buffer.from(bytes).toString("latin1");
  const body = text.slice(0, text.lastIndexOf("sum "));
  return body !== "" && text === body + sumOf(body) ? body.split("\n").slice(0, -1) : "damaged";
}

function stateText(lines: readonly string[]): Uint8Array {
  const body = `${lines.join("\n")}\n`;
  return Buffer.from(body + sumOf(body));
}
