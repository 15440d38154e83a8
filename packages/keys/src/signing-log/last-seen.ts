// The last-seen mark: what this account has seen of a key, kept away from it. How many entries its log had, and how many leaves its state
// has given out. Who puts back an old copy of the log or of the state is found out by it. One file for each, in one form.

import { lstatSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { environment, systemFault } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { fsyncFolder, writeWhole } from "../files/write.js";
import { type Claim, Claims } from "../locks/claim.js";
import { type Lock, lock } from "../locks/lock.js";

const MARK_PATH = "name a folder that only you can write: FIRMSEAL_STATE=DIR";

/**
 * The folder of what must not lie beside a key: $FIRMSEAL_STATE, $XDG_STATE_HOME/firmseal, or ~/.local/state/firmseal. It is made with
 * mode 0700. Throws a Failure (exit 3) where it cannot be made, or where others may write to it.
 */
export function stateFolder(): string {
  const { FIRMSEAL_STATE: own, XDG_STATE_HOME: xdg } = process.env;
  // a relative path is to be ignored (XDG Base Directory Specification)
  const folder = own ? resolve(own) : join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".local/state"), "firmseal");
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    // a mark that a power cut takes away with its folder would be none
    if (made !== undefined) fsyncFolder(dirname(made));
    const { mode, uid } = statSync(folder);
    const me = process.getuid?.();
    if (me !== undefined && ((mode & 0o022) !== 0 || (uid !== me && uid !== 0)))
      throw environment(
        `${folder}: other users may write to it, and firmseal must trust its content`,
        "make it yours alone: chmod 700, chown",
      );
  } catch (e) {
    const fault = systemFault(e, folder);
    throw fault ? environment(fault.message, MARK_PATH, e) : e;
  }
  return folder;
}

/** What is counted: entries of the log, or leaves of an HSS/LMS key. */
export type Counted = "log" | "leaves";

export interface Seen {
  /** The highest number of an entry; leaves that are used or given up. */
  count: bigint;
  /** Of a log: the hash of that entry, in hex. */
  hash?: string;
  /** Of a log: where it was. */
  path?: string;
}

/** Far above what is ever in the file. */
const MAX_MARK_LENGTH = 64 * 1024;

/** The text of a mark: one JSON object, and in it the hash of what stands before that, so that no damage looks like another count. */
export function markText(thumbprint: string, { count, hash, path }: Seen): string {
  const body = JSON.stringify({ v: 1, key: thumbprint, count: String(count), hash, path });
  return `${body.slice(0, -1)},"sum":"${sha256Hex(body)}"}\n`;
}

function parseMark(text: string, thumbprint: string): Seen | undefined {
  const [, before, sum] = /^(\{.*),"sum":"([0-9a-f]{64})"\}\n$/.exec(text) ?? [];
  if (before === undefined || sha256Hex(`${before}}`) !== sum) return undefined;
  try {
    const { v, key, count, hash, path } = JSON.parse(`${before}}`);
    if (v !== 1 || key !== thumbprint || !/^(0|[1-9]\d{0,60})$/.test(count)) return undefined;
    return { count: BigInt(count), ...(typeof hash === "string" && { hash }), ...(typeof path === "string" && { path }) };
  } catch {
    return undefined;
  }
}

/** The mark of one key. */
export class LastSeen {
  readonly file: string;
  readonly claims: Claims;
  private last: Claim | undefined;

  constructor(
    /** Of the key, in hex. */
    readonly thumbprint: string,
    counted: Counted,
  ) {
    this.file = join(stateFolder(), `${thumbprint}.${counted}.last-seen`);
    this.claims = new Claims(this.file);
  }

  /** What was seen, or what is wrong with the file. */
  look(): Seen | "missing" | "damaged" {
    const stat = lstatSync(this.file, { throwIfNoEntry: false });
    if (!stat) return "missing";
    // a link may lead two keys to one mark
    if (!stat.isFile() || stat.size > MAX_MARK_LENGTH) return "damaged";
    try {
      return parseMark(readFileSync(this.file, "utf8"), this.thumbprint) ?? "damaged";
    } catch (e) {
      throw systemFault(e, this.file) ?? e;
    }
  }

  /** undefined: nothing was seen. Throws a Failure (exit 3) where the file is damaged. */
  read(): Seen | undefined {
    // before the file: who raises it in between is then found out
    this.last = this.claims.last();
    const seen = this.look();
    if (seen === "damaged") throw environment(`${this.file}: is damaged`, "check how far the key was used, then remove the file");
    return seen === "missing" ? undefined : seen;
  }

  /** So that those who use the key wait for each other; what is right does not depend on it. `wait`: seconds. */
  lock(wait?: number, busy = `${this.file}: the key is in use`): Promise<Lock> {
    return lock(`${this.file}.lock`, { busy, ...(wait !== undefined && { wait }) });
  }

  /** Makes the mark of a new key. */
  begin(): void {
    writeWhole(this.file, Buffer.from(markText(this.thumbprint, { count: 0n })), { mode: 0o600, fresh: true });
  }

  /**
   * Writes the mark under a claim of `claims`; durable when it returns true. `lower`: what it may be now. false: it is not, or another one has
   * claimed since. Then nothing was changed.
   */
  write(claim: Claim, seen: Seen, lower: (now: Seen | "missing" | "damaged") => boolean): boolean {
    return this.claims.write(claim, Buffer.from(markText(this.thumbprint, seen)), () => lower(this.look()));
  }

  /** Claims and writes. false: it was not higher, or another one has raised it since the last read(). Then nothing was changed. */
  raise(seen: Seen): boolean {
    const { last } = this;
    // the file may have been removed, and the count begin anew
    const claim = this.claims.take(last, last && last.number > seen.count ? last.number : seen.count);
    if (!claim) return false;
    this.last = claim;
    return this.write(claim, seen, (now) => now === "missing" || (now !== "damaged" && seen.count > now.count));
  }
}
