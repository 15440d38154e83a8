// Elements of the page. Text is never markup.

import { escaped } from "@firmseal/behaviour";

/**
 * Makes an element of the page with attributes and content. Text is added as text, never as HTML.
 *
 * @param name - The name of the element.
 * @param attributes - Its attributes.
 * @param content - What it contains.
 * @returns The element.
 */
export function el(name: string, attributes: { [name: string]: string } = {}, ...content: (string | Node)[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/**
 * Makes a list of terms with their descriptions.
 *
 * @param rows - Terms and descriptions.
 * @returns The list.
 */
export function facts(rows: readonly (readonly [string, string | Node])[]): HTMLElement {
  return el("dl", {}, ...rows.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

/**
 * Makes a table that scrolls by itself if it is too wide. On a narrow screen each row becomes a block, and each cell
 * has its title: roles keep it a table for screen readers.
 *
 * @param label - What the table is, for screen readers.
 * @param titles - The titles of the columns.
 * @param rows - The cells of each row.
 * @returns The table.
 */
export function table(label: string, titles: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLElement {
  const head = el("tr", { role: "row" }, ...titles.map((title) => el("th", { scope: "col", role: "columnheader" }, title)));
  const cell = (content: string | Node, i: number) => el("td", { role: "cell", "data-title": titles[i] ?? "" }, content);
  const body = rows.map((cells) => el("tr", { role: "row" }, ...cells.map(cell)));
  const content = [el("thead", { role: "rowgroup" }, head), el("tbody", { role: "rowgroup" }, ...body)];
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", { role: "table" }, ...content));
}

/**
 * Sets hexadecimal digits apart in groups of eight, which are copied as one.
 *
 * @param hex - The digits.
 * @returns The groups.
 */
export const digits = (hex: string): HTMLElement[] => (hex.match(/.{1,8}/g) ?? []).map((part) => el("span", { class: "digits" }, part));

export const list = (name: "ol" | "ul", lines: readonly string[]) => el(name, {}, ...lines.map((line) => el("li", {}, visibleText(line))));

/**
 * Makes a list in which lines that begin with two spaces belong to the line before them.
 *
 * @param lines - The lines.
 * @returns The list.
 */
export function nested(lines: readonly string[]): HTMLElement {
  const out = el("ul");
  let inner: HTMLElement | undefined;
  for (const line of lines) {
    const item = el("li", {}, visibleText(line.trimStart()));
    const last = out.lastElementChild;
    if (!line.startsWith("  ") || !last) {
      out.append(item);
      inner = undefined;
      continue;
    }
    if (!inner) {
      inner = el("ul", { class: "inner" });
      last.append(inner);
    }
    inner.append(item);
  }
  return out;
}

/**
 * Shortens a text for the page.
 *
 * @param text - The text.
 * @returns At most 4,000 characters, with hidden characters as escapes.
 */
export const visibleText = (text: string) => escaped(text.length > 4000 ? `${text.slice(0, 4000)}…` : text);
