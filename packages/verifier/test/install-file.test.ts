// Installing on the device in a folder.

import * as fs from "node:fs";
import { join } from "node:path";
import { singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../test-support/src/bytes.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { formatSequence, parseSequence } from "../src/base/number.js";
import { createFileDevice, type FileSystem, fileDevice } from "../src/device/file.js";
import { type Device, errors, install } from "../src/index.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

// that a cut of the power leaves the old or the new release is shown by packages/simulator/test/simulate.test.ts, for every ready-made device
describe("the device in a folder", () => {
  const folder = temporaryFolder("firmseal-");

  const read = (d: Device, n: number) => Uint8Array.from(d.read(ID, 0, n, false));

  it("keeps the new release when the last call fails, after the commit", async () => {
    const dir = join(folder, "late");
    createFileDevice(fs, dir, identity, 10_000);
    install(await release(1, image(1, 100)), trust, fileDevice(fs, dir)).next();
    let committed = false;
    const failing = new Proxy(fs, {
      get: (target, name) => {
        const real = target[name as keyof typeof fs];
        if (name === "renameSync")
          return (from: string, to: string) => {
            fs.renameSync(from, to);
            committed = to === join(dir, "device.json");
          };
        if (name !== "openSync") return real;
        return (path: string, ...rest: never[]) => {
          // the folder itself is opened last, to be synced
          if (path === dir && committed) throw new Error("input/output error");
          return (real as (...a: unknown[]) => unknown)(path, ...rest);
        };
      },
    }) as unknown as FileSystem;
    const second = await release(2, image(2, 200));
    expect(code(() => install(second, trust, fileDevice(failing, dir)).next())).toBe(errors.DEVICE_FAULT);
    const after = fileDevice(fs, dir);
    expect(formatSequence(after.floor())).toBe("2");
    expect(read(after, 200)).toEqual(image(2, 200));
  });

  it("does not undo, nor delete, what another session of the folder has committed meanwhile", async () => {
    const dir = join(folder, "two");
    createFileDevice(fs, dir, identity, 10_000);
    const slow = install(await release(1, image(1, 100), "http://a/b"), trust, fileDevice(fs, dir));
    slow.next();
    slow.next(image(1, 100));
    install(await release(2, image(2, 200)), trust, fileDevice(fs, dir)).next();
    // the slots are shared: what the slow one wrote is gone, and its digest shows it; nothing of the other one is
    // touched
    expect(code(() => slow.next(true))).not.toBe(0);
    const after = fileDevice(fs, dir);
    expect([formatSequence(after.floor()), read(after, 200)]).toEqual(["2", image(2, 200)]);

    const late = install(await release(3, image(3, 300), "http://a/b"), trust, fileDevice(fs, dir));
    late.next();
    install(await release(4, image(4, 400)), trust, fileDevice(fs, dir)).next();
    expect(code(() => late.next(false))).toBe(errors.PAYLOAD_ABSENT);
    const last = fileDevice(fs, dir);
    expect([formatSequence(last.floor()), read(last, 400)]).toEqual(["4", image(4, 400)]);
  });

  it("does not accept a record whose floor is not text", () => {
    const dir = join(folder, "odd-floor");
    createFileDevice(fs, dir, identity, 1000);
    const record = JSON.parse(fs.readFileSync(join(dir, "device.json"), "utf8"));
    for (const floor of [2, null, ["7"], {}, true]) {
      fs.writeFileSync(join(dir, "device.json"), JSON.stringify({ ...record, floor }));
      expect(() => fileDevice(fs, dir)).toThrow();
    }
  });

  it("names components so that none leads out of the folder", async () => {
    const bytes = image(9, 10);
    for (const id of ["../../evil", "__proto__", "constructor", "a/b\0c", ""]) {
      const dir = fs.mkdtempSync(join(folder, "id-"));
      createFileDevice(fs, dir, identity, 1000);
      const envelope = await signed(
        singleImage({ sequence: 1, ...uuid, component: [id], digest: sha256Hex(bytes), size: 10, uri: "#f", payload: bytes }),
      );
      install(envelope, trust, fileDevice(fs, dir)).next();
      expect(fs.readdirSync(join(dir, "slots"))).toEqual([`${Buffer.from(id).toString("hex") || "_"}.b`]);
      expect(fs.readdirSync(dir).sort()).toEqual(["device.json", "envelope.a.suit", "slots"]);
    }
  });

  it("writes sequence numbers exactly", () => {
    for (const text of ["0", "9", "10", "4294967295", "4294967296", "9007199254740993", "18446744073709551615"]) {
      expect(formatSequence(parseSequence(text))).toBe(text);
      const n = BigInt(text);
      expect(parseSequence(text)).toEqual([Number(n >> 32n), Number(n & 0xffffffffn)]);
    }
    for (const text of ["18446744073709551616", "99999999999999999999", "-1", "01", "", "1e3", "0x1"])
      expect(() => parseSequence(text)).toThrow();
  });
});
