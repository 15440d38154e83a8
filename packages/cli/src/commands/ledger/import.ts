import { existsSync, renameSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { type ClockOverride, type ImportOptions, importLog } from "@firmseal/keys";
import { checkNew, isFile, isLedgerPlace, isOwnLog, lockLog, STDIO, systemFault, usage } from "@firmseal/keys/internal";
import { commandArgument, define, option } from "../../command.js";
import { EXAMPLE, LEDGER, type LedgerPlaceOptions, ledgerOptions, ledgerWords, placeMeant } from "../../common/ledger.js";
import { allowClock } from "../../common/options.js";

interface ImportCommandOptions extends LedgerPlaceOptions, ClockOverride, Pick<ImportOptions, "allowPeople" | "allowSequenceReuse"> {}

/** Enters a log in a ledger. The log of a key is renamed: the key must not continue it. */
async function importInto(log: string, o: ImportCommandOptions) {
  const place = await placeMeant(o);
  if (log === STDIO || isLedgerPlace(log)) throw usage(`${log}: not the file of a log`, "name the file; firmseal ledger export writes one");
  const { allowPeople, allowSequenceReuse, allowClock: isRight } = o;
  const enter = () =>
    importLog(place, log, {
      ...(allowPeople && { allowPeople }),
      ...(allowSequenceReuse && { allowSequenceReuse }),
      ...(isRight && { allowClock: isRight }),
    });
  if (!isFile(log) || !isOwnLog(log)) return { ...(await enter()), renamed: null };
  let renamed = `${log}.imported`;
  for (let i = 2; existsSync(renamed); i++) renamed = `${log}.imported-${i}`;
  checkNew(renamed);
  // a signature that comes in between would be in the old log only
  const lock = await lockLog(resolve(log));
  try {
    const facts = await enter();
    try {
      renameSync(log, renamed);
    } catch (e) {
      throw systemFault(e, renamed) ?? e;
    }
    return { ...facts, renamed };
  } finally {
    lock.release();
  }
}

export default define({
  name: "ledger import",
  summary: "enter a log in a ledger: that of a key, or the copy of a machine after the ledger lost entries",
  arguments: [commandArgument("<log>", "the log: KEY.log, or the copy of a ledger")],
  options: () => [
    ...ledgerOptions(),
    option("--allow-sequence-reuse", "enter it although it and the ledger have a number twice, as after a restore; every audit shows that"),
    option("--allow-people", "enter users and hosts that the log names, although the ledger names none"),
    allowClock(),
  ],
  examples: [
    ["firmseal ledger import release.pem.log", "the log of a key, which is renamed: the key continues in the ledger"],
    [
      `firmseal ledger import ledger-0123.log --ledger '${EXAMPLE}'`,
      "the copy of a machine, after the ledger was restored from an old backup",
    ],
  ],
  json: {
    ...LEDGER,
    added: ["number", "entries that were entered now"],
    renamed: ["string|null", "new name of the log of a key; null: the file is not the log of a key"],
  },
  run: importInto,
  words: (f, log) => [
    `${log}: ${f.added} ${f.added === 1 ? "entry" : "entries"} entered`,
    ledgerWords(f),
    ...(f.renamed === null
      ? []
      : [`${log} is ${basename(f.renamed)} in ${dirname(resolve(f.renamed))} now: the key continues in the ledger`]),
  ],
});
