// An installation and a start by a micro verifier at their edges. What it must do alike is tried with the general verifier, too.

import { describe, expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { memoryDevice } from "../src/device/memory.js";
import { boot, type Device, errors, install, type Source } from "../src/index.js";
import * as micro from "../src/install/micro/index.js";
import { refusalOf } from "./refusals.js";
import { code, ID, identity, image, release, trust } from "./releases.js";

type Api = { install: typeof install; boot: typeof boot };
const both = [
  ["micro", micro as unknown as Api],
  ["general", { install, boot }],
] as const;

const URI = "https://example.com/fw.bin";
const bytes = image(1, 300);
const device = () => memoryDevice(identity, [ID], 4096);
type Memory = ReturnType<typeof device>;

/** What a call of the device does, in order. */
function watched(d: Memory): string[] {
  const calls: string[] = [];
  for (const name of ["begin", "erase", "write", "keep", "persist", "discard", "invoke"] as const) {
    const own = d[name] as (...args: unknown[]) => unknown;
    (d as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
      calls.push(name);
      return own(...args);
    };
  }
  return calls;
}

async function installed(sequence: number | string = 7, d = device()): Promise<Memory> {
  micro.install(await release(sequence, bytes), trust, d).next();
  return d;
}

describe.each(both)("the %s verifier", (_, api) => {
  it("installs a newer release over one that is current, and starts it", async () => {
    const d = await installed();
    const newer = image(2, 200);
    api.install(await release(8, newer), trust, d).next();
    expect([d.sequence, d.parts[0]?.current]).toEqual([[0, 8], 0]);
    expect(Uint8Array.from(d.parts[0]?.slots[0] ?? [])).toEqual(newer);
    api.boot(d.envelope as Uint8Array, trust, d).next();
    expect(d.invoked).toHaveLength(1);
  });

  it("has nothing to do after the end, and does nothing twice", async () => {
    const d = device();
    const progress = api.install(await release(7, bytes), trust, d);
    expect(progress.done).toBe(false);
    const calls = watched(d);
    expect([progress.next(), progress.done, progress.next(), progress.next(true)]).toEqual([undefined, true, undefined, undefined]);
    expect(calls.filter((name) => name !== "write")).toEqual(["erase", "keep", "persist"]);
  });

  it("takes one of several vendors and classes, wherever it is in the list", async () => {
    const envelope = await release(7, bytes);
    const [vendor, type] = [identity.vendor[0] as Uint8Array, identity.class[0] as Uint8Array];
    const other = hex("ff".repeat(16));
    for (const [v, c] of [
      [
        [vendor, other],
        [type, other],
      ],
      [
        [other, vendor],
        [other, type],
      ],
    ] as const)
      expect(code(() => api.install(envelope, trust, memoryDevice({ vendor: [...v], class: [...c] }, [ID], 300)).next())).toBe(0);
  });

  it("starts a release that is older than the floor: the device went back to it", async () => {
    const d = await installed();
    d.sequence = [0, 9];
    d.counted = new Uint8Array(32);
    api.boot(d.envelope as Uint8Array, trust, d).next();
    expect([d.invoked.length, d.installing]).toEqual([1, false]);
  });

  it("starts nothing that is not its image, or that the device does not start", async () => {
    const d = await installed();
    const envelope = d.envelope as Uint8Array;
    d.invoke = () => false;
    expect(code(() => api.boot(envelope, trust, d).next())).toBe(errors.DIRECTIVE_FAILED);
    d.invoke = () => expect.unreachable("invoked");
    const slot = d.parts[0]?.slots[1] as number[];
    slot[299] = 1 ^ (slot[299] as number);
    expect(code(() => api.boot(envelope, trust, d).next())).toBe(errors.IMAGE_MISMATCH);
    slot[299] = 1 ^ (slot[299] as number);
    // an image of which the beginning is right
    slot.push(0);
    expect(code(() => api.boot(envelope, trust, d).next())).toBe(errors.IMAGE_MISMATCH);
  });

  it("takes the digest from a device that hashes what it holds", async () => {
    const envelope = await release(7, bytes);
    const right = micro.open(envelope, trust) as unknown as { image: Uint8Array };
    for (const [digest, wanted] of [
      [right.image, 0],
      [new Uint8Array(32), errors.IMAGE_MISMATCH],
      [[], errors.IMAGE_MISMATCH],
    ] as const) {
      const asked: unknown[] = [];
      const d = Object.assign(device(), {
        digest: (_id: unknown, fresh: boolean, alg: number) => {
          asked.push([fresh, alg]);
          return digest;
        },
        read: () => expect.unreachable("read"),
      });
      expect(code(() => api.install(envelope, trust, d as never).next())).toBe(wanted);
      expect(asked[0]).toEqual([true, -16]);
      if (wanted !== 0) continue;
      // what is current now
      asked.length = 0;
      api.boot(d.envelope as Uint8Array, trust, d as never).next();
      expect([asked[0], d.invoked.length]).toEqual([[false, -16], 1]);
    }
  });

  it("hashes itself if a device does not provide a digest", async () => {
    const d = Object.assign(device(), { digest: () => undefined });
    api.install(await release(7, bytes), trust, d as never).next();
    expect(d.sequence).toEqual([0, 7]);
  });

  it("leaves a device as it was after a refusal, and cannot continue", async () => {
    const d = await installed();
    const before = JSON.stringify([d.parts[0]?.slots[1], d.envelope, d.sequence]);
    const changed = await release(8, image(2, 200));
    changed[changed.length - 1] = 1 ^ (changed[changed.length - 1] as number);
    const progress = api.install(changed, trust, d);
    const calls = watched(d);
    expect(code(() => progress.next())).toBe(errors.IMAGE_MISMATCH);
    expect(calls.filter((name) => name !== "write")).toEqual(["erase", "discard"]);
    expect(refusalOf(() => progress.next())).toEqual([errors.RUN_OUTCOME, -1]);
    expect(calls.filter((name) => name !== "write")).toEqual(["erase", "discard"]);
    expect(JSON.stringify([d.parts[0]?.slots[1], d.envelope, d.sequence])).toBe(before);
    expect(progress.done).toBe(false);
  });

  it("throws the refusal even if the cleanup fails too", async () => {
    const d = device();
    d.keep = () => [];
    const progress = api.install(await release(7, bytes), trust, d);
    d.discard = () => {
      throw new Error("worn out");
    };
    expect(code(() => progress.next())).toBe(errors.DEVICE_FAULT);
    expect(d.sequence).toEqual([0, 0]);
  });

  it("leaves the data of a later session, whatever it was about to do", async () => {
    const envelope = await release(7, bytes);
    for (const step of ["erase", "read", "keep"] as const) {
      const d = device();
      const first = api.install(envelope, trust, d);
      const own = d[step] as (...args: unknown[]) => unknown;
      let calls: string[] = [];
      (d as unknown as Record<string, unknown>)[step] = (...args: unknown[]) => {
        const result = own(...args);
        if (step !== "erase" || calls.length === 0) d.session = {};
        calls = watched(d);
        return result;
      };
      expect([step, code(() => first.next())]).toEqual([step, errors.RUN_OUTCOME]);
      expect(calls).not.toContain("discard");
      expect(calls).not.toContain("persist");
    }
  });

  it("does not start an image for a session that another one has followed", async () => {
    const d = await installed();
    const progress = api.boot(d.envelope as Uint8Array, trust, d);
    const { read } = d;
    d.read = (id, at, n, fresh) => {
      d.session = {};
      return read(id, at, n, fresh);
    };
    d.invoke = () => expect.unreachable("invoked");
    expect(code(() => progress.next())).toBe(errors.RUN_OUTCOME);
  });

  it("compares with the floor again before the commit", async () => {
    const envelope = await release(7, bytes);
    for (const [floor, wanted] of [
      [[0, 8], errors.ROLLBACK],
      [[0, 7], errors.SEQUENCE_TAKEN],
    ] as const) {
      const d = device();
      const progress = api.install(envelope, trust, d);
      d.sequence = [...floor];
      d.persist = () => expect.unreachable("persisted");
      expect(code(() => progress.next())).toBe(wanted);
    }
  });

  it("needs no counters: then a number counts once", async () => {
    const fresh = (sequence: [number, number]) => Object.assign(device(), { counters: undefined, sequence });
    const codeOf = async (sequence: string, floor: [number, number]) => {
      const envelope = await release(sequence, bytes);
      return code(() => api.install(envelope, trust, fresh(floor) as unknown as Device).next());
    };
    expect(await codeOf("0", [0, 0])).toBe(0);
    expect(await codeOf("7", [0, 6])).toBe(0);
    expect(await codeOf("7", [0, 7])).toBe(errors.SEQUENCE_TAKEN);
    expect(await codeOf("4294967296", [1, 0])).toBe(errors.SEQUENCE_TAKEN);
  });

  it("fills a component to its last byte", async () => {
    const envelope = await release(7, bytes);
    const d = memoryDevice(identity, [ID], 300);
    api.install(envelope, trust, d).next();
    expect(d.sequence).toEqual([0, 7]);
    for (const room of [0, 299])
      expect(code(() => api.install(envelope, trust, memoryDevice(identity, [ID], room)))).toBe(errors.PAYLOAD_SIZE);
  });
});

describe.each(both)("an image outside the envelope, with the %s verifier", (_, api) => {
  const begun = async (d = device()) => {
    const progress = api.install(await release(7, bytes, URI), trust, d);
    expect(progress.next()).toMatchObject({ op: 21, uri: URI });
    return progress;
  };

  it("that does not arrive, is too short, or is too long", async () => {
    const d = device();
    expect(code(await begun(d).then((p) => () => p.next(false)))).toBe(errors.PAYLOAD_ABSENT);
    const short = await begun(d);
    short.next(bytes.subarray(0, 299));
    expect(code(() => short.next(true))).toBe(errors.PAYLOAD_SIZE);
    const long = await begun(d);
    long.next(bytes.subarray(0, 299));
    d.write = () => expect.unreachable("written");
    expect(code(() => long.next(new Uint8Array(2)))).toBe(errors.PAYLOAD_SIZE);
    expect(code(await begun(d).then((p) => () => p.next({ length: Number.NaN })))).toBe(errors.PAYLOAD_SIZE);
    expect(d.sequence).toEqual([0, 0]);
  });

  it("accepts an outcome if there is an effect, and none before", async () => {
    const envelope = await release(7, bytes, URI);
    for (const outcome of [true, bytes]) {
      const d = device();
      expect(code(() => api.install(envelope, trust, d).next(outcome))).toBe(errors.RUN_OUTCOME);
    }
    const progress = await begun();
    expect(code(() => progress.next())).toBe(errors.RUN_OUTCOME);
    expect(code(() => progress.next(true))).toBe(errors.RUN_OUTCOME);
  });

  it("may be one that the device can read", async () => {
    const d = device();
    const source: Source = { length: 300, read: (at, n) => bytes.slice(at, at + n) };
    d.payloads[URI] = source;
    const progress = api.install(await release(7, bytes, URI), trust, d);
    expect([progress.next(), d.sequence]).toEqual([undefined, [0, 7]]);
    const without = Object.assign(device(), { fetch: undefined });
    expect(api.install(await release(7, bytes, URI), trust, without as unknown as Device).next()).toMatchObject({ uri: URI });
  });
});

describe("the micro verifier alone", () => {
  it("writes and reads the image in the pieces that the device has", async () => {
    const envelope = await release(7, bytes);
    for (const [chunk, sizes] of [
      [undefined, [300]],
      [100, [100, 100, 100]],
      [299, [299, 1]],
    ] as const) {
      const d = Object.assign(device(), chunk && { chunk });
      const [reads, writes]: number[][] = [[], []];
      const { read, write } = d;
      d.read = (id, at, n, fresh) => {
        reads?.push(n);
        return read(id, at, n, fresh);
      };
      d.write = (id, at, b) => {
        writes?.push(b.length);
        write(id, at, b);
      };
      micro.install(envelope, trust, d).next();
      expect([chunk, writes, reads]).toEqual([chunk, sizes, sizes]);
    }
  });

  it("gives no offset for what is not in the envelope", async () => {
    const d = await installed();
    expect(refusalOf(() => micro.boot(d.envelope as Uint8Array, trust, Object.assign(d, { invoke: () => false })).next())).toEqual([
      errors.DIRECTIVE_FAILED,
      -1,
    ]);
    const last = await release(8, bytes);
    const progress = micro.install(last, trust, d);
    expect(refusalOf(micro.open, last.subarray(1), trust)).toEqual([errors.TEMPLATE_MISMATCH, 0]);
    expect(refusalOf(micro.open, last.subarray(0, 40), trust)[1]).toBeGreaterThan(0);
    d.keep = () => [];
    expect(refusalOf(() => progress.next())).toEqual([errors.DEVICE_FAULT, -1]);
  });

  it("reads a head that fits the memory of the host to the last byte, 65,536 bytes by default", async () => {
    const envelope = await release(7, bytes);
    const head = envelope.length - bytes.length;
    expect(code(() => micro.open(envelope, trust, { memory: head }))).toBe(0);
    expect(code(() => micro.open(envelope, trust, { memory: head - 1 }))).toBe(errors.HEAD_LENGTH);
    // the length of the wrapper, which ends at 65,536 or after it
    const long = new Uint8Array(70_000);
    for (const [length, wanted] of [
      [65_529, errors.TEMPLATE_MISMATCH],
      [65_530, errors.HEAD_LENGTH],
    ] as const) {
      long.set([0xd8, 0x6b, 0xa3, 0x02, 0x59, length >> 8, length & 255]);
      expect(code(() => micro.open(long, trust))).toBe(wanted);
    }
  });
});
