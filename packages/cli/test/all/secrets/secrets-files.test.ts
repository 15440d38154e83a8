// An envelope says nothing of the machine that made it, and memory holds no seed of a key that was closed.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { privateKey } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { formatPrivate } from "../../../../keys/src/formats/format.js";
import { readHssFile, unlockHss } from "../../../../keys/src/hss/file.js";
import { DEVICE, FACTS, image, Place, standard, stateOf } from "../../../../test-support/src/command-line/run.js";
import { CANARY } from "./secrets-place.js";

describe.concurrent("an envelope", () => {
  it("contains no name, path or time of the machine that made it", async () => {
    const p = new Place();
    const folder = p.folder("secret-project-folder");
    const q = standard();
    p.put(`${folder}/alice-key-file.pem`, q.get("A.pem"));
    p.put(`${folder}/customer-image.bin`, image(5000));
    const names = [
      "secret-project-folder",
      "alice-key-file",
      "customer-image",
      "description-name",
      ".bin",
      ".pem",
      "/tmp",
      hostname(),
      `/${userInfo().username}/`,
    ];
    const key = ["--key", `${folder}/alice-key-file.pem`];
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 1,
      components: [[{ hex: "00" }]],
      validate: [{ "directive-override-parameters": { image: { payload: "#fw" } } }, "condition-image-match"],
      install: [
        { "directive-override-parameters": { uri: "#fw", content: { file: "customer-image.bin" }, image: { file: "customer-image.bin" } } },
        "directive-fetch",
        "condition-image-match",
      ],
      payloads: { "#fw": { file: "customer-image.bin" } },
    };
    p.put(`${folder}/description-name.json`, JSON.stringify(description));
    await p.ok(["sign", `${folder}/customer-image.bin`, ...key, ...FACTS, "--seq", "1", "--out", "1.suit"]);
    await p.ok(["create", "--from", `${folder}/description-name.json`, "--out", "2.suit"]);
    await p.ok(["sign", `${folder}/description-name.json`, ...key, "--allow-no-device", "--out", "3.suit"]);
    await p.ok([
      "sign",
      `${folder}/customer-image.bin`,
      ...key,
      ...FACTS,
      "--seq",
      "1",
      "--uri",
      "https://example.com/fw",
      "--out",
      "4.suit",
    ]);
    // a machine of two or three letters is in many a signature by chance
    const sure = names.filter((text) => text.length > 3);
    for (const name of ["1.suit", "2.suit", "3.suit", "4.suit"])
      for (const text of sure) expect(p.get(name).includes(text), `${name}: ${text}`).toBe(false);
    // a time would make the next one another
    await new Promise((done) => setTimeout(done, 1100));
    await p.ok(["sign", `${folder}/customer-image.bin`, ...key, ...FACTS, "--seq", "1", "--out", "5.suit"]);
    expect(p.get("5.suit").equals(p.get("1.suit"))).toBe(true);
  });

  it("nor does the device, except for what was installed", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"]);
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    for (const text of ["fw.bin", "fw.suit", "A.jwk", p.path]) expect(p.get("dev/device.json").includes(text)).toBe(false);
  });
});

const hasMemory = existsSync("/proc/self/mem");

// what signs in P-256 is a library that makes copies of its own
describe.skipIf(!hasMemory).concurrent(`memory${hasMemory ? "" : " (skipped: no /proc/self/mem)"}`, () => {
  /** How many copies of the secret a process has that signs with the key in a file: while the key is open, and when it was closed. */
  async function copiesOf(file: string, secret: Uint8Array, state: string): Promise<{ during: number; after: number }> {
    const mask = randomBytes(secret.length);
    const masked = Buffer.from(secret.map((byte, i) => byte ^ (mask[i] as number)));
    const scan = fileURLToPath(new URL("memory-scan.mjs", import.meta.url));
    const args = ["--expose-gc", scan, file, CANARY, masked.toString("hex"), mask.toString("hex")];
    const env = { PATH: process.env["PATH"], FIRMSEAL_STATE: state };
    // throws unless it ends with exit code 0
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  }

  function expectWiped({ during, after }: { during: number; after: number }): void {
    // that the scan finds anything
    expect(during).toBeGreaterThan(0);
    expect(after).toBe(0);
  }

  // The DER parser of OpenSSL frees a buffer with the key. In 5 of 141 runs nothing was written over it in time.
  const perhaps = { retry: 4 };

  it.each([
    ["pkcs8", true],
    ["pkcs8", false],
    ["openssh", true],
    ["openssh", false],
    ["jwk", false],
    ["cose", false],
  ] as const)("holds no key in %s (encrypted: %s) when it was closed", perhaps, async (format, encrypts) => {
    const p = new Place();
    const key = privateKey("ed25519", randomBytes(32));
    p.put("k", await formatPrivate(key, format, encrypts ? Buffer.from(CANARY) : undefined));
    expectWiped(await copiesOf(p.at("k"), key.secret, stateOf(p.path)));
  });

  it.each(["encrypted", "plain"])("holds no seed of an HSS/LMS key when it was closed (%s)", async (how) => {
    const p = new Place();
    const more = how === "plain" ? ["--no-passphrase"] : ["--passphrase-env", "PASS"];
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2,5/2", ...more, "--out", "k.hss"], { env: { PASS: CANARY } });
    const seed = await unlockHss(readHssFile(p.get("k.hss").toString(), "k.hss"), "k.hss", async () => Buffer.from(CANARY));
    expectWiped(await copiesOf(p.at("k.hss"), seed, stateOf(p.path)));
  });
});
