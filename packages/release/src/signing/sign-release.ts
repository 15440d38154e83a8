// One call that signs a release, with everything that has to come before a signature and after it. `firmseal sign` is
// this call.

import {
  type Abortable,
  type ClockOverride,
  type PassphraseOption,
  type Receipt,
  refuseTestKeys,
  type SequenceOverrides,
  type SigningKey,
  withSigners,
} from "@firmseal/keys";
import { usage, warnOfLonePartner } from "@firmseal/keys/internal";
import { type EnvelopeDraft, signedWithoutLog } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import type { AlgChoice } from "../consumer/cose-alg.js";
import type { RefusalOverrides } from "../verify/payload-check.js";
import { refusedInWords } from "../verify/refusals.js";
import { type ApprovalOptions, readApprovals } from "./approval.js";
import { recordSigning, type SigningOptions } from "./authorize.js";
import { type CoverOptions, coveringTrustFiles } from "./coverage.js";
import {
  type InputOptions,
  makeDraft,
  type NextSequence,
  type PreparedInput,
  type ReviewOptions,
  readInput,
  reviewSigned,
} from "./draft.js";

/** Options of signRelease(). */
export interface SignReleaseOptions
  extends Omit<InputOptions, "imageOut" | "key">,
    SequenceOverrides,
    ClockOverride,
    CoverOptions,
    ApprovalOptions,
    RefusalOverrides,
    AlgChoice,
    Abortable {
  /** Where the passphrases of the keys come from, in the order of the keys. */
  readonly passphrases?: readonly PassphraseOption[];
  /** Names of published test keys that may sign. */
  readonly allowTestKey?: readonly string[];
  /** The signing log, if it is not beside the key, or in the state folder for a key without a file. */
  readonly log?: string;
  /** The last look, when everything else has been granted and nothing has been entered: throw, or reject, to refuse. */
  admit?(draft: EnvelopeDraft): void | Promise<void>;
}

/** What a caller may say. Members that only our own code knows do not pass: some of them switch checks off. */
const OPTIONS: { readonly [name in keyof SignReleaseOptions]-?: true } = {
  vendor: true,
  class: true,
  seq: true,
  first: true,
  version: true,
  uri: true,
  allowKeyAsImage: true,
  allowLowerSequence: true,
  allowSequenceReuse: true,
  allowSequenceJump: true,
  allowClock: true,
  trust: true,
  role: true,
  allowRootKey: true,
  approver: true,
  approval: true,
  removeApprover: true,
  allowNoApproval: true,
  allowNoStart: true,
  allowNoDevice: true,
  for: true,
  coseAlg: true,
  passphrases: true,
  allowTestKey: true,
  log: true,
  admit: true,
  signal: true,
};

