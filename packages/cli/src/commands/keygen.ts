import { randomBytes } from "node:crypto";
import { lstatSync, unlinkSync } from "node:fs";
import { type KeyAlg, loadAlg, type PrivateKey, privateKey } from "@firmseal/signer";
import { usage } from "../failure.js";
import { writeWhole } from "../io.js";
import { keyFacts } from "../key-ref.js";
import { partnerOf } from "../keys/hybrid.js";
import { passphrase } from "../keys/passphrase.js";
import { encryptedPem, plainPem } from "../keys/pkcs8.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { advise } from "../targets.js";
import { json, say, visible, warn } from "../ui.js";

export interface KeygenOptions extends PassphraseOptions {
  /** One algorithm, or two with + between. */
  alg: string;
  out: string;
  /** The levels of an HSS/LMS key. */
  hss?: string;
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
      return privateKey(alg, new Uint8Array(randomBytes(32)));
    } catch (e) {
      if ((e as { code?: string }).code !== "range") throw e;
    }
  }
}

/** Both files of a pair, or none. */
function writeAll(files: readonly (readonly [path: string, pem: string])[]): void {
  const written: string[] = [];
  try {
    for (const [path, pem] of files) {
      writeWhole(path, Buffer.from(pem), { mode: 0o600, fresh: true });
      written.push(path);
    }
  } catch (e) {
    for (const path of written) unlinkSync(path);
    throw e;
  }
}

/** Makes a private key: PKCS#8, encrypted unless that is turned off, mode 0600 from its first byte, never over an existing file. */
export async function keygen(o: KeygenOptions): Promise<void> {
  const options = passphraseOptions(o);
  if (o.hss !== undefined) throw usage("--hss is for keys of HSS/LMS", "give --alg hsslms as well, or drop it");
  if (o.out === "-") throw usage("a private key is not written to stdout", "name a file: --out KEY.pem");
  if (options.length > 1) throw usage("one key takes one passphrase", "give --passphrase-env or --passphrase-fd once");
  if (!o.passphrase && options.length > 0) throw usage("--no-passphrase and a passphrase exclude each other", "drop one of them");
  const algs = o.alg.split("+") as KeyAlg[];
  const paths = algs.length > 1 ? [o.out, partnerOf(o.out)] : [o.out];
  const advice = o.target === undefined ? undefined : advise(o.target, algs);
  // before anybody is asked for a passphrase; what is made meanwhile is not replaced either
  for (const path of paths)
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw usage(`${path}: exists already and is never overwritten`, "choose another name, or move the file away");
  const keys: PrivateKey[] = [];
  for (const alg of algs) keys.push(await fresh(alg));
  const words = o.passphrase ? await passphrase({ ...options[0], prompt: `Passphrase for ${visible(o.out)}: `, confirm: true }) : undefined;
  const files: [string, string][] = [];
  for (const [i, key] of keys.entries()) {
    const path = paths[i] as string;
    if (!words) warn(`${visible(path)} is not encrypted: whoever can read the file can sign`);
    files.push([path, words ? await encryptedPem(key, words) : plainPem(key)]);
  }
  writeAll(files);
  if (o.json) {
    const about = keys.map((key, i) => ({ out: paths[i], encrypted: o.passphrase, ...keyFacts(key) }));
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
