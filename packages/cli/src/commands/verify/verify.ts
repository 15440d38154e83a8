import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { RECORD } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { isFolder, keyWords, plural, STDIO, shellWord, someOf, usage, visible, warn, withdrawnWords } from "@firmseal/keys/internal";
import { type VerifiedRelease, verifyRelease } from "@firmseal/release";
import {
  type ConsumerName,
  isBatchFolder,
  otherWords,
  PRODUCT_FILE,
  productOption,
  type RefusalOverrides,
  readEnvelopeFile,
  refusingFacts,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
  type VerifiedBoard,
} from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { FOREIGN_FILE, foreignFile, foreignRead, verdictOnForeign } from "../../common/foreign/foreign.js";
import {
  forVerifier,
  passphrases,
  payload,
  productFile,
  refusalOverrides,
  refuseMissingFirst,
  refuseSignatureOptions,
  sequenceNumber,
  signatureFormat,
  signatureNamespace,
  threshold,
  trusted,
} from "../../common/options.js";
import { onDemand } from "../../common/release/on-demand.js";
import { OTHER_SIGNATURES } from "../../common/release/other-signatures.js";
import {
  APPROVAL,
  approvalLines,
  isAmongReleases,
  isReleaseFolder,
  progressLines,
  SIGNATURES,
  signLine,
} from "../../common/release/signatures.js";
import { membersOf, NUMBER, type Shape, SIGNER, TEST_KEYS, TRUST_SHAPE, WITHDRAWAL } from "../../common/shapes.js";
import { numberWords, versionFacts, withdrawnFacts, withdrawnNames } from "../../common/words.js";
import { failureOf } from "../../show/failure-of.js";
import type { Line } from "../../show/render.js";

export interface VerifyOptions extends TrustOptions, RefusalOverrides {
  floor?: bigint;
  payload?: string[];
  withoutPayloads?: boolean;
  product?: string;
  board?: string;
  for?: ConsumerName;
  missing?: boolean;
  expectVersion?: string;
  log?: string;
  previousRelease?: string;
  signature?: string;
  format?: string;
  namespace?: string;
  json?: boolean;
}

/** Whether the trusted keys come from the product file: it is named, or no other source is and the file exists. */
function isForProduct(path: string, o: VerifyOptions): boolean {
  if (o.product !== undefined || o.board !== undefined) {
    if (o.key || o.trust !== undefined || o.threshold !== undefined || o.root || o.previousTrust !== undefined)
      throw usage("--product: the product file gives the trusted keys", "drop --key, --trust and their options");
    return true;
  }
  const hasKeys = o.key !== undefined || o.trust !== undefined;
  if (hasKeys && isFolder(path))
    throw usage(`${path} is a folder, not a file`, "name one envelope; for a folder of releases, give --product FILE instead of keys");
  if (!existsSync(PRODUCT_FILE) && isFolder(path))
    throw usage(`${path} is a folder, and there is no ${PRODUCT_FILE} here`, "name the product file of these releases: --product FILE");
  return !hasKeys && existsSync(PRODUCT_FILE);
}

async function judged(o: VerifyOptions) {
  const { for: name } = o;
  if (!name) return o;
  const { checkFor } = await onDemand();
  return { ...o, judge: (envelope: Uint8Array) => checkFor(name, envelope) };
}

/** What people must know about a release that enough trusted keys have signed. */
const doubtsOf = ({ signedByTestKeys, otherSignatures, refusing }: VerifiedRelease) => ({
  signedByTestKeys: [...signedByTestKeys],
  otherSignatures: [...otherSignatures],
  refusing: refusing.map(refusingFacts),
});

/** Verifies a file of another boot loader or tool, or what verifyEnvelope() takes. */
async function verify(path: string, o: VerifyOptions) {
  const { signature, ...rest } = o;
  if (signature !== undefined) return (await foreignRead()).verifySigned(path, signature, rest);
  refuseSignatureOptions(o, "name the signature file: --signature FILE");
  const foreign = await foreignFile(path);
  if (!foreign) return verifyEnvelope(path, o);
  const { verifyForeign } = await foreignRead();
  return verifyForeign(path, foreign, o);
}

