import { randomBytes } from "node:crypto";
import { keyFacts } from "@firmseal/keys";
import {
  asking,
  makePair,
  openToken,
  type PassphraseOptions,
  parseUri,
  passphraseOptions,
  provePossession,
  signalsFree,
  type TokenUri,
  tokenAlgs,
  tokenSigner,
  usage,
} from "@firmseal/keys/internal";
import { DEFAULT_ALG, type KeyAlg, type PublicKey } from "@firmseal/signer";
import { commandArgument, define, option } from "../../command.js";
import { passphrases } from "../../common/options.js";
import { KEY } from "../../common/shapes.js";
import { tokenKeyUri } from "../../common/token-uri.js";

interface TokenKeygenOptions extends PassphraseOptions {
  alg: KeyAlg;
  json?: boolean;
}

/** Makes a key pair inside a token. The private part cannot leave it. A name that exists is refused. */
async function generateInToken(ref: string, o: TokenKeygenOptions) {
  const uri = parseUri(ref);
  if (uri.object === undefined || uri.object === "")
    throw usage("the new key has no name", "add object to the URI: pkcs11:token=NAME;object=NEW-KEY");
  if (uri.type !== undefined) throw usage("type: token keygen makes a pair, private and public", "drop type from the URI");
  const named: TokenUri & { object: string } = { ...uri, object: uri.object };
  await signalsFree();
  const token = openToken(uri, true);
  let made: PublicKey;
  let shown: string;
  try {
    await token.login(asking([ref], passphraseOptions(o)));
    const id = uri.id ?? randomBytes(8);
    const pair = makePair(token, named, o.alg, id);
    made = pair.public;
    shown = tokenKeyUri(token.slot, { label: named.object, id });
    try {
      // a key that cannot sign must show now, not on the day of a release
      await provePossession(tokenSigner(token, uri.name, made, pair.handle));
    } catch (e) {
      pair.destroy();
      throw e;
    }
  } finally {
    token.close();
  }
  return { key: shown, ...keyFacts(made), token: token.slot.facts.token, label: named.object };
}

export default define({
  name: "token keygen",
  summary: "generate a key pair in a token; the private key cannot leave the token",
  arguments: [commandArgument("<uri>", "pkcs11:token=TOKEN;object=NAME: the token, and the name of the new key")],
  options: () => [option("--alg <name>", "algorithm", { choices: tokenAlgs, default: DEFAULT_ALG }), ...passphrases()],
  examples: [
    ["firmseal token keygen 'pkcs11:token=release;object=fw'", "an Ed25519 key; asks for the PIN"],
    ["firmseal token keygen 'pkcs11:token=release;object=fw' --alg es256 --passphrase-env PIN", "an ECDSA P-256 key, in a script"],
  ],
  json: {
    key: ["string", "the key, as --key takes it"],
    ...KEY,
    token: ["string", "label of the token"],
    label: ["string", "label of the key"],
  },
  run: generateInToken,
  words: (f) => [`token ${f.token}: ${f.alg} key ${f.label}, which cannot leave the token`, `thumbprint ${f.thumbprint}`, { text: f.key }],
});
