// What devices do with a release, and a release as one HTML file that verifies it.

export type { ReportCut, ReportData, ReportKey, ReportKind } from "./data.js";
export { type Interpreter, installerRefusal, type Phase } from "./device-rules.js";
export { type Action, type Behaviour, type DeviceKind, type Explained, explainManifest } from "./explain.js";
export { actionWords, componentName, expectationWords, explainedLines, refusedWords, whoWords } from "./explain-words.js";
export { reportHtml } from "./report.js";
