// Does JSON have the shape that its command declares?

import type { Shape } from "../../src/common/shapes.js";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
const isA: { [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  object: isObject,
  null: (value) => value === null,
};

function isOf(type: string, value: unknown): boolean {
  return type.split("|").some((one) => {
    const list = /^(\w+)\[\]$/.exec(one)?.[1];
    if (list === undefined) return isA[one]?.(value) === true;
    // a list of objects may hold lists: component identifiers
    return Array.isArray(value) && value.every((item) => (list === "object" ? typeof item === "object" : isA[list]?.(item) === true));
  });
}

/** Members of `shape` below `path`, by their names: the row, and whether it may be missing. */
function membersOf(shape: Shape, path: string) {
  const rows = Object.entries(shape).filter(([key]) => key.startsWith(path) && !key.slice(path.length).includes("."));
  return new Map(rows.map(([key, row]) => [key.slice(path.length).replace(/\?$/, ""), { row, key, optional: key.endsWith("?") }]));
}

/** What differs from the shape, in words. */
export function differences(shape: Shape, value: object, path = ""): string[] {
  const members = membersOf(shape, path);
  const missing = [...members].flatMap(([name, { optional }]) => (name in value || optional ? [] : [`${path}${name} is missing`]));
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const found = members.get(name);
    if (!found) return [`${path}${name} is not declared`];
    const type = found.row[0];
    if (!isOf(type, member)) return [`${path}${name} is not ${type}: ${JSON.stringify(member)}`];
    const below = `${found.key}${type.startsWith("object[]") ? "[]" : ""}.`;
    if (membersOf(shape, below).size === 0) return [];
    const all = Array.isArray(member) ? member : isObject(member) ? [member] : [];
    return all.flatMap((one) => differences(shape, one as object, below));
  });
  return [...missing, ...wrong];
}

/** Declared members that no value has: a shape must not promise what no command prints. */
export function unseen(shape: Shape, values: readonly object[]): string[] {
  const has = (value: unknown, parts: string[]): boolean => {
    const [first, ...rest] = parts;
    if (first === undefined) return true;
    if (Array.isArray(value)) return value.some((one) => has(one, parts));
    return isObject(value) && first in value && has((value as { [name: string]: unknown })[first], rest);
  };
  return Object.keys(shape).filter((key) => !values.some((value) => has(value, key.replace(/\[\]|\?/g, "").split("."))));
}
