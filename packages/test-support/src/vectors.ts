import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { hex } from "./bytes.js";

/**
 * The third-party vectors are beside the checkout, or where FIRMSEAL_VECTORS says; they are not part of the project.
 */
const root = process.env["FIRMSEAL_VECTORS"] ?? resolve(fileURLToPath(new URL("../../../../shared/vectors", import.meta.url)));

export const haveVectors = existsSync(join(root, "README.md"));

export function vectorBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(root, name)));
}

/** The names of all vectors, in all folders. */
export const vectorNames = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(root.length + 1)] : [],
  );

/** A file of hexadecimal text, possibly broken into lines. */
export function vectorHex(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(readFileSync(join(root, name), "utf8").replace(/\s/g, ""), "hex"));
}

export function vectorJson<T = never>(name: string): T {
  return JSON.parse(readFileSync(join(root, name), "utf8")) as T;
}

/** The published test key of the SUIT examples: 04 ‖ x ‖ y, and d. */
export const SPEC_P256 = hex(
  "048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896",
);
export const SPEC_P256_PRIVATE = hex("0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973");
