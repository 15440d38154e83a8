// Text for people: what is plain is found by a short expression, and must be what the long one finds.

import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { grouped, shellWord, visible } from "../src/words.js";

const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

it("every unsafe character is escaped, and no other one", () => {
  // the planes behind the second have tags, and characters for private use
  for (let code = 0; code < 0x110000; code += code < 0x20000 ? 1 : 251) {
    const text = String.fromCodePoint(code);
    const expected = UNSAFE.test(text) ? `\\u{${code.toString(16)}}` : text;
    // a comparison is a hundred times faster than expect()
    if (visible(text) !== expected || visible(`a${text}…`) !== `a${expected}…`) expect(visible(text), code.toString(16)).toBe(expected);
  }
  expect(visible("a\nb\u202ec…\u{e0001}")).toBe("a\\u{a}b\\u{202e}c…\\u{e0001}");
});

it("numbers are grouped as in English", () => {
  for (const n of [0, 7, 999, 1000, 16_384, 123_456, 1_000_000, 12_345_678, Number.MAX_SAFE_INTEGER])
    expect(grouped(n)).toBe(n.toLocaleString("en-US"));
});

it.skipIf(process.platform === "win32")("a shell reads a path in a command as it is, and plain ones are not quoted", () => {
  for (const path of ["a b", "it's", "$HOME", "`x`", 'a"b', "a\\b", "a;b", "é", "*", "~", "a\nb", "'", "-"])
    expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(path)}`], { encoding: "utf8" })).toBe(path);
  for (const path of ["night/next.trust", "C:/a_b-1.pem", "key@2+x=1,%"]) expect(shellWord(path)).toBe(path);
});
