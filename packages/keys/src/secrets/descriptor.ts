// File descriptors that secrets come through.

import { fstatSync, type Stats } from "node:fs";

/**
 * Throws an error with `code` where a descriptor gives nothing: it is not open, a folder or the like, or one that Node has for itself. To read
 * from those would wait for ever, and take from Node what it sends to itself.
 */
export function checkDescriptor(fd: number): void {
  const stat = fstatSync(fd);
  if (!stat.isFile() && !stat.isFIFO() && !stat.isSocket() && !stat.isCharacterDevice()) throw notOpen();
  if (process.platform === "linux" && stat.isFIFO() && hasBothEnds(fd, stat)) throw notOpen();
}

function notOpen(): Error {
  return Object.assign(new Error("not open for reading"), { code: "EBADF" });
}

// A pipe that somebody gave has its other end elsewhere. Node's own are the first that it opens.
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
