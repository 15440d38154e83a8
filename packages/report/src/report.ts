// The HTML file. Its Content-Security-Policy allows exactly three scripts and one style, by their hashes, and nothing
// from anywhere else. A changed script does not run, and without the script the page says that nothing was verified.

import { toHex } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { PAGE_SCRIPT, PAGE_STYLE } from "./assets.js";
import { MOST_BOARDS, type ReleaseReport, type ReportData } from "./data.js";
import { base64 } from "./encoded.js";
import { REPORT_TEXTS } from "./page/texts.js";

const encoder = new TextEncoder();

const hashOf = (text: string) => `'sha256-${base64(sha256(encoder.encode(text)))}'`;

/** JSON that cannot end the element that holds it. */
const inScript = (value: unknown) =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** The script of a device bundle must not end its element either: `</` and `<!` appear in no bundle. */
function checkBundle(bundle: string): void {
  if (/<\/|<!/.test(bundle)) throw new TypeError("the bundle holds text that HTML takes for markup");
}

/** Text in place of base64 could show a verdict of its own, without a script. */
function checkBase64(text: string, what: string): void {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new TypeError(`${what} is not in base64`);
}

const withoutEnvelope = ({ envelope: _, ...rest }: ReportData) => rest;

/**
 * Makes the file, for one envelope or for a release of several boards. The file needs no network, and sends nothing. It
 * holds no private key.
 *
 * @param report - The envelopes, the keys, and what to show.
 * @param bundle - A device bundle in the form `script`, with the algorithms of the keys and the feature `trust`.
 * @returns The text of the file.
 * @throws TypeError if an envelope or the record is not in base64, and RangeError for more than 64 boards.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { type FeatureName, minifiedBundle } from "@firmseal/bundler";
 * import { reportHtml } from "@firmseal/report";
 *
 * const features: FeatureName[] = ["install", "errors", "copy", "trust"];
 * const bundle = await minifiedBundle({ algs: ["ed25519"], features, format: "script" });
 * const keys = [{ alg: "ed25519", key: Buffer.from(publicKey).toString("base64") }];
 * const base64 = Buffer.from(envelope).toString("base64");
 * const release = { file: "app.suit", made: new Date().toISOString(), envelope: base64, keys };
 * writeFileSync("app.html", reportHtml({ ...release, threshold: 1, names: {}, kinds: [], slots: false }, bundle));
 * ```
 */
export function reportHtml(report: ReportData | ReleaseReport, bundle: string): string {
  checkBundle(bundle);
  const boards = "boards" in report ? report.boards : [report];
  const record = "boards" in report ? report.record : undefined;
  if (boards.length > MOST_BOARDS) throw new RangeError(`a report has at most ${MOST_BOARDS} boards`);
  for (const { envelope } of boards) checkBase64(envelope, "the envelope");
  if (record !== undefined) checkBase64(record, "the record");
  const digestOf = (text: string) => toHex(sha256(encoder.encode(text)));
  const rest =
    "boards" in report
      ? {
          ...{ file: report.file, made: report.made, previous: report.previous, gone: report.gone },
          ...{ withdrawn: report.withdrawn, documents: report.documents },
        }
      : {};
  const data = inScript({ ...rest, parts: boards.map(withoutEnvelope), hasRecord: record !== undefined });
  // a changed report must not look verified, nor one with another release of the same signers
  const digests = [...boards.map(({ envelope }) => envelope), ...(record === undefined ? [] : [record])].map(digestOf);
  const expected = `var firmsealReportDigest="${digestOf(data)}",firmsealFileDigests=${JSON.stringify(digests)};`;
  const policy = [
    "default-src 'none'",
    `script-src ${[bundle, expected, PAGE_SCRIPT].map(hashOf).join(" ")}`,
    `style-src ${hashOf(PAGE_STYLE)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const files = [
    ...boards.map(({ envelope }, i) => `<script type="text/plain" id="envelope-${i}">${envelope}</script>`),
    ...(record === undefined ? [] : [`<script type="text/plain" id="record">${record}</script>`]),
  ].join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${REPORT_TEXTS.title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main id="report"><h1>${REPORT_TEXTS.title}</h1><p class="verdict bad" role="status">${escaped(REPORT_TEXTS.notRun)}</p></main>
${files}
<script type="application/json" id="data">${data}</script>
<script>${bundle}</script>
<script>${expected}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}
