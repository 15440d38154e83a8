// What only tools need, and no device: texts, names, and a look at what nobody has verified. No device bundle has any of it.

export { REFUSAL_GROUPS, REFUSALS, type RefusalRow, refusalOf } from "./refusals.js";
