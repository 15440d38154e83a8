// Each rule of images, tried with an image that has this fault and no other. Many of them `imgtool verify` accepts.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatOf } from "../../src/formats.js";
import { formatKey } from "../../src/key/key.js";
import { MCUBOOT } from "../../src/mcuboot/mcuboot.js";
import { FORMAT_REFUSALS } from "../../src/refusals/numbers.js";
import { reasonOf } from "../common.js";
import { type Craft, type CraftedTlv, craft, digestOf, key } from "./craft.js";

const zeros = (n: number) => new Uint8Array(n);
const counter: CraftedTlv = [0x50, [7, 0, 0, 0]];
const magic8 = [0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80];
const trailer = (change: (bytes: Uint8Array) => void) => {
  const bytes = zeros(128).fill(0xff);
  bytes.set(magic8, 112);
  change(bytes);
  return bytes;
};

/** What is wrong, the image, the refusal. */
const FAULTS: readonly [what: string, image: Craft, reason: string][] = [
  ["a header of 31 bytes", { headerSize: 32, pad: 0, imageSize: 0 }, "MCUBOOT_HEADER"],
  ["a header whose last bytes are not 0", { pad: 1 }, "MCUBOOT_HEADER"],
  ["a load address without a flag", { loadAddress: 4 }, "MCUBOOT_HEADER"],
  ["the flag of position independent code", { flags: 1 }, "MCUBOOT_FLAGS"],
  ["an unknown flag", { flags: 0x8000_0000 }, "MCUBOOT_FLAGS"],
  ["both AES flags", { flags: 0xc }, "MCUBOOT_FLAGS"],
  ["both kinds of load address", { flags: 0x120 }, "MCUBOOT_FLAGS"],
  ["both kinds of compression", { flags: 0x600 }, "MCUBOOT_FLAGS"],
  ["a filter of compression alone", { flags: 0x800 }, "MCUBOOT_FLAGS"],
  ["a decompressed size alone", { facts: [[0x70, zeros(4)]] }, "MCUBOOT_FLAGS"],
  [
    "compression",
    {
      flags: 0x400,
      facts: [
        [0x70, zeros(4)],
        [0x71, zeros(32)],
        [0x72, zeros(64)],
      ],
    },
    "MCUBOOT_COMPRESSED",
  ],
  ["a protected size without the area", { protectedSize: 12 }, "MCUBOOT_PROTECTED_SIZE"],
  ["a protected area and no size", { facts: [counter], protectedSize: 0 }, "MCUBOOT_PROTECTED_SIZE"],
  ["a protected size that is too large", { facts: [counter], protectedSize: 13 }, "MCUBOOT_PROTECTED_SIZE"],
  ["two counters", { facts: [counter, counter] }, "MCUBOOT_TLV_DUPLICATE"],
  ["a counter of 8 bytes", { facts: [[0x50, zeros(8)]] }, "MCUBOOT_TLV_LENGTH"],
  [
    "two TLVs of one type of a vendor",
    {
      facts: [
        [0xa0, [1]],
        [0xa0, [2]],
      ],
    },
    "MCUBOOT_TLV_DUPLICATE",
  ],
  ["an unknown type below those of vendors", { facts: [[0x9f, [1]]] }, "MCUBOOT_TLV_TYPE"],
  ["type 0xffff, which no tool writes", { facts: [[0xffff, [1]]] }, "MCUBOOT_TLV_TYPE"],
  ["a hash in the protected area", { facts: [digestOf("sha256", 1)] }, "MCUBOOT_TLV_AREA"],
  ["a dependency with bytes that must be 0", { facts: [[0x40, [1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]]] }, "MCUBOOT_TLV_VALUE"],
  ["a vendor of 15 bytes", { facts: [[0x74, zeros(15)]] }, "MCUBOOT_TLV_LENGTH"],
  ["a counter outside of the protected area", { tlvs: (all) => [...all, counter] }, "MCUBOOT_TLV_AREA"],
  ["a vendor's TLV outside of the protected area", { tlvs: (all) => [...all, [0xa0, [1]]] }, "MCUBOOT_TLV_AREA"],
  [
    "a type with a high byte, of which imgtool reads the low one",
    { tlvs: ([hash, ...all]) => [[0x0110, hash?.[1] ?? []], ...all] },
    "MCUBOOT_TLV_AREA",
  ],
  ["a signature of P-224", { tlvs: ([hash, by]) => [hash, by, [0x21, zeros(64)]] as CraftedTlv[] }, "MCUBOOT_TLV_TYPE"],
  ["no hash", { tlvs: ([, ...all]) => all }, "MCUBOOT_TLV_ORDER"],
  ["no TLV", { tlvs: () => [] }, "MCUBOOT_TLV_ORDER"],
  ["the hash of other bytes", { tlvs: ([, ...all]) => [digestOf("sha256", 1), ...all] }, "MCUBOOT_HASH"],
  ["a wrong second hash behind the signature", { tlvs: (all) => [...all, digestOf("sha512", 1)] }, "MCUBOOT_TLV_ORDER"],
  ["the same hash twice", { tlvs: ([hash, ...all]) => [hash, hash, ...all] as CraftedTlv[] }, "MCUBOOT_TLV_DUPLICATE"],
  ["no key hash", { tlvs: ([hash, , signature]) => [hash, signature] as CraftedTlv[] }, "MCUBOOT_TLV_ORDER"],
  ["a key hash of 0 bytes", { tlvs: ([hash, , signature]) => [hash, [0x01, []], signature] as CraftedTlv[] }, "MCUBOOT_TLV_LENGTH"],
  [
    "a key hash of 4 bytes",
    { tlvs: ([hash, by, signature]) => [hash, [0x01, by?.[1].slice(0, 4)], signature] as CraftedTlv[] },
    "MCUBOOT_TLV_LENGTH",
  ],
  [
    "a key hash of another hash",
    { tlvs: ([hash, , signature]) => [hash, [0x01, zeros(64)], signature] as CraftedTlv[] },
    "MCUBOOT_TLV_LENGTH",
  ],
  ["a key hash behind the signature", { tlvs: ([hash, by, signature]) => [hash, signature, by] as CraftedTlv[] }, "MCUBOOT_TLV_ORDER"],
  ["a key without a signature", { tlvs: (all) => all.slice(0, 2) }, "MCUBOOT_TLV_ORDER"],
  ["a public key of another key", { tlvs: ([hash, , signature]) => [hash, [0x02, zeros(44)], signature] as CraftedTlv[] }, "FORMAT_NO_KEY"],
  [
    "a public key of 43 bytes",
    { tlvs: ([hash, , signature]) => [hash, [0x02, zeros(43)], signature] as CraftedTlv[] },
    "MCUBOOT_TLV_LENGTH",
  ],
  ["an Ed25519 signature of 65 bytes", { tlvs: ([hash, by]) => [hash, by, [0x24, zeros(65)]] as CraftedTlv[] }, "MCUBOOT_TLV_LENGTH"],
  [
    "a signature of a type that is not that of the key",
    { tlvs: ([hash, by]) => [hash, by, [0x20, zeros(256)]] as CraftedTlv[] },
    "FORMAT_SIGNATURE",
  ],
  ["a second, wrong signature of the key", { tlvs: (all) => [...all, all[1], [0x24, zeros(64)]] as CraftedTlv[] }, "FORMAT_SIGNATURE"],
  ["a second, right signature of the key", { tlvs: (all) => [...all, all[1], all[2]] as CraftedTlv[] }, "MCUBOOT_TLV_DUPLICATE"],
  [
    "a second, right signature of the key under its whole encoding",
    { tlvs: (all) => [...all, [0x02, key.spki], all[2]] as CraftedTlv[] },
    "MCUBOOT_TLV_DUPLICATE",
  ],
  ["no signature", { tlvs: ([hash]) => [hash] as CraftedTlv[] }, "FORMAT_NOT_SIGNED"],
  ["SHA-384 with Ed25519", { hash: "sha384" }, "MCUBOOT_HASH_KIND"],
  ["SHA-256 with pure signatures", { tlvs: ([hash, ...all]) => [hash, [0x25, [1]], ...all] as CraftedTlv[] }, "MCUBOOT_HASH_KIND"],
  [
    "the mark of pure signatures at a signature over the hash",
    { hash: "sha512", tlvs: ([hash, ...all]) => [hash, [0x25, [1]], ...all] as CraftedTlv[] },
    "FORMAT_SIGNATURE",
  ],
  [
    "the mark with the value 0",
    { isPure: true, tlvs: ([hash, , ...all]) => [hash, [0x25, [0]], ...all] as CraftedTlv[] },
    "MCUBOOT_TLV_VALUE",
  ],
  [
    "the mark with the value 2",
    { isPure: true, tlvs: ([hash, , ...all]) => [hash, [0x25, [2]], ...all] as CraftedTlv[] },
    "MCUBOOT_TLV_VALUE",
  ],
  [
    "the mark with 2 bytes",
    { isPure: true, tlvs: ([hash, , ...all]) => [hash, [0x25, [1, 1]], ...all] as CraftedTlv[] },
    "MCUBOOT_TLV_LENGTH",
  ],
  [
    "the mark behind the signature",
    { isPure: true, tlvs: ([hash, mark, ...all]) => [hash, ...all, mark] as CraftedTlv[] },
    "MCUBOOT_TLV_ORDER",
  ],
  ["a wrong hash beside a pure signature", { isPure: true, tlvs: ([, ...all]) => [digestOf("sha512", 1), ...all] }, "MCUBOOT_HASH"],
  [
    "pure signatures by ECDSA",
    { hash: "sha512", tlvs: ([hash, by]) => [hash, [0x25, [1]], by, [0x22, zeros(70)]] as CraftedTlv[] },
    "MCUBOOT_HASH_KIND",
  ],
  [
    "an ECDSA signature that is not DER",
    { tlvs: ([hash, by]) => [hash, by, [0x22, zeros(70)]] as CraftedTlv[] },
    "FORMAT_SIGNATURE_ENCODING",
  ],
  ["an AES flag without a wrapped key", { flags: 4 }, "MCUBOOT_ENCRYPTION"],
  ["a wrapped key without an AES flag", { tlvs: (all) => [...all, [0x33, zeros(80)]] }, "MCUBOOT_ENCRYPTION"],
  ["a wrapped key of the other AES", { flags: 8, tlvs: (all) => [...all, [0x33, zeros(80)]] }, "MCUBOOT_TLV_LENGTH"],
  ["two wrapped keys", { flags: 4, tlvs: (all) => [...all, [0x33, zeros(80)], [0x32, zeros(113)]] }, "MCUBOOT_TLV_DUPLICATE"],
  ["an encrypted payload", { flags: 4, tlvs: ([, ...all]) => [digestOf("sha256", 1), ...all, [0x33, zeros(80)]] }, "MCUBOOT_ENCRYPTED"],
  ["a byte behind the image", { after: zeros(1) }, "MCUBOOT_TRAILER"],
  ["filler without a trailer", { after: zeros(128).fill(0xff) }, "MCUBOOT_TRAILER"],
  ["a byte in the filler", { after: trailer((bytes) => bytes.fill(0, 3, 4)) }, "MCUBOOT_TRAILER"],
  ["image_ok of 2", { after: trailer((bytes) => bytes.fill(2, 104, 105)) }, "MCUBOOT_TRAILER"],
  ["copy_done", { after: trailer((bytes) => bytes.fill(1, 96, 97)) }, "MCUBOOT_TRAILER"],
  ["a magic number without room for the fields", { after: trailer(() => undefined).slice(100) }, "MCUBOOT_TRAILER"],
  [
    "a magic number for an alignment of 24",
    {
      after: trailer((bytes) =>
        bytes.set([24, 0, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a], 112),
      ),
    },
    "MCUBOOT_TRAILER",
  ],
];

