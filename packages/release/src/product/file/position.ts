// Where a member is written in a TOML file. The parser reports the place of a syntax error, but not of a value, and a
// message about a value names its line.

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One part of a dotted key: bare, or quoted in either way. */
const PART = String.raw`(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')`;
const KEY = new RegExp(String.raw`^\s*(${PART}(?:\s*\.\s*${PART})*)\s*=`);
const TABLE = new RegExp(String.raw`^\s*\[(\[?)\s*(${PART}(?:\s*\.\s*${PART})*)\s*\]`);
const INLINE = new RegExp(String.raw`([{,]\s*)(${PART}(?:\s*\.\s*${PART})*)\s*=`, "g");

/** Without quotes. Escapes in quoted keys are rare, and stay. */
function partsOf(key: string): string[] {
  return (key.match(new RegExp(PART, "g")) ?? []).map((part) => (/^["']/.test(part) ? part.slice(1, -1) : part));
}

/** How many brackets a line leaves open, outside of strings and comments. A string without an end takes the rest of the line. */
function opened(line: string): number {
  let open = 0;
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (quote !== "") {
      if (c === "\\" && quote === '"') i++;
      else if (c === quote) quote = "";
    } else if (c === "#") break;
    else if (c === '"' || c === "'") quote = c;
    else if (c === "[" || c === "{") open++;
    else if (c === "]" || c === "}") open--;
  }
  return open;
}

/** Levels of a member. */
const DEEPEST = 8;

const pointerOf = (parts: readonly string[]) => parts.map((part) => `/${part}`).join("");

/** The positions of the members of a file that is valid TOML, by their JSON Pointers. */
function positions(text: string): Map<string, Position> {
  const found = new Map<string, Position>();
  const add = (parts: readonly string[], line: number, at: number) => {
    // no member of a product file is deeper
    for (let n = 1; n <= Math.min(parts.length, DEEPEST); n++) {
      const pointer = pointerOf(parts.slice(0, n));
      if (!found.has(pointer)) found.set(pointer, { line, column: at + 1 });
    }
  };
  const lists = new Map<string, number>();
  let table: string[] = [];
  let member: string[] = [];
  let open = 0;
  let quotes: string | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (quotes !== undefined) {
      if (line.includes(quotes)) quotes = undefined;
      continue;
    }
    const header = open > 0 ? null : TABLE.exec(line);
    const key = open > 0 || header ? null : KEY.exec(line);
    if (header) {
      table = partsOf(header[2] as string);
      const name = pointerOf(table);
      if (header[1] !== "") {
        const n = lists.get(name) ?? 0;
        lists.set(name, n + 1);
        table = [...table, String(n)];
      }
      add(table, i + 1, line.indexOf("["));
      continue;
    }
    if (key) {
      member = [...table, ...partsOf(key[1] as string)];
      add(member, i + 1, line.search(/\S/));
    }
    // members of inline tables: one level is enough to name a line
    for (const inline of line.matchAll(INLINE))
      add([...member, ...partsOf(inline[2] as string)], i + 1, (inline.index as number) + (inline[1] as string).length);
    open = Math.max(0, open + opened(line));
    const multi = /"""|'''/.exec(line);
    if (multi && line.split(multi[0]).length % 2 === 0) quotes = multi[0];
  }
  return found;
}

/** The position of a member, or of the nearest member around it that is written. */
export function positionOf(text: string, pointer: string): Position {
  const all: ReadonlyMap<string, Position> = pointer === "" ? new Map() : positions(text);
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = all.get(at);
    if (found) return found;
  }
  return { line: 1, column: 1 };
}
