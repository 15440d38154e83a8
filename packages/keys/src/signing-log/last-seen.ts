// The last-seen mark: what this account has seen of a key, stored away from the key. It counts the entries of the log,
// or the used leaves of the state. It reveals a log or state that was restored from an old copy. One file for each, in
// the same format.

import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { environment, type Failure, systemFault, tooMuch } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { readOwn } from "../files/read.js";
import { fsyncFolder, makeFolders, writeWhole } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { type Claim, Claims } from "../locks/claim.js";
import { type Lock, type LockOptions, lock } from "../locks/lock.js";
import type { EntryPlace } from "./chain.js";
import type { Entry } from "./entry.js";

const MARK_PATH = "name a folder that only you can write: FIRMSEAL_STATE=DIR";

/**
 * The folder for data that must not be beside a key: $FIRMSEAL_STATE, $XDG_STATE_HOME/firmseal, or
 * ~/.local/state/firmseal. Created with mode 0700, unless `make` is false. Throws a Failure (exit 3) if it cannot be
 * created or if others can write to it.
 */
export function stateFolder(make = true): string {
  const { FIRMSEAL_STATE: own, XDG_STATE_HOME: xdg } = process.env;
  // relative paths must be ignored (XDG Base Directory Specification)
  const folder = own ? resolve(own) : join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".local/state"), "firmseal");
  try {
    const made = make ? makeFolders(folder, 0o700) : undefined;
    // a mark that disappears with its folder in a power cut would be useless
    if (made !== undefined) fsyncFolder(dirname(made));
    const stat = statSync(folder);
    if (!stat.isDirectory()) throw environment(`${folder}: a part of the path is not a folder`, MARK_PATH);
    const { mode, uid } = stat;
    const me = process.getuid?.();
    if (me !== undefined && ((mode & 0o022) !== 0 || (uid !== me && uid !== 0)))
      throw environment(
        `${folder}: other users may write to it, and firmseal must trust its content`,
        "make it yours alone: chmod 700, chown",
      );
  } catch (e) {
    if (!make && (e as NodeJS.ErrnoException).code === "ENOENT") return folder;
    const fault = systemFault(e, folder);
    throw fault ? environment(fault.message, MARK_PATH, e) : e;
  }
  // links on the way to it are the user's own
  return realpathSync(folder);
}

/** What a mark counts: entries of a log, or leaves of an HSS/LMS key. */
export type MarkKind = "log" | "leaves";

/** What a last-seen mark records of a signing log or of the state of an HSS/LMS key. */
export interface SeenState {
  /** The highest entry number, or the number of used or lost leaves. */
  count: bigint;
  /** For a log: the hash of that entry, in hex. */
  hash?: string;
  /** For a log: its path. */
  path?: string;
  /** For a log: the entries that bind the key even if the log is lost. Older marks have none. */
  binds?: readonly Entry[];
  /** For a log: where that entry is in it, and what decides about the next one, by all entries up to that one. */
  place?: EntryPlace;
  decides?: readonly Entry[];
}

/**
 * The text of a mark: one JSON object that includes the hash of its other members, so that damage never looks like
 * another count.
 */
export function markText(thumbprint: string, { count, hash, path, binds, place, decides }: SeenState): string {
  const body = JSON.stringify({ v: 1, key: thumbprint, count: String(count), hash, path, binds, place, decides });
  return `${body.slice(0, -1)},"sum":"${sha256Hex(body)}"}\n`;
}

function parseMark(text: string, thumbprint: string): SeenState | undefined {
  const [, before, sum] = /^(\{.*),"sum":"([0-9a-f]{64})"\}\n$/.exec(text) ?? [];
  if (before === undefined || sha256Hex(`${before}}`) !== sum) return undefined;
  try {
    const { v, key, count, hash, path, binds, place, decides } = JSON.parse(`${before}}`);
    if (v !== 1 || key !== thumbprint || !/^(0|[1-9]\d{0,60})$/.test(count)) return undefined;
    return {
      count: BigInt(count),
      ...(typeof hash === "string" && { hash }),
      ...(typeof path === "string" && { path }),
      binds,
      ...(isPlace(place) && Array.isArray(decides) && { place, decides }),
    };
  } catch {
    return undefined;
  }
}

function isPlace(place: EntryPlace | undefined): boolean {
  const { start, end } = place ?? { start: -1, end: -1 };
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start < end;
}

function damaged(file: string): Failure {
  return environment(`${file} is damaged`, "check how far the key was used, then remove the file");
}

function tooLong(file: string): Failure {
  return tooMuch(`${file}: the key has signed for too many kinds of device`, "sign for some of them with another key");
}

/** The last-seen mark of one key. */
export class LastSeen {
  readonly file: string;
  readonly claims: Claims;
  private last: Claim | undefined;

  constructor(
    /** The thumbprint of the key, in hex. */
    readonly thumbprint: string,
    counted: MarkKind,
  ) {
    // who only reads leaves nothing behind
    this.file = join(stateFolder(false), `${thumbprint}.${counted}.last-seen`);
    this.claims = new Claims(this.file);
  }

  /** The mark, or the fault of its file. Returns undefined if nothing was seen. */
  look(): SeenState | "missing" | "damaged" {
    // a link could give two keys one mark
    const bytes = readOwn(this.file, KEY_LIMITS.mark);
    return typeof bytes === "string" ? bytes : (parseMark(Buffer.from(bytes).toString("utf8"), this.thumbprint) ?? "damaged");
  }

  /** The mark. Returns undefined if nothing was seen. Throws a Failure (exit 3) if the file is damaged. */
  read(): SeenState | undefined {
    // before the file, so that a change in between is detected
    this.last = this.claims.last();
    const seen = this.look();
    if (seen === "damaged") throw damaged(this.file);
    return seen === "missing" ? undefined : seen;
  }

  /**
   * Takes the lock, so that users of the key wait for each other; correctness does not depend on it. `wait`: seconds.
   */
  lock(options: LockOptions): Promise<Lock> {
    stateFolder();
    return lock(`${this.file}.lock`, { busy: `${this.file}: the key is in use`, ...options });
  }

  /** Creates the mark of a new key. */
  begin(): void {
    stateFolder();
    writeWhole(this.file, Buffer.from(markText(this.thumbprint, { count: 0n })), { mode: 0o600, fresh: true });
  }

  /**
   * Writes the mark under a claim of `claims`. Durable if it returns true. `lower` checks whether the current mark may
   * be replaced. Returns false if not, or if another process has claimed since; then nothing was changed.
   */
  write(claim: Claim, seen: SeenState, lower: (now: SeenState | "missing" | "damaged") => boolean): boolean {
    let bytes = Buffer.from(markText(this.thumbprint, seen));
    if (bytes.length > KEY_LIMITS.mark) {
      // without what other keys have entered: then each signature reads the whole log
      const { place: _, decides: __, ...own } = seen;
      bytes = Buffer.from(markText(this.thumbprint, own));
    }
    if (bytes.length > KEY_LIMITS.mark) throw tooLong(this.file);
    return this.claims.write(claim, bytes, () => lower(this.look()));
  }

  /**
   * Claims and writes. Returns false if the new mark is not higher, or if another process has raised it since the last
   * read(); then nothing was changed.
   */
  raise(seen: SeenState): boolean {
    const { last } = this;
    // the file may have been removed, and counting begins again
    const claim = this.claims.take(last, last && last.number > seen.count ? last.number : seen.count);
    if (!claim) return false;
    this.last = claim;
    return this.write(claim, seen, (now) => now === "missing" || (now !== "damaged" && seen.count > now.count));
  }
}
