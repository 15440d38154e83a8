import { keyFacts, numberVersion, type Receipt, type SigningKey, withSigners } from "@firmseal/keys";
import { byteWords, hideSecrets, type PassphraseOptions, passphraseOptions, STDIO, shellWord, usage } from "@firmseal/keys/internal";
import type { CohortResult, Product } from "@firmseal/release";
import {
  judgeUnsigned,
  planRetirement,
  type Retirement,
  type RetireOptions as Retiring,
  rotatedTrust,
  signRetirement,
} from "@firmseal/release/internal";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import {
  allowStranded,
  allowTestKey,
  missingOption,
  numberOrVersion,
  passphrases,
  productFile,
  sequenceChecks,
} from "../../common/options.js";
import { checkOutput, deliver, writeSigned } from "../../common/output.js";
import { cohortFacts, refuseStranded } from "../../common/release/cohorts.js";
import { namedRelease, productAsked } from "../../common/release/product-names.js";
import { COHORTS, KEY, membersOf, OUT, RECEIPTS } from "../../common/shapes.js";
import { allowNoPreviousTrust, CHANGES } from "../../common/trust/declared.js";
import { receiptWords } from "../../common/words.js";

interface RotateRetireOptions extends PassphraseOptions, Omit<Retiring, "until" | "product" | "trust"> {
  trust?: string;
  product?: string;
  until?: bigint | string;
  key?: string[];
  allowStranded?: string[];
  json?: boolean;
}

/** Makes the next trust file, without a key. Its effect on the fleet is checked before a root signs. */
async function retire(ref: string, o: RotateRetireOptions) {
  const roots = o.key ?? [];
  if (roots.length === 0 && o.log !== undefined) throw usage("--log: no root signs", "give --key, or drop --log");
  // the passphrase of the retired key is asked for before those of the roots
  hideSecrets([ref, ...roots], passphraseOptions(o));
  const product = await productAsked(o.product);
  const { product: _, until, ...rest } = o;
  const trust = product ? await rotatedTrust(product, o.trust, true) : o.trust;
  if (trust === undefined) throw missingOption("--trust <file>");
  const last = until === undefined ? undefined : BigInt(namedRelease("--until", product, until).sequence);
  const options = { ...rest, trust, ...(last !== undefined && { until: last }) };
  const planned = await planRetirement(ref, { ...options, product, judge: (results) => refuseStranded(results, o.allowStranded ?? []) });
  if (roots.length === 0) {
    checkOutput(o.out, "--out", [trust, o.fleet], "trust file");
    return retirementFacts(planned, o, { bytes: planned.bytes, results: judgeUnsigned(planned), receipts: [] }, [], product);
  }
  return withSigners(roots, passphraseOptions(o), async (keys) => {
    checkOutput(o.out, "--out", [trust, o.fleet, ...keys.flatMap((k) => k.file ?? [])], "trust file");
    return retirementFacts(planned, o, await signRetirement(planned, keys), keys, product);
  });
}

async function retirementFacts(
  { key, current, store, changes, retiredRoles, options }: Retirement,
  o: RotateRetireOptions,
  { bytes, results, receipts }: { bytes: Uint8Array; results: readonly CohortResult[]; receipts: readonly Receipt[] },
  keys: readonly SigningKey[],
  product: Product | undefined,
) {
  const { until } = options;
  const retired = { ...keyFacts(key), until: until === undefined ? null : String(until), roles: retiredRoles };
  const named = until !== undefined && product?.sequence.source === "version";
  const write = () => deliver(o.out, bytes, o.json, { fresh: keys.length === 0 && o.out !== STDIO });
  const member = keys.length === 0 ? write() : await writeSigned(formatSequence(store.sequence), write);
  return {
    out: o.out,
    bytes: bytes.length,
    sequence: formatSequence(store.sequence),
    previous: current.path,
    retired: { ...retired, ...(named && { version: numberVersion(until) }) },
    roots: keys.map((k) => keyFacts(k.public)),
    changes,
    log: receipts,
    ...cohortFacts(results, o.allowStranded ?? []),
    ...member,
  };
}

export default define({
  name: "rotate retire",
  summary: "make or sign the next trust file, with a key removed or limited",
  arguments: [commandArgument("<key>", "the key: a file, or its thumbprint")],
  options: () => [
    productFile(),
    option("--trust <file>", "the current trust file (default: the newest of the product file)"),
    option("-k, --key <key>", "private root key (without one, the file is not signed)", { repeat: true }),
    option("--fleet <file>", "the devices in the field: refuse to leave any behind", { required: true }),
    option("-o, --out <file>", "output file, or - for stdout", { required: true }),
    option("--until <release>", "keep the key for releases up to this version or sequence number", { parse: numberOrVersion }),
    ...passphrases(),
    allowStranded(),
    allowNoPreviousTrust(),
    ...sequenceChecks(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal rotate retire old.jwk --trust fleet-2.trust --key root.pem --fleet fleet.json --out fleet-3.trust", "remove the key"],
    [
      "firmseal rotate retire old.jwk --until 20 --trust fleet-2.trust --key root.pem --fleet fleet.json --out fleet-3.trust",
      "keep it for releases up to 20",
    ],
    [
      "firmseal rotate retire old.jwk --trust fleet-2.trust --fleet fleet.json --out fleet-3.trust",
      "not signed yet: for roots in different places",
    ],
  ],
  json: {
    ...OUT,
    sequence: ["string", "sequence number of the trust file"],
    previous: ["string", "the current trust file"],
    retired: ["object", "the key"],
    ...membersOf("retired", {
      ...KEY,
      until: ["string|null", "last sequence number for which it counts; null: removed"],
      "version?": ["string", "version with this number, if the product file makes numbers from versions"],
      roles: ["string[]", "roles of which it was the last key: the next trust file does not have them"],
    }),
    roots: ["object[]", "root keys that signed"],
    ...membersOf("roots[]", KEY),
    ...CHANGES,
    ...RECEIPTS,
    ...COHORTS,
  },
  run: retire,
  words: (f) => {
    const key = `key ${f.retired.thumbprint.slice(0, 16)}…`;
    const { until, version } = f.retired;
    const last = version === undefined ? until : `version ${version}`;
    const what = until === null ? `without ${key}` : `in which ${key} counts up to ${last}`;
    const isSigned = f.roots.length > 0;
    return [
      `${f.out}: trust file ${f.sequence}, ${what}, ${byteWords(f.bytes)}${isSigned ? "" : ", not signed"}`,
      ...receiptWords(f.log),
      ...(isSigned
        ? []
        : [
            `next, each root signs, wherever it is: firmseal trust sign ${shellWord(f.out)} --previous-trust ${shellWord(f.previous)} --key ROOT`,
          ]),
    ];
  },
});
