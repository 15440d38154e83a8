import { anchors, passphraseOptions, publicKeys, readAll, usage } from "@firmseal/keys";
import { deviceStatus, LIMITS, readStatusSecrets } from "@firmseal/release";
import { InvalidArgumentError } from "commander";
import { commandArgument, define, option } from "../../command.js";
import { membersOf } from "../../common/shapes.js";

interface StatusOptions {
  nonce: Uint8Array;
  secret?: string;
  key?: string[];
  json?: boolean;
}

function nonceBytes(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}){8,64}$/i.test(text)) throw new InvalidArgumentError("give 8 to 64 bytes in hex.");
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** Verifies what a device answered. */
async function verify(path: string, o: StatusOptions) {
  if (!o.secret === !o.key)
    throw usage("give the device's secret, or its public key", "--secret FILE for a MAC, --key PUB for a signature");
  const whom = o.secret ? readStatusSecrets(o.secret) : anchors(await publicKeys(o.key as string[], passphraseOptions({})));
  return deviceStatus(readAll(path, LIMITS.statusMessage), whom, o.nonce);
}

export default define({
  name: "status verify",
  summary: "verify a device's status message",
  arguments: [commandArgument("<file>", "the device's answer, or - for stdin")],
  options: () => [
    option("--nonce <hex>", "the nonce that was sent to the device", { parse: nonceBytes, required: true }),
    option("--secret <file>", "secret of the device: a JWK of type oct, or a JWK Set with one for each device"),
    option("-k, --key <key>", "public key of the device, where it signs: a file, or named as for sign", { repeat: true }),
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
    trust: ["object|null", "the trust list in force; null: keys are embedded"],
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
          ["trust list", f.trust ? `${f.trust.name}, sequence number ${f.trust.sequence}` : "embedded keys"],
          ["verifier", f.verifier],
        ],
      },
    },
  ],
});
