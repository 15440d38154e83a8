// What a release engineer writes: the typed description of a manifest. schema/manifest.schema.json is the same in JSON Schema, and
// validate() holds a value against it.

import { conform } from "./conform.js";
import { violations } from "./schema.js";

/** `$schema` of a description: this name, or a path that ends in manifest.schema.json. */
export const SCHEMA = "urn:firmseal:manifest:1";

/** Octets: text (its UTF-8), or hexadecimal, or the content of a file; from a program also the octets themselves. */
export type BytesValue = string | { hex: string } | { file: string } | Uint8Array;

/** A component identifier: its parts in order. */
export type ComponentValue = readonly BytesValue[];

/** A vendor: a UUID, or the domain that it is made from (UUID5 in the DNS name space). */
export type VendorValue = string | { domain: string };

/** A class: a UUID, or the vendor's domain and a name that it is made from (UUID5 in the vendor's name space). */
export type ClassValue = string | { domain: string; name: string };

/** A digest: given, or taken from a file or from a payload of the description. */
export type DigestValue =
  | { algorithm?: HashName; hex: string }
  | { algorithm?: HashName; file: string }
  | { algorithm?: HashName; payload: string };

export type HashName = "sha-256" | "sha-384" | "sha-512";

/** Parameters by the names of the specification. `image` is short for image-digest and image-size of a file or payload. */
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

/** Commands that take a reporting policy (0 to 15); the name alone stands for the policy that the specification's examples use. */
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
  /** Index in `components`. */
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

/** The description of a manifest and its envelope. */
export interface Description {
  $schema: string;
  /** Sequence number; a decimal string where it is 2^53 or more. */
  sequence: number | string;
  "reference-uri"?: string;
  components: readonly ComponentValue[];
  "shared-sequence"?: readonly Command[];
  validate?: readonly Command[];
  load?: readonly Command[];
  invoke?: readonly Command[];
  "payload-fetch"?: readonly Command[];
  install?: readonly Command[];
  /** By language tag (RFC 5646). */
  text?: { [language: string]: TextValue };
  /** Elements of which the manifest holds the digest only, while they travel in the envelope and can be taken off. */
  sever?: readonly SeverableName[];
  /** Integrated payloads by the URI that fetches them, e.g. "#firmware". */
  payloads?: { [uri: string]: BytesValue };
  /** The hash of the manifest and of severed elements; sha-256 where it is left out. */
  digest?: HashName;
}

/** Whether a JSON value says that it is a description of ours. Its content may still be wrong: see validate(). */
export function isDescription(value: unknown): boolean {
  const named = typeof value === "object" && value !== null ? (value as { $schema?: unknown }).$schema : undefined;
  return typeof named === "string" && (named === SCHEMA || named.endsWith("manifest.schema.json"));
}

/** Holds a description against the schema. Throws DescriptionError. */
export function validate(value: unknown): Description {
  conform(value, (json) => violations(json, "manifest"));
  return value as Description;
}
