// What no signature covers, in pages: it stands under "Not checked by this page", and never under a good verdict.

import { minifiedBundle } from "@firmseal/bundler";
import type { ReleaseReport, ReportData } from "@firmseal/report";
import { privateKey } from "@firmseal/signer";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { released, world } from "../../cli/test/product/product-place.js";
import { chromiumPath, NO_BROWSER } from "../../test-support/src/browser.js";
import { FACTS, type Place, privateJwk, signImage, standard } from "../../test-support/src/command-line/run.js";
import { FOR_BOTH_CLASSES, forSlot, REFUSED_BY_ONE_CLASS } from "../../test-support/src/refused-by-one-class.js";
import { type Opened, Reader, urlOf } from "./pages.js";

const { reportHtml } = (await import(new URL("../lib/index.js", import.meta.url).href)) as typeof import("@firmseal/report");

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

let reader: Reader;
let p: Place;
let html: string;
beforeAll(async () => {
  p = world();
  await released(p, "1.4.2", "--first");
  await p.ok(["report", "dist/1.4.2", "--key", "A.jwk", "--out", "r.html"]);
  html = p.get("r.html").toString();
  if (chromiumPath) reader = await Reader.start();
});
afterAll(async () => {
  await reader?.close();
});

let made: Promise<string> | undefined;
const bundle = () =>
  (made ??= minifiedBundle({ algs: ["ed25519", "es256"], features: ["install", "errors", "copy", "trust"], format: "script" }));

function contentOf(): ReleaseReport {
  const data = JSON.parse(/<script type="application\/json" id="data">(.*)<\/script>/.exec(html)?.[1] ?? "") as { parts: ReportData[] };
  const held = (id: string) => new RegExp(`id="${id}">([^<]*)<`).exec(html)?.[1] ?? "";
  const boards = data.parts.map((part, i) => ({ ...part, envelope: held(`envelope-${i}`) }));
  return { file: "gateway 1.4.2", made: "", record: held("record"), boards };
}

type Recorded = { product: string; vendor: string; artifacts: { [member: string]: unknown }[] };

/** The page of the release, made with another record or other data. */
async function pageWith(changeRecord: (record: Recorded) => void, changeContent: (content: ReleaseReport) => void = () => {}) {
  const content = contentOf();
  const record = JSON.parse(Buffer.from(content.record, "base64").toString()) as Recorded;
  changeRecord(record);
  changeContent(content);
  p.put("other.html", reportHtml({ ...content, record: Buffer.from(JSON.stringify(record)).toString("base64") }, await bundle()));
  return reader.opened(urlOf(p, "other.html"));
}

/** The text of a page outside of what it says it has not checked, with its title. */
async function checkedText({ page }: Opened): Promise<string> {
  return (await page.evaluate(`(() => {
    const main = document.querySelector("main").cloneNode(true);
    for (const one of main.querySelectorAll(".told")) one.remove();
    return document.title + "\\n" + main.textContent;
  })()`)) as string;
}

const toldText = async ({ page }: Opened) => (await page.locator(".told").allTextContents()).join("\n");

