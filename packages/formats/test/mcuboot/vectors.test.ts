// Images that imgtool 2.4.0 made: each is verified, each is made again, and each bad one is refused.

import { describe, expect, it } from "vitest";
import { haveVectors } from "../../../test-support/src/vectors.js";
import { ecdsaFromDer } from "../../src/key/der.js";
import { schemeLength } from "../../src/key/scheme.js";
import { buildMcuboot } from "../../src/mcuboot/build-image.js";
import { MCUBOOT, type McubootFile } from "../../src/mcuboot/mcuboot.js";
import { writeImageParts } from "../../src/mcuboot/parts.js";
import { type FieldVector, field, fieldIndex, publicOf, reasonOf, secretOf, signedBy } from "../common.js";
import { imageOptions, optionsOfImgtool } from "./imgtool.js";

const { positive, negative } = fieldIndex("mcuboot");
const read = (name: string) => MCUBOOT.read(field(`mcuboot/${name}`)) as McubootFile;
const isEncrypted = ({ command }: FieldVector) => / -E /.test(command);
const isClear = ({ command }: FieldVector) => / --clear /.test(command);

/** Why each is refused. */
const REASONS: { readonly [file: string]: string } = {
  "bad-body.bin": "MCUBOOT_HASH",
  "bad-version.bin": "MCUBOOT_HASH",
  "bad-seccnt.bin": "MCUBOOT_HASH",
  "bad-hash.bin": "MCUBOOT_HASH",
  "bad-magic.bin": "MCUBOOT_MAGIC",
  "bad-protsize.bin": "MCUBOOT_PROTECTED_SIZE",
  "bad-sig.bin": "FORMAT_SIGNATURE",
  "bad-sig-ed.bin": "FORMAT_SIGNATURE",
  "bad-sig-rsa.bin": "FORMAT_SIGNATURE",
  "bad-pure-marker-removed.bin": "FORMAT_SIGNATURE",
  "bad-keyhash.bin": "FORMAT_NO_KEY",
  "bad-wrongkey.bin": "FORMAT_NO_KEY",
  "bad-trunc-tlv.bin": "MCUBOOT_TRUNCATED",
  "bad-imgsize-huge.bin": "MCUBOOT_TRUNCATED",
  "bad-tlv-overrun.bin": "MCUBOOT_TLV_BOUNDS",
  "bad-nosig.bin": "MCUBOOT_TLV_ORDER",
  "bad-pure-marker-added.bin": "MCUBOOT_TLV_ORDER",
  "bad-unprotected-dependency.bin": "MCUBOOT_TLV_AREA",
  "bad-unprotected-seccnt.bin": "MCUBOOT_TLV_AREA",
  "bad-trailer-magic.bin": "MCUBOOT_TRAILER",
};

/** Those that `imgtool verify` accepts. */
const ACCEPTED = ["keyhash", "tlv-overrun", "unprotected-dependency", "unprotected-seccnt", "trailer-magic"].map(
  (name) => `bad-${name}.bin`,
);

