// A session at its edges: what next() takes and when, and what a session does whose device has gone on to another one.

import { describe, expect, it } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { type MemoryDevice, memoryDevice } from "../src/device/memory.js";
import { errors, install } from "../src/index.js";
import { refusalOf } from "./refusals.js";
import { ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const OUTCOME = [errors.RUN_OUTCOME, -1];
const device = (capacity = 1000): MemoryDevice => memoryDevice(identity, [ID], capacity);
const outside = () => release(7, image(1, 20), "a:1");

describe("next()", () => {
  it("accepts no outcome before there is an effect, and requires one if there is", async () => {
    for (const outcome of [true, false, image(1, 20)])
      expect(refusalOf(install(await outside(), trust, device()).next, outcome)).toEqual(OUTCOME);
    const waiting = install(await outside(), trust, device());
    expect(waiting.next()?.uri).toBe("a:1");
    expect(refusalOf(waiting.next, undefined)).toEqual(OUTCOME);
    // and is over
    expect(refusalOf(waiting.next, image(1, 20))).toEqual(OUTCOME);
  });
  it("returns nothing more once it is done", async () => {
    const progress = install(await outside(), trust, device());
    progress.next();
    progress.next(image(1, 20));
    expect(progress.done).toBe(false);
    expect(progress.next(true)).toBeUndefined();
    expect([progress.done, progress.next(), progress.next(true), progress.next(false)]).toEqual([true, undefined, undefined, undefined]);
  });
  it("takes as many bytes as are due, in pieces", async () => {
    for (const [size, code] of [
      [20, 0],
      [21, errors.PAYLOAD_SIZE],
    ] as const) {
      const progress = install(await outside(), trust, device());
      progress.next();
      progress.next(image(1, 20).slice(0, 15));
      expect(refusalOf(progress.next, new Uint8Array(size - 15))[0]).toBe(code);
    }
  });
});

describe("a session whose device has another one", () => {
  it("touches nothing any more", async () => {
    const d = device();
    const old = install(await outside(), trust, d);
    old.next();
    const now = install(await release(8, image(2, 30), "a:2"), trust, d);
    now.next();
    expect(refusalOf(old.next, image(1, 20))).toEqual(OUTCOME);
    now.next(image(2, 30));
    expect(now.next(true)).toBeUndefined();
    expect(d.parts[0]?.slots[d.parts[0].current]).toEqual([...image(2, 30)]);
  });
  it("even if that one has begun within a call, and discards none of its data", async () => {
    const d = device();
    const later = await release(8, image(2, 30), "a:2");
    let discarded = 0;
    d.fetch = () => {
      d.fetch = () => undefined;
      install(later, trust, d);
      d.discard = () => void discarded++;
      return image(1, 20);
    };
    expect(refusalOf(install(await outside(), trust, d).next)[0]).not.toBe(0);
    expect([discarded, d.sequence]).toEqual([0, [0, 0]]);
  });
  it("even if that one begins while the release is kept, which then does not become current", async () => {
    const d = device();
    const later = await release(8, image(2, 30), "a:2");
    const { keep } = d;
    d.keep = (envelope) => {
      d.keep = keep;
      install(later, trust, d);
      return keep(envelope);
    };
    d.persist = () => expect.fail("it became current");
    expect(refusalOf(install(await release(7, image(1, 20)), trust, d).next)[0]).toBe(errors.RUN_OUTCOME);
  });
  it("also where that one begins in the rehearsal", async () => {
    const d = device();
    const later = await release(8, image(2, 30), "a:2");
    const { capacity } = d;
    d.capacity = (id) => {
      d.capacity = capacity;
      install(later, trust, d);
      return capacity(id);
    };
    const envelope = await outside();
    expect(refusalOf(() => install(envelope, trust, d))[0]).toBe(errors.RUN_OUTCOME);
  });
  it("is refused before it begins to write", async () => {
    const d = device(64);
    d.erase = () => expect.fail("it was erased");
    const big = await release(7, image(1, 65));
    expect(refusalOf(() => install(big, trust, d))).toEqual([errors.PAYLOAD_SIZE, -1]);
  });
});

it("an installation holds no signed bytes any more, which take RAM", async () => {
  const { manifest } = install(await outside(), trust, device());
  expect(manifest.signatures.map(({ message, signature }) => [message, signature])).toEqual([[[], []]]);
});

describe("storage is not read", () => {
  /** A device whose image cannot be read. */
  function unread(): MemoryDevice {
    const d = device();
    d.read = () => expect.fail("it was read");
    return d;
  }

  it("if the device can hash it, whose answer counts", async () => {
    const d = unread();
    const asked: unknown[] = [];
    d.digest = (...args) => {
      asked.push(args);
      return hex(sha256Hex(image(1, 20)));
    };
    expect(install(await release(7, image(1, 20)), trust, d).next()).toBeUndefined();
    // once: nothing is written after it, neither before the section validate nor before it becomes current
    expect(asked).toEqual([[ID, true, -16]]);
    expect(refusalOf(install(await release(8, image(2, 20)), trust, d).next)[0]).toBe(errors.IMAGE_MISMATCH);
  });

  it("to compare it with a content of another length", async () => {
    const d = unread();
    d.size = () => 100;
    const check = await signed({
      $schema: "urn:firmseal:manifest:1",
      sequence: 8,
      components: [[{ hex: "00" }]],
      "shared-sequence": [
        { "directive-set-component-index": 0 },
        { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class, content: "abc" } },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      install: ["condition-check-content"],
    });
    expect(refusalOf(install(check, trust, d).next)[0]).toBe(errors.CONTENT_MISMATCH);
  });
});
