import { Failure, verifyLedger } from "@firmseal/keys";
import { conflictFailure, conflictWords, plural } from "@firmseal/keys/internal";
import { logFaultWords } from "@firmseal/release/internal";
import { define } from "../../command.js";
import { EXAMPLE, LEDGER, type LedgerPlaceOptions, ledgerOptions, ledgerWords, placeMeant } from "../../common/ledger.js";
import { CONFLICT, LOG_FAULT, membersOf } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

/** Reads and checks the whole of a ledger. Refuses one with a fault, or with a number that was used twice. */
async function verify(o: LedgerPlaceOptions) {
  const facts = await verifyLedger(await placeMeant(o));
  const [first, ...others] = facts.faults;
  if (first)
    throw new RefusedWithFacts(
      new Failure(
        1,
        "ERR_LOG",
        `${facts.place}: ${logFaultWords(first)}${others.length > 0 ? `, and ${plural(others.length, "more fault")}` : ""}`,
        "restore the right ledger; what it has lost, the copy of a machine brings back: firmseal ledger import COPY",
      ),
      facts,
    );
  if (facts.conflicts.length > 0) throw new RefusedWithFacts(conflictFailure([...facts.conflicts]), facts);
  return facts;
}

export default define({
  name: "ledger verify",
  summary: "read and check the whole of a ledger, and compare it with what this machine has seen",
  options: ledgerOptions,
  examples: [
    ["firmseal ledger verify", "the ledger that firmseal.toml names"],
    [`firmseal ledger verify --ledger '${EXAMPLE}' --json`, "for a daily job that hands the checkpoint to an outside witness"],
  ],
  json: {
    ...LEDGER,
    faults: ["object[]", "what is wrong"],
    ...membersOf("faults[]", LOG_FAULT),
    accepted: ["object[]", "faults that a later entry accepts"],
    ...membersOf("accepted[]", LOG_FAULT),
    conflicts: ["object[]", "numbers that were used twice, and signatures without an approval that their key needs"],
    ...membersOf("conflicts[]", CONFLICT),
    checkpoint: ["string", "SHA-256 of the whole, hex: who has it can tell later whether these entries were changed"],
  },
  run: verify,
  words: (f) => [
    ...f.faults.map((fault) => ({ text: logFaultWords(fault) })),
    ...f.accepted.map((fault) => ({ text: `accepted: ${logFaultWords(fault)}` })),
    ...f.conflicts.map((one) => ({ text: conflictWords(one) })),
    ledgerWords(f),
    { text: `checkpoint ${f.entries} ${f.checkpoint}` },
  ],
});