/** The options, read once. */
function readOnce(given: SignReleaseOptions): SignReleaseOptions {
  const o: SignReleaseOptions = Object.fromEntries(
    Object.keys(OPTIONS).flatMap((name) => {
      const value = given[name as keyof SignReleaseOptions];
      return value === undefined ? [] : [[name, Array.isArray(value) ? [...value] : value]];
    }),
  );
  if (o.first !== undefined && typeof o.first !== "boolean") throw usage("first: give true or false", "leave it out");
  // a list that came out empty, by mistake, must not switch the check off
  if (o.trust?.length === 0) throw usage("trust: the list is empty", "name trust files, or leave it out");
  return o;
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
 * logs may refuse, enters the use in the log of each key, signs, and opens the result as a device opens it. Writes no
 * envelope.
 *
 * @param input - A file name, or the bytes of a file: an image, a description (JSON) or an envelope.
 * @param keys - References as openKey() takes them, each opened and closed here; or open keys, which stay open.
 * @param options - The facts of an image, where passphrases come from, and what else to check.
 * @returns The envelope, its manifest, and the entries in the logs.
 * @throws Failure, with one line and a hint, also for the refusals of devices. A refused call leaves no entry and
 *   no signature, and uses no number and no one-time leaf. If a log cannot be written or a key fails while it
 *   signs, this call has used the number and the leaf, and returns no envelope. If `signal` aborts before the logs have
 *   the use, this call rejects with its reason, and has written and used nothing.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { signRelease } from "@firmseal/release";
 *
 * const { bytes } = await signRelease("app.bin", ["release.pem"], {
 *   vendor: "example.com",
 *   class: "board-v2",
 *   version: "1.4.2",
 *   passphrases: [{ env: "RELEASE_PASSPHRASE" }],
 * });
 * writeFileSync("app.suit", bytes);
 * ```
 */
export const signRelease = (
  input: string | Uint8Array,
  keys: readonly string[] | readonly SigningKey[],
  options: SignReleaseOptions = {},
): Promise<SignedRelease> => refusedInWords(() => signOnce(input, keys, options));

async function signOnce(
  input: string | Uint8Array,
  keys: readonly string[] | readonly SigningKey[],
  options: SignReleaseOptions,
): Promise<SignedRelease> {
  // nothing of the caller's is read again later
  const source = typeof input === "string" ? input : Uint8Array.from(input);
  const given: readonly (string | SigningKey)[] = [...keys];
  const o = readOnce(options);
  const references = given.filter((key) => typeof key === "string");
  const opened = given.filter((key): key is SigningKey => typeof key !== "string" && key?.signer !== undefined);
  if (given.length === 0) throw usage("no key signs", "name at least one key");
  if (references.length !== given.length && opened.length !== given.length)
    throw usage("keys: give references, or open keys that can sign, not both", "open all of them: withSigners()");
  // the files of the keys are not input
  const key = [...references, ...opened.flatMap(({ file }) => file ?? [])];
  const read = await readInput(source, { ...o, key });
  const recipe = o.for === undefined ? undefined : await recipeOf(o.for);
  const prepare = () => makeDraft(read, { ...o, key }, recipe);
  const sign = async (signing: readonly SigningKey[]) => {
    const { prepared: _, ...signed } = await signPrepared(prepare, signing, o);
    return signed;
  };
  return opened.length > 0 ? sign(opened) : withSigners(references, o.passphrases ?? [], sign, o);
}

async function recipeOf(name: NonNullable<AlgChoice["for"]>) {
  const [{ consumerOf }, { recipeFor }] = await Promise.all([import("../consumer/consumers.js"), import("../consumer/recipe.js")]);
  return recipeFor(consumerOf(name));
}

/** Like signRelease(), for open keys and an input that is prepared once the options have been checked. */
export async function signPrepared(
  prepare: () => Promise<PreparedInput>,
  given: readonly SigningKey[],
  o: SignReleaseOptions,
): Promise<SignedRelease & { prepared: PreparedInput }> {
  const { keys, judge, check } = await asAsked(given, o);
  refuseTestKeys(
    keys.map((key) => key.public),
    o.allowTestKey ?? [],
  );
  warnOfLonePartner(keys.flatMap((key) => key.file ?? []));
  const lists = coveringTrustFiles(o);
  const approvals = await readApprovals(o);
  const prepared = await prepare();
  const signed = await signRecorded("sign", keys, { ...o, lists, approvals, ...(judge && { judge }) }, (next) => prepared.draft(next));
  check?.(signed.bytes);
  return { ...signed, prepared };
}

/** The keys, whose signatures name the algorithms that are asked for, and what a consumer refuses. */
async function asAsked(given: readonly SigningKey[], o: AlgChoice) {
  if (!o.for && !o.coseAlg?.length) return { keys: given };
  // most releases are for no consumer, and need neither
  const [{ checkDraftFor, checkFor }, { namesFault, withCoseAlgs }] = await Promise.all([
    import("../consumer/judge.js"),
    import("../consumer/cose-alg.js"),
  ]);
  const fault = namesFault(
    o.coseAlg ?? [],
    given.map((key) => key.public),
  );
  if (fault) throw usage(`\`coseAlg\` ${fault.what}`, fault.hint);
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
 * entry does: so the entry comes first, and the bytes that were entered are those that are signed.
 */
export async function signRecorded(
  operation: string,
  keys: readonly SigningKey[],
  o: SigningOptions & ReviewOptions,
  make: (next: NextSequence) => EnvelopeDraft,
): Promise<SignedRelease> {
  const signers = keys.map((key) => key.signer);
  const { draft, messages, receipts } = await recordSigning(operation, keys, o, make);
  const signed = await signedWithoutLog(draft, signers, messages);
  return { bytes: signed.bytes, draft: signed, manifest: await reviewSigned(signed, signers, o), receipts };
}
