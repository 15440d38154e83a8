// What the inspector shows of a release, and how it is used.

import { expect, it } from "vitest";
import { fits, VIEWS } from "../../test-support/src/browser.js";
import { some } from "../../test-support/src/environment/effort.js";
import { CLASS, inspector, key, p, release, setField, steps, VENDOR } from "./inspector-place.js";
import { file } from "./served.js";

export function views(): void {
  it("marks bytes and items with each other", async () => {
    const { page } = inspector;
    await inspector.show(release, key);
    await page.locator(".tree .label", { hasText: "manifest" }).first().click();
    await inspector.settled();
    const range = /bytes ([\d,]+) to ([\d,]+)/.exec(await inspector.text(".hex + p")) as RegExpExecArray;
    const marked = await page.locator(".hex [aria-selected=true]").count();
    expect(marked).toBeGreaterThan(50);
    const [from, to] = range.slice(1).map((text) => Number(text.replaceAll(",", ""))) as [number, number];
    const decoded = (await import("@firmseal/verifier/tools")).decodeEnvelope(release.buffer).envelope.manifestElement.inside;
    expect([from < decoded.at, to]).toEqual([true, decoded.at + decoded.n - 1]);
    // and back: the innermost item of a byte
    await page.locator(`.hex [data-at='${decoded.at + 2}']`).click();
    await inspector.settled();
    expect(await page.locator(".tree [aria-selected=true]").textContent()).toContain("version 1");
    // with the keyboard: to the next byte, which belongs to another item
    await page.locator(".hex [tabindex='0']").focus();
    await page.keyboard.press("ArrowRight");
    await inspector.settled();
    expect(await page.locator(".tree [aria-selected=true]").textContent()).toContain("sequence-number 7");
    expect(await page.evaluate("document.activeElement.getAttribute('role')")).toBe("gridcell");
    await page.locator(".tree [tabindex='0']").focus();
    for (const name of ["Home", "ArrowRight", "ArrowDown", "ArrowDown"]) await page.keyboard.press(name);
    expect(await page.evaluate("document.activeElement.getAttribute('role')")).toBe("treeitem");
  });

  it("shows diagnostic notation as the command line does", async () => {
    await inspector.page.getByText("Diagnostic notation").click();
    await expect.poll(() => inspector.text("pre")).not.toBe("");
    const { stdout } = await p.ok(["inspect", "fw.suit", "--diag"]);
    // payloads of up to 64 KiB are shown in full by both
    expect((await inspector.text("pre")).trim()).toBe(stdout.trim());
    await inspector.page.getByText("Diagnostic notation").click();
  });

  it("runs a release command by command on a device that a person describes", async () => {
    await inspector.show(release, key);
    expect(await steps()).toEqual(expect.arrayContaining([expect.stringContaining("condition-vendor-identifier")]));
    expect(await inspector.text("section[aria-labelledby=device-title]")).toContain(
      "If every payload matches its digest, the release is installed, and starts.",
    );
    await inspector.page.locator(".steps li", { hasText: "directive-fetch" }).first().click();
    await inspector.settled();
    expect(await inspector.text(".details")).toContain("gets #firmware");
    // its code and its policy
    expect(await inspector.page.locator(".hex [aria-selected=true]").allTextContents()).toEqual(["15", "02"]);
    await setField("Class", "11111111-1111-1111-1111-111111111111");
    expect(await inspector.text("section[aria-labelledby=device-title]")).toContain("class (CLASS_MISMATCH) 76");
    expect((await steps()).at(-1)).toContain("✗");
    await setField("Class", CLASS);
    await setField(/Floor/, "8");
    expect(await inspector.text("section[aria-labelledby=device-title]")).toContain("(38 ROLLBACK)");
    await setField(/Floor/, "-1");
    expect(await inspector.text("section[aria-labelledby=device-title]")).toContain("The floor is not a number");
    await setField(/Floor/, "7");
    await setField("Vendor", "xyz");
    expect(await inspector.text("section[aria-labelledby=device-title]")).toContain("neither a UUID nor hex");
    await setField("Vendor", VENDOR);
    expect((await steps()).length).toBeGreaterThan(5);
  });

  it.each(some(["raw flash", "Storage of Espruino", "files", "memory"], 2))(
    "cuts the power at every write and erase of %s",
    async (storage) => {
      const { page } = inspector;
      await inspector.show(release, key);
      await page.getByLabel("Storage of the device").selectOption(storage);
      await page.getByRole("button", { name: "Cut the power", exact: true }).click();
      await page.waitForSelector(".map .new");
      expect(await inspector.text("section[aria-labelledby=cuts-title]")).toContain(
        "After every cut, the previous release or the new one starts",
      );
      expect(await page.locator(".map .old").count()).toBeGreaterThan(2);
      expect(await page.locator(".map .none, .map .mixed").count()).toBe(0);
      await page.locator(".map li").first().click();
      await page.keyboard.press("ArrowRight");
      expect(await inspector.text(".map + p")).toMatch(/^Operation 2, /);
      if (storage !== "raw flash") return;
      await page.locator(".steps li", { hasText: "directive-fetch" }).first().click();
      await page.getByRole("button", { name: "Cut the power at this step" }).click();
      expect(await page.locator(".map .framed").count()).toBeGreaterThan(2);
      expect(await inspector.text(".map + p")).toContain(" of 00: ");
    },
  );

  it("can be used with the keyboard alone", async () => {
    const { page } = inspector;
    await page.setViewportSize({ width: 1200, height: 900 });
    await inspector.show(release, key);
    await page.locator("#files").focus();
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      seen.add((await page.evaluate("document.activeElement.getAttribute('role') || document.activeElement.localName")) as string);
      await page.keyboard.press("Tab");
    }
    for (const one of ["input", "summary", "button", "treeitem", "gridcell", "option", "select", "region"])
      expect([...seen]).toContain(one);
  });

  it.each(VIEWS)("is accessible at a width of %d, %s", async (width, scheme) => {
    const { page } = inspector;
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await inspector.show(release, key);
    await inspector.add(file("x.bin", "?"));
    await page.getByLabel("Storage of the device").selectOption("memory");
    await page.getByRole("button", { name: "Cut the power", exact: true }).click();
    await page.waitForSelector(".map .new");
    expect(await fits(page)).toBe(true);
    expect(await inspector.violations()).toEqual([]);
    if (width > 1000) return;
    await inspector.show(file("x.suit", release.buffer.subarray(0, 60)));
    expect(await inspector.violations()).toEqual([]);
  });
}
