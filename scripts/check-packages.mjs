// Each package as it will be published: publint, and for those that are libraries "are the types wrong?". Needs a
// build. All are packed at once and checked in one process, which reads TypeScript only once.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packAll } from "./pack.mjs";

/** What only CommonJS and old resolvers see: the packages are ES modules for Node 20 and later. */
const IGNORED_RESOLUTIONS = ["node10", "node16-cjs"];

async function publintFindings(bytes) {
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  return messages.filter(({ type }) => type === "error").map((message) => formatMessage(message, pkg, { color: false }));
}

async function typeFindings(bytes) {
  const { types, problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
  if (!types) return ["the package has no types"];
  return problems.filter(({ resolutionKind }) => !IGNORED_RESOLUTIONS.includes(resolutionKind)).map((problem) => JSON.stringify(problem));
}

/** [name, findings] of each check of an archive. */
export async function checkArchive({ name, path }) {
  const bytes = readFileSync(path);
  const results = [[`publint: ${name}`, await publintFindings(bytes)]];
  // the command line is not a library: it exports nothing that could have types
  if (name !== "firmseal") results.push([`types: ${name}`, await typeFindings(bytes)]);
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-packages-"));
  try {
    for (const archive of packAll(folder))
      for (const [name, findings] of await checkArchive(archive)) {
        console.log(`${findings.length ? "fail" : "ok  "}  ${name}`);
        for (const finding of findings) console.log(`      ${finding}`);
        if (findings.length) process.exitCode = 1;
      }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
