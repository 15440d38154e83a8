// Elements that several views use.

import { el } from "@firmseal/report/page";

export function button(label: string, press: () => void, attributes: { [name: string]: string } = {}): HTMLButtonElement {
  const made = el("button", { type: "button", ...attributes }, label) as HTMLButtonElement;
  made.addEventListener("click", press);
  return made;
}

let ids = 0;

/** An input with its label. */
export function labelled<E extends HTMLElement>(label: string, input: E): { field: HTMLElement; input: E } {
  input.id = `field-${ids++}`;
  return { field: el("div", { class: "field" }, el("label", { for: input.id }, label), input), input };
}

export function select(options: readonly (readonly [value: string, label: string])[]): HTMLSelectElement {
  return el("select", {}, ...options.map(([value, label]) => el("option", { value }, label))) as HTMLSelectElement;
}

/**
 * A list of which one item has the focus: arrow keys, Home and End move it, and `choose` is called. `across`: also left
 * and right, and up and down by a row.
 */
export function chooser(
  list: HTMLElement,
  items: readonly HTMLElement[],
  choose: (i: number) => void,
  across = false,
): (i: number, focus: boolean) => void {
  let at = 0;
  const go = (i: number, focus: boolean) => {
    const next = items[i];
    if (!next) return;
    const before = items[at];
    before?.setAttribute("tabindex", "-1");
    before?.setAttribute("aria-selected", "false");
    at = i;
    next.setAttribute("tabindex", "0");
    next.setAttribute("aria-selected", "true");
    if (focus) next.focus();
    else if (list.scrollHeight > list.clientHeight) list.scrollTop = next.offsetTop - list.offsetTop - list.clientHeight / 2;
  };
  const row = () => {
    const top = items[0]?.offsetTop;
    const second = items.findIndex((item) => item.offsetTop !== top);
    return second < 0 ? items.length : second;
  };
  list.addEventListener("keydown", (event) => {
    const step = stepOf(event.key, across, row);
    const target = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : step === undefined ? undefined : at + step;
    if (target === undefined) return;
    event.preventDefault();
    if (!items[target]) return;
    go(target, true);
    choose(target);
  });
  list.addEventListener("click", (event) => {
    const i = items.findIndex((item) => item.contains(event.target as Node));
    if (i < 0) return;
    go(i, true);
    choose(i);
  });
  items[0]?.setAttribute("tabindex", "0");
  return go;
}

function stepOf(key: string, across: boolean, row: () => number): number | undefined {
  if (across && key === "ArrowRight") return 1;
  if (across && key === "ArrowLeft") return -1;
  if (key === "ArrowDown") return across ? row() : 1;
  if (key === "ArrowUp") return across ? -row() : -1;
  return undefined;
}
