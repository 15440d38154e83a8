// Records and files in Espruino's Storage, assembled by hand.

import { createHash } from "node:crypto";
import { FlashModel } from "../../simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../simulator/src/storage-models/flash-operations.js";
import { powerOn, type StorageModel, storageIo } from "../../simulator/src/storage-models/storage-model.js";
import { latin1 } from "../../test-support/src/bytes.js";
import { type StorageIo, storageDevice } from "../src/device/storage.js";
import { ID, identity } from "./releases.js";

export const ROOM = 3000;
export const latin = latin1;
const u32 = (n: number) => String.fromCharCode(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
export const sha = (text: string) => createHash("sha256").update(text, "latin1").digest().toString("latin1");
export const blankIo = (pages = 16): StorageIo => storageIo(powerOn(new FlashModel(erasedFlash(pages, 4096))).storage);
export const on = (io: StorageIo, tries = 2, ids = [ID]) => storageDevice(io, identity, ids, ROOM, tries);
export const names = (io: StorageIo) => (io.storage as StorageModel).list().sort();

/** The content of a slot. */
const lies = (text: string) => u32(text.length) + sha(text);
export interface Part {
  now: number;
  before: number;
  slots: [string, string];
}
export const UNMARKED = "\xff".repeat(8);
export const MARK = "\0".repeat(8);

/** A record with the marks `marks`, of which the first is the confirmation. `counted`: by slot of the envelope. */
export function record(
  parts: Part[],
  {
    magic = "f2",
    tries = 2,
    generation = 5,
    floor = [1, 2],
    marks = [] as string[],
    counted = [] as string[],
    sum = "",
    end = "\xff",
  } = {},
): string {
  let body = magic + String.fromCharCode(tries, parts.length) + u32(generation) + floor.map(u32).join("");
  for (const [i, p] of parts.entries()) {
    const kept = (s: string, j: number) => {
      const first = counted[j]?.slice(0, 32).padEnd(32, "\0");
      return i === 0 && first ? u32(s.length) + first : lies(s);
    };
    body += u32(p.now) + u32(p.before) + p.slots.map(kept).join("");
  }
  const more = (counted[(parts[0] as Part).now] ?? "").slice(32);
  const rest = more.length % 2 ? more : `${more}\0`;
  body += String.fromCharCode(rest.length) + rest;
  return body + (sum || sha(body).slice(0, 8)) + Array.from({ length: tries + 2 }, (_, i) => marks[i] ?? UNMARKED).join("") + end;
}

/** Storage that holds files. Those of the parts are named as the records name them. */
export function holding(files: { [name: string]: string }): StorageIo {
  const io = blankIo();
  for (const [name, text] of Object.entries(files)) io.storage.write(name, text, 0, text.length);
  return io;
}
