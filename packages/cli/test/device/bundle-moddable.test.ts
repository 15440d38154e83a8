import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { encode, parseUuid, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { anchor, boot, errors, install } from "@firmseal/verifier";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { image, Place } from "../../../test-support/src/command-line/run.js";

// The way of docs/guides/moddable.md: examples/moddable/ over simulated partitions, on XS and on Node.
const path = process.env["XST"];
const EXAMPLES = new URL("../../../../examples/moddable/", import.meta.url).href;
const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
const CLASS = "7ef25e26-57d5-563d-bec7-161eb72060bb";
const why = path ? "" : " (skipped: set XST, node scripts/xst.mjs makes one)";

async function script(p: Place): Promise<string> {
  const releases: object[] = [];
  await p.ok(["keygen", "--out", "k.pem", "--no-passphrase"]);
  const facts = ["--vendor", "example.com", "--class", "board-v2", "--uri", "https://example.com/app.bin", "--key", "k.pem"];
  for (const [i, length] of [3000, 3502, 41].entries()) {
    p.put("app.bin", image(length, i));
    await p.ok(["sign", "app.bin", ...facts, "--seq", String(i + 1), "--out", `${i}.suit`]);
    releases.push({ envelope: [...p.get(`${i}.suit`)], image: [...p.get("app.bin")] });
  }
  const key = (await p.ok(["pubkey", "k.pem", "--format", "js"])).stdout;
  await p.ok(["bundle", "--alg", "ed25519", "--features", "install", "--format", "script", "--out", "firmseal.js"]);
  const entry = fileURLToPath(new URL("../../../../examples/moddable/try.js", import.meta.url));
  const made = await build({ entryPoints: [entry], bundle: true, write: false, format: "iife", logLevel: "error" });
  return `${p.get("firmseal.js")}\n${key}\nvar RELEASES = ${JSON.stringify(releases)};\n${made.outputFiles[0]?.text}`;
}

/** What try.js says, with the number of its cuts. */
function check(said: string): void {
  for (const name of ["firmware", "mod"]) {
    expect(said).toContain(`${name}: install 0, start 0\n${name}: the second 0, start 0\n`);
    expect(said).toContain(`${name}: the first again ${errors.ROLLBACK}\n`);
    expect(said).toContain(`${name}: changed ${errors.IMAGE_MISMATCH}, floor 2\n`);
    expect(said).toContain(`${name}: the third 0, start 0\n`);
    const [, cuts, old, fresh, neither, wrong] =
      said.match(new RegExp(`^${name}: (\\d+) cuts: old (\\d+), new (\\d+), neither (\\d+), wrong (\\d+)$`, "m"))?.map(Number) ?? [];
    expect(cuts).toBeGreaterThan(12);
    expect([Number(old) > 0, Number(fresh) > 0, Number(neither) > 0, wrong]).toEqual([true, true, name === "mod", 0]);
  }
}

describe("devices for the Moddable SDK, over simulated partitions", () => {
  const p = new Place();
  const said: string[] = [];

  it("install firmware and mods, and survive every cut", async () => {
    p.put("try.js", await script(p));
    vm.runInNewContext(p.get("try.js").toString(), { print: (line: string) => said.push(line) });
    check(`${said.join("\n")}\n`);
    const page = readFileSync(new URL("../../../../docs/guides/moddable.md", import.meta.url), "utf8");
    expect(page).toContain(`\`\`\`text said\n${said.slice(0, 5).join("\n")}\n\`\`\`\n`);
  }, 180_000);

  it.each(["updateDevice", "modDevice"])("keep the image if a release writes none: %s", async (name) => {
    const [{ [name]: make }, { simulated }] = await Promise.all(["device", "simulated"].map((file) => import(`${EXAMPLES}${file}.js`)));
    const key = privateKey("ed25519", new Uint8Array(32).fill(7));
    const trust = { anchors: [anchor(key.alg, key.key)] };
    const device = { vendor: VENDOR, class: CLASS };
    const payload = image(3000, 1);
    const facts = { ...device, digest: createHash("sha256").update(payload).digest("hex"), size: payload.length };
    const first = singleImage({ ...facts, sequence: 1, uri: "#app", payload });
    const { payloads: _, ...second } = singleImage({ ...facts, sequence: 2, uri: "#app", payload });
    const board = simulated({ ota0: 8192, ota1: 8192, xs: 8192 });
    let started = 0;
    const identity = { vendor: [parseUuid(VENDOR)], class: [parseUuid(CLASS)] };
    const opened = () => make({ ...board, identity, invoke: () => ++started > 0 });
    const sign = (description: object) => signEnvelopeWithoutLog(encode(description as typeof first), [signer(key)]);
    install(await sign(first), trust, opened()).next();
    install(await sign({ ...second, install: ["condition-image-match"] }), trust, opened()).next();
    const after = opened();
    expect(after.floor()).toEqual([0, 2]);
    boot(after.envelope(), trust, after).next();
    expect(started).toBe(1);
  });

  it.skipIf(!path)(
    `say the same on XS${why}`,
    () => {
      const r = spawnSync(resolve(path as string), [p.at("try.js")], { encoding: "utf8", timeout: 120_000 });
      expect({ stderr: r.stderr, stdout: r.stdout }).toEqual({ stderr: "", stdout: `${said.join("\n")}\n` });
    },
    180_000,
  );
});
