// Reads the PIN of a token: from the pin-source of the URI, or as a passphrase.

import platform, { type PlatformPath } from "node:path";
import { KeyFileError } from "../../errors/key-file.js";
import { LONGEST_PASSPHRASE, passphrase } from "../../secrets/passphrase.js";
import { readGuarded } from "../../secrets/private-file.js";
import type { Asking } from "../../source.js";
import { visible } from "../../words.js";
import { pinVariable, type TokenUri } from "./uri.js";

/**
 * The PIN as text, because pkcs11js accepts no other form. `token` is the label in the prompt. Throws KeyFileError:
 * exit 3 if there is no PIN, 2 for an unsupported pin-source.
 */
export async function pinFrom(uri: TokenUri, ask: Asking, token: string): Promise<string> {
  const prompt = `PIN for token ${visible(token)}: `;
  const bytes = uri.pinSource === undefined ? await ask.secret(prompt, "pin") : await fromSource(uri, uri.pinSource, prompt, ask.signal);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KeyFileError(`${uri.name}: the PIN is not UTF-8`, "give the user PIN of this token", 3);
  } finally {
    bytes.fill(0);
  }
}

/**
 * The path in `file:` (RFC 8089 §2). On Windows, a drive follows an additional slash (appendix E.2). Exported for the
 * tests.
 */
export function pathInUri(rest: string, { sep }: Pick<PlatformPath, "sep"> = platform): string {
  const path = rest.replace(/^\/\/(localhost)?(?=\/)/, "");
  return sep === "\\" ? path.replace(/^\/(?=[a-z]:[\\/])/i, "") : path;
}

async function fromSource(uri: TokenUri, source: string, prompt: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const variable = pinVariable(uri);
  if (variable !== undefined) return passphrase({ env: variable, prompt });
  const [, kind, rest = ""] = /^(fd|file):(.+)$/s.exec(source) ?? [];
  if (kind === "fd" && /^[0-9]{1,9}$/.test(rest)) return passphrase({ fd: Number(rest), prompt, signal });
  const path = pathInUri(rest);
  if (kind === "file" && platform.isAbsolute(path)) return fromFile(path);
  // its value is not shown, because it may be the PIN itself. A program (`|…`) would make a key reference run code.
  throw new KeyFileError("pkcs11: unsupported pin-source", "pin-source=env:NAME, fd:N or file:/whole/path", 2);
}

function fromFile(path: string): Uint8Array {
  // including CR LF
  const { bytes, guard } = readGuarded(path, LONGEST_PASSPHRASE + 2, "a PIN");
  guard();
  const end = bytes.indexOf(0x0a);
  let line = end < 0 ? bytes : bytes.subarray(0, end);
  if (line.at(-1) === 0x0d) line = line.subarray(0, -1);
  if (line.length === 0) throw new KeyFileError(`${path}: the PIN is empty`, "write the PIN into its first line", 3);
  return line;
}
