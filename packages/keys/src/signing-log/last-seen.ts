// What this account has seen of a key's log or state, kept away from it: who puts back an old copy of the file is found out by it.

import { mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { environment, systemFault } from "../errors/failure.js";
import { readAll } from "../files/read.js";
import { syncFolder } from "../files/write.js";
import { type Claim, Claims } from "../locks/claim.js";
import { type Lock, lock } from "../locks/lock.js";

const PLACE = "name a folder of your own for it: FIRMSEAL_STATE=DIR";

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
    // a witness that a power cut takes away with its folder would be none
    if (made !== undefined) syncFolder(dirname(made));
    const { mode, uid } = statSync(folder);
    const me = process.getuid?.();
    if (me !== undefined && ((mode & 0o022) !== 0 || (uid !== me && uid !== 0)))
      throw environment(
        `${folder}: others may write to it, and what is kept there must be trusted`,
        "make it yours alone: chmod 700, chown",
      );
  } catch (e) {
    const fault = systemFault(e, folder);
    throw fault ? environment(fault.message, PLACE, e) : e;
  }
  return folder;
}

export interface Seen {
  /** The highest count: entries of a log, leaves of a state. */
  count: number;
  /** SHA-256 of what it was then, in hex. */
  hash: string;
  /** Where the file was. */
  path?: string;
}

export interface Witness {
  /** Where it is kept. */
  readonly file: string;
  /** undefined: nothing was seen. Throws a Failure (exit 3) where the file is damaged. */
  read(): Seen | undefined;
  /** So that those who use the key wait for each other; what is right does not depend on it. */
  lock(): Promise<Lock>;
  /** Durable when it returns true. false: it was not higher, or another one has raised it since the last read(). Then nothing was changed. */
  raise(seen: Seen): boolean;
}

/** The witness of the key with a thumbprint (hex), for its log, or for what `what` calls. */
export function witness(thumbprint: string, what = "log-seen"): Witness {
  const file = join(stateFolder(), `${thumbprint}.${what}`);
  const claims = new Claims(file);
  let last: Claim | undefined;
  const read = () => {
    if (!statSync(file, { throwIfNoEntry: false })) return undefined;
    const seen = parse(readAll(file, 64 * 1024));
    if (!seen) throw environment(`${file}: is damaged`, "see how far the key was used, then remove the file");
    return seen;
  };
  return {
    file,
    read() {
      // before the file: who raises it in between is then found out
      last = claims.last();
      return read();
    },
    lock: () => lock(`${file}.lock`, { busy: `${file}: the key is in use` }),
    raise(seen) {
      const count = BigInt(seen.count);
      // the file may have been removed, and the count begin anew
      const claim = claims.take(last, last && last.number > count ? last.number : count);
      if (!claim) return false;
      last = claim;
      return claims.write(claim, Buffer.from(`${JSON.stringify(seen)}\n`), () => seen.count > (read()?.count ?? -1));
    },
  };
}

function parse(bytes: Uint8Array): Seen | undefined {
  try {
    const { count, hash, path } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (!Number.isSafeInteger(count) || count < 0 || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
    return { count, hash, ...(typeof path === "string" && { path }) };
  } catch {
    return undefined;
  }
}
