// Thresholds for families of algorithms: from the description to what a device refuses, and the messages.

import { encodeTrust, type PrivateKey, privateKey, publicOf, signer, signTrustWithoutLog } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, type Place } from "../../../test-support/src/command-line/run.js";
import { place as trustPlace } from "./trust-place.js";

const key = (alg: "ed25519" | "es256", n: number): PrivateKey =>
  privateKey(alg, new TextEncoder().encode(`families, ${n}`.padEnd(32, ".")));
const KEYS = { e1: key("ed25519", 1), e2: key("ed25519", 2), p1: key("es256", 3), re: key("ed25519", 4), rp: key("es256", 5) };
const BOTH = [
  { algorithms: ["ed25519"], threshold: 1 },
  { algorithms: ["es256"], threshold: 1 },
];

const description = (more: object = {}) => ({
  $schema: "urn:firmseal:trust:1",
  name: "board",
  sequence: 1,
  anchors: [
    { key: "e1.jwk", roles: ["root"] },
    { key: "e2.jwk", roles: ["root"] },
    { key: "p1.jwk", roles: ["root"] },
    { key: "re.jwk", roles: ["release"] },
    { key: "rp.jwk", roles: ["release"] },
  ],
  thresholds: { root: 2, release: 1 },
  families: { root: BOTH, release: BOTH },
  ...more,
});

const place = (d: object = description()): Place => trustPlace(d, KEYS);

const ROOTS = ["--root", "e1.jwk", "--root", "p1.jwk"];

