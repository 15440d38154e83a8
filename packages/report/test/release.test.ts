// A release of several boards as one page.

import { rmSync, truncateSync } from "node:fs";
import { minifiedBundle, readableBundle } from "@firmseal/bundler";
import type { ReleaseReport, ReportData } from "@firmseal/report";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { filesIn, PRODUCT, released, world } from "../../cli/test/product/product-place.js";
import { chromiumPath, fits, NO_BROWSER, setView, VIEWS, violations } from "../../test-support/src/browser.js";
import { expectFailure, image, type Place, signImage, standard } from "../../test-support/src/command-line/run.js";
import { LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { type Judged, type Opened, Reader, urlOf } from "./pages.js";

const { fittedReport, reportHtml, MOST_BOARDS, MOST_REPORT_BYTES } = (await import(
  new URL("../lib/index.js", import.meta.url).href
)) as typeof import("@firmseal/report");

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let reader: Reader;
let p: Place;
/** A release with its page, made once: each test takes it as it is. */
let html: string;
beforeAll(async () => {
  p = world(PRODUCT.replace('release = "A.pem"', 'release = ["A.pem", "B.pem"]').concat('\n[trust]\nkeys = ["A.jwk", "B.jwk"]\n'));
  await released(p, "1.4.1", "--first");
  p.put("build/a-7f3.bin", image(3500, 9));
  await released(p, "1.4.2");
  await report(p, "--previous-release", "dist/1.4.1");
  html = p.get("r.html").toString();
  if (chromiumPath) reader = await Reader.start();
});
afterAll(async () => {
  await reader?.close();
});

const KEYS = ["--key", "A.jwk", "--key", "B.jwk", "--key", "C.jwk"];
const report = (of: Place, ...more: string[]) =>
  of.ok(["report", "dist/1.4.2", ...KEYS, "--threshold", "2", ...(more.includes("--out") ? [] : ["--out", "r.html"]), ...more]);

/** The data of the page, for others that are made of it. */
function contentOf(): ReleaseReport {
  const data = JSON.parse(/<script type="application\/json" id="data">(.*)<\/script>/.exec(html)?.[1] ?? "") as { parts: ReportData[] };
  const held = (id: string) => new RegExp(`id="${id}">([^<]*)<`).exec(html)?.[1] ?? "";
  const boards = data.parts.map((part, i) => ({ ...part, envelope: held(`envelope-${i}`) }));
  return { file: "gateway 1.4.2", made: "", record: held("record"), boards };
}

let made: Promise<string> | undefined;
/** The device bundle of the page: the same for all. By default as written, which is the same code. */
const bundle = () =>
  (made ??= (LONG ? minifiedBundle : readableBundle)({
    algs: ["ed25519", "es256"],
    features: ["install", "errors", "copy", "trust"],
    format: "script",
  }));

/** What a page says. */
function said(text: string): Promise<Opened> {
  p.put("other.html", text);
  return reader.opened(urlOf(p, "other.html"));
}

type Recorded = { product: string; artifacts: { [member: string]: unknown }[] };

/** A page whose maker has another record. */
async function withRecord(change: (record: Recorded) => void): Promise<Judged> {
  const content = contentOf();
  const record = JSON.parse(Buffer.from(content.record, "base64").toString()) as Recorded;
  change(record);
  return said(reportHtml({ ...content, record: Buffer.from(JSON.stringify(record)).toString("base64") }, await bundle()));
}

describe.skipIf(!chromiumPath)(`a report of a release${NO_BROWSER}`, () => {
  it("verifies every board, and shows who signed, for which board, and what is new", async () => {
    expect(html.length).toBeLessThan(MOST_REPORT_BYTES);
    const { page: shown, verdict, isGood, noise } = await reader.opened(urlOf(p, "r.html"));
    expect([isGood, verdict]).toEqual([true, "Verified here, by this page, with these keys: all 2 boards"]);
    const text = (await shown.locator("main").textContent()) ?? "";
    for (const words of [
      ...["gateway", "example.com", "1.4.2", "release.json agrees with the envelopes. This page does not check its signatures."],
      ...["2 of 3 keys signed. At least 2 must sign.", "Devices gateway-esp32-1, gateway-esp32-2", "Devices gateway-puck"],
      ...[
        "What changes compared with 1.4.1",
        "Signed byed25519 ",
        "Key 1A.jwk",
        "Boardpuck",
        "version 1.4.1 before, 1.4.2 after",
        "after 3,500 bytes",
      ],
      ...["3,500 of 65,536 bytes of the slot (6 %)", "the file was compared when this report was made"],
    ])
      expect(text).toContain(words);
    expect(await shown.locator("#boards + div tbody tr").count()).toBe(2);
    expect(noise).toEqual([]);
  });

  it(`turns red after a change of one byte in any envelope, or in release.json${OF_SOME}`, async () => {
    const { boards, record } = contentOf();
    for (const { envelope, board } of boards)
      for (const at of some([0, 30, 120, 250], 2)) {
        const bytes = Buffer.from(envelope, "base64");
        bytes[at] = (bytes[at] as number) ^ 1;
        const { isGood, verdict } = await said(html.replace(envelope, bytes.toString("base64")));
        expect([board, at, isGood]).toEqual([board, at, false]);
        expect(verdict).toMatch(new RegExp(`^Refused: Board ${board}: .* \\(\\d+ [A-Z0-9_]+\\)$`));
      }
    const text = Buffer.from(record, "base64");
    for (const at of [0, text.indexOf("gateway"), text.indexOf("sha-256:") + 12, text.length - 1]) {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] as number) ^ 1;
      const { isGood, verdict } = await said(html.replace(record, bytes.toString("base64")));
      expect([at, isGood, verdict]).toEqual([at, false, expect.stringMatching(/^Refused: (release\.json|this report was changed)/)]);
    }
    const [first, second] = boards as [ReportData, ReportData];
    const swapped = html.replace(first.envelope, "@").replace(second.envelope, first.envelope).replace("@", second.envelope);
    expect((await said(swapped)).isGood).toBe(false);
  });

  it.each<[string, (record: Recorded) => void, RegExp]>([
    [
      "another product",
      (r) => Object.assign(r.artifacts[0] ?? {}, { vendorId: "0".repeat(36) }),
      /the devices of .* are not those in the envelope/,
    ],
    [
      "another digest",
      (r) => Object.assign(r.artifacts[0] ?? {}, { digest: `sha-256:${"0".repeat(64)}` }),
      /the digest of .*is not the one/,
    ],
    ["another manifest", (r) => Object.assign(r.artifacts[0] ?? {}, { manifest: `sha-256:${"0".repeat(64)}` }), /the manifest of/],
    ["the envelope of another board", (r) => swapBoards(r), /the (digest|size|devices) of/],
    [
      "a signer that did not sign",
      (r) => assignAll({ ...r, artifacts: (r.artifacts[0]?.["signers"] ?? []) as Recorded["artifacts"] }, { tbs: "0".repeat(64) }),
      /signers/,
    ],
    ["one name for two boards", (r) => assignAll(r, { board: "esp32" }), /has two envelopes|is not of the/],
    [
      "a payload that no device fetches",
      (r) => Object.assign(payload(r), { uri: "https://evil.example/x.bin" }),
      /payload .* is missing|the uri of/,
    ],
    ["another digest of a payload", (r) => Object.assign(payload(r), { digest: `sha-256:${"1".repeat(64)}` }), /the digest of/],
    ["another version", (r) => assignAll(r, { version: "9.9.9" }), /another version/],
    [
      "another envelope, with hidden characters",
      (r) => Object.assign(r.artifacts[0] ?? {}, { envelope: "\u202e\u001b[31m" }),
      /names \\u\{202e\}\\u\{1b\}\[31m as its envelope/,
    ],
    ["no board", (r) => r.artifacts.splice(0, r.artifacts.length), /it has no envelope for this board/],
    ["artifacts that are not objects", (r) => Object.assign(r, { artifacts: [null, 1, "x"] }), /is not the record of a release/],
    ["artifacts without classes", (r) => Object.assign(r.artifacts[0] ?? {}, { classes: [null] }), /is not the record of a release/],
  ])("is red if release.json has %s, no matter who made the page", async (_, change, words) => {
    const { isGood, verdict } = await withRecord(change);
    expect([isGood, verdict]).toEqual([false, expect.stringMatching(/^Refused: release\.json/)]);
    expect(verdict).toMatch(words);
  });

  it("shows hostile names in release.json as text", async () => {
    const name = "<img src=x onerror=alert(1)>\u202e\u001b[31m</script><script>alert(2)</script>";
    const content = contentOf();
    const record = JSON.parse(Buffer.from(content.record, "base64").toString()) as Recorded;
    record.product = `${name}${"A".repeat(1_000_000)}`;
    for (const one of record.artifacts) if (one["board"] === "puck") one["board"] = name;
    const boards = content.boards.map((one) => (one.board === "puck" ? { ...one, board: name, file: name } : one));
    const text = Buffer.from(JSON.stringify(record)).toString("base64");
    const made = reportHtml({ ...content, file: name, boards, record: text, previous: name, gone: [name] }, await bundle());
    p.put("evil.html", made);
    const { page: shown, isGood, noise } = await reader.opened(urlOf(p, "evil.html"));
    expect([isGood, await shown.locator("img, main script").count(), noise]).toEqual([true, 0, []]);
    const found = (await shown.locator("main").textContent()) ?? "";
    expect(found).toContain("Board<img src=x onerror=alert(1)>\\u{202e}\\u{1b}[31m</script>");
    expect(found.length).toBeLessThan(100_000);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(found).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/);
    expect(await fits(shown)).toBe(true);
  });

  it("never calls a withdrawn release good, and shows the reason as text", async () => {
    const withdrawn = { time: "2026-12-01T10:00:00.000Z", reason: "<b>bad</b>\u202e\u001b[31m</script>" };
    const { page: shown, verdict, isGood, noise } = await said(reportHtml({ ...contentOf(), withdrawn }, await bundle()));
    expect([isGood, verdict]).toEqual([false, "withdrawn on 2026-12-01: <b>bad</b>\\u{202e}\\u{1b}[31m</script>"]);
    expect([await shown.locator("main b").count(), noise]).toEqual([0, []]);
  });

  it("gives each section an id of its own, even if two boards have one name", async () => {
    const content = contentOf();
    const boards = content.boards.map((one) => ({ ...one, board: "esp32" }));
    const { page, isGood } = await said(reportHtml({ ...content, boards }, await bundle()));
    expect(isGood).toBe(false);
    const ids = (await page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")) as string[];
    expect(ids.length).toBe(new Set(ids).size);
  });

  it("can be used with the keyboard alone", async () => {
    const { page: shown } = await reader.opened(urlOf(p, "r.html"));
    const seen: string[] = [];
    for (let i = 0; i < 12; i++) {
      await shown.keyboard.press("Tab");
      seen.push((await shown.evaluate("document.activeElement.localName + (document.activeElement.hash || '')")) as string);
    }
    expect(seen).toEqual(expect.arrayContaining(["a#board-0", "a#board-1", "select"]));
    await shown.locator("a[href='#board-1']").focus();
    await shown.keyboard.press("Enter");
    expect(await shown.evaluate("document.activeElement.id")).toBe("board-1");
    // one kind of device
    await shown.locator("select").first().focus();
    for (const key of ["ArrowDown", "ArrowDown"]) await shown.keyboard.press(key);
    expect(await shown.locator("section.board").first().locator(".kind:visible").count()).toBe(1);
    const names = shown.locator("select, input, meter, a, [role=region]");
    for (const one of await names.all())
      expect(await one.evaluate("(e) => e.labels?.[0]?.textContent || e.ariaLabel || e.textContent")).not.toBe("");
  });

  it("compares payload files with their signed digests", async () => {
    const { page: shown, noise } = await reader.opened(urlOf(p, "r.html"));
    p.put("huge.bin", "");
    truncateSync(p.at("huge.bin"), 2 ** 31);
    const cases: [string | { name: string; mimeType: string; buffer: Buffer }, string][] = [
      [p.at("dist/1.4.2/esp32-a.bin"), "esp32-a.bin is the payload https://fw.example.com/gateway/1.4.2/esp32-a.bin that was signed."],
      [p.at("dist/1.4.1/esp32-a.bin"), "esp32-a.bin is not a payload or document of this release."],
      [{ name: "<b>", mimeType: "", buffer: Buffer.alloc(3500) }, "<b> is not a payload or document of this release."],
      [{ name: "empty", mimeType: "", buffer: Buffer.alloc(0) }, "empty is not a payload or document of this release."],
      [p.at("huge.bin"), "huge.bin is not a payload or document of this release."],
    ];
    for (const [file, words] of cases) {
      await shown.getByLabel("Check a payload or a document").setInputFiles(file);
      await expect.poll(() => shown.locator(".said").textContent()).toBe(words);
    }
    expect(await shown.locator("[data-payload]").first().textContent()).toBe("outside the envelope, checked here");
    expect(noise).toEqual([]);
  });

  it("names bills of materials and provenance, and compares them", async () => {
    const statement = { _type: "https://in-toto.io/Statement/v1", predicateType: "https://slsa.dev/provenance/v1" };
    const envelope = {
      payloadType: "application/vnd.in-toto+json",
      payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
      signatures: [],
    };
    p.put("bom.cdx.json", JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", components: [{}, {}, {}] }));
    p.put("bom.spdx.json", JSON.stringify({ spdxVersion: "SPDX-2.3", packages: [{}] }));
    p.put("a.intoto.jsonl", `${JSON.stringify(envelope)}\n{}\n`);
    p.put("<b>.txt", "hello");
    const names = ["bom.cdx.json", "bom.spdx.json", "a.intoto.jsonl", "<b>.txt"];
    await report(p, ...names.flatMap((name) => ["--document", name]), "--out", "docs.html");
    const { page: shown, isGood, noise } = await reader.opened(urlOf(p, "docs.html"));
    const text = await shown.locator("section.told").last().textContent();
    for (const words of [
      ...["bill of materials, CycloneDX 1.6, components: 3", "bill of materials, SPDX-2.3, packages: 1", "<b>.txt"],
      ...["provenance, in-toto https://slsa.dev/provenance/v1", "This page cannot check it."],
    ])
      expect(text).toContain(words);
    await shown.getByLabel("Check a payload or a document").setInputFiles(p.at("bom.cdx.json"));
    await expect
      .poll(() => shown.locator(".said").textContent())
      .toBe("bom.cdx.json is bom.cdx.json, as the maker of this report had it. It is not signed.");
    // nobody signed it
    expect(await shown.locator(".said li").getAttribute("class")).toBe("dim");
    expect([isGood, await violations(shown), noise]).toEqual([true, [], []]);
  });

  it("prints all of it: no cell is cut, and each board begins a page", async () => {
    const { page: shown } = await reader.opened(urlOf(p, "r.html"));
    await shown.locator("select").first().selectOption("0");
    const pdf = await shown.pdf({ format: "A4" });
    const pages = pdf.toString("latin1").match(/\/Type \/Page\b/g)?.length ?? 0;
    expect([pages >= 3, pages < 12]).toEqual([true, true]);
    // as wide as a page of A4 with its margins
    await shown.setViewportSize({ width: 718, height: 1000 });
    await shown.emulateMedia({ media: "print" });
    const cut = await shown.evaluate(`[...document.querySelectorAll("main, main *")]
      .filter((e) => getComputedStyle(e).display !== "none" && !e.matches(".unseen") && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
      .map((e) => e.outerHTML.slice(0, 80))`);
    expect([await fits(shown), cut]).toEqual([true, []]);
    // what a person has hidden on the screen is printed
    expect(await shown.locator("section.board").first().locator(".kind:visible").count()).toBe(2);
    expect(await shown.locator("input:visible, select:visible, .back:visible").count()).toBe(0);
  });

  it.each<[string, () => string | Promise<string>]>([
    ["good", () => html],
    ["refused", () => html.replace((contentOf().boards[0] as ReportData).envelope, Buffer.alloc(400).toString("base64"))],
    ["with a record that disagrees", async () => reportHtml({ ...contentOf(), record: "" }, await bundle())],
  ])("is accessible at each width, light and dark: %s", async (name, made) => {
    const { page, isGood } = await said(await made());
    expect(isGood).toBe(name === "good");
    for (const [width, scheme] of VIEWS) {
      await setView(page, width, scheme);
      expect([width, scheme, await fits(page), await violations(page)]).toEqual([width, scheme, true, []]);
    }
  });

  it("shows how many keys of a role and of each family signed", async () => {
    const of = standard();
    await of.ok(["keygen", "--no-passphrase", "--out", "D.pem"]);
    await of.ok(["pubkey", "D.pem", "--out", "D.jwk"]);
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "gateway",
      sequence: 1,
      anchors: [{ key: "C.jwk", roles: ["root"] }, ...["A.jwk", "B.jwk", "D.jwk"].map((key) => ({ key, roles: ["release"] }))],
      thresholds: { root: 1, release: 2 },
      families: {
        release: [
          { algorithms: ["ed25519"], threshold: 1 },
          { algorithms: ["es256"], threshold: 1 },
        ],
      },
    };
    of.put("t.json", JSON.stringify(list));
    await of.ok(["trust", "create", "--from", "t.json"]);
    await of.ok(["trust", "sign", "t.trust", "--key", "C.pem"]);
    await signImage(of, 7, "fw.suit", ["--key", "B.pem"]);
    const trust = ["--trust", "t.trust", "--root", "C.jwk"];
    await of.ok(["report", "fw.suit", ...trust, "--out", "fw.html"]);
    const { page: shown, isGood } = await reader.opened(urlOf(of));
    const text = await shown.locator("main").textContent();
    for (const words of [
      "2 of 3 keys signed. At least 2 must sign.",
      "Keys with the role release in trust file gateway, number 1",
      "1 of 2 ed25519 keys signed",
      "1 of 1 es256 key signed",
    ])
      expect(text).toContain(words);
    expect(isGood).toBe(true);
    // a page that asks for more of a family than has signed
    const data = JSON.parse(/id="data">(.*)<\/script>/.exec(of.get("fw.html").toString())?.[1] ?? "") as { parts: ReportData[] };
    const envelope = of.get("fw.suit").toString("base64");
    const [part] = data.parts as [ReportData];
    const families = part.families?.map((one) => ({ ...one, threshold: one.keys.length }));
    of.put("few.html", reportHtml({ ...part, envelope, families: families ?? [] }, await bundle()));
    expect((await reader.opened(urlOf(of, "few.html"))).verdict).toMatch(/\(\d+ SIGNATURE_FAMILY\)$/);
  });
});

