// Files in the formats of other boot loaders and tools: keys that are the same in each process, and what counts as an
// answer.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { privateKey, toPrivateJwk } from "@firmseal/signer";
import type { FormatFile, KeyMessage } from "../../packages/formats/src/format.js";
import { type FormatKey, formatKey } from "../../packages/formats/src/key/key.js";
import { signScheme } from "../../packages/formats/src/key/scheme.js";
import { FormatRefusal } from "../../packages/formats/src/refusal.js";
import { FORMAT_REFUSAL_ROWS } from "../../packages/formats/src/refusals/table.js";
import { whyNotSigned } from "../../packages/formats/src/signature-files/oracle.js";
import { Finding } from "./verdict.js";

const of = (alg: "ed25519" | "es256", first: number) =>
  createPrivateKey({ key: toPrivateJwk(privateKey(alg, Buffer.alloc(32, first))) as never, format: "jwk" });

/** SEC 1 of P-384 with this number as the private key: OpenSSL derives the point. */
const p384 = createPrivateKey({
  key: Buffer.concat([Buffer.from("303e0201010430", "hex"), Buffer.alloc(48, 7), Buffer.from("a00706052b81040022", "hex")]),
  format: "der",
  type: "sec1",
});

/** Keys that sign the seeds, and one that signs what a fuzzer has made. */
export const SECRETS = { ed25519: of("ed25519", 1), p256: of("es256", 2), p384, stranger: of("ed25519", 3) };

/** Their public keys; the stranger is not one of them. */
export const TRUSTED: readonly FormatKey[] = [SECRETS.ed25519, SECRETS.p256, SECRETS.p384].map(formatKey);

/** Signs until the file is finished. `check` gets each message. */
export function signedBy(file: FormatFile, secret: KeyObject, check = (_: KeyMessage) => {}): FormatFile {
  const key = formatKey(secret);
  const message = file.toBeSigned(key);
  check(message);
  const next = file.withSignature(key, signScheme(secret, message.scheme, message.message));
  return next.unfinished ? signedBy(next, secret, check) : next;
}

const numbers = new Set(FORMAT_REFUSAL_ROWS.map(({ number }) => number));

/** What `work` returns; undefined if it refuses with a number and words. Throws again what is not a refusal. */
export function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (e) {
    if (!(e instanceof FormatRefusal) || !numbers.has(e.number) || !Number.isInteger(e.at)) throw e;
    if (e.message.length + e.hint.length > 2000) throw new Finding(`an error of ${e.message.length} characters`);
    return undefined;
  }
}

/** What a key signs in one format, no other format signs as the bytes of a file. */
export function refuseOracle({ message, scheme }: KeyMessage): void {
  if (whyNotSigned(message, scheme) === undefined) throw new Finding("a signature file could have the signature of this file");
}

/** A file that was read is refused when it is signed, or verifies with that signature when it is read again. */
export function signAndVerify(file: FormatFile, secret: KeyObject, read: (bytes: Uint8Array) => FormatFile, check = refuseOracle): void {
  const signed = unlessRefused(() => signedBy(file, secret, check));
  if (signed && read(signed.bytes).verify([formatKey(secret)]).length !== 1) throw new Finding("a signed file does not verify");
}
