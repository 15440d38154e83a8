// Public keys in the files of the tools whose signatures firmseal reads.

import type { FormatKey } from "../key/key.js";
import { refuseFormat } from "../refusal.js";
import { numberedKey, writeNumberedKey } from "./numbered.js";
import { readSshKey, sshKeyType, writeSshKey } from "./ssh-wire.js";
import { fromBase64, printable, toBase64 } from "./text.js";

/**
 * Reads a public key of minisign, signify or OpenSSH.
 *
 * @param text - The file: two lines, or one line of OpenSSH.
 * @returns The key; for minisign and signify with its number, which signatures must then have too.
 * @throws FormatRefusal SIGNATURE_FILE_* and FORMAT_KEY.
 */
export function toolKey(text: string): FormatKey {
  if (text.startsWith("untrusted comment:")) return numberedKey(text);
  const [, type, base64 = ""] = /^(\S+) (\S+)(?: [^\n]*)?\n?$/.exec(text) ?? [];
  const key =
    type === undefined
      ? refuseFormat("FORMAT_KEY", 0, "it is not a public key of minisign, signify or OpenSSH")
      : readSshKey(fromBase64(base64));
  return sshKeyType(key.kind) === type ? key : refuseFormat("FORMAT_KEY", 0, "its type is not the one that it names");
}

/**
 * Writes a public key for one of these tools.
 *
 * @param key - The key.
 * @param tool - The tool.
 * @param comment - The comment in the file, one line.
 * @returns The file.
 * @throws FormatRefusal FORMAT_KEY if the tool has no such keys, and SIGNATURE_FILE_TEXT for the comment.
 */
export function writeToolKey(key: FormatKey, tool: "minisign" | "signify" | "ssh", comment: string): string {
  if (tool !== "ssh") return writeNumberedKey(key, comment);
  const blob = writeSshKey(key);
  return `${sshKeyType(key.kind)} ${toBase64(blob)} ${printable(Buffer.from(comment), 1024)}\n`;
}
