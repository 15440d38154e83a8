// packages/cli/src/commands.generated.ts, the table of the commands, from the files in commands/: a command is one file
// there. The build runs this.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../packages/cli/src/", import.meta.url));

/**
 * The folders, under the headings of --help and in its order, which is that of a user's day. `first`: the commands that
 * come before the others of a folder. Groups begin the names of their commands.
 */
const FOLDERS = [
  { folder: "product", heading: "Releases", first: ["init", "doctor", "release", "withdraw"] },
  { folder: "batch", heading: "Releases" },
  { folder: "verify", heading: "Releases", first: ["verify", "lint"] },
  { folder: "explain", heading: "Releases", first: ["explain", "diff", "report"] },
  { folder: "sign", heading: "Signatures, one by one", first: ["sign"] },
  { folder: "keys", heading: "Keys", group: "continue the sequence numbers of a key with another key", first: ["keygen", "pubkey"] },
  {
    folder: "ledger",
    heading: "Keys",
    group: "share one signing log among several machines",
    first: ["ledger init", "ledger status", "ledger verify"],
  },
  { folder: "token", heading: "Keys", group: "list the keys in PKCS#11 tokens, and make new ones there" },
  {
    folder: "trust",
    heading: "Trust and rotation",
    group: "make, sign, show, verify and export trust files: which keys a device trusts, and for what",
  },
  { folder: "rotate", heading: "Trust and rotation", group: "move a fleet from one trust file to the next" },
  { folder: "incident", heading: "Trust and rotation" },
  { folder: "device", heading: "Devices" },
  { folder: "status", heading: "Devices", group: "ask devices for their status, verify the messages, and update a fleet file from them" },
  { folder: "shell", heading: "More" },
];

/** The table as it should be. */
export function commandTable() {
  const unknown = readdirSync(`${SRC}commands`).filter((name) => !FOLDERS.some(({ folder }) => folder === name));
  if (unknown.length > 0) throw new Error(`packages/cli/src/commands: scripts/tables/commands.mjs does not know ${unknown.join(", ")}`);
  const rows = FOLDERS.flatMap(({ folder, heading, first = [] }) =>
    readdirSync(`${SRC}commands/${folder}`)
      .map((file) => {
        const path = `commands/${folder}/${file.replace(/\.ts$/, ".js")}`;
        const [, name, summary] =
          /^export default define\(\{\n {2}name: "([^"\n]+)",\n {2}summary: "([^"\n]+)",\n/m.exec(
            readFileSync(`${SRC}commands/${folder}/${file}`, "utf8"),
          ) ?? [];
        if (!name) throw new Error(`packages/cli/src/${path}: no command is exported: export default define({ name: …, summary: …`);
        const at = (first.indexOf(name) + first.length + 1) % (first.length + 1);
        return { name, at, row: `  { name: "${name}", heading: "${heading}", summary: "${summary}", load: () => import("./${path}") },\n` };
      })
      .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1))
      .map(({ row }) => row),
  );
  const groups = FOLDERS.flatMap(({ folder, group }) => (group ? [`  ${folder}: ${JSON.stringify(group)},\n`] : []));
  return `// GENERATED from the files in commands/. DO NOT EDIT: add a file there, then run \`pnpm build\`.
// biome-ignore-all format: a row for each command

import type { Listed } from "./command.js";

export const COMMANDS: readonly Listed[] = [
${rows.join("")}];

/** The summaries of groups: commands that share the first word of their names. */
export const GROUPS: { readonly [name: string]: string } = {
${groups.join("")}};
`;
}

/** Writes the table if a command came, went or changed its summary. */
export function writeCommandTable() {
  const path = `${SRC}commands.generated.ts`;
  const text = commandTable();
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}
