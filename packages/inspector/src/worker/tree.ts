// The CBOR items of a file as a tree, with their places in the file. Items are made when somebody asks for them.

import {
  exactArgument,
  insideBytes,
  itemsPerElement,
  keyAt,
  keyOf,
  PLACE_NAMES,
  type Place,
  POSITION_NAMES,
  valueNames,
  valuePlace,
} from "@firmseal/behaviour";
import { visibleText } from "@firmseal/report/page";
import type { Source } from "@firmseal/verifier";
import { decodeItem, type Item, toHex } from "@firmseal/verifier/tools";
import type { TreeNode } from "../protocol.js";
import { TEXTS } from "../texts.js";

/** Items of one container that are shown. */
const MOST_ITEMS = 500;
/** Bytes and characters of a value that are shown in the tree. */
const SHOWN = 24;
const SHOWN_TEXT = 80;
/** Levels that are opened at once: each is read again, and CBOR can nest thousands of them. */
const DEEPEST = 64;

/** A shown item. `item`: the value, or what is inside its byte string; `place`: what its own items are. */
interface Branch extends TreeNode {
  item: Item | undefined;
  place: Place;
}

const decoder = new TextDecoder();

/** The bytes as a source, which the reader does not copy as a whole. */
export const sourceOf = (bytes: Uint8Array): Source => ({
  length: bytes.length,
  chunk: 65_536,
  read: (offset, n) => bytes.subarray(offset, offset + n),
});

export class Tree {
  private readonly nodes: Branch[] = [];
  private readonly known = new Map<number, Branch[]>();
  private readonly source: Source;
  readonly root: TreeNode | undefined;

  /** `root` is undefined if the bytes are not CBOR. */
  constructor(
    private readonly bytes: Uint8Array,
    place: "envelope" | "trust",
  ) {
    this.source = sourceOf(bytes);
    try {
      this.root = nodeOf(this.content(decodeItem(this.source), place, TEXTS.root[place]));
    } catch {
      this.root = undefined;
    }
  }

  children(id: number): TreeNode[] {
    return this.branches(id).map(nodeOf);
  }

  /** The innermost item at an offset, with the way to it from the root. */
  locate(at: number): { path: number[]; levels: TreeNode[][] } {
    const path: number[] = [];
    const levels: TreeNode[][] = [];
    let here = this.root && at >= this.root.at && at < this.root.end ? this.root : undefined;
    while (here && path.length < DEEPEST) {
      path.push(here.id);
      const kids: Branch[] = here.kids ? this.branches(here.id) : [];
      here = kids.find((kid) => at >= kid.at && at < kid.end);
      if (here) levels.push(kids.map(nodeOf));
    }
    return { path, levels };
  }

  /** Visits the values of a parameter or map key in a place: all of them, also those that are not shown. */
  values(place: Place, key: number): Iterable<Item> {
    const [root] = this.nodes;
    return root?.item ? this.within(root.item, root.place, place, key) : [];
  }

  private *within(item: Item, here: Place, place: Place, key: number): Iterable<Item> {
    // nothing that is looked for is in a text
    if (here === "plain") return;
    if (item.kind === "tag") yield* this.within(item.items[0] as Item, here, place, key);
    if (item.kind !== "map" && item.kind !== "array") return;
    const step = itemsPerElement(item, here);
    const { items } = item;
    for (let i = 0; i + step <= items.length; i += step) {
      const value = items[i + step - 1] as Item;
      const number = keyAt(item, here, i);
      if (here === place && item.kind === "map" && number === key) yield value;
      const own = this.opened(value, here, number);
      if (own.item) yield* this.within(own.item, own.place, place, key);
    }
  }

  private branches(id: number): Branch[] {
    const held = this.known.get(id);
    if (held) return held;
    const made = this.make(this.nodes[id] as Branch);
    this.known.set(id, made);
    return made;
  }

