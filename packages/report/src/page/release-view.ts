// What the page shows of a release of several boards: the verdict on all of them, a table, and a section for each.

import type { ReleaseRecord } from "@firmseal/behaviour";
import type { ReportWithdrawal } from "../data.js";
import { digits, el, facts, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import { documentViews, toldSection } from "./told-view.js";
import type { PageData, Verified } from "./verify.js";
import { classWords, envelopeViews, faultOf, headings, withdrawalWords } from "./view.js";

/** What became of one board. `refused`: why it is not good, in words. */
export interface BoardOutcome {
  data: PageData;
  /** Bytes of the envelope. */
  length: number;
  verified?: Verified;
  refused?: string;
}

/** A release as the page found it. `fault`: why the record is not that of these envelopes. */
export interface ReleaseOutcome {
  file: string;
  made: string;
  previous?: string;
  gone?: string[];
  withdrawn?: ReportWithdrawal;
  documents?: NonNullable<PageData["documents"]>;
  boards: BoardOutcome[];
  record?: ReleaseRecord;
  fault?: string;
}

/** What a board is called: by its signed devices, or, if nothing of it is verified, by the maker of the page. */
const titleOfBoard = ({ data, verified, refused }: BoardOutcome) =>
  verified && refused === undefined ? REPORT_TEXTS.boardOf(classWords(verified)) : REPORT_TEXTS.board(visibleText(data.board ?? data.file));

/** The verdict in one sentence, and whether it is good. */
function verdictOf({ boards, fault, withdrawn }: ReleaseOutcome): { isGood: boolean; words: string } {
  const [first, ...others] = boards.filter(({ refused }) => refused !== undefined);
  if (first) {
    const more = others.length > 0 ? REPORT_TEXTS.moreBoards(others.length) : "";
    return { isGood: false, words: `${REPORT_TEXTS.refused}: ${titleOfBoard(first)}: ${first.refused}${more}` };
  }
  if (fault !== undefined) return { isGood: false, words: `${REPORT_TEXTS.refused}: ${fault}` };
  if (withdrawn) return { isGood: false, words: withdrawalWords(withdrawn) };
  for (const one of boards) {
    const words = one.verified && faultOf(one.verified);
    if (words !== undefined) return { isGood: false, words: `${titleOfBoard(one)}: ${words}` };
  }
  return { isGood: true, words: REPORT_TEXTS.releaseGood(boards.length) };
}

function overview(boards: readonly BoardOutcome[]): HTMLElement {
  const rows = boards.map((one, i) => {
    const { data, verified } = one;
    const refused = one.refused === undefined ? verified && faultOf(verified) : `${REPORT_TEXTS.refused}: ${one.refused}`;
    const n = verified?.signed.filter(Boolean).length ?? 0;
    return [
      el("a", { href: `#board-${i}` }, titleOfBoard(one)),
      verified ? `${n} / ${data.keys.length}` : "",
      verified ? String(verified.payloads.length) : "",
      el("span", { class: refused === undefined ? "yes" : "no" }, refused ?? REPORT_TEXTS.verified),
    ];
  });
  return table(
    REPORT_TEXTS.boards,
    [REPORT_TEXTS.devices, REPORT_TEXTS.signedColumn, REPORT_TEXTS.payloadColumn, REPORT_TEXTS.verdictColumn],
    rows,
  );
}

/** The keys that signed at least one board, each with the beginning of its thumbprint. */
function signersOf(boards: readonly BoardOutcome[]): HTMLElement {
  const rows = new Map<string, HTMLElement>();
  for (const { data, verified } of boards)
    data.keys.forEach(({ alg }, i) => {
      const thumbprint = verified?.signed[i] ? verified.thumbprints[i] : undefined;
      if (thumbprint === undefined) return;
      const beginning = el("code", {}, ...digits(thumbprint.slice(0, 16)));
      rows.set(thumbprint, el("div", {}, visibleText(`${alg} `), beginning, "…"));
    });
  return el("div", {}, ...rows.values());
}

/** How many payloads the page cannot check before somebody chooses their files. */
function outsideView(boards: readonly BoardOutcome[]): Node[] {
  const n = boards.reduce((sum, { verified }) => sum + (verified?.payloads.filter(({ inside }) => !inside).length ?? 0), 0);
  return n === 0 ? [] : [el("p", {}, REPORT_TEXTS.outsideCount(n))];
}

function boardView(one: BoardOutcome, i: number): HTMLElement {
  const { data, verified, refused, length } = one;
  const content =
    verified && refused === undefined
      ? envelopeViews(data, verified, length, headings(2))
      : [el("p", { class: "bad" }, `${REPORT_TEXTS.refused}: ${refused}`)];
  return el(
    "section",
    { class: "board", "aria-labelledby": `board-${i}` },
    el("h2", { id: `board-${i}`, tabindex: "-1" }, titleOfBoard(one)),
    ...content,
    el("p", { class: "back" }, el("a", { href: "#boards" }, REPORT_TEXTS.toBoards)),
  );
}

/** The version that every board names in its signed text. */
function signedVersion(boards: readonly BoardOutcome[]): string | undefined {
  const [first, ...others] = boards.map(({ verified }) => verified?.version);
  return others.every((one) => one === first) ? first : undefined;
}

/** What follows from what is signed: the vendor gives its UUID, and the envelopes have the number. */
function recordViews({ record, fault, boards }: ReleaseOutcome): Node[] {
  const shown = boards.length;
  const all = record?.artifacts.filter(({ kind }) => kind === "envelope").length ?? shown;
  const version = signedVersion(boards);
  return [
    ...(record && fault === undefined
      ? [
          facts([
            [REPORT_TEXTS.vendorName, visibleText(record.vendor)],
            ...(version === undefined ? [] : [[REPORT_TEXTS.versionName, visibleText(version)] as const]),
            [REPORT_TEXTS.sequence, visibleText(record.sequence)],
            [REPORT_TEXTS.signers, signersOf(boards)],
          ]),
        ]
      : []),
    el("p", fault === undefined ? { class: "dim" } : { class: "bad" }, fault ?? REPORT_TEXTS.recordGood),
    ...(shown < all ? [el("p", {}, REPORT_TEXTS.someBoards(shown, all))] : []),
  ];
}

/** What release.json and the maker of the page say, and nobody has signed. */
function toldOfRelease(outcome: ReleaseOutcome): Node[] {
  const { record, boards, file, made, gone, previous, documents = [] } = outcome;
  const version = record && signedVersion(boards) === undefined ? record.version : undefined;
  const rows: [string, string | undefined][] = [
    [REPORT_TEXTS.fileName, file],
    [REPORT_TEXTS.productName, record?.product],
    [REPORT_TEXTS.versionName, version],
    [REPORT_TEXTS.made, made],
  ];
  const newBoards = boards.filter(({ data, refused }) => previous !== undefined && !data.changes && refused === undefined);
  return toldSection(
    el("h2", {}, REPORT_TEXTS.toldTitle),
    facts(rows.flatMap(([term, value]) => (value === undefined || value === "" ? [] : [[term, visibleText(value)] as const]))),
    ...(previous === undefined
      ? []
      : newBoards.map((one) => el("p", {}, visibleText(`${titleOfBoard(one)}: ${REPORT_TEXTS.newBoard(previous)}`)))),
    ...(previous !== undefined && gone && gone.length > 0 ? [el("p", {}, visibleText(REPORT_TEXTS.gone(gone.join(", "), previous)))] : []),
    ...documentViews(documents, headings(1)),
  );
}

/** The content of the report. */
export function releaseViews(outcome: ReleaseOutcome): Node[] {
  const { isGood, words } = verdictOf(outcome);
  return [
    el("p", { class: `verdict ${isGood ? "good" : "bad"}`, role: "status" }, words),
    el("p", { class: "dim" }, REPORT_TEXTS.verifier),
    ...recordViews(outcome),
    el("h2", { id: "boards", tabindex: "-1" }, REPORT_TEXTS.boards),
    overview(outcome.boards),
    ...outsideView(outcome.boards),
    ...outcome.boards.map((one, i) => boardView(one, i)),
    ...toldOfRelease(outcome),
  ];
}
