import { readAll, warn } from "@firmseal/keys/internal";
import { deviceStatus, LIMITS, withdrawnIn } from "@firmseal/release/internal";
import { InvalidArgumentError } from "commander";
import { commandArgument, define, option } from "../../command.js";
import { productFile, statusKeys } from "../../common/options.js";
import { productAsked, withdrawnOfProduct } from "../../common/release/product-names.js";
import { membersOf, WITHDRAWAL } from "../../common/shapes.js";
import { type StatusKeyOptions, statusAnchors } from "../../common/trust/status-keys.js";
import { runningWords, withdrawnFact } from "../../common/words.js";

interface StatusOptions extends StatusKeyOptions {
  nonce: Uint8Array;
  product?: string;
  json?: boolean;
}

function nonceBytes(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}){8,64}$/i.test(text)) throw new InvalidArgumentError("give 8 to 64 bytes in hex");
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** Verifies what a device answered. */
async function verify(path: string, o: StatusOptions) {
  const product = await productAsked(o.product);
  const whom = await statusAnchors(o);
  const status = deviceStatus(readAll(path, LIMITS.statusMessage), whom, o.nonce);
  const withdrawn = withdrawnIn(status, await withdrawnOfProduct(product));
  if (withdrawn) warn(runningWords(status.device ?? "the device", withdrawn));
  return { ...status, withdrawn: withdrawn ? withdrawnFact(withdrawn) : null };
}

export default define({
  name: "status verify",
  summary: "verify a device's status message",
  arguments: [commandArgument("<file>", "the device's answer, or - for stdin")],
  options: () => [
    option("--nonce <hex>", "the nonce that was sent to the device", { parse: nonceBytes, required: true }),
    ...statusKeys(),
    productFile(),
  ],
  examples: [
    ["firmseal status verify answer.cbor --nonce 00112233445566778899aabbccddeeff --secret devices.jwks", "a MAC by the device's secret"],
    ["firmseal status verify answer.cbor --nonce 00112233445566778899aabbccddeeff --key device.pub --json", "a signature, for scripts"],
  ],
  json: {
    kid: ["string|null", "key identifier of the device, in hex"],
    device: ["string|null", "the same as text, if it is printable ASCII"],
    alg: ["string", "algorithm of the MAC or signature"],
    verifier: ["string", "version of the verifier on the device"],
    state: ["string", "confirmed, trial, or rolled-back to the previous release"],
    floors: ["object", "for each role, the lowest sequence number that the device still accepts"],
    manifest: ["object|null", "what runs; null: nothing is installed"],
    ...membersOf("manifest", { digest: ["object", "digest of the manifest"], sequence: ["string", "its sequence number"] }),
    withdrawn: ["object|null", "how the release that it runs was withdrawn, by the product file; null: not known to be"],
    ...membersOf("withdrawn", WITHDRAWAL),
    trust: ["object|null", "the trust file in force; null: keys are embedded"],
    ...membersOf("trust", { name: ["string", "name of the line of trust files"], sequence: ["string", "sequence number"] }),
  },
  run: verify,
  words: (f, path) => [
    `${path}: good, ${f.device ?? f.kid ?? "a device that names no key"} answers with this nonce`,
    {
      table: {
        columns: [{ title: "claim" }, { title: "value" }],
        rows: [
          ["runs", f.manifest ? `sequence number ${f.manifest.sequence}, manifest ${f.manifest.digest.hex.slice(0, 16)}` : "nothing"],
          ["state", f.state],
          ...Object.entries(f.floors).map(([role, n]) => [`floor (${role})`, n]),
          ["trust file", f.trust ? `${f.trust.name}, sequence number ${f.trust.sequence}` : "embedded keys"],
          ["verifier", f.verifier],
        ],
      },
    },
  ],
});
