// What was found out when the report was made. The page has no means to verify it.

import { grouped } from "@firmseal/behaviour";
import { named } from "./behaviour-view.js";
import { digits, el, facts, list, nested, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import type { PageData, PayloadFacts, Verified } from "./verify.js";
import type { Heading } from "./view.js";

const MARKS = { old: "", new: "", none: "!", mixed: "?" } as const;

function cutMap({ points, device, faults, left }: NonNullable<PageData["cuts"]>, heading: Heading): Node[] {
  const cells = points.map(({ what, boots, cuts }) => {
    const words = visibleText(`${what}: ${REPORT_TEXTS.cutLegend[boots]} (${cuts})`);
    return el("li", { class: boots, title: words }, el("span", { class: "unseen" }, words), MARKS[boots]);
  });
  const counts = (["old", "new", "none", "mixed"] as const).flatMap((boots) => {
    const n = points.filter((p) => p.boots === boots).length;
    return n === 0
      ? []
      : [el("li", {}, el("span", { class: `cell ${boots}` }, MARKS[boots]), ` ${REPORT_TEXTS.cutLegend[boots]}: ${grouped(n)}`)];
  });
  return [
    heading(2, visibleText(REPORT_TEXTS.cuts(device))),
    el("p", {}, faults === 0 ? REPORT_TEXTS.cutsGood : REPORT_TEXTS.cutsBad(faults)),
    ...(left === undefined ? [el("ul", { class: "map" }, ...cells), el("ul", { class: "legend" }, ...counts)] : []),
    ...(left === undefined ? [] : [el("p", {}, REPORT_TEXTS.cutsLeft(left))]),
  ];
}

function changeViews({ file, lines, left }: NonNullable<PageData["changes"]>, heading: Heading, name: (text: string) => string): Node[] {
  const title = heading(2, visibleText(REPORT_TEXTS.changes(file)));
  if (left !== undefined) return [title, el("p", {}, REPORT_TEXTS.left(left))];
  return [title, lines.length === 0 ? el("p", {}, REPORT_TEXTS.noChanges) : nested(lines.map(name))];
}

/** Files that are not signed with the release. */
export function documentViews(documents: NonNullable<PageData["documents"]>, heading: Heading): Node[] {
  if (documents.length === 0) return [];
  const rows = documents.map(({ file, kind, bytes, sha256 }) => [
    visibleText(file),
    visibleText(REPORT_TEXTS.documentKinds[kind.name](kind.of ?? "", kind.count)),
    grouped(bytes),
    el("code", {}, ...digits(visibleText(sha256))),
  ]);
  const titles = [REPORT_TEXTS.documentFile, REPORT_TEXTS.documentKind, REPORT_TEXTS.documentBytes, REPORT_TEXTS.documentDigest];
  return [heading(2, REPORT_TEXTS.documents), table(REPORT_TEXTS.documents, titles, rows)];
}

/** What the maker calls the file, the board, the keys, and identifiers from which no name follows. */
function nameViews({ file, board, made, keys, trust, names }: PageData, verified: Verified): Node[] {
  const used = new Set(verified.behaviours.flatMap(({ devices }) => devices.flatMap(({ vendor, class: name }) => [vendor, name])));
  const others = Object.entries(names).filter(([id, name]) => used.has(id) && verified.names[id] !== name);
  const rows: [string, string][] = [
    ...(board === undefined ? [] : [[REPORT_TEXTS.boardName, board] as [string, string]]),
    ...(made === "" && board === undefined ? [] : [[REPORT_TEXTS.fileName, file] as [string, string]]),
    ...(made === "" || board !== undefined ? [] : [[REPORT_TEXTS.made, made] as [string, string]]),
    ...keys.flatMap(({ name }, i) => (name === undefined ? [] : [[REPORT_TEXTS.keyNumber(i + 1), name] as [string, string]])),
    ...others,
  ];
  return [
    ...(rows.length > 0 ? [facts(rows.map(([term, value]) => [visibleText(term), visibleText(value)]))] : []),
    ...(trust ? [el("p", {}, visibleText(REPORT_TEXTS.trust(trust.name, trust.sequence, trust.role)))] : []),
  ];
}

/** The slot of a payload: its bytes are signed, and the size of the slot is not. */
function slotView({ slotSizes }: PageData, { uri, component, bytes }: PayloadFacts): Node[] {
  const size = slotSizes?.[component];
  if (typeof size !== "number" || size <= 0 || bytes === undefined) return [];
  const words = REPORT_TEXTS.slot(grouped(bytes), grouped(size), Math.ceil((bytes * 100) / size));
  const label = visibleText(`${uri}: ${words}`);
  return [el("meter", { min: "0", max: String(size), value: String(bytes), "aria-label": label }), el("p", { class: "of" }, label)];
}

function payloadViews(data: PageData, { payloads }: Verified, heading: Heading): Node[] {
  const compared = payloads.filter(({ uri, inside }) => !inside && data.compared?.includes(uri));
  const out = [
    ...payloads.flatMap((one) => slotView(data, one)),
    ...(compared.length > 0
      ? [
          list(
            "ul",
            compared.map(({ uri }) => REPORT_TEXTS.compared(uri)),
          ),
        ]
      : []),
  ];
  return out.length > 0 ? [heading(2, REPORT_TEXTS.payloads), ...out] : [];
}

/** The part of a page that shows what the page has no means to check. */
export const toldSection = (title: HTMLElement, ...content: Node[]): Node[] =>
  content.length > 0 ? [el("section", { class: "told" }, title, el("p", {}, REPORT_TEXTS.told), ...content)] : [];

export function toldViews(data: PageData, verified: Verified, heading: Heading): Node[] {
  return toldSection(
    heading(1, REPORT_TEXTS.toldTitle),
    ...nameViews(data, verified),
    ...payloadViews(data, verified, heading),
    ...(data.changes ? changeViews(data.changes, heading, (text) => named(verified, text)) : []),
    ...(data.cuts ? cutMap(data.cuts, heading) : []),
    ...documentViews(data.documents ?? [], heading),
  );
}
