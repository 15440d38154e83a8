// What signature files say, and each of their refusals.

import { describe, expect, it } from "vitest";
import { wire } from "../../../keys/src/formats/ssh-wire.js";
import { type FormatKey, formatKey, formatOf, SIGNATURE_FORMATS, type SignatureOptions, toolKey, writeToolKey } from "../../src/index.js";
import { MINISIGN } from "../../src/signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "../../src/signature-files/plain.js";
import { SIGNIFY } from "../../src/signature-files/signify.js";
import { SSHSIG } from "../../src/signature-files/sshsig.js";
import { reasonOf } from "../common.js";
import { KEYS, signed } from "./common.js";

const content = Buffer.from("firmware\n");
const KEY = formatKey(KEYS.ed25519);
const NAMESPACE = { namespace: "firmware@example.com" };

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const minisign = textOf(signed(MINISIGN.draft(content, { comment: "a comment", trustedComment: "version 1" }), KEYS.ed25519).bytes);
const signify = textOf(signed(SIGNIFY.draft(content), KEYS.ed25519).bytes);
const ssh = textOf(signed(SSHSIG.draft(content, NAMESPACE), KEYS.ed25519).bytes);

/** A line of a file, changed. */
const line = (text: string, i: number, change: (line: string) => string) =>
  text
    .split("\n")
    .map((one, j) => (i === j ? change(one) : one))
    .join("\n");

describe("a signature file", () => {
  it.each(SIGNATURE_FORMATS.map((format) => [format.name, format] as const))("%s has one signature, over the content", (name, format) => {
    const secret = name === "der" || name === "aws" ? KEYS.p256 : KEYS.ed25519;
    const key = formatKey(secret);
    const draft = format.draft(content, NAMESPACE);
    expect(reasonOf(() => draft.verify([key]))).toBe("FORMAT_NOT_SIGNED");
    expect(reasonOf(() => draft.toBeSigned(formatKey(KEYS.rsa)))).toBe(name === "der" || name === "sshsig" ? "" : "FORMAT_KEY");
    expect(reasonOf(() => draft.withSignature(key, new Uint8Array(63)))).toBe("FORMAT_SIGNATURE_ENCODING");
    const file = signed(draft, secret);
    expect(format.read(file.bytes, content, NAMESPACE).verify([key])).toEqual([{ key, signature: 0 }]);
    expect(format.read(file.bytes, content, NAMESPACE).facts).toEqual(file.facts);
    expect(file.facts).toMatchObject({ format: name, sizes: { content: 9 }, signatures: [{}] });
    expect(reasonOf(() => format.read(file.bytes, Buffer.from("firmware"), NAMESPACE).verify([key]))).toBe("FORMAT_SIGNATURE");
    expect(reasonOf(() => format.read(file.bytes, undefined, NAMESPACE).verify([key]))).toBe("FORMAT_CONTENT");
    expect(reasonOf(() => format.read(file.bytes, content, NAMESPACE).verify([formatKey(KEYS.rsa)]))).toBe("FORMAT_NO_KEY");
    expect(reasonOf(() => format.read(new Uint8Array(0), content, NAMESPACE))).toBe("SIGNATURE_FILE_FORM");
    const again = name === "minisign" || name === "signify" || name === "sshsig" ? "FORMAT_ALREADY_SIGNED" : "SIGNATURE_FILE_FULL";
    expect(reasonOf(() => file.toBeSigned(key))).toBe(again);
    expect(reasonOf(() => file.toBeSigned({ ...key, id: "", number: "0011223344556677" }))).toBe("SIGNATURE_FILE_FULL");
  });

  it("is recognized, except a raw one, which has no mark", () => {
    const found = [minisign, signify, ssh].map((text) => formatOf(Buffer.from(text))?.name);
    expect(found).toEqual(["minisign", "signify", "sshsig"]);
    for (const format of [DER_SIGNATURE, AWS_SIGNATURE]) expect(formatOf(signed(format.draft(content), KEYS.p256).bytes)).toBe(format);
    expect(formatOf(signed(RAW_SIGNATURE.draft(content), KEYS.ed25519).bytes)).toBeUndefined();
    for (const other of [content, Buffer.from(writeToolKey(KEY, "minisign", "a key"))]) expect(formatOf(other)).toBeUndefined();
  });
});

