// The parts of the report page that other pages use too.

export { grouped } from "../text.js";
export { digits, el, facts, nested, table, visible } from "./dom.js";
export { decoded, digestOf, type Progress } from "./slices.js";
export { type DeviceBundle, type PageData, type Verified, verifyRelease } from "./verify.js";
export { goodViews, refusalWords } from "./view.js";
