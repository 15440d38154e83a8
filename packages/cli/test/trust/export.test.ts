// firmseal trust export: what a device, or a firmware in C, has of a trust file.

import { execFileSync } from "node:child_process";
import vm from "node:vm";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { FACTS } from "../../../test-support/src/command-line/run.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { KEYS, ROOTS, refused, release, signed } from "./trust-place.js";

describe("firmseal trust export", () => {
  it("makes what a device bundle embeds, which then opens what the trust file accepts", async () => {
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
  it.skipIf(!hasCc)(`makes a C header with the same bytes${hasCc ? "" : " (skipped: no C compiler)"}`, async () => {
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
