// The recipe for a board: what `sign` makes of one image, and what only it can say. Devices with each slot and class decide.

import { type Device, errors, install, type Trust } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { HASHES } from "../src/alg/hash.js";
import {
  anchorOf,
  boardRelease,
  draftOf,
  identityUuids,
  type PlacedImage,
  privateKey,
  publicOf,
  signedWithoutLog,
  signer,
  singleImage,
} from "../src/index.js";

const key = privateKey("ed25519", new Uint8Array(32).fill(7));
const trust: Trust = { anchors: [anchorOf(publicOf(key))] };
const image = (name: string, uri = `#${name}`): PlacedImage => {
  const payload = new TextEncoder().encode(`image ${name}`);
  return { digest: toHex(HASHES["sha-256"].hash(payload)), size: payload.length, uri, payload };
};
const device = (name: string, components: number[][][] = [[[0]]]) => {
  const id = identityUuids("example.com", name);
  return memoryDevice({ vendor: [id.vendor], class: [id.class] }, components, 100);
};
type Facts = Parameters<typeof boardRelease>[0];
const signed = async (facts: Omit<Facts, "vendor" | "sequence">) =>
  (await signedWithoutLog(draftOf(boardRelease({ vendor: "example.com", sequence: 7, ...facts })), [signer(key)])).bytes;
const installed = (bytes: Uint8Array, on: ReturnType<typeof device>) => {
  install(bytes, trust, on as Device).next();
  return on.parts.map((part) => new TextDecoder().decode(Uint8Array.from(part.slots[part.current] as number[])));
};

describe("a release for a board", () => {
  it("with one image is what sign makes of it", () => {
    const facts = { sequence: 7, vendor: "example.com", ...image("a") };
    const { digest, size, uri, payload } = image("a");
    expect(
      boardRelease({
        sequence: 7,
        vendor: "example.com",
        classes: ["x"],
        components: [{ images: [{ digest, size, uri, payload }] }],
      } as Facts),
    ).toEqual(singleImage({ ...facts, class: "x" }));
  });

  it("installs the image of the slot that is not current, and the other one next time", async () => {
    const bytes = await signed({ classes: ["x"], components: [{ images: [image("a"), image("b")] }] });
    const on = device("x");
    expect(installed(bytes, on)).toEqual(["image b"]);
    expect(installed(bytes, on)).toEqual(["image a"]);
  });

  it("is for each hardware revision that it names, and for no other", async () => {
    const bytes = await signed({ classes: ["x-1", "x-2"], components: [{ images: [image("a")] }] });
    for (const name of ["x-1", "x-2"]) expect(installed(bytes, device(name))).toEqual(["image a"]);
    const on = device("x-3");
    expect(() => installed(bytes, on)).toThrow(expect.objectContaining({ code: errors.TRY_EACH_EXHAUSTED }));
  });

  it("installs several components together", async () => {
    const radio = [...new TextEncoder().encode("radio")];
    const bytes = await signed({
      classes: ["x-1", "x-2"],
      components: [{ images: [image("a"), image("b")] }, { component: ["radio"], images: [image("r")] }],
    });
    expect(installed(bytes, device("x-2", [[[0]], [radio]]))).toEqual(["image b", "image r"]);
  });
});
