// The packages as archives for npm, made by pnpm, which puts versions in place of `workspace:`. `pnpm pack:all FOLDER`
// builds, packs and says what it has written; with --publish it also publishes what the registry does not have yet,
// with a provenance attestation.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PUBLISHED } from "./build/packages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const manifest = (path) => JSON.parse(readFileSync(join(ROOT, path, "package.json"), "utf8"));

/** The archives' paths, each after those that it depends on. Needs a build. `folder` must be empty. */
export function packAll(folder) {
  const packages = PUBLISHED.map(manifest);
  const filters = packages.flatMap(({ name }) => ["--filter", name]);
  const args = ["-y", manifest("").packageManager, "-r", ...filters, "pack", "--config.ignore-scripts=true", "--pack-destination", folder];
  const { status, stdout, stderr, error } = spawnSync("npx", args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`pnpm pack: ${error?.message ?? stdout + stderr}`);
  const made = readdirSync(folder);
  return packages.map(({ name, version }) => {
    const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
    if (!made.includes(file)) throw new Error(`pnpm pack did not write ${file}, but ${made.join(", ")}`);
    return { name, version, path: join(folder, file) };
  });
}

const run = (command, args) => spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] }).status === 0;

/** `npm view` prints nothing for a version that does not exist, and fails if the package does not exist. */
const isPublished = ({ name, version }) =>
  spawnSync("npm", ["view", `${name}@${version}`, "version"], { encoding: "utf8" }).stdout.trim() === version;

/** Ends the program with one line. */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/** The folder, made and empty. */
function emptyFolder(folder) {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty: name a new folder, or remove this one`);
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const options = args.filter((argument) => argument.startsWith("--"));
  const folder = resolve(ROOT, args.find((argument) => !argument.startsWith("--")) ?? "dist/packages");
  let archives;
  try {
    emptyFolder(folder);
    if (!run(process.execPath, ["scripts/build.mjs", "--quiet"])) process.exit(1);
    archives = packAll(folder);
  } catch (error) {
    fail(`pack: ${error.message}`);
  }
  for (const archive of archives) console.log(archive.path);
  if (options.includes("--publish"))
    for (const archive of archives) {
      if (isPublished(archive)) console.log(`${archive.name} ${archive.version} is published already`);
      else if (!run("npm", ["publish", archive.path, "--access", "public", "--provenance"])) process.exit(1);
    }
}
