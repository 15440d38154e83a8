// The typed description of a manifest, as a release engineer writes it. schema/manifest.schema.json has the same
// structure in JSON Schema, and validate() checks a value against it.

import { conform } from "./conform.js";
import { violations } from "./schema.js";

/** Value of `$schema` in a description: this name, or a path that ends in manifest.schema.json. */
export const SCHEMA = "urn:firmseal:manifest:1";

/**
 * A byte string: text (encoded as UTF-8), hexadecimal digits, or the content of a file. Programs can also pass the
 * bytes.
 */
export type BytesValue = string | { hex: string } | { file: string } | Uint8Array;

/** A component identifier: the list of its parts. */
export type ComponentValue = readonly BytesValue[];

/** A vendor identifier: a UUID, or a domain from which the UUID is derived (UUIDv5 in the DNS namespace). */
export type VendorValue = string | { domain: string };

/**
 * A class identifier: a UUID, or the domain of the vendor and a name from which the UUID is derived (UUIDv5 in the
 * namespace of the vendor).
 */
export type ClassValue = string | { domain: string; name: string };

/** A digest: given directly, or computed from a file or from a payload of the description. */
export type DigestValue =
  | { algorithm?: HashName; hex: string }
  | { algorithm?: HashName; file: string }
  | { algorithm?: HashName; payload: string };

export type HashName = "sha-256" | "sha-384" | "sha-512";

/**
 * Parameters, named as in the specification. `image` sets both image-digest and image-size from a file or a payload.
 */
export interface Parameters {
  "vendor-identifier"?: VendorValue;
  "class-identifier"?: ClassValue;
  "device-identifier"?: string;
  image?: { algorithm?: HashName } & ({ file: string } | { payload: string });
  "image-digest"?: DigestValue;
  "image-size"?: number;
  "component-slot"?: number;
  "strict-order"?: boolean;
  "soft-failure"?: boolean;
  content?: BytesValue;
  uri?: string;
  "source-component"?: number;
  "invoke-args"?: BytesValue;
  "fetch-args"?: BytesValue;
}

/**
 * Commands with a reporting policy (0 to 15). The name alone means the policy that the examples of the specification
 * use.
 */
export type PolicyCommand =
  | "condition-vendor-identifier"
  | "condition-class-identifier"
  | "condition-device-identifier"
  | "condition-image-match"
  | "condition-component-slot"
  | "condition-check-content"
  | "condition-abort"
  | "directive-write"
  | "directive-fetch"
  | "directive-copy"
  | "directive-invoke"
  | "directive-swap";

/** A command of a description: the name of a condition or directive, with its argument if it has one. */
export type Command =
  | PolicyCommand
  | { [name in PolicyCommand]?: number }
  | { "directive-set-component-index": number | true | readonly number[] }
  | { "directive-override-parameters": Parameters }
  | { "directive-try-each": readonly (readonly Command[] | null)[] }
  | { "directive-run-sequence": readonly Command[] };

export type SectionName = "validate" | "load" | "invoke" | "payload-fetch" | "install";
export type SeverableName = "payload-fetch" | "install" | "text";

export interface ComponentText {
  /** Index into `components`. */
  component: number;
  "vendor-name"?: string;
  "model-name"?: string;
  "vendor-domain"?: string;
  "model-info"?: string;
  "component-description"?: string;
  "component-version"?: string;
}

export interface TextValue {
  "manifest-description"?: string;
  "update-description"?: string;
  "manifest-json-source"?: string;
  "manifest-yaml-source"?: string;
  components?: readonly ComponentText[];
}

/** A manifest and its envelope, as JSON describes them. */
export interface Description {
  $schema: string;
  /** Sequence number. Write it as a decimal string if it is 2^53 or more. */
  sequence: number | string;
  "reference-uri"?: string;
  components: readonly ComponentValue[];
  "shared-sequence"?: readonly Command[];
  validate?: readonly Command[];
  load?: readonly Command[];
  invoke?: readonly Command[];
  "payload-fetch"?: readonly Command[];
  install?: readonly Command[];
  /** Texts by language tag (RFC 5646). */
  text?: { [language: string]: TextValue };
  /**
   * Severable elements: the manifest holds only their digests. They travel in the envelope and can be removed from it.
   */
  sever?: readonly SeverableName[];
  /** Integrated payloads by URI, for example "#firmware". */
  payloads?: { [uri: string]: BytesValue };
  /** Hash function for the manifest and the severed elements. Default: sha-256. */
  digest?: HashName;
}

/**
 * Recognizes a description by its `$schema` member. Its content may still be invalid: see validate().
 *
 * @param value - A JSON value.
 * @returns Whether it is one.
 */
export function isDescription(value: unknown): boolean {
  const named = typeof value === "object" && value !== null ? (value as { $schema?: unknown }).$schema : undefined;
  return typeof named === "string" && (named === SCHEMA || named.endsWith("manifest.schema.json"));
}

/**
 * Checks a value against the schema.
 *
 * @param value - A JSON value.
 * @returns The same value, as a description.
 * @throws DescriptionError.
 * @example
 * ```ts
 * import { createHash } from "node:crypto";
 * import { readFileSync, writeFileSync } from "node:fs";
 * import { encode, type Files, resolve, validate } from "@firmseal/signer";
 *
 * const description = validate(JSON.parse(readFileSync("manifest.json", "utf8")));
 * const files: Files = {
 *   read: async (path) => readFileSync(path),
 *   hash: async (path) => {
 *     const bytes = readFileSync(path);
 *     return { digest: createHash("sha256").update(bytes).digest(), size: bytes.length };
 *   },
 * };
 * writeFileSync("unsigned.suit", encode(await resolve(description, files)));
 * ```
 */
export function validate(value: unknown): Description {
  conform(value, (json) => violations(json, "manifest"));
  return value as Description;
}
