// Runs a check, unless it has passed on the same content: `node scripts/testing/unless-passed.mjs "COMMAND"`. It then
// prints what the check printed. A check is found by its command, by all that it may read (the names of all files, the
// text of those in the checkout that concern it, what the build gives), and by the installed packages. With CI set, it
// always runs.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { trackedFiles } from "../checks/sources.mjs";
import { kept } from "./kept.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const DOCUMENT = /\.md$/;
const isDocument = (path) => DOCUMENT.test(path);
const isCode = (path) => !isDocument(path);
/**
 * Of a document these read the text, and of any other file the name: links. Their settings and words are in files of
 * these kinds.
 */
const isDocumentOrSetting = (path) => isDocument(path) || /\.(jsonc?|txt)$/.test(path);

/** By program: the files whose text concerns it. All others read everything, and also what the build gives. */
const READS = {
  biome: isCode,
  cspell: isDocumentOrSetting,
  depcruise: isCode,
  knip: isCode,
  "markdownlint-cli2": isDocumentOrSetting,
};

/** What the build gives. */
function outputs(root) {
  const packages = existsSync(join(root, "packages")) ? readdirSync(join(root, "packages")) : [];
  return packages.flatMap((name) =>
    ["lib", "dist"].flatMap((folder) => {
      const at = `packages/${name}/${folder}`;
      if (!existsSync(join(root, at))) return [];
      const files = readdirSync(join(root, at), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length)).sort();
    }),
  );
}

/** All that a check is found by. */
export function readBy(command, root = ROOT) {
  const reads = READS[command.split(" ", 1)[0]];
  const tracked = trackedFiles(root);
  const read = [...tracked.filter(reads ?? (() => true)), ...(reads ? [] : outputs(root)), "node_modules/.pnpm/lock.yaml"];
  const texts = read.map((path) => (existsSync(join(root, path)) ? readFileSync(join(root, path)) : ""));
  return [JSON.stringify([command, tracked, read]), ...texts];
}

/** { status, output, isNew } of a check. `root` ends in a slash. */
export function unlessPassed(command, root = ROOT, cache = undefined) {
  const found = () => kept("passed", readBy(command, root), cache);
  const before = found();
  const known = process.env.CI ? undefined : before.read();
  if (known) return { status: 0, output: String(known), isNew: false };
  const { status, stdout, error } = spawnSync(command, {
    cwd: root,
    shell: true,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) throw error;
  // nothing that it may read has changed meanwhile
  if (status === 0 && found().file === before.file) before.write(stdout);
  return { status: status ?? 1, output: stdout, isNew: true };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { status, output } = unlessPassed(process.argv[2]);
  process.stdout.write(output);
  process.exitCode = status;
}
