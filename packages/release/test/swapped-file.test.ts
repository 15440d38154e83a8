// A file that becomes another one between two looks at it: what is published is what was checked.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { privateKey, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { encodeDescription } from "../src/input/description.js";
import { makeDraft, readInput } from "../src/input/draft.js";
import { prepareBoard } from "../src/product/board/prepare.js";
import { productIn } from "../src/product/file/read.js";

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
