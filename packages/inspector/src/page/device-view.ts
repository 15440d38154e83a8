// The release on a simulated device: its settings, and every command that the interpreter executes.

import { el, facts, table, visibleText } from "@firmseal/report/page";
import type { DeviceSettings, MainFile, Trace, TraceStep } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { during } from "./busy.js";
import { button, chooser, labelled, select } from "./parts.js";
import { Problem, type Rpc } from "./rpc.js";

const SLOT_NAMES = "abcdefgh";
const slotName = (slot: number) => SLOT_NAMES[slot] ?? String(slot);

const dashed = (hex: string) => (hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : hex);

/** A text field that suggests the values of the release. */
function suggested(values: readonly string[], name: string): HTMLElement[] & { 0: HTMLInputElement } {
  const input = el("input", { type: "text", list: `suggested-${name}`, autocomplete: "off", spellcheck: "false", value: values[0] ?? "" });
  return [input as HTMLInputElement, el("datalist", { id: `suggested-${name}` }, ...values.map((value) => el("option", { value })))];
}

export class DeviceView {
  readonly element = el("section", { "aria-labelledby": "device-title" });
  private readonly stage = el("div", {});
  private readonly problem = el("p", { class: "bad sentence", role: "alert" });
  private read: () => DeviceSettings = () => {
    throw new Error("no device");
  };
  private turn = 0;

  /**
   * `step`: called with the command that is shown. `changed`: called if the device is another one. `cut`: called for
   * power cuts.
   */
  constructor(
    private readonly rpc: Rpc,
    private readonly step: (step: TraceStep | undefined) => void,
    private readonly changed: () => void,
    private readonly cut: () => void,
  ) {}

  settings(): DeviceSettings {
    return this.read();
  }

  async show(main: MainFile): Promise<void> {
    const vendor = suggested(main.vendors.map(dashed), "vendor");
    const classId = suggested(main.classes.map(dashed), "class");
    const device = el("input", { type: "text", autocomplete: "off", spellcheck: "false" }) as HTMLInputElement;
    const slots = main.slots.length > 0 ? main.slots : [0, 1];
    const slot = select(slots.map((n) => [String(n), slotName(n)] as const));
    const floor = el("input", { type: "text", inputmode: "numeric", autocomplete: "off", value: "0" }) as HTMLInputElement;
    const has = el("input", { type: "checkbox" }) as HTMLInputElement;
    this.read = () => ({
      vendor: vendor[0].value.replaceAll("-", "").trim(),
      class: classId[0].value.replaceAll("-", "").trim(),
      device: device.value.trim(),
      slot: Number(slot.value),
      has: has.checked,
      floor: floor.value,
    });
    const field = (label: string, input: HTMLInputElement | HTMLSelectElement) => labelled(label, input).field;
    const form = el(
      "div",
      { class: "form" },
      field(TEXTS.vendor, vendor[0]),
      ...vendor.slice(1),
      field(TEXTS.class, classId[0]),
      ...classId.slice(1),
      field(TEXTS.deviceId, device),
      field(TEXTS.floor, floor),
      field(TEXTS.slot, slot),
      el("div", { class: "check" }, field(TEXTS.has, has)),
    );
    form.addEventListener("change", () => {
      this.changed();
      during(() => this.run());
    });
    this.element.replaceChildren(
      el("h2", { id: "device-title" }, TEXTS.device),
      el("p", { class: "dim" }, TEXTS.deviceIntro),
      form,
      this.problem,
      this.stage,
    );
    await this.run();
  }

  /** Runs the release again, for example with other keys. */
  async run(): Promise<void> {
    const turn = ++this.turn;
    this.problem.textContent = "";
    try {
      const trace = await this.rpc.ask("trace", this.settings());
      if (turn === this.turn) this.draw(trace);
    } catch (e) {
      if (turn !== this.turn) return;
      this.stage.replaceChildren();
      this.step(undefined);
      this.problem.textContent = e instanceof Problem ? e.message : TEXTS.unexpected;
    }
  }

