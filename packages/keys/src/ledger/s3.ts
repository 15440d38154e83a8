// A ledger in a bucket of S3 or of another object store. Each append is an object, whose name is the byte offset at
// which its lines begin: a conditional write has one winner for each offset. A turn is an object too, but nothing
// depends on it: it only spares machines that would lose.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { environment, tooMuch, usage } from "../errors/failure.js";
import { brokenLedger, type Ledger, type LedgerOptions, ledgerMoved, type Turn } from "./ledger.js";
import type { LedgerPlace } from "./place.js";
import { connect, type LedgerObjects } from "./s3-store.js";

/** The version of the layout. */
const VERSION = 1;
const ABOUT = "ledger.json";
const TURN = "turn";
const LOG = "log/";
const DIGITS = 16;

/** Bytes of one append: a log that is imported, as far as a slow line can take it in the time of one request. */
const LARGEST_BATCH = 64 * 1024 * 1024;
/** How far before an offset the batch that contains it may begin. Most have one line. */
const WINDOWS: readonly number[] = [4 * 1024, 256 * 1024, LARGEST_BATCH];
/** Bytes of one answer. One of a service may have twice as many. */
const PART = 512 * 1024;
/** Parts that are read at once. Together they have more than a line. */
const AT_ONCE = 16;

/** Milliseconds by the clock of the store. An older turn was left by a machine that died. */
const LONGEST_TURN = 30_000;
/** Milliseconds. Later, a turn may be that of another machine. */
const SURELY_OURS = 20_000;

/** The lines of one append. */
interface Batch {
  readonly start: number;
  readonly size: number;
}

/** A part of a batch that is read at once. */
interface Part extends Batch {
  readonly from: number;
  readonly length: number;
}

const NEWLINE = 0x0a;

const nameOf = (start: number) => String(start).padStart(DIGITS, "0");

/** Opens the ledger of a name. Throws a Failure if there is none, or if it is of another version. */
export async function openS3(place: LedgerPlace): Promise<Ledger> {
  const store = await connect(place);
  try {
    const about = await store.get(ABOUT);
    if (!about)
      throw environment(
        `${place.text}: the bucket has no ledger ${place.name}`,
        "check the name after #, or make the ledger: firmseal ledger init",
      );
    return new S3Ledger(store, peopleOf(place, about.bytes));
  } catch (e) {
    store.close();
    throw e;
  }
}

/** Whether entries name people, according to ledger.json. */
function peopleOf(place: LedgerPlace, bytes: Buffer): boolean {
  let about: { v?: unknown; people?: unknown } | null;
  try {
    about = JSON.parse(bytes.toString());
  } catch {
    about = null;
  }
  if (typeof about?.v === "number" && about.v > VERSION)
    throw environment(`${place.text}: it is of version ${about.v}, and this firmseal knows version ${VERSION}`, "use a newer firmseal");
  if (about?.v !== VERSION || typeof about.people !== "boolean") throw brokenLedger(place, `${ABOUT} is not that of a ledger`);
  return about.people;
}

class S3Ledger implements Ledger {
  /** Where a batch ends: what follows it must begin there. */
  private end = 0;

  constructor(
    private readonly store: LedgerObjects,
    readonly people: boolean,
  ) {}

  get place(): LedgerPlace {
    return this.store.place;
  }

  /** The batches in the list, from one that begins at `from` or later. */
  private async *listed(from: number): AsyncGenerator<Batch> {
    for await (const { name, size } of this.store.list(LOG, from > 0 ? nameOf(from - 1) : "")) {
      // another ledger may have a name below this one
      if (name.length !== DIGITS || !/^\d+$/.test(name)) continue;
      if (size === 0 || size > LARGEST_BATCH) throw brokenLedger(this.place, `the object ${LOG}${name} has ${size} bytes`);
      yield { start: Number(name), size };
    }
  }

  /** The batches from the one that contains `from`, each beginning where the one before ends. */
  private async *batches(from: number): AsyncGenerator<Batch> {
    for (const window of WINDOWS) {
      const low = Math.max(0, from - window);
      const isLast = low === 0 || window === LARGEST_BATCH;
      let end: number | undefined;
      for await (const { start, size } of this.listed(low)) {
        if (end === undefined && !isLast && start > from) break;
        const expected = end ?? Math.min(start, low === 0 ? 0 : from);
        if (start !== expected) throw brokenLedger(this.place, `the object with what follows its byte ${expected} is missing`);
        end = start + size;
        if (end > from) yield { start, size };
      }
      if (end !== undefined) this.end = end;
      if (end !== undefined || isLast) return;
    }
  }