describe.skipIf(!haveVectors)("an image of imgtool", () => {
  it("is there in each kind", () => expect([positive.length, negative.length]).toEqual([27, 20]));

  it.each(positive)("$file is recognized, read, and written as it was", (vector) => {
    const bytes = field(`mcuboot/${vector.file}`);
    expect(MCUBOOT.looksLike(bytes)).toBe(true);
    const { parts, facts } = read(vector.file);
    expect(Buffer.from(writeImageParts(parts)).equals(bytes)).toBe(true);
    expect(facts).toMatchObject({
      format: "mcuboot",
      bytes: bytes.length,
      version: "1.2.3+4",
      encrypted: isEncrypted(vector) && !isClear(vector),
    });
    const counter = optionsOfImgtool(vector.command).get("security-counter")?.[0] ?? null;
    expect(facts.counter).toBe(counter === "auto" ? 0x01020003 : counter === null ? null : Number(counter));
  });

  it.each(positive.filter((one) => one.key && (!isEncrypted(one) || isClear(one))))(
    "$file is verified by its key, and by no other",
    ({ file, key }) => {
      const image = read(file);
      const by = publicOf(key as string);
      expect(image.verify([by]).map(({ signature }) => signature)).toEqual([0]);
      expect(image.verify([publicOf("rsa3072-b"), by])).toHaveLength(1);
      for (const other of ["ed25519-other", "p256-other", "rsa3072-b"])
        expect(reasonOf(() => image.verify([publicOf(other)]))).toBe("FORMAT_NO_KEY");
      expect(reasonOf(() => image.verify([]))).toBe("FORMAT_NO_KEY");
      expect(reasonOf(() => image.toBeSigned(by))).toBe("FORMAT_ALREADY_SIGNED");
    },
  );

  it("without a signature is not verified", () => {
    expect(reasonOf(() => read("unsigned-sha256.bin").verify([publicOf("p256")]))).toBe("FORMAT_NOT_SIGNED");
  });

  it.each(positive.filter((one) => isEncrypted(one) && !isClear(one)))("$file is not verified while it is encrypted", ({ file, key }) => {
    expect(reasonOf(() => read(file).verify([publicOf(key as string)]))).toBe("MCUBOOT_ENCRYPTED");
  });

  it.each(positive.filter((one) => !isEncrypted(one)))("$file is made again from the binary", ({ file, command, key }) => {
    const options = imageOptions(command);
    const unsigned = buildMcuboot(field("app.bin"), options);
    const expected = read(file);
    expect(Buffer.from((unsigned as McubootFile).parts.region).equals(expected.parts.region)).toBe(true);
    if (!key) return expect(Buffer.from(unsigned.bytes).equals(expected.bytes)).toBe(true);
    const signed = signedBy(unsigned, key);
    signed.verify([publicOf(key)]);
    if (options.signer?.kind === "ed25519") return expect(Buffer.from(signed.bytes).equals(expected.bytes)).toBe(true);
    // the value of the signature is random: with that of imgtool, it is its file
    const theirs = expected.parts.signatures[0]?.raw as Uint8Array;
    const again = unsigned.withSignature(publicOf(key), theirs);
    if (file !== "ecdsa-p256-padsig.bin") return expect(Buffer.from(again.bytes).equals(expected.bytes)).toBe(true);
    expect(again.verify([publicOf(key)])).toHaveLength(1);
  });

  it.each(negative)("$file is refused: $why", ({ file, key, imgtool_verify_rc }) => {
    const reason = reasonOf(() => read(file).verify([publicOf(key as string)]));
    expect(reason).toBe(REASONS[file]);
    if (ACCEPTED.includes(file)) expect(imgtool_verify_rc).toBe(0);
  });
});

describe.skipIf(!haveVectors)("a signature that was made elsewhere", () => {
  const base64 = (name: string) => Buffer.from(Buffer.from(field(`mcuboot/${name}`)).toString(), "base64");
  const ext = (name: string) => positive.find(({ file }) => file === `ext-${name}-fixsig.bin`) as FieldVector;

  it("is over the bytes that imgtool gives out for it", () => {
    const image = buildMcuboot(field("app.bin"), imageOptions(ext("p256").command)) as McubootFile;
    expect(Buffer.from(image.toBeSigned(publicOf("p256")).message).equals(field("mcuboot/ext-p256-payload.tbs"))).toBe(true);
    // the digest is what an Ed25519 key signs
    expect(Buffer.from(image.toBeSigned(publicOf("ed25519")).message).equals(field("mcuboot/ext-p256-digest.tbs"))).toBe(true);
  });

  it.each(["p256", "ed25519", "rsa2048"])("by OpenSSL and %s gives the file of imgtool", (name) => {
    const given = base64(`ext-${name}.sig.b64`);
    const signature = name === "p256" ? ecdsaFromDer(given, schemeLength("p256")) : given;
    const image = buildMcuboot(field("app.bin"), imageOptions(ext(name).command)).withSignature(publicOf(name), signature);
    expect(Buffer.from(image.bytes).equals(field(`mcuboot/ext-${name}-fixsig.bin`))).toBe(true);
    expect(image.verify([publicOf(name)])).toHaveLength(1);
  });

  it("by another key is refused", () => {
    const image = buildMcuboot(field("app.bin"), imageOptions(ext("ed25519").command));
    const wrong = image.withSignature(publicOf("ed25519"), new Uint8Array(64));
    expect(reasonOf(() => wrong.verify([publicOf("ed25519")]))).toBe("FORMAT_SIGNATURE");
    expect(secretOf("ed25519").type).toBe("private");
  });
});
