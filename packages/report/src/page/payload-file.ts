// Compares the file of a payload outside the envelope with the digest that was signed.

import { HASH_FUNCTIONS, type HashFunction } from "@firmseal/behaviour";
import { toHex } from "@firmseal/verifier/tools";
import type { ReportDocument } from "../data.js";
import { el, visibleText } from "./dom.js";
import type { BoardOutcome } from "./release-view.js";
import type { OnProgress } from "./slices.js";
import { REPORT_TEXTS } from "./texts.js";
import type { PayloadFacts } from "./verify.js";
import { payloadId } from "./view.js";

/** Bytes that are read at a time. */
const STEP = 1 << 21;

/** The digests of a file by each algorithm. A file of any size: one part of it is in memory. */
async function fileDigests(file: Blob, algorithms: readonly string[], progress: OnProgress): Promise<Map<string, string>> {
  if (algorithms.length === 0) return new Map();
  const states = algorithms.map((name) => [name, (HASH_FUNCTIONS[name] as HashFunction).create()] as const);
  for (let at = 0; at < file.size; at += STEP) {
    const part = new Uint8Array(await file.slice(at, at + STEP).arrayBuffer());
    for (const [, state] of states) state.update(part);
    progress(at, file.size);
  }
  return new Map(states.map(([name, state]) => [name, toHex(state.digest())]));
}

/** The payloads that a file of this length can be. */
const candidates = (payloads: readonly PayloadFacts[], size: number) =>
  payloads.filter(({ bytes, digest }) => digest && HASH_FUNCTIONS[digest.algorithm] && (bytes === undefined || bytes === size));

/** Says in one sentence what a file is. A document is known, but nobody has signed it: it does not look good. */
async function judged(
  file: File,
  payloads: readonly PayloadFacts[],
  documents: readonly ReportDocument[],
  progress: OnProgress,
): Promise<{ look: "good" | "dim" | "bad"; words: string }> {
  const name = visibleText(file.name);
  const possible = candidates(payloads, file.size);
  try {
    const named = documents.filter(({ bytes }) => bytes === file.size);
    const algorithms = [...new Set([...possible.map(({ digest }) => digest?.algorithm as string), ...named.map(() => "sha-256")])];
    const digests = await fileDigests(file, algorithms, progress);
    const found = possible.filter(({ digest }) => digest && digests.get(digest.algorithm) === digest.hex);
    for (const cell of document.querySelectorAll("[data-payload]"))
      if (found.some((one) => payloadId(one) === cell.getAttribute("data-payload"))) cell.textContent = REPORT_TEXTS.matches;
    const [first] = found;
    const known = named.find(({ sha256 }) => sha256 === digests.get("sha-256"));
    if (!first && known) return { look: "dim", words: REPORT_TEXTS.documentGood(name, visibleText(known.file)) };
    return first
      ? { look: "good", words: REPORT_TEXTS.payloadGood(name, visibleText(first.uri)) }
      : { look: "bad", words: REPORT_TEXTS.payloadOther(name) };
  } catch {
    return { look: "bad", words: REPORT_TEXTS.unreadable(name) };
  }
}

/** A field for payload files, if devices fetch any from outside the envelopes. */
export function payloadChecker(boards: readonly BoardOutcome[], documents: readonly ReportDocument[]): Node[] {
  const payloads = boards.flatMap(({ verified, refused }) => (refused === undefined ? (verified?.payloads ?? []) : []));
  const outside = payloads.filter(({ inside }) => !inside);
  if (outside.length + documents.length === 0) return [];
  const input = el("input", { type: "file", multiple: "", id: "payload-file" }) as HTMLInputElement;
  const said = el("ul", { class: "said", "aria-live": "polite" });
  const bar = el("progress", { max: "100", "aria-label": REPORT_TEXTS.checkingPayload, hidden: "" });
  input.addEventListener("change", async () => {
    said.replaceChildren();
    bar.hidden = false;
    for (const file of [...(input.files ?? [])]) {
      const { look, words } = await judged(file, outside, documents, (done, of) => bar.setAttribute("value", String((done * 100) / of)));
      said.append(el("li", { class: look }, words));
    }
    bar.hidden = true;
    input.value = "";
  });
  return [el("div", { class: "payload-check" }, el("label", { for: input.id }, REPORT_TEXTS.choosePayload), input, bar, said)];
}
