import { ledgerFacts } from "@firmseal/keys";
import { define } from "../../command.js";
import { EXAMPLE, LEDGER, type LedgerPlaceOptions, ledgerOptions, ledgerWords, placeMeant } from "../../common/ledger.js";

/** What the ledger has. Brings the copy of this machine up to date. */
const status = async (o: LedgerPlaceOptions) => ledgerFacts(await placeMeant(o));

export default define({
  name: "ledger status",
  summary: "show what a ledger has, and bring the copy of this machine up to date",
  options: ledgerOptions,
  examples: [
    ["firmseal ledger status", "the ledger that firmseal.toml names"],
    [`firmseal ledger status --ledger '${EXAMPLE}' --json`, "by its place"],
  ],
  json: LEDGER,
  run: status,
  words: (f) => [ledgerWords(f), `${f.copy}: the copy of this machine`],
});
