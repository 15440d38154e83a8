import type { ClockOverride } from "@firmseal/keys";
import { type PassphraseOptions, passphraseOptions, shellWord } from "@firmseal/keys/internal";
import { type Product, readProduct, withdrawRelease } from "@firmseal/release";
import { logOption, PRODUCT_FILE, productOption } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { allowClock, keys, passphrases, policyRoles, productFile } from "../../common/options.js";
import { membersOf, RECEIPTS, WITHDRAWAL } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";

interface WithdrawCommandOptions extends PassphraseOptions, ClockOverride {
  reason: string;
  product?: string;
  role?: "release" | "recovery" | "debug";
  key?: string[];
  log?: string;
  json?: boolean;
}

/** The options of extract that choose one image of a board. */
function oneImage({ boards }: Product, name: string): string {
  const { images = [] } = boards.find((board) => board.name === name) ?? {};
  const slot = images.some(({ files }) => files.length > 1) ? " --slot 0" : "";
  return `--board ${shellWord(name)}${images.length > 1 ? " --component 0" : ""}${slot}`;
}

/** Withdraws a release of a product. */
async function withdraw(given: string, o: WithdrawCommandOptions) {
  const { product: file, key, reason, role, log, allowClock: isRight } = o;
  const product = readProduct(file ?? PRODUCT_FILE);
  const done = await withdrawRelease(product, given, {
    reason,
    ...(role && { role }),
    ...(key && { keys: key }),
    ...(log !== undefined && { log }),
    ...(isRight && { allowClock: isRight }),
    passphrases: passphraseOptions(o),
  });
  return {
    product: product.name,
    version: done.version,
    sequence: done.sequence,
    state: done.written ? "withdrawn" : "unchanged",
    time: done.time,
    reason: done.reason,
    boards: done.boards.map((one) => ({ ...one })),
    folder: done.folder ?? null,
    lastGood: done.lastGood?.path ?? null,
    later: done.later?.path ?? null,
    extract: `firmseal extract ${shellWord(done.lastGood?.path ?? "LAST_GOOD")} ${oneImage(product, done.boards[0]?.board ?? "")} --out IMAGE${productOption(file)}`,
    next: done.next ?? null,
    log: [...done.receipts],
  };
}

export default define({
  name: "withdraw",
  summary: "withdraw a release: record it in the signing log, and say what the next release must exceed",
  arguments: [commandArgument("<release>", "version of the release, or its folder")],
  options: () => [
    option("--reason <text>", "why, in one line", { required: true }),
    productFile(),
    option("--role <name>", "with a trust file: role of the keys that signed it (default: release)", { choices: policyRoles }),
    keys("key whose log records it, public or private, instead of the keys in the product file", false),
    option("--log <file>", "signing log, or the place of a ledger (default: that of the product file, or KEY.log beside the key)"),
    allowClock(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal withdraw 1.4.1 --reason 'loses its settings'", "a release of firmseal.toml, which nobody may install any more"],
    ["firmseal withdraw dist/1.4.1 --reason 'loses its settings' --json", "by its folder, with the entries of the log"],
  ],
  json: {
    product: ["string", "name of the product"],
    state: ["string", "withdrawn, or unchanged (it was withdrawn before, for the same reason)"],
    ...WITHDRAWAL,
    boards: ["object[]", "its boards"],
    ...membersOf("boards[]", {
      board: ["string", "name of the board"],
      manifest: ["string", "digest of its manifest, as in the log"],
      exceed: ["string", "sequence number that the next release must exceed"],
    }),
    folder: ["string|null", "folder of the release, which has withdrawn.json now; null: not here"],
    lastGood: ["string|null", "folder of the release before it that was not withdrawn; null: not here"],
    later: ["string|null", "folder of a later release that was not withdrawn, which devices take; null: not here"],
    extract: ["string", "a command that takes an image out of the last good release"],
    next: ["string|null", "a version for the next release; null if its number does not follow from the version"],
    ...RECEIPTS,
  },
  run: withdraw,
  words: (f, _given, o) => {
    const version = f.next ?? "VERSION";
    return [
      ...receiptWords(f.log),
      ...(f.folder === null ? [] : [`${f.folder}/withdrawn.json: the mark of the folder; take the release off every server`]),
      `${f.product} ${f.version} ${f.state === "unchanged" ? "was withdrawn before, for the same reason" : `withdrawn: ${f.reason}`}`,
      "devices that run it learn of it only from a release with a higher sequence number",
      ...f.boards.map(({ board, exceed }) => `board ${board}: the next release must exceed sequence number ${exceed}`),
      f.later === null
        ? `next, with the last good image: ${f.extract}; firmseal release --version ${version}${productOption(o.product)}${logOption(o.log)}`
        : `devices that run it take a later release, which was not withdrawn: ${f.later}`,
    ];
  },
});
