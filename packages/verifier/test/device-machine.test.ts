// Machine code in a Storage file, and the hashes that it gives to boards without their own: what they hash, where the
// code lies, and each reason why it is not used. The functions of the image are those of node:crypto (NativeBoard).

import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type KernelName, kernelImage } from "../../kernel/src/index.js";
import { countingBytes, latin1, sha256 as sha } from "../../test-support/src/bytes.js";
import { NativeBoard } from "../../test-support/src/native-board.js";
import type { Host } from "../src/base/types.js";
import { useKernel } from "../src/device/kernel.js";
import { useHashes } from "../src/device/kernel-hash.js";
import { type KernelCode, makeMachine } from "../src/device/machine.js";

const FILE = "firmseal.code";
const BOARD = "PIXLJS";

function codeOf(name: KernelName = "sha2"): { code: KernelCode; bytes: Uint8Array } {
  const { bytes } = kernelImage("armv7em", name);
  return { code: { board: BOARD, file: FILE, digest: () => latin1(sha(bytes)), crc: crc32(bytes) }, bytes };
}

/** A board without hashes, whose Storage has `files`. */
function boardWith(files: { [name: string]: Uint8Array }, mapped: boolean) {
  const board = new NativeBoard(BOARD, []);
  board.mapped = mapped;
  const storage = board.inFlash({
    read: (name: string) => {
      board.count("read");
      return files[name] && latin1(files[name]);
    },
  });
  const host: Host = {};
  const { code, bytes } = codeOf();
  const use = (by: KernelCode = code) => useHashes(makeMachine(board.E, board.process, host, storage, by), host);
  return { board, host, use, storage, code, bytes, files };
}

