// What devices do with a release, and a release as one HTML file that verifies it.

export type { ReportCut, ReportData, ReportKey, ReportKind } from "./data.js";
export type { Expectation, Interpreter, Phase } from "./device-rules.js";
export { type DeviceKind, type DeviceRefusal, kindRefusal, payloadsOf } from "./device-run.js";
export { type Action, type Behaviour, type Explained, explainManifest, identifierText } from "./explain.js";
export { actionWords, componentName, expectationWords, explainedLines, refusedWords, whoWords } from "./explain-words.js";
export { reportHtml } from "./report.js";
