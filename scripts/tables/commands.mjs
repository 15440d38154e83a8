// packages/cli/src/commands.generated.ts, the table of the commands, from the files in commands/: a command is one file
// there. The build runs this.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../packages/cli/src/", import.meta.url));

/**
 * The folders, in the order of --help, which lists the commands of `also` among those of `folder`. Groups begin the
 * names of their commands.
 */
const FOLDERS = [
  { folder: "keys", group: "continue the sequence numbers of a key with another key" },
  { folder: "token", group: "list the keys in PKCS#11 tokens, and make new ones there" },
  { folder: "product" },
  { folder: "sign" },
  { folder: "verify", also: "device" },
  { folder: "trust", group: "make, sign, show, verify and export trust files: which keys a device trusts, and for what" },
  { folder: "rotate", group: "move a fleet from one trust file to the next" },
  { folder: "incident" },
  { folder: "status", group: "ask devices for their status, verify the messages, and update a fleet file from them" },
  { folder: "shell" },
];

/** The table as it should be. */
export function commandTable() {
  const unknown = readdirSync(`${SRC}commands`).filter((name) => !FOLDERS.some(({ folder, also }) => folder === name || also === name));
  if (unknown.length > 0) throw new Error(`packages/cli/src/commands: scripts/tables/commands.mjs does not know ${unknown.join(", ")}`);
  const filesIn = (folder) => readdirSync(`${SRC}commands/${folder}`).map((file) => ({ folder, file }));
  const rows = FOLDERS.flatMap((row) =>
    [row.folder, row.also]
      .flatMap((folder) => (folder ? filesIn(folder) : []))
      .sort((a, b) => (a.file < b.file ? -1 : 1))
      .map(({ folder, file }) => {
        const path = `commands/${folder}/${file.replace(/\.ts$/, ".js")}`;
        const [, name, summary] =
          /^export default define\(\{\n {2}name: "([^"\n]+)",\n {2}summary: "([^"\n]+)",\n/m.exec(
            readFileSync(`${SRC}commands/${folder}/${file}`, "utf8"),
          ) ?? [];
        if (!name) throw new Error(`packages/cli/src/${path}: no command is exported: export default define({ name: …, summary: …`);
        return `  { name: ${JSON.stringify(name)}, summary: ${JSON.stringify(summary)}, load: () => import("./${path}") },\n`;
      }),
  );
  const groups = FOLDERS.flatMap(({ folder, group }) => (group ? [`  ${folder}: ${JSON.stringify(group)},\n`] : []));
  return `// GENERATED from the files in commands/. DO NOT EDIT: add a file there, then build (scripts/tables/commands.mjs).
// biome-ignore-all format: a row for each command

import type { Listed } from "./command.js";

export const COMMANDS: readonly Listed[] = [
${rows.join("")}];

/** What is said of commands that share the first word of their names. */
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
