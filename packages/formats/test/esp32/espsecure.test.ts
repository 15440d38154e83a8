// espsecure of Debian reads what firmseal signs, and firmseal reads what espsecure signs.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { ESP32 } from "../../src/esp32/esp32.js";
import { espKeyDigest, formatKey } from "../../src/index.js";
import { espImage } from "./compose.js";
import { KEYS, signWith } from "./image.js";

const missing = !hasProgram("espsecure", "-h");

/** Files of a test, by name, and espsecure beside them. */
function place(files: { readonly [name: string]: Uint8Array | string }) {
  const folder = temporaryFolder("espsecure-");
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return {
    get: (name: string) => new Uint8Array(readFileSync(join(folder, name))),
    espsecure: (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync("espsecure", args, { cwd: folder, encoding: "utf8" });
      return { status, output: stdout + stderr };
    },
  };
}

const pem = (key: keyof typeof KEYS) => KEYS[key].export({ type: key.startsWith("rsa") ? "pkcs8" : "sec1", format: "pem" }).toString();
const pub = (key: keyof typeof KEYS) => formatKey(KEYS[key]).key.export({ type: "spki", format: "pem" }).toString();

describe.skipIf(missing)(`espsecure${missing ? " (skipped: no espsecure)" : ""}`, () => {
  it.each([
    ["rsa", 5],
    ["p256", 16],
  ] as const)("verifies what %s signed, signs the same bytes, and gives the same digest of the key", (name, chip) => {
    const unsigned = espImage({ chip });
    const key = formatKey(KEYS[name]);
    const ours = signWith(ESP32.read(unsigned), KEYS[name]);
    const p = place({ "in.bin": unsigned, "ours.bin": ours.bytes, "key.pem": pem(name), "pub.pem": pub(name) });
    expect(p.espsecure("verify_signature", "-v", "2", "-k", "pub.pem", "ours.bin")).toMatchObject({ status: 0 });
    expect(p.espsecure("sign_data", "-v", "2", "-k", "key.pem", "-o", "theirs.bin", "in.bin")).toMatchObject({ status: 0 });
    const theirs = ESP32.read(p.get("theirs.bin"));
    expect(theirs.verify([key])).toEqual([{ key, signature: 0 }]);
    expect(theirs.facts).toEqual(ours.facts);
    expect(p.espsecure("digest_sbv2_public_key", "-k", "pub.pem", "-o", "digest")).toMatchObject({ status: 0 });
    expect(p.get("digest")).toEqual(espKeyDigest(key));
  });

  it("verifies a second block of ours, and firmseal one of espsecure", () => {
    const first = signWith(ESP32.read(espImage()), KEYS.rsa);
    const both = signWith(first, KEYS.rsaOther);
    const p = place({ "first.bin": first.bytes, "both.bin": both.bytes, "key.pem": pem("rsaOther") });
    expect(p.espsecure("verify_signature", "-v", "2", "-k", "key.pem", "both.bin")).toMatchObject({ status: 0 });
    expect(p.espsecure("sign_data", "-v", "2", "-a", "-k", "key.pem", "-o", "theirs.bin", "first.bin")).toMatchObject({ status: 0 });
    expect(ESP32.read(p.get("theirs.bin")).verify([formatKey(KEYS.rsa), formatKey(KEYS.rsaOther)])).toHaveLength(2);
  });
});
