// Checks run unless they have passed on the same content. A check is found by its command, by all that it may read (the
// names of all files, the text of those in the checkout that concern it, what the build gives), and by the installed
// packages. If its program checks each file alone, each file is found so. With CI set, everything runs.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { trackedFiles } from "../checks/sources.mjs";
import { kept } from "./kept.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** With FIRMSEAL_UNLESS_PASSED set, a check that has parts leaves out those that have passed. */
export const PARTS = "FIRMSEAL_UNLESS_PASSED";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

const isDocument = (path) => /\.md$/.test(path);
const isCode = (path) => !isDocument(path);
/**
 * Of a document these read the text, and of any other file the name: links. Their settings and words are in files of
 * these kinds.
 */
const isDocumentOrSetting = (path) => isDocument(path) || /\.(jsonc?|txt)$/.test(path);
/** A source that imports one of these is refused, so what these say is of no account. */
const isTest = (path) => /^(?:packages\/[\w-]+\/test|bench|fuzz|test|test-vectors)\/.*\.[mc]?[jt]s$/.test(path);
/** What names a module, or the first word of a statement that does. */
const IMPORT = /\bfrom\s*["'`]|\b(?:import|require)\b\s*[\w("'`{*]/g;
/** The lines that an import takes at most behind its first word, or behind `from`: the formatter breaks no name. */
const IMPORT_LINES = 5;
/** A source up to its last import. */
function upToImports(source) {
  const last = [...source.matchAll(IMPORT)].at(-1);
  if (!last) return "";
  let end = last.index + last[0].length;
  for (let i = 0; i < IMPORT_LINES && end > 0; i++) end = source.indexOf("\n", end) + 1;
  return end > 0 ? source.slice(0, end) : source;
}
const settingsOf = (...names) => new RegExp(`(?:^|/)(?:${names.join("|")})$`);

/**
 * By program: the files whose text concerns it, those of the build, and the part of a source that it reads, if not all.
 * All others read everything.
 */
const READS = {
  biome: { text: isCode },
  cspell: { text: isDocumentOrSetting },
  depcruise: { text: (path) => isCode(path) && !isTest(path), part: upToImports },
  knip: { text: isCode },
  "markdownlint-cli2": { text: isDocumentOrSetting },
  "size-limit": { text: (path) => path === "package.json", built: (path) => path.includes("/dist/") },
  // of a project that the tests refer to, it reads the declarations
  tsc: {
    text: (path, projects) => /\.(?:[mc]?ts|json)$/.test(path) && !projects.some((project) => path.startsWith(`${project}/src/`)),
    built: (path) => path.endsWith(".d.ts"),
  },
};

/**
 * Programs that check each file alone: which files, as patterns for git; their settings; whether they read the names of
 * all files; the other files that they read for a file with this text; and how the command names files.
 */
const EACH = {
  biome: {
    files: () => [":(exclude,glob)**/*.md"],
    settings: settingsOf("biome\\.jsonc?", "package\\.json", "tsconfig[^/]*\\.json", "\\.gitignore", "\\.editorconfig"),
    others: () => () => false,
    command: (command, files) => `${command.replace(" . ", " ")} --files-ignore-unknown=true --no-errors-on-unmatched ${files}`,
  },
  "markdownlint-cli2": {
    files: linted,
    settings: settingsOf("\\.markdownlint[^/]*"),
    hasLinks: true,
    others: documentsNamedIn,
    command: (command, files) => `${command} --no-globs ${files}`,
  },
};

/** A JSON file whose comments have lines of their own. */
const jsonOf = (path) => JSON.parse(readFileSync(path, "utf8").replace(/^\s*\/\/.*$/gm, ""));

/** The files that the settings of markdownlint-cli2 name, as patterns for git. */
function linted(root) {
  const { globs, ignores = [] } = jsonOf(join(root, ".markdownlint-cli2.jsonc"));
  return [...globs.map((glob) => `:(glob)${glob}`), ...ignores.map((glob) => `:(exclude,glob)${glob}`)];
}

/** The documents that a text may link to: it has their names. An address that is written another way may be any. */
function documentsNamedIn(text) {
  if (/(?:\]\(|\]:\s*)[^\s)]*[%&\\]/.test(text)) return isDocument;
  const names = new Set(text.match(/[\w.@+-]+\.md/g));
  return (path) => isDocument(path) && names.has(basename(path));
}

/** The folders of the projects that the tests refer to. */
function projectsOf(root) {
  const file = join(root, "tsconfig.test.json");
  return existsSync(file) ? (jsonOf(file).references ?? []).map(({ path }) => path) : [];
}

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

/** What the process has read: of a file that has not changed since, the hash is the same. */
const known = new Map();
/** A file that was written this many milliseconds ago may be written once more in the same tick of the clock. */
const SETTLED = 1000;

/** The hash of a file's text, or "" if it does not exist. */
function hashOf(path) {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return "";
  const state = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
  const before = known.get(path);
  if (before?.state === state) return before.hash;
  const hash = sha256(readFileSync(path));
  if (Date.now() - Number(stat.ctimeMs) > SETTLED) known.set(path, { state, hash });
  return hash;
}

