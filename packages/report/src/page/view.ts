// What the page shows of one envelope: first what it has verified, then what was found out when the report was made.

import { type Behaviour, componentWords, grouped, refusingDevices, refusingWords } from "@firmseal/behaviour";
import { refusalOf } from "@firmseal/verifier/tools";
import type { ReportWithdrawal } from "../data.js";
import { behaviourViews } from "./behaviour-view.js";
import { digits, el, facts, list, table, visibleText } from "./dom.js";
import { REPORT_TEXTS } from "./texts.js";
import { toldViews } from "./told-view.js";
import type { PageData, PayloadFacts, Verified } from "./verify.js";

/**
 * Puts what verifyReport() throws into words.
 *
 * @param e - What was thrown.
 * @returns A refusal by its number, name and words, with the payload that it is about; any other error by its message.
 */
export function refusalWords(e: unknown): string {
  const { code, payload } = e as { code?: unknown; payload?: unknown };
  if (typeof code !== "number") return visibleText(e instanceof Error ? e.message : String(e));
  const row = refusalOf(code);
  const prefix = typeof payload === "string" ? `${REPORT_TEXTS.payloadWrong(visibleText(payload))}: ` : "";
  return `${prefix}${row ? `${row.meaning} (${code} ${row.name})` : code}`;
}

const refusedWords = ({ words, code, reason }: NonNullable<Behaviour["refused"]>) => `${words} (${code} ${reason})`;

/** Which devices refuse the release whatever they have, in words. Undefined: every device takes it somehow. */
function refusedByDevices({ behaviours, names }: Verified): string | undefined {
  const [refusing] = refusingDevices(behaviours);
  if (!refusing) return undefined;
  const words = refusedWords(refusing.refused);
  if (behaviours.every(({ refused }) => refused)) return REPORT_TEXTS.refusedByAll(words);
  return REPORT_TEXTS.refusedBySome(visibleText(refusingWords(refusing, names)), words);
}

/** Why a release that these keys have signed is not good, in words. Undefined: it is. */
export function faultOf(verified: Verified): string | undefined {
  const testKey = [...verified.testKeys, ...verified.unknown.map((one) => one.testKey)].find((name) => name !== undefined);
  return refusedByDevices(verified) ?? (testKey === undefined ? undefined : REPORT_TEXTS.testKey(visibleText(testKey)));
}

/** That a release was withdrawn, in words. */
export const withdrawalWords = ({ time, reason }: ReportWithdrawal): string =>
  REPORT_TEXTS.withdrawn(visibleText(time.slice(0, 10)), visibleText(reason));

/** The title of a page, of what is signed alone. */
export function titleOf({ version, sequence, names, behaviours }: Verified): string {
  const vendors = new Set(behaviours.flatMap(({ devices }) => devices.map(({ vendor }) => vendor)));
  const [vendor = ""] = vendors;
  const name = vendors.size === 1 && Object.hasOwn(names, vendor) ? names[vendor] : undefined;
  return visibleText(REPORT_TEXTS.titleOf(version ?? REPORT_TEXTS.titleNumber(sequence), name));
}

/** The classes of the devices: names that follow from what is signed, or identifiers. */
export function classWords({ behaviours, names }: Verified): string {
  const classes = new Set(behaviours.flatMap(({ devices }) => devices.map(({ class: id }) => names[id] ?? id)));
  return visibleText([...classes].join(", ") || REPORT_TEXTS.anyDevice);
}

/** Makes a heading of a level below that of the envelope. */
export type Heading = (below: number, text: string) => HTMLElement;

/** Headings below one of level `level`. */
export const headings =
  (level: number): Heading =>
  (below, text) =>
    el(`h${level + below}`, {}, text);

function stateView({ signed, testKeys }: Verified, i: number): HTMLElement {
  if (!signed[i]) return el("span", { class: "dim" }, REPORT_TEXTS.notSigned);
  const testKey = testKeys[i];
  return testKey === undefined
    ? el("span", { class: "yes" }, REPORT_TEXTS.signed)
    : el("span", { class: "no" }, REPORT_TEXTS.signedByTestKey(testKey));
}

