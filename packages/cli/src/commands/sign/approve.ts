// Consent of a second person, which sign --approver asks for.

import { extname } from "node:path";
import { keyFacts, refuseTestKeys, type SigningKey, withSigners } from "@firmseal/keys";
import { keyWords, type PassphraseOptions, passphraseOptions, readFirstBytes } from "@firmseal/keys/internal";
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
import { type Signable, TrustDraft } from "@firmseal/signer";
import { looksLikeTrustFile } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { allowClock, allowTestKey, passphrases, refusalOverrides } from "../../common/options.js";
import { checkOutput, deliver } from "../../common/output.js";
import { KEY, membersOf, OUT, RECEIPTS } from "../../common/shapes.js";
import { allowNoPreviousTrust } from "../../common/trust/declared.js";
import { reviewChanges } from "../../common/trust/trust-signing.js";
import { outsideWords, receiptWords } from "../../common/words.js";

interface ApproveOptions extends PassphraseOptions, ApprovingOptions, RefusalOverrides {
  key: string;
  previousTrust?: string[];
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

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

/** Approves an envelope or a trust file, signed or not. The approval is for what it says, with any signers. */
async function approve(path: string, o: ApproveOptions) {
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
      digest: logDigest(what),
      approver: keyFacts(own.public),
      outside,
      log: [receipt],
      ...member,
    };
  });
}

export default define({
  name: "approve",
  summary: "approve an envelope or a trust file that another person will sign",
  arguments: [commandArgument("<file>", "envelope or trust file, signed or not")],
  options: () => [
    option("-k, --key <key>", "private key of the approver: a file, or a reference as for sign", { required: true }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout (default: the input's name with .approval)"),
    option("--previous-trust <file>", "trust file: the previous one, to show what changes", { repeat: true }),
    allowNoPreviousTrust(),
    option("--log <file>", "signing log of the approver (default: KEY.log beside the key)"),
    allowClock(),
    ...refusalOverrides(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal approve fw.suit --key anna.pem", "fw.approval; then firmseal sign fw.suit --approver anna.jwk --approval fw.approval"],
    ["firmseal approve fleet-2.trust --previous-trust fleet-1.trust --key anna.pem", "the same for a trust file: shows what changes"],
  ],
  json: {
    ...OUT,
    kind: ["string", "envelope or trust file"],
    sequence: ["string", "its sequence number"],
    digest: ["string", "digest of what it says"],
    approver: ["object", "the key that approved"],
    ...membersOf("approver", KEY),
    outside: ["string[]", "payloads that devices fetch; not checked"],
    ...RECEIPTS,
  },
  run: approve,
  words: (f) => [
    `${f.out}: ${f.kind} ${f.sequence}, ${f.digest}, approved by ${keyWords(f.approver)}`,
    ...receiptWords(f.log),
    ...outsideWords(f.outside),
  ],
});
