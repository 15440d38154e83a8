import { randomFillSync } from "node:crypto";
import { formatPublic, hssKeygen, hssParams, keyFacts, type PrivateFormat, privateFormats } from "@firmseal/keys";
import {
  byteWords,
  type PassphraseOptions,
  partnerOf,
  passphrase,
  passphraseOptions,
  publicFileOf,
  STDIO,
  shellWord,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import {
  DEFAULT_ALG,
  deviceKeyAlgs,
  formatHss,
  hssCapacity,
  hssSignatureLength,
  isDeviceAlg,
  isStateful,
  type KeyAlg,
  KeyError,
  keyAlgs,
  loadAlg,
  type PrivateKey,
  privateKey,
  secretBytes,
  secretLength,
} from "@firmseal/signer";
import { define, option } from "../../command.js";
import { passphrases, target } from "../../common/options.js";
import { checkNewOutput } from "../../common/output.js";
import { refuseToEncrypt, writePrivate } from "../../common/private-file.js";
import { ADVICE, KEY } from "../../common/shapes.js";
import { adviceFor } from "../../common/target.js";

/** A key that devices verify, and one that only tools verify. */
const HYBRIDS = deviceKeyAlgs
  .filter((alg) => !isStateful(alg))
  .flatMap((classic) => keyAlgs.filter((alg) => !isDeviceAlg(alg)).map((other) => `${classic}+${other}`));

interface KeygenOptions extends PassphraseOptions {
  /** One algorithm, or two with + between. */
  alg: string;
  out: string;
  /** The levels of an HSS/LMS key. */
  hss?: string;
  format: PrivateFormat;
  /** false: --no-passphrase. */
  passphrase: boolean;
  target?: string;
  json?: boolean;
}

/** Tries until random bytes are a secret of the algorithm; for P-256 all but one in 2^32 are. */
async function fresh(alg: KeyAlg): Promise<PrivateKey> {
  await loadAlg(alg);
  for (;;) {
    try {
      const secret = randomFillSync(secretBytes(secretLength(alg) ?? 0));
      const key = privateKey(alg, secret);
      secret.fill(0);
      return key;
    } catch (e) {
      if (!(e instanceof KeyError && e.fault === "range")) throw e;
    }
  }
}

/** The one passphrase that is given, if any. */
function passphraseFor(o: KeygenOptions) {
  const options = passphraseOptions(o);
  if (options.length > 1) throw usage("one key takes one passphrase", "give --passphrase-env or --passphrase-fd once");
  if (!o.passphrase && options.length > 0) throw usage("--no-passphrase and a passphrase exclude each other", "drop one of them");
  return { ...options[0], prompt: `Passphrase for ${visible(o.out)}: `, confirm: true };
}

/** Makes an HSS/LMS key: its file, its state beside the file, and the record of it on this machine. */
async function hssKey(o: KeygenOptions) {
  const ask = passphraseFor(o);
  if (o.format !== "pkcs8") throw usage(`--format ${o.format}: an HSS/LMS key has its own format`, "drop --format");
  const advice = adviceFor(o.target, [o.alg]);
  const params = hssParams(o.hss);
  let secret: Uint8Array | undefined;
  const key = await hssKeygen(o.out, params, async () => {
    if (o.passphrase) secret = await passphrase(ask);
    else warn(`${visible(o.out)} is not encrypted: anybody who can read the file can sign`);
    return secret;
  }).finally(() => secret?.fill(0));
  const about = {
    out: o.out,
    publicKey: publicFileOf(o.out),
    encrypted: o.passphrase,
    ...keyFacts(key),
    parameters: formatHss(params),
    signatures: String(hssCapacity(params)),
    signatureBytes: hssSignatureLength(params),
  };
  return { ...about, ...(advice && { target: advice }) };
}

/**
 * Makes a private key, encrypted by default, with mode 0600 from its first byte, and its public key beside it, never
 * over an existing file.
 */
async function keyPairs(o: KeygenOptions) {
  const ask = passphraseFor(o);
  refuseToEncrypt(o.format, o.passphrase);
  const algs = o.alg.split("+") as KeyAlg[];
  const paths = algs.length > 1 ? [o.out, partnerOf(o.out)] : [o.out];
  const publicFiles = paths.map(publicFileOf);
  const advice = adviceFor(o.target, algs);
  // before a passphrase is asked for; a file that appears meanwhile is not replaced either
  for (const path of [...paths, ...publicFiles]) checkNewOutput(path, "--out");
  const keys: PrivateKey[] = [];
  for (const alg of algs) keys.push(await fresh(alg));
  const secret = o.passphrase ? await passphrase(ask) : undefined;
  try {
    await writePrivate(
      new Map(keys.map((key, i) => [paths[i] as string, key])),
      o.format,
      secret,
      keys.map((key, i) => ({ path: publicFiles[i] as string, bytes: formatPublic(key, "pem") })),
    );
  } finally {
    for (const key of keys) key.secret.fill(0);
  }
  const about = keys.map((key, i) => ({
    out: paths[i] as string,
    publicKey: publicFiles[i] as string,
    format: o.format,
    encrypted: o.passphrase,
    ...keyFacts(key),
  }));
  const [first] = about as [(typeof about)[number]];
  return { ...first, ...(about.length > 1 && { keys: about }), ...(advice && { target: advice }) };
}

function generateKeys(o: KeygenOptions) {
  if (o.out === STDIO) throw usage("a private key is not written to stdout", "name a file: --out KEY.pem");
  if (keyAlgs.some((alg) => alg === o.alg && isStateful(alg))) return hssKey(o);
  if (o.hss !== undefined) throw usage("--hss is for HSS/LMS keys", "give --alg hsslms too, or drop --hss");
  return keyPairs(o);
}

type KeygenFacts = Awaited<ReturnType<typeof hssKey>> | Awaited<ReturnType<typeof keyPairs>>;

export default define({
  name: "keygen",
  summary: "generate a private key, encrypted by default, and its public key",
  options: () => [
    option("--alg <name>", "algorithm; two with + make a hybrid pair, KEY.pem and KEY.pq.pem", {
      choices: [...keyAlgs, ...HYBRIDS],
      default: DEFAULT_ALG,
    }),
    option(
      "-o, --out <file>",
      "new key file (mode 0600); its public key goes beside it, KEY.pub for KEY.pem; neither is ever overwritten",
      { required: true },
    ),
    option("--format <name>", "format of the key; hsslms has its own format", { choices: privateFormats, default: "pkcs8" }),
    option(
      "--hss <levels>",
      "hsslms: HEIGHT/WIDTH of each level from the top, with commas; n24: in front means SHA-256/192 (default: 15/4)",
    ),
    ...passphrases(),
    option("--no-passphrase", "write the key unencrypted"),
    target(),
  ],
  examples: [
    ["firmseal keygen --out release.pem", "an Ed25519 key; asks for a passphrase"],
    ["firmseal keygen --alg es256 --out release.pem --passphrase-env RELEASE_PASSPHRASE", "an ECDSA P-256 key, in a script"],
    ["firmseal keygen --alg es256+ml-dsa-65 --out release.pem", "a hybrid pair, against quantum computers"],
  ],
  json: {
    out: ["string", "key file"],
    publicKey: ["string", "file of its public key, PEM"],
    "format?": ["string", "format of the key; missing for hsslms"],
    encrypted: ["boolean", "whether a passphrase protects the file"],
    ...KEY,
    "keys?": ["object[]", "hybrid pair: the members above for each key"],
    "parameters?": ["string", "hsslms: levels of the key"],
    "signatures?": ["string", "hsslms: number of signatures that it can make"],
    "signatureBytes?": ["number", "hsslms: length of a signature"],
    ...ADVICE,
  },
  run: generateKeys,
  words(facts: KeygenFacts) {
    const keys = "keys" in facts && facts.keys ? facts.keys : [{ ...facts, alg: facts.alg }];
    return [
      ...keys.flatMap((key) => [
        `${key.out}: ${key.alg} key, ${key.encrypted ? "encrypted" : "not encrypted"}`,
        `thumbprint ${key.thumbprint}`,
        `${key.publicKey}: its public key`,
      ]),
      ...("parameters" in facts
        ? [
            `${facts.parameters}: ${facts.signatures} signatures of ${byteWords(facts.signatureBytes)}. Never sign with two copies of it: docs/guides/keys/hss.md`,
          ]
        : []),
      ...(keys.length > 1 ? [`sign with both: firmseal sign … ${keys.map(({ out }) => `--key ${shellWord(out)}`).join(" ")}`] : []),
      ...(facts.target?.advice ? [facts.target.advice] : []),
    ];
  },
});
