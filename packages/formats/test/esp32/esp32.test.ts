// What is read from an image, and each of its refusals.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BLOCK } from "../../src/esp32/block.js";
import { ESP32 } from "../../src/esp32/esp32.js";
import { espKeyDigest, formatKey, formatOf } from "../../src/index.js";
import { reasonOf } from "../common.js";
import { espImage } from "./compose.js";
import { KEYS, signWith } from "./image.js";

const SECTOR = 4096;
const changed = (bytes: Uint8Array, at: number, ...values: readonly number[]) => {
  const out = bytes.slice();
  out.set(values, at);
  return out;
};
const padded = (bytes: Uint8Array, length: number) => {
  const out = new Uint8Array(length).fill(0xff);
  out.set(bytes);
  return out;
};
const read = (bytes: Uint8Array) => () => ESP32.read(bytes);
const refusal = (reason: string) => expect.objectContaining({ reason });

describe("an image", () => {
  it("says what it is", () => {
    const { facts } = ESP32.read(espImage());
    expect(facts).toMatchObject({ format: "esp32", version: "1.2.3", counter: 7, encrypted: false, signatures: [] });
    const details = Object.fromEntries(facts.details.map(({ name, value }) => [name, value]));
    expect(details).toMatchObject({ chip: "esp32c3", project: "thermostat", "idf-version": "v5.5", built: "Dec  2 2026 12:00:00" });
    expect(facts.sizes).toEqual({ image: espImage().length, filler: 0, signatures: 0 });
    expect(facts.warnings.join()).toContain("secure padding");
  });

  it("of a boot loader has no version and no number", () => {
    const { facts } = ESP32.read(espImage({ version: null }));
    expect(facts).toMatchObject({ version: null, counter: null, warnings: [] });
  });

  it("without a hash of its own is signed, with a warning", () => {
    const file = signWith(ESP32.read(espImage({ hash: false, version: null })), KEYS.rsa);
    expect(file.verify([formatKey(KEYS.rsa)])).toHaveLength(1);
    expect(file.facts.warnings.join()).toContain("only the signature");
  });

  it("that ends on 64 KiB is signed in the next sector", () => {
    const rest = 65_536 - 24 - 8 - 256 - 8 - 16 - 32;
    const file = signWith(ESP32.read(espImage({ more: [rest] })), KEYS.rsa);
    expect([file.bytes.length, file.facts.warnings]).toEqual([65_536 + SECTOR, []]);
    expect(ESP32.read(file.bytes).verify([formatKey(KEYS.rsa)])).toHaveLength(1);
  });

  it("of an ESP8266, of MCUboot, in an ELF or of no bytes is not recognized", () => {
    const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, ...new Uint8Array(60)]);
    for (const other of [new Uint8Array(0), espImage({ chip: 0x4040 }), elf, changed(elf, 0, 0x3d, 0xb8, 0xf3, 0x96)])
      expect(formatOf(other)).not.toBe(ESP32);
  });
});

