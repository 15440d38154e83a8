// Tokens (PKCS#11): which are there, which keys they hold, and new keys made inside of them.

import { randomBytes } from "node:crypto";
import {
  asking,
  findSlots,
  formatUri,
  KeyFileError,
  keyFacts,
  listKeys,
  makePair,
  openModule,
  openToken,
  type PassphraseOptions,
  parseUri,
  passphraseOptions,
  pinState,
  prove,
  type Slot,
  signalsFree,
  signerOf,
  type TokenAlg,
  type TokenKey,
  type TokenUri,
  usage,
  visible,
} from "@firmseal/keys";
import type { PublicKey } from "@firmseal/signer";
import { data, json, say } from "../../show/ui.js";

export interface ListOptions extends PassphraseOptions {
  login?: boolean;
  json?: boolean;
}

/** The shortest URI that means one key wherever its token is. */
function uriOf(slot: Slot, key: { label: string; id: Uint8Array }): string {
  return formatUri([
    ["token", slot.facts.token],
    ...(key.label === "" ? [] : [["object", key.label] as const]),
    ...(key.id.length === 0 ? [] : [["id", key.id] as const]),
  ]);
}

function keyLine(slot: Slot, key: TokenKey): string {
  const about = key.public ? `${key.public.alg} ${keyFacts(key.public).thumbprint}` : "not for Ed25519 or P-256, or without a public part";
  return `${visible(uriOf(slot, key))}\t${about}\t${key.has.join(", ")}`;
}

/** Lists the tokens that a URI fits, and their keys: those that are shown without a PIN, with --login all. */
export async function list(ref: string, o: ListOptions): Promise<void> {
  const uri = parseUri(ref);
  const options = passphraseOptions(o);
  if (!o.login && (options.length > 0 || uri.pinSource !== undefined))
    throw usage("a PIN is given, and without --login none is needed", "give --login as well, or leave the PIN away");
  const ask = asking([ref], options, false);
  const tokens: { slot: Slot; keys: TokenKey[] }[] = [];
  await signalsFree();
  const module = openModule(uri);
  try {
    for (const slot of findSlots(module.library, uri).fitting) {
      // by its slot: two tokens may have the same label
      const token = openToken({ ...uri, text: { ...uri.text, "slot-id": slot.facts["slot-id"] } });
      try {
        if (o.login) await token.login(ask);
        tokens.push({ slot, keys: listKeys(token, uri) });
      } finally {
        token.close();
      }
    }
  } finally {
    module.close();
  }
  const none = uri.name === "pkcs11:" ? "pkcs11: no token is there" : `${uri.name}: no such token is there`;
  if (tokens.length === 0) throw new KeyFileError(none, "put the token in, or name less of it", 3);
  if (o.json) json({ ok: true, code: 0, tokens: tokens.map(tokenFacts) });
  else
    for (const { slot, keys } of tokens) {
      const { token, manufacturer, model, serial } = slot.facts;
      say(visible(`token ${token}: ${manufacturer} ${model}, serial ${serial}, ${PIN_WORDS[pinState(slot.info)]}`));
      for (const key of keys) data(`${keyLine(slot, key)}\n`);
      if (keys.length === 0) say(o.login ? "  no keys" : "  no keys that are shown without a PIN; --login shows all");
    }
}

const PIN_WORDS = {
  none: "no PIN needed",
  unset: "no user PIN set",
  ok: "PIN set",
  low: "PIN set, few tries are left",
  final: "PIN set, one try is left",
  locked: "PIN locked",
};

function tokenFacts({ slot, keys }: { slot: Slot; keys: TokenKey[] }): object {
  const { token: label, manufacturer, model, serial, "slot-id": slotId } = slot.facts;
  return {
    label,
    manufacturer,
    model,
    serial,
    slotId,
    pin: pinState(slot.info),
    keys: keys.map((key) => ({
      uri: uriOf(slot, key),
      label: key.label,
      id: Buffer.from(key.id).toString("hex"),
      has: key.has,
      ...(key.public ? keyFacts(key.public) : { kid: null, alg: null, thumbprint: null }),
    })),
  };
}

export interface TokenKeygenOptions extends PassphraseOptions {
  alg: TokenAlg;
  json?: boolean;
}

/** Makes a key pair inside of a token: the private part cannot be read out of it. A name that is taken is refused. */
export async function keygen(ref: string, o: TokenKeygenOptions): Promise<void> {
  const uri = parseUri(ref);
  if (uri.object === undefined || uri.object === "")
    throw usage("the new key has no name", "add object to the URI: pkcs11:token=NAME;object=NEW-KEY");
  if (uri.type !== undefined) throw usage("type: a pair is made, private and public", "leave type out of the URI");
  const named: TokenUri & { object: string } = { ...uri, object: uri.object };
  await signalsFree();
  const token = openToken(uri, true);
  let made: PublicKey;
  let shown: string;
  try {
    await token.login(asking([ref], passphraseOptions(o), false));
    const id = uri.id ?? randomBytes(8);
    const pair = makePair(token, named, o.alg, id);
    made = pair.public;
    shown = uriOf(token.slot, { label: named.object, id });
    try {
      // a key that cannot sign is found out now, not on the day of a release
      await prove(signerOf(token, uri.name, made, pair.handle));
    } catch (e) {
      pair.destroy();
      throw e;
    }
  } finally {
    token.close();
  }
  if (o.json) json({ ok: true, code: 0, key: shown, ...keyFacts(made) });
  else {
    say(`token ${visible(token.slot.facts.token)}: ${o.alg} key ${visible(named.object)}, which cannot leave the token`);
    say(`thumbprint ${keyFacts(made).thumbprint}`);
    data(`${visible(shown)}\n`);
  }
}
