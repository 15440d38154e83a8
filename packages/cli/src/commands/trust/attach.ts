import { type PassphraseOptions, passphraseOptions, publicKeys, type Receipt, readAll, signatureOf, wrongSignature } from "@firmseal/keys";
import { type ApprovalOptions, LIMITS, readApprovals, recordTrustSigning, type TrustSigningOptions, trustAt } from "@firmseal/release";
import { attachTrust, type PublicKey } from "@firmseal/signer";
import { argument, define, option } from "../../command.js";
import { allowTestKey, approvals, passphrases, trustChecks } from "../../common/options.js";
import { checkTrustOutput } from "../../common/output.js";
import { SIGNED } from "../../common/shapes.js";
import { named, refuseTestKeysOf, showBefore, signed, signedWords } from "../../common/trust-signing.js";

export interface AttachOptions extends PassphraseOptions, TrustSigningOptions, ApprovalOptions {
  key: string;
  previousTrust?: string[];
  out?: string;
  signature: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Verifies a signature from another machine over those bytes, and adds it. */
async function attach(path: string, o: AttachOptions) {
  const out = o.out ?? path;
  const { bytes, store } = trustAt(path);
  const shown = showBefore(path, store, o);
  const { before, chain } = shown;
  const signing = { ...o, approvals: await readApprovals(o) };
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  const file = o.signature;
  checkTrustOutput(out, [o.key, file, ...(o.previousTrust ?? [])]);
  refuseTestKeysOf([key], store, o);
  let done: Uint8Array;
  let log: Receipt[];
  try {
    done = await attachTrust(bytes, key, signatureOf(readAll(file, LIMITS.signatureFile), key.alg, file), before);
    log = await recordTrustSigning("trust attach", [{ name: o.key, public: key }], signing, bytes, [before], chain);
  } catch (e) {
    if ((e as { code?: unknown }).code === "fault")
      throw wrongSignature(`${file}: is not a signature of ${o.key} over ${path}`, "sign what firmseal trust tbs writes for this file");
    throw named(path, [{ name: o.key, public: key }], e);
  }
  return signed(path, out, done, shown, o, log);
}

export default define({
  name: "trust attach",
  summary: "add a signature from another machine",
  arguments: [argument("<file>", "trust file")],
  options: () => [
    option("-k, --key <file>", "public key of the root", { required: true }),
    option("--signature <file>", "signature over what trust tbs wrote: raw, hex or base64, also DER for es256; - for stdin", {
      required: true,
    }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout (default: in place)"),
    ...trustChecks(),
    ...approvals(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust attach fleet.trust --key root.jwk --signature fleet.sig", "fleet.trust, with one signature more"],
    [
      "firmseal trust attach fleet-2.trust --previous-trust fleet-1.trust --key root.jwk --signature fleet.sig",
      "the same for the next file",
    ],
  ],
  json: SIGNED,
  run: attach,
  words: signedWords,
});
