// Power cuts at every write and erase of a simulated device. The simulation has a worker of its own, which can be
// stopped.

import { grouped } from "@firmseal/behaviour";
import { el, visibleText } from "@firmseal/report/page";
import type { CutCell, DeskCuts, DeviceSettings, TraceStep } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { button, chooser, labelled, select } from "./parts.js";
import { Problem, Rpc } from "./rpc.js";

const MARKS = { old: "", new: "", none: "!", mixed: "?" } as const;

export class CutsView {
  readonly element = el("section", { "aria-labelledby": "cuts-title" });
  private readonly stage = el("div", {});
  private readonly problem = el("p", { class: "bad sentence", role: "alert" });
  private readonly model = select(Object.entries(TEXTS.models));
  private readonly start = button(TEXTS.cut, () => this.run());
  private readonly stop = button(TEXTS.cancel, () => this.cancel());
  private readonly bar = el("progress", { "aria-label": TEXTS.working, max: "100", value: "0" });
  private running: Rpc | undefined;
  private step: TraceStep | undefined;
  private result: DeskCuts | undefined;

  /** `prepare`: opens the files of the page in another worker. */
  constructor(
    private readonly prepare: (rpc: Rpc) => Promise<void>,
    private readonly settings: () => DeviceSettings,
  ) {
    this.busy(false);
    this.element.append(
      el("h2", { id: "cuts-title" }, TEXTS.cuts),
      el("p", { class: "dim" }, TEXTS.cutsIntro),
      el("div", { class: "bar" }, labelled(TEXTS.model, this.model).field, this.start, this.stop, this.bar),
      this.problem,
      this.stage,
    );
    this.model.addEventListener("change", () => this.clear());
  }

  /** What was found is about another release or device. */
  clear(): void {
    this.cancel();
    this.result = undefined;
    this.problem.textContent = "";
    this.stage.replaceChildren();
  }

  /** The command that is shown elsewhere: its writes get a frame. */
  follow(step: TraceStep | undefined): void {
    this.step = step;
    if (this.result) this.draw(this.result);
  }

  /** Cuts the power, or shows the cuts of the step if that was done. */
  async cutHere(): Promise<void> {
    if (!this.result) await this.run();
    this.element.scrollIntoView({ block: "start" });
    const first = this.stage.querySelector<HTMLElement>(".framed");
    first?.click();
  }

  private busy(is: boolean): void {
    this.start.hidden = is;
    this.stop.hidden = !is;
    this.bar.hidden = !is;
  }

  private cancel(): void {
    this.running?.end();
    this.running = undefined;
    this.busy(false);
  }

  private async run(): Promise<void> {
    this.clear();
    const rpc = new Rpc();
    this.running = rpc;
    this.busy(true);
    try {
      await this.prepare(rpc);
      const of = { device: this.settings(), model: this.model.value };
      const result = await rpc.ask("cuts", of, (done, total) => this.bar.setAttribute("value", String((done * 100) / total)));
      this.result = result;
      this.draw(result);
    } catch (e) {
      // stopped by a person, or another one has begun
      if (this.running !== rpc) return;
      this.problem.textContent = e instanceof Problem ? e.message : TEXTS.unexpected;
    }
    if (this.running === rpc) this.cancel();
  }

  private draw({ cells, faults, previous, update }: DeskCuts): void {
    const line = el("p", { role: "status" });
    const words = ({ what, boots, cuts }: CutCell, i: number) => visibleText(TEXTS.cutCell(i + 1, what, TEXTS.cutLegend[boots], cuts));
    const isOfStep = ({ what }: CutCell) => this.step?.writes === true && what.endsWith(` of ${this.step.storeName}`);
    const items = cells.map((cell, i) => {
      const name = words(cell, i);
      const attributes = { role: "option", tabindex: "-1", "aria-selected": "false", "aria-label": name, title: name };
      return el("li", { class: `${cell.boots}${isOfStep(cell) ? " framed" : ""}`, ...attributes }, MARKS[cell.boots]);
    });
    const list = el("ul", { role: "listbox", "aria-label": TEXTS.cuts, "aria-orientation": "horizontal", class: "map" }, ...items);
    chooser(list, items, (i) => (line.textContent = words(cells[i] as CutCell, i)), true);
    const counts = (["old", "new", "none", "mixed"] as const).flatMap((boots) => {
      const n = cells.filter((cell) => cell.boots === boots).length;
      return n === 0 ? [] : [el("li", {}, el("span", { class: `key ${boots}` }), ` ${TEXTS.cutLegend[boots]}: ${grouped(n)}`)];
    });
    const framed = cells.filter(isOfStep).length;
    this.stage.replaceChildren(
      el(
        "p",
        { class: faults === 0 ? "good sentence" : "bad sentence" },
        faults === 0 ? TEXTS.cutDone(cells.length) : TEXTS.cutFaults(faults),
      ),
      el("p", { class: "dim" }, TEXTS.cutOver(previous, update)),
      list,
      line,
      el("ul", { class: "legend" }, ...counts),
      ...(framed > 0 ? [el("p", { class: "dim" }, TEXTS.cutsOfStep(framed))] : []),
    );
  }
}
