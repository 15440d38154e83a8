// firmseal trust create, and the other trust commands: what must not come of them.

import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure } from "../../../test-support/src/command-line/run.js";
import { board, type Description, place, ROOTS, refused, release, signed } from "./trust-place.js";

describe.concurrent("firmseal trust", () => {
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
      "a role without a threshold",
      changed((d) => {
        delete d.thresholds["debug"];
      }),
      errors.TRUST_ROLE_EMPTY,
      /thresholds\.debug is missing, but 1 key has the role/,
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
      /cannot be combined/,
    ],
    [
      "a root that signs releases",
      changed((d) => {
        d.anchors[0] = { key: "r1.jwk", roles: ["root", "release"] };
      }),
      errors.TRUST_ROLE,
      /cannot be combined/,
    ],
    ["a key twice", changed((d) => void d.anchors.push({ key: "A.pem", roles: ["release"] })), errors.TRUST_KEY_TWICE, /a key twice/],
    [
      "the negative of a key",
      changed((d) => void d.anchors.push({ key: "A-negative.jwk", roles: ["release"] })),
      errors.TRUST_KEY_TWICE,
      /it lists a key twice: \/anchors\/5 is the key of \/anchors\/2/,
    ],
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
      /\/anchors: at most 16 items allowed/,
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
    ["no sequence number", changed((d) => void delete d["sequence"]), 204, /\/sequence is missing/],
    [
      "a sequence number of 2^64",
      changed((d) => {
        d["sequence"] = "18446744073709551616";
      }),
      204,
      /\/sequence is not below 2\^64/,
    ],
    [
      "half a sequence number",
      changed((d) => {
        d["sequence"] = 1.5;
      }),
      204,
      /\/sequence: the value must be integer or string \(a number below 2\^64/,
    ],
    [
      "a class without its vendor",
      changed((d) => {
        d.anchors[3] = { key: "B.jwk", roles: ["release"], class: "board-v2" };
      }),
      204,
      /\/anchors\/3\/class is a name/,
    ],
    ["a list", [], 204, /the value must be object/],
    ["a text", "board", 204, /the value must be object/],
  ])("refuses %s, with one line and one hint, and writes nothing", async (_, description, code, line) => {
    await refused(place(description), ["trust", "create", "--from", "board.json"], code, line);
  });

  it("refuses bad files, bad use and published keys, and writes nothing", async () => {
    const p = await signed();
    await refused(p, ["trust", "create", "--from", "board.json"], 200, /board\.trust exists already/, 2);
    p.put("secret.pem", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5LWNhbmFyeQ==\n-----END PRIVATE KEY-----\n");
    const quoted = await p.run(["trust", "create", "--from", "secret.pem", "--out", "x.trust"]);
    expect(expectFailure(quoted, 1)).toMatch(/secret\.pem: not JSON \(line 1, column \d+\)/);
    expect(quoted.stderr).not.toContain("Y2FuYXJ5");
    p.put("gone.json", JSON.stringify({ ...board(), anchors: [{ key: "gone.jwk", roles: ["root"] }], thresholds: { root: 1 } }));
    await refused(p, ["trust", "create", "--from", "gone.json"], 201, /gone\.jwk: file not found/, 3);
    // a program is not a file: what a description names is never run
    p.put("run.json", JSON.stringify({ ...board(), anchors: [{ key: "exec:/bin/sh", roles: ["root"] }], thresholds: { root: 1 } }));
    await refused(p, ["trust", "create", "--from", "run.json"], 201, /exec:\/bin\/sh: file not found/, 3);
    for (const by of ["A.pem", "dbg.pem", "r3.pem"])
      await refused(p, ["trust", "sign", "board.trust", "--key", by], errors.TRUST_SIGNERS, /is not a root key of board\.trust/);
    await refused(p, ["trust", "sign", "board.trust", "--key", "r1.pem"], 203, /already signed it/);
    await refused(p, ["trust", "sign", "board.trust", "--key", "r1.jwk"], 200, /is a public key/, 2);
    for (const [out, why] of [
      ["fw.bin", /fw\.bin exists and is not a trust file/],
      ["B.pem", /B\.pem is a private key/],
    ] as const) {
      await refused(p, ["trust", "sign", "board.trust", "--key", "r1.pem", "--out", out], 200, why, 2);
      await refused(p, ["trust", "export", "board.trust", "--format", "bin", "--out", out], 200, why, 2);
    }
    await refused(p, ["trust", "export", "board.trust", "--out", "B.pem"], 200, /B\.pem is not a file name for js/, 2);
    await refused(p, ["trust", "tbs", "board.trust", "--key", "r1.jwk", "--out", "B.pem"], 200, /B\.pem exists already/, 2);
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
    await refused(p, ["trust", "verify", "board.trust", "--root", "r3.jwk"], errors.TRUST_PREVIOUS, /not signed by every key of --root/);
    await refused(p, ["trust", "verify", "board.trust", ...ROOTS, "--previous-trust", "board.trust"], 200, /both given/, 2);
    await release(p, "A.pem", 7, "a.suit");
    await refused(p, ["verify", "a.suit"], 200, /--key and --trust are missing/, 2);
    await refused(p, ["verify", "a.suit", "--key", "A.jwk", "--trust", "board.trust"], 200, /both given/, 2);
    await refused(p, ["verify", "a.suit", "--key", "A.jwk", ...ROOTS], 200, /--trust is not given/, 2);
    await refused(p, ["verify", "a.suit", "--trust", "board.trust", "--threshold", "2"], 200, /--threshold/, 2);
    await refused(p, ["verify", "a.suit", "--trust", "a.suit"], errors.TRUST_NONE, /a\.suit is a SUIT envelope, not a trust file/);
    await refused(
      p,
      ["verify", "board.trust", "--key", "A.jwk"],
      errors.ENVELOPE_NONE,
      /board\.trust is a trust file, not a SUIT envelope/,
    );
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
});
