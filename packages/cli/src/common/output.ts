// Outputs: what must not be replaced, and where the bytes go: a file, stdout, or the JSON there.

import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { noFolder, readHead, systemFault, usage, writeWhole } from "@firmseal/keys";
import { isTrust, looksLikeEnvelope } from "@firmseal/release";
import { product } from "../show/ui.js";

const STDIN = "-";

function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one && other ? one.dev === other.dev && one.ino === other.ino : resolve(a) === resolve(b);
}

/** How files of private keys begin, and those of the state of one: PEM, minisign, HSS/LMS. A JWK has its parts in any order. */
const OF_KEYS = /^(-----BEGIN ([A-Z0-9 ]+ )?PRIVATE KEY-----|-----BEGIN FIRMSEAL HSS KEY|untrusted comment: .*secret key|firmseal hss )/;

function isOfKey(path: string): boolean {
  const text = Buffer.from(readHead(path, 1024)).toString("latin1");
  return OF_KEYS.test(text) || (/"kty"\s*:/.test(text) && /"d"\s*:/.test(text));
}

/**
 * An output must not be what it is made from, a private key or the state of one, or another output. An existing file of another name than
 * *.suit is replaced by an envelope only where it is one: a mistyped name must not cost a key or an image.
 */
export function checkOutput(path: string, option: string, others: readonly string[], envelope: boolean): void {
  if (path === STDIN) return;
  // before a key is used for what cannot be written
  if (!statSync(dirname(path), { throwIfNoEntry: false })) throw noFolder(path);
  const clash = others.find((other) => other !== STDIN && isSame(path, other));
  if (clash !== undefined) throw usage(`${option} ${path}: would replace ${clash}, which is in use here`, "choose another name");
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  if (isOfKey(path)) throw usage(`${option} ${path}: is a private key, or the state of one`, "choose another name");
  if (!envelope || path.toLowerCase().endsWith(".suit")) return;
  const head = readHead(path, 8);
  if (head.length > 0 && !looksLikeEnvelope(head))
    throw usage(`${option} ${path}: exists and is no envelope`, "choose another name, or move the file away");
}

/** With --json, what would go to stdout is a member of the one object there. */
export function inJson(out: string, bytes: Uint8Array, asJson: boolean | undefined): { data?: string } {
  return asJson && out === STDIN ? { data: Buffer.from(bytes).toString("base64") } : {};
}

/** Writes an output, but what goes into the JSON: returns that. */
export function deliver(out: string, bytes: Uint8Array, asJson: boolean | undefined, o: { fresh?: boolean } = {}): { data?: string } {
  const member = inJson(out, bytes, asJson);
  if (member.data === undefined) writeOut(out, bytes, o);
  return member;
}

/** Writes an output file whole, as writeWhole() does; "-" is stdout. */
export function writeOut(path: string, bytes: Uint8Array, o: { mode?: number; fresh?: boolean } = {}): void {
  try {
    if (path === STDIN) product(bytes);
    else writeWhole(path, bytes, o);
  } catch (e) {
    throw systemFault(e, "stdout") ?? e;
  }
}

/** An existing file is replaced by a trust file only where it is one: a mistyped name must not cost a key or an image. */
export function checkTrustOutput(path: string, others: readonly string[]): void {
  checkOutput(path, "--out", others, false);
  if (path === "-" || !statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const head = readHead(path, 2);
  if (head.length > 0 && !isTrust(head))
    throw usage(`--out ${path}: exists and is no trust file`, "choose another name, or move the file away");
}
