// Patterns for the files of a build: *, ?, ** and {a,b}. The time is linear in the number of names: a regular
// expression would try a*a*a*b in all possible ways.

import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { unlessThrown } from "@firmseal/signer";
import { LIMITS } from "../../input/limits.js";

/** Whether a text has the signs of a pattern. */
export const isPattern = (text: string): boolean => /[*?]|\{[^{}]*,[^{}]*\}/.test(text);

/**
 * Whether a name has the form of a part of a pattern, with * and ?. After a difference, only the last * takes one more
 * character: an earlier one could not help, because the last one can take whatever that would have left.
 */
export function matchesName(pattern: string, name: string): boolean {
  const [p, n] = [[...pattern], [...name]];
  let at = 0;
  let star = -1;
  let taken = 0;
  for (let i = 0; i < n.length; ) {
    if (p[at] === "*") {
      star = at++;
      taken = i;
    } else if (at < p.length && (p[at] === "?" || p[at] === n[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++taken;
    } else return false;
  }
  while (p[at] === "*") at++;
  return at === p.length;
}

/** The texts that {a,b} stands for. Undefined if there are more than a product needs. */
export function alternatives(pattern: string): readonly string[] | undefined {
  let texts = [pattern];
  // from the inside, until none has braces with a comma
  while (texts.some((text) => /\{[^{}]*,[^{}]*\}/.test(text))) {
    texts = texts.flatMap((text) => {
      const [braces, list = ""] = /\{([^{}]*,[^{}]*)\}/.exec(text) ?? [];
      return braces === undefined ? [text] : list.split(",").map((one) => text.replace(braces, () => one));
    });
    if (texts.length > LIMITS.patternAlternatives) return undefined;
  }
  return [...new Set(texts)];
}

/**
 * Files below a folder whose paths have the form of a pattern. * and ** follow no links to folders: these may lead in
 * circles.
 */
class Search {
  readonly found = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly names = new Map<string, readonly Dirent[]>();
  private count = 0;

  constructor(private readonly base: string) {}

  get isTooLarge(): boolean {
    return this.count > LIMITS.patternNames;
  }

  private entries(folder: string): readonly Dirent[] {
    const known = this.names.get(folder);
    if (known) return known;
    const all = unlessThrown(() => readdirSync(join(this.base, folder) || ".", { withFileTypes: true })) ?? [];
    this.count += all.length;
    this.names.set(folder, all);
    return all;
  }

  /** `parts` from `i` on, in `folder`. Each is tried once: ** in several places leads there in many ways. */
  look(folder: string, parts: readonly string[], i: number): void {
    const key = `${i} ${folder}`;
    if (this.isTooLarge || this.seen.has(key)) return;
    this.seen.add(key);
    const part = parts[i] as string;
    if (!/[*?]/.test(part)) {
      const path = join(folder, part);
      if (i < parts.length - 1) this.look(path, parts, i + 1);
      else if (existsSync(join(this.base, path))) this.found.add(path);
      return;
    }
    const isAny = part === "**";
    if (isAny && i < parts.length - 1) this.look(folder, parts, i + 1);
    for (const entry of this.entries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (isAny) this.look(path, parts, i);
        else if (i < parts.length - 1 && matchesName(part, entry.name)) this.look(path, parts, i + 1);
      } else if (i === parts.length - 1 && (isAny || matchesName(part, entry.name))) this.found.add(path);
    }
  }
}

/**
 * Returns the files that a pattern matches, below the folder `base` or where an absolute pattern leads, in order of
 * their names: paths as the pattern begins. Undefined if the pattern or the folders are too large to search.
 */
export function filesMatching(base: string, pattern: string): string[] | undefined {
  const texts = alternatives(pattern);
  if (!texts) return undefined;
  const all = new Set<string>();
  for (const text of texts) {
    const [, root = "", rest = ""] = /^((?:[A-Za-z]:)?[/\\]*)(.*)$/s.exec(text) ?? [];
    const search = new Search(root === "" ? base : root);
    search.look(
      "",
      rest.split("/").filter((part) => part !== ""),
      0,
    );
    if (search.isTooLarge) return undefined;
    for (const path of search.found) all.add(root === "" ? path : join(root, path));
  }
  return [...all].sort();
}
