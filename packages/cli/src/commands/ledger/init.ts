import { initLedger } from "@firmseal/keys";
import { define, option } from "../../command.js";
import { EXAMPLE, type LedgerPlaceOptions, ledgerOptions, placeMeant } from "../../common/ledger.js";

interface InitOptions extends LedgerPlaceOptions {
  people?: boolean;
  signers?: string;
}

/** Makes a ledger, as the owner of the database. */
async function init(o: InitOptions) {
  const place = await placeMeant(o);
  const people = o.people === true;
  await initLedger(place, { people, ...(o.signers !== undefined && { signers: o.signers }) });
  return { place, people, signers: o.signers ?? null };
}

export default define({
  name: "ledger init",
  summary: "make a ledger: one signing log that several machines share",
  options: () => [
    ...ledgerOptions(),
    option("--people", "entries name the user, the host and the job; without it, nobody learns who signed where"),
    option("--signers <name>", "PostgreSQL: role of the signers, which may append and read; also of a ledger that exists"),
  ],
  examples: [
    [`firmseal ledger init --ledger '${EXAMPLE}' --signers signer`, "as the owner of the database"],
    ["firmseal ledger init --signers signer", "the ledger that firmseal.toml names"],
  ],
  json: {
    place: ["string", "the ledger"],
    people: ["boolean", "whether --people was given"],
    signers: ["string|null", "role that may append and read"],
  },
  run: init,
  words: ({ place, signers }) => [
    signers === null ? `${place}: made` : `${place}: the role ${signers} may append and read`,
    "each key brings its log: firmseal ledger import KEY.log",
  ],
});