describe("families of algorithms", () => {
  it("must all have signed the list, and a release", async () => {
    const p = place();
    await p.ok(["trust", "create", "--from", "board.json"]);
    const one = await p.ok(["trust", "sign", "board.trust", "--key", "e1.pem", "--key", "e2.pem"]);
    expect(one.stderr).toContain("signed by 2 roots (needed: 2, and of each family: 2 of 1 ed25519, 0 of 1 es256)");
    const early = await p.run(["trust", "verify", "board.trust", "--root", "e1.jwk", "--json"]);
    expect(early.json).toMatchObject({ ok: false, code: errors.TRUST_SIGNERS });
    await p.ok(["trust", "sign", "board.trust", "--key", "p1.pem"]);
    await p.ok(["trust", "verify", "board.trust", ...ROOTS]);

    const shown = await p.ok(["trust", "show", "board.trust"]);
    expect(shown.stdout).toContain("root      of each family: 1 of ed25519, 1 of es256\n");
    expect(shown.stdout).toContain("release   of each family: 1 of ed25519, 1 of es256\n");
    expect((await p.ok(["trust", "show", "board.trust", "--json"])).json).toMatchObject({
      families: {
        root: [
          { algorithms: ["ed25519"], needed: 1 },
          { algorithms: ["es256"], needed: 1 },
        ],
      },
      roots: { signed: 3, needed: 2, families: [{ signed: 2 }, { signed: 1 }] },
    });

    const sign = ["sign", "fw.bin", ...FACTS, "--seq", "7", "--key", "re.pem"];
    await p.ok([...sign, "--out", "half.suit"]);
    const half = await p.run(["verify", "half.suit", "--trust", "board.trust", ...ROOTS, "--json"]);
    expect(half.json).toMatchObject({ ok: false, code: errors.SIGNATURE_FAMILY, reason: "SIGNATURE_FAMILY" });
    expect(expectFailure(await p.run(["verify", "half.suit", "--trust", "board.trust", ...ROOTS]), 1)).toContain("family of algorithms");
    await p.ok(["sign", "half.suit", "--key", "rp.pem"]);
    await p.ok(["verify", "half.suit", "--trust", "board.trust", ...ROOTS]);
    const bridge = [
      "rotate",
      "bridge",
      "fw.bin",
      "--trust",
      "board.trust",
      "--next-trust",
      "board.trust",
      ...FACTS,
      "--seq",
      "8",
      "--out",
      "b.suit",
    ];
    expect((await p.run([...bridge, "--key", "re.pem", "--json"])).json).toMatchObject({ ok: false, reason: "SIGNATURE_FAMILY" });
    await p.ok([...bridge, "--key", "re.pem", "--key", "rp.pem"]);
  });

  it("are named where they change, in red where they fall", async () => {
    const p = place();
    await p.ok(["trust", "create", "--from", "board.json"]);
    await p.ok(["trust", "sign", "board.trust", "--key", "e1.pem", "--key", "p1.pem"]);
    const { sequence: _, ...rest } = description({ families: { root: [BOTH[0]] } });
    p.put("next.json", JSON.stringify(rest));
    await p.ok(["trust", "create", "--from", "next.json", "--previous-trust", "board.trust"]);
    const r = await p.ok(["trust", "diff", "board.trust", "next.trust", "--json"]);
    expect(r.json["changes"]).toMatchObject([
      {
        what: "families",
        role: "root",
        lowered: true,
        words: "role root: of each family, 1 of ed25519 needed, before 1 of ed25519, 1 of es256: LOWERED, fewer stolen keys are enough",
      },
      { what: "families", role: "release", after: null, lowered: true },
      { what: "sequence" },
    ]);
    // which key is lost matters: each family had one to itself
    expect(r.json["roles"]).toMatchObject([
      { role: "root", margin: 1, before: 0 },
      { role: "release", margin: 1, before: 0 },
    ]);
    expect(r.json["warnings"]).toEqual([
      "role root: a family of algorithms needs fewer keys: a thief needs fewer keys",
      "role release: a family of algorithms needs fewer keys: a thief needs fewer keys",
    ]);
    // without a root of the family that is to go, the list does not become one
    const two = await p.ok(["trust", "sign", "next.trust", "--previous-trust", "board.trust", "--key", "e1.pem", "--key", "e2.pem"]);
    expect(two.stderr).toContain("0 of 1 es256) of the previous file");
    expect((await p.run(["trust", "verify", "next.trust", "--previous-trust", "board.trust", "--json"])).json).toMatchObject({
      code: errors.TRUST_PREVIOUS,
    });
    // the other way round, more is needed than before
    const back = await p.ok(["trust", "diff", "next.trust", "board.trust", "--json"]);
    expect((back.json["changes"] as { lowered: boolean }[]).map(({ lowered }) => lowered)).toEqual([false, false, false]);
  });

  it("cannot be exported as keys, and are kept when a key is retired", async () => {
    const p = place();
    await p.ok(["trust", "create", "--from", "board.json"]);
    await p.ok(["trust", "sign", "board.trust", "--key", "e1.pem", "--key", "p1.pem"]);
    const r = await p.run(["trust", "export", "board.trust", ...ROOTS, "--role", "release"]);
    expect(expectFailure(r, 2)).toContain("families of algorithms, which a list of keys cannot express");
    await p.ok(["trust", "export", "board.trust", ...ROOTS, "--out", "board.js"]);
    const cohort = { name: "all", devices: 1, trust: "board.trust", vendor: "example.com", class: "board-v2", floor: 0 };
    p.put("fleet.json", JSON.stringify({ cohorts: [cohort] }));
    const retire = ["rotate", "retire", "e2.jwk", "--trust", "board.trust", "--fleet", "fleet.json", "--out", "next.trust"];
    const few = await p.run([...retire, "--key", "e1.pem", "--key", "e2.pem", "--json"]);
    expect(few.json).toMatchObject({ ok: false, reason: "TRUST_PREVIOUS" });
    await p.ok([...retire, "--key", "e1.pem", "--key", "p1.pem"]);
    expect((await p.ok(["trust", "show", "next.trust", "--json"])).json).toMatchObject({ families: { root: [{}, {}], release: [{}, {}] } });
  });

  it("keep a signature that only they need when copies are merged", async () => {
    const p = place();
    const ed = Array.from({ length: 8 }, (_, i) => key("ed25519", 100 + i));
    const anchors = [...ed, KEYS.p1].map((k) => ({ key: publicOf(k), roles: ["root" as const] }));
    const list = {
      name: "many",
      sequence: 1n,
      anchors: [...anchors, { key: publicOf(KEYS.re), roles: ["release" as const] }],
      thresholds: { root: 2, release: 1 },
      families: { root: [{ algorithms: ["es256" as const], threshold: 1 }] },
    };
    const unsigned = encodeTrust(list);
    p.put("eight.trust", await signTrustWithoutLog(unsigned, ed.map(signer)));
    p.put("ninth.trust", await signTrustWithoutLog(unsigned, [signer(KEYS.p1)]));
    await p.ok(["trust", "merge", "eight.trust", "ninth.trust"]);
    expect((await p.ok(["trust", "show", "eight.trust", "--json"])).json).toMatchObject({
      signatures: 8,
      roots: { families: [{ algorithms: ["es256"], signed: 1, needed: 1 }] },
    });
  });

  it.each([
    [
      "more keys than there are",
      { root: [{ algorithms: ["es256"], threshold: 2 }] },
      /\/families\/root\/0 needs 2 of the keys of the role root, and 1/,
    ],
    [
      "an algorithm twice",
      { root: [BOTH[0], { algorithms: ["es256", "ed25519"], threshold: 1 }] },
      /\/families\/root\/1 has an algorithm of a family before/,
    ],
    ["an algorithm that no device verifies", { root: [{ algorithms: ["ml-dsa-65"], threshold: 1 }] }, /\/families\/root\/0\/algorithms\/0/],
    ["no family", { root: [] }, /\/families\/root/],
    ["a threshold of 0", { root: [{ algorithms: ["es256"], threshold: 0 }] }, /\/families\/root\/0\/threshold/],
    ["a role without keys", { debug: [BOTH[0]] }, /\/families\/debug\/0 needs 1 of the keys of the role debug, and 0/],
  ])("are refused in a description with %s", async (_, families, message) => {
    const p = place(description({ families }));
    const before = p.tree();
    expect(expectFailure(await p.run(["trust", "create", "--from", "board.json"]), 1)).toMatch(message);
    expect(p.tree()).toEqual(before);
  });
});
