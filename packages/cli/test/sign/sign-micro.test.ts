// For micro verifiers: --for micro, and bundle --micro.

import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, image } from "../../../test-support/src/command-line/run.js";
import { description, ONE, place } from "../all/command-place.js";

describe("--for micro", () => {
  it("changes nothing in what sign IMAGE writes: it is the template, also with a URI and with a second key", async () => {
    const p = place();
    const args = ["sign", "fw.bin", "--key", "A.pem", ...FACTS];
    await p.ok([...args, "--seq", "7", "--out", "a.suit"]);
    await p.ok([...args, "--seq", "7", "--out", "b.suit", "--for", "micro"]);
    expect(p.get("b.suit").equals(p.get("a.suit"))).toBe(true);
    await p.ok([
      ...args,
      "--seq",
      "18446744073709551614",
      "--uri",
      "https://example.com/fw",
      "--out",
      "c.suit",
      "--for",
      "micro",
      "--allow-sequence-jump",
    ]);
    await p.ok(["sign", "a.suit", "--key", "B.pem", "--for", "micro"]);
    for (const name of ["a.suit", "b.suit", "c.suit"]) {
      const r = await p.ok(["verify", name, "--key", "A.jwk", "--for", "micro", "--without-payloads"]);
      expect(r.stderr).toContain(`${name}: good`);
    }
  });

  it("refuses what is not the template before a key signs, names the first byte that differs, and says what to change", async () => {
    const p = place();
    p.put("text.json", description({ text: { en: { "manifest-description": "a text" } } }));
    const before = p.tree();
    const r = await p.run(["sign", "text.json", "--key", "A.pem", "--out", "text.suit", "--for", "micro"]);
    expect(expectFailure(r, 1)).toMatch(/not for a micro verifier: byte \d+ is [0-9a-f]{2}, where firmseal-single-1 has /);
    expect(p.tree()).toEqual(before);
    const json = (await p.run(["sign", "text.json", "--key", "A.pem", "--out", "text.suit", "--for", "micro", "--json"])).json;
    expect(json).toMatchObject({ ok: false, code: 130, reason: "TEMPLATE_MISMATCH" });
    // the general verifier has no objection
    await p.ok(["sign", "text.json", "--key", "A.pem", "--out", "text.suit"]);
    await p.ok(["verify", "text.suit", "--key", "A.jwk"]);
    const refused = await p.run(["verify", "text.suit", "--key", "A.jwk", "--for", "micro"]);
    expect(expectFailure(refused, 1)).toMatch(/byte \d+ is [0-9a-f]{2}, where firmseal-single-1 has /);
  });

  it("refuses a third signature", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "7", "--out", "a.suit", "--for", "micro"]);
    const before = p.tree();
    const r = await p.run(["sign", "a.suit", "--key", "one.pem", "--passphrase-fd", "3", "--for", "micro"], { fds: [ONE] });
    expect(expectFailure(r, 1)).toContain("it would have 3 signatures");
    expect(p.tree()).toEqual(before);
  });
});

