// An envelope that arrives in pieces, before it lies anywhere: how much of it is waited for, when it is read, and what is put on the shelf.

import { describe, expect, it } from "vitest";
import {
  bytes as bstr,
  CLASS,
  digest,
  envelope,
  IMAGE,
  int,
  override,
  payload,
  seq,
  update,
  uriParam,
  VENDOR,
} from "../../../test-vectors/src/pieces/assemble.js";
import { memoryDevice } from "../src/device/memory.js";
import { errors, type Host, open } from "../src/index.js";
import { type Arrival, arrive, arrived } from "../src/install/receive.js";
import { COND_IMAGE_MATCH, DIR_FETCH, MAN_INSTALL, MAN_TEXT } from "../src/spec/suit.js";
import { code, ID, identity, image, release, trust } from "./releases.js";

/** A device that both kinds of release are for. */
const device = memoryDevice({ vendor: [...identity.vendor, VENDOR], class: [...identity.class, CLASS] }, [ID], 1000);

/** What is put on a shelf. */
function shelf() {
  const begun: number[] = [];
  const octets: number[] = [];
  return { begun, octets, begin: (n: number) => void begun.push(n), write: (b: ArrayLike<number>) => void octets.push(...Array.from(b)) };
}

/** Sends `b` by so many bytes at a time; what came of it, and the shelf. */
function sent(b: Uint8Array, packet = b.length, host: Host = {}, length = b.length) {
  const on = shelf();
  let a: Arrival | null = null;
  for (let at = 0; at < b.length; at += packet) a = arrive(a, b.slice(at, at + packet), length, trust, host, device, on);
  return { a, on };
}

/** A release with `n` bytes of text behind its manifest, and no payload. */
async function withText(n: number): Promise<Uint8Array> {
  const text = bstr(new Uint8Array(n));
  const install = seq(override(uriParam("a:1")), [DIR_FETCH, 2], [COND_IMAGE_MATCH, 15]);
  const content = update({ sections: { [MAN_INSTALL]: install }, more: [[MAN_TEXT, digest(text)]] });
  return Uint8Array.from(await envelope(content, { rest: [[int(MAN_TEXT), text]] }));
}

describe("what arrives", () => {
  it("has room made for all that is written, once, however it is cut", async () => {
    for (const b of [await release(1, image(1, 300)), await release(1, image(1, 300), "a:1"), await withText(300)])
      for (const packet of [b.length, 1, 9]) {
        const { a, on } = sent(b, packet);
        expect(() => arrived(a)).not.toThrow();
        expect(on.begun).toEqual([on.octets.length]);
        expect([a?.want, a?.pieces]).toEqual([0, []]);
        expect(open(on.octets, trust).sequence).toEqual(open(b, trust).sequence);
      }
  });

  it("is read when what it waits for is there, and not with each piece", async () => {
    const b = await release(1, image(1, 300));
    const first = arrive(null, b.slice(0, 40), b.length, trust, undefined, device, shelf());
    const { want } = first;
    expect(want).toBeGreaterThan(60);
    let a = arrive(first, b.slice(40, 50), b.length, trust, undefined, device, shelf());
    a = arrive(a, b.slice(50, 60), b.length, trust, undefined, device, shelf());
    expect([a.want, a.have, a.pieces.map((p) => p.length)]).toEqual([want, 60, [40, 10, 10]]);
    a = arrive(a, b.slice(60, want), b.length, trust, undefined, device, shelf());
    expect(a.pieces.map((p) => p.length)).toEqual([want]);
    expect(a.want).toBeGreaterThan(want);
  });

  it("has a head that the host has room for, its text included, and 65,536 bytes if the host sets no limit", async () => {
    const b = await withText(70_000);
    const large = { memory: b.length };
    expect(code(() => sent(b, 1000))).toBe(errors.HEAD_LENGTH);
    expect(code(() => sent(b.slice(0, 600), 600, {}, b.length))).toBe(errors.HEAD_LENGTH);
    expect(sent(b, 1000, large).a?.want).toBe(0);
    expect(code(() => sent(b, 1000, { memory: b.length - 1 }))).toBe(errors.HEAD_LENGTH);
    const small = await withText(60_000);
    expect(sent(small, 1000).a?.want).toBe(0);
  });

  it("is as long as it was announced", async () => {
    const b = await release(1, image(1, 300));
    const half = b.length - 100;
    const begin = () => arrive(null, b.slice(0, half), b.length, trust, {}, device, shelf());
    expect(code(() => arrive(begin(), b.slice(half), b.length, trust, {}, device, shelf()))).toBe(0);
    for (const [rest, length] of [
      [b.slice(half), b.length + 1],
      [b.slice(half), half],
      [Uint8Array.from([...b.slice(half), 0]), b.length],
    ] as const)
      expect(code(() => arrive(begin(), rest, length, trust, {}, device, shelf()))).toBe(errors.PAYLOAD_SIZE);
    expect(code(() => arrived(begin()))).toBe(errors.CBOR_TRUNCATED);
    expect(code(() => arrived(null))).toBe(errors.CBOR_TRUNCATED);
  });

  it("has payloads as large as its manifest says, with their names, and nothing after them", async () => {
    const name = "#".padEnd(1024, "f");
    const whole = await envelope(update(), { rest: [payload()] });
    // enough after the head to continue reading; nothing of it is read yet
    const b = Uint8Array.from([...whole, ...new Array(64).fill(0)]);
    // all that a name and the heads may take is allowed for, and not one more byte
    const accepts = (length: number) => code(() => arrive(null, b, length, trust, {}, device, shelf())) !== errors.PAYLOAD_SIZE;
    let [most, tooMany] = [b.length, b.length + 2000];
    while (tooMany - most > 1) {
      const middle = (most + tooMany) >> 1;
      if (accepts(middle)) most = middle;
      else tooMany = middle;
    }
    const head = whole.length - payload().flat().length;
    expect(most - head).toBeGreaterThanOrEqual(IMAGE.length + payload([], name).flat().length);
    expect(most - head).toBeLessThan(IMAGE.length + payload([], name).flat().length + 20);
  });
});
