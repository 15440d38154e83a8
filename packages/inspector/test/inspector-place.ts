// The inspector in a browser, with a release and its key. inspector.test.ts opens and closes it.

import { type Place, signImage, standard } from "../../test-support/src/command-line/run.js";
import { type File, file, Inspector } from "./served.js";

export const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
export const CLASS = "7ef25e26-57d5-563d-bec7-161eb72060bb";

export let inspector: Inspector;
export let p: Place;
export let release: File;
export let key: File;

export async function openInspector(): Promise<void> {
  inspector = await Inspector.open();
  p = standard();
  await signImage(p, 7, "fw.suit");
  release = file("fw.suit", p.get("fw.suit"));
  key = file("A.jwk", p.get("A.jwk"));
}

/** Field of the simulated device. */
export const field = (name: string | RegExp) => inspector.page.getByLabel(name, { exact: typeof name === "string" });

export async function setField(name: string | RegExp, value: string): Promise<void> {
  await field(name).fill(value);
  await field(name).press("Tab");
  await inspector.settled();
}

export const steps = () => inspector.page.locator(".steps li").allTextContents();