const LOCK = "node_modules/.pnpm/lock.yaml";
const programOf = (command) => command.split(" ", 1)[0];
const everything = () => true;

/** All that a check is found by. `reads`: the files, as in READS. */
export function readBy(command, root = ROOT, reads = READS[programOf(command)]) {
  const { text, built = () => false, part } = reads ?? { text: everything, built: everything };
  const tracked = trackedFiles(root);
  const projects = projectsOf(root);
  const read = [...tracked.filter((path) => text(path, projects)), ...outputs(root).filter(built), LOCK];
  const isPart = (path) => part && /^packages\/[\w-]+\/src\/.*\.ts$/.test(path);
  const hash = (path) => {
    const whole = hashOf(join(root, path));
    return whole && isPart(path) ? sha256(part(readFileSync(join(root, path), "utf8"))) : whole;
  };
  return [JSON.stringify([command, tracked, read.map((path) => [path, hash(path)])])];
}

/** The files that a program checks each alone, and for each what it is found by. */
export function readByEach(command, root = ROOT) {
  const { files, settings, hasLinks, others } = EACH[programOf(command)];
  const tracked = trackedFiles(root);
  const hashed = (paths) => paths.map((path) => [path, hashOf(join(root, path))]);
  const shared = [process.version, command, hasLinks && tracked, hashed([...tracked.filter((path) => settings.test(path)), LOCK])];
  const common = sha256(JSON.stringify(shared));
  return trackedFiles(root, files(root)).map((path) => {
    const linked = hasLinks ? tracked.filter(others(readFileSync(join(root, path), "utf8"))) : [];
    return { path, found: sha256(JSON.stringify([common, path, hashed([path, ...linked])])) };
  });
}

/** So many files of one kind are remembered: those of a few branches. */
const MOST = 20_000;

/** A list of what has passed, of the kind `kind`. */
export function passedList(kind, cache = undefined) {
  const list = kept("passed-files", [kind], cache);
  const before = String(list.read() ?? "").split("\n");
  const all = new Set(before);
  return {
    has: (found) => !process.env.CI && all.has(found),
    add(these) {
      if (!process.env.CI) list.write([...new Set([...these, ...before])].slice(0, MOST).join("\n"));
    },
  };
}

/** The findings of a part of a check: none if it has passed. `reads`: the files, as in READS. */
export async function findingsUnlessPassed(name, reads, work, root = ROOT, cache = undefined) {
  const found = () => kept("passed", readBy(name, root, reads), cache);
  const before = found();
  if (!process.env.CI && before.read()) return [];
  const findings = await work();
  if (findings.length === 0 && found().file === before.file) before.write("passed");
  return findings;
}

/**
 * The findings of a part of a check that looks at each file alone. `files`: { path, text } of each; `rules`: the texts
 * of the rules. With FIRMSEAL_UNLESS_PASSED set, it leaves out files that have passed.
 */
export function findingsOfEach(kind, rules, files, check, cache = undefined) {
  if (!process.env[PARTS]) return check(files);
  const passed = passedList(kind, cache);
  const common = sha256(JSON.stringify([process.version, rules, hashOf(join(ROOT, LOCK))]));
  const all = files.map((file) => ({ file, found: sha256(JSON.stringify([common, file.path, file.text])) }));
  const findings = check(all.filter(({ found }) => !passed.has(found)).map(({ file }) => file));
  if (findings.length === 0) passed.add(all.map(({ found }) => found));
  return findings;
}

/** For each file alone. */
async function eachUnlessPassed(command, run, root, cache) {
  const program = programOf(command);
  const passed = passedList(command, cache);
  const all = readByEach(command, root);
  const rest = all.filter(({ found }) => !passed.has(found));
  if (rest.length === 0) return { ok: true, output: "", isNew: false };
  const isFew = rest.length < all.length / 4 && rest.every(({ path }) => /^[\w@.+/][\w@.+/-]*$/.test(path));
  const result = await run(isFew ? EACH[program].command(command, rest.map(({ path }) => path).join(" ")) : command);
  if (result.ok) {
    // nothing that it may read has changed meanwhile
    const now = new Set(readByEach(command, root).map(({ found }) => found));
    passed.add(all.map(({ found }) => found).filter((found) => now.has(found)));
  }
  return { ...result, isNew: true };
}

/**
 * { ok, output, isNew } of a check. `run` runs a command in a shell, and resolves to { ok, output }. `root` ends in a
 * slash.
 */
export async function unlessPassed(command, run, root = ROOT, cache = undefined) {
  if (process.env.CI) return { ...(await run(command)), isNew: true };
  if (Object.hasOwn(EACH, programOf(command))) return eachUnlessPassed(command, run, root, cache);
  const found = () => kept("passed", readBy(command, root), cache);
  const before = found();
  const output = before.read();
  if (output) return { ok: true, output: String(output), isNew: false };
  const result = await run(command);
  // nothing that it may read has changed meanwhile
  if (result.ok && found().file === before.file) before.write(result.output);
  return { ...result, isNew: true };
}
