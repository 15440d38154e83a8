// The verdict, with who signed, and what is in a trust file.

import { digits, el, facts, goodViews, nested, REPORT_TEXTS, table, visibleText } from "@firmseal/report/page";
import type { DeskVerdict, SignatureRow } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { button } from "./parts.js";

const CLASSES = { good: "good", bad: "bad", unknown: "open" } as const;

function signatureView(rows: readonly SignatureRow[]): Node[] {
  if (rows.length === 0) return [];
  const cells = rows.map(({ alg, kid, by, testKey }, i) => [
    String(i + 1),
    visibleText(alg),
    el("code", {}, kid || TEXTS.none),
    by !== undefined ? visibleText(by) : testKey === undefined ? TEXTS.nobodyKnown : REPORT_TEXTS.signedByTestKey(testKey),
  ]);
  return [el("h2", {}, TEXTS.signatures), table(TEXTS.signatures, [TEXTS.signature, TEXTS.algorithm, TEXTS.keyId, TEXTS.madeBy], cells)];
}

function trustView({ name, sequence, thresholds, keys, changes }: NonNullable<DeskVerdict["trust"]>): Node[] {
  const rows = keys.map((key) => [
    key.roles,
    visibleText(key.alg),
    el("code", {}, ...digits(key.thumbprint)),
    visibleText(key.limits || TEXTS.none),
  ]);
  return [
    el("h2", {}, TEXTS.trust),
    facts([
      [TEXTS.product, visibleText(name)],
      [TEXTS.sequence, sequence],
      [TEXTS.thresholds, thresholds],
    ]),
    table(TEXTS.trust, [TEXTS.roles, TEXTS.algorithm, TEXTS.thumbprint, TEXTS.limits], rows),
    ...(changes ? [el("h2", {}, TEXTS.trustChanges(changes.number)), nested(changes.lines)] : []),
  ];
}

/** `goTo`: shows a byte of the main file. */
export function verdictViews({ state, words, at, signatures, release, trust, notes }: DeskVerdict, goTo: (at: number) => void): Node[] {
  const line = release
    ? []
    : [
        el(
          "p",
          { class: `verdict ${CLASSES[state]}`, role: "status" },
          visibleText(at === undefined ? words : `${words}, ${TEXTS.offset(at)}`),
          ...(at === undefined ? [] : [" ", button(TEXTS.showByte, () => goTo(at))]),
        ),
      ];
  const [first, ...others] = release ? goodViews(release.data, release.verified, release.length) : [];
  return [
    ...line,
    ...(first ? [first] : []),
    ...notes.map((note) => el("p", { class: "note" }, visibleText(note))),
    ...others,
    ...signatureView(signatures),
    ...(trust ? trustView(trust) : []),
  ];
}
