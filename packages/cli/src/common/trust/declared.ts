// The options and the JSON of the commands that make, sign or compare trust files.

import { shellWord } from "@firmseal/keys/internal";
import type { Option } from "commander";
import { option } from "../../command.js";
import { sequenceChecks } from "../options.js";
import { membersOf, OUT, RECEIPTS, type Shape } from "../shapes.js";

/** What a root that signs a trust file is checked against. */
export function trustChecks(): Option[] {
  return [
    option(
      "--previous-trust <file>",
      "the previous trust file, to show what changes; its roots may sign too; you may also give older files",
      {
        repeat: true,
      },
    ),
    allowNoPreviousTrust(),
    ...sequenceChecks(),
  ];
}

/** The options of a command that the next one for the same trust file needs too, as they are typed. */
export function sameOptions(o: { previousTrust?: string | readonly string[]; allowTestKey?: readonly string[] }): string {
  const all = (name: string, values: string | readonly string[] = []) => [values].flat().map((value) => ` --${name} ${shellWord(value)}`);
  return [...all("previous-trust", o.previousTrust), ...all("allow-test-key", o.allowTestKey)].join("");
}

export function allowNoPreviousTrust(): Option {
  return option("--allow-no-previous-trust", "continue without the trust file that the log of the key has last");
}

/** How a trust file differs from the one before. */
export const CHANGES: Shape = { changes: ["object[]", "differences from the previous trust file; if there are several, from the newest"] };

/** How it differs from one of several. */
export const SINCE: Shape = { trust: ["string", "the file"], changes: ["object[]", "differences from it"] };

export const PROGRESS: Shape = {
  signed: ["number", "roots that have signed"],
  needed: ["number", "roots that must sign"],
  families: ["object[]", "families of algorithms: how many of their keys must also sign, and how many have signed"],
};

/** A trust file with signatures of its roots. */
export const SIGNED: Shape = {
  ...OUT,
  roots: ["object", "roots of this file"],
  ...membersOf("roots", PROGRESS),
  rootsBefore: ["object|null", "roots of the previous file; null without --previous-trust"],
  ...membersOf("rootsBefore", PROGRESS),
  previous: ["object[]", "the same for each file of --previous-trust, the newest first"],
  ...membersOf("previous[]", { ...SINCE, ...PROGRESS }),
  ...CHANGES,
  ...RECEIPTS,
};
