// Encodes a description file as an unsigned envelope. "$schema", which is required in our format, distinguishes it from
// the format of the retired reference tool.

import { dirname, isAbsolute, resolve as resolvePath } from "node:path";
import { boundedMessage, grouped, inputName, readAll, refusedInput, refuseKeyAsInput, STDIO, visible, warn } from "@firmseal/keys/internal";
import {
  type Description,
  DescriptionError,
  draftOf,
  type EnvelopeDraft,
  type Files,
  importSuitTool,
  isDescription,
  resolve,
} from "@firmseal/signer";
import { hashFile } from "../input/hash-file.js";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";

export interface KeyAsImage {
  /** The keys that sign: their files are not input. */
  key?: string[];
  /** Publish a file although it is a private key. */
  allowKeyAsImage?: boolean;
}

/** The files that a description names. Paths in it are relative to the file that contains them, in `folder`. */
export function namedFiles(folder: string, o: KeyAsImage): Files {
  const at = (name: string) => (isAbsolute(name) ? name : resolvePath(folder, name));
  const checked = async (path: string, bytes?: Uint8Array) => {
    if (!o.allowKeyAsImage) await refuseKeyAsInput(path, o.key, bytes);
  };
  return {
    async hash(name, algorithm) {
      await checked(at(name));
      return hashFile(at(name), algorithm);
    },
    async read(name) {
      const bytes = readAll(at(name), LIMITS.integratedPayload);
      await checked(at(name), bytes);
      return bytes;
    },
  };
}

export interface Encoded {
  draft: EnvelopeDraft;
  warnings: string[];
}

const WANTED = "urn:firmseal:manifest:1";

/** Why a JSON value that is not a description in any format is not one. */
export function notADescription(value: unknown): DescriptionError {
  const named = typeof value === "object" && value !== null ? (value as { $schema?: unknown }).$schema : undefined;
  const is = typeof named === "string" ? `it is ${JSON.stringify(boundedMessage(named))}` : "missing";
  return new DescriptionError("/$schema", `${is}; that of a description is ${JSON.stringify(WANTED)}`);
}

/** The description in a JSON value, with the warnings about an old one. Throws DescriptionError. */
function descriptionIn(value: unknown): ReturnType<typeof importSuitTool> {
  const isOld =
    typeof value === "object" && value !== null && !Object.hasOwn(value, "$schema") && Object.hasOwn(value, "manifest-sequence-number");
  if (isOld) return importSuitTool(value);
  if (!isDescription(value)) throw notADescription(value);
  return { description: value as Description, warnings: [] };
}

/** Parses the JSON of a description. `name`: of its file, for messages. Throws a Failure: DESCRIPTION. */
export function parseDescription(bytes: Uint8Array, name: string): unknown {
  try {
    return parseJson(bytes);
  } catch (e) {
    throw refusedInput(
      "ERR_DESCRIPTION",
      `${name}: ${(e as Error).message}`,
      "a description is a JSON object; see docs/reference/description.md",
    );
  }
}

/** Runs `work`, whose DescriptionError becomes a Failure that names the file. */
export async function inDescription<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof DescriptionError)) throw e;
    throw refusedInput("ERR_DESCRIPTION", `${name}: ${e.message}`, "docs/reference/description.md has the members");
  }
}

/**
 * Encodes a description as an unsigned envelope. `bytes` is its JSON text, `path` its file name. Throws Failure for an
 * invalid description.
 */
export async function encodeDescription(bytes: Uint8Array, path: string, o: KeyAsImage = {}): Promise<Encoded> {
  const name = visible(inputName(path));
  const value = parseDescription(bytes, name);
  return await inDescription(name, async () => {
    const { description, warnings } = descriptionIn(value);
    for (const w of warnings.slice(0, LIMITS.descriptionWarnings)) warn(`${name}: ${visible(boundedMessage(w))}`);
    const more = warnings.length - LIMITS.descriptionWarnings;
    if (more > 0) warn(`${name}: and ${grouped(more)} more warnings`);
    const resolved = await resolve(description, namedFiles(path === STDIO ? process.cwd() : dirname(path), o));
    return { draft: draftOf(resolved), warnings };
  });
}
