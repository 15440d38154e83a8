import { randomBytes } from "node:crypto";
import { lstatSync, unlinkSync } from "node:fs";
import {
  canEncrypt,
  formatPrivate,
  keyFacts,
  type PassphraseOptions,
  type PrivateFormat,
  partnerOf,
  passphrase,
  passphraseOptions,
  usage,
  visible,
  warn,
} from "@firmseal/keys";
import { type KeyAlg, loadAlg, type PrivateKey, privateKey } from "@firmseal/signer";
import { writeOut } from "../../common/output.js";
import { adviceFor } from "../../common/target.js";
import { json, say } from "../../show/ui.js";

export interface KeygenOptions extends PassphraseOptions {
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

/** Tries until 32 random bytes are a secret of the algorithm; for P-256 all but one in 2^32 are. */
async function fresh(alg: KeyAlg): Promise<PrivateKey> {
  await loadAlg(alg);
  for (;;) {
    try {
      const secret = randomBytes(32);
      const key = privateKey(alg, secret);
      secret.fill(0);
      return key;
    } catch (e) {
      if ((e as { code?: string }).code !== "range") throw e;
    }
  }
}

/** Nobody is to believe that a JWK is encrypted because he has not asked for one that is not. */
export function refuseToEncrypt(format: PrivateFormat, encrypt: boolean): void {
  if (encrypt && !canEncrypt(format)) throw usage(`--format ${format} is not encrypted`, "add --no-passphrase, or choose pkcs8 or openssh");
}

/**
 * Writes private keys, all of them or none, mode 0600 from the first byte, never over an existing file. The passphrase is zeros
 * afterwards.
 */
export async function writePrivate(keys: ReadonlyMap<string, PrivateKey>, format: PrivateFormat, secret?: Uint8Array): Promise<void> {
  const written: string[] = [];
  try {
    for (const [path, key] of keys) {
      const content = await formatPrivate(key, format, secret && Uint8Array.from(secret));
      if (!secret) warn(`${visible(path)} is not encrypted: whoever can read the file can sign`);
      try {
        writeOut(path, content, { mode: 0o600, fresh: true });
      } finally {
        content.fill(0);
      }
      written.push(path);
    }
  } catch (e) {
    for (const path of written) unlinkSync(path);
    throw e;
  } finally {
    secret?.fill(0);
  }
}

/** Makes a private key, encrypted unless that is turned off, mode 0600 from its first byte, never over an existing file. */
export async function keygen(o: KeygenOptions): Promise<void> {
  const options = passphraseOptions(o);
  if (o.hss !== undefined) throw usage("--hss is for keys of HSS/LMS", "give --alg hsslms as well, or drop it");
  if (o.out === "-") throw usage("a private key is not written to stdout", "name a file: --out KEY.pem");
  if (options.length > 1) throw usage("one key takes one passphrase", "give --passphrase-env or --passphrase-fd once");
  if (!o.passphrase && options.length > 0) throw usage("--no-passphrase and a passphrase exclude each other", "drop one of them");
  refuseToEncrypt(o.format, o.passphrase);
  const algs = o.alg.split("+") as KeyAlg[];
  const paths = algs.length > 1 ? [o.out, partnerOf(o.out)] : [o.out];
  const advice = adviceFor(o.target, algs);
  // before anybody is asked for a passphrase; what is made meanwhile is not replaced either
  for (const path of paths)
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw usage(`${path}: exists already and is never overwritten`, "choose another name, or move the file away");
  const keys: PrivateKey[] = [];
  for (const alg of algs) keys.push(await fresh(alg));
  const secret = o.passphrase
    ? await passphrase({ ...options[0], prompt: `Passphrase for ${visible(o.out)}: `, confirm: true })
    : undefined;
  try {
    await writePrivate(new Map(keys.map((key, i) => [paths[i] as string, key])), o.format, secret);
  } finally {
    for (const key of keys) key.secret.fill(0);
  }
  if (o.json) {
    const about = keys.map((key, i) => ({ out: paths[i], format: o.format, encrypted: o.passphrase, ...keyFacts(key) }));
    json({ ok: true, code: 0, ...about[0], ...(about.length > 1 && { keys: about }), ...(advice && { target: advice }) });
    return;
  }
  for (const [i, key] of keys.entries()) {
    say(`${visible(paths[i] as string)}: ${key.alg} key, ${o.passphrase ? "encrypted" : "not encrypted"}`);
    say(`thumbprint ${keyFacts(key).thumbprint}`);
  }
  if (keys.length > 1) say(`sign with both: firmseal sign … ${paths.map((path) => `--key ${visible(path)}`).join(" ")}`);
  if (advice?.advice) say(advice.advice);
}
