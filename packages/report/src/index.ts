// What devices do with a release, and a release as one HTML file that verifies it.

export { reportCuts } from "./behaviour/cuts.js";
export { type Expectation, HASH_FUNCTIONS, type Interpreter, limitedInterpreter, type Phase } from "./behaviour/device-rules.js";
export { type DeviceKind, type DeviceRefusal, everyKind, kindRefusal, payloadsOf } from "./behaviour/device-run.js";
export {
  type Action,
  actionOf,
  type Behaviour,
  type Explained,
  explainManifest,
  identifierText,
  namedRefusal,
} from "./behaviour/explain.js";
export { actionWords, componentWords, expectationWords, explainedLines, refusedWords, whoWords } from "./behaviour/explain-words.js";
export {
  MOST_BOARDS,
  MOST_REPORT_BYTES,
  type ReleaseReport,
  type ReportCut,
  type ReportData,
  type ReportDocument,
  type ReportFamily,
  type ReportKey,
  type ReportKind,
} from "./data.js";
export { reportKey, reportKind } from "./encoded.js";
export { type FittedReport, fittedReport } from "./fitted-report.js";
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
export { fileOfUri } from "./record/file-of-uri.js";
export { type Artifact, RECORD, type RecordedSigner, type ReleaseRecord, recordContradiction, SUMS } from "./record/record.js";
export { payloadFault, recordFault, signersFault } from "./record/record-check.js";
export { versionIn } from "./record/version.js";
export { reportHtml } from "./report.js";
