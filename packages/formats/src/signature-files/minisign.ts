// Signatures of minisign: Ed25519 over BLAKE2b-512 of the file (ED), or over the file (Ed, only read unless asked for),
// with the number of the key, and a second signature over the first one and the trusted comment. The first line is
// signed by nobody. A file with three lines has the first signature only: the key must sign once more.

import { createHash } from "node:crypto";
import type { FormatFacts, FormatFile, KeyMessage, SignatureFormat, SignatureOptions, VerifiedBy } from "../format.js";
import type { FormatKey } from "../key/key.js";
import { verifyScheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { signatureFileFacts } from "./facts.js";
import { keyNumber, keysNumbered, type NumberedLine, readNumbered, refuseOtherLength, untrustedLine, writeNumbered } from "./numbered.js";
import { refuseOracle } from "./oracle.js";
import { afterPrefix, fromBase64, MINISIGN_COMMENT, printable, signatureLines, TRUSTED_COMMENT, toBase64, UNTRUSTED } from "./text.js";

const SCHEME = { type: "ed25519" } as const;
const TRUSTED = "trusted comment: ";

/** The content of a file, once it has a signature. */
interface Signed {
  readonly comment: string;
  readonly signature: NumberedLine;
  readonly trusted: string;
  /** The signature over the other one and the trusted comment. */
  readonly global: Uint8Array | undefined;
}

/** Ed25519 over a hash, with a comment that is signed too. */
export const MINISIGN: SignatureFormat = {
  name: "minisign",
  title: "minisign signature",
  beside: true,
  looksLike: (bytes) =>
    /^untrusted comment:[^\n]*\n[^\n]{50,200}\ntrusted comment:/.test(
      Buffer.from(bytes.subarray(0, UNTRUSTED.length + MINISIGN_COMMENT + 300)).toString("latin1"),
    ),
  read,
  draft(content, options = {}) {
    printable(Buffer.from(options.comment ?? ""), MINISIGN_COMMENT);
    printable(Buffer.from(options.trustedComment ?? ""), TRUSTED_COMMENT);
    return new MinisignFile(undefined, content, options);
  },
};

function read(bytes: Uint8Array, content?: Uint8Array, options: SignatureOptions = {}): FormatFile {
  const lines = signatureLines(bytes, 4);
  const [first, line, third, last] = lines;
  if (lines.length < 3) return refuseFormat("SIGNATURE_FILE_FORM", bytes.length, `${lines.length} lines`);
  const comment = afterPrefix(first, UNTRUSTED, MINISIGN_COMMENT, 0);
  const at = (first as string).length + 1;
  const signature = readNumbered(line, 64, at);
  if (signature.algorithm !== "ED" && signature.algorithm !== "Ed") return refuseFormat("SIGNATURE_FILE_ALGORITHM", at);
  const trustedAt = at + (line as string).length + 1;
  const trusted = afterPrefix(third, TRUSTED, TRUSTED_COMMENT, trustedAt);
  const globalAt = trustedAt + (third as string).length + 1;
  const global = last === undefined ? undefined : fromBase64(last, globalAt);
  if (global && global.length !== 64) return refuseFormat("SIGNATURE_FILE_FORM", globalAt, `the last line has ${global.length} bytes`);
  return new MinisignFile({ comment, signature, trusted, global }, content, options);
}

function write({ comment, signature, trusted, global }: Signed): Uint8Array {
  const last = global ? `${toBase64(global)}\n` : "";
  return new Uint8Array(
    Buffer.from(`${untrustedLine(comment, MINISIGN_COMMENT)}${writeNumbered(signature)}\n${TRUSTED}${trusted}\n${last}`),
  );
}

/** What the global signature covers. */
const underGlobal = ({ signature, trusted }: Signed) => Buffer.concat([signature.value, Buffer.from(trusted)]);

/** minisign shows the number of a key as a little-endian integer. */
const shown = (number: string) => Buffer.from(number, "hex").reverse().toString("hex").toUpperCase();

class MinisignFile implements FormatFile {
  readonly facts: FormatFacts;
  readonly bytes: Uint8Array;
  readonly unfinished?: true;

  constructor(
    private readonly signed: Signed | undefined,
    private readonly content: Uint8Array | undefined,
    private readonly options: SignatureOptions,
  ) {
    this.bytes = signed ? write(signed) : new Uint8Array(0);
    if (signed && !signed.global) this.unfinished = true;
    this.facts = signatureFileFacts(MINISIGN.name, this.bytes, content, {
      signatures: signed ? [{ algorithm: SCHEME.type, key: shown(signed.signature.number) }] : [],
      details: signed
        ? [
            { name: "prehashed", value: signed.signature.algorithm === "ED" },
            { name: "trusted-comment", value: signed.trusted },
            { name: "untrusted-comment", value: signed.comment },
          ]
        : [],
      warnings: this.unfinished ? ["the trusted comment is not signed yet: the same key must sign once more"] : [],
    });
  }

  /** The message of the first signature. */
  private message(algorithm: string): Uint8Array {
    if (!this.content) return refuseFormat("FORMAT_CONTENT");
    return algorithm === "ED" ? createHash("blake2b512").update(this.content).digest() : this.content;
  }

  toBeSigned(key: FormatKey): KeyMessage {
    const { signed, options } = this;
    if (key.kind !== "ed25519") return refuseFormat("FORMAT_KEY", -1, `${key.kind} in minisign`);
    if (signed?.global) return refuseFormat(keyNumber(key) === signed.signature.number ? "FORMAT_ALREADY_SIGNED" : "SIGNATURE_FILE_FULL");
    if (signed) {
      // also for another file it would sign a comment under the name of this key
      if (!verifyScheme(key, SCHEME, this.message(signed.signature.algorithm), signed.signature.value))
        return refuseFormat("FORMAT_SIGNATURE");
      return { message: underGlobal(signed), scheme: SCHEME };
    }
    const message = this.message(options.prehashed === false ? "Ed" : "ED");
    if (options.prehashed === false) refuseOracle(message, SCHEME);
    return { message, scheme: SCHEME };
  }

  withSignature(key: FormatKey, value: Uint8Array): FormatFile {
    this.toBeSigned(key);
    refuseOtherLength(value);
    const { signed, options, content } = this;
    if (signed) return new MinisignFile({ ...signed, global: value }, content, options);
    const signature: NumberedLine = { algorithm: options.prehashed === false ? "Ed" : "ED", number: keyNumber(key), value };
    const { comment = "signature by firmseal", trustedComment = "" } = options;
    return new MinisignFile({ comment, signature, trusted: trustedComment, global: undefined }, content, options);
  }

  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    const { signed } = this;
    if (!signed) return refuseFormat("FORMAT_NOT_SIGNED");
    const { signature, global } = signed;
    const message = this.message(signature.algorithm);
    if (this.options.prehashed === true && signature.algorithm !== "ED") return refuseFormat("SIGNATURE_FILE_LEGACY");
    const named = keysNumbered(keys, signature.number);
    if (named.length === 0) return refuseFormat("FORMAT_NO_KEY");
    const key = named.find((one) => verifyScheme(one, SCHEME, message, signature.value));
    if (!key) return refuseFormat("FORMAT_SIGNATURE");
    if (!global || !verifyScheme(key, SCHEME, underGlobal(signed), global)) return refuseFormat("SIGNATURE_FILE_COMMENT");
    if (signature.algorithm === "Ed") refuseOracle(message, SCHEME);
    return [{ key, signature: 0 }];
  }
}