  private draw(trace: Trace): void {
    const { steps } = trace;
    const details = el("div", { class: "details" });
    const counter = el("p", { role: "status", class: "dim" });
    const items = steps.map((step) => this.item(step));
    const list = el("ol", { role: "listbox", "aria-label": TEXTS.steps, class: "steps" }, ...items);
    let at = 0;
    const draw = (i: number) => {
      at = i;
      const step = steps[i];
      if (!step) return;
      counter.textContent = TEXTS.step(i + 1, steps.length);
      details.replaceChildren(...this.details(trace, i));
    };
    const shown = (i: number) => {
      draw(i);
      this.step(steps[i]);
    };
    const go = chooser(list, items, shown);
    const jump = (i: number) => {
      const target = Math.max(0, Math.min(steps.length - 1, i));
      go(target, false);
      shown(target);
    };
    const bar = el(
      "div",
      { class: "bar" },
      button(TEXTS.first, () => jump(0)),
      button(TEXTS.previous, () => jump(at - 1)),
      button(TEXTS.next, () => jump(at + 1)),
      button(TEXTS.last, () => jump(steps.length - 1)),
      counter,
    );
    const end = trace.refused ? TEXTS.ends(trace.refused) : TEXTS.endsWell;
    this.stage.replaceChildren(
      ...(trace.verified ? [] : [el("p", { class: "note" }, TEXTS.trialKey)]),
      ...(steps.length > 0 ? [bar, el("div", { class: "two" }, list, details)] : []),
      el("p", { class: trace.refused ? "bad sentence" : "good sentence" }, visibleText(end)),
    );
    // the bytes of a command are marked once a person has chosen it
    this.step(undefined);
    go(0, false);
    draw(0);
  }

  private item(step: TraceStep): HTMLElement {
    const mark = step.failed ? "✗" : step.action ? "●" : "✓";
    return el(
      "li",
      { role: "option", tabindex: "-1", "aria-selected": "false" },
      el("span", { class: `mark ${step.failed ? "no" : ""}`, "aria-hidden": "true" }, mark),
      el("span", { class: `depth-${Math.min(step.depth, 6)}` }, step.command),
      el("span", { class: "unseen" }, step.failed ? `, ${TEXTS.failed}, ` : ", "),
      el("span", { class: "dim end" }, step.section),
    );
  }

  private details({ steps, components }: Trace, i: number): Node[] {
    const step = steps[i] as TraceStep;
    const rows: [string, string | Node][] = [
      [TEXTS.command, el("code", {}, step.command)],
      [TEXTS.section, `${TEXTS.during[step.during]}, ${step.section}`],
      [TEXTS.component, visibleText(step.componentName)],
      [TEXTS.action, `${visibleText(step.action ?? "")}${step.failed ? ` ${TEXTS.failed}` : step.action ? "" : TEXTS.held}`.trim()],
    ];
    const parameters = step.parameters.map(([name, value]) => [name, el("code", {}, visibleText(value))] as const);
    const out: Node[] = [facts(rows)];
    if (step.writes) out.push(button(TEXTS.cutHere, this.cut));
    if (parameters.length > 0) out.push(el("h3", {}, TEXTS.parameters), facts(parameters));
    const state = components.map((name, c) => [visibleText(name), stateAt(steps, i, c)]);
    out.push(el("h3", {}, TEXTS.state), table(TEXTS.state, [TEXTS.component, TEXTS.contents], state));
    return out;
  }
}

/** What a component holds after a step. What an installation has written becomes current at its end. */
function stateAt(steps: readonly TraceStep[], i: number, component: number): string {
  const before = steps.slice(0, i + 1).filter((step) => step.writes && !step.failed && step.component === component);
  if (before.length === 0) return TEXTS.stateRow.unchanged;
  return steps[i]?.during === "start" ? TEXTS.stateRow.current : TEXTS.stateRow.written;
}