describe("minisign", () => {
  const why = (text: string, key: FormatKey = KEY) => reasonOf(() => MINISIGN.read(Buffer.from(text, "latin1"), content).verify([key]));

  it("signs twice, and what has one signature is refused", () => {
    const first = MINISIGN.draft(content).toBeSigned(KEY);
    expect(first.message).toHaveLength(64);
    const half = line(minisign, 3, () => "").slice(0, -1);
    const file = MINISIGN.read(Buffer.from(half), content);
    expect([file.unfinished, file.facts.warnings.length]).toEqual([true, 1]);
    expect(reasonOf(() => file.verify([KEY]))).toBe("SIGNATURE_FILE_COMMENT");
    expect(Buffer.from(file.toBeSigned(KEY).message).subarray(64)).toEqual(Buffer.from("version 1"));
    expect(textOf(signed(file, KEYS.ed25519).bytes)).toBe(minisign);
    // a comment for another file, or under another key
    expect(reasonOf(() => MINISIGN.read(Buffer.from(half), Buffer.from("other")).toBeSigned(KEY))).toBe("FORMAT_SIGNATURE");
  });

  it.each([
    ["CR LF", "SIGNATURE_FILE_CRLF", minisign.replaceAll("\n", "\r\n")],
    ["no last line end", "SIGNATURE_FILE_FORM", minisign.slice(0, -1)],
    ["an empty line after it", "SIGNATURE_FILE_FORM", `${minisign}\n`],
    ["another first line", "SIGNATURE_FILE_FORM", line(minisign, 0, () => "comment")],
    ["another third line", "SIGNATURE_FILE_FORM", line(minisign, 2, () => "untrusted comment: x")],
    ["base64 with stray bits", "SIGNATURE_FILE_BASE64", line(minisign, 3, (one) => one.replace(/.==$/, "B=="))],
    ["base64 without padding", "SIGNATURE_FILE_BASE64", line(minisign, 3, (one) => one.replace(/=+$/, ""))],
    ["a space in base64", "SIGNATURE_FILE_BASE64", line(minisign, 1, (one) => `${one} `)],
    ["a short signature", "SIGNATURE_FILE_FORM", line(minisign, 1, (one) => one.slice(0, -4))],
    ["a short second signature", "SIGNATURE_FILE_FORM", line(minisign, 3, (one) => one.slice(4))],
    ["another algorithm", "SIGNATURE_FILE_ALGORITHM", line(minisign, 1, (one) => `RV${one.slice(2)}`)],
    ["an escape in the comment", "SIGNATURE_FILE_TEXT", line(minisign, 2, (one) => `${one}\x1b[2J`)],
    ["text from right to left in the comment", "SIGNATURE_FILE_TEXT", line(minisign, 2, (one) => `${one}\xe2\x80\xae`)],
    ["a comment that is not UTF-8", "SIGNATURE_FILE_TEXT", line(minisign, 2, (one) => `${one}\xff`)],
    ["a long comment", "SIGNATURE_FILE_TEXT", line(minisign, 0, (one) => one + "x".repeat(1024))],
    ["a long file", "SIGNATURE_FILE_FORM", minisign + "x".repeat(65_536)],
  ])("with %s is refused", (_, reason, text) => {
    expect(why(text)).toBe(reason);
  });

  it("compares the number of the key, if the key has one", () => {
    const numbered = toolKey(writeToolKey(KEY, "minisign", "a key"));
    expect(numbered.number).toMatch(/^[0-9a-f]{16}$/);
    expect([why(minisign, numbered), why(minisign, { ...KEY, number: "0011223344556677" })]).toEqual(["", "FORMAT_NO_KEY"]);
  });

  it("gets no comment that would be another line", () => {
    for (const options of [{ comment: "a\nb" }, { trustedComment: "a\nb" }, { trustedComment: "\u2028" }])
      expect(reasonOf(() => MINISIGN.draft(content, options))).toBe("SIGNATURE_FILE_TEXT");
  });
});

