// docs/reference/lint.md: every rule of `firmseal lint`, from the table in packages/release.

import { ALL_RULES } from "../../packages/release/lib/internal.js";
import { wrapped } from "./text.mjs";

const NEEDS = {
  previous: "the previous release",
  trust: "a trust file",
  product: "a product file",
  cuts: "the payloads",
  signed: "a signed release",
};

function section({ id, name, severity, title, why, fix, needs = [], policy }) {
  const more = [
    ...(policy ? [`Only with \`--policy ${policy}\`.`] : []),
    ...(needs.length > 0 ? [`Needs ${needs.map((need) => NEEDS[need]).join(" and ")}.`] : []),
  ];
  return [
    `### ${id} ${name}`,
    wrapped(`**${severity}**: ${title}. ${more.join(" ")}`.trim()),
    wrapped(why),
    wrapped(`What to do: ${fix}`),
  ].join("\n\n");
}

const row = ({ id, name, severity, title }) => `| [${id}](#${id.toLowerCase()}-${name}) | \`${name}\` | ${severity} | ${title} |`;

export function lintPage() {
  return `${[
    "# Lint rules",
    wrapped(
      "This page is made from the table of the rules by `pnpm docs:reference`. [Lint](../guides/lint.md) shows how to use them. A rule keeps its number and its name; numbers are never reused. A waiver names a rule by either.",
    ),
    ["| Rule | Name | Severity | What it catches |", "| --- | --- | --- | --- |", ...ALL_RULES.map(row)].join("\n"),
    "## The rules",
    ...ALL_RULES.map(section),
  ].join("\n\n")}\n`;
}
