// The vectors that minisign, signify, ssh-keygen and openssl made.
import { describe, expect, it } from "vitest";
import { haveVectors, vectorBytes, vectorJson } from "../../../test-support/src/vectors.js";
import { ecdsaFromDer, type FormatFile, formatOf, type SignatureFormat, type SignatureOptions } from "../../src/index.js";
import { MINISIGN } from "../../src/signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "../../src/signature-files/plain.js";
import { SIGNIFY } from "../../src/signature-files/signify.js";
import { sshReader } from "../../src/signature-files/ssh-wire.js";
import { SSHSIG } from "../../src/signature-files/sshsig.js";
import { reasonOf, secretOf } from "../common.js";
import { acceptedCuts, acceptedMutants, CASES } from "../damage.js";
import { keyIn, minisignSecret, signed, signifySecret, sshSecret, vector } from "./common.js";

interface Vector {
  readonly file: string;
  readonly key: string;
  readonly expect: string;
  readonly note: string;
}

const vectors = haveVectors ? vectorJson<{ vectors: Vector[] }>("field/detached/index.json").vectors : [];
const content = haveVectors ? vectorBytes("field/app.bin") : new Uint8Array(0);
const titled = (some: readonly Vector[]) => some.map((one) => [one.file, one] as const);
const good = vectors.filter((one) => one.expect === "accept");
const bad = vectors.filter((one) => one.expect !== "accept");

const NAMESPACE = "firmware@firmseal.test";

const FORMATS: readonly (readonly [pattern: RegExp, format: SignatureFormat, options: SignatureOptions])[] = [
  [/minisig$/, MINISIGN, {}],
  [/signify/, SIGNIFY, {}],
  [/ssh/, SSHSIG, { namespace: NAMESPACE }],
  [/raw$|raw-rs\.bin$/, RAW_SIGNATURE, {}],
  [/b64$/, AWS_SIGNATURE, {}],
  [/der$|rsa3072.*sig$/, DER_SIGNATURE, {}],
];

function formatFor(name: string): { readonly format: SignatureFormat; readonly options: SignatureOptions } {
  const [, format, options] = FORMATS.find(([pattern]) => pattern.test(name)) as (typeof FORMATS)[number];
  return { format, options };
}

/** The content is in the file, for signify -e. */
const contentOf = (name: string) => (name.includes("embedded") ? undefined : content);

function read(name: string, bytes = vector(name)): FormatFile {
  const { format, options } = formatFor(name);
  return format.read(bytes, contentOf(name), options);
}

const REASONS: { readonly [file: string]: string } = {
  "bad-trusted-comment.minisig": "SIGNATURE_FILE_COMMENT",
  "bad-sig.minisig": "FORMAT_SIGNATURE",
  "bad-algo-downgraded.minisig": "FORMAT_SIGNATURE",
  "bad-keyid.minisig": "FORMAT_NO_KEY",
  "bad-globalsig.minisig": "SIGNATURE_FILE_COMMENT",
  "app.ssh-ed25519-ns-file.sig": "SIGNATURE_FILE_NAMESPACE",
  "bad-ssh-ed25519.sig": "FORMAT_SIGNATURE",
  "bad-ed25519.raw": "FORMAT_SIGNATURE",
  "bad-ed25519-s-plus-L.raw": "FORMAT_SIGNATURE",
  "bad-p256-trailing.der": "FORMAT_SIGNATURE_ENCODING",
  "bad-p256-noncanonical.der": "FORMAT_SIGNATURE_ENCODING",
  "bad-p256-r.der": "FORMAT_SIGNATURE",
  "app.rsa3072-pssmax-sha256.sig": "FORMAT_SIGNATURE",
};

describe.skipIf(!haveVectors)("a signature file of another tool", () => {
  it.each(titled(good))("%s is verified", (name, { key }) => {
    const { format } = formatFor(name);
    // raw signatures and those of RSA have no mark
    if (format !== RAW_SIGNATURE && !name.includes("rsa3072")) expect(formatOf(vector(name))).toBe(format);
    expect(read(name).verify([keyIn(key)])).toMatchObject([{ signature: 0 }]);
    expect(reasonOf(() => read(name).verify([]))).toBe("FORMAT_NO_KEY");
  });

  it.each(titled(bad))("%s is refused", (name, { key }) => {
    expect(reasonOf(() => read(name).verify([keyIn(key)]))).toBe(REASONS[name]);
  });

  it("is verified in the namespace that it has, and refused where none is demanded", () => {
    const file = vector("app.ssh-ed25519-ns-file.sig");
    const key = keyIn("TEST-ONLY-ssh-ed25519.pub");
    expect(SSHSIG.read(file, content, { namespace: "file" }).verify([key])).toHaveLength(1);
    expect(reasonOf(() => SSHSIG.read(file, content).verify([key]))).toBe("SIGNATURE_FILE_NAMESPACE");
  });

  it("of an old minisign is refused where a hash is demanded", () => {
    const key = keyIn("TEST-ONLY-minisign.pub");
    const verify = (name: string) => reasonOf(() => MINISIGN.read(vector(name), content, { prehashed: true }).verify([key]));
    expect([verify("app.legacy.minisig"), verify("app.prehashed.minisig")]).toEqual(["SIGNATURE_FILE_LEGACY", ""]);
  });
});