/** Signatures of nobody known, and of published test keys that are not keys of the page. */
function unknownViews({ unknown }: Verified): Node[] {
  const rest = unknown.filter(({ testKey }) => testKey === undefined);
  const words = rest.map(({ alg, kid }) => REPORT_TEXTS.unknownSignature(alg, kid)).join("; ");
  const all = [
    ...unknown.flatMap(({ alg, testKey }) => (testKey === undefined ? [] : REPORT_TEXTS.otherTestKey(alg, testKey))),
    ...(rest.length > 0 ? [`${REPORT_TEXTS.unknownSignatures(rest.length)} ${words}`] : []),
  ];
  return all.map((text) => el("p", { class: "no" }, visibleText(text)));
}

function signerViews({ keys, threshold, families = [], board }: PageData, verified: Verified): Node[] {
  const { thumbprints, signed } = verified;
  // one name for each table of the page
  const label = board === undefined ? REPORT_TEXTS.signers : REPORT_TEXTS.signersOf(classWords(verified));
  const rows = keys.map(({ alg }, i) => [
    REPORT_TEXTS.keyNumber(i + 1),
    visibleText(alg),
    el("code", {}, ...digits(thumbprints[i] as string)),
    stateView(verified, i),
  ]);
  const count = (own: readonly number[]) => own.filter((i) => signed[i]).length;
  const all = keys.map((_, i) => i);
  const familyWords = families.map(({ keys: own, threshold: least }) => {
    const algorithms = new Set(own.map((i) => keys[i]?.alg));
    return REPORT_TEXTS.family(count(own), own.length, least, visibleText([...algorithms].join(" or ")));
  });
  return [
    ...[REPORT_TEXTS.threshold(count(all), keys.length, threshold), ...familyWords].map((words) => el("p", { class: "count" }, words)),
    table(label, [REPORT_TEXTS.key, REPORT_TEXTS.algorithm, REPORT_TEXTS.thumbprint, REPORT_TEXTS.state], rows),
    ...unknownViews(verified),
  ];
}

/** Shows that the file of a payload outside the envelope has been compared. */
export const payloadId = ({ uri, digest }: Pick<PayloadFacts, "uri" | "digest">) => `${digest?.algorithm} ${digest?.hex} ${uri}`;

function payloadView({ components }: Verified, payload: PayloadFacts): Node {
  const { uri, component, inside, digest } = payload;
  const state = inside ? (payload.checked ? REPORT_TEXTS.inside : REPORT_TEXTS.unchecked) : REPORT_TEXTS.outside;
  const rows: [string, string | Node][] = [[visibleText(uri), el("span", inside ? {} : { "data-payload": payloadId(payload) }, state)]];
  if (components.length > 1) rows.push([REPORT_TEXTS.component(visibleText(componentWords(components[component] ?? []))), ""]);
  if (digest) rows.push([digest.algorithm, el("code", {}, ...digits(digest.hex))]);
  return facts(rows);
}

/** The content of one envelope, without its verdict. `length`: of the envelope in bytes. */
export function envelopeViews(data: PageData, verified: Verified, length: number, heading: Heading): Node[] {
  return [
    facts([
      [REPORT_TEXTS.sequence, verified.sequence],
      ...verified.texts.map(([label, text]) => [visibleText(label), visibleText(text)] as const),
      [REPORT_TEXTS.bytes, REPORT_TEXTS.length(grouped(length))],
      [REPORT_TEXTS.digest, el("code", {}, ...digits(verified.digest))],
    ]),
    heading(1, REPORT_TEXTS.signers),
    ...signerViews(data, verified),
    heading(1, REPORT_TEXTS.behaviour),
    ...behaviourViews(verified, heading),
    ...(verified.payloads.length > 0 ? [heading(1, REPORT_TEXTS.payloads)] : []),
    ...verified.payloads.map((payload) => payloadView(verified, payload)),
    ...(verified.elements.length > 0 ? [heading(1, REPORT_TEXTS.elements), list("ul", verified.elements)] : []),
    ...toldViews(data, verified, heading),
  ];
}

/**
 * Makes the content of a report whose release these keys have signed.
 *
 * @param data - The data of the page.
 * @param verified - From verifyReport().
 * @param length - Bytes of the envelope.
 * @returns The elements, in order.
 */
export function goodViews(data: PageData, verified: Verified, length: number): Node[] {
  const fault = data.withdrawn ? withdrawalWords(data.withdrawn) : faultOf(verified);
  return [
    el("p", { class: `verdict ${fault === undefined ? "good" : "bad"}`, role: "status" }, fault ?? REPORT_TEXTS.good),
    el("p", { class: "dim" }, REPORT_TEXTS.verifier),
    ...envelopeViews(data, verified, length, headings(1)),
  ];
}
