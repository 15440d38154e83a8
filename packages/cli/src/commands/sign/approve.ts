// Consent of a second person, which sign --approver asks for.

import { extname } from "node:path";
import { keyFacts, refuseTestKeys, type SigningKey, withSigners } from "@firmseal/keys";
import {
  inputName,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  readFirstBytes,
  refuseMissing,
  usage,
} from "@firmseal/keys/internal";
import type { TrustOnFile } from "@firmseal/release";
import {
  type ApprovingOptions,
  approveWith,
  logDigest,
  openWithTrialKey,
  outsideUris,
  type RefusalOverrides,
  readDraft,
  readEnvelopeFile,
  readUnverifiedTrust,
  warnBeforeSigning,
} from "@firmseal/release/internal";
import { type RoleName, type Signable, TrustDraft } from "@firmseal/signer";
import { looksLikeTrustFile } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import {
  allowClock,
  allowOutside,
  allowTestKey,
  passphrases,
  policyRoles,
  previousReleaseOption,
  productFile,
  refusalOverrides,
} from "../../common/options.js";
import { checkOutput, deliver } from "../../common/output.js";
import { APPROVAL, approvalLines, isReleaseFolder, recoverRelease } from "../../common/release/signatures.js";
import { KEY, membersOf, OUT, RECEIPTS } from "../../common/shapes.js";
import { allowNoPreviousTrust } from "../../common/trust/declared.js";
import { reviewChanges } from "../../common/trust/trust-signing.js";
import { outsideWords, receiptWords } from "../../common/words.js";

interface ApproveOptions extends PassphraseOptions, ApprovingOptions, RefusalOverrides {
  key: string;
  previousTrust?: string[];
  product?: string;
  allowOutside?: string[];
  role?: RoleName;
  previousRelease?: string;
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Options that only the folder of a release has a use for. */
const OF_FOLDERS = {
  product: "--product",
  allowOutside: "--allow-outside",
  role: "--role",
  previousRelease: "--previous-release",
} as const;

/** The file, checked as its signers check it. `previous`: the trust files before it, which were shown. */
async function looked(path: string, o: ApproveOptions): Promise<{ what: Signable; outside: string[]; previous: TrustOnFile[] }> {
  if (looksLikeTrustFile(readFirstBytes(path, 2))) {
    const { bytes, store } = readUnverifiedTrust(path);
    return { what: TrustDraft.read(bytes), outside: [], previous: reviewChanges(path, store, o).chain };
  }
  const draft = readDraft(readEnvelopeFile(path));
  const manifest = await openWithTrialKey(draft);
  await warnBeforeSigning(manifest, draft.outline, o);
  return { what: draft, outside: outsideUris(manifest), previous: [] };
}

/** Approves a release: one approval for all its boards. */
async function approveFolder(folder: string, { key, out, previousTrust, json, log, ...o }: ApproveOptions) {
  const { folderToApprove, refuseForFolder } = await import("../../common/release/sign-folder.js");
  refuseForFolder(
    folder,
    { ...o, previousTrust },
    { previousTrust: "--previous-trust", allowNoPreviousTrust: "--allow-no-previous-trust" },
  );
  const { plan, release, fileOf, progress } = await folderToApprove(folder, { ...o, key });
  return withSigners([key], passphraseOptions(o), async ([one]) => {
    const own = one as SigningKey;
    release.refuseKey(own);
    refuseTestKeys([own.public], o.allowTestKey ?? []);
    const file = out ?? fileOf(own.public);
    checkOutput(file, "--out", own.file === undefined ? [] : [own.file], "message");
    const { bytes, receipt } = await release.approve(own, log === undefined ? {} : { log });
    const member = deliver(file, bytes, json);
    return {
      ...{ out: file, bytes: bytes.length, kind: release.what.kind, sequence: String(plan.sequence), version: plan.version },
      digest: logDigest(release.what),
      approver: keyFacts(own.public),
      outside: plan.boards.flatMap(({ images }) => images.flatMap(({ file: name, uri }) => (name === undefined ? [] : [uri]))),
      log: [receipt],
      approval: await progress(),
      ...member,
    };
  });
}

/** Approves an envelope, a trust file or a release. The approval is for what it says, with any signers or none. */
async function approve(path: string, o: ApproveOptions) {
  await recoverRelease(path);
  refuseMissing(path);
  if (isReleaseFolder(path)) return approveFolder(path, o);
  const other = Object.entries(OF_FOLDERS).find(([name]) => o[name as keyof typeof OF_FOLDERS] !== undefined);
  if (other) throw usage(`${other[1]} is for the folder of a release, and ${inputName(path)} is not one`, "drop it, or name the folder");
  const out = o.out ?? `${path.slice(0, path.length - extname(path).length)}.approval`;
  const { what, outside, previous } = await looked(path, o);
  return withSigners([o.key], passphraseOptions(o), async ([key]) => {
    const own = key as SigningKey;
    checkOutput(out, "--out", [path, ...(own.file === undefined ? [] : [own.file])], "message");
    refuseTestKeys([own.public], o.allowTestKey ?? []);
    const { bytes, receipt } = await approveWith(what, own, previous, o);
    const member = deliver(out, bytes, o.json);
    return {
      out,
      bytes: bytes.length,
      kind: what.kind,
      sequence: String(what.sequence),
      version: undefined,
      digest: logDigest(what),
      approver: keyFacts(own.public),
      outside,
      log: [receipt],
      approval: undefined,
      ...member,
    };
  });
}

export default define({
  name: "approve",
  summary: "approve an envelope, a trust file or a release that another person will sign",
  arguments: [commandArgument("<file>", "envelope or trust file, signed or not, or the folder of a release")],
  options: () => [
    option("-k, --key <key>", "private key of the approver: a file, or a reference as for sign", { required: true }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .approval, for a folder beside it)"),
    productFile(),
    allowOutside(),
    option("--role <name>", "for the folder of a release: role in which it is signed (default: release)", { choices: policyRoles }),
    previousReleaseOption(),
    option("--previous-trust <file>", "trust file: the previous one, to show what changes", { repeat: true }),
    allowNoPreviousTrust(),
    option("--log <file>", "signing log of the approver, or the place of a ledger (default: KEY.log beside the key)"),
    allowClock(),
    ...refusalOverrides(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal approve fw.suit --key anna.pem", "fw.approval; then firmseal sign fw.suit --approver anna.jwk --approval fw.approval"],
    ["firmseal approve dist/1.4.2 --key qa.pem", "every board of a release: shows what devices do with it, and what changes"],
    ["firmseal approve fleet-2.trust --previous-trust fleet-1.trust --key anna.pem", "the same for a trust file: shows what changes"],
  ],
  json: {
    ...OUT,
    kind: ["string", "envelope, trust file or release"],
    sequence: ["string", "its sequence number"],
    "version?": ["string", "version of a release"],
    digest: ["string", "digest of what it says"],
    approver: ["object", "the key that approved"],
    ...membersOf("approver", KEY),
    outside: ["string[]", "payloads that devices fetch; not checked"],
    ...RECEIPTS,
    "approval?": ["object|null", "for the folder of a release: who has approved it; null if the product file requires nobody"],
    ...membersOf("approval?", APPROVAL),
  },
  run: approve,
  words: (f, path) => [
    `${f.out}: ${f.kind} ${f.version ?? f.sequence}, ${f.digest}, approved by ${keyWords(f.approver)}`,
    ...receiptWords(f.log),
    ...approvalLines(path, f.approval ?? null),
    ...outsideWords(f.outside),
  ],
});