describe("an image is refused", () => {
  const image = espImage();
  it.each([
    ["in an ELF", "ESP32_HEADER", changed(image, 0, 0x7f, 0x45, 0x4c, 0x46)],
    ["without segments", "ESP32_HEADER", changed(image, 1, 0)],
    ["with 17 segments", "ESP32_HEADER", changed(image, 1, 17)],
    ["for a chip without Secure Boot v2", "ESP32_HEADER", changed(image, 12, 99)],
    ["with a wrong flag of the hash", "ESP32_HEADER", changed(image, 23, 2)],
    ["without bytes", "ESP32_TRUNCATED", image.slice(0, 0)],
    ["with a part of the header", "ESP32_TRUNCATED", image.slice(0, 23)],
    ["with a segment that is cut off", "ESP32_TRUNCATED", image.slice(0, 100)],
    ["with a segment of 257 bytes", "ESP32_SEGMENT", changed(image, 28, 1, 1)],
    ["with a segment of 16 MiB", "ESP32_SEGMENT", changed(image, 28, 0, 0, 0, 1)],
    ["with other data", "ESP32_CHECKSUM", changed(image, 300, 1)],
    ["with another hash", "ESP32_HASH", changed(image, image.length - 1, (image.at(-1) as number) ^ 1)],
    ["with a line end in its version", "ESP32_DESCRIPTOR", espImage({ version: "1\n2" })],
    ["with a version of 32 characters", "ESP32_DESCRIPTOR", espImage({ version: "1".repeat(32) })],
    ["with bytes after it", "ESP32_LENGTH", padded(image, image.length + 1)],
    ["with a part of the sector", "ESP32_LENGTH", changed(padded(image, SECTOR + 100), SECTOR, 0xe7)],
    ["with zeros up to 4 KiB", "ESP32_FILLER", padded(image, SECTOR).map((byte, i) => (i >= image.length ? 0 : byte))],
    ["with ff up to 64 KiB", "ESP32_PADDED", padded(image, 65_536)],
    ["with ff instead of signatures", "ESP32_PADDED", padded(image, 2 * SECTOR)],
  ])("%s", (_, reason, bytes) => {
    expect(read(bytes)).toThrow(refusal(reason));
  });

  it("if ff pads it to 64 KiB, and the signatures follow there", () => {
    const sector = signWith(ESP32.read(image), KEYS.rsa).bytes.slice(SECTOR);
    expect(read(Buffer.concat([padded(image, 65_536), sector]))).toThrow(/signatures are at 4096, but there is ff up to 65536/);
  });
});

describe("a signature block", () => {
  const signed = signWith(ESP32.read(espImage({ chip: 16 })), KEYS.p256).bytes;
  /** Changes the first block, and its CRC with it. */
  const block = (at: number, ...values: readonly number[]) => {
    const out = changed(signed, SECTOR + at, ...values);
    new DataView(out.buffer).setUint32(SECTOR + 1196, crc32(out.subarray(SECTOR, SECTOR + 1196)), true);
    return out;
  };
  const why = (bytes: Uint8Array, key = KEYS.p256) => reasonOf(() => ESP32.read(bytes).verify([formatKey(key)]));

  it.each([
    ["version 1", "ESP32_BLOCK", block(1, 1)],
    ["version 3.2", "ESP32_BLOCK", block(2, 2)],
    ["a reserved byte", "ESP32_BLOCK", block(3, 1)],
    ["a byte between the signature and the CRC", "ESP32_BLOCK", block(700, 1)],
    ["a byte after the CRC", "ESP32_BLOCK", changed(signed, SECTOR + 1215, 1)],
    ["a wrong CRC", "ESP32_BLOCK_CRC", changed(signed, SECTOR + 1196, 0, 0, 0, 0)],
    ["another curve", "ESP32_BLOCK_KEY", block(36, 1)],
    ["the point of zeros", "ESP32_BLOCK_KEY", block(37, ...new Uint8Array(64))],
    ["the version of RSA", "ESP32_BLOCK_KEY", block(1, 2)],
    ["another digest", "ESP32_DIGEST", block(4, 1, 2, 3)],
    ["r of zero", "FORMAT_SIGNATURE", block(101, ...new Uint8Array(32))],
  ])("is refused with %s", (_, reason, bytes) => {
    expect(why(bytes)).toBe(reason);
  });

  it.each([
    ["R", 424],
    ["M'", 808],
    ["modulus", 36],
  ])("of RSA is refused with another %s", (_, at) => {
    const out = changed(signWith(ESP32.read(espImage()), KEYS.rsa).bytes, SECTOR + at, 1, 2, 3);
    new DataView(out.buffer).setUint32(SECTOR + 1196, crc32(out.subarray(SECTOR, SECTOR + 1196)), true);
    expect(why(out, KEYS.rsa)).toBe("ESP32_BLOCK_KEY");
  });

  it("is followed by ff, and only then by a second one", () => {
    expect(why(changed(signed, 2 * SECTOR - 1, 0))).toBe("ESP32_FILLER");
    const first = signed.slice(SECTOR, SECTOR + BLOCK);
    expect(why(changed(padded(signed, signed.length), SECTOR + BLOCK, ...first))).toBe("ESP32_BLOCKS");
    expect(why(changed(changed(signed, SECTOR + 2 * BLOCK, ...first), SECTOR + BLOCK, ...new Uint8Array(BLOCK).fill(0xff)))).toBe(
      "ESP32_FILLER",
    );
    expect(why(changed(padded(signed.slice(0, SECTOR), 2 * SECTOR), SECTOR + BLOCK, ...first))).toBe("ESP32_PADDED");
  });

  it("has the digest that the eFuses get", () => {
    const key = formatKey(KEYS.p256);
    const digest = createHash("sha256")
      .update(signed.subarray(SECTOR + 36, SECTOR + 101))
      .digest();
    expect(Buffer.from(espKeyDigest(key))).toEqual(digest);
    expect(ESP32.read(signed).facts.signatures).toEqual([{ algorithm: "ecdsa-p256-sha256", key: digest.toString("hex") }]);
    expect(() => espKeyDigest(formatKey(KEYS.rsa))).not.toThrow();
    expect(reasonOf(() => ESP32.read(espImage()).verify([key]))).toBe("FORMAT_NOT_SIGNED");
  });
});

