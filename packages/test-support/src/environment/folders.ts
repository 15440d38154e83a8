// Temporary folders of tests. Test files share a process: setup.ts gives each file a folder of its own, in which it
// leaves nothing.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

/** Makes a folder that is removed when the test file ends. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.push(folder);
  return folder;
}

/** The value of TMPDIR outside a test file, and the folder of the file that runs. */
let outside: { readonly value: string | undefined } | undefined;

function setTmpdir(value: string | undefined): void {
  if (value === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = value;
}

/** Makes the folder in which a test file, and every program that it starts, has its temporary files. */
export function enterFile(): void {
  outside ??= { value: process.env["TMPDIR"] };
  setTmpdir(outside.value);
  setTmpdir(mkdtempSync(join(tmpdir(), "firmseal-file-")));
}

/** Removes the temporary folders of a test file, and returns the names of what it did not remove itself. */
export function leaveFile(): string[] {
  const ended = process.env["TMPDIR"] as string;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  const names = readdirSync(ended);
  rmSync(ended, { recursive: true, force: true });
  setTmpdir(outside?.value);
  return names;
}

/** What is being made for all files of the process, and the folder of the test file that comes back after it. */
let making = 0;
let own: string | undefined;

/** Makes what serves all files of the process. Its temporary files are outside the folder of the test file. */
export async function forProcess<T>(make: () => Promise<T>): Promise<T> {
  // several may be made at once: the first one leaves the folder of the test file, and the last one returns
  if (making++ === 0) own = process.env["TMPDIR"];
  setTmpdir(outside?.value);
  try {
    return await make();
  } finally {
    if (--making === 0) setTmpdir(own);
  }
}
