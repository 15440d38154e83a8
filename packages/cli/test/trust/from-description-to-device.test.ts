// firmseal trust, and --trust: from the description to the device.

import { execFileSync, spawnSync } from "node:child_process";
import { sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { type TestKey, testKeyPublic, testKeys, toJwk } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure, expectHarmless, FACTS } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { board, KEYS, place, ROOTS, refused, release, signed } from "./trust-place.js";

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
    const device = (facts: readonly string[]) => ["--device", `dev-${facts[3]}`, ...facts];
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

  it("carries a device from one set of roots to another, forward only and within its line", async () => {
    const p = await signed();
    const next = board();
    next.anchors = [{ key: "r3.jwk", roles: ["root"] }, ...next.anchors.slice(3)];
    next.thresholds = { root: 1, release: 1, debug: 1 };
    delete next["sequence"];
    p.put("next.json", JSON.stringify(next));
    expect((await p.ok(["trust", "create", "--from", "next.json", "--previous-trust", "board.trust", "--json"])).json).toMatchObject({
      sequence: "2",
    });
    await refused(p, ["trust", "sign", "next.trust", "--key", "r1.pem"], errors.TRUST_SIGNERS, /r1\.pem is not a root key of next\.trust/);
    await p.ok(["trust", "sign", "next.trust", "--key", "r3.pem"]);
    await refused(
      p,
      ["trust", "verify", "next.trust", "--previous-trust", "board.trust"],
      errors.TRUST_PREVIOUS,
      /roots of the previous trust file/,
    );
    const r = await p.ok([
      "trust",
      "sign",
      "next.trust",
      "--key",
      "r1.pem",
      "--key",
      "r2.pem",
      "--previous-trust",
      "board.trust",
      "--json",
    ]);
    expect(r.json).toMatchObject({ roots: { signed: 1, needed: 1 }, rootsBefore: { signed: 2, needed: 2 } });
    await p.ok(["trust", "verify", "next.trust", "--previous-trust", "board.trust"]);
    await refused(
      p,
      ["trust", "verify", "board.trust", "--previous-trust", "next.trust"],
      errors.TRUST_PREVIOUS,
      /roots of the previous trust file/,
    );
    // by a release that one key of it has signed
    await release(p, "B.pem", 12, "b.suit");
    await p.ok(["verify", "b.suit", "--trust", "next.trust", "--previous-trust", "board.trust"]);
    // under the same roots: an older file, and one of another line
    const same = { ...board(), sequence: 5 };
    p.put("same.json", JSON.stringify(same));
    p.put("lock.json", JSON.stringify({ ...same, name: "lock", sequence: 6 }));
    for (const name of ["same", "lock"]) {
      await p.ok(["trust", "create", "--from", `${name}.json`]);
      await p.ok(["trust", "sign", `${name}.trust`, "--key", "r1.pem", "--key", "r2.pem"]);
    }
    await p.ok(["trust", "verify", "same.trust", "--previous-trust", "board.trust"]);
    await refused(p, ["trust", "verify", "board.trust", "--previous-trust", "same.trust"], errors.TRUST_ROLLBACK, /not newer/);
    await refused(p, ["trust", "verify", "lock.trust", "--previous-trust", "same.trust"], errors.TRUST_NAME, /another product line/);
    await refused(
      p,
      ["trust", "create", "--from", "board.json", "--previous-trust", "same.trust", "--out", "x.trust"],
      204,
      /sequence 1 is not above 5/,
    );
    await refused(
      p,
      ["trust", "create", "--from", "lock.json", "--previous-trust", "same.trust", "--out", "x.trust"],
      204,
      /the name is not "board"/,
    );
  }, 120_000);

  const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
  it.skipIf(!hasOpenssl)(`accepts a signature from elsewhere if it is valid${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
    const p = place();
    await p.ok(["trust", "create", "--from", "board.json"]);
    for (const root of ["r1", "r2"]) {
      await p.ok(["trust", "tbs", "board.trust", "--key", `${root}.jwk`, "--out", `${root}.tbs`]);
      execFileSync("openssl", ["pkeyutl", "-sign", "-inkey", `${root}.pem`, "-rawin", "-in", `${root}.tbs`, "-out", `${root}.sig`], {
        cwd: p.path,
      });
    }
    const attach = (root: string, signature: string) => [
      "trust",
      "attach",
      "board.trust",
      "--key",
      `${root}.jwk`,
      "--signature",
      signature,
    ];
    await refused(p, attach("r1", "r2.sig"), errors.SIGNATURE_INVALID, /r2\.sig is not a signature of r1\.jwk over board\.trust/);
    await refused(p, attach("A", "r1.sig"), errors.TRUST_SIGNERS, /A\.jwk is not a root key of board\.trust/);
    await p.ok(attach("r1", "r1.sig"));
    await refused(p, attach("r1", "r1.sig"), 203, /already signed it/);
    p.put("words.sig", "no signature!");
    await refused(p, attach("r2", "words.sig"), errors.SIGNATURE_INVALID, /words\.sig is text, but neither hex nor base64/);
    // as it comes by mail
    p.put("r2.b64", readFileSync(join(p.path, "r2.sig")).toString("base64"));
    await p.ok(attach("r2", "r2.b64"));
    await p.ok(["trust", "verify", "board.trust", ...ROOTS]);
  });

  it("is embedded in a device bundle, which then opens what it accepts", async () => {
    const p = await signed();
    await p.ok(["bundle", "--alg", "ed25519,es256", "--features", "trust", "--out", "fs.js"]);
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--out", "trust.js"]);
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--role", "release", ...FACTS, "--out", "keys.js"]);
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--format", "bin", "--out", "copy.trust"]);
    expect(p.get("copy.trust")).toEqual(p.get("board.trust"));
    await release(p, "A.pem", 7, "a.suit");
    await release(p, "dbg.pem", 7, "d.suit");
    await release(p, "A.pem", 10, "late.suit");
    const { identityUuids } = await import("@firmseal/signer");
    const id = identityUuids("example.com", "board-v2");
    const context = vm.createContext({ device: { vendor: [id.vendor], class: [id.class] } });
    for (const name of ["fs.js", "trust.js"]) vm.runInContext(p.get(name).toString(), context);
    vm.runInContext("var trust = firmseal.policyOf(firmseal.embeddedTrust(firmsealTrust), 2, device);", context);
    vm.runInContext(p.get("keys.js").toString(), context);
    vm.runInContext(
      `var own = { need: firmsealTrust.need, anchors: [] };
       for (var i = 0; i < firmsealTrust.anchors.length; i++) {
         var a = firmsealTrust.anchors[i];
         own.anchors.push(firmseal.anchor(a.alg, a.key, a.kid));
         own.anchors[i].since = a.since;
         own.anchors[i].until = a.until;
       }`,
      context,
    );
    for (const trust of ["trust", "own"]) {
      const open = (name: string) => {
        context["bytes"] = p.get(name);
        try {
          return vm.runInContext(`firmseal.open(bytes, ${trust}).sequence[1]`, context);
        } catch (e) {
          return -(e as { code: number }).code;
        }
      };
      expect([open("a.suit"), open("d.suit"), open("late.suit")], trust).toEqual([7, -errors.SIGNATURE_INVALID, -errors.ANCHOR_WINDOW]);
    }
    await refused(p, ["trust", "export", "board.trust", "--role", "release"], 200, /depends on its vendor and class/, 2);
    // a key that was retired would count forever
    const header = ["trust", "export", "board.trust", "--role", "release", ...FACTS, "--format", "h", "--out", "keys.h"];
    await refused(p, header, 200, /limited to some sequence numbers/, 2);
  });

  const hasCc = hasProgram("cc");
  it.skipIf(!hasCc)(`is a C header with the same bytes${hasCc ? "" : " (skipped: no C compiler)"}`, async () => {
    const p = await signed();
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--format", "h", "--out", "all.h"]);
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--format", "h", "--role", "debug", "--out", "one.h"]);
    for (const [name, array] of [
      ["all", "firmseal_trust"],
      ["one", "firmseal_trust_key_0"],
    ]) {
      p.put(
        "x.c",
        `#include <stdio.h>\n#include "${name}.h"\nint main(void) { return fwrite(${array}, 1, sizeof ${array}, stdout) != sizeof ${array}; }\n`,
      );
      execFileSync("cc", ["-std=c89", "-Wall", "-Werror", "-Wno-unused-variable", "-o", "x", "x.c"], { cwd: p.path });
      expect(execFileSync(p.at("x"))).toEqual(name === "all" ? p.get("board.trust") : Buffer.from(KEYS.dbg.key));
    }
  });
});