describe("signify", () => {
  const why = (text: string, given?: Uint8Array) => reasonOf(() => SIGNIFY.read(Buffer.from(text, "latin1"), given).verify([KEY]));

  it("has the content in the file, or beside it", () => {
    expect([why(signify, content), why(`${signify}firmware\n`), why(`${signify}firmware\n`, content)]).toEqual(["", "", ""]);
    expect([why(`${signify}malware\n`), why(`${signify}malware\n`, content)]).toEqual(["FORMAT_SIGNATURE", "SIGNATURE_FILE_TRAILING"]);
  });

  it("without a comment, which signify does not read, is refused", () => {
    expect(why(signify.replace(/^(untrusted comment: )[^\n]*/, "$1"), content)).toBe("SIGNATURE_FILE_TEXT");
  });

  it("with the letters of minisign, or CR LF, is refused", () => {
    expect(
      why(
        line(signify, 1, (one) => one.replace(/^RWS|^RWR|^RWQ|^RWT/, "RUS")),
        content,
      ),
    ).toBe("SIGNATURE_FILE_ALGORITHM");
    expect(why(signify.replaceAll("\n", "\r\n"), content)).toBe("SIGNATURE_FILE_CRLF");
  });
});

describe("sshsig", () => {
  const why = (text: string, options: SignatureOptions = NAMESPACE) =>
    reasonOf(() => SSHSIG.read(Buffer.from(text, "latin1"), content, options).verify([KEY]));
  const blob = Buffer.from(ssh.replace(/-----[^\n]*\n/g, ""), "base64");
  const [head, key, rest] = [blob.subarray(0, 10), blob.subarray(10, 65), blob.subarray(65)];
  const armored = (...parts: readonly Uint8Array[]) => {
    const lines = Buffer.concat(parts)
      .toString("base64")
      .match(/.{1,70}/g) as string[];
    return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
  };
  const fields = (namespace: string, reserved: string, hash: string) => Buffer.concat([wire(namespace), wire(reserved), wire(hash)]);
  const after = rest.subarray(fields(NAMESPACE.namespace, "", "sha512").length);

  it.each([
    ["CR LF", "SIGNATURE_FILE_CRLF", ssh.replaceAll("\n", "\r\n")],
    ["text before it", "SIGNATURE_FILE_FORM", `hello\n${ssh}`],
    [
      "lines of different lengths",
      "SIGNATURE_FILE_FORM",
      line(
        line(ssh, 1, (one) => one.slice(0, 68)),
        2,
        (one) => one.slice(0, 64),
      ),
    ],
    ["other letters", "SIGNATURE_FILE_FORM", armored(Buffer.from("SSHSIH"), blob.subarray(6))],
    ["version 2", "SIGNATURE_FILE_FORM", armored(Buffer.from("SSHSIG\0\0\0\x02", "latin1"), key, rest)],
    ["a byte after it", "SIGNATURE_FILE_FORM", armored(blob, Buffer.of(0))],
    ["a field that is too long", "SIGNATURE_FILE_FORM", armored(head, Buffer.of(1, 0, 0, 0), key.subarray(4), rest)],
    ["something in the reserved field", "SIGNATURE_FILE_FORM", armored(head, key, fields(NAMESPACE.namespace, "x", "sha512"), after)],
    ["MD5", "SIGNATURE_FILE_ALGORITHM", armored(head, key, fields(NAMESPACE.namespace, "", "md5"), after)],
    ["no namespace", "SIGNATURE_FILE_NAMESPACE", armored(head, key, fields("", "", "sha512"), after)],
    ["another namespace", "SIGNATURE_FILE_NAMESPACE", armored(head, key, fields("file", "", "sha512"), after)],
    ["a key of DSA", "SIGNATURE_FILE_ALGORITHM", armored(head, wire(wire("ssh-dss")), rest)],
    ["a short key", "SIGNATURE_FILE_FORM", armored(head, wire(Buffer.concat([wire("ssh-ed25519"), wire("short")])), rest)],
    [
      "the algorithm of another key",
      "SIGNATURE_FILE_ALGORITHM",
      armored(head, key, fields(NAMESPACE.namespace, "", "sha512"), wire(Buffer.concat([wire("ssh-rsa"), wire("x")]))),
    ],
  ])("with %s is refused", (_, reason, text) => {
    expect(why(text)).toBe(reason);
  });

  it("with lines of 76 characters is read", () => {
    const lines = blob.toString("base64").match(/.{1,76}/g) as string[];
    expect(why(["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n"))).toBe("");
  });

  it("is for one namespace and one hash, if they are demanded", () => {
    expect([why(ssh), why(ssh, {}), why(ssh, { namespace: "file" })]).toEqual(["", "SIGNATURE_FILE_NAMESPACE", "SIGNATURE_FILE_NAMESPACE"]);
    expect([why(ssh, { ...NAMESPACE, hash: "sha256" }), why(ssh, { ...NAMESPACE, hash: "sha512" })]).toEqual([
      "SIGNATURE_FILE_ALGORITHM",
      "",
    ]);
    expect(reasonOf(() => SSHSIG.draft(content))).toBe("SIGNATURE_FILE_NAMESPACE");
    expect(reasonOf(() => SSHSIG.draft(content, { ...NAMESPACE, hash: "sha384" }))).toBe("SIGNATURE_FILE_ALGORITHM");
  });
});

