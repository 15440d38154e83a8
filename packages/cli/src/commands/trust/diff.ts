import { plural, refusedInput } from "@firmseal/keys/internal";
import {
  changeWarnings,
  changeWords,
  isLowered,
  marginWords,
  readUnverifiedTrust,
  refuseOtherLine,
  roleMargins,
  rootProgress,
  trustChanges,
} from "@firmseal/release/internal";
import { trustName } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define } from "../../command.js";
import { membersOf } from "../../common/shapes.js";
import { CHANGES, PROGRESS } from "../../common/trust/declared.js";
import { rootWords } from "../../common/words.js";

/** Compares two trust files. Neither needs a signature; the output lists the signers. */
function diff(old: string, next: string, _: { json?: boolean }) {
  const [before, after] = [readUnverifiedTrust(old), readUnverifiedTrust(next)];
  refuseOtherLine(next, after.store, { path: old, ...before });
  const list = trustChanges(before.store, after.store);
  const [from, to] = [before, after].map(({ store }) => formatSequence(store.sequence)) as [string, string];
  if (from === to && list.length > 0)
    throw refusedInput(
      "ERR_SEQUENCE",
      `${old} and ${next}: two different trust files have the sequence number ${from}`,
      "no device can move from one to the other: make one of them again with a higher number",
    );
  const was = roleMargins(before.store);
  return {
    name: trustName(after.store),
    before: from,
    after: to,
    changes: list.map((c) => ({ ...c, words: changeWords(c), lowered: isLowered(c) })),
    roles: roleMargins(after.store).map((one) => ({ ...one, before: was.find(({ role }) => role === one.role)?.margin ?? null })),
    warnings: changeWarnings(before.store, after.store),
    roots: rootProgress(after.bytes, after.store),
    rootsBefore: rootProgress(after.bytes, before.store),
  };
}

export default define({
  name: "trust diff",
  summary: "describe what changes between two trust files",
  arguments: [
    commandArgument("<old>", "trust file that devices have"),
    commandArgument("<new>", "trust file that they get; it need not be signed yet"),
  ],
  examples: [
    ["firmseal trust diff fleet-1.trust fleet-2.trust", "which key gains or loses what"],
    ["firmseal trust diff fleet-1.trust fleet-2.trust --json", "the same for scripts"],
  ],
  json: {
    name: ["string", "name of the line of trust files"],
    before: ["string", "sequence number of the old file"],
    after: ["string", "sequence number of the new file"],
    ...CHANGES,
    roles: ["object[]", "roles of the new file"],
    ...membersOf("roles[]", {
      role: ["string", "name of the role"],
      needed: ["number", "how many keys must sign"],
      of: ["number", "how many keys have it"],
      margin: ["number", "keys that may be lost before nobody can sign in it for some devices; -1: no device has enough keys"],
      where: ["string|null", "devices that can lose no more than that, in words; null: all"],
      before: ["number|null", "the same in the old file"],
    }),
    warnings: ["string[]", "what becomes more dangerous"],
    roots: ["object", "roots of the new file"],
    ...membersOf("roots", PROGRESS),
    rootsBefore: ["object", "roots of the old file that have signed the new one"],
    ...membersOf("rootsBefore", PROGRESS),
  },
  run: diff,
  words: (f, old, next) => [
    { text: `${f.name}: trust file ${f.before} -> ${f.after}` },
    ...(f.changes.length === 0 ? [{ text: "the same trust file" }] : []),
    ...f.changes.map(({ words, lowered }) => ({ text: words, danger: lowered })),
    ...f.roles.map(({ role, needed, of, ...margin }) => ({
      text: `role ${role}: ${needed} of ${plural(of, "key")} needed, ${marginWords(margin)}`,
    })),
    {
      text: `signed by ${rootWords(f.roots, ` of ${next}`)}, and by ${rootWords(f.rootsBefore, ` of ${old}`)}`,
    },
    ...f.warnings.map((text) => `warning: ${text}`),
  ],
});
