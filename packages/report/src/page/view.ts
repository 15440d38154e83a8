// What the page shows: first what it has verified, then what was found out when the report was made.

import { refusalOf } from "@firmseal/verifier/tools";
import { actionWords, whoWords } from "../explain-words.js";
import { grouped } from "../text.js";
import { el, facts, list, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import type { PageData, PayloadFacts, Verified } from "./verify.js";

/** A refusal by its number, name and words; any other error by its message. */
export function refusalWords(e: unknown): string {
  const { code } = e as { code?: unknown };
  if (typeof code !== "number") return visibleText(e instanceof Error ? e.message : String(e));
  const row = refusalOf(code);
  return row ? `${row.meaning} (${code} ${row.name})` : String(code);
}

/** Names of devices in place of their identifiers. */
function named(data: PageData, text: string): string {
  let out = text;
  for (const [id, name] of Object.entries(data.names)) out = out.replaceAll(id, () => `${name} (${id.slice(0, 8)}…)`);
  return out;
}

function actions(title: string, lines: readonly string[]): Node[] {
  if (lines.length === 0) return [el("p", {}, `${title}: ${REPORT_TEXTS.nothing}`)];
  return [el("p", {}, `${title}:`), list("ol", lines)];
}

function behaviourViews(data: PageData, { behaviours, components }: Verified): Node[] {
  return behaviours.flatMap((one) => [
    el("h3", {}, visibleText(named(data, whoWords(one)))),
    ...actions(
      REPORT_TEXTS.installation,
      one.install.map((action) => actionWords(action, components)),
    ),
    ...(one.refused
      ? [
          el(
            "p",
            { class: "bad" },
            `${one.refused.during === "start" ? `${REPORT_TEXTS.start}: ` : ""}${REPORT_TEXTS.refuses}: ${one.refused.words} (${one.refused.code} ${one.refused.reason})`,
          ),
        ]
      : actions(
          REPORT_TEXTS.start,
          one.start.map((action) => actionWords(action, components)),
        )),
  ]);
}

function payloadView(data: PageData, { uri, inside, bytes, digest }: PayloadFacts): Node[] {
  const rows: [string, string][] = [[visibleText(uri), inside ? REPORT_TEXTS.inside : REPORT_TEXTS.outside]];
  if (digest) rows.push([digest.algorithm, digest.hex]);
  const out: Node[] = [facts(rows)];
  if (data.slotSize !== undefined && bytes !== undefined) {
    const words = REPORT_TEXTS.slot(grouped(bytes), grouped(data.slotSize), Math.ceil((bytes * 100) / data.slotSize));
    out.push(el("meter", { min: "0", max: String(data.slotSize), value: String(bytes), "aria-label": words }), el("p", {}, words));
  }
  return out;
}

const MARKS = { old: "", new: "", none: "!", mixed: "?" } as const;

function cutMap({ points, device, faults }: NonNullable<PageData["cuts"]>): Node[] {
  const cells = points.map(({ what, boots, cuts }) => {
    const words = visibleText(`${what}: ${REPORT_TEXTS.cutLegend[boots]} (${cuts})`);
    return el("li", { class: boots, title: words, "aria-label": words }, MARKS[boots]);
  });
  const counts = (["old", "new", "none", "mixed"] as const).flatMap((boots) => {
    const n = points.filter((p) => p.boots === boots).length;
    return n === 0 ? [] : [el("li", {}, el("span", { class: boots }, "\u00a0\u00a0"), ` ${REPORT_TEXTS.cutLegend[boots]}: ${grouped(n)}`)];
  });
  return [
    el("h3", {}, REPORT_TEXTS.cuts(device)),
    el("p", {}, faults === 0 ? REPORT_TEXTS.cutsGood : REPORT_TEXTS.cutsBad(faults)),
    el("ul", { class: "map" }, ...cells),
    el("ul", {}, ...counts),
  ];
}

/** What was found out before. The page has no means to verify it. */
function toldViews(data: PageData): Node[] {
  const out: Node[] = [];
  if (data.changes) {
    out.push(el("h3", {}, visibleText(REPORT_TEXTS.changes(data.changes.file))));
    out.push(
      data.changes.lines.length === 0
        ? el("p", {}, REPORT_TEXTS.noChanges)
        : list(
            "ul",
            data.changes.lines.map((line) => named(data, line)),
          ),
    );
  }
  if (data.cuts) out.push(...cutMap(data.cuts));
  return out.length > 0 ? [el("h2", {}, REPORT_TEXTS.toldTitle), el("p", { class: "told" }, REPORT_TEXTS.told), ...out] : [];
}

/** The content of a report whose release is good. `length`: of the envelope. */
export function goodViews(data: PageData, verified: Verified, length: number): Node[] {
  const keys = data.keys.map(({ name, alg }, i) => [
    visibleText(name ?? String(i + 1)),
    alg,
    el("code", {}, verified.thumbprints[i] as string),
    verified.signed[i] ? REPORT_TEXTS.signed : REPORT_TEXTS.notSigned,
  ]);
  return [
    el("p", { class: "verdict good", role: "status" }, REPORT_TEXTS.good),
    facts([
      [REPORT_TEXTS.sequence, verified.sequence],
      [REPORT_TEXTS.digest, el("code", {}, verified.digest)],
      ...verified.texts.map(([label, text]) => [visibleText(label), visibleText(text)] as const),
      [REPORT_TEXTS.bytes, grouped(length)],
      ...(data.made === "" ? [] : [[REPORT_TEXTS.made, visibleText(data.made)] as const]),
    ]),
    el("h2", {}, REPORT_TEXTS.signers),
    el("p", {}, REPORT_TEXTS.verifier),
    table(REPORT_TEXTS.signers, [REPORT_TEXTS.key, REPORT_TEXTS.algorithm, REPORT_TEXTS.thumbprint, REPORT_TEXTS.state], keys),
    el("p", {}, REPORT_TEXTS.threshold(data.threshold, data.keys.length)),
    ...(data.trust ? [el("p", {}, visibleText(REPORT_TEXTS.trust(data.trust.name, data.trust.sequence, data.trust.role)))] : []),
    el("h2", {}, REPORT_TEXTS.behaviour),
    ...behaviourViews(data, verified),
    el("p", {}, REPORT_TEXTS.stops),
    ...(verified.payloads.length > 0 ? [el("h2", {}, REPORT_TEXTS.payloads)] : []),
    ...verified.payloads.flatMap((payload) => payloadView(data, payload)),
    ...(verified.elements.length > 0 ? [el("h2", {}, REPORT_TEXTS.elements), list("ul", verified.elements)] : []),
    ...toldViews(data),
  ];
}
