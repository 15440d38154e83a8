// Files come in by a button, by dropping them, or as pasted text, and are listed.

import { digits, el, visibleText } from "@firmseal/report/page";
import type { OpenFile } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { during } from "./busy.js";
import { button, labelled } from "./parts.js";
import { Problem, type Rpc } from "./rpc.js";

/** A thumbprint in a text becomes groups of digits. */
const withDigits = (text: string): (string | Node)[] =>
  text.split(/\b([0-9a-f]{64})\b/).map((part, i) => (i % 2 === 1 ? el("code", {}, ...digits(part)) : part));

type Progress = (done: number, total: number) => void;
type Input = { file: Blob; name: string } | string;

export class FilesView {
  readonly element: HTMLElement;
  private readonly list = el("ul", { class: "files", "aria-label": TEXTS.files });
  private readonly sentence = el("p", { class: "bad sentence", role: "alert", id: "problem" });
  private readonly busy = el("div", { class: "busy", role: "status" });
  private readonly count = el("input", { type: "number", min: "1", max: "8", value: "1", class: "short" }) as HTMLInputElement;
  private readonly rows = new Map<number, { row: HTMLElement; file: OpenFile; input: Input }>();
  private readonly chosen = el("input", { type: "file", multiple: "", id: "files" }) as HTMLInputElement;
  private readonly text = el("textarea", { rows: "4", spellcheck: "false", autocomplete: "off", placeholder: TEXTS.pasteHint });
  private readonly foot: HTMLElement;
  private readonly samples = el(
    "div",
    { class: "bar" },
    button(TEXTS.sample, () => during(() => this.openSample(false))),
    button(TEXTS.sampleChanged, () => during(() => this.openSample(true))),
  );
  private readonly note = el("p", { class: "note", role: "status", id: "sample" });
  private hasSample = false;

  /** `changed`: called with the file that was opened, or undefined if one was closed. */
  constructor(
    private readonly rpc: Rpc,
    private readonly changed: (opened: OpenFile | undefined) => Promise<void>,
  ) {
    const zone = el(
      "div",
      { class: "zone" },
      el("label", { for: "files", class: "button" }, TEXTS.choose),
      this.chosen,
      el("span", { class: "dim" }, TEXTS.dropHere),
    );
    const paste = el(
      "details",
      {},
      el("summary", {}, TEXTS.paste),
      labelled(TEXTS.paste, this.text).field,
      button(TEXTS.add, () => during(() => this.paste())),
    );
    this.foot = el(
      "div",
      { class: "bar" },
      labelled(TEXTS.threshold, this.count).field,
      button(TEXTS.clear, () => during(() => this.clear())),
    );
    this.foot.hidden = true;
    this.element = el(
      "section",
      { "aria-label": TEXTS.files },
      zone,
      this.samples,
      this.note,
      paste,
      this.sentence,
      this.list,
      this.busy,
      this.foot,
    );
    this.count.addEventListener("change", () => this.changed({ id: -1, kind: "key", name: "", words: "" }));
    this.chosen.addEventListener("change", () => {
      const chosen = [...(this.chosen.files ?? [])];
      // the same file can be chosen again
      during(() => this.openAll(chosen)).finally(() => {
        this.chosen.value = "";
      });
    });
    this.acceptDrops();
  }

  /** What a person has typed: the verifier refuses an invalid threshold. */
  get threshold(): number {
    return this.count.valueAsNumber;
  }

  /**
   * The page takes files from now on: milliseconds since it was asked for. The script ends before the browser draws the
   * first frame, and nobody can choose a file that early: what counts is the moment after that frame.
   */
  ready(): void {
    const mark = () => {
      document.documentElement.dataset["ready"] = String(Math.round(performance.now()));
    };
    new PerformanceObserver(mark).observe({ type: "paint", buffered: true });
  }

  problem(sentence: string): void {
    this.sentence.textContent = visibleText(sentence);
  }

  /** The worker has ended, with all files. */
  lost(): void {
    for (const id of [...this.rows.keys()]) this.drop(id);
    this.problem(TEXTS.stopped);
    this.changed(undefined);
  }

  /** Opens the same files in another worker. */
  async openIn(rpc: Rpc): Promise<void> {
    for (const { input } of this.rows.values()) {
      if (typeof input === "string") await rpc.ask("paste", input);
      else await rpc.ask("open", input);
    }
  }

