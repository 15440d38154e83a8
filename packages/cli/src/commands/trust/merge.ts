import { keyFacts } from "@firmseal/keys";
import { keyWords, usage, warn } from "@firmseal/keys/internal";
import {
  type ApprovalOptions,
  mergeSignatures,
  readApprovals,
  readUnverifiedTrust,
  type TrustSigningOptions,
} from "@firmseal/release/internal";
import type { DropReason, MergedSignature } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { allowTestKey, approvals } from "../../common/options.js";
import { checkOutput } from "../../common/output.js";
import { membersOf } from "../../common/shapes.js";
import { SIGNED, trustChecks } from "../../common/trust/declared.js";
import { refuseTestKeysOf, reviewChanges, signedTrustWords, writeSignedTrust } from "../../common/trust/trust-signing.js";

interface MergeOptions extends TrustSigningOptions, ApprovalOptions {
  previousTrust?: string[];
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

const WHY: { readonly [why in DropReason]: string } = {
  twice: "this key has already signed",
  unknown: "not by a root of this file or of a previous one",
  surplus: "no trust file needs it, and one has at most 8 signatures",
};

const who = ({ key, kid }: MergedSignature) =>
  key ? keyWords(keyFacts(key)) : kid ? `a key with the identifier ${toHex(kid)}` : "an unknown key";

/** Combines the signatures of copies in one file, and removes those that are not needed. */
async function merge(paths: string[], o: MergeOptions) {
  if (paths.length < 2 && !o.previousTrust && !o.allowNoPreviousTrust)
    throw usage(
      "name at least two copies: one file has nothing to merge",
      "firmseal trust merge FILE COPY...; for the removal of signatures that no trust file needs, give --previous-trust FILE",
    );
  const files = paths.map((path) => ({ path, ...readUnverifiedTrust(path) }));
  const first = files[0] as (typeof files)[number];
  const out = o.out ?? first.path;
  const shown = reviewChanges(first.path, first.store, o);
  checkOutput(out, "--out", [...paths.filter((path) => path !== out), ...(o.previousTrust ?? [])], "trust file");
  refuseTestKeysOf([], first.store, o);
  const { bytes, kept, dropped, receipts } = await mergeSignatures(files, shown.chain, { ...o, approvals: await readApprovals(o) });
  for (const one of kept.filter(({ key }) => !key))
    warn(`a signature by ${who(one)} may be by a root of a previous file: give --previous-trust FILE, and it stays only if it counts`);
  const facts = await writeSignedTrust({ ...shown, path: first.path, out, bytes: first.bytes }, bytes, o, receipts);
  const signatureFacts = (one: MergedSignature) => ({
    from: paths[one.from] as string,
    thumbprint: one.key ? keyFacts(one.key).thumbprint : null,
    words: who(one),
  });
  return {
    ...facts,
    kept: kept.map(signatureFacts),
    dropped: dropped.map((one) => ({ ...signatureFacts(one), why: WHY[one.why] })),
  };
}

export default define({
  name: "trust merge",
  summary: "put the signatures that roots made on copies of a trust file into one file",
  arguments: [commandArgument("<files...>", "copies of one trust file, with different signatures")],
  options: () => [
    option("-o, --out <file>", "output file, or - for stdout (default: the first file, in place)"),
    ...trustChecks(),
    ...approvals(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust merge fleet.trust from-anna.trust from-ben.trust", "fleet.trust, with the signatures of all three"],
    [
      "firmseal trust merge fleet-3.trust --previous-trust fleet-1.trust --previous-trust fleet-2.trust",
      "removes signatures that no trust file needs",
    ],
  ],
  json: {
    ...SIGNED,
    kept: ["object[]", "signatures in the output"],
    ...membersOf("kept[]", {
      from: ["string", "file that it was in"],
      thumbprint: ["string|null", "key that made it; null: not known"],
      words: ["string", "the same for people"],
    }),
    dropped: ["object[]", "signatures that were removed"],
    ...membersOf("dropped[]", {
      from: ["string", "file that it was in"],
      thumbprint: ["string|null", "key that made it; null: not known"],
      words: ["string", "the same for people"],
      why: ["string", "the reason"],
    }),
  },
  run: merge,
  words: (f) => [...signedTrustWords(f), ...f.dropped.map((one) => `removed from ${one.from}: the signature of ${one.words}: ${one.why}`)],
});
