// What tests of HSS/LMS state share.

import { expect } from "vitest";
import type { HssPlaceOnDisk } from "../src/hss/state.js";

/** Goes to a leaf as another process does. */
export function goTo(place: HssPlaceOnDisk, next: bigint): void {
  expect(place.advance(place.look(), { next, roots: new Map() }, () => true)).toBe(true);
}
