// Names of vendors and classes: those in ASCII are found by short expressions, and others by classes of Unicode.

import { expect, it } from "vitest";
import { identityOf } from "../src/input/identity.js";

it.each(["example.com", "a", "Example-9.org", "a_b.c", "ä.de", "例え.jp", "a\u0301", "١.com"])("accepts the vendor %s", (vendor) => {
  const isDomain = /^[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}_-]*[\p{L}\p{N}])?)*$/u.test(vendor);
  if (isDomain) expect(identityOf(vendor, "board").vendor).toHaveLength(16);
  else expect(() => identityOf(vendor, "board")).toThrow(/neither a UUID nor a name/);
});

it.each(["", " a", "example com", "-a.com", "a-.com", "a..b", ".a", "a.", "_a", "a/b", "a\n", "ü ü"])("vendor %j is refused", (vendor) => {
  expect(() => identityOf(vendor, "board")).toThrow(/neither a UUID nor a name/);
});

it.each(["board-v2", "~ !", "ä", "板"])("accepts the class %s", (name) => {
  expect(identityOf("example.com", name).class).toHaveLength(16);
});

it.each(["", " a", "a\n", "a\u0000b", "a\u202eb", "\ue000"])("class %j is refused", (name) => {
  expect(() => identityOf("example.com", name)).toThrow(/neither a UUID nor a name/);
});
