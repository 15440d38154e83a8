// What the page shows of one envelope: first what it has verified, then what was found out when the report was made.

import { componentWords, grouped } from "@firmseal/behaviour";
import { refusalOf } from "@firmseal/verifier/tools";
import { behaviourViews, named } from "./behaviour-view.js";
import { digits, el, facts, list, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import { toldViews } from "./told-view.js";
import type { PageData, PayloadFacts, Verified } from "./verify.js";

/**
 * Returns a refusal by its number, name and words; any other error by its message. `payload`: the URI that it is about.
 */
export function refusalWords(e: unknown): string {
  const { code, payload } = e as { code?: unknown; payload?: unknown };
  if (typeof code !== "number") return visibleText(e instanceof Error ? e.message : String(e));
  const row = refusalOf(code);
  const prefix = typeof payload === "string" ? `${REPORT_TEXTS.payloadWrong(visibleText(payload))}: ` : "";
  return `${prefix}${row ? `${row.meaning} (${code} ${row.name})` : code}`;
}

/** Why no kind of device takes a release that these keys have signed, in words. Undefined: some kind does. */
export function refusedByAll({ behaviours }: Pick<Verified, "behaviours">): string | undefined {
  const [first] = behaviours;
  if (!first?.refused || !behaviours.every(({ refused }) => refused)) return undefined;
  const { words, code, reason } = first.refused;
  return REPORT_TEXTS.refusedByAll(`${words} (${code} ${reason})`);
}

/** Makes a heading of a level below that of the envelope. */
export type Heading = (below: number, text: string) => HTMLElement;

/** Headings below one of level `level`. */
export const headings =
  (level: number): Heading =>
  (below, text) =>
    el(`h${level + below}`, {}, text);

/** How many keys have signed, and must. */
export function thresholdWords({ keys, threshold, trust }: PageData, { signed }: Verified): string {
  return REPORT_TEXTS.threshold(signed.filter(Boolean).length, keys.length, threshold, trust?.role);
}

function signerViews(data: PageData, verified: Verified): Node[] {
  const { keys, families = [], trust, board } = data;
  // one name for each table of the page
  const label = board === undefined ? REPORT_TEXTS.signers : REPORT_TEXTS.signersOf(visibleText(board));
  const rows = keys.map(({ name, alg }, i) => [
    visibleText(name ?? String(i + 1)),
    visibleText(alg),
    el("code", {}, ...digits(verified.thumbprints[i] as string)),
    el("span", { class: verified.signed[i] ? "yes" : "dim" }, verified.signed[i] ? REPORT_TEXTS.signed : REPORT_TEXTS.notSigned),
  ]);
  const familyWords = families.map(({ algorithms, keys: own, threshold }) =>
    REPORT_TEXTS.family(own.filter((i) => verified.signed[i]).length, own.length, threshold, visibleText(algorithms.join(" or "))),
  );
  return [
    el("p", { class: "count" }, thresholdWords(data, verified)),
    ...familyWords.map((words) => el("p", { class: "count" }, words)),
    table(label, [REPORT_TEXTS.key, REPORT_TEXTS.algorithm, REPORT_TEXTS.thumbprint, REPORT_TEXTS.state], rows),
    ...(trust ? [el("p", {}, visibleText(REPORT_TEXTS.trust(trust.name, trust.sequence, trust.role)))] : []),
  ];
}

/** Shows that the file of a payload outside the envelope has been compared. */
export const payloadId = ({ uri, digest }: Pick<PayloadFacts, "uri" | "digest">) => `${digest?.algorithm} ${digest?.hex} ${uri}`;

function payloadView(data: PageData, { components }: Verified, payload: PayloadFacts): Node[] {
  const { uri, component, inside, bytes, digest } = payload;
  const state = inside
    ? payload.checked
      ? REPORT_TEXTS.inside
      : REPORT_TEXTS.unchecked
    : data.compared?.includes(uri)
      ? REPORT_TEXTS.compared
      : REPORT_TEXTS.outside;
  const rows: [string, string | Node][] = [[visibleText(uri), el("span", inside ? {} : { "data-payload": payloadId(payload) }, state)]];
  if (components.length > 1) rows.push([REPORT_TEXTS.component(visibleText(componentWords(components[component] ?? []))), ""]);
  if (digest) rows.push([digest.algorithm, el("code", {}, ...digits(digest.hex))]);
  const out: Node[] = [facts(rows)];
  const size = data.slotSizes?.[component];
  if (typeof size === "number" && size > 0 && bytes !== undefined) {
    const words = REPORT_TEXTS.slot(grouped(bytes), grouped(size), Math.ceil((bytes * 100) / size));
    out.push(el("meter", { min: "0", max: String(size), value: String(bytes), "aria-label": words }), el("p", { class: "of" }, words));
  }
  return out;
}

/** The content of one envelope, without its verdict. `length`: of the envelope in bytes. */
export function envelopeViews(data: PageData, verified: Verified, length: number, heading: Heading): Node[] {
  return [
    facts([
      [REPORT_TEXTS.sequence, verified.sequence],
      ...(data.board === undefined ? [] : [[REPORT_TEXTS.fileName, visibleText(data.file)] as const]),
      ...verified.texts.map(([label, text]) => [visibleText(label), visibleText(text)] as const),
      [REPORT_TEXTS.bytes, REPORT_TEXTS.length(grouped(length))],
      ...(data.made === "" || data.board !== undefined ? [] : [[REPORT_TEXTS.made, visibleText(data.made)] as const]),
      [REPORT_TEXTS.digest, el("code", {}, ...digits(verified.digest))],
    ]),
    heading(1, REPORT_TEXTS.signers),
    ...signerViews(data, verified),
    heading(1, REPORT_TEXTS.behaviour),
    ...behaviourViews(data, verified, heading),
    ...(verified.payloads.length > 0 ? [heading(1, REPORT_TEXTS.payloads)] : []),
    ...verified.payloads.flatMap((payload) => payloadView(data, verified, payload)),
    ...(verified.elements.length > 0 ? [heading(1, REPORT_TEXTS.elements), list("ul", verified.elements)] : []),
    ...toldViews(data, heading, (text) => named(data, text)),
  ];
}

/** Returns the content of a report whose release these keys have signed. `length`: bytes of the envelope. */
export function goodViews(data: PageData, verified: Verified, length: number): Node[] {
  const refused = refusedByAll(verified);
  return [
    el("p", { class: `verdict ${refused === undefined ? "good" : "bad"}`, role: "status" }, refused ?? REPORT_TEXTS.good),
    el("p", { class: "dim" }, REPORT_TEXTS.verifier),
    ...envelopeViews(data, verified, length, headings(1)),
  ];
}
