// The script of the page: verifies, then shows. Until it has run, the page says that nothing was verified.

import { sha256 } from "@noble/hashes/sha2.js";
import { hexOf } from "../explain.js";
import { el, visibleText } from "./dom.js";
import { decoded } from "./slices.js";
import { REPORT_TEXTS } from "./texts.js";
import { type DeviceBundle, type PageData, trustOf, verifyReport } from "./verify.js";
import { goodViews, refusalWords } from "./view.js";

declare const firmseal: DeviceBundle;
declare const firmsealReportDigest: string;
declare const firmsealEnvelopeDigest: string;

const contentOf = (id: string) => document.getElementById(id)?.textContent ?? "";

const digestOf = (text: string) => hexOf(sha256(new TextEncoder().encode(text)));

async function run(): Promise<void> {
  const main = document.getElementById("report") as HTMLElement;
  let title = document.title;
  const show = (...content: Node[]) => main.replaceChildren(el("h1", {}, title), ...content);
  try {
    const text = contentOf("data");
    if (digestOf(text) !== firmsealReportDigest) throw new Error(REPORT_TEXTS.changed);
    const data = JSON.parse(text) as PageData;
    title = visibleText(data.file);
    const bar = el("progress", { max: "100", value: "0", "aria-label": REPORT_TEXTS.verifying });
    const progress = (done: number, of: number) => bar.setAttribute("value", String(Math.floor((done * 100) / of)));
    show(el("p", { class: "pending" }, REPORT_TEXTS.verifying), bar);
    const { bytes: envelope, digest } = await decoded(contentOf("envelope"), sha256, progress);
    const verified = await verifyReport(firmseal, trustOf(firmseal, data), data, envelope, progress);
    // another release of the same signers is not the one of this report
    if (hexOf(digest) !== firmsealEnvelopeDigest) throw new Error(REPORT_TEXTS.changed);
    show(...goodViews(data, verified, envelope.length));
  } catch (e) {
    show(el("p", { class: "verdict bad", role: "status" }, `${REPORT_TEXTS.refused}: ${refusalWords(e)}`));
  }
}

run();
