// Writes what follows from the table of the template firmseal-single-1 (packages/verifier/src/tools/template-table.ts):
// the template string of install/micro/template.generated.ts and the table of docs/reference/template.md. With --check
// it only compares, and exits 1 if a file differs.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readTable, sentence, writeFrom } from "./tables.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TABLE = "packages/verifier/src/tools/template-table.ts";
const CODE = "packages/verifier/src/install/micro/template.generated.ts";
const PAGE = "docs/reference/template.md";

function code({ TEMPLATE_NAME, templateString }) {
  const text = templateString();
  const [inside] = /6923[0-9a-f]+/.exec(text);
  return `// GENERATED from ../tools/template-table.ts. DO NOT EDIT: change the table there, then run \`pnpm template\`.

/** The template \`${TEMPLATE_NAME}\`: docs/reference/template.md. */
export const TEMPLATE =
  "${text}";

/** Like TEMPLATE, with #firmware as the URI, for micro verifiers without images outside the envelope. */
export const TEMPLATE_INSIDE =
  "${text.replace("K", inside)}";
`;
}

/** The page with new rows; the text around them stays. */
function page(text, { TEMPLATE_ROWS, templateString }) {
  const rows = TEMPLATE_ROWS.map(({ code, what }) => `| \`${code.replaceAll("|", "\\|")}\` | ${sentence(what)} |\n`).join("");
  const table = /(\| Code \| .+\n\| --- \| --- \|\n)(?:\|.*\n)+/;
  const string = /(```text\n)d86b.*\n/;
  for (const part of [table, string]) if (!part.test(text)) throw new Error(`${PAGE} lacks ${part}`);
  return text.replace(table, (_, head) => head + rows).replace(string, (_, head) => `${head}${templateString()}\n`);
}

const table = await readTable(TABLE);
writeFrom("the table of the template", { [CODE]: code(table), [PAGE]: page(readFileSync(ROOT + PAGE, "utf8"), table) }, "pnpm template");
