// Versions as sequence numbers: nothing is lost either way, and the order is that of Semantic Versioning.

import fc from "fast-check";
import { expect, it } from "vitest";
import { checkSequence } from "../src/signing-log/sequence.js";
import { isNumberOf, numberVersion, versionNumber } from "../src/signing-log/version.js";

const WORD = 2n ** 64n;

it("every 64-bit number is one version, and back", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, WORD - 1n), (n) => {
      const version = numberVersion(n);
      expect(versionNumber(version)).toBe(n);
      expect(isNumberOf(version, n)).toBe(true);
      expect(isNumberOf(version, n === 0n ? 1n : n - 1n)).toBe(false);
    }),
  );
  expect([0n, WORD - 1n, 1n << 48n].map(numberVersion)).toEqual(["0.0.0-0", "65535.65535.65535+32767", "1.0.0-0"]);
});

it("orders versions as their users do: pre-releases below the release, builds above it", () => {
  const order = [
    "0.0.0-0",
    "0.0.1",
    "1.4.2-0",
    "1.4.2-8191",
    "1.4.2-alpha.0",
    "1.4.2-alpha.8191",
    "1.4.2-beta.1",
    "1.4.2-rc.1",
    "1.4.2-rc.2",
    "1.4.2-rc.10",
    "1.4.2",
    "1.4.2+1",
    "1.4.2+32767",
    "1.4.3-rc.1",
    "1.4.10",
    "1.5.0",
    "2.0.0",
    "2026.11.26",
  ];
  const numbers = order.map(versionNumber);
  expect(numbers).toEqual([...numbers].sort((a, b) => (a < b ? -1 : 1)));
  expect(new Set(numbers).size).toBe(order.length);
  expect(versionNumber("1.4.2")).toBe(0x0001_0004_0002_8000n);
});

it.each([
  "",
  "1",
  "1.4",
  "v1.4.2",
  "1.4.2.1",
  "01.4.2",
  "1.4.2-rc1",
  "1.4.2-rc",
  "1.4.2-gamma.1",
  "1.4.2-rc.01",
  "1.4.2+0",
  "1.4.2+a",
  "1.4.2 ",
  "1.4.2-rc.1+5",
  "١.4.2",
  "1.4.2\n",
  "-1.0.0",
])("%j is not a version", (text) => expect(() => versionNumber(text)).toThrow("is not a version"));

it("a version with the v of a tag is refused with the version itself", () => {
  expect(() => versionNumber("v1.4.2-rc.1")).toThrow('"v1.4.2-rc.1" is not a version; did you mean "1.4.2-rc.1"?');
  expect(() => versionNumber("v1.4")).toThrow(/^"v1\.4" is not a version$/);
});

it.each(["65536.0.0", "1.65536.0", "1.0.65536", "1.0.0-8192", "1.0.0-rc.8192", "1.0.0+32768", "9999999999.0.0"])(
  "%s does not fit",
  (text) => expect(() => versionNumber(text)).toThrow(/is too large for a sequence number$/),
);

it("a version may be one major version ahead, and no more", () => {
  const scope = ["a/b"];
  const last = (version: string) => [{ sequence: String(versionNumber(version)), scope, digest: "x", time: "", user: "" }];
  const check = (before: string, version: string, sequence = versionNumber(version)) =>
    checkSequence([{ entries: last(before) }], { sequence, digest: "y", scope, version }, {});
  for (const version of ["1.4.3", "1.5.0", "1.65535.0", "2.0.0", "2.9.9"]) expect(check("1.4.2", version)).toEqual([]);
  expect(() => check("1.4.2", "3.0.0")).toThrow("version 3.0.0 skips major versions after 1.4.2");
  expect(() => check("1.4.2", "1.4.2-rc.1")).toThrow("lower than");
  // a text with a number that is not its own does not help
  expect(() => check("1.4.2", "2.0.0", versionNumber("2.0.1"))).toThrow("more than 2^32 higher");
  // what gives the number is what to change
  const hint = (...args: Parameters<typeof check>) => {
    try {
      check(...args);
      return undefined;
    } catch (e) {
      return (e as { hint?: string }).hint;
    }
  };
  expect(hint("1.4.2", "1.4.1")).toBe("give a higher version, or allow it: `allow-lower-sequence`");
  expect(hint("1.4.2", "1.4.2")).toBe("a rebuilt release needs a new version, or allow it: `allow-sequence-reuse`");
  expect(hint("1.4.2", "1.4.1", 7n)).toBe(
    "give a higher one: `seq` next, or raise it in the description, or allow it: `allow-lower-sequence`",
  );
});
