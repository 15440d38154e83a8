// What a board offers natively: its hash where it has one, ours where it has none, or where the stack is too small for it.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { countingBytes, latin1, sha256 as sha } from "../../test-support/src/bytes.js";
import { HAS_GENERAL, HAS_HOST512, HAS_ONCE } from "../src/base/features.js";
import { type EspruinoCrypto, espruinoIo } from "../src/device/espruino.js";
import type { EspruinoE, EspruinoStorage } from "../src/device/storage.js";

const octets = (data: unknown): Uint8Array =>
  typeof data === "string" ? new Uint8Array(Buffer.from(data, "latin1")) : Uint8Array.from((data as (number | number[])[]).flat());
/** E.toUint8Array(), with the lengths of what it was given. */
function fakeE() {
  const lengths: number[] = [];
  const E = {
    toUint8Array: (text: string) => {
      lengths.push(text.length);
      return octets(text);
    },
  } as unknown as EspruinoE;
  return { E, lengths };
}
const storage = {} as EspruinoStorage;
const text = latin1(countingBytes(600));

describe("the hash of a board", () => {
  it("is the native one, of a text in one call and in place", () => {
    const calls: unknown[] = [];
    const SHA256 = (data: unknown) => {
      calls.push(data);
      return sha(octets(data)).buffer as ArrayBuffer;
    };
    const { E, lengths } = fakeE();
    const io = espruinoIo(storage, E, { SHA256 } as EspruinoCrypto);
    expect([io.storage === storage, io.E === E]).toEqual([true, true]);
    expect(io.sha256(text)).toEqual(sha(octets(text)));
    expect([calls, lengths]).toEqual([[text], []]);
    const { sha256 } = io.host;
    expect(sha256?.once?.([1, 2])).toEqual(sha(Uint8Array.of(1, 2)));
    expect(sha256?.joined?.([[1], [2, 3]] as never)).toEqual(sha(Uint8Array.of(1, 2, 3)));
    // in pieces it is ours
    const state = sha256?.create?.();
    state?.update([1]);
    state?.update([2]);
    expect(Uint8Array.from(state?.digest() ?? [])).toEqual(sha(Uint8Array.of(1, 2)));
    expect(calls).toHaveLength(3);
  });

  it.each<[string, EspruinoCrypto | undefined, boolean]>([
    ["has no crypto", undefined, false],
    ["has crypto without that hash", {}, false],
    [
      "has too small a stack for it",
      {
        SHA256: () => {
          throw new Error("out of stack");
        },
      },
      true,
    ],
  ])("is ours where it %s, 256 bytes of a text at a time", (_, crypto, offered) => {
    const { E, lengths } = fakeE();
    const io = espruinoIo(storage, E, crypto);
    expect("sha256" in io.host).toBe(offered);
    expect(Uint8Array.from(io.sha256(text))).toEqual(sha(octets(text)));
    expect(Uint8Array.from(io.sha256(text.slice(0, 512)))).toEqual(sha(octets(text.slice(0, 512))));
    expect(lengths).toEqual([256, 256, 88, 256, 256]);
  });

  // true for the sources as they are, and with the constants of boards (pnpm mutation:boards)
  it("is asked for a text, for bytes or for pieces, and for SHA-512 where a bundle has none", () => {
    const hash = (name: string) => (data: unknown) => Uint8Array.from(createHash(name).update(octets(data)).digest()).buffer as ArrayBuffer;
    const io = espruinoIo(storage, fakeE().E, { SHA256: hash("sha256"), SHA512: hash("sha512") } as EspruinoCrypto);
    expect(io.sha256(text)).toEqual(sha(octets(text)));
    const { sha256, sha512 } = io.host;
    expect(sha256?.once?.([1, 2]) ?? sha(Uint8Array.of(1, 2))).toEqual(sha(Uint8Array.of(1, 2)));
    expect(HAS_ONCE === !!sha256?.once).toBe(true);
    expect(sha256?.joined?.([[1], [2, 3]] as never)).toEqual(sha(Uint8Array.of(1, 2, 3)));
    expect(!sha512).toBe(HAS_GENERAL || !HAS_HOST512);
    if (!sha512) return;
    const state = sha512.create?.();
    state?.update([1, 2]);
    state?.update([3]);
    expect(state?.digest()).toEqual(
      Uint8Array.from(
        createHash("sha512")
          .update(Uint8Array.of(1, 2, 3))
          .digest(),
      ),
    );
  });
});
