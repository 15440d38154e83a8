// firmseal trust, and --trust: from the description to the device, and what must not come of it.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { type PrivateKey, privateKey, toJwk } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { plainPem } from "../../keys/src/formats/pkcs8.js";
import { expectFailure, expectHarmless, FACTS, type Place, standard } from "../../test-support/src/run.js";

const key = (text: string): PrivateKey => privateKey("ed25519", new TextEncoder().encode(`trust file test, ${text}`.padEnd(32, ".")));
const KEYS = { r1: key("r1"), r2: key("r2"), r3: key("r3"), dbg: key("dbg") };

interface Description {
  [name: string]: unknown;
  anchors: { [name: string]: unknown }[];
  thresholds: { [role: string]: unknown };
}

const board = (): Description => ({
  $schema: "urn:firmseal:trust:1",
  name: "board",
  sequence: "1",
  anchors: [
    { key: "r1.jwk", roles: ["root"] },
    { key: "r2.jwk", roles: ["root"] },
    { key: "A.jwk", roles: ["release", "recovery"], vendor: "example.com", class: "board-v2", until: 9 },
    { key: "B.jwk", roles: ["release"] },
    { key: "dbg.jwk", roles: ["debug"] },
  ],
  thresholds: { root: 2, release: 1, debug: 1, recovery: 1 },
});

/** standard(), the roots r1 to r3, the debug key, and board.json. */
function place(description: unknown = board()): Place {
  const p = standard();
  for (const [name, k] of Object.entries(KEYS)) {
    p.put(`${name}.pem`, plainPem(k));
    p.put(`${name}.jwk`, JSON.stringify(toJwk(k)));
  }
  p.put("board.json", JSON.stringify(description));
  return p;
}

const ROOTS = ["--root", "r1.jwk", "--root", "r2.jwk"];

/** The same with board.trust, signed by both roots. */
async function signed(): Promise<Place> {
  const p = place();
  await p.ok(["trust", "create", "--from", "board.json"]);
  await p.ok(["trust", "sign", "board.trust", "--key", "r1.pem", "--key", "r2.pem"]);
  return p;
}

const release = (p: Place, by: string, seq: number, out: string, facts: readonly string[] = FACTS) =>
  p.ok(["sign", "fw.bin", "--key", by, ...facts, "--seq", String(seq), "--out", out]);

/** Refused with this number, in JSON and in words, and nothing on the disk has changed. */
async function refused(p: Place, args: readonly string[], code: number, line: RegExp, exit = 1): Promise<void> {
  const before = p.tree();
  const r = await p.run(args);
  expect(expectFailure(r, exit), args.join(" ")).toMatch(line);
  const inJson = await p.run([...args, "--json"]);
  expect(inJson.json, args.join(" ")).toMatchObject({ ok: false, code, exit });
  expect(p.tree()).toEqual(before);
}

