import { type Receipt, type SigningKey, withSigners } from "@firmseal/keys";
import { passphraseOptions } from "@firmseal/keys/internal";
import { recordTrustSigning } from "@firmseal/release/internal";
import { AlreadySigned, signTrustWithoutLog, trustSigners } from "@firmseal/signer";
import { commandArgument, define, option } from "../../command.js";
import { allowTestKey, approvals, keys as keyOption, passphrases } from "../../common/options.js";
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

interface TrustSignOptions extends TrustFileOptions {
  key: string[];
}

/** Adds signatures to a trust file. A key that is not a root of it, or of the previous file, is refused. */
async function signTrustFile(path: string, o: TrustSignOptions) {
  const file = await trustToSign(path, o);
  const { out, bytes, store, before, chain, signing } = file;
  return withSigners(o.key, passphraseOptions(o), async (keys) => {
    checkOutput(out, "--out", [...keys.flatMap((key) => key.file ?? []), ...(o.previousTrust ?? [])], "trust file");
    const roots = keys.map((key) => key.public);
    refuseTestKeysOf(roots, store, o);
    let done: Uint8Array;
    let receipts: Receipt[];
    try {
      const [again] = trustSigners(bytes, roots);
      if (again) throw new AlreadySigned((keys[roots.indexOf(again)] as SigningKey).signer, "trust file");
      receipts = await recordTrustSigning(
        "trust sign",
        keys,
        signing,
        bytes,
        keys.map(() => before),
        chain,
      );
      done = await signTrustWithoutLog(
        bytes,
        keys.map((key) => key.signer),
        before,
      );
    } catch (e) {
      throw explainFault(path, keys, e);
    }
    return writeSignedTrust(file, done, o, receipts);
  });
}

export default define({
  name: "trust sign",
  summary: "sign a trust file",
  arguments: [commandArgument("<file>", "trust file")],
  options: () => [
    keyOption("private key of a root"),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout (default: in place)"),
    ...trustChecks(),
    ...approvals(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust sign fleet.trust --key root-1.pem --key root-2.pem", "the first file of a line"],
    ["firmseal trust sign fleet-2.trust --previous-trust fleet-1.trust --key root-1.pem", "the next file: shows what changes"],
  ],
  json: SIGNED,
  run: signTrustFile,
  words: signedTrustWords,
});
