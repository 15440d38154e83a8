// Whether only the user and root can change a file: for code that runs because a reference names it.

import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { KeyFileError } from "../../errors/key-file.js";

/** The kernel follows as many (path_resolution(7)). */
const MOST_LINKS = 40;
const STICKY = 0o1000;

/**
 * Resolves a path to the file without links, which only root and this user can change, including its folders and every
 * link on the way with its folders. Throws KeyFileError (exit 3) for anything that others can write, with the reason
 * `why`.
 */
export function checkedPath(path: string, why: string): string {
  // without user numbers, modes mean nothing
  if (process.geteuid === undefined) return path;
  let [at, rest] = splitRoot(path);
  let links = 0;
  checkOwner(at, lstatSync(at), path, why);
  while (rest.length > 0) {
    const next = join(at, rest.shift() as string);
    const stat = lstatSync(next);
    if (stat.isSymbolicLink()) {
      // the folder decides who may change the link
      if (++links > MOST_LINKS) throw new KeyFileError(`${path}: too many symbolic links`, "name the file itself", 3);
      const [root, parts] = splitRoot(resolve(dirname(next), readlinkSync(next)));
      [at, rest] = [root, [...parts, ...rest]];
    } else {
      checkOwner(next, stat, path, why);
      at = next;
    }
  }
  return at;
}

function splitRoot(path: string): [root: string, parts: string[]] {
  const { root } = parse(path);
  return [
    root,
    resolve(path)
      .slice(root.length)
      .split(sep)
      .filter((part) => part !== ""),
  ];
}

function checkOwner(place: string, stat: Stats, asked: string, why: string): void {
  const what = place === asked ? asked : `${asked}: ${place}`;
  if (stat.uid !== 0 && stat.uid !== process.geteuid?.())
    throw new KeyFileError(
      `${what} belongs to another user, and ${why}`,
      "use one that you or root own, in folders that you or root own",
      3,
    );
  // in a sticky folder, others can create files, but neither remove nor rename those of this user
  if ((stat.mode & 0o022) === 0 || (stat.isDirectory() && (stat.mode & STICKY) !== 0)) return;
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
  throw new KeyFileError(`${what} can be written by others (mode ${mode}), and ${why}`, `chmod go-w ${place}`, 3);
}
