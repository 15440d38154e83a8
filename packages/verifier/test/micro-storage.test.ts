// A micro verifier on a device in Espruino's Storage: what it writes, octet by octet, and what it leaves alone. The tests
// hold for the sources as they are, and with the constants of boards (pnpm mutation:boards).

import { encode, singleImage, splitEnvelope } from "@firmseal/signer";
import { expect, it } from "vitest";
import { sealed } from "../../../fuzz/common/seal.js";
import { bytes as octets, text } from "../../../test-vectors/src/pieces/assemble.js";
import { sha256, sha256Hex } from "../../test-support/src/bytes.js";
import { hostHashes } from "../../test-support/src/host-hashes.js";
import { HAS_GENERAL } from "../src/base/features.js";
import { type StartedApp, storageBoot } from "../src/device/storage.js";
import { errors, type Source } from "../src/index.js";
import * as micro from "../src/install/micro/index.js";
import { code, ID, image, trust, uuid } from "./releases.js";
import { blankIo, latin, names, on, record } from "./storage-files.js";

/** Signed by Node: on some boards the hashes of the signer are the host's. */
function release(sequence: number, bytes: Uint8Array): Uint8Array {
  const facts = { sequence, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#firmware", payload: bytes };
  const { manifest } = splitEnvelope(encode(singleImage(facts)));
  return sealed(manifest, [Uint8Array.from(text("#firmware")), Uint8Array.from(octets(bytes))]);
}

const install = (envelope: Uint8Array, to: ReturnType<typeof on>) => micro.install(envelope, trust, to, hostHashes).next();

/** What the device keeps of a manifest: the beginning of its digest. */
const sumOf = (envelope: Uint8Array) => latin(sha256(Uint8Array.from(octets(splitEnvelope(envelope).manifest))).slice(0, 28));

it.each([40, 300])("writes the record of a release of %i bytes, and what starts is the image", (n) => {
  const io = blankIo();
  const [first, second] = [release(7, image(1, n)), release(8, image(2, n + 1))];
  install(first, on(io));
  expect(storageBoot(io, {})).toBe(latin(image(1, n)));
  install(second, on(io));
  expect([on(io).floor(), on(io).pending()]).toEqual([[0, 8], true]);
  // the envelope is kept without its tag and its image, and not at all without boot()
  const kept = [first, second].map((envelope, i) => {
    const text = io.storage.read(`firmseal.0${"ab"[i]}`) ?? "";
    return text.slice(0, envelope.length - octets(image(1, n + i)).length - "..#firmware".length - 1);
  }) as [string, string];
  const parts = [
    { now: 1, before: 0, slots: kept },
    { now: 1, before: 0, slots: [latin(image(1, n)), latin(image(2, n + 1))] as [string, string] },
  ];
  const written = { generation: 2, floor: [0, 8], counted: [sumOf(first), sumOf(second)] };
  expect(io.storage.read("firmseal.r1")).toBe(record(parts, written));
  for (const [i, envelope] of [first, second].entries()) expect(latin(envelope)).toContain((kept[i] as string).slice(3));
});

it("takes nothing more where everything is written", () => {
  const device = on(blankIo());
  const bytes = image(1, 300);
  const { keep, persist } = device as { keep?: typeof device.keep; persist: typeof device.persist };
  const late = () => code(() => device.write(ID, bytes.length, Uint8Array.of(1)));
  const said: number[] = [];
  if (keep)
    device.keep = (envelope) => {
      const out = keep(envelope);
      said.push(late());
      return out;
    };
  device.persist = (commit) => {
    persist(commit);
    said.push(late());
  };
  install(release(7, bytes), device);
  expect(said).toEqual(said.map(() => errors.DEVICE_FAULT));
  expect(said.length).toBe(keep ? 2 : 1);
});

it("leaves the image that another device on this Storage has made current, and erases what it has written itself", () => {
  const io = blankIo();
  const [one, other] = [on(io), on(io)];
  const begun = (device: typeof one) => {
    device.begin(true);
    device.erase(ID, 300);
    device.write(ID, 0, Uint8Array.of(1, 2, 3));
  };
  begun(one);
  const slots = () => names(io).filter((name) => name.startsWith("firmseal.1"));
  expect(slots()).toEqual(["firmseal.1a"]);
  one.discard();
  expect(slots()).toEqual([]);
  begun(one);
  install(release(7, image(1, 300)), other);
  const [current] = slots() as [string];
  one.discard();
  expect(slots()).toEqual([current]);
  expect(storageBoot(io, {})).toBe(latin(image(1, 300)));
});

it("makes room: what is not current goes, and nothing else", () => {
  const io = blankIo();
  for (const n of [7, 8]) {
    install(release(n, image(n, 300)), on(io));
    const root: { firmsealApp?: StartedApp } = {};
    storageBoot(io, root);
    root.firmsealApp?.confirm();
  }
  const before = names(io);
  for (const name of ["firmseal.1a", "firmseal.1b", "firmseal.r0", "firmseal.r1"]) expect(before).toContain(name);
  on(io).makeRoom();
  const gone = before.filter((name) => !names(io).includes(name));
  expect(gone).toContain("firmseal.1a");
  expect(gone.every((name) => /^firmseal\.[01]a$/.test(name))).toBe(true);
  expect(storageBoot(io, {})).toBe(latin(image(8, 300)));
});

it("keeps an envelope in pieces that a small board can convert", () => {
  const io = blankIo();
  const device = on(io);
  if (!device.keep) return;
  const convert = io.E.toString;
  const lengths: number[] = [];
  io.E.toString = (bytes) => {
    lengths.push(bytes.length);
    return convert(bytes);
  };
  const writes: number[] = [];
  const { write } = io.storage;
  io.storage.write = (name, data, ...rest) => {
    writes.push(data.length);
    return write.call(io.storage, name, data, ...rest);
  };
  for (const n of [600, 512, 100]) {
    lengths.length = writes.length = 0;
    device.begin(true);
    const bytes = image(1, n);
    const ends: number[] = [];
    bytes.subarray = (from, to) => {
      ends.push(to as number);
      return Uint8Array.prototype.subarray.call(bytes, from, to) as never;
    };
    const kept = device.keep(bytes) as Source;
    // an engine may not end a view where the bytes end
    expect(Math.max(0, ...ends)).toBeLessThanOrEqual(n);
    expect(Array.from(kept.read(0, n))).toEqual(Array.from(image(1, n)));
    expect([Math.max(...lengths), lengths.reduce((sum, length) => sum + length)]).toEqual([HAS_GENERAL ? n : Math.min(n, 256), n]);
    // flash is written in words
    expect(writes.slice(0, -1).filter((length) => length % 8)).toEqual([]);
  }
});