describe.concurrent("firmseal trust", () => {
  it("goes from a description over two signatures to a device that believes it", async () => {
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

  it("verify, install and simulate believe it, in its role, for its device, up to its number", async () => {
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
    await refused(p, ["trust", "sign", "next.trust", "--key", "r1.pem"], errors.TRUST_SIGNERS, /r1\.pem: is not a root key of next\.trust/);
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
  it.skipIf(!hasOpenssl)(`takes a signature from elsewhere, once it is one${hasOpenssl ? "" : " (skipped: no openssl)"}`, async () => {
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
    await refused(p, attach("r1", "r2.sig"), errors.SIGNATURE_INVALID, /r2\.sig: is not a signature of r1\.jwk over board\.trust/);
    await refused(p, attach("A", "r1.sig"), errors.TRUST_SIGNERS, /A\.jwk: is not a root key of board\.trust/);
    await p.ok(attach("r1", "r1.sig"));
    await refused(p, attach("r1", "r1.sig"), 203, /signed it already/);
    p.put("words.sig", "no signature!");
    await refused(p, attach("r2", "words.sig"), errors.SIGNATURE_INVALID, /words\.sig: is text, but neither hex nor base64/);
    // as it comes by mail
    p.put("r2.b64", readFileSync(join(p.path, "r2.sig")).toString("base64"));
    await p.ok(attach("r2", "r2.b64"));
    await p.ok(["trust", "verify", "board.trust", ...ROOTS]);
  });

  it("is embedded in a device bundle, which then opens what it lets in", async () => {
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
    // a key that was retired would count for ever
    const header = ["trust", "export", "board.trust", "--role", "release", ...FACTS, "--format", "h", "--out", "keys.h"];
    await refused(p, header, 200, /limited to some sequence numbers/, 2);
  });

  const hasCc = spawnSync("cc", ["--version"]).status === 0;
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

  const changed = (change: (d: Description) => void): Description => {
    const d = board();
    change(d);
    return d;
  };
  it.each<[string, unknown, number, RegExp]>([
    [
      "a threshold above the number of keys",
      changed((d) => {
        d.thresholds["release"] = 3;
      }),
      errors.TRUST_THRESHOLD,
      /thresholds\.release is 3, but 2 keys have the role/,
    ],
    [
      "a threshold of 0",
      changed((d) => {
        d.thresholds["root"] = 0;
      }),
      errors.TRUST_THRESHOLD,
      /thresholds\.root is 0/,
    ],
    [
      "a role that nobody holds",
      changed((d) => void d.anchors.pop()),
      errors.TRUST_ROLE_EMPTY,
      /thresholds\.debug is 1, but no key has the role/,
    ],
    [
      "a role without a threshold",
      changed((d) => void delete d.thresholds["debug"]),
      errors.TRUST_ROLE_EMPTY,
      /thresholds\.debug is missing/,
    ],
    [
      "no root",
      changed((d) => {
        d.anchors.splice(0, 2);
        delete d.thresholds["root"];
      }),
      errors.TRUST_ROLE_EMPTY,
      /no key has the role root/,
    ],
    [
      "a key for debugging and releases",
      changed((d) => {
        d.anchors[4] = { key: "dbg.jwk", roles: ["debug", "release"] };
      }),
      errors.TRUST_ROLE,
      /do not go together/,
    ],
    [
      "a root that signs releases",
      changed((d) => {
        d.anchors[0] = { key: "r1.jwk", roles: ["root", "release"] };
      }),
      errors.TRUST_ROLE,
      /do not go together/,
    ],
    ["a key twice", changed((d) => void d.anchors.push({ key: "A.pem", roles: ["release"] })), errors.TRUST_KEY_TWICE, /a key twice/],
    [
      "until below since",
      changed((d) => void Object.assign(d.anchors[3] as object, { since: 5, until: 4 })),
      errors.TRUST_WINDOW,
      /sequence number below/,
    ],
    [
      "a root with a class",
      changed((d) => void Object.assign(d.anchors[0] as object, { vendor: "example.com" })),
      errors.TRUST_SCOPE,
      /a root has a scope/,
    ],
    [
      "17 keys",
      changed((d) => {
        d.anchors = Array.from({ length: 17 }, () => ({ key: "A.jwk", roles: ["release"] }));
      }),
      204,
      /\/anchors: must NOT have more than 16 items/,
    ],
    [
      "an unknown role",
      changed((d) => {
        d.anchors[3] = { key: "B.jwk", roles: ["admin"] };
      }),
      204,
      /\/anchors\/3\/roles\/0: "admin" is not one of release, recovery, debug, root$/m,
    ],
    [
      "an unknown member",
      changed((d) => {
        d["threshold"] = 1;
      }),
      204,
      /unknown member "threshold"; did you mean "thresholds"\?/,
    ],
    [
      "an unknown member of a key",
      changed((d) => void Object.assign(d.anchors[3] as object, { untill: 4 })),
      204,
      /\/anchors\/3: unknown member "untill"; did you mean "until"\?/,
    ],
    [
      "a member of every object",
      JSON.parse(JSON.stringify(board()).replace('"name"', '"__proto__"')),
      204,
      /"name" is missing|unknown member "__proto__"/,
    ],
    ["no schema", changed((d) => void delete d["$schema"]), 204, /\$schema/],
    ["no sequence number", changed((d) => void delete d["sequence"]), 204, /\/sequence: is missing/],
    [
      "a sequence number of 2^64",
      changed((d) => {
        d["sequence"] = "18446744073709551616";
      }),
      204,
      /\/sequence: is not below 2\^64/,
    ],
    [
      "half a sequence number",
      changed((d) => {
        d["sequence"] = 1.5;
      }),
      204,
      /\/sequence: must be .* \(a number below 2\^64/,
    ],
    [
      "a class without its vendor",
      changed((d) => {
        d.anchors[3] = { key: "B.jwk", roles: ["release"], class: "board-v2" };
      }),
      204,
      /\/anchors\/3\/class: is a name/,
    ],
    ["a list", [], 204, /must be object/],
    ["a text", "board", 204, /must be object/],
  ])("refuses %s, with one line and one hint, and writes nothing", async (_, description, code, line) => {
    await refused(place(description), ["trust", "create", "--from", "board.json"], code, line);
  });

  it("refuses bad files, bad use and published keys, and writes nothing", async () => {
    const p = await signed();
    await refused(p, ["trust", "create", "--from", "board.json"], 200, /board\.trust: exists already/, 2);
    p.put("secret.pem", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5LWNhbmFyeQ==\n-----END PRIVATE KEY-----\n");
    const quoted = await p.run(["trust", "create", "--from", "secret.pem", "--out", "x.trust"]);
    expect(expectFailure(quoted, 1)).toMatch(/secret\.pem: not JSON \(line 1, column \d+\)/);
    expect(quoted.stderr).not.toContain("Y2FuYXJ5");
    p.put("gone.json", JSON.stringify({ ...board(), anchors: [{ key: "gone.jwk", roles: ["root"] }], thresholds: { root: 1 } }));
    await refused(p, ["trust", "create", "--from", "gone.json"], 201, /gone\.jwk: there is no such file/, 3);
    // a program is no file: what a description names is never run
    p.put("run.json", JSON.stringify({ ...board(), anchors: [{ key: "exec:/bin/sh", roles: ["root"] }], thresholds: { root: 1 } }));
    await refused(p, ["trust", "create", "--from", "run.json"], 201, /exec:\/bin\/sh: there is no such file/, 3);
    for (const by of ["A.pem", "dbg.pem", "r3.pem"])
      await refused(p, ["trust", "sign", "board.trust", "--key", by], errors.TRUST_SIGNERS, /is not a root key of board\.trust/);
    await refused(p, ["trust", "sign", "board.trust", "--key", "r1.pem"], 203, /signed it already/);
    await refused(p, ["trust", "sign", "board.trust", "--key", "r1.jwk"], 200, /is a public key/, 2);
    for (const [out, why] of [
      ["fw.bin", /fw\.bin: exists and is not a trust file/],
      ["B.pem", /B\.pem: is a private key/],
    ] as const) {
      await refused(p, ["trust", "sign", "board.trust", "--key", "r1.pem", "--out", out], 200, why, 2);
      await refused(p, ["trust", "export", "board.trust", "--format", "bin", "--out", out], 200, why, 2);
    }
    await refused(p, ["trust", "export", "board.trust", "--out", "B.pem"], 200, /B\.pem: is not a file name for js/, 2);
    await refused(p, ["trust", "tbs", "board.trust", "--key", "r1.jwk", "--out", "B.pem"], 200, /B\.pem: exists already/, 2);
    await refused(p, ["trust", "show", "fw.bin"], errors.TRUST_NONE, /fw\.bin: not a trust file/);
    await refused(p, ["trust", "show", "r1.pem"], errors.TRUST_NONE, /r1\.pem: not a trust file/);
    const whole = p.get("board.trust");
    p.put("cut.trust", whole.subarray(0, -1));
    p.put("long.trust", Buffer.concat([whole, Buffer.of(0)]));
    p.put("bit.trust", Buffer.concat([whole.subarray(0, -1), Buffer.of((whole.at(-1) as number) ^ 1)]));
    await refused(
      p,
      ["trust", "verify", "cut.trust", ...ROOTS],
      errors.CBOR_TRUNCATED,
      /cut\.trust: refused: the CBOR ends before the item does/,
    );
    await refused(p, ["trust", "verify", "long.trust", ...ROOTS], errors.CBOR_TRAILING, /long\.trust: refused/);
    await refused(p, ["trust", "verify", "bit.trust", ...ROOTS], errors.TRUST_PREVIOUS, /bit\.trust: refused/);
    await refused(p, ["trust", "verify", "board.trust", "--root", "r3.jwk"], errors.TRUST_PREVIOUS, /roots of the previous trust file/);
    await refused(p, ["trust", "verify", "board.trust", ...ROOTS, "--previous-trust", "board.trust"], 200, /both given/, 2);
    await release(p, "A.pem", 7, "a.suit");
    await refused(p, ["verify", "a.suit"], 200, /--key and --trust are missing/, 2);
    await refused(p, ["verify", "a.suit", "--key", "A.jwk", "--trust", "board.trust"], 200, /both given/, 2);
    await refused(p, ["verify", "a.suit", "--key", "A.jwk", ...ROOTS], 200, /--trust is not given/, 2);
    await refused(p, ["verify", "a.suit", "--trust", "board.trust", "--threshold", "2"], 200, /--threshold/, 2);
    await refused(p, ["verify", "a.suit", "--trust", "a.suit"], errors.TRUST_NONE, /a\.suit: not a trust file/);
    await refused(p, ["verify", "board.trust", "--key", "A.jwk"], errors.ENVELOPE_NONE, /board\.trust: not a SUIT envelope/);
    await p.ok(["trust", "create", "--from", "board.json", "--out", "fresh.trust"]);
    await refused(p, ["verify", "a.suit", "--trust", "fresh.trust"], errors.TRUST_SIGNERS, /refused: not signed/);
    // RFC 8032 test 1
    const published = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
    p.put("pub.jwk", JSON.stringify(published));
    p.put("test.json", JSON.stringify({ ...board(), anchors: [...board().anchors.slice(0, 4), { key: "pub.jwk", roles: ["debug"] }] }));
    await refused(p, ["trust", "create", "--from", "test.json"], 202, /rfc8032-test-1 is a published test key/);
    const r = await p.ok(["trust", "create", "--from", "test.json", "--allow-test-key", "rfc8032-test-1"]);
    expect(r.stderr).toMatch(/^warning: /);
    expect((await p.ok(["trust", "show", "test.trust", "--json"])).json).toMatchObject({ testKeys: ["rfc8032-test-1"] });
    // who signs it may be another than who made it
    const tbs = ["trust", "tbs", "test.trust", "--key", "r1.jwk", "--out", "test.tbs"];
    const sign = ["trust", "sign", "test.trust", "--key", "r1.pem", "--key", "r2.pem"];
    p.put("x.sig", Buffer.alloc(64));
    for (const args of [tbs, sign, ["trust", "attach", "test.trust", "--key", "r1.jwk", "--signature", "x.sig"]])
      await refused(p, args, 202, /rfc8032-test-1 is a published test key/);
    for (const args of [tbs, sign]) await p.ok([...args, "--allow-test-key", "rfc8032-test-1"]);
  }, 120_000);

  it("takes the description, and gives the file, through pipes; a name drives no terminal", async () => {
    const p = place({ ...board(), name: "b\u001b[2Jx\u202e" });
    const made = await p.ok(["trust", "create", "--from", "-", "--json"], { input: p.get("board.json") });
    const file = Buffer.from(made.json["data"] as string, "base64");
    p.put("piped.trust", file);
    const shown = await p.ok(["trust", "show", "-"], { input: file });
    expect(shown.stdout).toContain("b\\u{1b}[2Jx\\u{202e}");
    expectHarmless(shown.stdout.replaceAll("\n", ""));
    await p.ok(["trust", "sign", "piped.trust", "--key", "r1.pem", "--key", "r2.pem", "--out", "done.trust"]);
    expect(p.get("piped.trust")).toEqual(file);
    for (const format of ["js", "h"]) {
      const r = await p.ok(["trust", "export", "done.trust", ...ROOTS, "--format", format]);
      expect(r.stdout.split("\n")[0]).toMatch(/Trust file b\?\[2Jx\?|Trust file b\??\?2Jx\?/);
    }
  });
});
