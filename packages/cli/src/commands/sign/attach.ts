// Detached signing, second half: a signature from another machine over what tbs.ts wrote.

import { keyFacts, parseSignature, publicKeys, refuseTestKeys } from "@firmseal/keys";
import {
  byteWords,
  inputName,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  readAll,
  STDIO,
  usage,
  wrongSignature,
} from "@firmseal/keys/internal";
import { isRefusal } from "@firmseal/release";
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
  reviewSigned,
} from "@firmseal/release/internal";
import { coseAlg, coseAlgs, type PublicKey, signedWith } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import {
  allowTestKey,
  approvals,
  coverage,
  forVerifier,
  passphrases,
  refusalOverrides,
  replace,
  sequenceChecks,
} from "../../common/options.js";
import { checkOutput, deliverOver, judgeRelease } from "../../common/output.js";
import { onDemand } from "../../common/release/on-demand.js";
import { KEY, membersOf, NUMBER, OUT } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface AttachOptions extends PassphraseOptions, ElsewhereOptions, ApprovalOptions, RefusalOverrides {
  replace?: boolean;
  key: string;
  signature: string;
  out?: string;
  allowTestKey?: string[];
  for?: ConsumerName;
  json?: boolean;
}

/**
 * Adds a signature, under the COSE algorithm that it was made for: tbs may have named either of two, and the signature
 * covers the name.
 */
async function withSignature(envelope: Uint8Array, key: PublicKey, signature: Uint8Array, name: string, o: AttachOptions) {
  const unsigned = readDraft(envelope);
  const usual = coseAlg(key.alg);
  for (const alg of [usual, ...coseAlgs(key.alg).filter((one) => one !== usual)]) {
    const who = signedWith(key, alg);
    const draft = await unsigned.withSignature(who, signature);
    try {
      // an earlier signature of this key that verifies would have been refused: what opens the envelope is this one
      return { draft, manifest: await reviewSigned(draft, [who], o) };
    } catch (e) {
      if (!isRefusal(e) || e.code !== errors.SIGNATURE_INVALID) throw e;
    }
  }
  throw wrongSignature(
    `refused: ${name} is not the signature of this key over this envelope`,
    "sign what firmseal tbs writes for this envelope, and give the key in the same form, with or without its identifier",
  );
}

/** Adds a signature to an envelope. It is verified before anything is written. */
async function attachToEnvelope(path: string, o: AttachOptions) {
  if (path === STDIO && o.signature === STDIO)
    throw usage("stdin cannot be both the envelope and the signature", "give one of them as a file");
  const given = { lists: coveringTrustFiles(o), approvals: await readApprovals(o) };
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  refuseTestKeys([key], o.allowTestKey ?? []);
  // first: without --out, the output is this file
  const envelope = readEnvelopeFile(path);
  const out = o.out ?? path;
  checkOutput(out, "--out", [o.signature, o.key], "envelope");
  const name = inputName(o.signature);
  const signature = parseSignature(readAll(o.signature, LIMITS.signatureFile), key.alg, name);
  const { draft, manifest } = await withSignature(envelope, key, signature, name, o);
  const signed = draft.bytes;
  if (o.for) (await onDemand()).checkFor(o.for, signed);
  await refuseKeys(draft, manifest, [{ name: o.key, public: key }], given, o);
  const member = await deliverOver(out, signed, o.json, judgeRelease(out, signed, o, { path, bytes: envelope }));
  return {
    out,
    bytes: signed.length,
    sequence: formatSequence(manifest.sequence),
    ...versionFacts(draft.outline),
    signers: [keyFacts(key)],
    ...member,
  };
}

export default define({
  name: "attach",
  summary: "add a signature from another machine, after verifying it",
  arguments: [commandArgument("<envelope>", "envelope, or - for stdin")],
  options: () => [
    option("-k, --key <key>", "public key of the signer", { required: true }),
    option("--signature <file>", "the signature: raw, hex or base64, also DER for es256; - for stdin", { required: true }),
    option("-o, --out <file>", "output file, or - for stdout (default: the envelope, in place)"),
    replace(),
    ...passphrases(),
    ...coverage(),
    ...refusalOverrides(),
    ...sequenceChecks(),
    ...approvals({ entered: false }),
    allowTestKey(),
    forVerifier(),
  ],
  examples: [
    ["firmseal attach fw.suit --key release.jwk --signature fw.sig", "fw.suit, now signed"],
    ["firmseal attach fw.suit --key release.jwk --signature fw.sig --out signed.suit", "into another file"],
  ],
  json: {
    ...OUT,
    ...NUMBER,
    signers: ["object[]", "the key whose signature was added"],
    ...membersOf("signers[]", KEY),
  },
  run: attachToEnvelope,
  words: (f) => [`${f.out}: ${numberWords(f)}, ${byteWords(f.bytes)}, signature of ${f.signers.map(keyWords).join(", ")} added`],
});
