import { refuseTestKeys } from "@firmseal/keys";
import {
  byteWords,
  type PassphraseOptions,
  passphrase,
  passphraseOptions,
  readAll,
  refusedInput,
  STDIO,
  shellWord,
  warn,
} from "@firmseal/keys/internal";
import { readTrustFile } from "@firmseal/release";
import { isLittleRoom, LAST, LIMITS, readDescription, refuseLastNumber } from "@firmseal/release/internal";
import { encodeTrust, trustName } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { define, option } from "../../command.js";
import { allowTestKey, passphrases } from "../../common/options.js";
import { checkNewOutput, deliver, refuseTerminal } from "../../common/output.js";
import { OUT } from "../../common/shapes.js";
import { sameOptions } from "../../common/trust/declared.js";

interface TrustCreateOptions extends PassphraseOptions {
  from: string;
  previousTrust?: string;
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Makes an unsigned trust file. An existing file is never overwritten: it may be signed. */
async function createTrust(o: TrustCreateOptions) {
  const out = o.out ?? (o.from === STDIO ? STDIO : `${o.from.replace(/\.json$/i, "")}.trust`);
  refuseTerminal(out, "--out");
  checkNewOutput(out, "--out");
  const before = o.previousTrust === undefined ? undefined : readTrustFile(o.previousTrust).store;
  const last = before && BigInt(formatSequence(before.sequence));
  if (last !== undefined) refuseLastNumber(last + 1n);
  const options = [...passphraseOptions(o)];
  const d = await readDescription(readAll(o.from, LIMITS.description), o.from, last === undefined ? undefined : last + 1n, {
    publicOnly: true,
    secret: (prompt) => passphrase({ ...(options.length > 1 ? options.shift() : options[0]), prompt }),
  });
  if (before && last !== undefined) {
    if (d.name !== trustName(before))
      throw refusedInput(
        "ERR_DESCRIPTION",
        `the description: the name is not ${JSON.stringify(trustName(before))}, as in the previous file`,
        "keep the name: a device refuses a file of another line",
      );
    if (d.sequence <= last)
      throw refusedInput(
        "ERR_DESCRIPTION",
        `the description: sequence ${d.sequence} is not above ${last}, that of the previous file`,
        "drop it, and it becomes one higher",
      );
  }
  refuseLastNumber(d.sequence);
  if (isLittleRoom(d.sequence, LAST, true))
    warn(`sequence number ${d.sequence} leaves little room for later files: afterwards a device accepts nothing lower`);
  refuseTestKeys(
    d.anchors.map((a) => a.key),
    o.allowTestKey ?? [],
  );
  const bytes = encodeTrust(d);
  const member = deliver(out, bytes, o.json, { fresh: out !== STDIO });
  return {
    out,
    bytes: bytes.length,
    name: d.name,
    sequence: String(d.sequence),
    thresholds: d.thresholds,
    keys: d.anchors.length,
    ...member,
  };
}

export default define({
  name: "trust create",
  summary: "create an unsigned trust file from a description",
  options: () => [
    option("--from <path>", "description (JSON), or - for stdin", { required: true }),
    option("-o, --out <file>", "output file, never overwritten, or - for stdout (default: the input's name with .trust, beside it)"),
    option("--previous-trust <file>", "the previous trust file"),
    ...passphrases(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal trust create --from fleet.json", "fleet.trust, the first of its line"],
    ["firmseal trust create --from fleet.json --previous-trust fleet-1.trust --out fleet-2.trust", "the next one"],
  ],
  json: {
    ...OUT,
    name: ["string", "name of the line of trust files"],
    sequence: ["string", "sequence number"],
    thresholds: ["object", "for each role, how many keys must sign"],
    keys: ["number", "number of keys in it"],
  },
  run: createTrust,
  words: (f, o) => [
    `${f.out}: ${f.name}, sequence number ${f.sequence}, ${f.keys} keys, ${byteWords(f.bytes)}, not signed`,
    `next, ${f.thresholds.root} of its roots must sign: firmseal trust sign ${shellWord(f.out)}${sameOptions(o)} --key ROOT`,
  ],
});
