// Which leaf of an HSS/LMS key is next. A leaf that signs twice gives the key away (SP 800-208 §9.1), so the number goes to the disk before
// the signature is made, and only ever up. It is kept twice: beside the key, and as a witness outside of it, in the folder of this machine.
// A state that is behind the witness comes from a backup or a copy, and is refused.

import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../digest.js";
import { CODES, Failure, systemFault } from "../failure.js";
import { writeWhole } from "../io.js";
import { lock } from "../lock.js";
import { stateFolder } from "../witness.js";

/** The trees below the top one that have been signed, by level: whatever happens, their keys must not come out differently a second time. */
export type SignedRoots = ReadonlyMap<number, { readonly tree: bigint; readonly root: string }>;

export interface HssState {
  /** The number of the next signature; all below are used, or given up. */
  readonly next: bigint;
  readonly roots: SignedRoots;
}

export function stateFault(message: string, hint: string): Failure {
  return new Failure(3, "KEY_STATE", CODES.KEY_STATE, message, hint);
}

/** Where the state of one key lies, and the words for it. */
export class HssPlaceOnDisk {
  readonly state: string;
  constructor(
    /** The key file, without symbolic links. */
    readonly file: string,
    /** As messages call it. */
    readonly name: string,
    readonly thumbprint: string,
  ) {
    this.state = `${file}.state`;
  }

  get witness(): string {
    return join(stateFolder(), `${this.thumbprint}.hss`);
  }

  tree(level: number): string {
    return `${this.file}.tree${level}`;
  }

  /**
   * Both locks: the one beside the key is for whoever shares its folder, the one beside the witness for copies of the key on this machine.
   * `wait`: seconds. `held`: whether both are still ours, for a person may have removed them.
   */
  async locked<T>(work: (held: () => boolean) => Promise<T>, wait = 60): Promise<T> {
    const busy = `${this.name}: another process is signing with the key`;
    const beside = await lock(`${this.state}.lock`, { wait, busy });
    try {
      const outside = await lock(`${this.witness}.lock`, { wait, busy });
      try {
        return await work(() => beside.held() && outside.held());
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

  writeState({ next, roots }: HssState): void {
    const trees = [...roots].map(([level, { tree, root }]) => `tree ${level} ${tree} ${root}`);
    writeLines(this.state, [STATE_HEAD, `key ${this.thumbprint}`, `next ${next}`, ...trees]);
  }

  readWitness(): bigint | "missing" | "damaged" {
    const lines = readLines(this.witness);
    if (typeof lines === "string") return lines;
    const [head, key, next, more] = lines;
    if (head !== WITNESS_HEAD || key !== `key ${this.thumbprint}` || more !== undefined) return "damaged";
    return numberOf(next) ?? "damaged";
  }

  writeWitness(next: bigint): void {
    writeLines(this.witness, [WITNESS_HEAD, `key ${this.thumbprint}`, `next ${next}`]);
  }

  /** The state, if it can be gone on with. Otherwise a Failure, exit 3, that says what is wrong and what can be done. */
  checked(): HssState {
    const { name } = this;
    // The witness first, the other way round than they are written. Without the lock others may sign between the two reads, and the state must not
    // seem to be behind then.
    const witness = this.readWitness();
    const state = this.readState();
    const forward = (to: bigint) => `if no other copy has signed: firmseal hss skip ${name} --to ${to}`;
    if (typeof state === "string")
      throw stateFault(
        `${name}: its state, ${name}.state, is ${state}: which leaves are used is not known`,
        typeof witness === "bigint" ? forward(witness) : `bring ${name}.state back from where the key has signed last`,
      );
    if (typeof witness === "string")
      throw stateFault(
        `${name}: this machine has ${witness === "missing" ? "never signed" : "a damaged record of what it has signed"} with the key, and another copy of it may`,
        `if none does: firmseal hss adopt ${name} --no-other-copy-signs`,
      );
    if (state.next < witness)
      throw stateFault(
        `${name}: a restored backup or a copy: its state is at ${state.next}, and this machine has signed up to ${witness}`,
        forward(witness),
      );
    return state;
  }

  /** Both to the disk, the state first: a witness that is ahead of it would call a crash in between a restored backup. */
  advance(state: HssState): void {
    this.writeState(state);
    this.writeWitness(state.next);
  }
}

const STATE_HEAD = "firmseal hss state 1";
const WITNESS_HEAD = "firmseal hss witness 1";
/** Far above what is ever in one of the files. */
const LONGEST = 4096;

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
  if (!stat.isFile() || stat.size > LONGEST) return "damaged";
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
  const body = text.slice(0, text.lastIndexOf("sum "));
  return body !== "" && text === body + sumOf(body) ? body.split("\n").slice(0, -1) : "damaged";
}

function writeLines(path: string, lines: readonly string[]): void {
  const body = `${lines.join("\n")}\n`;
  writeWhole(path, Buffer.from(body + sumOf(body)), { mode: 0o600 });
}
