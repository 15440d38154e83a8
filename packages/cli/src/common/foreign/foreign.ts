// Recognizes files in the formats of other boot loaders and tools, and has words for them. Files of firmseal come
// first, by their content: an image inside an envelope is a payload. What reads them is loaded for such a file only.

import { statSync } from "node:fs";
import type { FieldFormat } from "@firmseal/formats";
import { byteWords, ownFile, readAll, STDIO } from "@firmseal/keys/internal";
import { LIMITS } from "@firmseal/release/internal";
import { unlessThrown } from "@firmseal/signer";
import { looksLikeEnvelope, taggedKind } from "@firmseal/verifier/tools";
import { membersOf, type Shape } from "../shapes.js";
import type { ForeignFacts, VerifiedForeign } from "./read.js";

/** A file of another boot loader or tool, which has not been read yet. */
export interface ForeignFile {
  readonly format: FieldFormat;
  readonly bytes: Uint8Array;
}

/**
 * Recognizes a file of another boot loader by its content. Returns undefined for every other one, also for one that
 * cannot be read: the caller says what is wrong with it. stdin and pipes, which can be read only once, have files of
 * firmseal.
 */
export async function foreignFile(path: string): Promise<ForeignFile | undefined> {
  if (path === STDIO || unlessThrown(() => statSync(path).isFile()) !== true) return undefined;
  const bytes = unlessThrown(() =>
    readAll(path, LIMITS.image, (head) => {
      if (looksLikeEnvelope(head) || taggedKind(head) !== undefined || ownFile(head) !== undefined) throw new TypeError("a file of ours");
    }),
  );
  if (!bytes) return undefined;
  const { formatOf } = await import("@firmseal/formats");
  const format = formatOf(bytes);
  return format && { format, bytes };
}

/** Loads what reads and verifies such a file. */
export const foreignRead = () => import("./read.js");

/** The members of JSON that describe a file of another boot loader or tool. */
export const FOREIGN_FILE: Shape = {
  "file?": ["object", "what a file of another boot loader or tool says"],
  ...membersOf("file?", {
    format: ["string", "name of its format"],
    bytes: ["number", "length of the file"],
    version: ["string|null", "version"],
    counter: ["number|null", "security counter"],
    sizes: ["object", "sizes of its parts in bytes, by name"],
    encrypted: ["boolean", "whether the content is encrypted, and cannot be verified"],
    signatures: ["object[]", "every signature"],
    ...membersOf("signatures[]", {
      algorithm: ["string", "algorithm"],
      key: ["string|null", "how the file names the key: hash, identifier or key"],
    }),
    details: ["object", "what else it says, by name: lists of texts"],
    warnings: ["string[]", "what you should know about it"],
  }),
};

/** For people. */
export function foreignLines(path: string, f: ForeignFacts): string[] {
  const row = (name: string, value: string) => `${name.padEnd(16)} ${value}`;
  return [
    `${path}: ${f.format}, ${byteWords(f.bytes)} (signatures not verified)`,
    ...(f.version === null ? [] : [row("version", f.version)]),
    ...(f.counter === null ? [] : [row("security counter", String(f.counter))]),
    ...Object.entries(f.sizes).map(([name, bytes]) => row(name, byteWords(bytes))),
    ...Object.entries(f.details).flatMap(([name, values]) => values.map((value) => row(name, value))),
    ...(f.signatures.length === 0 ? [row("signatures", "none")] : []),
    ...f.signatures.map(({ algorithm, key }) => row("signature", `${algorithm}, ${key === null ? "names no key" : `key ${key}`}`)),
  ];
}

/** The verdict, for people. */
export function verdictOnForeign(path: string, { file, signers }: VerifiedForeign): string {
  const what = [file.format, file.version ?? [], file.counter === null ? [] : `security counter ${file.counter}`].flat().join(", ");
  return `${path}: good, ${what}, signed by ${signers.map(({ alg, thumbprint, spki }) => `${alg} ${(thumbprint ?? spki).slice(0, 16)}…`).join(", ")}`;
}
