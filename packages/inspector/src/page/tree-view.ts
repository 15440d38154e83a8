// The items of the main file as a tree (ARIA tree view pattern).

import { el } from "@firmseal/report/page";
import type { TreeNode } from "../protocol.js";
import { TEXTS } from "../texts.js";
import type { Rpc } from "./rpc.js";

interface Row {
  node: TreeNode;
  item: HTMLElement;
  /** Holds the item, and the group of those inside it. */
  holder: HTMLElement;
  group: HTMLElement | undefined;
  parent: Row | undefined;
}

export class TreeView {
  readonly element: HTMLElement = el("ul", { role: "tree", "aria-label": TEXTS.tree, class: "tree" });
  private readonly rows = new Map<number, Row>();
  private current: Row | undefined;

  /** `select`: called when a person selects an item. */
  constructor(
    private readonly rpc: Rpc,
    private readonly select: (node: TreeNode) => void,
  ) {
    this.element.addEventListener("click", (event) => this.click(event.target as HTMLElement));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  async show(root: TreeNode): Promise<void> {
    this.rows.clear();
    const row = this.make(root, undefined);
    this.element.replaceChildren(row.holder);
    this.mark(row, false);
    await this.expand(row);
    // the one item in a tag, as at the start of every file
    const [first, second] = this.visibleText();
    if (first && second && this.visibleText().length === 2) await this.expand(second);
  }

  /** Shows the item at the end of a path, and marks it. */
  async reveal(path: readonly number[], levels: readonly TreeNode[][]): Promise<TreeNode | undefined> {
    for (const [i, kids] of levels.entries()) {
      const row = this.rows.get(path[i] as number);
      if (row) this.open(row, kids);
    }
    const row = this.rows.get(path.at(-1) as number);
    if (row) this.mark(row, false);
    return row?.node;
  }

  private make(node: TreeNode, parent: Row | undefined): Row {
    const level = parent ? Number(parent.item.getAttribute("aria-level")) + 1 : 1;
    const attributes = { role: "treeitem", tabindex: "-1", class: "line", "aria-level": String(level), "aria-selected": "false" };
    const item = el("div", attributes, el("span", { class: "label" }, node.label), " ", el("span", { class: "dim" }, node.value));
    if (node.kids) item.setAttribute("aria-expanded", "false");
    item.dataset["id"] = String(node.id);
    const row: Row = { node, item, holder: el("li", { role: "none" }, item), group: undefined, parent };
    this.rows.set(node.id, row);
    return row;
  }

  private open(row: Row, kids: readonly TreeNode[]): void {
    row.item.setAttribute("aria-expanded", "true");
    if (row.group) {
      row.group.hidden = false;
      return;
    }
    row.group = el("ul", { role: "group" }, ...kids.map((kid) => this.make(kid, row).holder));
    row.holder.append(row.group);
  }

  private async expand(row: Row): Promise<void> {
    if (row.node.kids) this.open(row, row.group ? [] : await this.rpc.ask("children", row.node.id));
  }

  private collapse(row: Row): void {
    row.item.setAttribute("aria-expanded", "false");
    if (row.group) row.group.hidden = true;
  }

  private isOpen = (row: Row) => row.group !== undefined && !row.group.hidden;

  private mark(row: Row, focus: boolean): void {
    this.current?.item.setAttribute("aria-selected", "false");
    this.current?.item.setAttribute("tabindex", "-1");
    this.current = row;
    row.item.setAttribute("aria-selected", "true");
    row.item.setAttribute("tabindex", "0");
    if (focus) row.item.focus({ preventScroll: true });
    const above = row.item.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    if (above < 0 || above > this.element.clientHeight - 24) this.element.scrollTop += above - this.element.clientHeight / 2;
  }

  private choose(row: Row): void {
    this.mark(row, true);
    this.select(row.node);
  }

  private click(target: HTMLElement): void {
    const item = target.closest<HTMLElement>("[role=treeitem]");
    const row = item && this.rows.get(Number(item.dataset["id"]));
    if (!row) return;
    if (this.isOpen(row) && this.current === row) this.collapse(row);
    else this.expand(row);
    this.choose(row);
  }

  /** The rows that are not inside a closed one, in order. */
  private visibleText(): Row[] {
    const out: Row[] = [];
    for (const item of this.element.querySelectorAll<HTMLElement>("[role=treeitem]")) {
      const row = this.rows.get(Number(item.dataset["id"]));
      if (row && !item.closest("[hidden]")) out.push(row);
    }
    return out;
  }

  private key(event: KeyboardEvent): void {
    const row = this.current;
    if (!row) return;
    const next = this.target(event.key, row);
    if (next === undefined) return;
    event.preventDefault();
    if (next) this.choose(next);
  }

  /** The row to go to. null: the key was for this tree, but there is none. undefined: the key is not for it. */
  private target(key: string, row: Row): Row | null | undefined {
    const rows = this.visibleText();
    const at = rows.indexOf(row);
    switch (key) {
      case "ArrowDown":
        return rows[at + 1] ?? null;
      case "ArrowUp":
        return rows[at - 1] ?? null;
      case "Home":
        return rows[0] ?? null;
      case "End":
        return rows.at(-1) ?? null;
      case "ArrowRight":
        if (!row.node.kids) return null;
        if (this.isOpen(row)) return rows[at + 1] ?? null;
        this.expand(row);
        return row;
      case "ArrowLeft":
        if (this.isOpen(row)) this.collapse(row);
        else return row.parent ?? null;
        return row;
      case "Enter":
      case " ":
        return row;
      default:
        return undefined;
    }
  }
}
