// One call that signs a release, with everything that has to come before a signature and after it. `firmseal sign` is
// this call.

import { type PassphraseOption, type Receipt, refuseTestKeys, type SequenceOverrides, type SigningKey, withSigners } from "@firmseal/keys";
import { usage, warnOfLonePartner } from "@firmseal/keys/internal";
import { type EnvelopeDraft, signedWithoutLog } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import type { AlgChoice } from "../consumer/cose-alg.js";
import type { StartOverride } from "../verify/payload-check.js";
import { type ApprovalOptions, readApprovals } from "./approval.js";
import { recordSigning, type SigningOptions } from "./authorize.js";
import { type CoverOptions, coveringTrustFiles } from "./coverage.js";
import { type InputOptions, makeDraft, type NextSequence, type PreparedInput, readInput, reviewSigned } from "./draft.js";

/** Options of signRelease(). */
export interface SignReleaseOptions
  extends Omit<InputOptions, "imageOut" | "key">,
    SequenceOverrides,
    CoverOptions,
    ApprovalOptions,
    StartOverride,
    AlgChoice {
  /** Where the passphrases of the keys come from, in the order of the keys. */
  readonly passphrases?: readonly PassphraseOption[];
  /** Names of published test keys that may sign. */
  readonly allowTestKey?: readonly string[];
  /** The signing log, if it is not beside the key, or in the state folder for a key without a file. */
  readonly log?: string;
  /** The last look, when everything else has been granted and nothing has been entered: throw to refuse. */
  admit?(draft: EnvelopeDraft): void;
}

/** A signed release. */
export interface SignedRelease {
  /** The signed envelope. */
  readonly bytes: Uint8Array;
  /** The same, read: its sequence number, digest, text and signatures. */
  readonly draft: EnvelopeDraft;
  /** The manifest, as a device has opened it. */
  readonly manifest: Manifest;
  /** The entries in the signing logs, one for each key. */
  readonly receipts: Receipt[];
}

/**
 * Signs a release: reads the input, opens the keys, checks everything that devices, trust files, approvers and signing
 * logs may refuse, enters the use in the log of each key, signs, and opens the result as a device opens it.
 *
 * @param input - A file name, or the bytes of a file: an image, a description (JSON) or an envelope. Or an input that
 *   makeDraft() has prepared.
 * @param keys - References as openKey() takes them, each opened and closed here; or open keys, which stay open.
 * @returns The signed envelope. Nothing is written but the log.
 * @throws Failure or KeyFileError, with one line and a hint; the refusals of devices. Nothing is signed then, and
 *   unless a key failed while it signed, no sequence number and no one-time leaf is used.
 *
 * @example
 * ```ts
 * const facts = { vendor: "example.com", class: "board-v2", version: "1.4.2" };
 * const { bytes } = await signRelease("app.bin", ["release.pem"], facts);
 * ```
 */
export async function signRelease(
  input: string | Uint8Array | PreparedInput,
  keys: readonly string[] | readonly SigningKey[],
  options: SignReleaseOptions = {},
): Promise<SignedRelease> {
  const lists = coveringTrustFiles(options);
  const approvals = await readApprovals(options);
  const references = keys.filter((key) => typeof key === "string");
  const prepared = await preparedInput(input, { ...options, key: references });
  const sign = (opened: readonly SigningKey[]) => signWith(opened, prepared.draft, { ...options, lists, approvals });
  if (keys.length === 0) throw usage("no key signs", "name at least one key");
  if (references.length === 0) return sign(keys as readonly SigningKey[]);
  return withSigners(references, options.passphrases ?? [], sign);
}

async function preparedInput(input: string | Uint8Array | PreparedInput, o: InputOptions & AlgChoice): Promise<PreparedInput> {
  if (typeof input !== "string" && !(input instanceof Uint8Array)) return input;
  const read = await readInput(input, o);
  if (!o.for) return makeDraft(read, o);
  const { consumerOf, recipeFor } = await forConsumer();
  return makeDraft(read, o, recipeFor(consumerOf(o.for)));
}

/** What only a consumer or a choice of algorithms needs. */
const forConsumer = () => import("../consumer/for-signing.js");

async function signWith(
  given: readonly SigningKey[],
  make: (next: NextSequence) => EnvelopeDraft,
  o: SignReleaseOptions & SigningOptions,
): Promise<SignedRelease> {
  const publics = given.map((key) => key.public);
  refuseTestKeys(publics, o.allowTestKey ?? []);
  warnOfLonePartner(given.flatMap((key) => key.file ?? []));
  const { keys, judge, check } = await asAsked(given, o);
  const signed = await signRecorded("sign", keys, { ...o, ...(judge && { judge }) }, make);
  check?.(signed.bytes);
  return signed;
}

/** The keys, whose signatures name the algorithms that are asked for, and what a consumer refuses. */
async function asAsked(given: readonly SigningKey[], o: AlgChoice) {
  if (!o.for && !o.coseAlg?.length) return { keys: given };
  const { checkDraftFor, checkFor, namesFault, withCoseAlgs } = await forConsumer();
  const fault = namesFault(
    o.coseAlg ?? [],
    given.map((key) => key.public),
  );
  if (fault) throw usage(`--cose-alg ${fault.what}`, fault.hint);
  const keys = withCoseAlgs(given, o);
  const { for: name } = o;
  if (!name) return { keys };
  const algs = keys.map(({ signer }) => signer.alg);
  return {
    keys,
    judge: (draft: EnvelopeDraft) => checkDraftFor(name, draft, algs),
    check: (bytes: Uint8Array) => checkFor(name, bytes),
  };
}

/**
 * Signs what recordSigning() grants, and reviews it. An entry without a signature does no harm, a signature without an
 * entry does: so the entry comes first.
 */
export async function signRecorded(
  operation: string,
  keys: readonly SigningKey[],
  o: SigningOptions,
  make: (next: NextSequence) => EnvelopeDraft,
): Promise<SignedRelease> {
  const { draft, receipts } = await recordSigning(operation, keys, o, make);
  const signers = keys.map((key) => key.signer);
  const signed = await signedWithoutLog(draft, signers);
  return { bytes: signed.bytes, draft: signed, manifest: await reviewSigned(signed, signers, o), receipts };
}
