// Component identifiers, for devices that look them up in a list.

import { equalConstantTime } from "../base/bytes.js";
import type { ComponentId } from "../install/device.js";

export function sameId(a: ComponentId, b: ComponentId): boolean {
  var i;
  if (a.length !== b.length) return false;
  for (i = 0; i < a.length; i++) if (!equalConstantTime(a[i], b[i])) return false;
  return true;
}
