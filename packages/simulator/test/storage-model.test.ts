// The model of Espruino's Storage, and its hashes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { espruinoIo } from "@firmseal/verifier/device/espruino";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { draws } from "../../test-support/src/randoms.js";
import { FlashModel } from "../src/storage-models/flash-model.js";
import { erasedFlash } from "../src/storage-models/flash-operations.js";
import { E, StorageModel } from "../src/storage-models/storage-model.js";
import { app, bytes, ID, running } from "./storage-board.js";

describe("hashes of Espruino", () => {
  const native = (data: string | ArrayLike<number>) => {
    const input = typeof data === "string" ? Buffer.from(data, "latin1") : Uint8Array.from(data);
    return Uint8Array.from(createHash("sha256").update(input).digest()).buffer;
  };
  const storage = new StorageModel(new FlashModel(erasedFlash(4, 4096)));
  const text = app(3, 1000);
  const right = Uint8Array.from(createHash("sha256").update(text).digest());

  it("are its own if it has them, and ours if not, or if the stack is too small", () => {
    const small = () => {
      throw new Error("Not enough stack memory for data");
    };
    for (const crypto of [{ SHA256: native }, {}, undefined, { SHA256: small }]) {
      const io = espruinoIo(storage, E, crypto as never);
      expect(Uint8Array.from(io.sha256(text))).toEqual(right);
    }
    const { host } = espruinoIo(storage, E, { SHA256: native as never });
    expect(Uint8Array.from(host.sha256?.once?.(bytes(text)) ?? [])).toEqual(right);
    expect(host.sha512).toBeUndefined();
  });

  it("answer for an image in place", async () => {
    const board = await running();
    const digest = (alg: number) => board.device.digest(ID, false, alg);
    expect(Uint8Array.from(digest(-16) ?? [])).toEqual(Uint8Array.from(createHash("sha256").update(app(7)).digest()));
    expect(digest(-44)).toBeUndefined();
  });
});
describe("the model of Storage", () => {
  const path = process.env["ESPRUINO"];

  it.skipIf(!path)(`keeps its bytes as Espruino does${path ? "" : " (skipped: set ESPRUINO=/path/to/espruino)"}`, () => {
    const folder = temporaryFolder("firmseal-storage-");
    const below = draws(1);
    try {
      for (let round = 0; round < 5; round++) {
        const model = new StorageModel(new FlashModel(erasedFlash(64, 4096)));
        const said: string[] = [];
        const names = ["a.js", "bb", "firmseal.0a", "firmseal.r1", "x".padEnd(28, "y")];
        let script = "var s=require('Storage');function t(f){try{f()}catch(e){print('THROWN '+e.message)}}\n";
        for (let i = 0; i < 60; i++) {
          const name = names[below(names.length)] as string;
          const kind = below(10);
          const [offset, size] = [kind < 5 ? 0 : 1 + below(1000), kind < 5 ? 1 + below(30000) : 0];
          if (kind < 7) {
            const data = String.fromCharCode(97 + below(26)).repeat(1 + below(size ? Math.min(size, 300) : 50));
            script += `t(function(){s.write("${name}","${data}",${offset},${size})});\n`;
            try {
              model.write(name, data, offset, size);
            } catch (e) {
              said.push((e as Error).message);
            }
          } else if (kind < 9) {
            script += `s.erase("${name}");\n`;
            model.erase(name);
          } else if (below(4) === 0) {
            script += "s.compact();\n";
            model.compact();
          }
        }
        script += "print('FREE '+s.getFree()+' '+s.list().join());";
        writeFileSync(join(folder, "t.js"), script);
        rmSync(join(folder, "espruino.flash"), { force: true });
        const { stdout } = spawnSync(resolve(path as string), ["t.js"], { cwd: folder, encoding: "latin1" });
        expect([...stdout.matchAll(/THROWN (.*?)\r?\n/g)].map(([, what]) => what)).toEqual(said);
        expect(stdout).toContain(`FREE ${model.getFree()} ${model.list().join()}`);
        expect(Buffer.compare(readFileSync(join(folder, "espruino.flash")), Buffer.concat(model.flash.pages))).toBe(0);
        expect(model.isValid()).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
