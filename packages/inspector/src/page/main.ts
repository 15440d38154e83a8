// The page: files come in, and the views show what they say together.

import { el, visibleText } from "@firmseal/report/page";
import type { MainFile, OpenFile, TraceStep } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { during } from "./busy.js";
import { CutsView } from "./cuts-view.js";
import { DeviceView } from "./device-view.js";
import { FilesView } from "./files-view.js";
import { HexView } from "./hex-view.js";
import { Problem, Rpc } from "./rpc.js";
import { TreeView } from "./tree-view.js";
import { verdictViews } from "./verdict-view.js";

const rpc = new Rpc(() => files.lost());
const verdict = el("section", { id: "verdict" });
const diagnostic = el("pre", { tabindex: "0", role: "region", "aria-label": TEXTS.diagnostic });
const details = el("details", {}, el("summary", {}, TEXTS.diagnostic), diagnostic) as HTMLDetailsElement;
const body = el("div", { hidden: "" });
let main: MainFile | undefined;

/** Whether a device can run it: a release that can be read. */
const isRun = (of: MainFile | undefined) => of?.kind === "envelope" && of.sequence !== undefined;

/** Runs something a person asked for. What goes wrong is one sentence. */
async function perform(work: () => Promise<void>): Promise<void> {
  try {
    await during(work);
  } catch (e) {
    files.problem(e instanceof Problem ? e.message : TEXTS.unexpected);
  }
}

const words = (label: string, at: number, end: number) => TEXTS.selected(label, at, end);

async function showByte(at: number): Promise<void> {
  const { path, levels } = await rpc.ask("locate", at);
  const node = await tree.reveal(path, levels);
  if (node) await hex.mark(node.at, node.end, words(node.label, node.at, node.end), at);
  else await hex.mark(at, at + 1, words("", at, at + 1));
}

/** The bytes of a command, and its item. */
async function showStep({ at, end, command }: TraceStep): Promise<void> {
  const { path, levels } = await rpc.ask("locate", at);
  await tree.reveal(path, levels);
  await hex.mark(at, end, words(command, at, end));
}

const tree = new TreeView(rpc, (node) => perform(() => hex.mark(node.at, node.end, words(node.label, node.at, node.end))));
const hex = new HexView((at) => perform(() => showByte(at)));
const cuts: CutsView = new CutsView(
  async (other) => {
    await files.openIn(other);
    await other.ask("verify", { threshold: files.threshold, device: device.settings() });
  },
  () => device.settings(),
);
const device: DeviceView = new DeviceView(
  rpc,
  (step) => {
    cuts.follow(step);
    if (step) perform(() => showStep(step));
  },
  () => {
    cuts.clear();
    perform(verify);
  },
  () => perform(() => cuts.cutHere()),
);

async function verify(): Promise<void> {
  const settings = isRun(main) ? device.settings() : undefined;
  const found = await files
    .working(TEXTS.verifying, (progress) => rpc.ask("verify", { threshold: files.threshold, device: settings }, progress))
    .catch((e: unknown) => {
      verdict.replaceChildren();
      throw e;
    });
  verdict.replaceChildren(
    ...verdictViews(found, (at) =>
      perform(async () => {
        await showByte(at);
        hex.element.scrollIntoView({ block: "center" });
      }),
    ),
  );
}

async function showDiagnostic(): Promise<void> {
  if (!details.open) return;
  diagnostic.textContent = "";
  try {
    diagnostic.textContent = await rpc.ask("diagnostic", undefined);
  } catch (e) {
    diagnostic.textContent = (e as Error).message;
  }
}

/** Shows the main file, if it is another one, and the verdict. */
async function show(opened: OpenFile | undefined): Promise<void> {
  // the verdict on other files must not be shown with these, however long the next one takes
  verdict.replaceChildren();
  const isOther = opened === undefined || opened.kind === "envelope" || opened.kind === "description" || opened.kind === "trust";
  if (isOther) {
    main = await rpc.ask("main", undefined);
    body.hidden = main === undefined;
    device.element.hidden = !isRun(main);
    cuts.element.hidden = !isRun(main);
  }
  cuts.clear();
  if (!main) return;
  if (isOther) {
    await hex.show(main.bytes);
    if (main.root) await tree.show(main.root);
    tree.element.hidden = main.root === undefined;
    if (isRun(main)) await device.show(main);
    await showDiagnostic();
  } else if (isRun(main)) await device.run();
  await verify();
}

const files = new FilesView(rpc, (opened) => perform(() => show(opened)));

details.addEventListener("toggle", () => perform(showDiagnostic));
const contents = el(
  "section",
  { "aria-labelledby": "contents-title" },
  el("h2", { id: "contents-title" }, TEXTS.contents),
  el("div", { class: "two" }, tree.element, hex.element),
  details,
);
body.append(contents, device.element, cuts.element);
document.title = TEXTS.title;
document
  .getElementById("inspector")
  ?.replaceChildren(el("h1", {}, TEXTS.title), el("p", { class: "dim" }, visibleText(TEXTS.intro)), files.element, verdict, body);
files.ready();
