// Images that are made from a binary, and their signatures.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatKey } from "../../src/key/key.js";
import { signScheme } from "../../src/key/scheme.js";
import { buildMcuboot, type ImageOptions } from "../../src/mcuboot/build-image.js";
import { counterOfVersion, formatImageVersion, parseImageVersion } from "../../src/mcuboot/image-version.js";
import { MCUBOOT, type McubootFile } from "../../src/mcuboot/mcuboot.js";
import { trailerSize } from "../../src/mcuboot/trailer.js";
import { reasonOf } from "../common.js";

const binary = new Uint8Array(1000).fill(5);
const base: ImageOptions = { version: "1.4.2+7", headerSize: 0x40 };

const KEYS = {
  ed25519: generateKeyPairSync("ed25519").privateKey,
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  rsa2048: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  rsa3072: generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey,
};
type Name = keyof typeof KEYS;
const NAMES = Object.keys(KEYS) as Name[];
const publicKey = (name: Name) => formatKey(KEYS[name]);

function signed(file: ReturnType<typeof buildMcuboot>, name: Name) {
  const { message, scheme } = file.toBeSigned(publicKey(name));
  return file.withSignature(publicKey(name), signScheme(KEYS[name], scheme, message));
}

describe("an image that firmseal makes", () => {
  it.each(NAMES)("is signed by %s, with the hash of the key and with the whole key", (name) => {
    for (const hasFullKeys of [false, true]) {
      const image = signed(buildMcuboot(binary, { ...base, signer: publicKey(name), hasFullKeys }), name);
      const read = MCUBOOT.read(image.bytes);
      expect(read.verify([publicKey(name)])).toHaveLength(1);
      expect(read.facts.signatures).toHaveLength(1);
      // one byte of the payload
      const changed = Uint8Array.from(image.bytes);
      changed[500] = 6;
      expect(reasonOf(() => MCUBOOT.read(changed).verify([publicKey(name)]))).toBe("MCUBOOT_HASH");
    }
  });

  it("takes several signatures, each once, in any order of the keys", () => {
    const names = ["p256", "ed25519", "rsa2048"] as const;
    const image = names.reduce(signed, buildMcuboot(binary, { ...base, slot: { size: 8192, trailer: "confirm", maxSectors: 8 } }));
    expect(image.bytes).toHaveLength(8192);
    const read = MCUBOOT.read(image.bytes);
    expect(read.facts.signatures.map(({ algorithm }) => algorithm)).toEqual(["ecdsa-p256-sha256", "ed25519", "rsa2048-pss-sha256"]);
    for (const [i, name] of names.entries()) {
      expect(read.verify([publicKey(name)]).map(({ signature }) => signature)).toEqual([i]);
      expect(reasonOf(() => read.toBeSigned(publicKey(name)))).toBe("FORMAT_ALREADY_SIGNED");
    }
    expect(read.verify(names.map(publicKey).reverse())).toHaveLength(3);
  });

  it("says what it is made of", () => {
    const { facts } = buildMcuboot(binary, {
      ...base,
      counter: 9,
      bootRecord: "APP",
      dependencies: [{ image: 1, version: "1.2" }],
      vendor: new Uint8Array(16).fill(1),
      class: new Uint8Array(16).fill(2),
      custom: [{ type: 0xa0, value: Uint8Array.of(0xde, 0xad) }],
      load: { to: "ram", address: 0x2000_0000 },
      isNonBootable: true,
      slot: { size: 8192, trailer: "test", maxSectors: 8 },
    });
    expect(facts).toMatchObject({ format: "mcuboot", version: "1.4.2+7", counter: 9, encrypted: false, signatures: [], warnings: [] });
    expect(facts.sizes).toEqual({ header: 64, image: 1000, "protected-tlvs": 4 + 8 + 95 + 16 + 20 + 20 + 6, tlvs: 40, slot: 8192 });
    const details = Object.fromEntries(facts.details.map(({ name, value }) => [name, value]));
    expect(details).toMatchObject({
      flags: "non-bootable, ram-load",
      "load-address": "0x20000000",
      dependency: "image 1, version 1.2.0 or later",
      vendor: "01010101-0101-0101-0101-010101010101",
      class: "02020202-0202-0202-0202-020202020202",
      "tlv-0xa0": "dead",
      trailer: "to be tested",
    });
    expect(details["hash"]).toMatch(/^sha256 [0-9a-f]{64}$/);
  });

  it("is not confirmed for a boot loader that copies, which has no such mark", () => {
    const slot = { size: 8192, trailer: "confirm", maxSectors: 8 } as const;
    const confirmed = (isOverwriteOnly: boolean) =>
      (buildMcuboot(binary, { ...base, slot: { ...slot, isOverwriteOnly } }) as McubootFile).parts.trailer?.isConfirmed;
    expect([confirmed(false), confirmed(true)]).toEqual([true, false]);
  });

  it("replaces the room that the linker left", () => {
    const withRoom = Uint8Array.from([...new Uint8Array(64), ...binary]);
    const image = buildMcuboot(withRoom, { ...base, hasRoom: true }) as McubootFile;
    expect([image.parts.header.imageSize, ...image.bytes.subarray(32, 65)]).toEqual([1000, ...new Uint8Array(32), 5]);
    expect(reasonOf(() => buildMcuboot(binary, { ...base, hasRoom: true }))).toBe("MCUBOOT_INPUT");
  });

  it.each<[string, Uint8Array, Partial<ImageOptions>, string]>([
    ["an image", buildMcuboot(binary, base).bytes, {}, "MCUBOOT_INPUT"],
    ["an ELF file", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1), {}, "MCUBOOT_INPUT"],
    ["an empty file", new Uint8Array(0), {}, "MCUBOOT_INPUT"],
    ["a file that is only room", new Uint8Array(64), { hasRoom: true }, "MCUBOOT_INPUT"],
    ["a version with a leading zero", binary, { version: "1.02" }, "MCUBOOT_VERSION"],
    ["a slot of its own size", binary, { slot: { size: 1104 } }, "MCUBOOT_SLOT"],
    ["SHA-512 with P-256", binary, { signer: publicKey("p256"), hash: "sha512" }, "MCUBOOT_HASH_KIND"],
    [
      "more than an area holds",
      binary,
      { custom: [0xa0, 0xa1].map((type) => ({ type, value: new Uint8Array(0x8000) })) },
      "MCUBOOT_TLV_BOUNDS",
    ],
    ["pure signatures by P-256", binary, { signer: publicKey("p256"), isPure: true }, "MCUBOOT_HASH_KIND"],
    ["pure signatures with SHA-256", binary, { hash: "sha256", isPure: true }, "MCUBOOT_HASH_KIND"],
    ["a key of P-192", binary, { signer: formatKey(generateKeyPairSync("ec", { namedCurve: "prime192v1" }).publicKey) }, "FORMAT_KEY"],
  ])("is not made of %s", (_, file, options, reason) => {
    expect(reasonOf(() => buildMcuboot(file, { ...base, ...options }))).toBe(reason);
  });

  it.each<[string, Partial<ImageOptions>]>([
    ["a header of 16 bytes", { headerSize: 16 }],
    ["a counter of 2^32", { counter: 2 ** 32 }],
    ["the image 256", { dependencies: [{ image: 256, version: "1" }] }],
    ["the type 0x9f", { custom: [{ type: 0x9f, value: binary }] }],
    ["a boot record of 13 bytes", { bootRecord: "longer than 12" }],
    ["more than an area holds", { custom: [{ type: 0xa0, value: new Uint8Array(0x1_0000) }] }],
  ])("refuses %s as a mistake of its caller", (_, options) => {
    expect(() => buildMcuboot(binary, { ...base, ...options })).toThrow(RangeError);
  });

  it("fits the slot with its signature, or is refused", () => {
    const slot = { size: 1104 + 100 + trailerSize({ align: 1, maxAlign: 8, maxSectors: 8, isOverwriteOnly: false }), maxSectors: 8 };
    const image = buildMcuboot(binary, { ...base, slot });
    expect(reasonOf(() => signed(image, "ed25519"))).toBe("MCUBOOT_SLOT");
    expect(signed(buildMcuboot(binary, { ...base, slot: { ...slot, size: slot.size + 4 } }), "ed25519").bytes).toHaveLength(1104 + 104);
  });

  it("takes no signature of another length, hash or kind", () => {
    const image = buildMcuboot(binary, base);
    expect(reasonOf(() => image.withSignature(publicKey("ed25519"), new Uint8Array(63)))).toBe("FORMAT_SIGNATURE_ENCODING");
    expect(reasonOf(() => image.toBeSigned(publicKey("p384")))).toBe("MCUBOOT_HASH_KIND");
    expect(reasonOf(() => buildMcuboot(binary, { ...base, isPure: true }).toBeSigned(publicKey("p256")))).toBe("MCUBOOT_HASH_KIND");
  });
});

describe("a version", () => {
  it.each([
    ["1", "1.0.0", 0x01000000],
    ["1.2", "1.2.0", 0x01020000],
    ["1.2.3", "1.2.3", 0x01020003],
    ["255.255.65535+4294967295", "255.255.65535+4294967295", 0xffffffff],
  ])("%s is %s, with the counter %i", (text, again, counter) => {
    expect([formatImageVersion(parseImageVersion(text)), counterOfVersion(parseImageVersion(text))]).toEqual([again, counter]);
  });

  it.each(["", "1.", "v1", "1.2.3.4", "01", "256", "1.256", "1.2.65536", "1.2.3+4294967296", "1.2+3", "-1", "1.2.3-rc"])(
    "is not %j",
    (text) => {
      expect(reasonOf(() => parseImageVersion(text))).toBe("MCUBOOT_VERSION");
    },
  );
});
