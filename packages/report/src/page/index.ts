// The parts of the report page that other pages use too.

export { digits, el, facts, nested, table, visibleText } from "./dom.js";
export { decoded, digestInSlices, type OnProgress } from "./slices.js";
export { REPORT_TEXTS } from "./texts.js";
export { type DeviceBundle, type PageData, type Verified, verifyReport } from "./verify.js";
export { goodViews, refusalWords } from "./view.js";
