// Whether a value fits a JSON Schema, for the keywords that the schema of descriptions has. The code that Ajv makes of
// that schema has 50 kB. A short command takes longer to read it than to sign. In lib/, the build makes schema.js of
// this (scripts/build/in-signer.mjs). The code that Ajv made only explains why a value does not fit.

/** A schema, or a part of one. */
export type Schema = { readonly [keyword: string]: unknown };
type Schemas = { readonly [name: string]: Schema };
type Members = { readonly [name: string]: unknown };

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const TYPES: { readonly [name: string]: (value: unknown) => boolean } = {
  array: Array.isArray,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  null: (value) => value === null,
  object: isObject,
  string: (value) => typeof value === "string",
};

/** The targets of references. */
const DEFINITIONS = "#/$defs/";

const isKnown = () => true;

/**
 * By keyword: whether a value fits what the keyword says, `given`, in `schema`, a part of `root`. A value fits if its
 * type is not one that the keyword is for.
 */
const KEYWORDS: { readonly [keyword: string]: (value: unknown, given: never, schema: Schema, root: Schema) => boolean } = {
  $schema: isKnown,
  $id: isKnown,
  $defs: isKnown,
  title: isKnown,
  description: isKnown,
  type: (value, given: string | readonly string[]) => [given].flat().some((name) => TYPES[name]?.(value)),
  const: (value, given: unknown) => value === given,
  enum: (value, given: readonly unknown[]) => given.includes(value),
  oneOf: (value, given: readonly Schema[], _, root) => given.filter((one) => fits(value, one, root)).length === 1,
  $ref: (value, given: string, _, root) => fits(value, (root["$defs"] as Schemas)[given.slice(DEFINITIONS.length)] as Schema, root),
  minimum: (value, given: number) => typeof value !== "number" || value >= given,
  maximum: (value, given: number) => typeof value !== "number" || value <= given,
  // in characters, not in units of UTF-16
  minLength: (value, given: number) => typeof value !== "string" || [...value].length >= given,
  pattern: (value, given: string) => typeof value !== "string" || new RegExp(given, "u").test(value),
  minItems: (value, given: number) => !Array.isArray(value) || value.length >= given,
  maxItems: (value, given: number) => !Array.isArray(value) || value.length <= given,
  // items are numbers or words
  uniqueItems: (value) => !Array.isArray(value) || new Set(value).size === value.length,
  items: (value, given: Schema, _, root) => !Array.isArray(value) || value.every((one) => fits(one, given, root)),
  minProperties: (value, given: number) => !isObject(value) || Object.keys(value).length >= given,
  maxProperties: (value, given: number) => !isObject(value) || Object.keys(value).length <= given,
  required: (value, given: readonly string[]) => !isObject(value) || given.every((name) => value[name] !== undefined),
  properties: (value, given: Schemas, _, root) =>
    !isObject(value) || Object.keys(given).every((name) => value[name] === undefined || fits(value[name], given[name] as Schema, root)),
  propertyNames: (value, given: Schema, _, root) => !isObject(value) || Object.keys(value).every((name) => fits(name, given, root)),
  additionalProperties: (value, given: Schema | false, { properties = {} }, root) =>
    !isObject(value) ||
    Object.keys(value).every((name) => Object.hasOwn(properties as Schemas, name) || (given !== false && fits(value[name], given, root))),
};

/** Whether a value fits a schema. Throws TypeError for a keyword that is not one of those above. */
export function fits(value: unknown, schema: Schema, root: Schema = schema): boolean {
  return Object.keys(schema).every((keyword) => {
    const rule = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (!rule) throw new TypeError(`a schema with ${keyword}`);
    return rule(value, schema[keyword] as never, schema, root);
  });
}
