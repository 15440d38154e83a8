import { writeFileSync } from "node:fs";
import { open } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { expectExit, expectFailure, FACTS, image, signImage } from "../../../test-support/src/command-line/run.js";
import { uf2Blocks, writeElf, writeHex, writeUf2 } from "../../../test-support/src/image-writers.js";
import { description, place, signed, trustA } from "../all/command-place.js";

describe("sign IMAGE", () => {
  it("writes the image's name with .suit beside it", async () => {
    const p = place();
    p.folder("build");
    p.put("build/app.v2.bin", image(321));
    const r = await p.ok(["sign", "build/app.v2.bin", "--key", "A.pem", ...FACTS, "--seq", "7"]);
    expect(r.stdout).toBe("");
    expect(p.has("app.v2.suit")).toBe(false);
    const m = open(Uint8Array.from(p.get("build/app.v2.suit")), trustA);
    expect(m.sequence).toEqual([0, 7]);
    expect(m.payloads.map((x) => [x.uri, x.content.n])).toEqual([["#firmware", 321]]);
    const json = (await p.ok(["sign", "build/app.v2.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--out", "x.suit", "--json"])).json;
    expect(json).toMatchObject({ ok: true, code: 0, out: "x.suit", sequence: "7", bytes: p.get("x.suit").length });
    expect(json["signers"]).toEqual([{ kid: null, alg: "ed25519", thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(p.get("x.suit").equals(p.get("build/app.v2.suit"))).toBe(true);
  });

  it("- is stdin and stdout; with --json, the envelope is in the object", async () => {
    const p = place();
    const args = ["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "7"];
    const input = p.get("fw.bin");
    expect((await p.ok(args, { input })).bytes.equals(signed)).toBe(true);
    expect((await p.ok(["sign", "fw.bin", ...args.slice(2), "--out", "-"])).bytes.equals(signed)).toBe(true);
    const json = (await p.ok([...args, "--json"], { input })).json;
    expect(Buffer.from(json["data"] as string, "base64").equals(signed)).toBe(true);
    await p.ok(["sign", "-", ...args.slice(2), "--out", "named.suit"], { input });
    expect(p.get("named.suit").equals(signed)).toBe(true);
    await p.ok(["verify", "-", "--key", "A.jwk"], { input: signed });
    expect((await p.ok(["sign", "-", "--key", "B.pem"], { input: signed })).bytes.length).toBeGreaterThan(signed.length);
    expectFailure(await p.run(args), 1);
  });

  it("vendor and class as domain and name, or as UUIDs", async () => {
    const p = place();
    const uuids = ["--vendor", "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", "--class", "1492af14-2569-5e48-bf42-9b2d51f2ab45"];
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...uuids, "--seq", "1", "--out", "u.suit"]);
    const shown = (await p.ok(["inspect", "u.suit", "--json"])).stdout;
    expect(shown).toContain(uuids[1]);
    expect(shown).toContain(uuids[3]);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--vendor", "arm.com", "--class", uuids[3] as string, "--seq", "1", "--out", "v.suit"]);
    expect(p.get("v.suit").equals(p.get("u.suit"))).toBe(true);
    const before = p.tree();
    expectFailure(
      await p.run([
        "sign",
        "fw.bin",
        "--key",
        "A.pem",
        "--vendor",
        uuids[1] as string,
        "--class",
        "name",
        "--seq",
        "1",
        "--image-out",
        "i.bin",
        "--out",
        "w.suit",
      ]),
      2,
    );
    expect(p.tree()).toEqual(before);
  });

  it("Intel HEX, UF2 and ELF give the manifest of the raw bytes", async () => {
    const p = place();
    const bytes = image(2048, 5);
    const parts = [{ address: 0x10000000, bytes }];
    p.put("fw.bin", bytes);
    p.put("a.hex", writeHex(parts));
    p.put("a.uf2", writeUf2(uf2Blocks(parts)));
    p.put("a.elf", writeElf({ segments: parts }));
    await signImage(p, 1, "raw.suit");
    for (const name of ["a.hex", "a.uf2", "a.elf"]) {
      const r = await p.ok(["sign", name, "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "x.suit", "--image-out", "flash.bin"]);
      expect(r.stderr).toContain("2,048 bytes from address 0x10000000");
      expect(p.get("x.suit").equals(p.get("raw.suit")), name).toBe(true);
      expect(p.get("flash.bin").equals(Buffer.from(bytes)), name).toBe(true);
      expect(
        (await p.ok(["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "1"], { input: p.get(name) })).bytes.equals(p.get("raw.suit")),
        name,
      ).toBe(true);
    }
    p.put("bad.hex", ":00000001FE\n");
    expectFailure(await p.run(["sign", "bad.hex", "--key", "A.pem", ...FACTS, "--seq", "1"]), 1);
    expect(p.has("bad.suit")).toBe(false);
    // a device fetches the bytes for the flash, so they have to be written somewhere
    expectFailure(await p.run(["sign", "a.hex", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "https://x/fw"]), 2);
    await p.ok(["sign", "a.hex", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "https://x/fw", "--image-out", "flash2.bin"]);
    await p.ok(["verify", "a.suit", "--key", "A.jwk", "--payload", "flash2.bin"]);
    // of a raw image too
    await p.ok([
      "sign",
      "fw.bin",
      "--key",
      "A.pem",
      ...FACTS,
      "--seq",
      "1",
      "--uri",
      "https://x/fw",
      "--image-out",
      "flash3.bin",
      "--out",
      "b.suit",
    ]);
    expect(p.get("flash3.bin").equals(Buffer.from(bytes))).toBe(true);
    expect(p.get("b.suit").equals(p.get("a.suit"))).toBe(true);
  });

  it("--uri keeps the payload outside", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "coap://example.com/fw", "--out", "out.suit"]);
    expect(p.get("out.suit").length).toBeLessThan(500);
    const json = (await p.ok(["verify", "out.suit", "--key", "A.jwk", "--without-payloads", "--json"])).json;
    expect(json).toMatchObject({ payloadsChecked: [], payloadsNotChecked: ["coap://example.com/fw"] });
    // what was not checked is not good
    const unchecked = await p.run(["verify", "out.suit", "--key", "A.jwk", "--json"]);
    expectExit(unchecked, 1);
    expect(unchecked.json).toMatchObject({ ok: false, reason: "PAYLOAD_UNCHECKED", code: 216, exit: 1 });
    expect(unchecked.stderr).toContain(
      "out.suit: signed, but not checked: payload coap://example.com/fw\nhint: put it beside the envelope",
    );
    // a file beside the envelope is found by the last part of the URI
    p.put("fw", p.get("fw.bin"));
    expect((await p.ok(["verify", "out.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({ payloadsNotChecked: [] });
    p.put("fw", "another image");
    expect(expectFailure(await p.run(["verify", "out.suit", "--key", "A.jwk"]), 1)).toContain("coap://example.com/fw");
    await p.ok(["verify", "out.suit", "--key", "A.jwk", "--payload", "fw.bin"]);
    const named = (await p.ok(["verify", "out.suit", "--key", "A.jwk", "--payload", "coap://example.com/fw=fw.bin", "--json"])).json;
    expect(named).toMatchObject({ payloadsChecked: ["coap://example.com/fw"], payloadsNotChecked: [] });
    for (const uri of ["with space", "", "ü", "#firmware"]) {
      expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", uri, "--out", "no.suit"]), 2);
      expect(p.has("no.suit")).toBe(false);
    }
  });

  it("16 MiB travel in the envelope, and one more byte does not", async () => {
    const p = place();
    const most = 16 * 1024 * 1024;
    for (const n of [most, most + 1]) {
      writeFileSync(p.at("big image.bin"), image(n, 3));
      await p.ok(["sign", "big image.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "big.suit"]);
      const m = open(Uint8Array.from(p.get("big.suit")), trustA);
      expect(m.payloads.map((x) => x.uri)).toEqual(n === most ? ["#firmware"] : []);
      // outside the envelope, it is found beside it
      const json = (await p.ok(["verify", "big.suit", "--key", "A.jwk", "--json"])).json;
      expect(json["payloadsChecked"]).toEqual([n === most ? "#firmware" : "big%20image.bin"]);
      if (n > most) await p.ok(["verify", "big.suit", "--key", "A.jwk", "--payload", "big image.bin"]);
    }
  });

  it("sequence numbers up to 2^64 - 1, with a warning if they leave no room, and the last one only if that is allowed", async () => {
    const p = place();
    const last = "18446744073709551615";
    // 1.0.0, and the first number after which no minor version is left
    for (const seq of ["0", "2147483648", "4294967296", "281474976743424", "9007199254740993", "18446744069414584320", last]) {
      const args = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", seq, "--out", "s.suit"];
      if (seq === last) {
        const before = p.tree();
        expect(expectFailure(await p.run(args), 1)).toContain(`sequence number ${last} is the last one`);
        expect(p.tree()).toEqual(before);
      }
      const r = await p.ok([...args, ...(seq === last ? ["--allow-sequence-jump"] : [])]);
      expect(/^warning: .*leaves little room/m.test(r.stderr)).toBe(BigInt(seq) >= 2n ** 64n - 2n ** 32n);
      expect((await p.ok(["verify", "s.suit", "--key", "A.jwk", "--floor", seq, "--json"])).json["sequence"]).toBe(seq);
    }
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.jwk", "--floor", "8"]), 1);
    await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--floor", "6"]);
  });

  it("an envelope or a description accepts no facts about an image", async () => {
    const p = place();
    p.put("d.json", description());
    const before = p.tree();
    for (const option of [
      ["--seq", "9"],
      ["--vendor", "x.org"],
      ["--class", "x"],
      ["--uri", "http://x"],
      ["--image-out", "y"],
    ]) {
      const input = option[0] === "--seq" ? "d.json" : "fw.suit";
      expect(expectFailure(await p.run(["sign", input, "--key", "B.pem", ...option]), 2)).toContain(option[0]);
    }
    for (const without of [
      ["--vendor", "example.com"],
      ["--class", "board-v2"],
      ["--seq", "1"],
    ]) {
      const args = [...FACTS, "--seq", "1"];
      args.splice(args.indexOf(without[0] as string), 2);
      expect(expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...args]), 2)).toContain(without[0]);
    }
    expect(p.tree()).toEqual(before);
  });
});
