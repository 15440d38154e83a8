// Which files may print, and what a tracked file may contain. Which modules may import which: .dependency-cruiser.mjs.

import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Files that git tracks or would track: a check that passes before a commit passes after it. `patterns`: those alone,
 * as git writes paths with patterns.
 */
export function trackedFiles(root = ROOT, patterns = []) {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns];
  const out = execFileSync("git", args, { cwd: root, encoding: "utf8" });
  return out.split("\0").filter((file) => file && statSync(root + file, { throwIfNoEntry: false })?.isFile());
}

/** { path, text } of the tracked files that `wanted` takes. */
export function readTracked(wanted) {
  return trackedFiles()
    .filter(wanted)
    .map((path) => ({ path, text: readFileSync(ROOT + path, "utf8") }));
}

export const sources = () => readTracked((path) => /^packages\/\w+\/src\/.*\.ts$/.test(path));

/** Removes comments, so that prose gives no findings. Strings stay, because imports are strings. */
function withoutComments(text) {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/.*$/gm,
    (all, string) => string ?? all.replace(/[^\n]/g, ""),
  );
}

/** Every match of `pattern` in the code, with its line. */
function lines(text, pattern) {
  const code = withoutComments(text);
  return [...code.matchAll(pattern)].map((match) => ({ match, line: code.slice(0, match.index).split("\n").length }));
}

/** The identifiers and the whole strings in the code. */
export function words(text) {
  const tokens = withoutComments(text).matchAll(/"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|[A-Za-z_$][\w$]*/g);
  return [...tokens].map(([all, double, single]) => double ?? single ?? all);
}

/** Every printed line goes through one file, which knows about --json and terminals. */
export function checkPrinting(files) {
  const findings = [];
  for (const { path, text } of files) {
    if (path === "packages/cli/src/show/ui.ts") continue;
    for (const { match, line } of lines(
      text,
      /\bconsole\b|\bprocess\s*\.\s*std(?:out|err)\b(?!\s*\.\s*(?:isTTY|columns)\b)|\bwriteSync\(\s*[12]\s*,/g,
    ))
      findings.push(`${path}:${line} prints (${match[0]}): only packages/cli/src/show/ui.ts does`);
  }
  return findings;
}

// assembled here, so that this file does not find itself
const MACHINE = new RegExp(`(?<![\\w.@:/-])/(?:${["home", "root", "Users", "work", "tmp"].join("|")})/[\\w.-]+`, "g");
/** A host whose first label says what it is, or one of this machine. */
const HOSTS = /:\/\/(?:(?:registry|npm|packages)\.[\w.-]+|(?:localhost|127\.0\.0\.1):\d+)/g;
const CREDENTIAL = new RegExp(`_auth${"Token"}|npm_[A-Za-z0-9]{36}`, "g");

const MAX_BYTES = 512 * 1024;
const isText = (path) => !/\.(?:png|ico|gz|zip|bin|suit|cbor|cose|der|uf2|elf|hex)$/.test(path);

/**
 * What a tracked file must not contain: paths of one machine, registry hosts, credentials. `ALLOWED` says where they
 * may be, and why.
 */
const ALLOWED = [{ path: /^scripts\/(checks\/sources\.mjs|test\/.*)$/, why: "the rules and their examples" }];

export function checkText(files) {
  const findings = [];
  for (const { path, text } of files) {
    if (ALLOWED.some((a) => a.path.test(path))) continue;
    for (const [pattern, what] of [
      [MACHINE, "a path of one machine"],
      [HOSTS, "the host of a registry"],
      [CREDENTIAL, "a credential"],
    ])
      for (const m of text.matchAll(pattern)) findings.push(`${path}:${text.slice(0, m.index).split("\n").length} holds ${what}: ${m[0]}`);
  }
  return findings;
}

/**
 * Titles at the top of a test file with fewer than two words of their own: a list of failed tests would show a value of
 * a row, and not what was tried. Inside a describe(), its title says that.
 */
export function checkTitles(files) {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/^(?:it\b|\]).*?\((["`])((?:\\.|(?!\1).)+)\1, /gm)]
      .map(([, , title]) => title)
      .filter((title) => (title.replace(/\$\{[^}]*\}|%\w|\$\w+/g, " ").match(/\p{L}+/gu) ?? []).length < 2)
      .map((title) => `${path}: the title "${title}" does not say what the test tries`),
  );
}

/**
 * What runs for each test file has its hooks there. Any other module is loaded once for many files, and its hook would
 * run for the first alone.
 */
const RUN_FOR_EACH = ["packages/test-support/src/environment/setup.ts", "scripts/mutation/setup.mjs"];

/** Hooks at the top of modules that are not test files. */
export function checkHooks(files) {
  const findings = [];
  for (const { path, text } of files)
    if (!RUN_FOR_EACH.includes(path))
      for (const { match, line } of lines(text, /^(?:before|after)(?:All|Each)\(/gm))
        findings.push(`${path}:${line} ${match[0]}…): test files share this module, so the hook runs for the first of them alone`);
  return findings;
}

/**
 * Commands without tests where a reader looks for them: packages/cli/src/commands/GROUP/NAME.ts has
 * packages/cli/test/GROUP/NAME.test.ts, or several NAME-TOPIC.test.ts.
 */
export function checkCommandTests(paths) {
  const named = (pattern) => paths.flatMap((path) => pattern.exec(path)?.[1] ?? []);
  const tested = new Set(named(/^packages\/cli\/test\/(\w+\/\w+)(?:-[\w-]+)?\.test\.ts$/));
  return named(/^packages\/cli\/src\/commands\/(\w+\/\w+)\.ts$/)
    .filter((command) => !tested.has(command))
    .map((command) => `packages/cli/test/${command}.test.ts is missing: tests of a command have its name and its folder`);
}

/** Entries of a folder, without index.ts: from `crowded` on a warning, from `most` on an error. */
const ENTRIES = { crowded: 12, most: 20 };

/**
 * Folders of packages/X/src and of the command tests by their number of entries: { findings, warnings }. `paths`: the
 * files. A warning says where a reader no longer finds the right entry at a glance; only the author knows whether there
 * is a better order.
 */
export function checkFolders(paths) {
  const folders = new Map();
  for (const path of paths) {
    const parts = path.split("/");
    const isCounted = parts[2] === "src" || path.startsWith("packages/cli/test/");
    for (let n = 3; n < parts.length && isCounted; n++) {
      const folder = parts.slice(0, n).join("/");
      if (!folders.has(folder)) folders.set(folder, new Set());
      if (parts[n] !== "index.ts") folders.get(folder).add(parts[n]);
    }
  }
  const atLeast = (least, below) =>
    [...folders]
      .filter(([, { size }]) => size >= least && size < below)
      .map(([folder, { size }]) => `${folder} has ${size} entries beside index.ts: group them by what they do`);
  return { findings: atLeast(ENTRIES.most, Infinity), warnings: atLeast(ENTRIES.crowded, ENTRIES.most) };
}

export function checkTree() {
  const findings = [];
  const paths = trackedFiles();
  for (const path of paths) {
    const { size } = statSync(ROOT + path);
    if (size > MAX_BYTES) findings.push(`${path} has ${size} bytes; a tracked file has at most ${MAX_BYTES}`);
  }
  return [...findings, ...checkFolders(paths).findings, ...checkCommandTests(paths), ...checkText(readTracked(isText))];
}
