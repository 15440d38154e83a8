// firmseal sign --for micro.

import { describe, expect, it } from "vitest";
import { expectFailure, FACTS } from "../../../test-support/src/command-line/run.js";
import { description, ONE, place } from "../all/command-place.js";

describe("--for micro", () => {
  it("changes nothing in what sign IMAGE writes: it is the template, also with a URI and with a second key", async () => {
    const p = place();
    const args = ["sign", "fw.bin", "--key", "A.pem", ...FACTS];
    await p.ok([...args, "--seq", "7", "--out", "a.suit"]);
    await p.ok([...args, "--seq", "7", "--out", "b.suit", "--for", "micro"]);
    expect(p.get("b.suit").equals(p.get("a.suit"))).toBe(true);
    await p.ok([
      ...args,
      "--seq",
      "18446744073709551614",
      "--uri",
      "https://example.com/fw",
      "--out",
      "c.suit",
      "--for",
      "micro",
      "--allow-sequence-jump",
    ]);
    await p.ok(["sign", "a.suit", "--key", "B.pem", "--for", "micro"]);
    for (const name of ["a.suit", "b.suit", "c.suit"]) {
      const r = await p.ok(["verify", name, "--key", "A.jwk", "--for", "micro", "--without-payloads"]);
      expect(r.stderr).toContain(`${name}: good`);
    }
  });

  it("refuses what is not the template before a key signs, names the first byte that differs, and says what to change", async () => {
    const p = place();
    p.put("text.json", description({ text: { en: { "manifest-description": "a text" } } }));
    const before = p.tree();
    const r = await p.run(["sign", "text.json", "--key", "A.pem", "--out", "text.suit", "--for", "micro"]);
    expect(expectFailure(r, 1)).toMatch(/not for a micro verifier: byte \d+ is [0-9a-f]{2}, where firmseal-single-1 has /);
    expect(p.tree()).toEqual(before);
    const json = (await p.run(["sign", "text.json", "--key", "A.pem", "--out", "text.suit", "--for", "micro", "--json"])).json;
    expect(json).toMatchObject({ ok: false, code: 130, reason: "TEMPLATE_MISMATCH" });
    // the general verifier has no objection
    await p.ok(["sign", "text.json", "--key", "A.pem", "--out", "text.suit"]);
    await p.ok(["verify", "text.suit", "--key", "A.jwk"]);
    const refused = await p.run(["verify", "text.suit", "--key", "A.jwk", "--for", "micro"]);
    expect(expectFailure(refused, 1)).toMatch(/byte \d+ is [0-9a-f]{2}, where firmseal-single-1 has /);
  });

  it("refuses a third signature", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "7", "--out", "a.suit", "--for", "micro"]);
    const before = p.tree();
    const r = await p.run(["sign", "a.suit", "--key", "one.pem", "--passphrase-fd", "3", "--for", "micro"], { fds: [ONE] });
    expect(expectFailure(r, 1)).toContain("it would have 3 signatures");
    expect(p.tree()).toEqual(before);
  });
});