  private make({ item, place }: Branch): Branch[] {
    if (!item) return [];
    if (item.kind === "tag") return [this.content(item.items[0] as Item, place, TEXTS.content)];
    const step = itemsPerElement(item, place);
    const { items } = item;
    const out: Branch[] = [];
    for (let i = 0; i + step <= items.length && out.length < MOST_ITEMS; i += step) {
      const [first, value] = [items[i] as Item, items[i + step - 1] as Item];
      const key = keyAt(item, place, i);
      const label = step === 2 ? this.label(place, first, key) : (POSITION_NAMES[place]?.[i] ?? String(i));
      out.push(this.branch(value, place, key, label, first.at));
    }
    const left = items.length / step - out.length;
    if (left >= 1) out.push(this.rest(Math.floor(left), out.at(-1)?.end ?? 0, item.end));
    return out;
  }

  private rest(n: number, at: number, end: number): Branch {
    return this.add({ label: TEXTS.more(n), value: "", at, end, kids: false, item: undefined, place: "plain" });
  }

  private label(place: Place, item: Item, key: number | undefined): string {
    const name = key === undefined ? undefined : PLACE_NAMES[place]?.[key];
    return name ?? this.value(item);
  }

  /** The item itself is what `place` means: the file, or what its tag holds. */
  private content(item: Item, place: Place, label: string): Branch {
    return this.add({ label, value: this.value(item), at: item.at, end: item.end, kids: hasKids(item), item, place });
  }

  /** `at`: where its key begins, if it has one. */
  private branch(item: Item, place: Place, key: number | undefined, label: string, at: number): Branch {
    const own = this.opened(item, place, key);
    const number = keyOf(item);
    const name = number === undefined ? undefined : valueNames(place, key)?.[number];
    const value = name === undefined ? this.value(item) : `${number} (${name})`;
    return this.add({ label, value, at, end: item.end, kids: own.item !== undefined && hasKids(own.item), ...own });
  }

  /** What is inside a value, and what that is: the content of its byte string, or itself. */
  private opened(item: Item, place: Place, key: number | undefined): Pick<Branch, "item" | "place"> {
    const opened = item.kind === "bytes" && item.value > 0 ? insideBytes(place, key) : undefined;
    const inner = opened && this.inside(item);
    return inner && opened ? { item: inner, place: opened } : { item, place: valuePlace(item, place, key) };
  }

  private inside(item: Item): Item | undefined {
    try {
      return decodeItem(this.source, { at: item.body, n: item.value });
    } catch {
      return undefined;
    }
  }

  private add(branch: Omit<Branch, "id">): Branch {
    const made = { id: this.nodes.length, ...branch };
    this.nodes.push(made);
    return made;
  }

  /** A value in a few characters. */
  private value(item: Item): string {
    switch (item.kind) {
      case "unsigned":
      case "negative":
        return String(exactArgument(item));
      case "bytes":
        return `${item.value > SHOWN ? TEXTS.byteString(item.value) : `h'${toHex(this.bytes.subarray(item.body, item.end))}'`}`;
      case "text": {
        const text = decoder.decode(this.bytes.subarray(item.body, Math.min(item.end, item.body + 4 * SHOWN_TEXT)));
        return visibleText(text.length > SHOWN_TEXT ? `"${text.slice(0, SHOWN_TEXT)}…` : JSON.stringify(text));
      }
      case "array":
        return TEXTS.array(item.value);
      case "map":
        return TEXTS.map(item.value);
      case "tag":
        return TEXTS.tag(String(exactArgument(item)));
      default:
        return item.value === 20 ? "false" : item.value === 21 ? "true" : "null";
    }
  }
}

const hasKids = ({ kind, value }: Item) => kind === "tag" || ((kind === "map" || kind === "array") && value > 0);

const nodeOf = ({ id, label, value, at, end, kids }: TreeNode): TreeNode => ({ id, label, value, at, end, kids });