/** Verifies an envelope against trusted keys, and the payloads that are in it or given. */
export async function verifyEnvelope(path: string, o: VerifyOptions) {
  refuseMissingFirst(path, o);
  if (o.missing && !isReleaseFolder(path)) throw usage(`--missing: ${path} is not the folder of a release`, "name the folder");
  if (path !== STDIO && isBatchFolder(path)) return verifyBatchFolder(path, o);
  if (isForProduct(path, o)) return verifyForProduct(path, o);
  refuseProductOptions(o);
  const whom = await trustedKeys(o);
  try {
    const envelope = readEnvelopeFile(path);
    const verified = await verifyRelease(path, envelope, whom, await judged(o));
    if (isAmongReleases(path)) (await onDemand()).refuseWithdrawnAround(path, verified.outline, whom);
    return { ...factsOf(verified, whom, o), batch: undefined };
  } catch (e) {
    throw withTestKeys(e, whom);
  }
}

function refuseProductOptions(o: VerifyOptions): void {
  if (o.log !== undefined) throw usage("--log is for releases of a product", "name the product file: --product FILE");
  if (o.previousRelease !== undefined)
    throw usage("--previous-release is for releases of a product", "name the product file: --product FILE");
  if (o.expectVersion !== undefined) throw usage("--expect-version is for releases of a product", "name the product file: --product FILE");
}

function withTestKeys(e: unknown, { testKeys }: TrustedKeys): Failure {
  const failure = failureOf(e);
  failure.facts = { ...failure.facts, testKeys };
  return failure;
}

/** What was verified, without what only a product file has. */
function factsOf(verified: VerifiedRelease, whom: TrustedKeys, o: VerifyOptions) {
  const { sequence, outline, signers, payloadsChecked, payloadsNotChecked, severedAbsent } = verified;
  return {
    sequence: String(sequence),
    ...versionFacts(outline),
    signers,
    testKeys: whom.testKeys,
    ...doubtsOf(verified),
    ...(whom.trust && { trust: whom.trust }),
    payloadsChecked,
    payloadsNotChecked,
    severedAbsent,
    keysFrom: [...(o.key ?? []), ...(o.trust ?? [])],
    signatures: undefined,
    approval: undefined,
    releases: undefined,
    records: undefined,
    outdated: undefined,
    withdrawn: undefined,
  };
}

/** Verifies every envelope of a batch, or of a part of it. */
async function verifyBatchFolder(path: string, o: VerifyOptions) {
  if (o.product !== undefined || o.board !== undefined)
    throw usage(`${path} is the folder of a batch, which has no product file`, "give the signer's public key: `key` PUB, or a trust file");
  refuseProductOptions(o);
  const whom = await trustedKeys(o);
  const { verifyBatch } = await onDemand();
  try {
    const { common, devices, count, shards } = await verifyBatch(path, whom, await judged(o));
    const batch = {
      ...{ devices, count },
      shards: shards.map(({ shard, sequence, manifests }) => ({ shard, sequence, manifests: manifests.length })),
    };
    return { ...factsOf(common, whom, o), batch };
  } catch (e) {
    throw withTestKeys(e, whom);
  }
}

