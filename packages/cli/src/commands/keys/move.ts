import { type ClockOverride, keyFacts, type OpenedKey, withPublicKeys } from "@firmseal/keys";
import { keyWords, moveKey, type PassphraseOptions, passphraseOptions } from "@firmseal/keys/internal";
import { commandArgument, define, option } from "../../command.js";
import { allowClock, passphrases } from "../../common/options.js";
import { KEY, membersOf, RECEIPTS } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";

interface MoveOptions extends PassphraseOptions, ClockOverride {
  log?: string;
  json?: boolean;
}

/** Enters in both logs that one key continues the numbers of another. */
async function move(old: string, next: string, o: MoveOptions) {
  // together: each passphrase or PIN belongs to one of them
  return withPublicKeys([old, next], passphraseOptions(o), async (keys) => {
    const [from, to] = keys as [OpenedKey, OpenedKey];
    const { receipts, numbers } = await moveKey(from, to, o.log, o);
    return {
      from: keyFacts(from.public),
      to: keyFacts(to.public),
      numbers: numbers.map(({ sequence, scope, version }) => ({
        sequence: sequence ?? null,
        scope: scope ?? [],
        version: version ?? null,
      })),
      log: receipts,
    };
  });
}

export default define({
  name: "keys move",
  summary: "continue the sequence numbers of a key with another key, for example in a token",
  arguments: [
    commandArgument("<old>", "key that has signed so far, public or private"),
    commandArgument("<new>", "key that signs from now on, public or private"),
  ],
  options: () => [
    option("--log <file>", "signing log of both keys, or the place of a ledger (default: KEY.log beside each key)"),
    allowClock(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal keys move release.pem 'pkcs11:token=release;object=fw'", "from a file to a token"],
    ["firmseal keys move old.pem new.pem --json", "from one file to another, with the entries of both logs"],
  ],
  json: {
    from: ["object", "the old key"],
    ...membersOf("from", KEY),
    to: ["object", "the new key"],
    ...membersOf("to", KEY),
    numbers: [
      "object[]",
      "highest sequence number for each kind of device and line of trust files, and highest counters and versions of images",
    ],
    ...membersOf("numbers[]", {
      sequence: ["string|null", "the number, or the security counter of an image, if it has one"],
      scope: ["string[]", "devices or line of trust files"],
      version: ["string|null", "version of the release or image, if it is known"],
    }),
    ...RECEIPTS,
  },
  run: move,
  words: (f) => [
    ...receiptWords(f.log),
    `${keyWords(f.to)} continues the numbers of ${keyWords(f.from)}: ${f.numbers.map(({ version, sequence }) => version ?? sequence ?? "no number").join(", ")}`,
    "only the numbers: devices accept what the new key signs once they trust it; then name it in [keys] of the product file",
  ],
});