describe("bundle --micro", () => {
  it("has install() and boot(), and a device on request", async () => {
    const p = place();
    const sizeOf = async (...args: string[]) =>
      (await p.ok(["bundle", "--micro", "--alg", "hsslms", "--json", "--out", "m.js", ...args])).json;
    const plain = await sizeOf("--host", "sha256", "--form", "espruino");
    expect(plain).toMatchObject({ algs: ["hsslms"], features: [], host: ["sha256"], form: "espruino" });
    const storage = await sizeOf("--host", "sha256", "--form", "espruino", "--device", "storage");
    const own = await sizeOf("--form", "espruino");
    expect(storage["bytes"]).toBeGreaterThan(plain["bytes"] as number);
    expect(own["bytes"]).toBeGreaterThan(plain["bytes"] as number);
    expect(p.get("m.js").length).toBe(own["bytes"]);
    const bootless = await sizeOf("--host", "sha256", "--form", "espruino", "--device", "storage", "--without", "boot");
    expect(bootless).toMatchObject({ without: ["boot"] });
    expect(bootless["bytes"]).toBeLessThan((storage["bytes"] as number) - 300);
    expect(p.get("m.js").toString()).not.toContain(".boot=");
  });

  it.each([
    ["--micro and --features", ["--micro", "--alg", "ed25519", "--features", "trust"]],
    ["--micro and a boot file", ["--micro", "--form", "boot"]],
    ["--host without --micro", ["--alg", "ed25519", "--host", "sha256"]],
    ["--device without --micro", ["--alg", "ed25519", "--device", "flash"]],
    ["an unknown hash", ["--micro", "--alg", "ed25519", "--host", "md5"]],
    ["flashDevice() without boot()", ["--micro", "--alg", "ed25519", "--device", "flash", "--without", "boot"]],
    ["an unknown device", ["--micro", "--alg", "ed25519", "--device", "disk"]],
    ["no algorithm", ["--micro"]],
  ])("refuses %s", async (_, args) => {
    const p = place();
    expectFailure(await p.run(["bundle", ...args, "--out", "m.js"]), 2);
    expect(p.has("m.js")).toBe(false);
  });

  it("an image of a release for it installs on a simulated device", async () => {
    const p = place();
    p.put("small.bin", image(99));
    await p.ok(["sign", "small.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--for", "micro"]);
    const r = await p.ok(["simulate", "small.suit", "--key", "A.jwk", "--device", "flash-micro", "--second-cuts", "1"]);
    expect(r.stderr).toContain("flash-micro");
  });

  it("and on one without boot(), which another device is not", async () => {
    const p = place();
    p.put("small.bin", image(99));
    await p.ok(["sign", "small.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--for", "micro"]);
    const simulate = (...args: string[]) => ["simulate", "small.suit", "--key", "A.jwk", "--second-cuts", "1", ...args];
    const cuts = async (...args: string[]) =>
      (await p.ok(simulate("--device", "storage-micro", "--json", ...args))).json as Record<string, unknown>;
    const [less, all] = [await cuts("--without", "boot"), await cuts()];
    expect(less).toMatchObject({ without: "boot", faultCount: 0 });
    expect(all).not.toHaveProperty("without");
    // it keeps no envelope, and so writes less
    expect(less["cuts"]).toBeLessThan(all["cuts"] as number);
    for (const args of [
      ["--device", "storage", "--without", "boot"],
      ["--device", "storage-micro", "--without", "uri"],
    ])
      expectFailure(await p.run(simulate(...args)), 2);
  });
});

describe("rotate plan", () => {
  /** The vendor and class of FACTS. */
  const where = { vendor: "example.com", class: "board-v2" };
  const plan = async (p: ReturnType<typeof place>, cohort: object, ...releases: string[]) => {
    p.put("fleet.json", JSON.stringify({ cohorts: [{ name: "boards", devices: 9, ...where, floor: 5, ...cohort }] }));
    const steps = releases.flatMap((name) => ["--release", name]);
    return p.run(["rotate", "plan", "--fleet", "fleet.json", ...steps, "--fail-on", "none", "--json"]);
  };

  it("knows what devices with a micro verifier refuse", async () => {
    const p = place();
    p.put("text.json", description({ sequence: 9, text: { en: { "manifest-description": "a text" } } }));
    await p.ok(["sign", "text.json", "--key", "A.pem", "--out", "text.suit"]);
    await p.ok(["sign", "fw.bin", "--key", "A.pem", "--key", "B.pem", ...FACTS, "--seq", "10", "--out", "two.suit"]);
    await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "11", "--out", "other.suit"]);
    const offered = ["fw.suit", "text.suit", "two.suit", "other.suit", "fw.suit"];
    const outcome = async (verifier: string) => {
      const r = await plan(p, { keys: ["A.jwk"], verifier }, ...offered);
      const [cohort] = r.json["cohorts"] as {
        releases: { installed: boolean; addressed: boolean; refused: { reason: string } | null }[];
      }[];
      return cohort?.releases.map((one) => (one.installed ? "installed" : (one.refused?.reason ?? "")));
    };
    const rest = ["installed", "SIGNATURE_NO_ANCHOR", "ROLLBACK"];
    expect(await outcome("general")).toEqual(["installed", "installed", ...rest]);
    expect(await outcome("micro")).toEqual(["installed", "TEMPLATE_MISMATCH", ...rest]);
  });

  it.each([
    ["a trust file", { trust: "t.trust" }, "reads no trust file"],
    ["features", { keys: ["A.jwk"], features: ["install"] }, "has none"],
    ["a threshold of 3", { keys: ["A.jwk", "B.jwk"], threshold: 3 }, "above 2"],
  ])("refuses a cohort of micro verifiers with %s", async (_, more, words) => {
    const p = place();
    const r = await plan(p, { verifier: "micro", ...more }, "fw.suit");
    expect(r.json).toMatchObject({ ok: false, reason: "FLEET", message: expect.stringContaining(words) });
  });
});