/** Returns who has signed and approved a release. Throws a Failure with these facts if somebody still has to. */
async function signaturesIn(path: string, { role, product, passphraseEnv, passphraseFd }: VerifyOptions) {
  const { missingIn } = await import("../../common/release/sign-folder.js");
  const { signatures, approval } = await missingIn(path, {
    ...(role !== undefined && { role }),
    ...(product !== undefined && { product }),
    ...(passphraseEnv && { passphraseEnv }),
    ...(passphraseFd && { passphraseFd }),
  });
  const isSigned = signatures.every(({ complete }) => complete);
  // those who signed have asked for the approvals, unless their product file required none
  if (isSigned && approval && !approval.complete)
    for (const line of approvalLines(path, approval)) warn(`${line}; it is signed all the same: ask its signers for the approvals`);
  if (isSigned) return { signatures, approval };
  const lines = [...approvalLines(path, approval), ...progressLines(path, signatures)];
  const isApproved = approval === null || approval.complete;
  const approve = isApproved ? "" : `each approver: firmseal approve ${shellWord(path)}${productOption(product)} --key KEY; then `;
  const hint = `${approve}${signLine(path, product)}`;
  const failure = new Failure(1, "ERR_SIGNATURE_THRESHOLD", lines.join("; "), hint);
  failure.facts = { signatures, approval };
  throw failure;
}

/**
 * Verifies an envelope, a release or a folder of releases by the product file. The last release stands for all of them.
 */
async function verifyForProduct(path: string, o: VerifyOptions) {
  const { readProduct, verifyProduct } = await onDemand();
  const missing = o.missing ? await signaturesIn(path, o) : undefined;
  const product = readProduct(o.product ?? PRODUCT_FILE);
  const { releases, records, withdrawn, outdated, whom } = await verifyProduct(path, product, await judged(o));
  for (const one of withdrawn) warn(withdrawnWords(one, path));
  for (const one of outdated)
    warn(
      `${visible(one.path)} is not verified: ${visible(one.trust)} accepts it, and ${visible(product.trust.file as string)} does not; publish it nowhere`,
    );
  const last = releases.at(-1) as VerifiedBoard;
  return {
    sequence: String(last.sequence),
    ...versionFacts(last.outline),
    signers: last.signers,
    testKeys: whom.testKeys,
    signedByTestKeys: [...new Set(releases.flatMap((one) => one.signedByTestKeys))],
    otherSignatures: releases.flatMap((one) => one.otherSignatures),
    refusing: releases.flatMap((one) => doubtsOf(one).refusing),
    ...(whom.trust && { trust: whom.trust }),
    payloadsChecked: releases.flatMap((one) => one.payloadsChecked),
    payloadsNotChecked: releases.flatMap((one) => one.payloadsNotChecked),
    severedAbsent: [...new Set(releases.flatMap((one) => one.severedAbsent))],
    keysFrom: [resolve(o.product ?? PRODUCT_FILE)],
    signatures: missing?.signatures,
    approval: missing?.approval,
    releases: releases.map((one) => ({
      path: one.path,
      board: one.board,
      sequence: String(one.sequence),
      ...versionFacts(one.outline),
      signers: one.signers,
    })),
    records: records.map(({ path: folder, version, boards, payloads, withdrawn: named }) => ({
      ...{ path: folder, version, boards: [...boards], payloads },
      withdrawn: withdrawnFacts(named),
    })),
    outdated: outdated.map(({ sequence, ...one }) => ({ ...one, sequence: String(sequence) })),
    withdrawn: withdrawnFacts(withdrawn),
    batch: undefined,
  };
}

type Facts = Awaited<ReturnType<typeof verifyEnvelope>>;

const signerWords = (signers: Facts["signers"]) =>
  signers.map((s) => `${keyWords(s)}${s.roles ? ` (${s.roles.join(", ")})` : ""}`).join(", ");

/** Never "good" if anybody can sign like this, or if devices refuse it: with an override it may be all of them. */
function verdictWords(f: Pick<Facts, "signedByTestKeys" | "otherSignatures" | "refusing">, o: RefusalOverrides): string {
  const { signedByTestKeys, otherSignatures, refusing } = f;
  if (signedByTestKeys.length > 0) return `signed with a published test key (${signedByTestKeys.join(", ")})`;
  const others = new Set(otherSignatures.flatMap(({ testKey }) => testKey ?? []));
  if (others.size > 0) return `signed, and also with a published test key (${[...others].join(", ")})`;
  if (refusing.length === 0) return "good";
  return o.allowNoDevice || o.allowNoStart ? "signed, but devices refuse it" : "signed, but some devices refuse it";
}