describe("a key", () => {
  const on = (chip: number, ...keys: readonly (keyof typeof KEYS)[]) =>
    reasonOf(() => signWith(ESP32.read(espImage({ chip })), ...keys.map((key) => KEYS[key])));

  it.each([
    ["RSA on a C2", 12, ["rsa"], "ESP32_CHIP_KEY"],
    ["P-256 on an ESP32", 0, ["p256"], "ESP32_CHIP_KEY"],
    ["P-384 on an H2", 16, ["p384"], "ESP32_CHIP_KEY"],
    ["P-192", 16, ["p192"], "FORMAT_KEY"],
    ["a second one on an ESP32", 0, ["rsa", "rsaOther"], "ESP32_BLOCKS"],
    ["a second one on a C2", 12, ["p256", "p256Other"], "ESP32_BLOCKS"],
    ["the same twice", 5, ["rsa", "rsa"], "FORMAT_ALREADY_SIGNED"],
    ["RSA and P-256", 16, ["rsa", "p256"], "ESP32_BLOCKS"],
  ] as const)("%s is refused", (_, chip, keys, reason) => {
    expect(on(chip, ...keys)).toBe(reason);
  });

  it.each([
    [5, ["rsa", "rsaOther"]],
    [13, ["p256", "p256Other"]],
    [18, ["p384"]],
    [12, ["p256"]],
    [0, ["rsa"]],
  ] as const)("signs for chip %i: %j", (chip, keys) => {
    expect(on(chip, ...keys)).toBe("");
  });

  it("that the chip does not know is refused in a file that another tool signed", () => {
    // the chip id is in the image, so the image is signed for one chip and composed again for another
    const sector = (chip: number, ...keys: readonly (keyof typeof KEYS)[]) =>
      signWith(ESP32.read(espImage({ chip, hash: false })), ...keys.map((key) => KEYS[key])).bytes.slice(SECTOR);
    const verify = (chip: number, blocks: Uint8Array) =>
      reasonOf(() => ESP32.read(Buffer.concat([padded(espImage({ chip, hash: false }), SECTOR), blocks])).verify([formatKey(KEYS.rsa)]));
    expect(verify(12, sector(5, "rsa"))).toBe("ESP32_CHIP_KEY");
    expect(verify(0, sector(5, "rsa", "rsaOther"))).toBe("ESP32_BLOCKS");
    const mixed = sector(16, "rsa");
    mixed.set(sector(16, "p256").subarray(0, BLOCK), BLOCK);
    expect(verify(16, mixed)).toBe("ESP32_BLOCKS");
  });

  it("gives a signature of its own length", () => {
    const file = ESP32.read(espImage());
    expect(reasonOf(() => file.withSignature(formatKey(KEYS.rsa), new Uint8Array(64)))).toBe("FORMAT_SIGNATURE_ENCODING");
  });
});
