// The version that an image names, by its first bytes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageVersion, VERSION_BYTES } from "../src/named-version.js";

describe("the version of an image", () => {
  const at = (length: number, ...parts: [offset: number, values: readonly number[]][]) => {
    const out = new Uint8Array(length);
    for (const [offset, values] of parts) out.set(values, offset);
    return out;
  };
  const mcuboot = (...version: number[]) => at(64, [0, [0x3d, 0xb8, 0xf3, 0x96]], [8, [32, 0]], [20, version]);
  const descriptor = (text: string, magic = 0x32) => [
    [32, [magic, 0x54, 0xcd, 0xab]] as [number, number[]],
    [48, [...Buffer.from(text)]] as [number, number[]],
  ];
  const esp = (text: string, length = VERSION_BYTES) => at(length, [0, [0xe9, 4]], [12, [9, 0]], ...descriptor(text));

  it.each([
    ["MCUboot", mcuboot(1, 4, 2, 0, 0, 0, 0, 0), { format: "mcuboot", version: "1.4.2" }],
    ["MCUboot with a build number", mcuboot(1, 4, 2, 1, 7, 0, 0, 0), { format: "mcuboot", version: "1.4.258+7" }],
    ["MCUboot, 2^32 - 1 builds", mcuboot(0, 0, 0, 0, 255, 255, 255, 255), { format: "mcuboot", version: "0.0.0+4294967295" }],
    ["MCUboot without one", mcuboot(0), { format: "mcuboot", version: undefined }],
    ["an app of ESP-IDF", esp("v1.4.2-3-gabc"), { format: "esp", version: "v1.4.2-3-gabc" }],
    ["an app whose version fills its field", esp("1".repeat(32)), { format: "esp", version: "1".repeat(32) }],
    ["an app with an empty version", esp(""), { format: "esp", version: undefined }],
    ["an app without a descriptor", at(288, [0, [0xe9, 4]], [12, [9, 0]]), { format: "esp", version: undefined }],
    ["an app that ends in its descriptor", esp("1.4.2", 79), { format: "esp", version: undefined }],
  ])("%s", (_, head, found) => {
    expect(imageVersion(head)).toEqual(found);
    // a view into a larger file
    const whole = new Uint8Array(head.length + 7);
    whole.set(head, 7);
    expect(imageVersion(whole.subarray(7))).toEqual(found);
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["plain bytes", at(288, [0, [0, 1, 2]])],
    ["a header of MCUboot that is cut", mcuboot(1).subarray(0, 31)],
    ["a header of MCUboot with flags that do not exist", at(64, [0, [0x3d, 0xb8, 0xf3, 0x96]], [8, [32, 0]], [16, [0, 0x10]], [20, [1]])],
    ["a header of MCUboot that is shorter than a header", at(64, [0, [0x3d, 0xb8, 0xf3, 0x96]], [8, [31, 0]], [20, [1]])],
    ["an app for a chip that does not exist", at(288, [0, [0xe9, 4]], [12, [77, 0]], ...descriptor("1.0.0"))],
    ["an app with 17 segments", at(288, [0, [0xe9, 17]], [12, [9, 0]], ...descriptor("1.0.0"))],
  ])("%s: no format with a version", (_, head) => {
    expect(imageVersion(head)).toBeUndefined();
  });

  it("any bytes: an answer, and no error", () => {
    const heads = fc.uint8Array({ maxLength: 300 }).map((b) => (b.length % 2 === 0 ? b : Uint8Array.of(0xe9, 1, ...b)));
    fc.assert(fc.property(heads, (head) => ["esp", "mcuboot", undefined].includes(imageVersion(head)?.format)));
  });
});
