// The tools of Debian verify what firmseal signs, and firmseal verifies what they sign.

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test-support/src/environment/folders.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";
import { formatKey, toolKey, writeToolKey } from "../../src/index.js";
import { MINISIGN } from "../../src/signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "../../src/signature-files/plain.js";
import { SIGNIFY } from "../../src/signature-files/signify.js";
import { SSHSIG } from "../../src/signature-files/sshsig.js";
import { reasonOf } from "../common.js";
import { KEYS, signed } from "./common.js";

const content = Buffer.from("firmware, version 1.2.3\n".repeat(20));
const NAMESPACE = "firmware@firmseal.test";

function place() {
  const folder = temporaryFolder("signature-files-");
  const at = (name: string) => join(folder, name);
  const put = (name: string, bytes: Uint8Array | string, mode = 0o600) => writeFileSync(at(name), bytes, { mode });
  put("app.bin", content);
  return {
    put,
    get: (name: string) => new Uint8Array(readFileSync(at(name))),
    run: (program: string, args: readonly string[], input = ""): SpawnSyncReturns<string> =>
      spawnSync(program, args, { cwd: folder, input, encoding: "utf8" }),
  };
}

const skip = (missing: boolean, program: string) => (missing ? ` (skipped: no ${program})` : "");
const good = { status: 0 };

const noMinisign = !hasProgram("minisign", "-v");
describe.skipIf(noMinisign)(`minisign${skip(noMinisign, "minisign")}`, () => {
  it.each([true, false])("verifies our signature and its comment, prehashed: %s", (prehashed) => {
    const p = place();
    const ours = signed(MINISIGN.draft(content, { trustedComment: "version 1.2.3 für Geräte", prehashed }), KEYS.ed25519);
    p.put("app.minisig", ours.bytes);
    p.put("key.pub", writeToolKey(formatKey(KEYS.ed25519), "minisign", "a key"));
    const verified = p.run("minisign", ["-V", "-p", "key.pub", "-x", "app.minisig", "-m", "app.bin"]);
    expect(verified).toMatchObject(good);
    expect(verified.stdout).toContain("version 1.2.3 für Geräte");
    // without any comment
    p.put("app.minisig", signed(MINISIGN.draft(content, { prehashed }), KEYS.ed25519).bytes);
    expect(p.run("minisign", ["-V", "-p", "key.pub", "-x", "app.minisig", "-m", "app.bin"])).toMatchObject(good);
  });

  it("reads the longest comments that firmseal writes, and no longer ones", () => {
    const p = place();
    p.put("key.pub", writeToolKey(formatKey(KEYS.ed25519), "minisign", "a key"));
    const status = (comment: number, trusted: number, shorter = "") => {
      const options = { comment: "x".repeat(comment - shorter.length), trustedComment: "y".repeat(trusted) };
      const text = Buffer.from(signed(MINISIGN.draft(content, options), KEYS.ed25519).bytes).toString();
      p.put("app.minisig", text.replace(/^untrusted comment: /, `untrusted comment: ${shorter}`));
      return p.run("minisign", ["-V", "-p", "key.pub", "-x", "app.minisig", "-m", "app.bin"]).status;
    };
    expect([status(1003, 8173), status(1004, 0, "x")]).toEqual([0, 2]);
    for (const options of [{ comment: "x".repeat(1004) }, { trustedComment: "y".repeat(8174) }])
      expect(reasonOf(() => MINISIGN.draft(content, options))).toBe("SIGNATURE_FILE_TEXT");
  });

  it("signs what firmseal verifies, under the number that it shows", () => {
    const p = place();
    expect(p.run("minisign", ["-G", "-W", "-p", "m.pub", "-s", "m.key"])).toMatchObject(good);
    const pub = Buffer.from(p.get("m.pub")).toString();
    const sign = (...options: readonly string[]) => {
      expect(p.run("minisign", ["-S", "-s", "m.key", "-x", "m.sig", ...options, "-m", "app.bin"])).toMatchObject(good);
      return MINISIGN.read(p.get("m.sig"), content);
    };
    const file = sign("-t", "from them");
    expect(file.verify([toolKey(pub)])).toHaveLength(1);
    // its own comment has tabs
    expect(sign().verify([toolKey(pub)])).toHaveLength(1);
    expect(sign("-l", "-c", "").verify([toolKey(pub)])).toHaveLength(1);
    expect(pub).toContain(file.facts.signatures[0]?.key);
    expect(writeToolKey(toolKey(pub), "minisign", pub.split("\n")[0]?.slice(19) as string)).toBe(pub);
  });
});

