// The bytes of the main file, one part at a time: a file may have millions of lines, and an element cannot be that
// high.

import { el } from "@firmseal/report/page";
import { TEXTS } from "../texts.js";
import { button, labelled } from "./parts.js";

const ROWS = 24;
/** Bytes of a row on a wide screen, and on a narrow one. */
const WIDE = 16;
const NARROW = 8;

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
const printable = (byte: number) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·");

export class HexView {
  readonly element: HTMLElement;
  private readonly grid = el("div", { role: "grid", "aria-label": TEXTS.hex, class: "hex" });
  private readonly line = el("p", { class: "dim", role: "status" });
  private readonly narrow = matchMedia("(max-width: 60rem)");
  private file = new Blob();
  private from = 0;
  private marked: [number, number] = [0, 0];
  private at = 0;
  private turn = 0;

  /** `choose`: called when a person selects a byte. */
  constructor(private readonly choose: (at: number) => void) {
    const input = el("input", { type: "text", inputmode: "numeric", autocomplete: "off", class: "short" }) as HTMLInputElement;
    const { field } = labelled(TEXTS.goTo, input);
    const go = () => this.goTo(input.value);
    input.addEventListener("keydown", (event) => event.key === "Enter" && go());
    const bar = el(
      "div",
      { class: "bar" },
      button(TEXTS.earlier, () => this.page(-1)),
      button(TEXTS.later, () => this.page(1)),
      el("div", { class: "bar" }, field, button(TEXTS.go, go)),
    );
    this.element = el("div", {}, this.grid, this.line, bar);
    this.grid.addEventListener("click", (event) => this.click(event.target as HTMLElement));
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.narrow.addEventListener("change", () => this.draw());
  }

  private get width(): number {
    return this.narrow.matches ? NARROW : WIDE;
  }

  private get perPage(): number {
    return this.width * ROWS;
  }

  show(file: Blob): Promise<void> {
    this.file = file;
    this.from = 0;
    this.at = 0;
    this.marked = [0, 0];
    this.line.textContent = "";
    return this.draw();
  }

  /** Marks a range, and shows its beginning. `at`: the byte that is selected. */
  async mark(from: number, to: number, words: string, at = from): Promise<void> {
    this.marked = [from, to];
    this.at = Math.min(at, Math.max(0, this.file.size - 1));
    this.line.textContent = words;
    if (this.at < this.from || this.at >= this.from + this.perPage) this.from = this.startOf(this.at);
    await this.draw();
  }

  /** Some lines before a byte. */
  private startOf(at: number): number {
    return Math.max(0, Math.floor(at / this.width) - 2) * this.width;
  }

  private page(by: number): void {
    const last = Math.max(0, Math.floor((this.file.size - 1) / this.width) * this.width);
    this.from = Math.min(last, Math.max(0, this.from + by * this.perPage));
    this.at = this.from;
    this.draw();
  }

  private goTo(text: string): void {
    const at = Number(text.trim().replaceAll(",", ""));
    if (text.trim() !== "" && Number.isInteger(at) && at >= 0 && at < this.file.size) this.choose(at);
  }

  private async draw(): Promise<void> {
    const turn = ++this.turn;
    const { from } = this;
    const bytes = new Uint8Array(await this.file.slice(from, from + this.perPage).arrayBuffer());
    // another part was asked for meanwhile
    if (turn !== this.turn) return;
    const hadFocus = this.grid.contains(document.activeElement);
    const rows: HTMLElement[] = [];
    for (let row = 0; row < bytes.length; row += this.width) rows.push(this.row(from + row, bytes.subarray(row, row + this.width)));
    this.grid.replaceChildren(...rows);
    if (hadFocus) this.grid.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  private row(at: number, bytes: Uint8Array): HTMLElement {
    const cells = [...bytes].map((byte, i) => this.cell(at + i, byte));
    const text = el("span", { class: "ascii", "aria-hidden": "true" }, [...bytes].map(printable).join(""));
    return el("div", { role: "row" }, el("span", { role: "rowheader", class: "dim" }, at.toString(16).padStart(6, "0")), ...cells, text);
  }

  private cell(at: number, byte: number): HTMLElement {
    const isMarked = at >= this.marked[0] && at < this.marked[1];
    const isHere = at === this.at;
    const made = el("span", { role: "gridcell", tabindex: isHere ? "0" : "-1", "aria-selected": String(isMarked) }, hex(byte));
    made.dataset["at"] = String(at);
    return made;
  }

  private click(target: HTMLElement): void {
    const at = target.dataset["at"];
    if (at !== undefined) this.choose(Number(at));
  }

  private key(event: KeyboardEvent): void {
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.width,
      ArrowUp: -this.width,
      PageDown: this.perPage,
      PageUp: -this.perPage,
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = this.at + step;
    if (at < 0 || at >= this.file.size) return;
    this.at = at;
    if (at < this.from || at >= this.from + this.perPage) this.from = this.startOf(at);
    this.choose(at);
    this.draw();
  }
}
