// firmseal trust, and --trust: from the description to the device.

import { sign } from "node:crypto";
import { type TestKey, testKeyPublic, testKeys, toJwk } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure, expectHarmless, FACTS } from "../../../test-support/src/command-line/run.js";
import { board, place, ROOTS, refused, release, signed } from "./trust-place.js";

describe.concurrent("firmseal trust", () => {
  it("goes from a description through two signatures to a device that accepts it", async () => {
    const p = place();
    const made = await p.ok(["trust", "create", "--from", "board.json", "--json"]);
    expect(made.json).toMatchObject({ ok: true, out: "board.trust", name: "board", sequence: "1", thresholds: { root: 2, release: 1 } });
    const one = await p.ok(["trust", "sign", "board.trust", "--key", "r1.pem", "--json"]);
    expect(one.json).toMatchObject({ ok: true, roots: { signed: 1, needed: 2 }, rootsBefore: null });
    await refused(p, ["trust", "verify", "board.trust", "--root", "r1.jwk"], errors.TRUST_SIGNERS, /fewer roots of the trust file/);
    await p.ok(["trust", "sign", "board.trust", "--key", "r2.pem"]);
    const shown = (await p.ok(["trust", "show", "board.trust", "--json"])).json as { anchors: { roles: string[]; signed: boolean }[] };
    expect(shown).toMatchObject({ name: "board", sequence: "1", roots: { signed: 2, needed: 2 }, testKeys: [] });
    expect(shown.anchors.map((a) => [a.roles.join("+"), a.signed])).toEqual([
      ["root", true],
      ["root", true],
      ["release+recovery", false],
      ["release", false],
      ["debug", false],
    ]);
    const words = await p.ok(["trust", "show", "board.trust"]);
    expect(words.stdout).toMatch(/^name +board\n/);
    expectHarmless(words.stdout.replaceAll("\n", ""));
    for (const pins of [ROOTS, ["--root", "r2.jwk"], ["--previous-trust", "board.trust"]]) {
      const r = await p.ok(["trust", "verify", "board.trust", ...pins, "--json"]);
      expect(r.json).toMatchObject({ ok: true, code: 0, reason: "OK", name: "board", pinned: true });
      expect(r.stderr).toBe("");
    }
    const loose = await p.ok(["trust", "verify", "board.trust", "--json"]);
    expect(loose.json).toMatchObject({ ok: true, pinned: false });
    expect(loose.stderr).toMatch(/^warning: board\.trust: no root is given.*\n$/);
  });

  it("verify, install and simulate accept it, in its role, for its device, up to its number", async () => {
    const p = await signed();
    const trust = ["--trust", "board.trust", ...ROOTS];
    await release(p, "A.pem", 7, "a.suit");
    const r = await p.ok(["verify", "a.suit", ...trust, "--json"]);
    expect(r.json).toMatchObject({
      ok: true,
      signers: [{ alg: "ed25519", roles: ["release", "recovery"] }],
      trust: { name: "board", sequence: "1", role: "release", threshold: 1, pinned: true },
    });
    expect((await p.ok(["verify", "a.suit", ...trust])).stderr).toMatch(/good, sequence number 7, signed by .* \(release, recovery\)\n$/);
    await p.ok(["verify", "a.suit", ...trust, "--role", "recovery"]);
    // a role without a trust file would be passed over, and a debug key stand for what it says
    const noTrust = await p.run(["verify", "a.suit", "--key", "A.pem", "--role", "debug"]);
    expect(expectFailure(noTrust, 2)).toContain("--role is for a trust file");
    await refused(p, ["verify", "a.suit", ...trust, "--role", "debug"], errors.SIGNATURE_INVALID, /no trusted key/);
    // the root signs no releases, and the debug key none that is not asked for as such
    for (const by of ["r1.pem", "dbg.pem"]) {
      await release(p, by, 7, `${by}.suit`);
      await refused(p, ["verify", `${by}.suit`, ...trust], errors.SIGNATURE_INVALID, /no trusted key/);
    }
    await p.ok(["verify", "dbg.pem.suit", ...trust, "--role", "debug"]);
    // beyond until, and for another class
    await release(p, "A.pem", 10, "late.suit");
    await refused(p, ["verify", "late.suit", ...trust], errors.ANCHOR_WINDOW, /not trusted for this sequence number/);
    await release(p, "A.pem", 7, "other.suit", ["--vendor", "example.com", "--class", "board-v3"]);
    await refused(p, ["verify", "other.suit", ...trust], errors.SIGNATURE_NO_ANCHOR, /algorithm/);
    await release(p, "B.pem", 7, "b.suit", ["--vendor", "example.com", "--class", "board-v3"]);
    await p.ok(["verify", "b.suit", ...trust]);
    // by the device's identity, not by what the manifest says
    const device = (facts: readonly string[]) => ["--dir", `dev-${facts[3]}`, ...facts];
    const installed = await p.ok(["install", "a.suit", ...trust, ...device(FACTS), "--json"]);
    expect(installed.json).toMatchObject({ ok: true, signers: [{ roles: ["release", "recovery"] }], trust: { role: "release" } });
    await refused(
      p,
      ["install", "a.suit", ...trust, ...device(["--vendor", "example.com", "--class", "board-v3"])],
      errors.SIGNATURE_NO_ANCHOR,
      /algorithm/,
    );
    const simulated = await p.ok(["simulate", "a.suit", ...trust, "--device", "memory", "--second-cuts", "1", "--json"]);
    expect(simulated.json).toMatchObject({ ok: true, trust: { role: "release" } });
  }, 120_000);

  it("prints next steps that work as they are typed", async () => {
    const p = place();
    p.put("test.jwk", JSON.stringify(toJwk(testKeyPublic(testKeys.find(({ name }) => name === "rfc8032-test-3") as TestKey))));
    p.keepsLogs = true;
    const made = async (args: string[]) => (await p.ok(args)).stderr;
    const typed = async (text: string, step: RegExp, values: { [word: string]: string }) => {
      const line = step.exec(text)?.[1] ?? "";
      expect(line, text).not.toBe("");
      return p.ok(line.split(" ").map((word) => values[word] ?? word));
    };
    const SIGN = /firmseal (trust sign .*)/;
    const first = await made(["trust", "create", "--from", "board.json"]);
    for (const root of ["r1.pem", "r2.pem"]) await typed(first, SIGN, { ROOT: root });
    const { sequence: _, ...rest } = board();
    p.put("next.json", JSON.stringify({ ...rest, anchors: [...rest.anchors, { key: "test.jwk", roles: ["debug"] }] }));
    const next = ["trust", "create", "--from", "next.json", "--previous-trust", "board.trust", "--allow-test-key", "rfc8032-test-3"];
    const second = await made(next);
    await typed(second, SIGN, { ROOT: "r1.pem" });
    const tbs = ["trust", "tbs", "next.trust", "--key", "r2.jwk", ...next.slice(4), "--out", "next.tbs"];
    const message = await made(tbs);
    p.put("r2.sig", sign(null, p.get("next.tbs"), p.get("r2.pem")));
    const done = await typed(message, /firmseal (trust attach .*)/, { PUB: "r2.jwk", FILE: "r2.sig" });
    expect(done.stderr).toContain("signed by 2 roots");
  });
});