describe.skipIf(!haveVectors)("a signature file is made again", () => {
  it("of minisign", () => {
    const key = keyIn("TEST-ONLY-minisign.pub");
    for (const [name, options] of [
      ["app.prehashed.minisig", { comment: "untrusted comment of the test", trustedComment: "firmseal test, version 1.2.3" }],
      ["app.legacy.minisig", { comment: "signature from minisign secret key", trustedComment: "legacy", prehashed: false }],
    ] as const)
      expect(signed(MINISIGN.draft(content, options), minisignSecret(), key).bytes).toEqual(vector(name));
  });

  it.each([
    ["app.signify.sig", false],
    ["app.signify.embedded.sig", true],
  ])("of signify: %s", (name, embedded) => {
    const draft = SIGNIFY.draft(content, { comment: "verify with TEST-ONLY-signify.pub", embedded });
    expect(signed(draft, signifySecret(), keyIn("TEST-ONLY-signify.pub")).bytes).toEqual(vector(name));
  });

  it.each([
    ["app.ssh-ed25519.sig", {}],
    ["app.ssh-ed25519-sha256.sig", { hash: "sha256" }],
    ["app.ssh-ed25519-ns-file.sig", { namespace: "file" }],
  ] as const)("of ssh-keygen: %s", (name, options) => {
    expect(signed(SSHSIG.draft(content, { namespace: NAMESPACE, ...options }), sshSecret()).bytes).toEqual(vector(name));
  });

  it.each(["ecdsa", "rsa"])("of ssh-keygen, up to the signature: %s", (type) => {
    const key = keyIn(`TEST-ONLY-ssh-${type}.pub`);
    const theirs = vector(`app.ssh-${type}.sig`);
    const from = sshReader(
      Buffer.from(
        Buffer.from(theirs)
          .toString()
          .replace(/-----[^\n]*\n/g, ""),
        "base64",
      ),
    );
    from.take(10);
    for (let i = 0; i < 4; i++) from.string();
    const inside = sshReader(from.string());
    inside.string();
    const value = inside.string();
    const numbers = sshReader(value);
    const signature = type === "rsa" ? value : Buffer.concat([numbers.number(32), numbers.number(32)]);
    expect(SSHSIG.draft(content, { namespace: NAMESPACE }).withSignature(key, signature).bytes).toEqual(theirs);
  });

  it("of openssl", () => {
    expect(signed(RAW_SIGNATURE.draft(content), secretOf("ed25519")).bytes).toEqual(vector("app.ed25519.raw"));
    expect(signed(DER_SIGNATURE.draft(content, { padding: "pkcs1" }), secretOf("rsa3072")).bytes).toEqual(
      vector("app.rsa3072-pkcs1-sha256.sig"),
    );
    const key = keyIn("../keys/TEST-ONLY-p256.pub.pem");
    const signature = ecdsaFromDer(vector("app.p256-sha256.der"), 64);
    expect(DER_SIGNATURE.draft(content).withSignature(key, signature).bytes).toEqual(vector("app.p256-sha256.der"));
    const aws = AWS_SIGNATURE.draft(content).withSignature(key, signature).bytes;
    expect(new Uint8Array(aws)).toEqual(vector("app.aws-sig-sha256-ecdsa.b64"));
    const pss = DER_SIGNATURE.draft(content).withSignature(
      keyIn("../keys/TEST-ONLY-rsa3072.pub.pem"),
      vector("app.rsa3072-pss32-sha256.sig"),
    );
    expect(pss.bytes).toEqual(vector("app.rsa3072-pss32-sha256.sig"));
  });
});

describe.skipIf(!haveVectors)("a damaged signature file", () => {
  it.each(titled(good))("%s is refused wherever it is cut off", (name, { key }) => {
    const keys = [keyIn(key)];
    expect(acceptedCuts(vector(name), (cut) => read(name, cut).verify(keys))).toEqual([]);
  });

  it.each(titled(good))(`%s is refused with any of ${CASES} changes behind its first line`, (name, { key }) => {
    const keys = [keyIn(key)];
    const bytes = vector(name);
    // the comment in it is signed by nobody
    const from = /minisig$|signify/.test(name) ? bytes.indexOf(0x0a) + 1 : 0;
    const head = bytes.slice(0, from);
    expect(acceptedMutants(bytes.slice(from), (rest) => read(name, Buffer.concat([head, rest])).verify(keys))).toEqual([]);
    // without the keys there are facts, or a refusal
    expect(() => acceptedMutants(bytes, (mutant) => read(name, mutant).facts, 2)).not.toThrow();
  });
});
