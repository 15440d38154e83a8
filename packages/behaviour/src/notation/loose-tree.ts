// An envelope that the verifier refuses, as a tree of named elements, with what is wrong beside them.

import { scalarText } from "./diagnostic.js";
import { type Draft, oldDraftOf, untagged } from "./drafts.js";
import { contentAt, nameOf } from "./element-at.js";
import { type LooseItem, looseItem, MOST_ITEMS_SHOWN, MOST_LEVELS_SHOWN } from "./loose-item.js";
import { exactArgument, itemsPerElement, keyAt, keyOf, type Place, valueNames } from "./places.js";

/** An element of an envelope that the verifier may refuse. */
export interface LooseElement {
  /** Its name, or its number or position if it has none. In an old draft: today's name, and the old number. */
  name: string;
  /** Where it begins, with its key, and its length. */
  at: number;
  bytes: number;
  /** Its value in diagnostic notation, unless it contains elements. */
  value?: string;
  /** What the value stands for, if it is a number of a registry. */
  meaning?: string;
  elements?: LooseElement[];
  /** Why the verifier refuses it. */
  wrong?: string;
}

/** An envelope as a tree. */
export interface LooseTree {
  /** The old draft whose numbers it has: its name, and what shows it. */
  draft?: Pick<Draft, "name" | "sign">;
  root: LooseElement;
}

/** Where the verifier stops, and why. */
export interface RefusedAt {
  at: number;
  words: string;
}

class TreeBuilder {
  private count = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly draft: Draft | undefined,
    private readonly shownBytes: number,
  ) {}

  /** An element whose value is `value`, under `key` in `place`; it begins at `at`. */
  element(name: string, at: number, value: LooseItem, place: Place, key: number | undefined, depth: number): LooseElement {
    const content = contentAt(this.bytes, value, place, key, this.draft);
    const out: LooseElement = { name, at, bytes: value.end - at };
    this.fill(out, content.item, content.place, depth, valueNames(place, key)?.[keyOf(value) ?? Number.NaN]);
    const wrong = value.wrong ?? content.item.wrong;
    if (wrong !== undefined) out.wrong = wrong;
    return out;
  }

  /** Adds what an item says to its element. */
  fill(out: LooseElement, item: LooseItem, place: Place, depth: number, meaning?: string): void {
    const tags: LooseItem[] = [];
    for (let tag: LooseItem | undefined = item; tag?.kind === "tag"; tag = tag.items[0]) tags.push(tag);
    const inside = untagged(item);
    const text = inside && scalarText(this.bytes, inside, this.shownBytes);
    if (text !== undefined) out.value = tags.reduceRight((value, tag) => `${exactArgument(tag)}(${value})`, text);
    else {
      if (tags.length > 0) out.name += `, tag ${tags.map(exactArgument).join(", ")}`;
      out.elements = inside && depth < MOST_LEVELS_SHOWN ? this.elements(inside, place, depth + 1) : [];
    }
    if (meaning !== undefined) out.meaning = meaning;
    const isDeeper = inside !== undefined && inside.items.length > 0 && out.elements?.length === 0;
    if (isDeeper || this.count >= MOST_ITEMS_SHOWN || [...tags, inside].some((one) => one?.isCut))
      out.wrong = "has more items, or deeper ones, than are shown";
  }

  elements(item: LooseItem, place: Place, depth: number): LooseElement[] {
    const step = itemsPerElement(item, place);
    const out: LooseElement[] = [];
    for (let i = 0; i < item.items.length && this.count < MOST_ITEMS_SHOWN; i += step) {
      this.count++;
      const [first, value = first] = item.items.slice(i, i + step) as [LooseItem, LooseItem?];
      const key = keyAt(item, place, i);
      const one = this.element(nameOf(this.bytes, item, place, i, this.draft), first.at, value, place, key, depth);
      if (first.wrong !== undefined) one.wrong = first.wrong;
      out.push(one);
    }
    return out;
  }
}

/** The innermost element with the byte at `at`. */
function innermost(root: LooseElement, at: number): LooseElement {
  let found = root;
  for (let next: LooseElement | undefined = root; next; ) {
    found = next;
    next = found.elements?.find((one) => at >= one.at && at < one.at + one.bytes);
  }
  return found;
}

/**
 * Reads any well-formed CBOR as an envelope. Byte strings of more than `shownBytes` bytes are shortened.
 *
 * @param bytes - The file.
 * @param shownBytes - Bytes of a byte string that are shown.
 * @param refused - Where the verifier stops.
 * @returns The elements, with names and meanings.
 * @throws NotWellFormed.
 */
export function looseTree(bytes: Uint8Array, shownBytes: number, refused?: RefusedAt): LooseTree {
  const item = looseItem(bytes);
  const draft = oldDraftOf(bytes, item);
  const root: LooseElement = { name: "envelope", at: item.at, bytes: item.end - item.at };
  new TreeBuilder(bytes, draft, shownBytes).fill(root, item, "envelope", 0);
  if (item.wrong !== undefined) root.wrong = item.wrong;
  if (refused) {
    const there = innermost(root, refused.at);
    there.wrong = there.wrong === undefined ? refused.words : `${there.wrong}; ${refused.words}`;
  }
  return { ...(draft && { draft: { name: draft.name, sign: draft.sign } }), root };
}

/**
 * Formats an element and what it contains.
 *
 * @param element - The element, from looseTree().
 * @param indent - What each line begins with. Default: nothing.
 * @returns A line for each element.
 */
export function looseLines({ name, value, meaning, elements, wrong }: LooseElement, indent = ""): string[] {
  const said = value === undefined ? ":" : `: ${value}${meaning === undefined ? "" : ` (${meaning})`}`;
  const out = [`${indent}${name}${said}${wrong === undefined ? "" : `   <-- ${wrong}`}`];
  for (const one of elements ?? []) for (const line of looseLines(one, `${indent}  `)) out.push(line);
  return out;
}