describe("a signature alone", () => {
  it("of ECDSA or RSA is made with the demanded hash and padding, and verified with them", () => {
    for (const [key, options] of [
      ["p256", { hash: "sha512" }],
      ["rsa", { padding: "pkcs1" }],
      ["rsa", { hash: "sha384" }],
    ] as const) {
      const { bytes } = signed(DER_SIGNATURE.draft(content, options), KEYS[key]);
      const why = (demanded: SignatureOptions) =>
        reasonOf(() => DER_SIGNATURE.read(bytes, content, demanded).verify([formatKey(KEYS[key])]));
      expect([why({}), why(options)]).toEqual(["", ""]);
      expect(why({ hash: "sha256", padding: "pss" })).toBe("FORMAT_SIGNATURE");
    }
  });

  it.each([
    ["raw", "SIGNATURE_FILE_FORM", RAW_SIGNATURE, new Uint8Array(65)],
    ["der", "FORMAT_SIGNATURE_ENCODING", DER_SIGNATURE, new Uint8Array(65)],
    ["der", "SIGNATURE_FILE_FORM", DER_SIGNATURE, new Uint8Array(513)],
    // longer than any string
    ["aws", "SIGNATURE_FILE_FORM", AWS_SIGNATURE, new Uint8Array(2 ** 29)],
    ["aws", "SIGNATURE_FILE_BASE64", AWS_SIGNATURE, Buffer.from("MEUC\n")],
    ["aws", "FORMAT_SIGNATURE_ENCODING", AWS_SIGNATURE, Buffer.from("MEUC")],
  ])("%s is refused with other bytes: %s", (_, reason, format, bytes) => {
    expect(reasonOf(() => format.read(bytes, content))).toBe(reason);
  });

  it("raw is also of P-256 and P-384", () => {
    for (const key of ["p256", "p384"] as const)
      expect(
        RAW_SIGNATURE.read(signed(RAW_SIGNATURE.draft(content), KEYS[key]).bytes, content).verify([formatKey(KEYS[key])]),
      ).toHaveLength(1);
  });
});

describe("a public key of a tool", () => {
  it.each(["ed25519", "p256", "p384", "rsa"] as const)("of OpenSSH is written and read: %s", (name) => {
    const key = formatKey(KEYS[name]);
    expect(toolKey(writeToolKey(key, "ssh", "a comment")).id).toBe(key.id);
  });

  it.each([
    ["nothing", "", "FORMAT_KEY"],
    ["two keys", `${writeToolKey(KEY, "ssh", "a")}${writeToolKey(KEY, "ssh", "b")}`, "FORMAT_KEY"],
    ["another type before it", writeToolKey(KEY, "ssh", "a").replace("ssh-ed25519", "ssh-rsa"), "FORMAT_KEY"],
    ["a signature", minisign, "SIGNATURE_FILE_FORM"],
    ["a secret key", "untrusted comment: x\nRWQAAEIy\n", "SIGNATURE_FILE_FORM"],
  ])("is refused if it is %s", (_, text, reason) => {
    expect(reasonOf(() => toolKey(text))).toBe(reason);
  });

  it("is not written for a tool without such keys", () => {
    expect(reasonOf(() => writeToolKey(formatKey(KEYS.p256), "signify", "x"))).toBe("FORMAT_KEY");
  });
});
