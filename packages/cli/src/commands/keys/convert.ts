import type { OpenedKey } from "@firmseal/keys";
import { formatPublic, keyFacts, type PrivateFormat, type PublicFormat, privateFormats, publicFormats, withKey } from "@firmseal/keys";
import {
  keepsKid,
  type PassphraseOptions,
  passphrase,
  passphraseOptions,
  STDIO,
  schemeOf,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, wholeNumber } from "../../common/options.js";
import { checkNewOutput, writeOut } from "../../common/output.js";
import { refuseToEncrypt, writePrivate } from "../../common/private-file.js";
import { KEY } from "../../common/shapes.js";

interface ConvertOptions extends PassphraseOptions {
  format: PrivateFormat | PublicFormat;
  out: string;
  /** false: --no-passphrase. */
  passphrase: boolean;
  newPassphraseEnv?: string;
  newPassphraseFd?: number;
  json?: boolean;
}

const isIn = <T extends string>(list: readonly T[], format: string): format is T => (list as readonly string[]).includes(format);

/** Writes a key in another format, or a private key under another passphrase, into a new file. */
async function convert(ref: string, o: ConvertOptions) {
  if (o.out === STDIO)
    throw usage("a key is not converted to stdout", "name a file: --out FILE; firmseal pubkey writes public keys to stdout");
  const hasNew = o.newPassphraseEnv !== undefined || o.newPassphraseFd !== undefined;
  if (o.newPassphraseEnv !== undefined && o.newPassphraseFd !== undefined)
    throw usage("the new file takes one passphrase", "give --new-passphrase-env or --new-passphrase-fd");
  if (!o.passphrase && hasNew) throw usage("--no-passphrase and a new passphrase exclude each other", "drop one of them");
  const scheme = schemeOf(ref);
  if (scheme !== undefined && scheme !== "env" && scheme !== "fd") throw stays(ref);
  checkNewOutput(o.out, "--out");
  return withKey(ref, passphraseOptions(o), async (key) => {
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
      warn(`${visible(o.out)}: the key identifier is left out, because ${o.format} has no place for it`);
    return { out: o.out, format: o.format, private: !!secret, encrypted, ...keyFacts(key.public) };
  });
}

function stays(name: string) {
  return usage(`${name}: the private key cannot be exported`, "firmseal pubkey writes its public part");
}

function writePublic(key: OpenedKey, o: ConvertOptions, hasNew: boolean): void {
  if (!isIn(publicFormats, o.format))
    throw usage(`--format ${o.format} is for private keys, and ${key.name} is public`, "choose pem, openssh, jwk, cose or raw");
  if (hasNew || !o.passphrase) throw usage(`${key.name} is a public key, and a public key has no passphrase`, "drop the option");
  writeOut(o.out, formatPublic(key.public, o.format), { fresh: true });
}

function newPassphrase(o: ConvertOptions): Promise<Uint8Array> {
  return passphrase({
    env: o.newPassphraseEnv,
    fd: o.newPassphraseFd,
    prompt: `New passphrase for ${visible(o.out)}: `,
    confirm: true,
    options: "--new-passphrase-env NAME or --new-passphrase-fd N, or --no-passphrase",
  });
}

export default define({
  name: "convert",
  summary: "write a key in another format, or under another passphrase",
  arguments: [commandArgument("<key>", "private or public key: a file, env:NAME, fd:N, or - for stdin")],
  options: () => [
    option("--format <name>", "format of the new file: pkcs8 for a private key, pem or raw for a public key, the others for both", {
      choices: ["pkcs8", "openssh", "jwk", "cose", "pem", "raw"],
      required: true,
    }),
    option("-o, --out <file>", "new file (mode 0600 for a private key); never overwritten", { required: true }),
    ...passphrases(),
    option("--new-passphrase-env <name>", "environment variable with the passphrase of the new file"),
    option("--new-passphrase-fd <n>", "file descriptor to read the passphrase of the new file from", { parse: wholeNumber }),
    option("--no-passphrase", "write a private key unencrypted"),
  ],
  examples: [
    ["firmseal convert release.pem --format pkcs8 --out new.pem", "the same key under a new passphrase"],
    ["firmseal convert id_ed25519 --format pkcs8 --out release.pem", "an OpenSSH key as PKCS #8"],
    ["firmseal convert release.pub --format jwk --out release.jwk", "a public key as JWK"],
  ],
  json: {
    out: ["string", "new file"],
    format: ["string", "its format"],
    private: ["boolean", "whether it holds a private key"],
    encrypted: ["boolean", "whether a passphrase protects it"],
    ...KEY,
  },
  run: convert,
  words: (f) => [
    `${f.out}: ${f.private ? "private" : "public"} ${f.alg} key, ${f.format}${f.private ? `, ${f.encrypted ? "" : "not "}encrypted` : ""}`,
    `thumbprint ${f.thumbprint}`,
  ],
});