const DOUBTS: Shape = {
  signedByTestKeys: ["string[]", "published test keys among the signers"],
  ...OTHER_SIGNATURES,
  refusing: ["object[]", "devices that refuse the release, each with one vendor and one class; exit code 0 if other devices may take it"],
  ...membersOf("refusing[]", {
    vendor: ["string", "vendor"],
    class: ["string", "class"],
    device: ["string|null", "device, if the release is for single devices"],
    slot: ["number|null", "slot, if the release distinguishes slots"],
    during: ["string", "install or start"],
    code: ["number", "number of the refusal"],
    reason: ["string", "its name"],
  }),
};

/** "12 devices in 2 of 5 shards, sequence numbers 1, 3": what is there of a batch. */
function batchWords({ count, shards }: NonNullable<Facts["batch"]>): string {
  const devices = shards.reduce((sum, { manifests }) => sum + manifests, 0);
  const numbers = shards.map(({ sequence }) => sequence);
  const parts = shards.length === count ? plural(count, "shard") : `${shards.length} of ${plural(count, "shard")}`;
  return `${plural(devices, "device")} in ${parts}, ${numbers.length === 1 ? "sequence number" : "sequence numbers"} ${someOf(numbers)}`;
}

function envelopeWords(f: Facts, path: string, o: VerifyOptions): Line[] {
  return [
    ...(f.releases
      ? f.releases.map(
          (one) => `${one.path}: ${verdictWords(f, o)}, board ${one.board}, ${numberWords(one)}, signed by ${signerWords(one.signers)}`,
        )
      : [`${path}: ${verdictWords(f, o)}, ${f.batch ? batchWords(f.batch) : numberWords(f)}, signed by ${signerWords(f.signers)}`]),
    ...(f.records ?? []).map(
      (one) =>
        `${join(one.path, RECORD)}: good, covers ${plural(one.boards.length, "board")} and ${plural(one.payloads, "payload")}${one.withdrawn.length > 0 ? `, ${withdrawnNames(one.withdrawn)}` : ""}`,
    ),
    ...(f.approval?.complete ? approvalLines(path, f.approval) : []),
    ...(f.signatures ? progressLines(path, f.signatures) : []),
    ...f.otherSignatures.map((one) => `another signature: ${otherWords(one)}`),
    // it may be that of a stranger, in whose folder the command runs
    ...(f.releases ? [`trusted keys: those of ${f.keysFrom.join(", ")}`] : []),
    ...(f.payloadsNotChecked.length > 0 ? [`payload not checked: ${someOf(f.payloadsNotChecked)}`] : []),
    ...(f.severedAbsent.length > 0 ? [`severed, not in the envelope: ${f.severedAbsent.join(", ")}`] : []),
  ];
}

