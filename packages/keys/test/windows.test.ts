// What differs on Windows, as far as functions show it on another system: drive letters, separators, folders that cannot be synced.

import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { syncFolder } from "../../verifier/src/device/file.js";
import { schemeOf } from "../src/sources/key-sources.js";
import { pathInUri } from "../src/sources/pkcs11/pin.js";
import { openKey } from "../src/sources/reference.js";

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
