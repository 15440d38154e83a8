// The two ways to write byte strings in a description.

import { fromHex } from "@firmseal/verifier/tools";
import { DescriptionError } from "./conform.js";
import type { BytesValue } from "./manifest.js";

/** The bytes of a value. Files must have been resolved before. */
export function toBytes(value: BytesValue, path = ""): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  if ("hex" in value) return fromHex(value.hex);
  throw new DescriptionError(path, "a file is named: resolve() must read it first");
}
