// Signatures of signify(1) of OpenBSD: a comment that nobody signs, and Ed25519 over the file with the number of the
// key. With `embedded`, the content follows the two lines.

import type { FormatFacts, FormatFile, KeyMessage, SignatureFormat, SignatureOptions, VerifiedBy } from "../format.js";
import type { FormatKey } from "../key/key.js";
import { verifyScheme } from "../key/scheme.js";
import { refuseFormat } from "../refusal.js";
import { signatureFileFacts } from "./facts.js";
import { keyNumber, keysNumbered, type NumberedLine, readNumbered, refuseOtherLength, signifyLine, writeNumbered } from "./numbered.js";
import { refuseOracle } from "./oracle.js";
import { afterPrefix, SIGNIFY_COMMENT, signatureLines, UNTRUSTED } from "./text.js";

const SCHEME = { type: "ed25519" } as const;
const EMPTY = new Uint8Array(0);

/** Ed25519 with a comment and the number of the key. */
export const SIGNIFY: SignatureFormat = {
  name: "signify",
  title: "signify signature",
  beside: true,
  looksLike: looksLikeSignify,
  read,
  draft: (content, options = {}) => new SignifyFile(undefined, EMPTY, content, options),
};

function looksLikeSignify(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, UNTRUSTED.length + SIGNIFY_COMMENT + 200)).toString("latin1");
  // minisign has two lines more, and keys of both are shorter or longer
  return /^untrusted comment:[^\n]*\nRW[A-Za-z0-9+/]{97}=\r?\n(?!trusted comment:)/.test(text);
}

/** Offset of what follows the first two lines. Without two lines, the length of the file. */
function endOfHead(bytes: Uint8Array): number {
  const second = bytes.indexOf(0x0a, bytes.indexOf(0x0a) + 1);
  return second < 0 ? bytes.length : second + 1;
}

function read(bytes: Uint8Array, content?: Uint8Array, options: SignatureOptions = {}): FormatFile {
  const end = endOfHead(bytes);
  const [comment, line] = signatureLines(bytes.subarray(0, end), 2);
  signifyLine(afterPrefix(comment, UNTRUSTED, SIGNIFY_COMMENT, 0));
  const at = (comment?.length ?? 0) + 1;
  const signature = readNumbered(line, 64, at);
  if (signature.algorithm !== "Ed")
    return refuseFormat("SIGNATURE_FILE_ALGORITHM", at, signature.algorithm === "ED" ? "ED is of minisign" : undefined);
  const rest = bytes.subarray(end);
  if (rest.length > 0 && content && Buffer.compare(rest, content) !== 0) return refuseFormat("SIGNATURE_FILE_TRAILING", end);
  return new SignifyFile(signature, bytes, rest.length > 0 ? rest : content, options);
}

class SignifyFile implements FormatFile {
  readonly facts: FormatFacts;

  constructor(
    private readonly signature: NumberedLine | undefined,
    readonly bytes: Uint8Array,
    private readonly content: Uint8Array | undefined,
    private readonly options: SignatureOptions,
  ) {
    this.facts = signatureFileFacts(SIGNIFY.name, bytes, content, {
      signatures: signature ? [{ algorithm: SCHEME.type, key: signature.number }] : [],
      details: signature ? [{ name: "embedded", value: endOfHead(bytes) < bytes.length }] : [],
    });
  }

  toBeSigned(key: FormatKey): KeyMessage {
    if (this.signature) return refuseFormat(keyNumber(key) === this.signature.number ? "FORMAT_ALREADY_SIGNED" : "SIGNATURE_FILE_FULL");
    if (!this.content) return refuseFormat("FORMAT_CONTENT");
    if (key.kind !== "ed25519") return refuseFormat("FORMAT_KEY", -1, `${key.kind} in signify`);
    refuseOracle(this.content, SCHEME);
    return { message: this.content, scheme: SCHEME };
  }

  withSignature(key: FormatKey, value: Uint8Array): FormatFile {
    const { message } = this.toBeSigned(key);
    refuseOtherLength(value);
    const signature: NumberedLine = { algorithm: "Ed", number: keyNumber(key), value };
    const head = Buffer.from(`${signifyLine(this.options.comment ?? "signature by firmseal")}${writeNumbered(signature)}\n`);
    const bytes = Buffer.concat([head, this.options.embedded ? message : EMPTY]);
    return new SignifyFile(signature, new Uint8Array(bytes), message, this.options);
  }

  verify(keys: readonly FormatKey[]): readonly VerifiedBy[] {
    const { signature, content } = this;
    if (!signature) return refuseFormat("FORMAT_NOT_SIGNED");
    if (!content) return refuseFormat("FORMAT_CONTENT");
    const named = keysNumbered(keys, signature.number);
    if (named.length === 0) return refuseFormat("FORMAT_NO_KEY");
    const key = named.find((one) => verifyScheme(one, SCHEME, content, signature.value));
    if (!key) return refuseFormat("FORMAT_SIGNATURE");
    refuseOracle(content, SCHEME);
    return [{ key, signature: 0 }];
  }
}
