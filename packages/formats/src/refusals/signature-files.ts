// Refusals of signature files: 700 to 759.

import type { FormatRefusalRow } from "./row.js";

const FROM_MAKER = "get the signature file again from its maker, byte for byte";

/** By name. The numbers are in numbers.ts. */
export const SIGNATURE_FILE_REFUSALS = {
  SIGNATURE_FILE_FORM: {
    meaning: "the signature file does not have the lines, fields or lengths of its format",
    advice: FROM_MAKER,
    source: "ours",
  },
  SIGNATURE_FILE_CRLF: {
    meaning: "the lines of the signature file end with CR",
    advice: "get the file without a conversion of its line ends, or remove each CR",
    source: "ours",
  },
  SIGNATURE_FILE_BASE64: {
    meaning: "the base64 in the signature file is not in its one encoding",
    advice: FROM_MAKER,
    source: "RFC 4648 §3.5",
  },
  SIGNATURE_FILE_TRAILING: {
    meaning: "bytes follow the signature, and they are not the given content",
    advice: "give the content that belongs to the signature, or none if it is in the same file",
    source: "ours",
  },
  SIGNATURE_FILE_ALGORITHM: {
    meaning: "the signature file names an algorithm or a kind of key that its format does not have",
    advice: "sign again with Ed25519, P-256, P-384 or RSA with SHA-2, as the format has them",
    source: "ours",
  },
  SIGNATURE_FILE_FULL: {
    meaning: "the signature file has its signature, and there is room for one",
    advice: "write the other signature to a file of its own",
    source: "ours",
  },
  SIGNATURE_FILE_ORACLE: {
    meaning: "the content is what a key signs in another format, and its signature would be a signature there",
    advice: "use minisign or sshsig, which sign a hash of their own, or sign it in its own format",
    source: "ours",
  },
  SIGNATURE_FILE_NAMESPACE: {
    meaning: "the signature is not for the demanded namespace, or none is demanded",
    advice: "name the namespace that signatures of such files have: one for each purpose",
    source: "PROTOCOL.sshsig",
  },
  SIGNATURE_FILE_COMMENT: {
    meaning: "the trusted comment is not signed, or is not the one that was signed",
    advice: FROM_MAKER,
    source: "minisign",
  },
  SIGNATURE_FILE_TEXT: {
    meaning: "a comment or a namespace is too long, or is not UTF-8 without control characters",
    advice: "use one line of printable text",
    source: "ours",
  },
  SIGNATURE_FILE_LEGACY: {
    meaning: "the signature is over the file, where one over its hash is demanded",
    advice: "sign again with a current minisign, or with firmseal sign",
    source: "minisign",
  },
  SIGNATURE_FILE_JOB: {
    meaning: "a device would not read the job document of AWS, or has no signature in it",
    advice: "give every file a path, a size, a number, the name of its certificate and a signature",
    source: "AWS Jobs SDK job_parser.c",
  },
} as const satisfies { readonly [name: string]: FormatRefusalRow };
