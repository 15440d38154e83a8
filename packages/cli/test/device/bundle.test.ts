// firmseal bundle: which outputs go to stdout. With --micro: what its options combine with, and releases for it on
// simulated devices.

import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, image } from "../../../test-support/src/command-line/run.js";
import { place } from "../all/command-place.js";

describe("bundle --micro", () => {
  it("has install() and boot(), and a device on request", async () => {
    const p = place();
    const sizeOf = async (...args: string[]) =>
      (await p.ok(["bundle", "--micro", "--alg", "hsslms", "--json", "--out", "m.js", ...args])).json;
    const plain = await sizeOf("--host", "sha256", "--format", "espruino");
    expect(plain).toMatchObject({ algs: ["hsslms"], features: [], host: ["sha256"], format: "espruino" });
    const storage = await sizeOf("--host", "sha256", "--format", "espruino", "--device", "storage");
    const own = await sizeOf("--format", "espruino");
    expect(storage["bytes"]).toBeGreaterThan(plain["bytes"] as number);
    expect(own["bytes"]).toBeGreaterThan(plain["bytes"] as number);
    expect(p.get("m.js").length).toBe(own["bytes"]);
    const bootless = await sizeOf("--host", "sha256", "--format", "espruino", "--device", "storage", "--without", "boot");
    expect(bootless).toMatchObject({ without: ["boot"] });
    expect(bootless["bytes"]).toBeLessThan((storage["bytes"] as number) - 300);
    expect(p.get("m.js").toString()).not.toContain(".boot=");
  });

  it.each([
    ["--micro and --features", ["--micro", "--alg", "ed25519", "--features", "trust"]],
    ["--micro and a boot file", ["--micro", "--format", "boot"]],
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

/** Which of the outputs are stdout. The source may be absent. */
const OUTPUTS = ["b.js", "-"].flatMap((out) =>
  [undefined, "s.js", "-"].flatMap((source) =>
    ["k.bin", "-"].flatMap((code) => [false, true].map((json) => ({ out, source, code, json }))),
  ),
);
const fits = ({ out, source, code, json }: (typeof OUTPUTS)[number]) => {
  const others = [source, code].filter((path) => path === "-").length;
  return others === 0 || (others === 1 && out !== "-" && !json);
};

describe("the outputs of bundle", () => {
  const argsOf = ({ out, source, code, json }: (typeof OUTPUTS)[number]) => [
    ...["bundle", "--alg", "es256", "--features", "install,storage", "--format", "espruino", "--target", "puck.js"],
    // stdout is the default
    ...(out === "-" && json ? [] : ["--out", out]),
    ...(source === undefined ? [] : ["--source-out", source]),
    ...["--machine-code-out", code, ...(json ? ["--json"] : [])],
  ];

  it.each(OUTPUTS.filter((one) => !fits(one)))("refuses %j: stdout is already used, and nothing is written", async (one) => {
    const p = place();
    const r = await p.run(argsOf(one));
    const message = `${one.source === "-" ? "--source-out" : "--machine-code-out"} -: stdout is already used`;
    if (one.json) expect(r.json).toMatchObject({ exit: 2, message, hint: "name a file for it" });
    else expect(expectFailure(r, 2)).toContain(message);
    for (const name of ["b.js", "s.js", "k.bin"]) expect(p.has(name)).toBe(false);
  });

  it.each(OUTPUTS.filter(fits))("accepts %j", async (one) => {
    const p = place();
    const r = await p.ok(argsOf(one));
    for (const [path, name] of [
      [one.out, "b.js"],
      [one.source, "s.js"],
      [one.code, "k.bin"],
    ] as const)
      expect(p.has(name)).toBe(path === name);
    if (one.json) expect("data" in (r.json as object)).toBe(one.out === "-");
  });
});
