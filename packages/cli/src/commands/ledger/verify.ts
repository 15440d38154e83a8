import { Failure, type LedgerCheckpoint, verifyLedger } from "@firmseal/keys";
import { conflictFailure, conflictWords, inputName, logFaultWords, plural, readAll, usage } from "@firmseal/keys/internal";
import { LIMITS } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { EXAMPLE, LEDGER, type LedgerPlaceOptions, ledgerOptions, ledgerWords, placeMeant } from "../../common/ledger.js";
import { CONFLICT, LOG_FAULT, membersOf } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

interface VerifyOptions extends LedgerPlaceOptions {
  checkpoint?: string;
}

/** Reads what earlier runs of verify wrote: the last checkpoint counts. */
function readCheckpoint(path: string): LedgerCheckpoint {
  const text = Buffer.from(readAll(path, LIMITS.releaseRecord)).toString("latin1");
  const [, bytes, sha256] = [...text.matchAll(/^checkpoint (\d{1,15}) ([0-9a-f]{64})\r?$/gm)].at(-1) ?? [];
  if (sha256 === undefined)
    throw usage(`${inputName(path)}: not a checkpoint`, "give a file with the last line that firmseal ledger verify wrote");
  return { bytes: Number(bytes), sha256 };
}

/** Reads and checks the whole of a ledger. Refuses one with a fault, or with a number that was used twice. */
async function verify({ checkpoint, ...o }: VerifyOptions) {
  const known = checkpoint === undefined ? undefined : readCheckpoint(checkpoint);
  const facts = await verifyLedger(await placeMeant(o), { checkpoint: known });
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
  options: () => [
    ...ledgerOptions(),
    option("--checkpoint <file>", "what an earlier ledger verify wrote: everything up to there must be unchanged; - for stdin"),
  ],
  examples: [
    ["firmseal ledger verify", "the ledger that firmseal.toml names"],
    ["firmseal ledger verify --checkpoint monday.txt", "whether everything is there that was there on Monday"],
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
    checkpoint: ["object", "who has it can tell later whether these entries were changed"],
    "checkpoint.bytes": ["number", "length of the ledger"],
    "checkpoint.sha256": ["string", "SHA-256 of that much of it, hex"],
  },
  run: verify,
  words: (f) => [
    ...f.faults.map((fault) => ({ text: logFaultWords(fault) })),
    ...f.accepted.map((fault) => ({ text: `accepted: ${logFaultWords(fault)}` })),
    ...f.conflicts.map((one) => ({ text: conflictWords(one) })),
    ledgerWords(f),
    // of a ledger that is good, and the last line
    ...(f.faults.length > 0 ? [] : [{ text: `checkpoint ${f.checkpoint.bytes} ${f.checkpoint.sha256}` }]),
  ],
});