const noSignify = !hasProgram("signify-openbsd");
describe.skipIf(noSignify)(`signify${skip(noSignify, "signify-openbsd")}`, () => {
  it("verifies our signature, beside the file and in one with it", () => {
    const p = place();
    p.put("app.sig", signed(SIGNIFY.draft(content), KEYS.ed25519).bytes);
    p.put("both.sig", signed(SIGNIFY.draft(content, { embedded: true }), KEYS.ed25519).bytes);
    p.put("key.pub", writeToolKey(formatKey(KEYS.ed25519), "signify", "a key"));
    expect(p.run("signify-openbsd", ["-V", "-p", "key.pub", "-x", "app.sig", "-m", "app.bin"])).toMatchObject(good);
    expect(p.run("signify-openbsd", ["-V", "-e", "-p", "key.pub", "-x", "both.sig", "-m", "out.bin"])).toMatchObject(good);
    expect(Buffer.from(p.get("out.bin"))).toEqual(content);
  });

  it("reads the shortest and the longest comment that firmseal writes", () => {
    const p = place();
    p.put("key.pub", writeToolKey(formatKey(KEYS.ed25519), "signify", "a key"));
    for (const comment of ["x", "x".repeat(1023)]) {
      p.put("app.sig", signed(SIGNIFY.draft(content, { comment }), KEYS.ed25519).bytes);
      expect(p.run("signify-openbsd", ["-V", "-p", "key.pub", "-x", "app.sig", "-m", "app.bin"])).toMatchObject(good);
    }
    for (const comment of ["", "x".repeat(1024)])
      expect(reasonOf(() => signed(SIGNIFY.draft(content, { comment }), KEYS.ed25519))).toBe("SIGNATURE_FILE_TEXT");
    expect(reasonOf(() => writeToolKey(formatKey(KEYS.ed25519), "signify", ""))).toBe("SIGNATURE_FILE_TEXT");
  });

  it("signs what firmseal verifies", () => {
    const p = place();
    expect(p.run("signify-openbsd", ["-G", "-n", "-p", "s.pub", "-s", "s.sec"])).toMatchObject(good);
    for (const embedded of [false, true]) {
      expect(p.run("signify-openbsd", ["-S", ...(embedded ? ["-e"] : []), "-s", "s.sec", "-x", "s.sig", "-m", "app.bin"])).toMatchObject(
        good,
      );
      const file = SIGNIFY.read(p.get("s.sig"), embedded ? undefined : content);
      expect(file.verify([toolKey(Buffer.from(p.get("s.pub")).toString())])).toHaveLength(1);
    }
  });
});

const noSsh = !hasProgram("ssh-keygen", "-?");
describe.skipIf(noSsh)(`ssh-keygen${skip(noSsh, "ssh-keygen")}`, () => {
  it.each(Object.entries(KEYS))("verifies our signature by %s", (_, secret) => {
    for (const hash of ["sha256", "sha512"] as const) {
      const p = place();
      p.put("app.sig", signed(SSHSIG.draft(content, { namespace: NAMESPACE, hash }), secret).bytes);
      p.put("allowed", `me namespaces="${NAMESPACE}" ${writeToolKey(formatKey(secret), "ssh", "a key")}`);
      const args = ["-Y", "verify", "-f", "allowed", "-I", "me", "-n", NAMESPACE, "-s", "app.sig"];
      expect(p.run("ssh-keygen", args, content.toString())).toMatchObject(good);
    }
  });

  it.each([
    ["ed25519", "256"],
    ["ecdsa", "256"],
    ["ecdsa", "384"],
    ["rsa", "2048"],
  ])("signs with %s %s what firmseal verifies", (type, bits) => {
    const p = place();
    expect(p.run("ssh-keygen", ["-q", "-t", type, ...(type === "ed25519" ? [] : ["-b", bits]), "-N", "", "-f", "id"])).toMatchObject(good);
    expect(p.run("ssh-keygen", ["-q", "-Y", "sign", "-f", "id", "-n", NAMESPACE, "app.bin"])).toMatchObject(good);
    const key = toolKey(Buffer.from(p.get("id.pub")).toString());
    const file = SSHSIG.read(p.get("app.bin.sig"), content, { namespace: NAMESPACE });
    expect(file.verify([key])).toHaveLength(1);
    expect(p.run("ssh-keygen", ["-l", "-f", "id.pub"]).stdout).toContain(file.facts.signatures[0]?.key);
  });
});

const noOpenssl = !hasProgram("openssl", "version");
describe.skipIf(noOpenssl)(`openssl${skip(noOpenssl, "openssl")}`, () => {
  it.each(["p256", "p384", "rsa", "ed25519"] as const)("verifies and makes signatures by %s", (name) => {
    const p = place();
    const secret = KEYS[name];
    const key = formatKey(secret);
    const format = name === "ed25519" ? RAW_SIGNATURE : DER_SIGNATURE;
    p.put("app.sig", signed(format.draft(content), secret).bytes);
    p.put("key.pem", secret.export({ type: "pkcs8", format: "pem" }));
    p.put("pub.pem", key.key.export({ type: "spki", format: "pem" }));
    const hash = { p256: ["-digest", "sha256"], p384: ["-digest", "sha384"], rsa: ["-digest", "sha256"], ed25519: [] }[name];
    const pss = name === "rsa" ? ["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32"] : [];
    const options = ["-rawin", ...hash, ...pss, "-in", "app.bin"];
    expect(p.run("openssl", ["pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-sigfile", "app.sig", ...options])).toMatchObject(good);
    expect(p.run("openssl", ["pkeyutl", "-sign", "-inkey", "key.pem", "-out", "theirs.sig", ...options])).toMatchObject(good);
    expect(format.read(p.get("theirs.sig"), content).verify([key])).toHaveLength(1);
  });

  it("verifies what AWS gets", () => {
    const p = place();
    p.put("app.b64", signed(AWS_SIGNATURE.draft(content), KEYS.p256).bytes);
    p.put("pub.pem", formatKey(KEYS.p256).key.export({ type: "spki", format: "pem" }));
    expect(p.run("openssl", ["base64", "-d", "-A", "-in", "app.b64", "-out", "app.der"])).toMatchObject(good);
    expect(p.run("openssl", ["dgst", "-sha256", "-verify", "pub.pem", "-signature", "app.der", "app.bin"])).toMatchObject(good);
  });
});
