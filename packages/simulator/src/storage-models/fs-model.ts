// A file system with power cuts. Synced data is durable. Of the rest, some content or some names may have reached the
// disk, in any order: fsync of a file makes its content durable, fsync of the folder its name (POSIX fsync; Pillai et
// al., OSDI 2014).

import { dirname } from "node:path/posix";
import type { FileSystem } from "@firmseal/verifier/device/file";

/** The content of a disk: files by path, and folders. */
export interface Disk {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly folders: ReadonlySet<string>;
}

/** What else had reached the disk when the power failed. */
export const FS_TEARS = ["what was synced", "and content", "and names", "and the last name", "and half", "and all"] as const;

export type FsTear = (typeof FS_TEARS)[number];

/** A change of the content of a file: truncated to nothing, or bytes written. */
type ContentChange = { readonly at: number; readonly bytes: Uint8Array } | "empty";

interface File {
  synced: Uint8Array;
  changes: readonly ContentChange[];
}

/** An atomic change of names: each path leads to a file, or to nothing. */
type Naming = readonly (readonly [path: string, file: File | undefined])[];

interface Moment {
  readonly what: string;
  readonly names: ReadonlyMap<string, File>;
  readonly namings: readonly Naming[];
  readonly files: ReadonlyMap<File, File>;
}

function applyChange(content: Uint8Array, change: ContentChange): Uint8Array {
  if (change === "empty") return new Uint8Array();
  const out = new Uint8Array(Math.max(content.length, change.at + change.bytes.length));
  out.set(content);
  out.set(change.bytes, change.at);
  return out;
}

const contentOf = (file: File, changes: readonly ContentChange[] = file.changes) => changes.reduce(applyChange, file.synced);

/** The first half of the changes, with half of the bytes of the one in the middle. */
function firstHalf(changes: readonly ContentChange[]): readonly ContentChange[] {
  const whole = Math.floor(changes.length / 2);
  const torn = changes[whole];
  const out = changes.slice(0, whole);
  if (torn && torn !== "empty") out.push({ at: torn.at, bytes: torn.bytes.subarray(0, torn.bytes.length / 2) });
  return out;
}

/** What remains of a moment after a cut. */
function diskAfterCut(moment: Moment, folders: ReadonlySet<string>, tear: FsTear): Disk {
  const { namings } = moment;
  const names = new Map(moment.names);
  const some: readonly Naming[] =
    tear === "and names" || tear === "and all"
      ? namings
      : tear === "and the last name"
        ? namings.slice(-1)
        : tear === "and half"
          ? namings.slice(0, namings.length / 2)
          : [];
  for (const [path, file] of some.flat()) {
    if (file) names.set(path, file);
    else names.delete(path);
  }
  const files = new Map<string, Uint8Array>();
  for (const [path, key] of names) {
    const file = moment.files.get(key) as File;
    const changes = tear === "and content" || tear === "and all" ? file.changes : tear === "and half" ? firstHalf(file.changes) : [];
    files.set(path, contentOf(file, changes));
  }
  return { files, folders };
}

function throwMissing(path: string): never {
  throw Object.assign(new Error(`ENOENT: no such file, ${path}`), { code: "ENOENT" });
}

/** A disk with power. Created folders are durable at once; devices create them before anything else. */
export class FsModel implements FileSystem {
  /** The state after each call that changes something. */
  private readonly moments: Moment[] = [];
  private readonly synced: Map<string, File>;
  private namings: Naming[] = [];
  private readonly names: Map<string, File>;
  private readonly folders: Set<string>;
  private readonly open: { file: File | undefined; path: string }[] = [];
  private readonly all = new Set<File>();

  constructor(disk: Disk) {
    this.names = new Map([...disk.files].map(([path, synced]) => [path, this.file(synced)]));
    this.synced = new Map(this.names);
    this.folders = new Set(disk.folders);
  }

  private file(synced: Uint8Array): File {
    const file: File = { synced, changes: [] };
    this.all.add(file);
    return file;
  }

  private at(path: string): File {
    return this.names.get(path) ?? throwMissing(path);
  }

  private note(what: string): void {
    const files = new Map([...this.all].map((file) => [file, { ...file }] as const));
    this.moments.push({ what, names: new Map(this.synced), namings: [...this.namings], files });
  }

  private rename(naming: Naming): void {
    for (const [path, file] of naming) {
      if (file) this.names.set(path, file);
      else this.names.delete(path);
    }
    this.namings.push(naming);
  }

  /** The number of calls that changed something. */
  get operations(): number {
    return this.moments.length;
  }

  /** Every state that a power cut can leave. */
  *cuts(): Iterable<{ operation: number; what: string; tear: FsTear; disk: () => Disk }> {
    for (const [operation, moment] of this.moments.entries())
      for (const tear of FS_TEARS) yield { operation, what: moment.what, tear, disk: () => diskAfterCut(moment, this.folders, tear) };
  }

  /** The content of the disk after a clean shutdown. */
  off(): Disk {
    return { files: new Map([...this.names].map(([path, file]) => [path, contentOf(file)])), folders: new Set(this.folders) };
  }

  openSync(path: string, flags: string): number {
    if (flags === "r") {
      const file = this.folders.has(path) ? undefined : this.at(path);
      return this.open.push({ file, path }) - 1;
    }
    let file = this.names.get(path);
    if (!this.folders.has(dirname(path))) throwMissing(path);
    if (file) file.changes = [...file.changes, "empty"];
    else {
      file = this.file(new Uint8Array());
      this.rename([[path, file]]);
    }
    this.note(`open ${path}`);
    return this.open.push({ file, path }) - 1;
  }

  private opened(fd: number): { file: File | undefined; path: string } {
    const entry = this.open[fd];
    if (!entry) throw new Error("no such descriptor");
    return entry;
  }

  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const { file, path } = this.opened(fd);
    const some = contentOf(file ?? throwMissing(path)).subarray(position, position + length);
    buffer.set(some, offset);
    return some.length;
  }

  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const { file, path } = this.opened(fd);
    const target = file ?? throwMissing(path);
    target.changes = [...target.changes, { at: position, bytes: buffer.slice(offset, offset + length) }];
    this.note(`write ${path}`);
    return length;
  }

  fsyncSync(fd: number): void {
    const { file, path } = this.opened(fd);
    if (file) {
      file.synced = contentOf(file);
      file.changes = [];
    } else {
      const mine = (naming: Naming) => naming.some(([name]) => dirname(name) === path);
      for (const [name, to] of this.namings.filter(mine).flat()) {
        if (to) this.synced.set(name, to);
        else this.synced.delete(name);
      }
      this.namings = this.namings.filter((naming) => !mine(naming));
    }
    this.note(`fsync ${path}`);
  }

  closeSync(fd: number): void {
    this.opened(fd);
    this.open[fd] = undefined as never;
  }

  renameSync(from: string, to: string): void {
    this.rename([
      [from, undefined],
      [to, this.at(from)],
    ]);
    this.note(`rename ${from} to ${to}`);
  }

  unlinkSync(path: string): void {
    this.at(path);
    this.rename([[path, undefined]]);
    this.note(`unlink ${path}`);
  }

  mkdirSync(path: string): void {
    for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) this.folders.add(folder);
  }

  existsSync(path: string): boolean {
    return this.names.has(path) || this.folders.has(path);
  }

  statSync(path: string): { size: number } {
    return { size: contentOf(this.at(path)).length };
  }

  readFileSync(path: string): string {
    return Buffer.from(contentOf(this.at(path))).toString("utf8");
  }
}
