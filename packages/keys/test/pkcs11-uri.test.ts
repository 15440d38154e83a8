// PKCS#11 URIs, and public keys of objects.

import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { bin, keyA, keyB, Place } from "../../test-support/src/command-line/run.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { algOfCurve, readPublic } from "../src/sources/pkcs11/key.js";
import { CKA_CLASS, CKA_EC_PARAMS, CKA_EC_POINT } from "../src/sources/pkcs11/names.js";
import type { OpenToken } from "../src/sources/pkcs11/token.js";
import { parseUri } from "../src/sources/pkcs11/uri.js";

describe("PKCS#11 URIs (RFC 7512)", () => {
  it("reads the examples of RFC 7512 §3 that identify keys", () => {
    expect(parseUri("pkcs11:").text).toEqual({});
    expect(parseUri("pkcs11:object=my-pubkey;type=public")).toMatchObject({ object: "my-pubkey", type: "public", text: {} });
    const long = parseUri(
      "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin",
    );
    expect(long.text).toEqual({ token: "The Software PKCS#11 Softtoken", manufacturer: "Snake Oil, Inc.", model: "1.0", serial: "" });
    expect(Buffer.from(long.id as Uint8Array).toString("hex")).toBe("69953e5cf4bdec91");
    expect(long.pinSource).toBe("file:/etc/token_pin");
  });

  it("shows no pin-source, and reads what it shows as the same key", () => {
    const uri = parseUri("pkcs11:token=a%3Bb%2F;object=r%C3%A9;id=%00%ff?pin-source=file:/run/CANARY&module-path=/usr/lib/x.so");
    expect(uri.name).toBe("pkcs11:token=a%3Bb%2F;object=r%C3%A9;id=%00%FF?module-path=/usr/lib/x.so");
    const { pinSource, ...rest } = uri;
    expect(pinSource).toBe("file:/run/CANARY");
    expect(parseUri(uri.name)).toEqual(rest);
  });

  it.each([
    ["pin-value", "pkcs11:token=a?pin-value=CANARY"],
    ["pin-value in the path", "pkcs11:token=a;pin-value=CANARY"],
    ["pin-value, percent-encoded", "pkcs11:token=a?%70in-value=CANARY"],
    ["pin-value inside of another value", "pkcs11:token=a&pin-value=CANARY"],
    ["pinvalue", "pkcs11:token=a?pinvalue=CANARY"],
    ["an unknown attribute", "pkcs11:token=a;CANARY=1"],
    ["an attribute of a vendor", "pkcs11:token=a?x-CANARY=1"],
    ["no attribute", "pkcs11:CANARY"],
    ["an empty one", "pkcs11:token=CANARY;"],
    ["twice the same", "pkcs11:token=CANARY;token=a"],
    ["a query attribute in the path", "pkcs11:token=a;module-path=CANARY"],
    ["a path attribute in the query", "pkcs11:token=a?object=CANARY"],
    ["a space", "pkcs11:token=CANARY b"],
    ["half a percent-encoding", "pkcs11:token=CANARY%2"],
    ["a NUL in a name", "pkcs11:token=CANARY%00"],
    ["a NUL in a path", "pkcs11:token=a?module-path=/CANARY%00"],
    ["a fragment", "pkcs11:token=a#CANARY"],
    ["a newline", "pkcs11:token=CANARY\n"],
    ["no UTF-8", "pkcs11:token=CANARY%ff"],
    ["a certificate", "pkcs11:object=CANARY;type=cert"],
    ["a slot that is not a number", "pkcs11:slot-id=0x1;object=CANARY"],
    ["both ways to a module", "pkcs11:object=CANARY?module-path=/a&module-name=b"],
    ["more than 4,096 characters", `pkcs11:object=CANARY${"x".repeat(4096)}`],
  ])("refuses %s, and shows nothing of it", (_, uri) => {
    let e: unknown;
    try {
      parseUri(uri);
    } catch (x) {
      e = x;
    }
    expect(e).toBeInstanceOf(KeyFileError);
    const { message, hint, exit } = e as KeyFileError;
    expect(exit).toBe(2);
    expect(message + hint).not.toContain("CANARY");
    expect(message + hint).not.toContain("\n");
  });
});
describe("public keys of objects", () => {
  const object = (params: string, point: string) =>
    ({
      attribute: (_: Buffer, type: number) =>
        ({ [CKA_CLASS]: undefined, [CKA_EC_PARAMS]: Buffer.from(params, "hex"), [CKA_EC_POINT]: Buffer.from(point, "hex") })[type],
    }) as unknown as OpenToken;
  const handle = Buffer.alloc(8);
  const ed = Buffer.from(keyA.key).toString("hex");
  const ec = Buffer.from(keyB.key).toString("hex");
  const P256 = "06082a8648ce3d030107";

  // SoftHSM writes one form only
  it.each([
    ["Ed25519, RFC 8410", "06032b6570", `0420${ed}`, "ed25519"],
    ["Ed25519, by name", "130c656477617264733235353139", ed, "ed25519"],
    ["Ed25519, as GnuPG has it", "06092b06010401da470f01", ed, "ed25519"],
    ["Ed25519 in a bit string", "06032b6570", `032100${ed}`, "ed25519"],
    ["P-256 in DER", P256, `0441${ec}`, "es256"],
    ["P-256, raw", P256, ec, "es256"],
  ])("%s", (_, params, point, alg) => {
    expect(algOfCurve(object(params, point), handle)).toBe(alg);
    const key = readPublic(object(params, point), handle);
    expect(key?.alg).toBe(alg);
    expect(Buffer.from(key?.key as Uint8Array).toString("hex")).toBe(alg === "es256" ? ec : ed);
  });

  it.each([
    ["P-384", "06052b81040022", `0461${"04".repeat(97)}`],
    ["Ed448", "06032b6571", `0439${"01".repeat(57)}`],
    ["explicit parameters", "3081", `0441${ec}`],
    ["a point that is cut", P256, `0441${ec.slice(0, -2)}`],
    ["a point that is longer", P256, `0442${ec}00`],
    ["a compressed point", P256, `0421${"02"}${ec.slice(2, 66)}`],
    ["a point off the curve", P256, `0441${ec.slice(0, -2)}${ec.endsWith("00") ? "01" : "00"}`],
    ["a point of small order", "06032b6570", `0420${"01".padEnd(64, "0")}`],
  ])("refuses %s", (_, params, point) => {
    expect(readPublic(object(params, point), handle)).toBeUndefined();
  });
});
it("says what to install if pkcs11js is missing, and needs it for nothing else", async () => {
  const p = new Place();
  // far from every node_modules
  for (const name of ["bin", "dist", "package.json"]) cpSync(join(dirname(bin), "..", name), p.at("cli", name), { recursive: true });
  const run = (...args: string[]) => spawnSync(process.execPath, [p.at("cli/bin/firmseal.js"), ...args], { encoding: "utf8", env });
  p.put("module.so", "none");
  const env = { FIRMSEAL_PKCS11_MODULE: p.at("module.so"), NO_COLOR: "1" };
  const r = run("pubkey", "pkcs11:token=a");
  expect({ status: r.status, stdout: r.stdout }).toEqual({ status: 3, stdout: "" });
  expect(r.stderr).toMatch(
    /^firmseal: pkcs11: the npm package pkcs11js.* is not installed or was not built\nhint: npm install pkcs11js.* npm_config_nodedir .*\n$/,
  );
  expect(run("--version").status).toBe(0);
  expect(run("keygen", "--no-passphrase", "--out", p.at("key.pem")).status).toBe(0);
});
