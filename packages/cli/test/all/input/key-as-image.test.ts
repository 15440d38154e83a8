// A private key that is named in place of an image must not be published.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { publicFormats } from "@firmseal/keys";
import { toJwk, toPrivateCose, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../../../signer/src/cbor.js";
import {
  expectFailure,
  FACTS,
  image,
  keyA,
  keyB,
  type Place,
  quicklyEncrypted,
  standard,
} from "../../../../test-support/src/command-line/run.js";
import { drawnPair } from "../../../../test-support/src/keys/drawn-keys.js";
import { minisignSecret } from "../../../../test-support/src/keys/minisign.js";
import { description } from "../command-place.js";

const der = (type: "pkcs8" | "sec1", more = {}) =>
  createPrivateKey({ key: { ...toPrivateJwk(keyB) }, format: "jwk" }).export({
    format: "der",
    type,
    ...more,
  } as never) as unknown as Buffer;

/** One key in each form, and the same in what a person may have done to it. */
async function forms(p: Place): Promise<Map<string, string | Uint8Array>> {
  const all = new Map<string, string | Uint8Array>([
    ["pkcs8", p.get("B.pem")],
    ["text in front", `Bag Attributes\n    friendlyName: release\n${p.get("B.pem").toString()}`],
    ["cut short", p.get("B.pem").subarray(0, 60)],
    ["utf-16", Buffer.from(`\ufeff${p.get("B.pem").toString()}`, "utf16le")],
    ["encrypted", quicklyEncrypted(keyB, "a passphrase")],
    ["jwk", JSON.stringify(toPrivateJwk(keyB))],
    ["jwk in a set", JSON.stringify({ keys: [toPrivateJwk(keyB)] })],
    ["cose", toPrivateCose(keyB)],
    ["cose in base64", Buffer.from(toPrivateCose(keyB)).toString("base64")],
    ["minisign", minisignSecret(keyA)],
    ["der", der("pkcs8")],
    ["sec1 der", der("sec1")],
    ["encrypted der", der("pkcs8", { cipher: "aes-256-cbc", passphrase: "a" })],
    // of other programs, or for other purposes
    ["symmetric jwk", JSON.stringify({ kty: "oct", kid: "serial", k: "A".repeat(43) })],
    [
      "symmetric cose",
      encodeCbor(
        new Map<number, number | Uint8Array>([
          [1, 4],
          [-1, image(32)],
        ]),
      ),
    ],
    ["putty", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"],
    ["age", "# created: 2026-01-01T00:00:00Z\n# public key: age1abc\nAGE-SECRET-KEY-1ABC\n"],
    ["pgp", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlFgE\n-----END PGP PRIVATE KEY BLOCK-----\n"],
    ["ssh2", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n"],
  ]);
  for (const [format, alg] of [
    ["openssh", "ed25519"],
    ["pkcs8", "ml-dsa-44"],
    ["jwk", "ml-dsa-44"],
    ["cose", "ml-dsa-44"],
  ] as const) {
    await p.ok(["keygen", "--alg", alg, "--format", format, "--no-passphrase", "--out", `${alg}-${format}.key`]);
    all.set(`${alg} ${format}`, p.get(`${alg}-${format}.key`));
  }
  return all;
}

/** Files with the public key of B, in each form in which it can be recognized. */
async function publicForms(p: Place): Promise<Map<string, string | Uint8Array>> {
  const all = new Map<string, string | Uint8Array>();
  for (const format of publicFormats) {
    // any 32 bytes are a raw key, and an engine may run the literal
    if (format === "raw" || format === "js") continue;
    await p.ok(["pubkey", "B.pem", "--format", format, "--out", `public.${format}`]);
    all.set(format, p.get(`public.${format}`));
  }
  const spki = createPublicKey({ key: { ...toJwk(keyB) }, format: "jwk" });
  all.set("der", spki.export({ format: "der", type: "spki" }));
  all.set("cose in base64", p.get("public.cose").toString("base64"));
  all.set("rsa", drawnPair("rsa of 1,024 bits").publicKey.export({ format: "pem", type: "spki" }) as string);
  return all;
}

describe("a public key in place of an image", () => {
  const signing = (name: string) => ["sign", name, "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "x.suit"];

  it("is refused in every form, and signs nothing", async () => {
    const p = standard();
    for (const [form, bytes] of await publicForms(p)) {
      p.put("k.bin", bytes);
      expect(expectFailure(await p.run(signing("k.bin")), 2), form).toMatch(
        /k\.bin is (a public key|a C header with a public key), not an image/,
      );
      expect(expectFailure(await p.run(["tbs", "k.bin", "--key", "A.jwk", ...FACTS, "--seq", "1"]), 2), form).toContain("not an image");
      expect(expectFailure(await p.run(signing("-"), { input: bytes }), 2), form).toContain("stdin is ");
    }
    expect(p.has("x.suit")).toBe(false);
  });

  it("is signed on request, and as a payload of a description", async () => {
    const p = standard();
    await p.ok(["pubkey", "B.pem", "--format", "pem", "--out", "B.pub"]);
    await p.ok([...signing("B.pub"), "--allow-key-as-image"]);
    p.put("d.json", description({ payloads: { "#fw": { file: "B.jwk" } } }));
    await p.ok(["sign", "d.json", "--key", "A.pem"]);
  });

  it("is not what a program with a key among its texts is", async () => {
    const p = standard();
    await p.ok(["pubkey", "B.pem", "--format", "pem", "--out", "B.pub"]);
    await p.ok(["pubkey", "B.pem", "--format", "js", "--out", "B.js"]);
    for (const text of [
      `var key = \`\n${p.get("B.pub").toString()}\`;\nstart(key);\n`,
      `${p.get("B.js").toString()}start(firmsealKey);\n`,
    ]) {
      p.put("app.js", text);
      await p.ok(signing("app.js"));
    }
  });
});

describe("a private key in place of an image", () => {
  it("is refused in every form, and signs nothing", async () => {
    const p = standard();
    p.keepsLogs = true;
    for (const [form, bytes] of await forms(p)) {
      p.put("k.bin", bytes);
      for (const [command, key] of [
        ["sign", "A.pem"],
        ["tbs", "A.jwk"],
      ] as const)
        expect(expectFailure(await p.run([command, "k.bin", "--key", key, ...FACTS, "--seq", "1"]), 2), form).toContain("is a private key");
      if (typeof bytes !== "string") continue;
      const piped = await p.run(["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "1"], { input: bytes });
      expect(expectFailure(piped, 2), form).toContain("stdin is a private key");
    }
    expect(p.has("A.pem.log")).toBe(false);
    expect(p.has("k.suit")).toBe(false);
  });

  it("is refused as the key that signs, under any name, and as a payload of a description", async () => {
    const p = standard();
    expect(expectFailure(await p.run(["sign", "A.pem", "--key", "./A.pem", ...FACTS, "--seq", "1"]), 2)).toContain(
      "is the signing key (--key)",
    );
    expect(expectFailure(await p.run(["tbs", "A.jwk", "--key", "A.jwk", ...FACTS, "--seq", "1"]), 2)).toContain(
      "is the signing key (--key)",
    );
    p.put("d.json", description({ payloads: { "#fw": { file: "B.pem" } } }));
    for (const args of [
      ["create", "--from", "d.json"],
      ["sign", "d.json", "--key", "A.pem"],
    ])
      expect(expectFailure(await p.run(args), 2)).toContain("B.pem is a private key");
    expect(p.has("d.suit")).toBe(false);
    await p.ok(["create", "--from", "d.json", "--allow-key-as-image"]);
  });

  it("is signed on request, and an image that mentions keys is an image", async () => {
    const p = standard();
    await p.ok(["sign", "B.pem", "--key", "A.pem", ...FACTS, "--seq", "1", "--allow-key-as-image", "--out", "b.suit"]);
    const parser = Buffer.concat([image(3000), Buffer.from("\0-----BEGIN EC PRIVATE KEY-----\0-----END EC PRIVATE KEY-----\0")]);
    p.put("parser.bin", parser);
    await p.ok(["sign", "parser.bin", "--key", "A.pem", ...FACTS, "--seq", "2"]);
    p.put("small.bin", image(32));
    await p.ok(["sign", "small.bin", "--key", "A.pem", ...FACTS, "--seq", "3"]);
  });
});
