// Who is next is decided by the file system, once, and by no lock: a process that is held up between its look and its write, for however long,
// must not go on with what others have used meanwhile.
//
// Beside FILE lies the folder FILE.claims with one file in it, whose name holds a number and a nonce. To claim is to rename it: of all who have
// seen one name, the rename of one succeeds, and the others find the name gone. The nonce keeps a name from coming back, also where the folder is
// removed and made again. The folder appears by rename, with its file in it, so that it is made once as well.
//
// FILE itself is then written by who has claimed, and only ever forward: the new content waits in the folder, and who claims later removes it
// there before he looks at FILE. So one that was overtaken has nothing left to rename.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { environment, systemFault } from "../errors/failure.js";
import { fsyncFolder, holdSignals, writeDurably } from "../files/write.js";

/** What was claimed: `number`, and all below. */
export interface Claim {
  readonly number: bigint;
  readonly name: string;
}

const CLAIM_NAME = /^(0|[1-9]\d{0,60})-[0-9a-f]{24}$/;
const NEW = ".new";

function parseClaimName(name: string): Claim | undefined {
  const found = CLAIM_NAME.exec(name);
  return found ? { number: BigInt(found[1] as string), name } : undefined;
}

const errnoOf = (e: unknown) => (e as NodeJS.ErrnoException).code;

export class Claims {
  private readonly folder: string;
  constructor(private readonly file: string) {
    this.folder = `${file}.claims`;
  }

  /** The last claim; undefined where there is none yet. Changes nothing. */
  last(): Claim | undefined {
    // one that was put back from a backup is lower
    let most: Claim | undefined;
    for (const name of this.names()) {
      const one = parseClaimName(name);
      if (one && (!most || one.number > most.number || (one.number === most.number && one.name > most.name))) most = one;
    }
    return most;
  }

  private names(): string[] {
    try {
      return readdirSync(this.folder);
    } catch (e) {
      if (errnoOf(e) === "ENOENT") return [];
      throw systemFault(e, this.folder) ?? e;
    }
  }

  /**
   * Claims `number`, which is no lower than what was `seen`. Durable when it returns. undefined: another one has claimed since, and nothing was
   * changed. Throws a Failure (exit 3) where nothing can be written here.
   */
  take(seen: Claim | undefined, number: bigint): Claim | undefined {
    if (seen && number < seen.number) return undefined;
    const name = `${number}-${randomBytes(12).toString("hex")}`;
    const release = holdSignals();
    try {
      return (seen ? this.rename(seen.name, name) : this.begin(name)) ? { number, name } : undefined;
    } catch (e) {
      throw systemFault(e, this.folder) ?? e;
    } finally {
      release();
    }
  }

  private rename(from: string, to: string): boolean {
    try {
      renameSync(join(this.folder, from), join(this.folder, to));
    } catch (e) {
      if (errnoOf(e) !== "ENOENT") throw e;
      // over NFS the answer may get lost, and the question be put again: then the new name is there
      if (!existsSync(join(this.folder, to))) return false;
    }
    fsyncFolder(this.folder);
    return true;
  }

  /** The first claim: the folder, with its file in it. A folder that is there and not empty is not replaced (rename(2)). */
  private begin(name: string): boolean {
    const own = `${this.folder}.${name.slice(-24)}`;
    try {
      mkdirSync(own, { mode: 0o700 });
      writeDurably(join(own, name), new Uint8Array(0), 0o600);
      fsyncFolder(own);
      renameSync(own, this.folder);
    } catch (e) {
      if (!existsSync(this.folder)) throw e;
      if (this.last()) return false;
      throw environment(`${this.folder}: is damaged`, "remove this folder; the used numbers are also recorded elsewhere", e);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
    fsyncFolder(dirname(this.folder));
    this.sweep();
    return true;
  }

  /** What kills have left of other beginnings. One that is still at it finds that it was not the first. */
  private sweep(): void {
    const folder = dirname(this.folder);
    const begin = `${basename(this.folder)}.`;
    for (const name of readdirSync(folder))
      if (name.startsWith(begin) && /^[0-9a-f]{24}$/.test(name.slice(begin.length)))
        rmSync(join(folder, name), { recursive: true, force: true });
  }

  /**
   * Writes the file under a claim; durable when it returns. `follows` looks at the file as it is and tells whether it may be replaced.
   * false: it may not, or another one has claimed since. Then nothing was written.
   */
  write({ name, number }: Claim, bytes: Uint8Array, follows: () => boolean): boolean {
    const own = join(this.folder, name + NEW);
    const release = holdSignals();
    try {
      writeDurably(own, bytes, 0o600);
      // Who claims after this finds the new content and removes it. Who has claimed before this is seen here.
      if (!existsSync(join(this.folder, name))) return false;
      for (const other of this.names())
        if (this.isBehind(other, number) && other !== name + NEW) rmSync(join(this.folder, other), { force: true });
      if (!follows()) return false;
      renameSync(own, this.file);
      fsyncFolder(dirname(this.file));
      return true;
    } catch (e) {
      // overtaken, or the whole folder was taken away
      if (errnoOf(e) === "ENOENT") return false;
      throw systemFault(e, this.file) ?? e;
    } finally {
      rmSync(own, { force: true });
      release();
    }
  }

  /** New content of who was overtaken, and claims from a backup. */
  private isBehind(other: string, number: bigint): boolean {
    if (other.endsWith(NEW)) return (parseClaimName(other.slice(0, -NEW.length))?.number ?? 0n) <= number;
    const claim = parseClaimName(other);
    return claim !== undefined && claim.number < number;
  }
}
