import { cpSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectFailure, words } from "../../../test-support/src/command-line/run.js";
import { expectNoLeafTwice, HssPlace } from "../../../test-support/src/keys/hss-place.js";

describe("firmseal hss", () => {
  it("warns near its end and is refused when it is used up, with nothing written", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    expect((await p.ok(["hss", "skip", "k.hss", "--to", "21"])).stderr).not.toContain("before the last leaf");
    expect((await p.ok(p.signArgs("a.suit"))).stderr).toContain("warning: k.hss: 10 of 32 signatures are left");
    await p.ok(["hss", "skip", "k.hss", "--to", "31"]);
    expect((await p.ok(p.signArgs("b.suit"))).stderr).toContain(
      "warning: k.hss: this was the last of 32 signatures; the next release needs a new key",
    );
    expect((await p.ok(["hss", "status", "k.hss", "--json"])).json).toMatchObject({ used: "32", left: "0", nearlyUsed: true });
    const before = p.tree();
    const r = await p.run(p.signArgs("c.suit"));
    expect(expectFailure(r, 1)).toContain("every leaf of the key is used");
    expect((await p.run([...p.signArgs("c.suit"), "--json"])).json).toMatchObject({ ok: false, code: 221, reason: "KEY_EXHAUSTED" });
    expectFailure(await p.run(["hss", "skip", "k.hss", "--to", "33"]), 2);
    expect(p.tree()).toEqual(before);
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(["a.suit", "b.suit"]))).toBe(2);
  });

  it("no leaf signs twice when the state comes from a backup; skip continues with the leaves that are left", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    await p.ok(p.signArgs("1.suit"));
    cpSync(p.at("k.hss.state"), p.at("backup"));
    await p.ok(p.signArgs("2.suit"));
    await p.ok(p.signArgs("3.suit"));
    cpSync(p.at("backup"), p.at("k.hss.state"));
    const before = p.tree();
    const r = await p.run(p.signArgs("4.suit"));
    expect(expectFailure(r, 3)).toContain("a restored backup or a copy: its state is at 1, but this machine has signed up to 3");
    expect(words(r)[1]).toContain("firmseal hss skip k.hss --to 3");
    expect((await p.run([...p.signArgs("4.suit"), "--json"])).json).toMatchObject({ code: 220, reason: "KEY_STATE", exit: 3 });
    expectFailure(await p.run(["hss", "status", "k.hss"]), 3);
    expectFailure(await p.run(["hss", "adopt", "k.hss", "--no-other-copy-signs"]), 3);
    expect(expectFailure(await p.run(["hss", "skip", "k.hss", "--to", "2"]), 2)).toContain("leaves up to 3 are used");
    expectFailure(await p.run(["hss", "skip", "k.hss"]), 2);
    expect(p.tree()).toEqual(before);
    await p.ok(["hss", "skip", "k.hss", "--to", "3"]);
    await p.ok(p.signArgs("4.suit"));
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(["1.suit", "2.suit", "3.suit", "4.suit"]))).toBe(4);
  });

  it("no leaf signs twice when the key is copied on this machine, or to another; adopt takes it over", async () => {
    const p = new HssPlace();
    p.keepsLogs = true;
    // one log for both, or the log of the copy would be refused before its state is
    const signArgs = (out: string, key?: string) => [...p.signArgs(out, key), "--log", "both.log"];
    await p.keygen("5/4");
    for (const name of ["", ".state", ".tree0"]) cpSync(p.at(`k.hss${name}`), p.at(`c.hss${name}`));
    await p.ok(signArgs("1.suit", "c.hss"));
    expect(expectFailure(await p.run(signArgs("2.suit")), 3)).toContain("a restored backup or a copy");
    // at once, too: only one of the two gets a leaf
    cpSync(p.at("c.hss.state"), p.at("k.hss.state"));
    const both = await Promise.all([p.run(signArgs("2.suit")), p.run(signArgs("3.suit", "c.hss"))]);
    expect(both.map((r) => r.exit).sort()).toEqual([0, 3]);
    const other = { env: { FIRMSEAL_STATE: p.at("elsewhere") } };
    const moved = p.has("2.suit") ? "k.hss" : "c.hss";
    const r = await p.run(signArgs("4.suit", moved), other);
    expect(expectFailure(r, 3)).toContain("never signed with the key");
    expect(words(r)[1]).toContain(`firmseal hss adopt ${moved} --no-other-copy-signs`);
    expect(expectFailure(await p.run(["hss", "adopt", moved], other), 2)).toContain("anybody can then forge signatures");
    expectFailure(await p.run(["hss", "skip", moved, "--to", "9"], other), 3);
    await p.ok(["hss", "adopt", moved, "--no-other-copy-signs"], other);
    await p.ok(signArgs("4.suit", moved), other);
    const names = ["1.suit", moved === "k.hss" ? "2.suit" : "3.suit", "4.suit"];
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(names))).toBe(3);
  });
});
