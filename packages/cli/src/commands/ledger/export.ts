import { exportLedger } from "@firmseal/keys";
import { STDIO, usage } from "@firmseal/keys/internal";
import { define, option } from "../../command.js";
import { EXAMPLE, LEDGER, type LedgerPlaceOptions, ledgerOptions, ledgerWords, placeMeant } from "../../common/ledger.js";
import { checkNewOutput, checkOutput } from "../../common/output.js";

interface ExportOptions extends LedgerPlaceOptions {
  out: string;
}

/** Writes the whole of a ledger to a new file, which is a signing log. */
async function exportTo({ out, ...o }: ExportOptions) {
  if (out === STDIO) throw usage("--out -: a log cannot go to stdout", "name a new file for it");
  const place = await placeMeant(o);
  checkOutput(out, "--out", []);
  checkNewOutput(out, "--out");
  return { ...(await exportLedger(place, out)), out };
}

export default define({
  name: "ledger export",
  summary: "write the whole of a ledger to a file, which is a signing log",
  options: () => [...ledgerOptions(), option("-o, --out <file>", "new file for the log", { required: true })],
  examples: [
    ["firmseal ledger export --out ledger.log", "the ledger that firmseal.toml names, for an archive"],
    [`firmseal ledger export --ledger '${EXAMPLE}' --out ledger.log`, "by its place; firmseal audit ledger.log shows it"],
  ],
  json: { ...LEDGER, out: ["string", "the file"] },
  run: exportTo,
  words: (f) => [ledgerWords(f), `${f.out}: all of it`],
});
