// What the tests of descriptions share: a key, small descriptions, and their sections.

import { errors, type Refusal } from "@firmseal/verifier";
import { decodeEnvelope, toHex } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { expect } from "vitest";
import { anyCharacter } from "../../test-support/src/characters.js";
import { array, copyBytes, here, input, int, map, skip, startReading } from "../../verifier/src/cbor/reader.js";
import { type Description, DescriptionError, encode, formatUuid, privateKey, SCHEMA, validate } from "../src/index.js";

export const key = privateKey("ed25519", new TextEncoder().encode("firmseal encode test, 32 bytes.."));
export const least = (more: object = {}): Description =>
  ({ $schema: SCHEMA, sequence: 1, components: [[{ hex: "00" }]], ...more }) as Description;
export const withCommands = (...commands: unknown[]) => least({ validate: commands });

/** Where a description is wrong, as JSON Pointer. */
export function wrongAt(value: unknown, use: (value: never) => unknown = validate): string {
  try {
    use(value as never);
  } catch (e) {
    if (e instanceof DescriptionError) return e.path;
    throw e;
  }
  return "accepted";
}

export function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (e) {
    return Object.entries(errors).find(([, code]) => code === (e as Refusal).code)?.[0];
  }
  return undefined;
}

/** The items of an encoded sequence or parameter map: number and, for each, the bytes of what follows. */
export function pairs(bytes: Uint8Array, isMap: boolean): [number, Uint8Array][] {
  startReading(bytes);
  const n = isMap ? map() : array() / 2;
  return Array.from({ length: n }, () => {
    const code = int();
    const at = here;
    skip();
    return [code, Uint8Array.from(copyBytes(input, at, here - at))];
  });
}

export function section(d: Description, code: number): Uint8Array {
  const outline = decodeEnvelope(encode(d));
  const element = outline.manifest.commands.find((c) => c.number === code);
  if (!element) throw new Error("no such section");
  return Uint8Array.from(copyBytes(outline.envelope.input, element.inside.at, element.inside.n));
}

/** The map behind tag 107, d8 6b: checkItem() is about the inside, where there are no tags. */
export function untagged(envelope: Uint8Array): Uint8Array {
  expect(toHex(envelope.subarray(0, 2))).toBe("d86b");
  return envelope.subarray(2);
}

export const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatUuid);
export const text = fc.string({ unit: anyCharacter, maxLength: 300 });
