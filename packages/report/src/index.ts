// What devices do with a release, and a release as one HTML file that verifies it.

export { reportCuts } from "./cuts.js";
export type { ReportCut, ReportData, ReportKey, ReportKind } from "./data.js";
export { type Expectation, HASH_FUNCTIONS, type Interpreter, limitedInterpreter, type Phase } from "./device-rules.js";
export { type DeviceKind, type DeviceRefusal, kindRefusal, payloadsOf } from "./device-run.js";
export { type Action, actionOf, type Behaviour, type Explained, explainManifest, hexOf, identifierText } from "./explain.js";
export { actionWords, componentWords, expectationWords, explainedLines, refusedWords, whoWords } from "./explain-words.js";
export { diagnostic } from "./notation/diagnostic.js";
export {
  exactArgument,
  insideBytes,
  isNumbered,
  keyOf,
  PLACE_NAMES,
  type Place,
  POSITION_NAMES,
  valueNames,
  valuePlace,
} from "./notation/places.js";
export { reportHtml } from "./report.js";
