// The page in Chromium: what it shows, that it turns red, and that nothing leaves it.

import { afterAll, beforeAll, describe, vi } from "vitest";
import { chromiumPath, NO_BROWSER } from "../../test-support/src/browser.js";
import { opening } from "./inspector-opening.js";
import { inspector, openInspector } from "./inspector-place.js";
import { verdicts } from "./inspector-verdicts.js";
import { views } from "./inspector-views.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

beforeAll(async () => {
  if (chromiumPath) await openInspector();
});
afterAll(() => inspector?.close());

// one browser for all: the subjects are in files of their own
describe.skipIf(!chromiumPath)(`the inspector${NO_BROWSER}`, () => {
  opening();
  verdicts();
  views();
});
