// Where a private key, or a PIN, may lie: in a regular file that is this user's or root's, that nobody else may read or change, and that is named
// itself, not by a symbolic link. All of it is asked of the open file: what a name leads to may be another file a moment later.

import { closeSync, constants, fstatSync, type Stats } from "node:fs";
import { KeyFileError } from "../errors/key-file.js";
import { openRegular, readToEnd } from "../files/read.js";
import { visible } from "../words.js";

// Windows has no such flag, and no modes: Node reports all bits as set
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;

export interface Guarded {
  readonly bytes: Buffer;
  /** Throws KeyFileError where a secret must not be in this file. A public key may. */
  guard(): void;
}

/** The content of a file of at most `limit` bytes, and whether it may hold a secret, `what` in messages. Throws Failure for what cannot be read. */
export function readGuarded(path: string, limit: number, what = "a private key"): Guarded {
  const { fd, size, link } = openKeyFile(path);
  try {
    if (size > limit)
      throw new KeyFileError(
        `${path}: too long for ${what} (${size} bytes)`,
        "give a file that holds nothing else; `firmseal keygen` and `firmseal pubkey` write key files",
        2,
      );
    const stat = fstatSync(fd);
    const { buffer, byteOffset, length } = readToEnd(fd, path, limit, size);
    return { bytes: Buffer.from(buffer, byteOffset, length), guard: () => checkPrivate(path, stat, link, undefined, what) };
  } finally {
    closeSync(fd);
  }
}

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

/** The check itself. `uid` is the user of this process, undefined where users have no numbers. Exported for the tests. */
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
