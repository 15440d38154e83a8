// The table of the rules. docs/reference/lint.md is made from it.

import type { Rule } from "./rule.js";
import { boardRules } from "./rules/boards.js";
import { cnsa2Rules } from "./rules/cnsa2.js";
import { commandRules } from "./rules/commands.js";
import { contentRules } from "./rules/content.js";
import { numberRules } from "./rules/numbers.js";
import { signerRules } from "./rules/signers.js";

/**
 * Rules about waivers, which look at the product file. No waiver waives them: one that has expired would otherwise
 * waive itself.
 */
export const WAIVER_RULES: { readonly [name in "invalid" | "unused"]: Omit<Rule, "check"> } = {
  invalid: {
    id: "L90",
    name: "waiver-invalid",
    severity: "error",
    title: "A waiver has expired, or has no reason or end",
    why: "A waiver without an end is a rule that is switched off.",
    fix: "Remove it, or decide again, and write reason and until.",
  },
  unused: {
    id: "L91",
    name: "waiver-unused",
    severity: "note",
    title: "A waiver waives nothing",
    why: "It would hide a new fault in a later release.",
    fix: "Remove it.",
  },
};

/** Every rule that looks at a release, by number. */
export const RULES: readonly Rule[] = [...signerRules, ...numberRules, ...boardRules, ...commandRules, ...contentRules, ...cnsa2Rules];

/** Every rule, for documents and reports. */
export const ALL_RULES: readonly Omit<Rule, "check">[] = [...RULES, ...Object.values(WAIVER_RULES)];
