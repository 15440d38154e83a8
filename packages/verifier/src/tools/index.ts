// What only tools need, and no device: texts, names, and a look at what nobody has verified. No device bundle has any of it.

export { rawKey, sameKey } from "../base/bytes.js";
export { decodeItem, type Item, type ItemKind } from "./items.js";
export { REFUSAL_GROUPS, REFUSALS, type RefusalRow, refusalOf, refuse } from "./refusals.js";
