// What the logs of the keys say about a number, before anything else is done. The logs of key files are beside them, so
// this needs no passphrase. It decides nothing: the logs are read again under their locks before a key signs.

import { realpathSync } from "node:fs";
import { checkSequence, type Entry, type SequenceOverrides } from "@firmseal/keys";
import { isNumberOf, readLogIfThere, STDIO, schemeOf } from "@firmseal/keys/internal";
import { refuseClock } from "../../input/clock.js";
import type { Board, Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { referencesOf, type Signing, scopeOfBoard } from "../board/devices.js";

interface KnownLogOptions extends SequenceOverrides, Signing {
  readonly role?: SigningRole;
  readonly log?: string;
}

/** The entries of all logs, in one list. Undefined if one of them is not known without its key. */
function entriesOf(product: Product, o: KnownLogOptions): Entry[] | undefined {
  const { role = "release", log } = o;
  const out: Entry[] = [];
  const refs = referencesOf(product, role, o);
  const paths = log === undefined ? refs.map((ref) => (schemeOf(ref) === undefined ? `${realpathSync(ref)}.log` : undefined)) : [log];
  for (const path of paths) {
    const found = path === undefined || path === STDIO ? undefined : readLogIfThere(path);
    if (!found || found.faults.length > 0) return undefined;
    for (const one of found.entries) out.push(one);
  }
  return out;
}

/** The entries about releases of a board. */
function entriesFor(product: Product, board: Board, entries: readonly Entry[]): { scope: string[]; ofBoard: Entry[] } {
  const scope = scopeOfBoard(product, board);
  return { scope, ofBoard: entries.filter((e) => e.sequence !== undefined && e.scope?.some((one) => scope.includes(one))) };
}

/** Whether a log that is known without its key has a release of one of the boards. */
export function isInKnownLog(product: Product, boards: readonly Board[], o: KnownLogOptions): boolean {
  const entries = entriesOf(product, o) ?? [];
  return boards.some((board) => entriesFor(product, board, entries).ofBoard.length > 0);
}

/**
 * Refuses a number that leaves out too many, and a clock that is behind the logs. Other refusals of logs depend on the
 * content of the release. Throws a Failure: SEQUENCE, or one of the environment.
 */
export function refuseKnownJump(
  product: Product,
  boards: readonly Board[],
  { version, sequence }: { readonly version: string; readonly sequence: bigint | "log" },
  o: KnownLogOptions,
): void {
  const entries = entriesOf(product, o);
  if (!entries) return;
  refuseClock(entries.slice(-1).map(({ time }) => time));
  if (sequence === "log") return;
  for (const board of boards) {
    const { scope, ofBoard } = entriesFor(product, board, entries);
    // the same content may be signed again under its number: what it is, is not known yet
    if (ofBoard.some((e) => BigInt(e.sequence as string) >= sequence)) continue;
    checkSequence(ofBoard, { sequence, digest: "", scope, ...(isNumberOf(version, sequence) && { version }) }, o);
  }
}