export default define({
  name: "verify",
  summary: "verify an envelope and its payloads, or a file of another boot loader or tool",
  arguments: [
    commandArgument(
      "<envelope>",
      "envelope, or - for stdin; the folder of a batch; with a product file, also a folder that firmseal release wrote; or an MCUboot or ESP32 image",
    ),
  ],
  options: () => [
    ...trusted(),
    threshold(),
    option("--floor <n>", "refuse lower sequence numbers", { parse: sequenceNumber }),
    payload(),
    productFile(),
    option("--board <name>", "with a product file: board that the release must be for"),
    forVerifier(),
    ...refusalOverrides(),
    option("--expect-version <version>", "with a product file: refuse a release of another version"),
    option(
      "--log <file>",
      "with a product file: signing log with the withdrawn releases, or the place of a ledger (default: that of the product file, or KEY.log beside the keys)",
    ),
    option(
      "--previous-release <path>",
      "with a product file: the last published release, whose signed record names withdrawn ones: a folder or release.json",
    ),
    option("--missing", "for the folder of a release: show who has approved and signed it; exit code 1 if somebody still has to"),
    option("--signature <path>", "signature file of another tool, such as minisign or OpenSSH: verify the file against it"),
    signatureFormat("with --signature: format of that file, if it does not show it"),
    signatureNamespace("with --signature"),
    option("--without-payloads", "accept a release even though payloads are missing and cannot be checked"),
    ...passphrases(),
  ],
  examples: [
    ["firmseal verify fw.suit --key release.jwk", "with the public key of the signer"],
    ["firmseal verify fw.suit --trust fleet.trust --root root.jwk", "with a trust file"],
    ["firmseal verify dist/1.4.2 --product firmseal.toml", "every board, payload and number of a release"],
  ],
  json: {
    ...NUMBER,
    sequence: ["string|null", "sequence number; null: the file has none, because another boot loader reads it"],
    ...FOREIGN_FILE,
    signers: ["object[]", "trusted keys that signed"],
    ...membersOf("signers[]", { ...SIGNER, "spki?": ["string", "for a file of another boot loader: SHA-256 of the public key, hex"] }),
    ...TEST_KEYS,
    ...DOUBTS,
    ...TRUST_SHAPE,
    payloadsChecked: ["string[]", "URIs of the payloads that match their digests"],
    payloadsNotChecked: ["string[]", "with --without-payloads: URIs of the missing payloads"],
    severedAbsent: ["string[]", "severed elements that are not in the envelope"],
    keysFrom: ["string[]", "what gave the trusted keys: key files, trust files, or the product file"],
    "signatures?": ["object[]", "with --missing: who has signed each board, and who still has to; also in the failure"],
    ...membersOf("signatures?[]", SIGNATURES),
    "approval?": ["object|null", "with --missing: who has approved it; null if the product file requires nobody; also in the failure"],
    ...membersOf("approval?", APPROVAL),
    "releases?": ["object[]", "with a product file: each envelope that was verified"],
    ...membersOf("releases?[]", {
      path: ["string", "the envelope"],
      board: ["string", "board of the product that it is for"],
      ...NUMBER,
      signers: ["object[]", "trusted keys that signed it"],
    }),
    "records?": ["object[]", "with a product file: each release.json, which the signers of its envelopes have signed too"],
    ...membersOf("records?[]", {
      path: ["string", "folder of the release"],
      version: ["string", "version of the release"],
      boards: ["string[]", "boards that the signatures cover"],
      payloads: ["number", "payloads that they cover"],
      withdrawn: ["object[]", "withdrawn releases that they name"],
      ...membersOf("withdrawn[]", WITHDRAWAL),
    }),
    "outdated?": [
      "object[]",
      "with a product file, for a folder of releases: old ones that are not verified, since only an earlier trust file accepts them",
    ],
    ...membersOf("outdated?[]", {
      path: ["string", "folder of the release"],
      version: ["string", "version of the release"],
      sequence: ["string", "sequence number"],
      trust: ["string", "newest trust file of [trust] earlier that accepts it"],
    }),
    "batch?": ["object", "for the folder of a batch: every envelope in it was verified"],
    ...membersOf("batch?", {
      devices: ["number", "devices of the whole batch"],
      count: ["number", "shards of the whole batch"],
      shards: ["object[]", "shards in the folder"],
      ...membersOf("shards[]", {
        shard: ["number", "number of the shard, from 1"],
        sequence: ["string", "sequence number of its manifests"],
        manifests: ["number", "how many it has"],
      }),
    }),
    "withdrawn?": ["object[]", "with a product file, for a folder of releases: older ones that were withdrawn"],
    ...membersOf("withdrawn?[]", WITHDRAWAL),
  },
  failure: { sequence: null, signers: [], testKeys: [] },
  run: verify,
  words: (f, path, o) => ("file" in f ? [verdictOnForeign(path, f)] : envelopeWords(f, path, o)),
});