  /** Reads a part of a batch. */
  private async part({ start, size, from, length }: Part): Promise<Buffer> {
    const name = LOG + nameOf(start);
    const there = await this.store.get(name, length < size ? { from, length } : {});
    if (there?.bytes.length !== length || (from + length === size && there.bytes.at(-1) !== NEWLINE))
      throw brokenLedger(this.place, `the object ${name} ${there ? "differs from what the list says" : "was removed"}`);
    return there.bytes;
  }

  async *read(from: number): AsyncGenerator<Buffer> {
    let group: Part[] = [];
    const fetched = async () => {
      const parts = await Promise.all(group.map((part) => this.part(part)));
      group = [];
      return Buffer.concat(parts);
    };
    for await (const batch of this.batches(from))
      for (let at = Math.max(0, from - batch.start); at < batch.size; at += PART) {
        group.push({ ...batch, from: at, length: Math.min(PART, batch.size - at) });
        if (group.length === AT_ONCE) yield await fetched();
      }
    if (group.length > 0) yield await fetched();
  }

  async turn(options: { wait: number; signal?: AbortSignal | undefined }): Promise<Turn> {
    const taken = await takeTurn(this.store, options);
    return { ...taken, append: (at, lines) => this.append(at, lines).finally(taken.end) };
  }

  private async append(at: number, lines: readonly Buffer[]): Promise<void> {
    const body = Buffer.concat(lines);
    if (body.length > LARGEST_BATCH)
      throw tooMuch(
        `${this.place.text}: ${body.length} bytes to enter at once, and a ledger in an object store takes ${LARGEST_BATCH}`,
        "enter them in several steps",
      );
    if (!(await this.isEnd(at)) || !(await this.store.createOnce(LOG + nameOf(at), body))) throw ledgerMoved(this.place);
    this.end = at + body.length;
  }

  /** Whether a batch ends at an offset, so that a conditional write there is one at the end. */
  private async isEnd(at: number): Promise<boolean> {
    if (at === 0 || at === this.end) return true;
    for await (const { start, size } of this.batches(at - 1)) return start + size === at;
    return false;
  }

  async close(): Promise<void> {
    this.store.close();
  }
}

/** The object of a turn that this machine has made. */
interface Taken {
  /** The clock of the store when it was made. In milliseconds since 1970. */
  readonly time: number;
  /** Removes it, if no other machine can have done so. Does not throw. */
  end(): Promise<void>;
}

/** Waits until no other machine has a turn, and makes that of this one. Throws a Failure. */
async function takeTurn(store: LedgerObjects, { wait, signal }: { wait: number; signal?: AbortSignal | undefined }): Promise<Taken> {
  const until = performance.now() + wait * 1000;
  const id = randomUUID();
  let isHonoured = false;
  for (;;) {
    const made = performance.now();
    let isFree = false;
    let ours = await store.create(TURN, id, signal);
    if (!ours) {
      isHonoured = true;
      const other = await store.get(TURN, { signal });
      // a first attempt may have made it, although no answer came
      if (other?.bytes.toString() === id) ours = other;
      else if (other?.age !== undefined && other.age > LONGEST_TURN) {
        await store.remove(TURN, other.etag, signal);
        isFree = true;
      }
    }
    if (ours) {
      let { etag } = ours;
      const { time = Date.now() } = ours;
      const end = once(async () => {
        if (performance.now() - made < SURELY_OURS) await store.remove(TURN, etag).catch(() => {});
      });
      try {
        signal?.throwIfAborted();
        // A store that ignores conditions would give one number to two machines. Twice: another machine may have
        // removed the first one, if the clock of the store has jumped.
        for (const isLast of [false, true]) {
          const again = isHonoured ? undefined : await store.create(TURN, id, signal);
          if (!again) break;
          etag = again.etag;
          if (isLast) throw store.ignoresConditions();
        }
        return { time, end };
      } catch (e) {
        await end();
        throw e;
      }
    }
    if (performance.now() > until)
      throw environment(`${store.place.text}: other machines use the ledger without a pause`, "run the command again");
    if (isFree) continue;
    await sleep(100 + Math.random() * 300, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** Makes a ledger. The bucket must exist. */
export async function initS3(place: LedgerPlace, { people = false, signers }: LedgerOptions): Promise<void> {
  if (signers !== undefined)
    throw usage(`${place.text}: a bucket has no roles of signers`, "the policy of the bucket says who may append and read");
  const store = await connect(place);
  try {
    const exists = usage(`${place.text}: there is a ledger of this name`, "two products have two names");
    if (await store.get(ABOUT)) throw exists;
    for await (const { name } of store.list(LOG, "")) throw brokenLedger(place, `it has the object ${LOG}${name}, and no ${ABOUT}`);
    // also shows whether the store honours conditions
    const { end } = await takeTurn(store, { wait: 60 });
    try {
      if (!(await store.createOnce(ABOUT, Buffer.from(`${JSON.stringify({ v: VERSION, people })}\n`)))) throw exists;
    } finally {
      await end();
    }
  } finally {
    store.close();
  }
}
