// Detached signing, second half: a signature from another machine over what tbs.ts wrote.

import { keyFacts, parseSignature, publicKeys, refuseTestKeys } from "@firmseal/keys";
import {
  byteWords,
  inputName,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  readAll,
  refuseMissing,
  STDIO,
  usage,
} from "@firmseal/keys/internal";
import {
  type ApprovalOptions,
  type ConsumerName,
  coveringTrustFiles,
  type ElsewhereOptions,
  LIMITS,
  type RefusalOverrides,
  readApprovals,
  readDraft,
  readEnvelopeFile,
  refuseKeys,
  withSignatureOf,
} from "@firmseal/release/internal";
import type { PublicKey } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { withLogHere } from "../../common/log.js";
import {
  allowTestKey,
  approvals,
  coverage,
  forVerifier,
  missingOption,
  passphrases,
  productFile,
  refusalOverrides,
  replace,
  sequenceChecks,
} from "../../common/options.js";
import { checkOutput, deliverOver, judgeRelease } from "../../common/output.js";
import { folderLines, RELEASE_LINT } from "../../common/release/findings.js";
import { onDemand } from "../../common/release/on-demand.js";
import type { SignaturesFrom } from "../../common/release/sign-folder.js";
import { isReleaseFolder, type OfEnvelope, recoverRelease, SIGNATURES } from "../../common/release/signatures.js";
import { KEY, membersOf, NUMBER, OUT } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface AttachOptions extends PassphraseOptions, ElsewhereOptions, ApprovalOptions, RefusalOverrides {
  replace?: boolean;
  key?: string;
  signature?: string;
  from?: string;
  product?: string;
  out?: string;
  allowTestKey?: string[];
  for?: ConsumerName;
  json?: boolean;
}

/** Adds signatures to an envelope, or to all boards of a release. They are verified before anything is written. */
async function attach(path: string, { key, signature, from, ...o }: AttachOptions) {
  if (from !== undefined && (key !== undefined || signature !== undefined))
    throw usage("--from: the copy of the release has the signatures and names their keys", "drop --key and --signature");
  if (from === undefined && (key === undefined || signature === undefined))
    throw missingOption(key === undefined ? "-k, --key <key>" : "--signature <path>");
  await recoverRelease(path);
  refuseMissing(path);
  if (isReleaseFolder(path)) return attachToRelease(path, o, from === undefined ? { key, signature } : { from });
  if (from !== undefined) throw usage(`--from: ${path} is not the folder of a release`, "name the folder, or give --signature");
  if (o.product !== undefined) throw usage("--product is for the folder of a release", "drop it");
  return attachToEnvelope(path, { ...o, key: key as string, signature: signature as string });
}

async function attachToRelease(folder: string, { json: _, ...o }: AttachOptions, given: Partial<SignaturesFrom>) {
  const { attachToFolder, refuseForFolder } = await import("../../common/release/sign-folder.js");
  refuseForFolder(folder, o, { out: "--out" });
  const {
    log: _log,
    payloads: _payloads,
    ...done
  } = await attachToFolder(folder, {
    ...(o as Omit<AttachOptions, OfEnvelope | keyof SignaturesFrom>),
    ...given,
  });
  return done;
}

async function attachToEnvelope(path: string, o: AttachOptions & { readonly key: string; readonly signature: string }) {
  if (path === STDIO && o.signature === STDIO)
    throw usage("stdin cannot be both the envelope and the signature", "give one of them as a file");
  const given = { lists: coveringTrustFiles(o), approvals: await readApprovals(o) };
  const meant = await withLogHere(o);
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  refuseTestKeys([key], o.allowTestKey ?? []);
  // first: without --out, the output is this file
  const envelope = readEnvelopeFile(path);
  const out = o.out ?? path;
  checkOutput(out, "--out", [o.signature, o.key], "envelope");
  const name = inputName(o.signature);
  const signature = parseSignature(readAll(o.signature, LIMITS.signatureFile), key.alg, name);
  const { draft, manifest } = await withSignatureOf(readDraft(envelope), key, signature, name, o);
  const signed = draft.bytes;
  if (o.for) (await onDemand()).checkFor(o.for, signed);
  await refuseKeys(draft, manifest, [{ name: o.key, public: key }], given, meant);
  const member = await deliverOver(out, signed, o.json, judgeRelease(out, signed, o, { path, bytes: envelope }));
  return {
    out,
    bytes: signed.length,
    sequence: formatSequence(manifest.sequence),
    ...versionFacts(draft.outline),
    signers: [keyFacts(key)],
    ...member,
    signatures: undefined,
    lint: undefined,
  };
}

export default define({
  name: "attach",
  summary: "add a signature from another machine, after verifying it",
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, or the folder of a release")],
  options: () => [
    option("-k, --key <key>", "public key of the signer"),
    option(
      "--signature <path>",
      "the signature: raw, hex or base64, also DER for es256; - for stdin; for a release, the folder with a .sig beside each .tbs",
    ),
    option("--from <path>", "for a release: another copy of it, whose signatures are added"),
    productFile(),
    option("-o, --out <file>", "output file, or - for stdout (default: the envelope, in place)"),
    replace(),
    ...passphrases(),
    ...coverage(),
    ...refusalOverrides(),
    ...sequenceChecks({ entered: false }),
    ...approvals({ entered: false }),
    allowTestKey(),
    forVerifier(),
  ],
  examples: [
    ["firmseal attach fw.suit --key release.jwk --signature fw.sig", "fw.suit, now signed"],
    ["firmseal attach dist/1.4.2 --from bob/1.4.2", "the signatures of another copy of a release"],
  ],
  json: {
    ...OUT,
    ...NUMBER,
    signers: ["object[]", "keys whose signatures were added"],
    ...membersOf("signers[]", KEY),
    "signatures?": ["object[]", "for the folder of a release: who has signed each board, and who still has to"],
    ...membersOf("signatures?[]", SIGNATURES),
    "lint?": ["object", "for the folder of a release: what firmseal lint finds"],
    ...membersOf("lint?", RELEASE_LINT),
  },
  run: attach,
  words: (f, _path, o) => [
    `${f.out}: ${numberWords(f)}, ${byteWords(f.bytes)}, signature of ${f.signers.map(keyWords).join(", ")} added`,
    ...(f.signatures ? folderLines(f.out, f.signatures, f.lint, o.product) : []),
  ],
});
