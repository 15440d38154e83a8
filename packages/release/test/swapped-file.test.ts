// A file that becomes another one between two looks at it: what is published is what was checked.

import { createHash } from "node:crypto";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReleaseRecord } from "@firmseal/behaviour";
import { encode, privateKey, singleImage, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { productIn } from "../src/product/file/read.js";
import { recorded, releasesIn } from "../src/product/record.js";
import { prepareBoard } from "../src/release/board/prepare.js";
import { encodeDescription } from "../src/signing/description.js";
import { makeDraft, readInput } from "../src/signing/draft.js";

describe("a private key that replaces an image while it is read", () => {
  const secret = JSON.stringify(toPrivateJwk(privateKey("ed25519", new Uint8Array(32).fill(9))));

  /** A folder with an image in it, and what puts a key there, or an image again. */
  function place() {
    const folder = temporaryFolder("firmseal-swapped-");
    const path = join(folder, "fw.bin");
    const image = () => writeFileSync(path, "firmware");
    image();
    return { at: (name: string) => join(folder, name), path, key: () => writeFileSync(path, secret), image };
  }

  it("is not published by sign, which reads a short file once", async () => {
    const { path, key } = place();
    const o = { vendor: "example.com", class: "board", seq: 1n };
    const input = await readInput(path, o);
    key();
    const { bytes } = (await makeDraft(input, o)).draft(() => 1n);
    expect(Buffer.from(bytes).toString("latin1")).toContain("firmware");
    expect(Buffer.from(bytes).toString("latin1")).not.toContain("kty");
  });

  it("is not published by sign, which looks again at a file that was long", async () => {
    const { path, key } = place();
    const o = { vendor: "example.com", class: "board", seq: 1n };
    writeFileSync(path, new Uint8Array(100_000));
    const input = await readInput(path, o);
    key();
    await expect(makeDraft(input, o)).rejects.toThrow("is a private key");
  });

  it("is not published in the payload of a description", async () => {
    const { at, key, image } = place();
    key();
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 1,
      components: [["00"]],
      install: [{ "directive-override-parameters": { uri: "#a" } }, "directive-fetch"],
      payloads: { "#a": { file: "fw.bin" } },
    };
    const o = {
      get key() {
        image();
        return [];
      },
    };
    await expect(encodeDescription(Buffer.from(JSON.stringify(description)), at("d.json"), o)).rejects.toThrow("is a private key");
  });

  it("is not published by release", async () => {
    const { at, key, image } = place();
    key();
    const product = productIn(at("firmseal.toml"), 'name = "a"\nvendor = "example.com"\n[boards.b]\nimage = "fw.bin"\n');
    const keys = {
      ...product.keys,
      get release() {
        image();
        return [];
      },
    };
    const [board] = product.boards;
    await expect(prepareBoard({ ...product, keys }, board as (typeof product.boards)[number], "1.0.0")).rejects.toThrow("is a private key");
  });
});

describe("the envelope of an earlier release", () => {
  it("is the one whose digest was compared, even if the file is replaced meanwhile", async () => {
    const folder = temporaryFolder("firmseal-swapped-");
    const file = join(folder, "b.suit");
    const [one, other] = [1, 2].map((sequence) =>
      encode(singleImage({ sequence, vendor: "example.com", class: "b", digest: "00".repeat(32), size: 3, uri: "b.bin" })),
    ) as [Uint8Array, Uint8Array];
    writeFileSync(file, one);
    const digest = `sha-256:${createHash("sha256").update(one).digest("hex")}`;
    const record = { artifacts: [{ kind: "envelope", board: "b", file: "b.suit", size: one.length, digest }] } as unknown as ReleaseRecord;
    const found = recorded({ path: folder, record }, "b");
    writeFileSync(file, other);
    expect((await found)?.envelope).toEqual(one);
    await expect(recorded({ path: folder, record }, "b")).rejects.toThrow("has changed since it was released");
    rmSync(file);
    await expect(recorded({ path: folder, record }, "b")).rejects.toThrow("is missing");
  });
});

it("a release whose record cannot be looked for is not one that is not there", () => {
  const folder = temporaryFolder("firmseal-swapped-");
  const product = productIn(join(folder, "firmseal.toml"), 'name = "a"\nvendor = "example.com"\n[boards.b]\nimage = "fw.bin"\n');
  mkdirSync(join(folder, "1.0.0"));
  writeFileSync(join(folder, "notes"), "");
  symlinkSync("nowhere", join(folder, "1.1.0"));
  expect(releasesIn(folder, product)).toEqual([]);
  symlinkSync("1.2.0", join(folder, "1.2.0"));
  expect(() => releasesIn(folder, product)).toThrow("release.json");
});
