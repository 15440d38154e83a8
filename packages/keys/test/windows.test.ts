// What differs on Windows, as far as functions show it on another system: paths, renames and signals. docs/reference/windows.md says that
// nothing else is tested for Windows.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path, { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fileOfUri, isFileName } from "../../behaviour/src/record/file-of-uri.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { syncFolder } from "../../verifier/src/device/file.js";
import { holdSignals, replaceFolder, signalsFree, writeFolder, writeWhole } from "../src/files/write.js";
import { schemeOf } from "../src/sources/key-sources.js";
import { pathInUri } from "../src/sources/pkcs11/pin.js";
import { openKey } from "../src/sources/reference.js";
import { shellWord } from "../src/words.js";

describe("on Windows", () => {
  it("a drive letter is not a scheme", async () => {
    for (const reference of ["C:\\keys\\a.pem", "c:/keys/a.pem", "D:a.pem", "\\\\server\\share\\a.pem"])
      expect(schemeOf(reference), reference).toBeUndefined();
    for (const letter of "abcdefghijklmnopqrstuvwxyz") expect(schemeOf(`${letter}:/a.pem`)).toBeUndefined();
    expect(schemeOf("EXEC:C:\\tools\\sign.exe")).toBe("exec");
    // it is looked for as a file
    await expect(openKey("C:\\keys\\a.pem")).rejects.toThrow("C:\\keys\\a.pem");
  });

  it("a file URI names a drive after one more slash", () => {
    const windows = (rest: string) => pathInUri(rest, path.win32);
    expect(windows("/C:/secrets/pin.txt")).toBe("C:/secrets/pin.txt");
    expect(windows("///c:/pin.txt")).toBe("c:/pin.txt");
    expect(windows("//localhost/C:\\pin.txt")).toBe("C:\\pin.txt");
    expect(windows("C:/pin.txt")).toBe("C:/pin.txt");
    for (const whole of ["/C:/pin.txt", "///c:/pin.txt"]) expect(path.win32.isAbsolute(windows(whole))).toBe(true);
    // relative to the folder of a drive
    expect(path.win32.isAbsolute(windows("C:pin.txt"))).toBe(false);
    // anywhere else it is a folder named C:
    expect(pathInUri("/C:/pin.txt", path.posix)).toBe("/C:/pin.txt");
    expect(pathInUri("///etc/pin", path.posix)).toBe("/etc/pin");
  });

  it("a path in a command of a hint is quoted for cmd", () => {
    const own = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
    Object.defineProperty(process, "platform", { ...own, value: "win32" });
    try {
      expect(["C:\\a\\b.suit", "C:\\My files\\b.suit", "a&b"].map(shellWord)).toEqual(["C:\\a\\b.suit", '"C:\\My files\\b.suit"', '"a&b"']);
    } finally {
      Object.defineProperty(process, "platform", own);
    }
  });

  it("a name in a release is that of one file: no device, no drive, no path, nothing that Windows cuts off", () => {
    const strange = [
      "CON",
      "nul",
      "Aux.bin",
      "prn.tar.gz",
      "COM1",
      "com9.bin",
      "lpt\u00b2.txt",
      "NUL .bin",
      "conin$",
      "a.",
      "a ",
      "release.json.",
    ];
    for (const name of [...strange, "C:a.bin", "C:", "a.bin:stream", "a\\b.bin", "\\\\server\\share", "..\\a", "..", ".", ""]) {
      expect(isFileName(name), name).toBe(false);
      expect(fileOfUri(`https://example.com/1.0.0/${encodeURIComponent(name)}`), name).toBe(undefined);
    }
    for (const name of ["console.bin", "aux-board.bin", "com10.bin", "com.bin", "my-nul", "nul_.bin", ".a", "a.b.suit"]) {
      expect(isFileName(name), name).toBe(true);
      expect(fileOfUri(`https://example.com/1.0.0/${name}?x#y`)).toBe(name);
    }
  });

  it.each(["EPERM", "EISDIR"])("a folder that cannot be synced (%s) is left, and its descriptor closed", (code) => {
    for (const at of ["openSync", "fsyncSync"] as const) {
      let open = 0;
      const fault = () => {
        throw Object.assign(new Error(code), { code });
      };
      const system = {
        openSync: (name: string, flags: string) => {
          open++;
          return fs.openSync(name, flags);
        },
        closeSync: (fd: number) => {
          open--;
          fs.closeSync(fd);
        },
        fsyncSync: fs.fsyncSync,
        [at]: fault,
      };
      expect(() => syncFolder(system, ".")).not.toThrow();
      expect(open).toBe(0);
    }
  });

  it("every other fault of a sync is reported", () => {
    const failing = (code: string) => ({
      ...fs,
      fsyncSync: () => {
        throw Object.assign(new Error(code), { code });
      },
    });
    for (const code of ["EIO", "ENOSPC", "EROFS", "EINVAL", "EACCES"]) expect(() => syncFolder(failing(code), ".")).toThrow(code);
    expect(() => syncFolder(fs, "no such folder")).toThrow("ENOENT");
    expect(() => syncFolder(fs, ".")).not.toThrow();
  });
});

