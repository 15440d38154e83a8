// Reads what a key shows without its passphrase or PIN. It asks for nothing and signs nothing.

import { loadAlg, type PublicKey } from "@firmseal/signer";
import { readAll, readFirstBytes } from "../files/read.js";
import { type HssFile, readHssFile } from "../hss/file.js";
import { KEY_LIMITS } from "../limits.js";
import type { Asking, OpenedKey } from "../source.js";
import { refuseUnknownSource, schemeOf, sourceRow } from "./key-sources.js";
import { guardKeyFiles, looksPrivate } from "./private-input.js";
import { hideSecrets } from "./reference.js";

/** What is known of a key without a secret. */
export interface KeyGlance {
  /** Undefined if only its passphrase or PIN shows it. */
  readonly public: PublicKey | undefined;
  /** How its private half is stored, if it is in a file or a variable. */
  readonly stored: "clear" | "encrypted" | undefined;
  /** The file of an HSS/LMS key, with its secret as it is stored. */
  readonly hss?: HssFile;
}

class NeedsSecret extends Error {}

const ASK_NOTHING: Asking = { publicOnly: true, unproved: true, secret: () => Promise.reject(new NeedsSecret()) };

/**
 * Looks at the key that a reference names, as firmseal pubkey opens it, but asks for no secret. Throws KeyFileError or
 * Failure, also for a private key in a file that must not hold one.
 */
export async function glanceAt(ref: string): Promise<KeyGlance> {
  refuseUnknownSource(ref);
  hideSecrets([ref], []);
  const scheme = schemeOf(ref);
  const isFile = scheme === undefined;
  if (isFile) guardKeyFiles([ref]);
  let key: OpenedKey;
  try {
    key = await (await sourceRow(ref).load())(ref, ASK_NOTHING);
  } catch (e) {
    if (e instanceof NeedsSecret) return { public: undefined, stored: isFile || scheme === "env" ? "encrypted" : undefined };
    throw e;
  }
  try {
    await loadAlg(key.public.alg);
    if (isFile && key.public.alg === "hsslms" && looksPrivate(readFirstBytes(ref, 64))) {
      const hss = readHssFile(Buffer.from(readAll(ref, KEY_LIMITS.keyFile)).toString("latin1"), ref);
      hss.content.fill(0);
      return { public: key.public, stored: hss.encrypted ? "encrypted" : "clear", hss };
    }
    return { public: key.public, stored: key.private ? "clear" : undefined };
  } finally {
    await key[Symbol.asyncDispose]?.();
  }
}