  /** Shows that something takes time, if it does. */
  async working<T>(label: string, work: (progress: Progress) => Promise<T>): Promise<T> {
    const bar = el("progress", { max: "100", "aria-label": label });
    const shown = setTimeout(() => this.busy.replaceChildren(el("span", {}, `${label}…`), bar), 100);
    try {
      return await work((done, total) => bar.setAttribute("value", String((done * 100) / total)));
    } finally {
      clearTimeout(shown);
      this.busy.replaceChildren();
    }
  }

  /** Opens the sample in place of what is open. */
  private async openSample(changed: boolean): Promise<void> {
    await this.clear();
    const made = await this.rpc.ask("sample", { changed });
    await this.openAll(made.map(({ name, bytes }) => new File([bytes], name)));
    this.hasSample = true;
    this.note.textContent = TEXTS.sampleNote;
  }

  /** Closes the sample: its key says nothing about the files of a person. */
  private async closeSample(): Promise<void> {
    if (this.hasSample) await this.clear();
  }

  /** Opens files: releases first, so that a payload finds its own. */
  private async openAll(chosen: readonly File[]): Promise<void> {
    if (chosen.length > 0) await this.closeSample();
    this.problem("");
    const problems: string[] = [];
    const rank = ({ name }: File) => (name.endsWith(".trust") ? 0 : name.endsWith(".suit") || name.endsWith(".json") ? 1 : 2);
    for (const file of [...chosen].sort((a, b) => rank(a) - rank(b))) {
      const name = visibleText(file.name);
      const sentence = await this.take({ file, name }, TEXTS.reading(name), (progress) => this.rpc.ask("open", { file, name }, progress));
      if (sentence !== undefined) problems.push(sentence);
    }
    if (problems.length > 0) this.problem(problems.join(" "));
  }

  private async paste(): Promise<void> {
    await this.closeSample();
    const { value } = this.text as HTMLTextAreaElement;
    const sentence = await this.take(value, TEXTS.working, () => this.rpc.ask("paste", value));
    this.problem(sentence ?? "");
    if (sentence === undefined) (this.text as HTMLTextAreaElement).value = "";
  }

  /** Returns what went wrong. */
  private async take(input: Input, label: string, open: (progress: Progress) => Promise<OpenFile>): Promise<string | undefined> {
    try {
      const file = await this.working(label, open);
      this.add(file, input);
      await this.changed(file);
      return undefined;
    } catch (e) {
      return e instanceof Problem ? e.message : TEXTS.unexpected;
    }
  }

  private add(file: OpenFile, input: Input): void {
    // there is one release; of trust files, there is one and the one before
    const isMain = (kind: OpenFile["kind"]) => kind === "envelope" || kind === "description";
    for (const [id, known] of this.rows)
      if ((isMain(file.kind) && (isMain(known.file.kind) || known.file.kind === "payload")) || file.closes?.includes(id)) this.drop(id);
    const row = el(
      "li",
      {},
      el("div", {}, el("strong", {}, visibleText(file.name)), " ", el("span", { class: "dim" }, ...withDigits(visibleText(file.words)))),
      button("✕", () => during(() => this.remove(file.id)), { "aria-label": TEXTS.remove(visibleText(file.name)), class: "quiet" }),
    );
    this.rows.set(file.id, { row, file, input });
    this.list.append(row);
    this.showHead();
  }

  private drop(id: number): void {
    this.rows.get(id)?.row.remove();
    this.rows.delete(id);
    this.showHead();
  }

  /** What can be done with files, or without any. */
  private showHead(): void {
    const isEmpty = this.rows.size === 0;
    this.foot.hidden = isEmpty;
    this.samples.hidden = !isEmpty;
    if (!isEmpty) return;
    this.hasSample = false;
    this.note.textContent = "";
  }

  private async remove(id: number): Promise<void> {
    await this.rpc.ask("remove", id);
    const closed = this.rows.get(id)?.file.kind;
    this.drop(id);
    // payloads belong to a release
    if (closed === "envelope" || closed === "description")
      for (const [other, { file }] of this.rows) if (file.kind === "payload") this.drop(other);
    this.problem("");
    await this.changed(undefined);
  }

  private async clear(): Promise<void> {
    await this.rpc.ask("clear", undefined);
    for (const id of [...this.rows.keys()]) this.drop(id);
    this.problem("");
    await this.changed(undefined);
  }

  private acceptDrops(): void {
    const zone = document.documentElement;
    const over = (is: boolean) => zone.classList.toggle("over", is);
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    zone.addEventListener("dragleave", () => over(false));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      during(() => this.openAll([...(event.dataTransfer?.files ?? [])]));
    });
  }
}