const { renameSync } = fs;

/** Renames fail from the n-th on, as while another program has the file open, or a folder with it. */
function failing(code: string, from = 1): void {
  let n = 0;
  fs.renameSync = ((one: string, other: string) => {
    if (++n === from) throw Object.assign(new Error(code), { code, errno: -1 });
    renameSync(one, other);
  }) as typeof renameSync;
  syncBuiltinESMExports();
}

afterEach(() => {
  fs.renameSync = renameSync;
  syncBuiltinESMExports();
});

describe("a rename that Windows refuses", () => {
  const bytes = (text: string) => Buffer.from(text);

  it.each([
    ["EPERM", "permission denied"],
    ["EACCES", "permission denied"],
    ["EBUSY", "another program uses it"],
  ])("leaves the old file, the old folder or none, and says why in one line: %s", (code, says) => {
    const folder = temporaryFolder("firmseal-rename-");
    const [file, old, fresh] = ["a.suit", "old", "fresh"].map((name) => join(folder, name)) as [string, string, string];
    fs.writeFileSync(file, "old");
    writeFolder(old, new Map([["x", bytes("old")]]));
    const expectRefused = (work: () => void) => {
      try {
        expect(work).toThrow(expect.objectContaining({ exit: 3, message: expect.stringMatching(new RegExp(`: ${says}$`)) }));
      } finally {
        fs.renameSync = renameSync;
        syncBuiltinESMExports();
      }
      expect(fs.readdirSync(folder).sort()).toEqual(["a.suit", "old"]);
      expect([file, join(old, "x")].map((path) => fs.readFileSync(path, "utf8"))).toEqual(["old", "old"]);
    };
    failing(code);
    expectRefused(() => writeWhole(file, bytes("new")));
    failing(code);
    expectRefused(() => writeFolder(fresh, new Map([["x", bytes("new")]])));
    // the new folder is made, the old one is moved away, the new one takes its place
    for (const n of [1, 2, 3]) {
      failing(code, n);
      expectRefused(() => replaceFolder(old, new Map([["x", bytes("new")]])));
    }
  });
});

describe("a signal of Windows", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGHUP", 129],
    ["SIGBREAK", 149],
  ] as const)("%s ends the program once an output is complete, and is free before and afterwards", async (signal, code) => {
    const released = async () => {
      for (let i = 0; i < 2; i++) await signalsFree();
    };
    await released();
    const before = process.listenerCount(signal);
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const release = holdSignals();
    try {
      expect(process.listenerCount(signal)).toBe(before + 1);
      process.listeners(signal).at(-1)?.(signal);
      expect(exit.mock.calls).toEqual([[code]]);
    } finally {
      release();
      exit.mockRestore();
    }
    await released();
    expect(process.listenerCount(signal)).toBe(before);
  });
});
