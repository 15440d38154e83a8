// The template of a batch: a description in which members are fields of a row of the list of devices.

import { inputName, readAll, visible } from "@firmseal/keys/internal";
import { isDescription } from "@firmseal/signer";
import { LIMITS } from "../input/limits.js";
import { batchFault } from "../input/shard.js";
import { inDescription, notADescription, parseDescription } from "../signing/description.js";

/** The value of a field. No object: a row must not choose a file. */
export type FieldValue = string | number | boolean;

export interface BatchTemplate {
  readonly bytes: Uint8Array;
  /** The description without its sequence number. Some values are `{"$field": NAME}`. */
  readonly value: object;
  readonly fields: ReadonlySet<string>;
}

const FIELD = "$field";

type Members = { readonly [name: string]: unknown };
const isObject = (value: unknown): value is Members => typeof value === "object" && value !== null && !Array.isArray(value);
const isField = (value: unknown): value is { readonly $field: unknown } => isObject(value) && Object.hasOwn(value, FIELD);

/** Reads a template. Throws a Failure: DESCRIPTION, or BATCH for what only a template has. */
export async function readTemplate(path: string): Promise<BatchTemplate> {
  const bytes = readAll(path, LIMITS.description);
  const name = visible(inputName(path));
  const value = parseDescription(bytes, name);
  await inDescription(name, () => {
    if (!isDescription(value)) throw notADescription(value);
  });
  const fault = (what: string) => batchFault(`${name}: ${what}`, "docs/guides/batch.md shows a template");
  if (Object.hasOwn(value as object, "sequence")) throw fault("a template has no sequence number: the signing log gives one to each shard");
  const fields = new Set<string>();
  const collect = (one: unknown, at: string, isFile: boolean): void => {
    if (isField(one)) {
      const field = one.$field;
      if (typeof field !== "string" || Object.keys(one).length !== 1)
        throw fault(`${visible(at || "/")}: a field is {"${FIELD}": NAME} alone`);
      if (isFile) throw fault(`${visible(at)}: a field cannot name a file, or a row could publish any file`);
      fields.add(field);
    } else if (Array.isArray(one)) for (const [i, item] of one.entries()) collect(item, `${at}/${i}`, false);
    // the members of payloads are URIs
    else if (isObject(one))
      for (const [name, item] of Object.entries(one)) collect(item, `${at}/${name}`, name === "file" && at !== "/payloads");
  };
  collect(value, "", false);
  return { bytes, value: value as object, fields };
}

/** The description of one device. `row`: has every field of the template. */
export function filled({ value }: BatchTemplate, row: ReadonlyMap<string, FieldValue>, sequence: bigint): object {
  const fill = (one: unknown): unknown => {
    if (isField(one)) return row.get(one.$field as string);
    if (Array.isArray(one)) return one.map(fill);
    return isObject(one) ? Object.fromEntries(Object.entries(one).map(([member, item]) => [member, fill(item)])) : one;
  };
  return { ...(fill(value) as object), sequence: String(sequence) };
}
