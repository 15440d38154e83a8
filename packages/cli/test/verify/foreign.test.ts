// inspect and verify with images of MCUboot.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS } from "../../../test-support/src/command-line/run.js";
import { haveVectors, vectorBytes } from "../../../test-support/src/vectors.js";
import { place } from "../all/command-place.js";
import { mcubootImage } from "./mcuboot-image.js";

/** A place with app.bin, which A.pem has signed. */
function placeOfImage() {
  const p = place();
  p.put("app.bin", mcubootImage(p.get("A.pem")));
  return p;
}

describe("an image of MCUboot", () => {
  it("is shown by inspect", async () => {
    const p = placeOfImage();
    const { stdout } = await p.ok(["inspect", "app.bin"]);
    expect(stdout).toMatch(/^app\.bin: mcuboot, [\d,]+ bytes \(signatures not verified\)\nversion +1\.4\.2\nsecurity counter 7\n/);
    expect(stdout).toMatch(/^hash +sha256 [0-9a-f]{64}$/m);
    expect(stdout).toMatch(/^signature +ed25519, key [0-9a-f]{64}$/m);
    const { json } = await p.ok(["inspect", "app.bin", "--json"]);
    expect(json).toMatchObject({ verified: false, file: { format: "mcuboot", version: "1.4.2", counter: 7, sizes: { header: 512 } } });
  });

  it.each(["A.pem", "A.jwk"])("is verified with %s", async (key) => {
    const p = placeOfImage();
    const { stderr, json } = await p.ok(["verify", "app.bin", "--key", "B.jwk", "--key", key, "--json"]);
    expect(json).toMatchObject({
      ...{ sequence: null, version: "1.4.2", file: { format: "mcuboot", counter: 7 } },
      signers: [{ alg: "ed25519", spki: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    expect(stderr).toBe("");
    const words = await p.ok(["verify", "app.bin", "--key", key]);
    expect(words.stderr).toMatch(/app\.bin: good, mcuboot, 1\.4\.2, security counter 7, signed by ed25519 [0-9a-f]{16}…\n$/);
  });

  it("is refused with a number if a different key has signed it, or if it was changed", async () => {
    const p = placeOfImage();
    const line = expectFailure(await p.run(["verify", "app.bin", "--key", "C.jwk"]), 1);
    expect(line).toBe("firmseal: app.bin: refused: none of the given keys has signed the file");
    expect((await p.run(["verify", "app.bin", "--key", "C.jwk", "--json"])).json).toMatchObject({
      ok: false,
      code: 603,
      reason: "FORMAT_NO_KEY",
      exit: 1,
      file: { format: "mcuboot" },
    });
    const changed = Buffer.from(p.get("app.bin"));
    changed[1000] = 0;
    p.put("changed.bin", changed);
    expect((await p.run(["verify", "changed.bin", "--key", "A.jwk", "--json"])).json).toMatchObject({ code: 635, reason: "MCUBOOT_HASH" });
    p.put("cut.bin", changed.subarray(0, 2000));
    for (const command of [
      ["inspect", "cut.bin"],
      ["verify", "cut.bin", "--key", "A.jwk"],
    ])
      expect((await p.run([...command, "--json"])).json).toMatchObject({ code: 622, reason: "MCUBOOT_TRUNCATED", exit: 1 });
  });

  it.each([
    ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }), "ecdsa-p384-sha384"],
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 3072 }), "rsa3072-pss-sha256"],
  ])("by a key of %s is verified with the public key as PEM", async (_, { privateKey, publicKey }, alg) => {
    const p = place();
    p.put("app.bin", mcubootImage(Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" }))));
    p.put("k.pub.pem", publicKey.export({ type: "spki", format: "pem" }));
    const { json } = await p.ok(["verify", "app.bin", "--key", "k.pub.pem", "--key", "A.jwk", "--json"]);
    expect(json).toMatchObject({ signers: [{ kid: null, alg, thumbprint: null }], keysFrom: ["k.pub.pem", "A.jwk"] });
    // such a key verifies no envelope
    expect((await p.run(["verify", "fw.suit", "--key", "k.pub.pem"])).exit).toBe(2);
  });

  it.each([
    [["--trust", "t.trust"], "--trust"],
    [["--key", "A.jwk", "--floor", "3"], "--floor"],
    [["--key", "A.jwk", "--for", "generic"], "--for"],
    [["--key", "A.jwk", "--threshold", "2"], "--threshold"],
    [["--key", "A.jwk", "--without-payloads"], "--without-payloads"],
    [["--product", "firmseal.toml"], "--product"],
    [[], "no trusted keys"],
  ])("is not verified with %j, which would seem to be checked", async (more, words) => {
    const { exit, stderr } = await placeOfImage().run(["verify", "app.bin", ...more]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  it.each(["--diag", "--board=x", "--product=firmseal.toml"])("is not shown with %s", async (option) => {
    expect((await placeOfImage().run(["inspect", "app.bin", option])).exit).toBe(2);
  });

  it("with a signature over all of it is verified", async () => {
    const p = place();
    p.put("app.bin", mcubootImage(p.get("A.pem"), { isPure: true }));
    expect((await p.ok(["verify", "app.bin", "--key", "A.jwk"])).stderr).toContain("signed by ed25519-pure");
  });

  it("inside an envelope is a payload of the envelope", async () => {
    const p = placeOfImage();
    await p.ok(["sign", "app.bin", "--key", "B.pem", ...FACTS, "--seq", "3", "--out", "app.suit"]);
    const { json } = await p.ok(["verify", "app.suit", "--key", "B.jwk", "--json"]);
    expect(json).toMatchObject({ sequence: "3" });
    expect(json).not.toHaveProperty("file");
    // the key of the image has not signed the envelope
    expect((await p.run(["verify", "app.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({ code: 61 });
    expect((await p.ok(["inspect", "app.suit", "--json"])).json).not.toHaveProperty("file");
  });
});

describe.skipIf(!haveVectors)("an image of imgtool", () => {
  it.each([
    ["ed25519-full", "ed25519"],
    ["ecdsa-p256-pad-confirm", "p256"],
    ["ecdsa-p384", "p384"],
    ["rsa2048", "rsa2048"],
  ])("%s is verified", async (name, key) => {
    const p = place();
    p.put("app.bin", vectorBytes(`field/mcuboot/${name}.bin`));
    p.put("k.pub.pem", vectorBytes(`field/keys/TEST-ONLY-${key}.pub.pem`));
    const { stderr } = await p.ok(["verify", "app.bin", "--key", "k.pub.pem"]);
    expect(stderr).toContain("app.bin: good, mcuboot, 1.2.3+4");
  });

  it("that is encrypted is not verified, and inspect says why", async () => {
    const p = place();
    p.put("app.bin", vectorBytes("field/mcuboot/ed25519-enc-x25519.bin"));
    p.put("k.pub.pem", vectorBytes("field/keys/TEST-ONLY-ed25519.pub.pem"));
    const { json } = await p.run(["verify", "app.bin", "--key", "k.pub.pem", "--json"]);
    expect(json).toMatchObject({ ok: false, reason: "MCUBOOT_ENCRYPTED", file: { encrypted: true } });
    p.put("clear.bin", vectorBytes("field/mcuboot/ed25519-enc-clear.bin"));
    expect((await p.ok(["verify", "clear.bin", "--key", "k.pub.pem"])).stderr).toContain("the payload is not encrypted");
    expect((await p.ok(["inspect", "clear.bin"])).stderr).toContain("the payload is not encrypted");
  });

  it("that imgtool wrongly accepts is refused", async () => {
    const p = place();
    p.put("k.pub.pem", vectorBytes("field/keys/TEST-ONLY-p256.pub.pem"));
    for (const name of ["keyhash", "tlv-overrun", "unprotected-dependency", "trailer-magic"]) {
      p.put("bad.bin", vectorBytes(`field/mcuboot/bad-${name}.bin`));
      expect((await p.run(["verify", "bad.bin", "--key", "k.pub.pem"])).exit, name).toBe(1);
    }
  });
});