describe.each([
  ["in mapped flash", true],
  ["in flash that is not mapped", false],
])("machine code %s", (_, mapped) => {
  it(`runs ${mapped ? "in place" : "from RAM, where it is copied once"}`, () => {
    const { board, host, use } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    expect(use()).toBe(0);
    expect(Array.from(host.sha256?.once?.([97, 98, 99]) ?? [])).toEqual([...sha("abc")]);
    expect(board.counts["flat"]).toBe(mapped ? undefined : 1);
    const reads = board.counts["read"] as number;
    host.sha256?.once?.([1]);
    // the file may have moved; in RAM it does not count any more
    expect(board.counts["read"]).toBe(mapped ? reads + 1 : reads);
  });

  it("hashes texts, bytes, arrays and pieces of any length", () => {
    const { host, use } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    use();
    for (const [name, given] of [["sha256", host.sha256] as const, ["sha512", host.sha512] as const])
      for (const n of [0, 1, 31, 64, 111, 512, 513, 2000]) {
        const bytes = countingBytes(n);
        const right = Array.from(hash(name, bytes, "buffer"));
        const joined = given?.joined as (data: unknown) => ArrayLike<number>;
        const half = n >> 1;
        expect(Array.from(joined(latin1(bytes))), `${name} of a text of ${n}`).toEqual(right);
        expect(Array.from(joined(bytes))).toEqual(right);
        expect(Array.from(joined(Array.from(bytes)))).toEqual(right);
        expect(Array.from(joined([bytes.subarray(0, half), Array.from(bytes.subarray(half))]))).toEqual(right);
        const state = given?.create?.();
        state?.update(bytes.subarray(0, half));
        state?.update(Array.from(bytes.subarray(half)));
        expect(Array.from(state?.digest() ?? [])).toEqual(right);
      }
  });

  it("hashes what is in one piece in one call, and the rest 512 bytes at a time", () => {
    const { board, host, use } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    use();
    const scattered = new Set<unknown>();
    const { getAddressOf } = board.E;
    board.E.getAddressOf = (value, isFlat) => (scattered.has(value) ? 0 : getAddressOf(value, isFlat));
    for (const [name, given] of [["sha256", host.sha256] as const, ["sha512", host.sha512] as const])
      for (const n of [1, 511, 512, 513, 1024, 1300]) {
        const right = Array.from(hash(name, countingBytes(n), "buffer"));
        const [bytes, apart] = [countingBytes(n), countingBytes(n)];
        const text = latin1(bytes);
        const joined = given?.joined as (data: unknown) => ArrayLike<number>;
        const streamed = (data: unknown) => {
          const state = given?.create?.();
          state?.update(data as Uint8Array);
          return state?.digest() as ArrayLike<number>;
        };
        scattered.add(text).add(apart);
        const called = (run: (data: unknown) => ArrayLike<number>, data: unknown) => {
          board.counts = {};
          expect(Array.from(run(data)), `${name} of ${n}`).toEqual(right);
          return [board.counts[`kernel ${name}`] ?? 0, board.counts[`kernel ${name} update`] ?? 0];
        };
        expect(called(joined, bytes)).toEqual([1, 0]);
        expect(called(streamed, bytes)).toEqual([0, 1]);
        for (const data of [text, apart]) for (const run of [joined, streamed]) expect(called(run, data)).toEqual([0, Math.ceil(n / 512)]);
      }
  });

  it("takes input from any address, and a state at a multiple of 4 only", () => {
    const { board, host, use } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    use();
    const whole = countingBytes(100);
    const odd = whole.subarray(1);
    const { getAddressOf } = board.E;
    let state = 0;
    board.E.getAddressOf = (value, isFlat) => {
      if (value === odd) return getAddressOf(whole, isFlat) + 1;
      return getAddressOf(value, isFlat) + ((value as Uint8Array).length > 512 && (value as unknown) instanceof Uint8Array ? state : 0);
    };
    for (const [name, given] of [["sha256", host.sha256] as const, ["sha512", host.sha512] as const]) {
      state = 0;
      const right = Array.from(hash(name, odd, "buffer"));
      expect(Array.from(given?.once?.(odd) ?? [])).toEqual(right);
      const stream = given?.create?.();
      stream?.update(odd);
      expect(Array.from(stream?.digest() ?? [])).toEqual(right);
      state = 2;
      expect(() => given?.create?.()).toThrow("no machine code");
    }
  });

  it("enters no code if a result is not in one piece", () => {
    const { board, host, use } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    use();
    const { getAddressOf } = board.E;
    const given = countingBytes(9);
    board.E.getAddressOf = (value, isFlat) => (value === given || typeof value === "string" ? getAddressOf(value, isFlat) : 0);
    board.counts = {};
    expect(() => host.sha256?.once?.(given)).toThrow("no machine code");
    expect(() => host.sha256?.joined?.([given])).toThrow("no machine code");
    expect(() => host.sha512?.create?.()).toThrow("no machine code");
    expect(Object.keys(board.counts).filter((what) => what.startsWith("kernel"))).toEqual([]);
  });

  it.each<[number, string, (on: ReturnType<typeof boardWith>) => KernelCode | undefined]>([
    [1, "another board", ({ code }) => ({ ...code, board: "PUCKJS" })],
    [
      1,
      "an engine without nativeCall",
      ({ board }) => {
        Object.assign(board.E, { nativeCall: undefined });
        return undefined;
      },
    ],
    [
      2,
      "too little stack",
      ({ board }) => {
        board.stackFree = 6143;
        return undefined;
      },
    ],
    [
      3,
      "an address that is not a multiple of 4",
      ({ board }) => {
        const { getAddressOf } = board.E;
        board.E.getAddressOf = (value, isFlat) => {
          const at = getAddressOf(value, isFlat);
          return at && at + 2;
        };
        return undefined;
      },
    ],
    [
      4,
      "the image for another core",
      ({ files }) => {
        files[FILE] = kernelImage("armv6m", "sha2").bytes;
        return undefined;
      },
    ],
    [
      4,
      "another image",
      ({ files }) => {
        files[FILE] = kernelImage("armv7em", "ed25519").bytes;
        return undefined;
      },
    ],
    [
      4,
      "a changed byte",
      ({ files, bytes }) => {
        files[FILE] = bytes.map((x, i) => (i === 900 ? x ^ 1 : x));
        return undefined;
      },
    ],
    [
      4,
      "a file that was cut",
      ({ files, bytes }) => {
        files[FILE] = bytes.subarray(0, -4);
        return undefined;
      },
    ],
    [
      4,
      "no CRC32",
      ({ board }) => {
        Object.assign(board.E, { CRC32: undefined });
        return undefined;
      },
    ],
    [5, "code that hashes itself to another digest", ({ code }) => ({ ...code, digest: () => latin1(sha("another")) })],
    [
      6,
      "no file",
      ({ files }) => {
        delete files[FILE];
        return undefined;
      },
    ],
    [
      6,
      "an empty file",
      ({ files }) => {
        files[FILE] = new Uint8Array();
        return undefined;
      },
    ],
  ])("%i: %s, and the host stays as it is", (reason, _name, change) => {
    const on = boardWith({ [FILE]: codeOf().bytes }, mapped);
    expect(on.use(change(on))).toBe(reason);
    expect(on.host).toEqual({});
    if (reason < 5) expect(Object.keys(on.board.counts).filter((what) => what.startsWith("kernel"))).toEqual([]);
  });

  it("is not entered after the file was removed or replaced, until it is right again", () => {
    const { board, host, use, files, bytes } = boardWith({ [FILE]: codeOf().bytes }, mapped);
    expect(use()).toBe(0);
    const once = (data: number[]) => host.sha256?.once?.(data);
    for (const other of [undefined, kernelImage("armv6m", "sha2").bytes]) {
      if (other) files[FILE] = other;
      else delete files[FILE];
      board.counts = {};
      if (mapped) {
        expect(() => once([1])).toThrow("no machine code");
        expect(() => host.sha512?.create?.()).toThrow("no machine code");
        expect(Object.keys(board.counts).filter((what) => what.startsWith("kernel"))).toEqual([]);
      } else expect(once([1])).toEqual(sha(Uint8Array.of(1)));
    }
    files[FILE] = bytes;
    expect(once([1])).toEqual(sha(Uint8Array.of(1)));
  });

  it("has Ed25519 in the other image, without a native hash", () => {
    const { board, host, storage } = boardWith({ [FILE]: codeOf("ed25519").bytes }, mapped);
    const machine = makeMachine(board.E, board.process, host, storage, codeOf("ed25519").code);
    expect([useHashes(machine, host), useKernel(machine)]).toEqual([0, 0]);
    expect(board.counts["kernel verify"]).toBe(2);
  });
});

it("6: Storage was not passed, and nothing is copied where flash has no memory for it", () => {
  const { board, host, code } = boardWith({ [FILE]: codeOf().bytes }, false);
  expect(useHashes(makeMachine(board.E, board.process, host, undefined, code), host)).toBe(6);
  const full = boardWith({ [FILE]: codeOf().bytes }, false);
  Object.assign(full.board.E, { toFlatString: () => undefined });
  expect(full.use()).toBe(3);
});