/** The first payload outside of an envelope. */
const payload = (r: Recorded) => r.artifacts.find(({ kind }) => kind === "payload") ?? {};

function assignAll({ artifacts }: Recorded, members: object): void {
  for (const one of artifacts) Object.assign(one, members);
}

function swapBoards({ artifacts }: Recorded): void {
  const other = { esp32: "puck", puck: "esp32" } as { [name: string]: string };
  for (const one of artifacts) Object.assign(one, { board: other[one["board"] as string] });
}

describe("report of a release", () => {
  it.each<[string, string[], number, string]>([
    ["a board that it does not have", ["dist/1.4.2", ...KEYS, "--board", "esp23", "--out", "x.html"], 2, "--board esp23"],
    ["a folder without a release", ["build", ...KEYS, "--out", "x.html"], 1, "has no release.json"],
    ["devices for all boards", ["dist/1.4.2", ...KEYS, "--vendor", "a.com", "--class", "b", "--out", "x.html"], 2, "--vendor and --class"],
    [
      "an envelope as the release before",
      ["dist/1.4.2", ...KEYS, "--previous-release", "fw.suit", "--out", "x.html"],
      1,
      "not a release of several",
    ],
    [
      "this release as the one before",
      ["dist/1.4.2", ...KEYS, "--previous-release", "dist/1.4.2", "--out", "x.html"],
      2,
      "which is not lower than",
    ],
    [
      "a later envelope as the one before",
      ["fw.suit", ...KEYS, "--previous-release", "later.suit", "--out", "x.html"],
      2,
      "--previous-release: later.suit has sequence number 8, which is not lower than 7",
    ],
    [
      "the product file of another product",
      ["dist/1.4.2", ...KEYS, "--product", "other.toml", "--out", "x.html"],
      1,
      "dist/1.4.2 is a release of gateway by example.com, not of pump by example.com",
    ],
    ["too high a threshold", ["dist/1.4.2", ...KEYS, "--threshold", "3", "--out", "x.html"], 1, "refused"],
    ["a board of an envelope alone", ["fw.suit", ...KEYS, "--board", "esp32", "--out", "x.html"], 2, "is for one board"],
  ])("refuses %s, and writes nothing", async (_, args, exit, words) => {
    if (!p.has("fw.suit")) await signImage(p, 7, "fw.suit");
    if (!p.has("later.suit")) await signImage(p, 8, "later.suit");
    if (!p.has("other.toml")) p.put("other.toml", PRODUCT.replace('name = "gateway"', 'name = "pump"'));
    expect(expectFailure(await p.run(["report", ...args]), exit)).toContain(words);
    expect(p.has("x.html")).toBe(false);
  });

  it.each<[string, (of: Place) => void, string]>([
    ["an envelope of another board under its name", (of) => swapFiles(of), "has changed since it was released"],
    ["a changed envelope", (of) => of.put("dist/1.4.2/gateway-puck-1.4.2.suit", image(300)), "has changed since it was released"],
    ["a changed payload", (of) => of.put("dist/1.4.2/esp32-a.bin", image(10)), "has changed since it was released"],
    ["a file more", (of) => of.put("dist/1.4.2/more.bin", image(10)), "does not belong to the release"],
    [
      "release.json of another release",
      (of) => of.put("dist/1.4.2/release.json", of.get("dist/1.4.1/release.json")),
      "is version 1.4.1, not the one",
    ],
    ["10,000 boards", (of) => of.put("dist/1.4.2/release.json", manyBoards(of, 10_000)), "is not the record of a release"],
    ["80 boards", (of) => of.put("dist/1.4.2/release.json", manyBoards(of, 80)), "has 80 boards, and at most 64 are shown together"],
  ])("refuses a folder with %s", async (_, change, words) => {
    const before = filesIn(p.at("dist/1.4.2"));
    change(p);
    const result = await p.run(["report", "dist/1.4.2", ...KEYS, "--out", "x.html"]);
    rmSync(p.at("dist/1.4.2/more.bin"), { force: true });
    for (const [name, bytes] of before) p.put(`dist/1.4.2/${name}`, bytes);
    expect(expectFailure(result, 1)).toContain(words);
  });

  it("shows some boards, and says how many there are", async () => {
    const { json } = await report(p, "--board", "puck", "--json");
    expect(json).toMatchObject({ boards: [{ board: "puck", file: "gateway-puck-1.4.2.suit" }], left: [] });
    expect(p.get("r.html").toString()).not.toContain("envelope-1");
    p.put("r.html", html);
  });

  it("leaves out maps and changes of 20 boards to stay below 400 kB, and says so", async () => {
    const content = contentOf();
    const point = { what: "write slot a of the envelope".repeat(2), boots: "old" as const, cuts: 84 };
    const many = (points: number, lines: number): ReleaseReport => ({
      ...content,
      boards: Array.from({ length: 20 }, (_, i) => ({
        ...(content.boards[0] as ReportData),
        board: `b${i}`,
        cuts: { device: "flash", points: Array.from({ length: points }, () => point), faults: 0 },
        changes: { file: "1.4.1", lines: Array.from({ length: lines }, () => "image of component 00".repeat(3)) },
      })),
    });
    const text = await bundle();
    expect(fittedReport(many(10, 3), text, 0)).toMatchObject({ left: [] });
    const cuts = fittedReport(many(300, 3), text, 0);
    expect([cuts.left, cuts.excess, cuts.html.length < MOST_REPORT_BYTES]).toEqual([["cuts"], undefined, true]);
    const both = fittedReport(many(300, 300), text, 0);
    expect([both.left, both.html.length < MOST_REPORT_BYTES]).toEqual([["cuts", "changes"], true]);
    expect(() => reportHtml({ ...content, boards: Array(MOST_BOARDS + 1).fill(content.boards[0]) }, text)).toThrow("at most 64 boards");
    const large = fittedReport({ ...content, file: "x".repeat(MOST_REPORT_BYTES) }, text, 0);
    expect(large.excess).toBeGreaterThan(MOST_REPORT_BYTES);
    // payloads do not count
    expect(fittedReport({ ...content, record: "A".repeat(400_000) }, text, 300_000)).toMatchObject({ left: [] });
  });
});

function swapFiles(of: Place): void {
  const names = ["dist/1.4.2/gateway-puck-1.4.2.suit", "dist/1.4.2/gateway-esp32-1.4.2.suit"] as const;
  const [puck, esp32] = names.map((name) => of.get(name)) as [Buffer, Buffer];
  of.put(names[0], esp32);
  of.put(names[1], puck);
}

/** A record with so many boards. */
function manyBoards(of: Place, n: number): string {
  const record = JSON.parse(of.get("dist/1.4.2/release.json").toString()) as Recorded;
  const one = record.artifacts.find(({ board, kind }) => board === "puck" && kind === "envelope");
  const artifacts = Array.from({ length: n }, (_, i) => ({ ...one, board: `b${i}`, file: `b${i}.suit`, envelope: `b${i}.suit` }));
  return JSON.stringify({ ...record, artifacts });
}
