// File descriptors that secrets are read from.

import { fstatSync, type Stats } from "node:fs";

/**
 * Throws an error with `code` if a descriptor is not readable: not open, a folder or the like, or one that Node uses
 * itself. Reading one of those would block forever and steal Node's own messages.
 */
export function checkDescriptor(fd: number): void {
  const stat = fstatSync(fd);
  if (!stat.isFile() && !stat.isFIFO() && !stat.isSocket() && !stat.isCharacterDevice()) throw notOpen();
  if (process.platform === "linux" && stat.isFIFO() && hasBothEnds(fd, stat)) throw notOpen();
}

function notOpen(): Error {
  return Object.assign(new Error("not open for reading"), { code: "EBADF" });
}

// The other end of a pipe from outside is in another process. Node's own pipes have both ends here.
function hasBothEnds(fd: number, { dev, ino }: Stats): boolean {
  for (let other = 3; other < 64; other++) {
    if (other === fd) continue;
    try {
      const stat = fstatSync(other);
      if (stat.dev === dev && stat.ino === ino) return true;
    } catch {
      // not open
    }
  }
  return false;
}
