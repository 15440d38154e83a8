// device/file.ts on a file system with power cuts.

import { createHash } from "node:crypto";
import { createFileDevice, fileDevice } from "@firmseal/verifier/device/file";
import { type Disk, FS_TEARS, FsModel } from "../storage-models/fs-model.js";
import type { Cut, Machine, Setup, Started, Store } from "../store.js";

const FOLDER = "/device";

/** The code of a device. */
export interface FilesCode {
  createFileDevice: typeof createFileDevice;
  fileDevice: typeof fileDevice;
}

class FilesMachine implements Machine {
  private readonly fs: FsModel;

  constructor(private readonly from: FilesStore) {
    this.fs = new from.Model(from.disk);
  }

  start(): Started {
    const device = this.from.code.fileDevice(this.fs, FOLDER);
    return { device, envelope: device.envelope() };
  }

  *cuts(): Iterable<Cut> {
    for (const { disk, ...cut } of this.fs.cuts())
      yield {
        ...cut,
        what: cut.what.replaceAll(`${FOLDER}/`, "").replace(FOLDER, "the folder"),
        left: () => new FilesStore(disk(), this.from.Model, this.from.code),
      };
  }

  cutCount(): number {
    return this.fs.operations * FS_TEARS.length;
  }

  sameCourse(from: Store): boolean {
    return (from as FilesStore).digest() === this.from.digest();
  }

  off(): Store {
    return new FilesStore(this.fs.off(), this.from.Model, this.from.code);
  }
}

class FilesStore implements Store {
  private known: string | undefined;

  constructor(
    readonly disk: Disk,
    readonly Model: typeof FsModel,
    readonly code: FilesCode,
  ) {}

  /** Equal disks have equal digests. */
  digest(): string {
    if (this.known) return this.known;
    const hash = createHash("sha256");
    for (const [path, content] of [...this.disk.files].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(JSON.stringify([path, content.length])).update(content);
    this.known = hash.digest("hex");
    return this.known;
  }

  power(): Machine {
    return new FilesMachine(this);
  }

  content(): Iterable<Uint8Array> {
    return this.disk.files.values();
  }
}

/**
 * Makes the store of a device with files.
 *
 * @param setup - What the device must have room for.
 * @param Model - The file system. Default: FsModel.
 * @param code - The code of the device. Default: device/file.ts.
 * @returns The store.
 */
export function filesStore(setup: Setup, Model = FsModel, code: FilesCode = { createFileDevice, fileDevice }): Store {
  const fs = new Model({ files: new Map(), folders: new Set(["/"]) });
  code.createFileDevice(fs, FOLDER, setup.identity, setup.capacity);
  return new FilesStore(fs.off(), Model, code);
}
