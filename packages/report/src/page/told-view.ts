// What was found out when the report was made. The page has no means to verify it.

import { grouped } from "@firmseal/behaviour";
import { digits, el, nested, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import type { PageData } from "./verify.js";
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

/** `name`: replaces identifiers by names. */
export function toldViews(data: PageData, heading: Heading, name: (text: string) => string): Node[] {
  const out = [
    ...(data.changes ? changeViews(data.changes, heading, name) : []),
    ...(data.cuts ? cutMap(data.cuts, heading) : []),
    ...documentViews(data.documents ?? [], heading),
  ];
  return out.length > 0
    ? [el("section", { class: "told" }, heading(1, REPORT_TEXTS.toldTitle), el("p", {}, REPORT_TEXTS.told), ...out)]
    : [];
}
