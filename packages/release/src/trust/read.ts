// Reads trust files from paths: unverified, signed by their own roots, or checked against what a user pins.

import { anchors, Failure, publicKeys } from "@firmseal/keys";
import { type PassphraseOptions, passphraseOptions, readAll, usage, visible, warn } from "@firmseal/keys/internal";
import { acceptTrust, decodeTrust, type TrustFile, trustName } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { errors, type Trust, type TrustStore } from "@firmseal/verifier";
import { equalBytes, looksLikeTrustFile, toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { wrongKind } from "../input/wrong-kind.js";
import { isRefusal, refusalHint, withFileName } from "../verify/refusals.js";

const ROOT_HINT = "firmseal trust show FILE lists who has signed: give these roots, or get the file with the signatures of the others";

/** What a trust file is checked against: pinned root keys, or its predecessor. */
export interface PinOptions extends PassphraseOptions {
  root?: string[];
  previousTrust?: string;
  /** The name that the trust file must have: that of a product file. */
  trustName?: string;
}

/** A trust file, with the path that it was read from. */
export interface TrustOnFile {
  /** The path, as given. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly store: TrustStore;
}

/** Reads the bytes of a trust file. A file that is clearly of another kind is reported as such. */
export function readTrustBytes(path: string): Uint8Array {
  const bytes = readAll(path, LIMITS.trustFile);
  if (!looksLikeTrustFile(bytes))
    throw new Failure(1, "ERR_TRUST_NONE", wrongKind(path, bytes, "trust file"), refusalHint(errors.TRUST_NONE));
  return bytes;
}

/** Reads a trust file, signed or not. Verifies no signature. Throws a Failure with the refusal of the file. */
export function readUnverifiedTrust(path: string): TrustFile & { bytes: Uint8Array } {
  const bytes = readTrustBytes(path);
  try {
    return { bytes, ...decodeTrust(bytes) };
  } catch (e) {
    throw withFileName(path, e);
  }
}

/** Reads a trust file that has at least one signature. Verifies none. */
function readUnverifiedSigned(path: string): ReturnType<typeof readUnverifiedTrust> {
  const file = readUnverifiedTrust(path);
  refuseUnsigned(path, file);
  return file;
}

/** Refuses a trust file without signatures, which a device would report as damaged CBOR. */
export function refuseUnsigned(path: string, { signatures }: Pick<TrustFile, "signatures">): void {
  if (signatures.length === 0) throw new Failure(1, "ERR_TRUST_SIGNERS", `${path}: refused: not signed`, refusalHint(errors.TRUST_SIGNERS));
}

/**
 * Reads a trust file that enough of its own roots have signed.
 *
 * @param path - The trust file.
 * @returns The path, the bytes and the content.
 * @throws Failure with the refusal that a device would give.
 */
export function readTrustFile(path: string): TrustOnFile {
  const { bytes, store } = readUnverifiedSigned(path);
  try {
    return { path, bytes, store: acceptTrust(bytes, store, nodeHost) };
  } catch (e) {
    throw withFileName(path, e);
  }
}

/** Refuses a trust file whose name is not that of [trust] name, if there is one. Throws a Failure: TRUST_NAME. */
export function refuseOtherName(path: string, store: TrustStore, name: string | undefined): void {
  if (name === undefined || equalBytes(store.name, Buffer.from(name))) return;
  throw new Failure(
    1,
    "ERR_TRUST_NAME",
    `${path} is for ${JSON.stringify(visible(trustName(store)))}, and the product file requires ${JSON.stringify(visible(name))}`,
    "name the trust file of this product: [trust] file; or correct [trust] name",
  );
}

/** A trust file that was verified. */
export interface PinnedTrust extends Omit<TrustOnFile, "path"> {
  /** Whether it was checked against anything. */
  readonly pinned: boolean;
  /** What the previous file says, if it was checked against one. */
  readonly previous: TrustStore | undefined;
}

/**
 * Reads a trust file and verifies it with its own roots and with what it is checked against. Throws a Failure with the
 * refusal of the file.
 */
export async function readPinnedTrust(path: string, o: PinOptions): Promise<PinnedTrust> {
  if (o.root && o.previousTrust !== undefined) throw usage("root keys and a previous trust file are both given", "give one of the two");
  const { bytes, store: own } = readUnverifiedSigned(path);
  const previous = o.previousTrust === undefined ? undefined : readTrustFile(o.previousTrust).store;
  let before: TrustStore | Trust;
  if (previous) before = previous;
  else if (o.root) {
    const keys = await publicKeys(o.root, passphraseOptions(o));
    before = { anchors: anchors(keys), threshold: new Set(keys.map((k) => toHex(k.key))).size };
  } else {
    before = own;
    warn(`${visible(path)}: no root is given, so anybody may have made it: give \`root\` PUB, or the previous trust file`);
  }
  refuseOtherName(path, own, o.trustName);
  try {
    return { store: acceptTrust(bytes, before, nodeHost), pinned: o.root !== undefined || previous !== undefined, previous, bytes };
  } catch (e) {
    // there is no previous trust file, only the keys of --root
    if (o.root && isRefusal(e) && e.code === errors.TRUST_PREVIOUS)
      throw new Failure(1, "ERR_TRUST_PREVIOUS", `${path}: refused: not signed by every key of \`root\``, ROOT_HINT);
    throw withFileName(path, e);
  }
}
