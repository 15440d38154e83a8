// The script of the page: verifies, then shows. Until it has run, the page says that nothing was verified.

import { type ReleaseRecord, readRecordText, recordContradiction, recordFault } from "@firmseal/behaviour";
import { decodeEnvelope, toHex } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { MOST_BOARDS, type ReportWithdrawal } from "../data.js";
import { el, visibleText } from "./dom.js";
import { payloadChecker } from "./payload-file.js";
import { type BoardOutcome, releaseViews } from "./release-view.js";
import { decoded, digestInSlices, type OnProgress } from "./slices.js";
import { REPORT_TEXTS } from "./texts.js";
import { type DeviceBundle, type PageData, trustOf, verifyReport } from "./verify.js";
import { goodViews, refusalWords, titleOf } from "./view.js";

declare const firmseal: DeviceBundle;
declare const firmsealReportDigest: string;
declare const firmsealFileDigests: readonly string[];
/** Names of published test keys by 128 bits of their thumbprints: scripts/build/in-signer.mjs puts them in. */
declare const FIRMSEAL_TEST_KEYS: { readonly [beginning: string]: string };

/** What the page holds besides the envelopes and the record. */
interface PageContent {
  parts: PageData[];
  hasRecord: boolean;
  file?: string;
  made?: string;
  previous?: string;
  gone?: string[];
  withdrawn?: ReportWithdrawal;
  documents?: NonNullable<PageData["documents"]>;
}

/** A board with its envelope. */
interface Opened extends BoardOutcome {
  envelope?: Uint8Array;
}

const testKeyName = (thumbprint: string): string | undefined => FIRMSEAL_TEST_KEYS[thumbprint.slice(0, 32)];

const contentOf = (id: string) => document.getElementById(id)?.textContent ?? "";

const textDigest = (text: string) => toHex(sha256(new TextEncoder().encode(text)));

/** Verifies one envelope. */
async function openPart(data: PageData, i: number, progress: OnProgress): Promise<Opened> {
  let length = 0;
  try {
    const { bytes: envelope, digest } = await decoded(contentOf(`envelope-${i}`), sha256, progress);
    length = envelope.length;
    const verified = await verifyReport(firmseal, trustOf(firmseal, data), data, envelope, testKeyName, progress);
    // another release of the same signers is not the release of this report
    if (toHex(digest) !== firmsealFileDigests[i]) throw new Error(REPORT_TEXTS.changed);
    return { data, length, verified, envelope };
  } catch (e) {
    return { data, length, refused: refusalWords(e) };
  }
}

/** Compares a board with the record. Returns why it is another one. */
async function boardFault(record: ReleaseRecord, { data, verified, envelope }: Opened, progress: OnProgress): Promise<string | undefined> {
  if (!verified || !envelope) return undefined;
  const { sequence, behaviours, thumbprints, signed } = verified;
  return recordFault(record, data.board ?? "", {
    ...{ outline: decodeEnvelope(envelope), sequence, behaviours, size: envelope.length },
    digest: toHex(await digestInSlices(sha256, envelope, progress)),
    thumbprints: thumbprints.filter((_, k) => signed[k]),
  });
}

/** Reads release.json, and compares all boards with it. */
async function openRecord(boards: readonly Opened[], progress: OnProgress): Promise<{ record?: ReleaseRecord; fault?: string }> {
  const text = contentOf("record");
  let record: ReleaseRecord;
  try {
    const { bytes } = await decoded(text, sha256);
    record = readRecordText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return { fault: REPORT_TEXTS.notRecord };
  }
  const own = recordContradiction(record);
  if (own !== undefined) return { record, fault: REPORT_TEXTS.recordRefused(own) };
  for (const one of boards) {
    const fault = await boardFault(record, one, progress);
    if (fault !== undefined) return { record, fault: REPORT_TEXTS.recordRefused(`${visibleText(one.data.board ?? "")}: ${fault}`) };
  }
  return textDigest(text) === firmsealFileDigests[boards.length] ? { record } : { record, fault: REPORT_TEXTS.changed };
}

/** Shows content under a title: that of the page, or what is signed. */
type Show = (title: string, ...content: Node[]) => void;

const verdict = (words: string) => el("p", { class: "verdict bad", role: "status" }, `${REPORT_TEXTS.refused}: ${words}`);

async function showRelease(content: PageContent, progress: OnProgress, show: Show): Promise<void> {
  const boards: Opened[] = [];
  for (const [i, data] of content.parts.entries()) boards.push(await openPart(data, i, progress));
  const { file = "", made = "", previous, gone, withdrawn, documents = [] } = content;
  const told = { ...(previous !== undefined && { previous }), ...(gone && { gone }), ...(withdrawn && { withdrawn }) };
  const rest = { file, made, documents, ...told };
  const titles = new Set(boards.map(({ verified }) => (verified ? titleOf(verified) : REPORT_TEXTS.title)));
  const [title = ""] = titles;
  show(
    titles.size === 1 ? title : REPORT_TEXTS.title,
    ...releaseViews({ ...rest, boards, ...(await openRecord(boards, progress)) }),
    ...payloadChecker(boards, documents),
  );
}

async function run(): Promise<void> {
  const main = document.getElementById("report") as HTMLElement;
  const show: Show = (title, ...content) => {
    document.title = title;
    main.replaceChildren(el("h1", {}, title), ...content);
  };
  try {
    const text = contentOf("data");
    if (textDigest(text) !== firmsealReportDigest) throw new Error(REPORT_TEXTS.changed);
    const content = JSON.parse(text) as PageContent;
    const [first] = content.parts;
    if (!first || content.parts.length > MOST_BOARDS) throw new Error(REPORT_TEXTS.tooMany(MOST_BOARDS));
    const bar = el("progress", { max: "100", value: "0", "aria-label": REPORT_TEXTS.verifying });
    const progress = (done: number, of: number) => bar.setAttribute("value", String(Math.floor((done * 100) / of)));
    show(REPORT_TEXTS.title, el("p", { class: "pending" }, REPORT_TEXTS.verifying), bar);
    if (content.hasRecord) return await showRelease(content, progress, show);
    const one = await openPart(first, 0, progress);
    const { data, verified, length } = one;
    if (!verified) throw new Error(one.refused);
    show(titleOf(verified), ...goodViews(data, verified, length), ...payloadChecker([one], data.documents ?? []));
  } catch (e) {
    show(REPORT_TEXTS.title, verdict(refusalWords(e)));
  }
}

run();
