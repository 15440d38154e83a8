// The vectors that espsecure made, and those that it accepts although a chip does not.
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { haveVectors, vectorBytes, vectorJson } from "../../../test-support/src/vectors.js";
import { readBlock } from "../../src/esp32/block.js";
import { ESP32 } from "../../src/esp32/esp32.js";
import { ecdsaFromDer, espKeyDigest, type FormatKey, formatOf } from "../../src/index.js";
import { publicOf, reasonOf, secretOf } from "../common.js";
import { acceptedCuts, acceptedMutants, CASES } from "../damage.js";
import { signWith } from "./image.js";

interface Vector {
  readonly file: string;
  readonly case?: string;
  readonly keys: readonly string[];
  readonly expect: string;
}

const index = haveVectors
  ? vectorJson<{ vectors: Vector[]; key_digests_sha256: { [key: string]: string } }>("field/esp32/index.json")
  : { vectors: [], key_digests_sha256: {} };
const bytesOf = (name: string) => vectorBytes(`field/esp32/${name}`);
const keyNames = (vector: Vector) => vector.keys.map((file) => /^TEST-ONLY-(.+)\.pub\.pem$/.exec(file)?.[1] as string);
const keysOf = (vector: Vector): FormatKey[] => keyNames(vector).map(publicOf);
const good = index.vectors.filter((vector) => vector.expect === "accept");
const bad = index.vectors.filter((vector) => vector.expect !== "accept");
const titled = (vectors: readonly Vector[]) => vectors.map((vector) => [`${vector.file} ${vector.case ?? ""}`.trim(), vector] as const);

const SECTOR = 8192;

/** The unsigned image of a vector: of esp32-rsa3072.bin that of esp32, else of esp32c3, esp32h2 or esp32c5. */
const unsigned = ({ file }: Vector) => {
  const [chip] = file.split("-");
  return bytesOf(`app-${chip === "esp32" ? chip : `esp32${chip}`}.bin`);
};

/** Why each negative one is refused: the difference that its note names. */
const REASONS: { readonly [file: string]: string } = {
  "h2-p256.bin": "FORMAT_NO_KEY",
  "bad-body.bin": "ESP32_CHECKSUM",
  "bad-padding.bin": "ESP32_FILLER",
  "bad-crc.bin": "ESP32_BLOCK_CRC",
  "bad-sig-crcfixed.bin": "FORMAT_SIGNATURE",
  "bad-digestfield.bin": "ESP32_DIGEST",
  "bad-magic.bin": "ESP32_BLOCK",
  "bad-pubkey.bin": "ESP32_BLOCK_KEY",
  "bad-p256-pubkey.bin": "ESP32_BLOCK_KEY",
  "bad-p256-body.bin": "ESP32_CHECKSUM",
  "bad-p256-sig.bin": "FORMAT_SIGNATURE",
  "bad-truncated.bin": "ESP32_LENGTH",
  "bad-second-block-wrong-digest.bin": "ESP32_DIGEST",
};

describe.skipIf(!haveVectors)("an image of espsecure", () => {
  it.each(titled(good))("%s is recognized and verified", (_, vector) => {
    const bytes = bytesOf(vector.file);
    expect(formatOf(bytes)).toBe(ESP32);
    const file = ESP32.read(bytes);
    const keys = keysOf(vector);
    expect(file.verify(keys)).toEqual(keys.map((key, signature) => ({ key, signature })));
    for (const [signature, key] of keys.entries()) expect(file.verify([key])).toEqual([{ key, signature }]);
    expect(file.facts.signatures.map(({ key }) => key)).toEqual(keyNames(vector).map((name) => index.key_digests_sha256[name]));
    expect(reasonOf(() => file.verify([publicOf("ed25519")]))).toBe("FORMAT_NO_KEY");
  });

  it.each(titled(good).filter(([file]) => !file.includes("p192")))("%s is made again, up to the signature", (_, vector) => {
    const bytes = bytesOf(vector.file);
    const again = keysOf(vector).reduce(
      (file, key, i) => {
        const at = SECTOR + i * 1216;
        expect(file.toBeSigned(key).message).toEqual(bytes.slice(0, SECTOR));
        return file.withSignature(key, readBlock(bytes.subarray(at, at + 1216), at).signature);
      },
      ESP32.read(unsigned(vector)),
    );
    expect(again.bytes).toEqual(bytes);
    const ours = signWith(ESP32.read(unsigned(vector)), ...keyNames(vector).map(secretOf));
    expect(ours.verify(keysOf(vector))).toHaveLength(vector.keys.length);
  });

  it("gets signatures that were made elsewhere", () => {
    for (const [chip, key, signature, file] of [
      ["esp32c3", "rsa3072", bytesOf("ext-rsa3072.sig"), "c3-rsa3072-external.bin"],
      ["esp32h2", "p256", ecdsaFromDer(bytesOf("ext-p256.sig.der"), 64), "h2-p256-external.bin"],
    ] as const)
      for (const from of [`app-${chip}.bin`, `app-${chip}.padded.tbs`]) {
        const read = ESP32.read(bytesOf(from));
        expect(read.toBeSigned(publicOf(key)).message).toEqual(bytesOf(`app-${chip}.padded.tbs`));
        expect(read.withSignature(publicOf(key), signature).bytes).toEqual(bytesOf(file));
      }
  });

  it.each(titled(bad))("%s is refused", (_, vector) => {
    expect(reasonOf(() => ESP32.read(bytesOf(vector.file)).verify(keysOf(vector)))).toBe(REASONS[vector.file]);
  });

  it("has the digest of its key in the eFuses", () => {
    for (const [name, digest] of Object.entries(index.key_digests_sha256))
      expect(Buffer.from(espKeyDigest(publicOf(name))).toString("hex")).toBe(digest);
  });

  it("with P-192 is verified, but not made", () => {
    expect(reasonOf(() => ESP32.read(bytesOf("app-esp32h2.bin")).toBeSigned(publicOf("p192")))).toBe("FORMAT_KEY");
  });
});

describe.skipIf(!haveVectors)("a damaged image", () => {
  const files = ["c3-rsa3072-x3.bin", "h2-p256-x2.bin", "h2-p192.bin", "c5-p384.bin"];
  const vectorOf = (name: string) => good.find(({ file }) => file === name) as Vector;

  it.each(files)("%s is refused wherever it is cut off", (name) => {
    const keys = keysOf(vectorOf(name));
    expect(acceptedCuts(bytesOf(name), (cut) => ESP32.read(cut).verify(keys))).toEqual([]);
  });

  it.each(files)(`%s is refused with any of ${CASES} changes, also with all checksums right`, (name) => {
    const keys = keysOf(vectorOf(name));
    const verify = (bytes: Uint8Array) => ESP32.read(bytes).verify(keys);
    expect(acceptedMutants(bytesOf(name), verify)).toEqual([]);
    // only the blocks change, and their CRCs with them
    const bytes = bytesOf(name);
    const head = bytes.slice(0, SECTOR);
    const withCrcs = (blocks: Uint8Array) => {
      for (let at = 0; at + 1216 <= blocks.length && blocks[at] === 0xe7; at += 1216)
        new DataView(blocks.buffer).setUint32(at + 1196, crc32(blocks.subarray(at, at + 1196)), true);
    };
    expect(acceptedMutants(bytes.slice(SECTOR), (sector) => verify(Buffer.concat([head, sector])), 2, withCrcs)).toEqual([]);
  });
});
