// firmseal install: the device in a folder.

import { describe, expect, it } from "vitest";
import { DEVICE, expectExit, expectFailure, FACTS, image, type Place, signImage } from "../../../test-support/src/command-line/run.js";
import { description, place, SCHEMA, signed } from "../all/command-place.js";

describe("install", () => {
  const record = (p: Place) =>
    JSON.parse(p.get("dev/device.json").toString()) as {
      floor: string;
      envelope: string;
      components: { [name: string]: { slot: number; size: number } };
    };
  const installed = (p: Place) => {
    const part = record(p).components["00"] as { slot: number; size: number };
    return p.get(`dev/slots/00.${part.slot ? "b" : "a"}`).subarray(0, part.size);
  };

  it("the first use needs an identity, a later one refuses another", async () => {
    const p = place();
    const before = p.tree();
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 3);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--vendor", "example.com"]), 3);
    expect((await p.run(["install", "fw.suit", ...DEVICE, "--json"])).json).toMatchObject({
      ok: false,
      code: 201,
      reason: "ENVIRONMENT",
      exit: 3,
    });
    expect(p.tree()).toEqual(before);
    const r = await p.run(["install", "fw.suit", ...DEVICE, ...FACTS, "--json"]);
    expect(r.json).toMatchObject({
      ok: true,
      code: 0,
      reason: "OK",
      sequence: "7",
      floor: "7",
      components: [{ component: "00", slot: "b", size: 5000 }],
      signers: [{ alg: "ed25519" }],
      testKeys: [],
    });
    expect(record(p)).toMatchObject({ floor: "7" });
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    const after = p.tree();
    const other = [...DEVICE, "--vendor", "example.com", "--class", "another-board"];
    expect(expectFailure(await p.run(["install", "fw.suit", ...other]), 2)).toContain("has another identity");
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--vendor", "example.com"]), 2);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--class", "board-v2"]), 2);
    expect(p.tree()).toEqual(after);
  });

  it("speaks of the device if the image does not match and the release has no payload", async () => {
    const p = place();
    const image = { "image-digest": { hex: "00".repeat(32) }, "image-size": 9 };
    const match = [{ "directive-override-parameters": image }, "condition-image-match"];
    const shared = JSON.parse(description())["shared-sequence"];
    delete shared[0]["directive-override-parameters"].image;
    const all = { "shared-sequence": shared, validate: match, install: match, invoke: ["directive-invoke"] };
    p.put("d.json", JSON.stringify({ $schema: SCHEMA, sequence: 8, components: [[{ hex: "00" }]], ...all }));
    await p.ok(["sign", "d.json", "--key", "A.pem", "--out", "bare.suit"]);
    for (const args of [
      ["install", "bare.suit", ...DEVICE, ...FACTS],
      ["simulate", "bare.suit", "--device", "memory", "--key", "A.jwk", ...FACTS],
    ]) {
      const r = await p.run(args);
      expectFailure(r, 1);
      expect(r.stderr).toContain("hint: the release has no payload, and the device does not have its image");
    }
  });

  it("goes to the other slot, raises the floor, and takes nothing older", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const old = p.get("fw.bin");
    p.put("fw.bin", image(6000, 8));
    await signImage(p, 9, "nine.suit");
    await p.ok(["install", "nine.suit", ...DEVICE]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    expect(p.get("dev/slots/00.b").equals(old)).toBe(true);
    expect(record(p).floor).toBe("9");
    const before = p.tree();
    expect(expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 1)).toContain(
      "sequence number 7 is lower than 9, the lowest that is accepted",
    );
    expect((await p.run(["install", "fw.suit", ...DEVICE, "--json"])).json).toMatchObject({ ok: false, code: 38, reason: "ROLLBACK" });
    expect(p.tree()).toEqual(before);
    // where the number is that of the version, the version is what to raise
    for (const version of ["1.2.0", "1.1.9"]) {
      await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--version", version, "--out", `${version}.suit`]);
      const r = await p.run(["install", `${version}.suit`, ...DEVICE]);
      if (version === "1.2.0") expectExit(r, 0);
      else expect(r.stderr).toContain("hint: get a later release: this one is version 1.1.9\n");
    }
    // the same again is not a rollback
    await p.ok(["install", "1.2.0.suit", ...DEVICE]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
  });

  it("another board, another vendor, another key: nothing changes", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const make = (name: string, vendor: string, cls: string, key = "A.pem") =>
      p.ok(["sign", "fw.bin", "--key", key, "--vendor", vendor, "--class", cls, "--seq", "8", "--out", name]);
    await make("class.suit", "example.com", "board-v3");
    await make("vendor.suit", "example.org", "board-v2");
    await make("key.suit", "example.com", "board-v2", "C.pem");
    const before = p.tree();
    const json = async (name: string, ...more: string[]) => (await p.run(["install", name, ...DEVICE, ...more, "--json"])).json;
    expect(await json("class.suit")).toMatchObject({ ok: false, code: 76, reason: "CLASS_MISMATCH", exit: 1 });
    expect(await json("vendor.suit")).toMatchObject({ ok: false, code: 75, reason: "VENDOR_MISMATCH", exit: 1 });
    expect(await json("key.suit")).toMatchObject({ ok: false, code: 60, exit: 1 });
    expect(await json("fw.suit", "--key", "B.jwk", "--threshold", "2")).toMatchObject({ ok: false, code: 62, exit: 1 });
    expect(p.tree()).toEqual(before);
  });

  it("a changed payload is refused, and what was current stays", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    await signImage(p, 8, "eight.suit");
    const bad = p.get("eight.suit");
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 0x80;
    p.put("eight.suit", bad);
    const before = record(p);
    expect((await p.run(["install", "eight.suit", ...DEVICE, "--json"])).json).toMatchObject({
      ok: false,
      code: 78,
      reason: "IMAGE_MISMATCH",
      exit: 1,
    });
    expect(record(p)).toEqual(before);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    // what failed its check is not left in the other slot
    expect(p.has("dev/slots/00.a")).toBe(false);
  });

  it("a refused first use leaves nothing behind", async () => {
    const p = place();
    const bad = Buffer.from(signed);
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
    p.put("bad.suit", bad);
    p.folder("empty");
    p.folder("full/slots");
    p.put("full/slots/mine", "kept");
    const before = p.tree();
    for (const dir of ["dev", "deep/er/dev", "empty", "full"]) {
      expectFailure(await p.run(["install", "bad.suit", "--dir", dir, "--key", "A.jwk", ...FACTS]), 1);
      expectFailure(await p.run(["install", "fw.suit", "--dir", dir, "--key", "A.jwk", "--vendor", "example.com", "--class", "other"]), 1);
    }
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, "--key", "C.jwk", "--threshold", "2", ...FACTS]), 1);
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS, "--payload", "gone"]), 1);
    expect(p.tree()).toEqual(before);
    await p.ok(["install", "fw.suit", "--dir", "deep/er/dev", "--key", "A.jwk", ...FACTS]);
  });

  it("payloads from outside: FILE, and URI=FILE if there are several", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "http://x/fw", "--out", "o.suit"]);
    expect((await p.run(["install", "o.suit", ...DEVICE, ...FACTS, "--json"])).json).toMatchObject({
      ok: false,
      code: 95,
      reason: "PAYLOAD_ABSENT",
      exit: 1,
    });
    expect(p.has("dev")).toBe(false);
    await p.ok(["install", "o.suit", ...DEVICE, ...FACTS, "--payload", "fw.bin"]);
    expect(installed(p).equals(p.get("fw.bin"))).toBe(true);
    await p.ok(["install", "o.suit", ...DEVICE, "--payload", "http://x/fw=fw.bin"]);
    p.put("other.bin", image(5000, 4));
    expect((await p.run(["install", "o.suit", ...DEVICE, "--payload", "other.bin", "--json"])).json).toMatchObject({ ok: false, code: 78 });
    expect(
      (await p.run(["install", "o.suit", ...DEVICE, "--payload", "http://other=fw.bin", "--payload", "b", "--json"])).json,
    ).toMatchObject({ ok: false, code: 30 });

    // two components, two payloads
    const part = (index: number, uri: string) => [
      { "directive-set-component-index": index },
      { "directive-override-parameters": { uri } },
      "directive-fetch",
      "condition-image-match",
    ];
    const own = (index: number, file: string) => [
      { "directive-set-component-index": index },
      {
        "directive-override-parameters": {
          "vendor-identifier": { domain: "example.com" },
          "class-identifier": { domain: "example.com", name: "board-v2" },
          image: { file },
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ];
    p.put(
      "two.json",
      JSON.stringify({
        $schema: SCHEMA,
        sequence: 2,
        components: [["boot"], ["app"]],
        "shared-sequence": [...own(0, "fw.bin"), ...own(1, "other.bin")],
        validate: [{ "directive-set-component-index": [0, 1] }, "condition-image-match"],
        install: [...part(0, "http://x/boot"), ...part(1, "http://x/app")],
      }),
    );
    await p.ok(["sign", "two.json", "--key", "A.pem"]);
    const both = ["--payload", "http://x/boot=fw.bin", "--payload", "http://x/app=other.bin"];
    await p.ok(["verify", "two.suit", "--key", "A.jwk", ...both]);
    const swapped = ["--payload", "http://x/boot=other.bin", "--payload", "http://x/app=fw.bin"];
    expectFailure(await p.run(["install", "two.suit", ...DEVICE, ...swapped]), 1);
    expectFailure(await p.run(["install", "two.suit", ...DEVICE, both[0] as string, both[1] as string]), 1);
    expect(record(p).floor).toBe("1");
    const json = (await p.run(["install", "two.suit", ...DEVICE, ...both, "--json"])).json as {
      components: { component: string; size: number }[];
    };
    expect(json.components.map((c) => c.component).sort()).toEqual(
      ["00", Buffer.from("app").toString("hex"), Buffer.from("boot").toString("hex")].sort(),
    );
    expect(record(p).floor).toBe("2");
  });

  it("the same identity may be given again", async () => {
    const p = place();
    for (const _ of [1, 2]) expectExit(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS]), 0);
  });

  it("no device is made among other files, nor in place of one", async () => {
    const p = place();
    const before = p.tree();
    for (const [where, says] of [
      [".", "is a folder of other files"],
      ["fw.bin", "is not a folder"],
    ] as const)
      expect(expectFailure(await p.run(["install", "fw.suit", "--dir", where, "--key", "A.jwk", ...FACTS]), 2)).toContain(says);
    expect(p.tree()).toEqual(before);
  });

  it("an identity of a first use that was killed can be given again", async () => {
    const p = place();
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    const half = { ...record(p), floor: "0", envelope: "", components: {} };
    p.put("dev/device.json", JSON.stringify(half));
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    expect(record(p).floor).toBe("7");
    p.put("dev/device.json", JSON.stringify(half));
    await p.ok(["install", "fw.suit", ...DEVICE]);
    expect(record(p).floor).toBe("7");
  });

  it("a device.json with other content", async () => {
    const p = place();
    p.folder("dev");
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"format":"firmseal-device-1","vendor":[],"class":[],"device":[],"floor":"0","capacity":1,"components":{"x":null},"envelope":""}',
    ]) {
      p.put("dev/device.json", text);
      const before = p.tree();
      expect(expectFailure(await p.run(["install", "fw.suit", ...DEVICE]), 3)).toContain("device.json");
      expect(p.tree()).toEqual(before);
    }
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS]), 3);
    p.put("file", "");
    expectFailure(await p.run(["install", "fw.suit", "--dir", "file", "--key", "A.jwk", ...FACTS]), 2);
  });
});
