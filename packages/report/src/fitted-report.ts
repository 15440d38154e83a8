// Keeps a report small enough to be sent: what the page cannot check, and takes most, is left out first, and the page
// says so.

import { MOST_REPORT_BYTES, type ReleaseReport, type ReportData } from "./data.js";
import { reportHtml } from "./report.js";

const withoutCells = ({ cuts, ...rest }: ReportData): ReportData => ({
  ...rest,
  ...(cuts && { cuts: { ...cuts, points: [], left: cuts.points.length } }),
});

const withoutLines = ({ changes, ...rest }: ReportData): ReportData => ({
  ...rest,
  ...(changes && { changes: { ...changes, lines: [], left: changes.lines.length } }),
});

function mapped(report: ReportData | ReleaseReport, change: (one: ReportData) => ReportData): ReportData | ReleaseReport {
  return "boards" in report ? { ...report, boards: report.boards.map(change) } : change(report);
}

/** A report of at most MOST_REPORT_BYTES, without payloads. */
export interface FittedReport {
  html: string;
  /** What was left out: the cells of power cuts, then the lines of changes. */
  left: ("cuts" | "changes")[];
  /** Bytes without payloads, if that is still too much. */
  excess?: number;
}

/**
 * Makes the file like reportHtml(), and leaves out the cells of power cuts, and then the lines of changes, if it would
 * have more than 400,000 bytes without payloads.
 *
 * @param report - One envelope, or a release of several boards.
 * @param bundle - As reportHtml() takes it.
 * @param payloadBytes - Bytes of the payloads in all envelopes.
 * @returns The text of the file, and what was left out.
 */
export function fittedReport(report: ReportData | ReleaseReport, bundle: string, payloadBytes: number): FittedReport {
  const rest = (html: string) => new TextEncoder().encode(html).length - Math.ceil((payloadBytes * 4) / 3);
  const left: FittedReport["left"] = [];
  let now = report;
  let html = reportHtml(now, bundle);
  for (const [name, change] of [["cuts", withoutCells] as const, ["changes", withoutLines] as const]) {
    if (rest(html) <= MOST_REPORT_BYTES) break;
    const next = mapped(now, change);
    if (JSON.stringify(next) === JSON.stringify(now)) continue;
    now = next;
    left.push(name);
    html = reportHtml(now, bundle);
  }
  const bytes = rest(html);
  return { html, left, ...(bytes > MOST_REPORT_BYTES && { excess: bytes }) };
}
