// firmseal diff: what changes from one release to the next, in words and in JSON.

import { describe, expect, it } from "vitest";
import { FACTS, image, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { released, world } from "../product/product-place.js";
import { CLASSES, fetched, identity, release, setImage, VENDOR } from "../verify/described-place.js";

describe("diff", () => {
  it("shows a new image and a new place", async () => {
    const p = standard();
    await signImage(p, 1, "one.suit");
    p.put("fw.bin", image(20));
    await signImage(p, 2, "two.suit");
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "3", "--uri", "http://a/b", "--out", "three.suit"]);
    const text = async (...args: string[]) => (await p.ok(["diff", ...args])).stdout.trimEnd().split("\n");
    expect(await text("one.suit", "two.suit")).toEqual([
      "sequence number 1 before, 2 after",
      expect.stringMatching(/^image of component 00: before [\d,]+ bytes, sha-256 \S+; after 20 bytes, sha-256 \S+$/),
    ]);
    expect(await text("two.suit", "three.suit")).toEqual([
      "sequence number 2 before, 3 after",
      expect.stringMatching(/^vendor cfbff0d1-\S+, class \S+:$/),
      "  - installation: gets #firmware, which the envelope contains, into the component",
      "  + installation: gets http://a/b into the component",
    ]);
    expect(await text("two.suit", "two.suit")).toEqual(["sequence number 2 in both", "nothing else changes for a device"]);
    expect((await p.ok(["diff", "one.suit", "two.suit", "--json"])).json).toMatchObject({
      sequence: { before: "1", after: "2" },
      images: [{ component: "00" }],
      behaviour: [],
    });
  });

  it("shows devices and components that come and go", async () => {
    const p = standard();
    await release(p, "one", { install: fetched("#f") });
    await release(p, "two", {
      components: [["app"]],
      shared: identity(CLASSES[1]),
      install: fetched("#f"),
    });
    const { stdout } = await p.ok(["diff", "one.suit", "two.suit"]);
    expect(stdout).toContain(`no longer for devices of vendor ${VENDOR}, class ${CLASSES[0]}\n`);
    expect(stdout).toContain(`new: for devices of vendor ${VENDOR}, class ${CLASSES[1]}\n`);
    expect(stdout).toContain("new: the component app\n");
  });

  it("shows a device that now refuses", async () => {
    const p = standard();
    const invoke = [setImage("#f"), "condition-image-match", "directive-invoke"];
    await release(p, "one", { install: fetched("#f"), invoke });
    await release(p, "two", { install: [...fetched("#f"), "directive-invoke"], invoke });
    const { json } = await p.ok(["diff", "one.suit", "two.suit", "--json"]);
    const before = ["start: checks that the component has the image", "start: starts the component"];
    expect(json["behaviour"]).toMatchObject([{ before, after: [expect.stringContaining("refuses")] }]);
  });
});

describe("diff of a product", () => {
  const ESP32 = "dist/1.0.0/gateway-esp32-1.0.0.suit";

  it("has the names of the product file", async () => {
    const p = world();
    await released(p, "1.0.0");
    p.put("build/b.bin", image(3000, 9));
    await released(p, "1.0.1");
    const both = [ESP32, "dist/1.0.1/gateway-esp32-1.0.1.suit"];
    const { stdout } = await p.ok(["diff", ...both]);
    expect(stdout).toContain("class gateway-esp32-2");
    expect(stdout).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect((await p.ok(["diff", ...both, "--json", "--product", "firmseal.toml"])).json).toHaveProperty("names");
  });
});
