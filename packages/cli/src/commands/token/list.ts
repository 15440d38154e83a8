import { keyFacts, listKeys, type TokenKey } from "@firmseal/keys";
import {
  asking,
  findSlots,
  noSuchToken,
  openModule,
  openToken,
  type PassphraseOptions,
  parseUri,
  passphraseOptions,
  pinState,
  signalsFree,
  type TokenSlot,
  usage,
} from "@firmseal/keys/internal";
import { commandArgument, define, option } from "../../command.js";
import { passphrases } from "../../common/options.js";
import { KEY, membersOf } from "../../common/shapes.js";
import { tokenKeyUri } from "../../common/token-uri.js";

interface ListOptions extends PassphraseOptions {
  login?: boolean;
  json?: boolean;
}

/** The tokens that a URI fits, and their keys: those that need no PIN, or with --login all. */
async function listTokens(ref: string, o: ListOptions) {
  const uri = parseUri(ref);
  const options = passphraseOptions(o);
  if (!o.login && (options.length > 0 || uri.pinSource !== undefined))
    throw usage("a PIN is given, and only --login needs one", "give --login too, or drop the PIN");
  const ask = asking([ref], options);
  const tokens: { slot: TokenSlot; keys: TokenKey[] }[] = [];
  await signalsFree();
  const module = openModule(uri);
  try {
    const { fitting, all } = findSlots(module.library, uri);
    if (fitting.length === 0) throw noSuchToken(uri, all);
    for (const slot of fitting) {
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
  return { tokens: tokens.map(tokenFacts) };
}

const PIN_WORDS = {
  none: "no PIN needed",
  unset: "no user PIN set",
  ok: "PIN set",
  low: "PIN set, few tries left",
  final: "PIN set, one try left",
  locked: "PIN locked",
};

function tokenFacts({ slot, keys }: { slot: TokenSlot; keys: TokenKey[] }) {
  const { token: label, manufacturer, model, serial, "slot-id": slotId } = slot.facts;
  return {
    label,
    manufacturer,
    model,
    serial,
    slotId,
    pin: pinState(slot.info),
    keys: keys.map((key) => ({
      uri: tokenKeyUri(slot, key),
      label: key.label,
      id: Buffer.from(key.id).toString("hex"),
      has: key.has,
      ...(key.public ? keyFacts(key.public) : { kid: null, alg: null, thumbprint: null }),
    })),
  };
}

export default define({
  name: "token list",
  summary: "list tokens and the keys that they show without a PIN",
  arguments: [commandArgument("[uri]", "which of them: pkcs11:token=…;object=… (RFC 7512)", { default: "pkcs11:" })],
  options: () => [option("--login", "log in with the user PIN: lists private keys too"), ...passphrases()],
  examples: [
    ["firmseal token list", "all tokens, without a PIN"],
    ["firmseal token list 'pkcs11:token=release' --login", "all keys of one token"],
  ],
  json: {
    tokens: ["object[]", "the tokens"],
    ...membersOf("tokens[]", {
      label: ["string", "label of the token"],
      manufacturer: ["string", "its manufacturer"],
      model: ["string", "its model"],
      serial: ["string", "its serial number"],
      slotId: ["string", "number of its slot"],
      pin: ["string", "none, unset, ok, low, final or locked"],
      keys: ["object[]", "its keys"],
      ...membersOf("keys[]", {
        uri: ["string", "the key, as --key takes it"],
        label: ["string", "its label"],
        id: ["string", "its identifier, hex"],
        has: ["string[]", "private, public"],
        ...KEY,
      }),
    }),
  },
  run: listTokens,
  words: ({ tokens }, _uri, o) =>
    tokens.flatMap(({ label, manufacturer, model, serial, pin, keys }) => [
      `token ${label}: ${manufacturer} ${model}, serial ${serial}, ${PIN_WORDS[pin]}`,
      keys.length === 0
        ? `  no keys${o.login ? "" : " without a PIN; --login lists all"}`
        : {
            table: {
              columns: [{ title: "key" }, { title: "algorithm" }, { title: "thumbprint" }, { title: "parts" }],
              rows: keys.map((key) => [key.uri, key.alg ?? "unknown", key.thumbprint ?? "-", key.has.join(", ")]),
            },
          },
    ]),
});