describe.skipIf(!chromiumPath)(`what no signature covers${NO_BROWSER}`, () => {
  it.each<[string, string, (record: Recorded) => void, (content: ReleaseReport) => void]>([
    ["the product in release.json", "insulin-pump", (r) => Object.assign(r, { product: "insulin-pump" }), () => {}],
    ["the name of the page", "insulin-pump 9.9", () => {}, (c) => Object.assign(c, { file: "insulin-pump 9.9" })],
    [
      "names of identifiers",
      "insulin-pump",
      () => {},
      (c) => {
        for (const one of c.boards) for (const id of Object.keys(one.names)) one.names[id] = "insulin-pump";
        const [{ artifacts }] = [JSON.parse(Buffer.from(c.record, "base64").toString()) as { artifacts: { classes: { id: string }[] }[] }];
        for (const one of c.boards) for (const { classes } of artifacts) for (const { id } of classes) one.names[id] = "insulin-pump";
      },
    ],
    [
      "the name of a board",
      "insulin-pump",
      (r) => {
        for (const one of r.artifacts) if (one["board"] === "puck") one["board"] = "insulin-pump";
      },
      (c) => {
        for (const one of c.boards) if (one.board === "puck") one.board = "insulin-pump";
      },
    ],
    ["the name of a file", "insulin-pump.suit", () => {}, (c) => Object.assign(c.boards[0] ?? {}, { file: "insulin-pump.suit" })],
    [
      "the name of a key",
      "quality manager",
      () => {},
      (c) => c.boards.map(({ keys: [key] }) => Object.assign(key ?? {}, { name: "quality manager" })),
    ],
    [
      "the trust file and its role",
      "safety board",
      () => {},
      (c) => c.boards.map((one) => Object.assign(one, { trust: { name: "safety board", sequence: "1", role: "release" } })),
    ],
    ["the version before", "9.9.1-approved", () => {}, (c) => Object.assign(c, { previous: "9.9.1-approved", gone: ["pump"] })],
    ["the time", "1999-01-01", () => {}, (c) => Object.assign(c, { made: "1999-01-01" })],
    ["slots", "87,654,321", () => {}, (c) => c.boards.map((one) => Object.assign(one, { slotSizes: [87654321, 87654321] }))],
    [
      "payloads that the maker compared",
      "the file was compared when this report was made",
      () => {},
      (c) => c.boards.map((one) => Object.assign(one, { compared: ["https://fw.example.com/gateway/1.4.2/esp32-a.bin"] })),
    ],
  ])("stands apart: %s", async (_, words, record, content) => {
    const opened = await pageWith(record, content);
    expect([opened.isGood, opened.verdict]).toEqual([true, "Verified here, by this page, with these keys: all 2 boards"]);
    expect(await checkedText(opened)).not.toContain(words);
    expect(await toldText(opened)).toContain(words);
  });

  it("shows what follows from the signed identifiers, and the signed version", async () => {
    const opened = await pageWith(() => {});
    expect(await checkedText(opened)).toMatch(/^Firmware release 1\.4\.2 of example\.com\n.*Devices gateway-esp32-1, gateway-esp32-2/s);
  });

  it.each<[string, (record: Recorded) => void, RegExp]>([
    ["another vendor", (r) => Object.assign(r, { vendor: "toaster.example" }), /the vendor of .* is not toaster\.example/],
    [
      "another name of a class",
      ({ artifacts: [first = {}] }) => Object.assign((first["classes"] as [object])[0], { name: "insulin-pump" }),
      /a class of .* is not insulin-pump/,
    ],
  ])("is red with %s in release.json", async (_, record, words) => {
    const { isGood, verdict } = await pageWith(record);
    expect([isGood, verdict]).toEqual([false, expect.stringMatching(words)]);
  });

  it("names a second signer as unknown if its key is not listed", async () => {
    const place = standard();
    await signImage(place, 7, "fw.suit", ["--key", "B.pem"]);
    await place.ok(["report", "fw.suit", "--key", "A.jwk", "--out", "fw.html"]);
    const opened = await reader.opened(urlOf(place));
    expect([opened.isGood, await checkedText(opened)]).toEqual([
      true,
      expect.stringContaining("1 more signature is not by a key of this page, or does not count: nobody is known to have made it. esp256"),
    ]);
  });

  it("is not green if a published test key signed", async () => {
    const place = standard();
    place.put(
      "spec.jwk",
      privateJwk(privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"))),
    );
    await place.ok([
      "sign",
      "fw.bin",
      "--key",
      "spec.jwk",
      ...FACTS,
      "--seq",
      "7",
      "--out",
      "fw.suit",
      "--allow-test-key",
      "rfc8032-test-1",
    ]);
    await place.ok(["pubkey", "spec.jwk", "--format", "jwk", "--out", "spec.pub"]);
    await place.ok(["report", "fw.suit", "--key", "spec.pub", "--out", "fw.html"]);
    const { isGood, verdict, page } = await reader.opened(urlOf(place));
    expect([isGood, verdict]).toEqual([false, "Signed with the published test key rfc8032-test-1: anybody can sign with it"]);
    expect(await page.locator(".yes").count()).toBe(0);
  });

  it("is not green if a published test key is a further signer, and names it", async () => {
    const place = standard();
    const secret = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));
    place.put("spec.jwk", privateJwk(secret));
    await signImage(place, 7, "fw.suit", ["--key", "spec.jwk", "--allow-test-key", "rfc8032-test-1"]);
    await place.ok(["report", "fw.suit", "--key", "A.jwk", "--out", "fw.html"]);
    const opened = await reader.opened(urlOf(place));
    expect([opened.isGood, opened.verdict]).toEqual([false, "Signed with the published test key rfc8032-test-1: anybody can sign with it"]);
    const text = await checkedText(opened);
    expect(text).toContain("1 more signature (ed25519) is by the published test key rfc8032-test-1");
    expect(text).not.toContain("nobody is known");
  });

  it("is not green if the devices of one class refuse, and those of the first accept", async () => {
    const place = standard();
    place.put("two.json", JSON.stringify(REFUSED_BY_ONE_CLASS));
    await place.ok(["sign", "two.json", "--key", "A.pem", "--out", "two.suit"]);
    await place.ok(["report", "two.suit", "--key", "A.jwk", "--out", "fw.html", ...FACTS]);
    const { isGood, verdict } = await reader.opened(urlOf(place));
    expect([isGood, verdict]).toEqual([
      false,
      expect.stringMatching(/^Signed with these keys, but devices of class d041272d-\S+ refuse it: /),
    ]);
  });

  it.each([
    ["each class alone refuses", FOR_BOTH_CLASSES, /^Signed with these keys, but devices refuse it: .*CLASS_MISMATCH/],
    ["the other slot refuses", forSlot(0), /^Signed with these keys, but devices of class \S+, slot 1 refuse it: .*SLOT_MISMATCH/],
  ])("is not green if %s", async (_, description, words) => {
    const place = standard();
    place.put("some.json", JSON.stringify(description));
    await place.ok(["sign", "some.json", "--key", "A.pem", "--out", "some.suit"]);
    await place.ok(["report", "some.suit", "--key", "A.jwk", "--out", "fw.html", ...FACTS]);
    const { isGood, verdict } = await reader.opened(urlOf(place));
    expect([isGood, verdict]).toEqual([false, expect.stringMatching(words)]);
  });
});
