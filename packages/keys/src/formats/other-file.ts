// What a file is that was given as a key by mistake.

import { FILE_KINDS, type FileKind, taggedKind } from "@firmseal/verifier/tools";
import { KeyFileError } from "../errors/key-file.js";
import { looksLikeLog, OWN_FILE_BYTES, ownFile } from "../files/own-file.js";
import { readFirstBytes } from "../files/read.js";
import { byteWords } from "../words.js";

const IMAGE = "give the key that signs; an image is an argument without an option";

/** What a signed file is for, by its kind. */
const SIGNED: Readonly<Record<FileKind, string>> = {
  envelope: "give the key of the signer; firmseal pubkey KEY writes the public key",
  "trust file": "give the trust file with `trust`, or name a key",
  message: "an approval goes with `approval`, a status with firmseal status verify",
};

/** How the first bytes look in hex, what the file is then, and the hint. */
const ROWS: readonly (readonly [begins: RegExp, what: string, hint: string])[] = [
  [/^7f454c46/, "an ELF file", IMAGE],
  [/^5546320a/, "a UF2 file", IMAGE],
  [/^3a(?:3[0-9]|4[1-6]|6[1-6]){10,}0[ad]/, "an Intel HEX file", IMAGE],
  // RFC 7292 §4: PFX with version 3
  [/^30(?:..){1,5}?02010330/, "a PKCS#12 file", "extract the key: openssl pkcs12 -in FILE -nocerts -out FILE.pem"],
  // RFC 5280 §4.1: TBSCertificate with version 3
  [/^30(?:..){1,5}?30(?:..){1,5}?a003020102/, "a certificate", "extract the public key: openssl x509 -inform DER -pubkey -noout -in FILE"],
];

/** Returns the error for `bytes` that hold no key. It names their kind if that is known; otherwise it is `fault`. */
export function notAKey(bytes: Uint8Array, name: string, fault: KeyFileError): KeyFileError {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, OWN_FILE_BYTES));
  const is = (what: string, hint: string) => new KeyFileError(`${name} is ${what}, not a key`, hint, 2);
  if (looksLikeLog(head)) return is("a signing log", "give the key itself: the log of KEY is KEY.log");
  const own = ownFile(head);
  if (own !== undefined) return is(own, "give the key itself, or a reference to one");
  const signed = taggedKind(head);
  if (signed !== undefined) return is(FILE_KINDS[signed].what, SIGNED[signed]);
  const hex = head.toString("hex");
  const [, what, hint] = ROWS.find(([begins]) => begins.test(hex)) ?? [];
  return what !== undefined && hint !== undefined ? is(what, hint) : fault;
}

/** Returns the error for a file that is too long for a key. */
export function tooLongForKey(path: string, size: number): KeyFileError {
  const hint = "give a file that contains nothing else; firmseal keygen and firmseal pubkey write key files";
  return notAKey(readFirstBytes(path, OWN_FILE_BYTES), path, new KeyFileError(`${path}: too long for a key (${byteWords(size)})`, hint, 2));
}
