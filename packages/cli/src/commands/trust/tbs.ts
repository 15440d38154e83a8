import { publicKeys, type Receipt } from "@firmseal/keys";
import { byteWords, passphraseOptions, STDIO, shellWord } from "@firmseal/keys/internal";
import { recordTrustSigning } from "@firmseal/release/internal";
import { type PublicKey, trustToBeSigned } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { allowTestKey, approvals, passphrases } from "../../common/options.js";
import { checkNewOutput, deliver, refuseTerminal, writeSigned } from "../../common/output.js";
import { membersOf, OUT, RECEIPTS } from "../../common/shapes.js";
import { CHANGES, SINCE, sameOptions, trustChecks } from "../../common/trust/declared.js";
import { explainFault, refuseTestKeysOf, type TrustFileOptions, trustToSign } from "../../common/trust/trust-signing.js";
import { receiptWords } from "../../common/words.js";

interface TrustTbsOptions extends TrustFileOptions {
  key: string;
}

/** Writes the bytes that a root on another machine has to sign. */
async function writeTrustTbs(path: string, o: TrustTbsOptions) {
  const { bytes, store, before, chain, changes, since, signing } = await trustToSign(path, o);
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  const out = o.out ?? "-";
  refuseTerminal(out, "--out");
  // never over an existing file
  checkNewOutput(out, "--out");
  refuseTestKeysOf([key], store, o);
  let message: Uint8Array;
  let log: Receipt[];
  try {
    message = trustToBeSigned(bytes, key, before);
    // a root on another machine sees only these bytes
    log = await recordTrustSigning("trust tbs", [{ name: o.key, public: key }], signing, bytes, [before], chain);
  } catch (e) {
    throw explainFault(path, [{ name: o.key, public: key }], e);
  }
  const member = await writeSigned(formatSequence(store.sequence), () => deliver(out, message, o.json, { fresh: out !== STDIO }));
  return { out, bytes: message.length, changes, previous: since, log, ...member };
}

export default define({
  name: "trust tbs",
  summary: "write the bytes that a root on another machine has to sign",
  arguments: [commandArgument("<file>", "trust file")],
  options: () => [
    option("-k, --key <key>", "public key of the root", { required: true }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout", { default: "-" }),
    ...trustChecks(),
    ...approvals(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust tbs fleet.trust --key root.jwk --out fleet.tbs", "the bytes for one root"],
    ["firmseal trust tbs fleet-2.trust --previous-trust fleet-1.trust --key root.jwk --out fleet.tbs", "the same for the next file"],
  ],
  json: {
    ...OUT,
    ...CHANGES,
    previous: ["object[]", "each file of --previous-trust, the newest first"],
    ...membersOf("previous[]", SINCE),
    ...RECEIPTS,
  },
  run: writeTrustTbs,
  words: (f, path, o) => [
    ...(f.out === STDIO
      ? []
      : [
          `${f.out}: ${byteWords(f.bytes)} to sign; then firmseal trust attach ${shellWord(path)}${sameOptions(o)} --key PUB --signature FILE`,
        ]),
    ...receiptWords(f.log),
  ],
});
