import type { HeldKey } from "@firmseal/keys";
import {
  formatPublic,
  keepsKid,
  keyFacts,
  type PassphraseOptions,
  type PrivateFormat,
  type PublicFormat,
  passphrase,
  passphraseOptions,
  privateFormats,
  publicFormats,
  schemeOf,
  usage,
  visible,
  warn,
  withKey,
} from "@firmseal/keys";
import { writeOut } from "../../common/output.js";
import { json, say } from "../../show/ui.js";
import { refuseToEncrypt, writePrivate } from "./keygen.js";

export interface ConvertOptions extends PassphraseOptions {
  format: PrivateFormat | PublicFormat;
  out: string;
  /** false: --no-passphrase. */
  passphrase: boolean;
  newPassphraseEnv?: string;
  newPassphraseFd?: number;
  json?: boolean;
}

const isIn = <T extends string>(list: readonly T[], format: string): format is T => (list as readonly string[]).includes(format);

/** Writes a key in another form, or a private one under another passphrase, into a file that is not there yet. */
export async function convert(ref: string, o: ConvertOptions): Promise<void> {
  if (o.out === "-")
    throw usage("a key is not converted to stdout", "name a file: --out FILE; firmseal pubkey writes public keys to stdout");
  const hasNew = o.newPassphraseEnv !== undefined || o.newPassphraseFd !== undefined;
  if (o.newPassphraseEnv !== undefined && o.newPassphraseFd !== undefined)
    throw usage("the new file takes one passphrase", "give --new-passphrase-env or --new-passphrase-fd");
  if (!o.passphrase && hasNew) throw usage("--no-passphrase and a new passphrase exclude each other", "drop one of them");
  const scheme = schemeOf(ref);
  if (scheme !== undefined && scheme !== "env" && scheme !== "fd") throw stays(ref);
  await withKey(ref, passphraseOptions(o), async (key) => {
    const { private: secret } = key;
    const encrypted = secret !== undefined && o.passphrase;
    if (secret) {
      if (!isIn(privateFormats, o.format))
        throw usage(`--format ${o.format} is for public keys, and ${key.name} is private`, "firmseal pubkey writes its public part");
      refuseToEncrypt(o.format, o.passphrase);
      await writePrivate(new Map([[o.out, secret]]), o.format, o.passphrase ? await newPassphrase(o) : undefined);
    } else if (key.signer) {
      throw stays(key.name);
    } else writePublic(key, o, hasNew);
    if (key.public.kid && !keepsKid(o.format))
      warn(`${visible(o.out)}: ${o.format} has no place for the key identifier, which is left out`);
    if (o.json) json({ ok: true, code: 0, out: o.out, format: o.format, private: !!secret, encrypted, ...keyFacts(key.public) });
    else {
      say(
        `${visible(o.out)}: ${secret ? "private" : "public"} ${key.public.alg} key, ${o.format}${secret ? `, ${encrypted ? "" : "not "}encrypted` : ""}`,
      );
      say(`thumbprint ${keyFacts(key.public).thumbprint}`);
    }
  });
}

function stays(name: string) {
  return usage(`${name}: the private key does not leave where it is kept`, "firmseal pubkey writes its public part");
}

function writePublic(key: HeldKey, o: ConvertOptions, hasNew: boolean): void {
  if (!isIn(publicFormats, o.format))
    throw usage(`--format ${o.format} is for private keys, and ${key.name} is public`, "choose pem, openssh, jwk, cose or raw");
  if (hasNew || !o.passphrase) throw usage(`${key.name} is a public key, which takes no passphrase`, "drop the option");
  writeOut(o.out, formatPublic(key.public, o.format), { fresh: true });
}

function newPassphrase(o: ConvertOptions): Promise<Uint8Array> {
  return passphrase({ env: o.newPassphraseEnv, fd: o.newPassphraseFd, prompt: `New passphrase for ${visible(o.out)}: `, confirm: true });
}
