import { parseSignature, publicKeys, type Receipt } from "@firmseal/keys";
import { passphraseOptions, readAll, wrongSignature } from "@firmseal/keys/internal";
import { LIMITS, recordTrustSigning } from "@firmseal/release/internal";
import { attachTrust, KeyError, type PublicKey } from "@firmseal/signer";
import { commandArgument, define, option } from "../../command.js";
import { allowTestKey, approvals, passphrases } from "../../common/options.js";
import { checkOutput } from "../../common/output.js";
import { SIGNED, trustChecks } from "../../common/trust/declared.js";
import {
  explainFault,
  refuseTestKeysOf,
  signedTrustWords,
  type TrustFileOptions,
  trustToSign,
  writeSignedTrust,
} from "../../common/trust/trust-signing.js";

interface TrustAttachOptions extends TrustFileOptions {
  key: string;
  signature: string;
}

/** Verifies a signature from another machine over those bytes, and adds it. */
async function attachToTrust(path: string, o: TrustAttachOptions) {
  const list = await trustToSign(path, o);
  const { out, bytes, store, before, chain, signing } = list;
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  const file = o.signature;
  checkOutput(out, "--out", [o.key, file, ...(o.previousTrust ?? [])], "trust file");
  refuseTestKeysOf([key], store, o);
  let done: Uint8Array;
  let log: Receipt[];
  try {
    done = await attachTrust(bytes, key, parseSignature(readAll(file, LIMITS.signatureFile), key.alg, file), before);
    log = await recordTrustSigning("trust attach", [{ name: o.key, public: key }], signing, bytes, [before], chain);
  } catch (e) {
    if (e instanceof KeyError && e.fault === "signature")
      throw wrongSignature(`${file} is not a signature of ${o.key} over ${path}`, "sign what firmseal trust tbs writes for this file");
    throw explainFault(path, [{ name: o.key, public: key }], e);
  }
  return writeSignedTrust(list, done, o, log);
}

export default define({
  name: "trust attach",
  summary: "add a signature from another machine",
  arguments: [commandArgument("<file>", "trust file")],
  options: () => [
    option("-k, --key <key>", "public key of the root", { required: true }),
    option("--signature <path>", "signature over what trust tbs wrote: raw, hex or base64, also DER for es256; - for stdin", {
      required: true,
    }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout (default: in place)"),
    ...trustChecks(),
    ...approvals(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust attach fleet.trust --key root.jwk --signature fleet.sig", "fleet.trust, with one more signature"],
    [
      "firmseal trust attach fleet-2.trust --previous-trust fleet-1.trust --key root.jwk --signature fleet.sig",
      "the same for the next file",
    ],
  ],
  json: SIGNED,
  run: attachToTrust,
  words: signedTrustWords,
});
