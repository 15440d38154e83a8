// Where a private key or a PIN may be stored: in a regular file that belongs to this user or root, that nobody else can
// read or change, and whose path is not a symbolic link. All checks use the open file, because a path may lead to
// another file a moment later.

import { closeSync, constants, fstatSync, type Stats } from "node:fs";
import { KeyFileError } from "../errors/key-file.js";
import { openRegular, readToEnd } from "../files/read.js";
import { byteWords, visible } from "../words.js";

// Windows has neither this flag nor modes: Node reports all bits as set
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;

/** The content of a file that may hold a secret. */
export interface GuardedFile {
  /** The content. The caller overwrites it with zeros after use. */
  readonly bytes: Buffer;
  /** Throws KeyFileError if the file must not hold a secret. A public key may be anywhere. */
  guard(): void;
}

/**
 * Reads a file of at most `limit` bytes, with a check whether it may hold a secret (`what` in messages). `tooLong` says
 * what is wrong with a longer one. Throws Failure if it cannot be read.
 */
export function readGuarded(path: string, limit: number, what = "a private key", tooLong = longerThan(what)): GuardedFile {
  const { fd, size, link } = openKeyFile(path);
  try {
    if (size > limit) throw tooLong(path, size);
    const stat = fstatSync(fd);
    const { buffer, byteOffset, length } = readToEnd(fd, path, limit, size);
    return { bytes: Buffer.from(buffer, byteOffset, length), guard: () => checkPrivate(path, stat, link, undefined, what) };
  } finally {
    closeSync(fd);
  }
}

const longerThan = (what: string) => (path: string, size: number) =>
  new KeyFileError(`${path}: too long for ${what} (${byteWords(size)})`, "give a file that contains nothing else", 2);

function openKeyFile(path: string): { fd: number; size: number; link: boolean } {
  try {
    return { ...openRegular(path, NOFOLLOW), link: false };
  } catch (e) {
    // Linux and macOS say ELOOP, FreeBSD EMLINK
    const code = ((e as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    if (code !== "ELOOP" && code !== "EMLINK") throw e;
    return { ...openRegular(path), link: true };
  }
}

/**
 * The check. `uid` is the user of this process, or undefined if the system has no user numbers. Exported for the tests.
 */
export function checkPrivate(
  path: string,
  stat: Pick<Stats, "mode" | "uid">,
  link: boolean,
  uid = process.geteuid?.(),
  what = "a private key",
): void {
  if (link) throw new KeyFileError(`${path}: ${what} behind a symbolic link`, "name the file itself, or pass it as fd:3 with 3<FILE", 3);
  if (uid === undefined) return;
  if ((stat.mode & 0o077) !== 0)
    throw new KeyFileError(
      `${path}: ${what} that others can read or change (mode ${(stat.mode & 0o777).toString(8).padStart(4, "0")})`,
      `chmod 600 ${visible(path)}`,
      3,
    );
  if (stat.uid !== uid && stat.uid !== 0)
    throw new KeyFileError(
      `${path}: ${what} in a file of another user`,
      "sign as the user who owns it, or make it yours: chown USER FILE",
      3,
    );
}
