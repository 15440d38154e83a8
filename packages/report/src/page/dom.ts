// Elements of the page. Text is never markup.

import { escaped } from "../text.js";

export function el(name: string, attributes: { [name: string]: string } = {}, ...content: (string | Node)[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** Terms with their descriptions. */
export function facts(rows: readonly (readonly [string, string | Node])[]): HTMLElement {
  return el("dl", {}, ...rows.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

/** A table that scrolls by itself where it is too wide. */
export function table(label: string, titles: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLElement {
  const head = el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title))));
  const body = el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, head, body));
}

export const list = (name: "ol" | "ul", lines: readonly string[]) => el(name, {}, ...lines.map((line) => el("li", {}, visibleText(line))));

/** At most 4,000 characters of a text, with hidden characters as escapes. */
export const visibleText = (text: string) => escaped(text.length > 4000 ? `${text.slice(0, 4000)}…` : text);
