// A release as one HTML file that verifies it.

export { reportCuts } from "./cuts.js";
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
export { reportHtml } from "./report.js";
