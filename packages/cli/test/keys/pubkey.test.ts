// firmseal pubkey: the public half, in each format.

import { fromCose, fromJwk, fromRaw, publicOf, signer, thumbprint, toJwk } from "@firmseal/signer";
import { anchor } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, keyA, keyB } from "../../../test-support/src/command-line/run.js";
import { ONE, place, TWO } from "../all/command-place.js";

describe("pubkey", () => {
  for (const [name, key] of [
    ["A", keyA],
    ["B", keyB],
  ] as const) {
    it(`${key.alg}: each format, from private and public, and back as --key`, async () => {
      const p = place();
      await p.ok(["sign", "fw.bin", "--key", `${name}.pem`, ...FACTS, "--seq", "1", "--out", "mine.suit"]);
      for (const format of ["pem", "jwk", "cose", "raw"] as const) {
        const r = await p.ok(["pubkey", `${name}.pem`, "--format", format]);
        expect(r.stderr).toBe(`thumbprint ${toHex(thumbprint(key))}\n`);
        expect(Buffer.from(toHex(key.secret), "hex").equals(r.bytes)).toBe(false);
        p.put("pub", r.bytes);
        if (format === "cose") expect(fromCose(Uint8Array.from(r.bytes))).toEqual(publicOf(key));
        if (format === "raw") expect(fromRaw(Uint8Array.from(r.bytes))).toEqual(publicOf(key));
        if (format === "jwk") expect(fromJwk(JSON.parse(r.stdout))).toEqual(publicOf(key));
        await p.ok(["verify", "mine.suit", "--key", "pub"]);
        expect((await p.ok(["pubkey", "-", "--format", format], { input: r.bytes })).bytes.equals(r.bytes)).toBe(true);
      }
      expect((await p.ok(["pubkey", `${name}.pem`])).stdout).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    });
  }

  it("js and h are for embedding, and are not keys", async () => {
    const p = place();
    const js = await p.ok(["pubkey", "A.pem", "--format", "js"]);
    expect(js.stdout).toContain(`key: [${keyA.key.join(", ")}]`);
    const h = await p.ok(["pubkey", "B.jwk", "--format", "h"]);
    expect(h.stdout).toContain("static const unsigned char firmseal_key[65]");
    for (const r of [js, h]) {
      p.put("pub", r.bytes);
      expectFailure(await p.run(["verify", "fw.suit", "--key", "pub"]), 2);
    }
  });

  it("--table adds a table of the requested size and form", async () => {
    const p = place();
    const read = (text: string) => new Function(`${text}; return firmsealKey;`)();
    for (const [size, n] of [
      ["1k", 1008],
      ["2k", 2016],
      ["4k", 4032],
      ["8k", 8064],
    ] as const) {
      const text = (await p.ok(["pubkey", "A.pem", "--table", "--table-size", size])).stdout;
      expect(text).toMatch(/^[ -~\n]*$/);
      const key = read(text);
      expect(key.alg).toBe("ed25519");
      expect(key.key.key).toEqual([...keyA.key]);
      expect(key.key.table).toHaveLength(n);
      const numbers = read((await p.ok(["pubkey", "A.pem", "--table", "--format", "js", "--table-size", size, "--table-numbers"])).stdout);
      expect(numbers.key.table).toHaveLength(n / 7);
      const { alg } = anchor("ed25519", key.key);
      const signature = await signer(keyA).sign(Uint8Array.of(1, 2));
      for (const one of [key.key, numbers.key]) {
        expect(alg.verify(one, [1, 2], signature, {})).toBe(true);
        expect(alg.verify(one, [1, 3], signature, {})).toBe(false);
        expect(alg.verify({ ...one, digest: one.digest.with(0, one.digest[0] ^ 1) }, [1, 2], signature, {})).toBe(false);
      }
    }
    expect(read((await p.ok(["pubkey", "A.pem", "--table"])).stdout).key.table).toHaveLength(2016);
    expectFailure(await p.run(["pubkey", "B.pem", "--table"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table", "--format", "pem"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table", "--table-size", "3k"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table-size", "2k"]), 2);
    expectFailure(await p.run(["pubkey", "A.pem", "--table-numbers"]), 2);
  });

  it("--json holds the data", async () => {
    const p = place();
    expect((await p.ok(["pubkey", "A.pem", "--format", "raw", "--json"])).json).toMatchObject({
      ok: true,
      code: 0,
      alg: "ed25519",
      format: "raw",
      data: Buffer.from(keyA.key).toString("base64"),
    });
    const jwk = (await p.ok(["pubkey", "B.pem", "--format", "jwk", "--json"])).json;
    expect(JSON.parse(jwk["data"] as string)).toEqual(toJwk(keyB));
  });

  it("an encrypted key needs its passphrase", async () => {
    const p = place();
    await p.ok(["pubkey", "one.pem", "--passphrase-env", "P"], { env: { P: ONE } });
    expectFailure(await p.run(["pubkey", "one.pem"]), 3);
    expect(expectFailure(await p.run(["pubkey", "one.pem", "--passphrase-env", "P"], { env: { P: TWO } }), 3)).toContain(
      "wrong passphrase",
    );
  });
});
