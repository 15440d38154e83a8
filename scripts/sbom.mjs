// Writes what the packages are made of: dist/sbom.cdx.json, CycloneDX 1.6, from pnpm-lock.yaml: the components by
// `pnpm sbom`, and what depends on what. The same lockfile gives the same bytes: components and dependencies are
// sorted, the time is left out, and the serial number is a hash of the rest. What is only for development has the scope
// "excluded"; the packages themselves are components as well. What the build puts into our own modules is only for
// development to pnpm, and is shipped all the same: the licences that the build writes beside those modules name it.
// `node scripts/sbom.mjs [FILE]`.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));

const ARGUMENTS = ["-y", packageManager, "sbom", "--lockfile-only", "--sbom-format", "cyclonedx", "--sbom-spec-version", "1.6"];

/** Whatever pnpm writes, in the order that it finds things. */
function fromPnpm() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-sbom-"));
  const file = join(folder, "sbom.json");
  try {
    const { status, stdout, stderr, error } = spawnSync("npx", [...ARGUMENTS, "--out", file], { cwd: ROOT, encoding: "utf8" });
    if (status !== 0) throw new Error(`pnpm sbom: ${error?.message ?? stdout + stderr}`);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** name@version of what is inside the packages themselves. Needs a build. */
function bundled() {
  const files = [
    "packages/cli/dist/THIRD-PARTY-LICENSES",
    "packages/signer/lib/THIRD-PARTY-LICENSES",
    "packages/release/lib/THIRD-PARTY-LICENSES",
  ];
  const texts = files.map((file) => readFileSync(join(ROOT, file), "utf8"));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/^(\S+) (\d+\.\d+\.\S+) \(/gm)].map(([, name, version]) => `${name}@${version}`)),
  );
}

/** name@version of a component. */
export const nameOf = (c) => `${c.group ? `${c.group}/` : ""}${c.name}@${c.version}`;

/**
 * What each package depends on, from the lockfile: `pnpm sbom` leaves out dependencies of the packages of a workspace,
 * others each time. A package that is installed with several sets of peers depends on those of all.
 */
function withDependencies(bom) {
  const all = [bom.metadata.component, ...bom.components];
  const refs = new Map(all.map((c) => [nameOf(c), c["bom-ref"]]));
  const found = new Map(all.map((c) => [c["bom-ref"], new Set()]));
  // the first document is about pnpm itself
  const { importers, snapshots } = parseAllDocuments(readFileSync(`${ROOT}pnpm-lock.yaml`, "utf8"))
    .at(-1)
    .toJS();
  const own = (folder) => {
    const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    return `${name}@${version ?? "0.0.0"}`;
  };
  /** `version`: of the lockfile, with peers after it, and the name before it if a package is installed as another. */
  const target = (folder, name, version) => {
    if (version.startsWith("link:")) return own(join(folder, version.slice(5)));
    const plain = version.replace(/\(.*/, "");
    return refs.has(plain) ? plain : `${name}@${plain}`;
  };
  const add = (from, folder, ...lists) => {
    if (!refs.has(from)) throw new Error(`pnpm sbom: no component ${from}`);
    for (const [name, value] of lists.flatMap((list) => Object.entries(list ?? {}))) {
      const to = target(folder, name, value.version ?? value);
      if (!refs.has(to)) throw new Error(`pnpm sbom: no component ${to}, on which ${from} depends`);
      found.get(refs.get(from)).add(refs.get(to));
    }
  };
  // a package that is not a component is part of the workspace: the command line, and what is not published
  for (const [folder, { dependencies, devDependencies, optionalDependencies }] of Object.entries(importers))
    add(refs.has(own(folder)) ? own(folder) : own("."), folder, dependencies, devDependencies, optionalDependencies);
  for (const [key, { dependencies, optionalDependencies }] of Object.entries(snapshots))
    add(key.replace(/\(.*/, ""), ".", dependencies, optionalDependencies);
  return { ...bom, dependencies: [...found].map(([ref, names]) => ({ ref, dependsOn: [...names] })) };
}

/** Marks as required what the packages hold. */
function shipped(bom) {
  const inside = bundled();
  const components = bom.components.map((c) => {
    return inside.has(nameOf(c)) ? { ...c, scope: "required" } : c;
  });
  return { ...bom, components };
}

const by = (key) => (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);

/** The same packages give the same bytes. */
export function settled({ serialNumber: _, ...bom }) {
  const { timestamp: __, ...metadata } = bom.metadata;
  const components = bom.components.toSorted(by("bom-ref"));
  const dependencies = bom.dependencies.map((d) => (d.dependsOn ? { ...d, dependsOn: d.dependsOn.toSorted() } : d)).sort(by("ref"));
  const rest = { ...bom, metadata, components, dependencies };
  const h = createHash("sha256").update(JSON.stringify(rest)).digest("hex");
  // RFC 9562 §5.8: a custom UUID
  const uuid = `${h.slice(0, 8)}-${h.slice(8, 12)}-8${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
  const { $schema, bomFormat, specVersion, version, ...content } = rest;
  return { $schema, bomFormat, specVersion, serialNumber: `urn:uuid:${uuid}`, version, ...content };
}

/** The document. */
export function readSbom() {
  return settled(shipped(withDependencies(JSON.parse(fromPnpm()))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? join(ROOT, "dist/sbom.cdx.json");
  const bom = readSbom();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bom, undefined, 2)}\n`);
  console.log(`${file}: ${bom.components.length} components, ${bom.serialNumber}`);
}
