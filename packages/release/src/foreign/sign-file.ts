// Signs a file for a tool that is not firmseal: the signature is a file of its own, and the use of the key is in its
// log like every other one.

import type { FormatFile, SignatureOptions } from "@firmseal/formats";
import {
  type Abortable,
  type ClockOverride,
  type PassphraseOption,
  type Receipt,
  refuseTestKeys,
  type SigningKey,
  withSigners,
  withSigningLogs,
} from "@firmseal/keys";
import { readAll, scopeOfSignatureFile, sha256Hex, usage } from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { LIMITS } from "../input/limits.js";
import type { Product } from "../product/file/product.js";
import { enterUses } from "../signing/enter-uses.js";
import { numberedKeyOf, refuseProductKey, refuseProductReferences, refuseUnknownNumber } from "./foreign-key.js";

/** Options of signFile(). */
export interface SignFileOptions extends Pick<SignatureOptions, "namespace" | "comment" | "trustedComment">, ClockOverride, Abortable {
  /** The format: raw, der, aws, minisign, signify or sshsig. */
  readonly format: string;
  /**
   * A public key as minisign or signify wrote it: signatures in their formats have its key number, without which their
   * users could not verify them. Left out: the number follows from the key, as `firmseal pubkey` writes it.
   */
  readonly publicKey?: string;
  /** A product whose keys must not sign: devices trust them for updates. */
  readonly product?: Product | undefined;
  /** Where the passphrase of the key comes from. */
  readonly passphrases?: readonly PassphraseOption[];
  /** Names of published test keys that may sign. */
  readonly allowTestKey?: readonly string[];
  /** The signing log, if it is not beside the key, or in the state folder for a key without a file. */
  readonly log?: string | undefined;
}

/** A signature file. */
export interface SignedFile {
  /** The signature file, read: its bytes, and what it says. */
  readonly file: FormatFile;
  readonly key: PublicKey;
  /** The entries in the signing log: one for each signature in the file. */
  readonly receipts: Receipt[];
}

/**
 * Signs the bytes of a file in the format of another tool. Enters the use in the log of the key before it signs, and
 * verifies the result. Writes no file.
 *
 * @param content - A file name, or the bytes of a file.
 * @param key - A reference as openKey() takes it, opened and closed here; or an open key, which stays open.
 * @param options - The format, what it needs, and what else to check.
 * @returns The signature file, and the entries in the log.
 * @throws FormatRefusal for content or a key that the format does not have; Failure for all else, ERR_KEY_ROLE if the
 *   key signs manifests or trust files. A refused call leaves no entry and no signature.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { signFile } from "@firmseal/release";
 *
 * const { file } = await signFile("app.bin", "downloads.pem", { format: "minisign", trustedComment: "version 1.4.2" });
 * writeFileSync("app.bin.minisig", file.bytes);
 * ```
 */
export async function signFile(content: string | Uint8Array, key: string | SigningKey, options: SignFileOptions): Promise<SignedFile> {
  // nothing of the caller's is read again later
  const bytes = typeof content === "string" ? readAll(content, LIMITS.image) : Uint8Array.from(content);
  const o = { ...options };
  refuseUnknownNumber(typeof key === "string" ? key : key.file, o);
  if (typeof key !== "string") return sign(bytes, key, o);
  refuseProductReferences(o.product, [key], "signature file");
  return withSigners([key], o.passphrases ?? [], ([opened]) => sign(bytes, opened as SigningKey, o), o);
}

async function sign(content: Uint8Array, key: SigningKey, { format: name, product, ...o }: SignFileOptions): Promise<SignedFile> {
  const { SIGNATURE_FORMATS } = await import("@firmseal/formats");
  const names = SIGNATURE_FORMATS.map((one) => one.name);
  const format = SIGNATURE_FORMATS.find((one) => one.name === name);
  if (!format) throw usage(`\`format\` ${name} is not a format of signature files`, `give one of ${names.join(", ")}`);
  refuseTestKeys([key.public], o.allowTestKey ?? []);
  const by = await numberedKeyOf(key, name, o.publicKey);
  if (product) await refuseProductKey(product, key, "signature file");
  const facts = { digest: `sha-256:${sha256Hex(content)}`, scope: scopeOfSignatureFile(name) };
  const receipts: Receipt[] = [];
  let file: FormatFile = format.draft(content, o);
  do {
    const { message } = file.toBeSigned(by);
    receipts.push(...(await withSigningLogs([key], o.log, (logs) => enterUses(logs, "sign", [key], [message], facts), o)));
    file = file.withSignature(by, await key.signer.sign(message));
  } while (file.unfinished);
  // as others read it
  const made = format.read(file.bytes, content, o);
  made.verify([by]);
  return { file: made, key: key.public, receipts };
}
