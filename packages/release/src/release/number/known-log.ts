// What the logs of the keys say about a number, before anything else is done. The logs of key files are beside them, so
// this needs no passphrase. It decides nothing: the logs are read again under their locks before a key signs.

import { type ClockOverride, checkSequence, type Entry, type SequenceOverrides, type SigningLog } from "@firmseal/keys";
import { isNumberOf, lastTime, logBeside, logFile, readLogIfThere, refuseClock, STDIO } from "@firmseal/keys/internal";
import type { Board, Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { referencesOf, type Signing, scopeOfBoard } from "../board/devices.js";

interface KnownLogOptions extends SequenceOverrides, ClockOverride, Signing {
  readonly role?: SigningRole;
  readonly log?: string;
}

/** The logs. Undefined if one of them is not known without its key. */
function logsOf(product: Product, o: KnownLogOptions): SigningLog[] | undefined {
  const { role = "release", log } = o;
  const out: SigningLog[] = [];
  const refs = referencesOf(product, role, o);
  const paths = log === undefined ? refs.map(logBeside) : [logFile(log)];
  for (const path of paths) {
    const found = path === undefined || path === STDIO ? undefined : readLogIfThere(path);
    if (!found || found.faults.length > 0) return undefined;
    out.push(found);
  }
  return out;
}

/** The entries about releases of a board. */
function entriesFor(product: Product, board: Board, logs: readonly SigningLog[]): { scope: string[]; ofBoard: Entry[] } {
  const scope = scopeOfBoard(product, board);
  return {
    scope,
    ofBoard: logs.flatMap(({ entries }) => entries).filter((e) => e.sequence !== undefined && e.scope?.some((one) => scope.includes(one))),
  };
}

/** Whether a log that is known without its key has a release of one of the boards. */
export function isInKnownLog(product: Product, boards: readonly Board[], o: KnownLogOptions): boolean {
  const logs = logsOf(product, o) ?? [];
  return boards.some((board) => entriesFor(product, board, logs).ofBoard.length > 0);
}

/**
 * Refuses a number that leaves out too many, and a clock that is far from the logs. Other refusals of logs depend on
 * the content of the release. Throws a Failure: SEQUENCE, or one of the environment.
 */
export function refuseKnownJump(
  product: Product,
  boards: readonly Board[],
  { version, sequence }: { readonly version: string; readonly sequence: bigint | "log" },
  o: KnownLogOptions,
): void {
  const logs = logsOf(product, o);
  if (!logs) return;
  refuseClock(logs.flatMap(lastTime), o);
  if (sequence === "log") return;
  for (const board of boards) {
    const { scope, ofBoard } = entriesFor(product, board, logs);
    // the same content may be signed again under its number: what it is, is not known yet
    if (ofBoard.some((e) => BigInt(e.sequence as string) >= sequence)) continue;
    checkSequence([{ entries: ofBoard }], { sequence, digest: "", scope, ...(isNumberOf(version, sequence) && { version }) }, o);
  }
}