const verdict = (bytes: Uint8Array) => reasonOf(() => MCUBOOT.read(bytes).verify([key]));

describe("an image", () => {
  it.each<[string, Craft]>([
    ["a hash and a signature", {}],
    ["SHA-512", { hash: "sha512" }],
    ["a pure signature", { isPure: true }],
    [
      "facts",
      {
        facts: [
          counter,
          [0x40, [1, 0, 0, 0, 1, 2, 3, 0, 4, 0, 0, 0]],
          [0x40, [2, 0, 0, 0, 1, 2, 3, 0, 4, 0, 0, 0]],
          [0xa0, []],
          [0xfffe, [1]],
        ],
      },
    ],
    ["a flag and a load address", { flags: 0x20, loadAddress: 0x2000_0000 }],
    ["a second signature, of an unknown key", { tlvs: (all) => [...all, [0x01, zeros(32)], [0x24, zeros(64)]] }],
    ["the whole public key", { tlvs: ([hash, , signature]) => [hash, [0x02, key.spki], signature] as CraftedTlv[] }],
    ["a trailer", { after: trailer(() => undefined) }],
    ["a trailer that confirms", { after: trailer((bytes) => bytes.fill(1, 104, 105)) }],
    ["a wrapped key, and its payload in clear", { flags: 4, tlvs: (all) => [...all, [0x33, zeros(80)]] }],
  ])("with %s is verified", (_, image) => expect(verdict(craft(image))).toBe(""));

  it.each(FAULTS)("with %s is refused", (_, image, reason) => expect(verdict(craft(image))).toBe(reason));

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ["of version 1", (b) => b.fill(0x3c, 0, 1), "MCUBOOT_MAGIC"],
    ["for a big-endian processor", (b) => Uint8Array.of(...b.slice(0, 4).reverse(), ...b.slice(4)), "MCUBOOT_BIG_ENDIAN"],
    ["whose header names 31 bytes", (b) => b.fill(31, 8, 9), "MCUBOOT_HEADER"],
    ["with another magic number of the area", (b) => b.fill(0, 132, 133), "MCUBOOT_TLV_MAGIC"],
    ["with an area of 3 bytes", (b) => b.fill(3, 134, 135).fill(0, 135, 136), "MCUBOOT_TLV_BOUNDS"],
    ["with an area that ends in the head of a TLV", (b) => b.fill(6, 134, 135), "MCUBOOT_TLV_BOUNDS"],
    ["with a TLV that is longer than its area", (b) => b.fill(0xff, 138, 140), "MCUBOOT_TLV_BOUNDS"],
    ["that ends in the header", (b) => b.slice(0, 31), "MCUBOOT_TRUNCATED"],
  ])("%s is refused", (_, change, reason) => {
    const bytes = change(craft());
    expect([MCUBOOT.looksLike(bytes), formatOf(bytes)]).toEqual([true, MCUBOOT]);
    expect(verdict(bytes)).toBe(reason);
  });

  it.each([[], [0x3d], [0x3d, 0xb8, 0xf3], [0x3e, 0xb8, 0xf3, 0x96], [0xd8, 0x6b]])("is not seen in bytes %j %j %j %j", (...bytes) => {
    expect(formatOf(Uint8Array.from(bytes.filter((byte) => byte !== undefined)))).toBeUndefined();
  });

  it("is verified by the keys that can have signed it, whatever the others are", () => {
    const other = formatKey(generateKeyPairSync("ec", { namedCurve: "prime192v1" }).publicKey);
    const file = MCUBOOT.read(craft());
    expect(file.verify([other, key])).toEqual([{ key, signature: 0 }]);
    expect([reasonOf(() => file.verify([other])), reasonOf(() => file.verify([]))]).toEqual(["FORMAT_KEY", "FORMAT_NO_KEY"]);
  });

  it("that its trailer confirms has a warning", () => {
    const confirmed = craft({ after: trailer((bytes) => bytes.fill(1, 104, 105)) });
    expect(MCUBOOT.read(confirmed).facts.warnings.join()).toContain("no signature covers the trailer");
    expect(MCUBOOT.read(craft({ after: trailer(() => undefined) })).facts.warnings).toEqual([]);
  });

  it("whose area is full of signatures by unknown keys gets no other one", () => {
    const unknown = (n: number) =>
      Array.from({ length: n }, (_, i): CraftedTlv[] => [
        [0x01, zeros(32).fill(i % 256)],
        [0x24, zeros(64)],
      ]);
    const full = (n: number) => MCUBOOT.read(craft({ tlvs: ([hash]) => [hash, ...unknown(n).flat()] as CraftedTlv[] }));
    expect(reasonOf(() => full(628).withSignature(key, zeros(64)))).toBe("");
    expect(reasonOf(() => full(629).withSignature(key, zeros(64)))).toBe("MCUBOOT_TLV_BOUNDS");
  });

  it("is refused for each reason of the table that reading and verifying have", () => {
    const ofBuilding = ["MCUBOOT_SLOT", "MCUBOOT_VERSION", "MCUBOOT_INPUT"];
    const tried = new Set([
      ...FAULTS.map(([, , reason]) => reason),
      "MCUBOOT_MAGIC",
      "MCUBOOT_BIG_ENDIAN",
      "MCUBOOT_TLV_MAGIC",
      "MCUBOOT_TLV_BOUNDS",
      "MCUBOOT_TRUNCATED",
    ]);
    const all = Object.keys(FORMAT_REFUSALS).filter((name) => name.startsWith("MCUBOOT_") && !ofBuilding.includes(name));
    expect(all.filter((name) => !tried.has(name))).toEqual([]);
  });
});
