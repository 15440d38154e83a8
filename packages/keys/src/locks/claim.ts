// Claims: the file system alone decides, once, who is next, without any lock. A process that is delayed between reading
// and writing, for however long, must not reuse what others have used meanwhile.
//
// Beside FILE is the folder FILE.claims with one file in it, whose name contains a number and a nonce. Claiming renames
// this file: among all processes that have read one name, only one rename succeeds, and the others find the name gone.
// The nonce keeps a name from returning, even if the folder is removed and created again. The folder itself appears by
// rename, with its file in it, so it too is created only once.
//
// The process that has claimed then writes FILE, whose number only increases. The new content waits in the folder; a
// later claimant removes it from there before reading FILE. So a process that was overtaken has nothing left to rename.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { environment, type Failure, systemFault } from "../errors/failure.js";
import { fsyncFolder, holdSignals, removeFile, writeDurably } from "../files/write.js";

/** A claim of `number` and all lower ones. */
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

function damaged(folder: string, cause: unknown): Failure {
  return environment(`${folder} is damaged`, "remove this folder; the used numbers are also recorded elsewhere", cause);
}

export class Claims {
  private readonly folder: string;
  constructor(private readonly file: string) {
    this.folder = `${file}.claims`;
  }

  /** The last claim, or undefined. Changes nothing. */
  last(): Claim | undefined {
    // a claim from a restored backup is lower
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
   * Claims `number`, which must not be lower than `seen`. Durable on return. Returns undefined if another process has
   * claimed since; then nothing was changed. Throws a Failure (exit 3) if the folder is not writable.
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
      // NFS may lose the answer and repeat the request: then the new name exists
      if (!existsSync(join(this.folder, to))) return false;
    }
    fsyncFolder(this.folder);
    return true;
  }

  /**
   * The first claim: creates the folder with its file. An existing folder that is not empty is not replaced
   * (rename(2)).
   */
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
      throw damaged(this.folder, e);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
    fsyncFolder(dirname(this.folder));
    this.sweep();
    return true;
  }

  /**
   * Removes what killed processes have left when creating the folder. A process that is still at it will find that it
   * was not the first.
   */
  private sweep(): void {
    const folder = dirname(this.folder);
    const begin = `${basename(this.folder)}.`;
    for (const name of readdirSync(folder))
      if (name.startsWith(begin) && /^[0-9a-f]{24}$/.test(name.slice(begin.length)))
        rmSync(join(folder, name), { recursive: true, force: true });
  }

  /**
   * Writes the file under a claim. Durable on return. `follows` checks whether the current file may be replaced.
   * Returns false if not, or if another process has claimed since; then nothing was written.
   */
  write({ name, number }: Claim, bytes: Uint8Array, follows: () => boolean): boolean {
    const own = join(this.folder, name + NEW);
    const release = holdSignals();
    try {
      writeDurably(own, bytes, 0o600);
      // A later claimant finds the new content and removes it. An earlier one is detected here.
      if (!existsSync(join(this.folder, name))) return false;
      for (const other of this.names()) if (this.isBehind(other, number) && other !== name + NEW) removeFile(join(this.folder, other));
      if (!follows()) return false;
      renameSync(own, this.file);
      fsyncFolder(dirname(this.file));
      return true;
    } catch (e) {
      // overtaken, or the whole folder was removed
      if (errnoOf(e) === "ENOENT") return false;
      throw systemFault(e, this.file) ?? e;
    } finally {
      removeFile(own);
      release();
    }
  }

  /** Whether an entry is the content of an overtaken process, or a claim from a backup. */
  private isBehind(other: string, number: bigint): boolean {
    if (other.endsWith(NEW)) return (parseClaimName(other.slice(0, -NEW.length))?.number ?? 0n) <= number;
    const claim = parseClaimName(other);
    return claim !== undefined && claim.number < number;
  }
}
