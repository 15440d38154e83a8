// The signatures in release.json: what each key that signs the boards says about the release as a whole.

import { createHash, createPublicKey, verify } from "node:crypto";
import { rmSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../../test-support/src/bytes.js";
import { logEntries, type Place, words } from "../../../../test-support/src/command-line/run.js";
import { copyOf, forge, refusal, released, twoBoards, world } from "../product-place.js";

const FOLDER = "dist/1.0.0";

const PRODUCT = twoBoards(`[keys]
release = "A.pem"

[trust]
keys = ["A.jwk"]
`);

/** A byte string of CBOR. */
const bytes = (content: Buffer): Buffer => {
  const length = content.length < 24 ? [0x40 + content.length] : [0x58, content.length];
  return Buffer.from([...length, ...content]);
};

/** Canonical JSON (RFC 8785) of what has no fractions: written again here, by its rules. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const object = value as { [name: string]: unknown };
  return `{${Object.keys(object)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(object[name])}`)
    .join()}}`;
}

interface Written {
  created?: string;
  missing: unknown;
  signatures: { boards: string[]; cose: string }[];
  artifacts: { [member: string]: unknown }[];
}

/** What docs/reference/product.md says that a signature covers. */
function covered(record: Written, boards: string[]): Buffer {
  const { created: _c, missing: _m, signatures: _s, artifacts, ...rest } = structuredClone(record);
  const own = artifacts.filter((one) => boards.includes(one["board"] as string));
  for (const one of own)
    for (const name of ["signers", "testKeys", ...(one["kind"] === "envelope" ? ["digest", "size"] : [])]) delete one[name];
  return Buffer.from(canonical({ ...rest, artifacts: own }));
}

const recordOf = (p: Place): Written => JSON.parse(p.get(`${FOLDER}/release.json`).toString());

let made: Place;
beforeAll(async () => {
  made = world(PRODUCT);
  await released(made, "1.0.0", "--first");
});

describe("the record of a release", () => {
  it("has a COSE_Sign1 of each key, which OpenSSL verifies", () => {
    const record = recordOf(made);
    expect(record.signatures.map(({ boards }) => boards)).toEqual([["pixl", "puck"]]);
    const [one] = record.signatures as [Written["signatures"][number]];
    const cose = Buffer.from(one.cose, "base64");
    // tag 18, four items: {1: alg}, {}, nil, and a signature of 64 bytes
    const bucket = cose.subarray(3, 3 + (cose[2] as number) - 0x40);
    const rest = cose.subarray(3 + bucket.length);
    expect([cose[0], cose[1], rest[0], rest[1], rest[2], rest[3]]).toEqual([0xd2, 0x84, 0xa0, 0xf6, 0x58, 64]);
    const statement = covered(record, one.boards);
    const message = Buffer.concat([
      Buffer.from("\x84\x6aSignature1", "latin1"),
      bytes(bucket),
      bytes(Buffer.from("firmseal.record")),
      // a SUIT_Digest: SHA-256 is -16
      bytes(Buffer.concat([Buffer.from([0x82, 0x2f, 0x58, 32]), createHash("sha256").update(statement).digest()])),
    ]);
    const key = createPublicKey({ key: JSON.parse(made.get("A.jwk").toString()), format: "jwk" });
    expect(verify(null, message, key, rest.subarray(4))).toBe(true);
    // the entry in the log is that of the signed bytes, and uses no number
    const entry = logEntries(made).at(-1);
    expect(entry).toMatchObject({
      operation: "record",
      version: "1.0.0",
      digest: `sha-256:${sha256Hex(statement)}`,
      tbs: sha256Hex(message),
    });
    expect(message).toHaveLength(70);
    expect([entry?.sequence, entry?.scope]).toEqual([undefined, undefined]);
  });

  it("is found to be changed where envelopes do not show it", async () => {
    const dropped = copyOf(made);
    rmSync(dropped.at(`${FOLDER}/gateway-puck-1.0.0.suit`));
    forge(dropped, (r) => {
      r.artifacts = r.artifacts.filter((one) => one["board"] !== "puck");
    });
    expect(refusal(await dropped.run(["verify", FOLDER]), 1)).toMatch(
      /release\.json was changed, or is not signed by ed25519 \S+, who signed board pixl$/,
    );
    // as if the other board had never been signed with it
    forge(dropped, (r) => {
      for (const one of r["signatures"] as Written["signatures"]) one.boards = ["pixl"];
    });
    expect(refusal(await dropped.run(["verify", FOLDER]), 1)).toContain("release.json was changed");
  });

  it.each<[string, (signatures: Written["signatures"]) => Written["signatures"], string]>([
    ["none", () => [], "is not signed by ed25519"],
    ["a changed one", ([one]) => [{ ...one, cose: `${one?.cose.slice(0, -8)}AAAAAAA=` } as never], "is not signed by ed25519"],
    ["one for a board alone", ([one]) => [{ ...one, boards: ["puck"] } as never], "is not signed by ed25519"],
    ["very many", ([one]) => Array(9).fill({ ...one, boards: ["puck"] }), "has more than 8 signatures of a board"],
    [
      "very many for boards that are not there",
      ([one]) => Array.from({ length: 9 }, (_, i) => ({ ...one, boards: [`b${i}`] }) as never),
      "has more than 8 signatures of a board",
    ],
    ["one that is not COSE", () => [{ boards: ["pixl", "puck"], cose: "AAAA" }], "has a signature that is not one"],
    [
      "one with bits beyond the last byte",
      ([one]) => [{ ...one, cose: one?.cose.replace(/.=$/, "B=") } as never],
      "has a signature that is not one",
    ],
    ["one with its payload", ([one]) => [{ ...one, cose: one?.cose.replace(/oPZY/, "oEBY") } as never], "has a signature that is not one"],
  ])("with these signatures is refused by verify and by the next signer: %s", async (_, change, said) => {
    const p = copyOf(made);
    const before = recordOf(p).signatures;
    forge(p, (r) => {
      r["signatures"] = change(before);
    });
    expect(recordOf(p).signatures).not.toEqual(before);
    expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain(said);
    const entries = logEntries(p);
    for (const args of [
      ["sign", FOLDER, "--key", "A.pem"],
      ["release", "--version", "1.0.0"],
    ])
      expect(refusal(await p.run(args), 1)).toContain("release.json");
    expect(logEntries(p)).toEqual(entries);
  });

  it("has each member once: another reader would take the other one", async () => {
    const text = made.get(`${FOLDER}/release.json`).toString();
    for (const more of ['"version": "6.6.6",', '"__proto__": {},', '"artifacts": [],']) {
      const p = copyOf(made);
      p.put(`${FOLDER}/release.json`, text.replace("{", `{ ${more}`));
      const sums = p.get(`${FOLDER}/SHA256SUMS`).toString();
      p.put(`${FOLDER}/SHA256SUMS`, sums.replace(sha256Hex(Buffer.from(text)), sha256Hex(p.get(`${FOLDER}/release.json`))));
      expect(refusal(await p.run(["verify", FOLDER]), 1)).toContain("release.json is not the record of a release");
    }
  });

  it("says what it takes of a one-time key before that is spent", async () => {
    const p = world(PRODUCT.replace("A.pem", "H.pem").replace("A.jwk", "H.pub"));
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/4", "--out", "H.pem", "--no-passphrase"]);
    p.put("H.pub", (await p.ok(["pubkey", "H.pem"])).stdout);
    const r = await released(p, "1.0.0", "--first");
    expect(words(r).join("\n")).toContain("H.pem: this takes 3 one-time leaves: one for each board, and one for release.json");
    expect(logEntries(p, "H.pem.log").map(({ operation, leaf }) => [operation, leaf])).toEqual([
      ["release", "0"],
      ["release", "1"],
      ["record", "2"],
    ]);
    await p.ok(["verify", FOLDER]);
    // two leaves would be spent before the third is missed
    await p.ok(["hss", "skip", "H.pem", "--to", "30"]);
    expect(words(await p.run(["release", "--version", "1.1.0"])).join("\n")).toContain("one for release.json; 2 are left");
    expect(logEntries(p, "H.pem.log")).toHaveLength(3);
    expect((await p.ok(["hss", "status", "H.pem", "--json"])).json).toMatchObject({ left: "2" });
  });

  it("says so for a micro board too, before a leaf is spent, and takes as many", async () => {
    const boards = '[boards.lamp]\nimage = "app.js"\nuri = "https://fw.example.com/{version}.js"\nfor = "micro"\n';
    const p = world(`name = "gateway"\nvendor = "example.com"\n\n[keys]\nrelease = "H.pem"\n\n[trust]\nkeys = ["H.pub"]\n\n${boards}`);
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/4", "--out", "H.pem", "--no-passphrase"]);
    const left = async () => (await p.ok(["hss", "status", "H.pem", "--json"])).json["left"];
    const { stderr } = await released(p, "1.0.0", "--first");
    const said = stderr.indexOf("H.pem: this takes 2 one-time leaves: one for each board, and one for release.json\n");
    expect(said).toBeGreaterThan(0);
    expect(stderr.indexOf("lamp: signed, ")).toBeGreaterThan(said);
    expect(logEntries(p, "H.pem.log").map(({ operation, leaf }) => [operation, leaf])).toEqual([
      ["release", "0"],
      ["record", "1"],
    ]);
    expect(await left()).toBe("30");
    await p.ok(["verify", FOLDER]);
    await p.ok(["hss", "skip", "H.pem", "--to", "31"]);
    const before = p.tree();
    const r = await p.run(["release", "--version", "1.1.0"]);
    expect(r.stderr).toContain("firmseal: H.pem: this takes 2 one-time leaves: one for each board, and one for release.json; 1 is left\n");
    expect(r.exit).toBe(1);
    expect(p.tree()).toEqual(before);
    expect(await left()).toBe("1");
  });
});
