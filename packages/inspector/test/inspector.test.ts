// The page in Chromium: what it shows, that it turns red, and that nothing leaves it.

import { afterAll, beforeAll, describe, vi } from "vitest";
import { opening } from "./inspector-opening.js";

import { inspector, openInspector } from "./inspector-place.js";
import { verdicts } from "./inspector-verdicts.js";
import { views } from "./inspector-views.js";
import { chromiumPath } from "./served.js";

const reason = chromiumPath ? "" : " (skipped: no chromium)";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

beforeAll(async () => {
  if (chromiumPath) await openInspector();
});
afterAll(() => inspector?.close());

// one browser for all: the subjects are in files of their own
describe.skipIf(!chromiumPath)(`the inspector${reason}`, () => {
  opening();
  verdicts();
  views();
});
