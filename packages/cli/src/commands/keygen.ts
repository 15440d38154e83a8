import { randomBytes } from "node:crypto";
import { type KeyAlg, privateKey } from "@firmseal/signer";
import { usage } from "../failure.js";
import { writeWhole } from "../io.js";
import { keyFacts } from "../key-ref.js";
import { passphrase } from "../keys/passphrase.js";
import { encryptedPem, plainPem } from "../keys/pkcs8.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { advise } from "../targets.js";
import { json, say, visible, warn } from "../ui.js";

export interface KeygenOptions extends PassphraseOptions {
  alg: KeyAlg;
  out: string;
  /** false: --no-passphrase. */
  passphrase: boolean;
  target?: string;
  json?: boolean;
}

/** Tries until 32 random bytes are a secret of the algorithm; for P-256 all but one in 2^32 are. */
function fresh(alg: KeyAlg) {
  for (;;) {
    try {
      return privateKey(alg, new Uint8Array(randomBytes(32)));
    } catch (e) {
      if ((e as { code?: string }).code !== "range") throw e;
    }
  }
}

/** Makes a private key: PKCS#8, encrypted unless that is turned off, mode 0600 from its first byte, never over an existing file. */
export async function keygen(o: KeygenOptions): Promise<void> {
  const options = passphraseOptions(o);
  if (o.out === "-") throw usage("a private key is not written to stdout", "name a file: --out KEY.pem");
  if (options.length > 1) throw usage("one key takes one passphrase", "give --passphrase-env or --passphrase-fd once");
  if (!o.passphrase && options.length > 0) throw usage("--no-passphrase and a passphrase exclude each other", "drop one of them");
  const advice = o.target === undefined ? undefined : advise(o.target, [o.alg]);
  const key = fresh(o.alg);
  let pem: string;
  if (o.passphrase) {
    pem = await encryptedPem(key, await passphrase({ ...options[0], prompt: `Passphrase for ${visible(o.out)}: `, confirm: true }));
  } else {
    warn(`${visible(o.out)} is not encrypted: whoever can read the file can sign`);
    pem = plainPem(key);
  }
  writeWhole(o.out, Buffer.from(pem), { mode: 0o600, fresh: true });
  if (o.json) json({ ok: true, code: 0, out: o.out, encrypted: o.passphrase, ...keyFacts(key), ...(advice && { target: advice }) });
  else {
    say(`${visible(o.out)}: ${o.alg} key, ${o.passphrase ? "encrypted" : "not encrypted"}`);
    say(`thumbprint ${keyFacts(key).thumbprint}`);
    if (advice?.advice) say(advice.advice);
  }
}
