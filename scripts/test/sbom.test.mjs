import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LIBRARIES } from "../build/packages.mjs";
import { nameOf, readSbom, settled } from "../sbom.mjs";

// the first document of the lockfile is about pnpm itself
const lockfile = readFileSync(new URL("../../pnpm-lock.yaml", import.meta.url), "utf8")
  .split(/^---$/m)
  .at(-1);
/** name@version to the integrity of the archive, from the section `packages` of the lockfile. */
const locked = new Map(
  [...lockfile.matchAll(/^ {2}'?((?:@[^/']+\/)?[^@'\s]+@[^'():\s]+)'?:\n {4}resolution: \{integrity: sha512-([^,}]+)/gm)].map((m) => [
    m[1],
    Buffer.from(m[2], "base64").toString("hex"),
  ]),
);
const bom = readSbom();

describe("the bill of materials", () => {
  it("has what CycloneDX 1.6 requires", () => {
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const c of [bom.metadata.component, ...bom.components]) {
      expect(["application", "library"]).toContain(c.type);
      expect(c.name).toMatch(/./);
      expect(c.version).toMatch(/^\d+\.\d+\.\d+/);
      expect(c.purl).toMatch(/^pkg:npm\//);
    }
    const refs = [bom.metadata.component, ...bom.components].map((c) => c["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { ref, dependsOn = [] } of bom.dependencies) for (const name of [ref, ...dependsOn]) expect(refs).toContain(name);
  });

  it("names every package of the lockfile, with the digest of its archive", () => {
    expect(locked.size).toBeGreaterThan(300);
    const digests = new Map(
      bom.components.map((c) => [
        nameOf(c),
        c.externalReferences?.flatMap((e) => e.hashes ?? []).find((h) => h.alg === "SHA-512")?.content,
      ]),
    );
    for (const [name, digest] of locked) expect([name, digests.get(name)]).toEqual([name, digest]);
    const own = [...digests.keys()].filter((name) => !locked.has(name)).sort();
    expect(own.map((name) => name.replace(/@[^@]+$/, ""))).toEqual(LIBRARIES.map((name) => `@firmseal/${name}`).sort());
  });

  it("tells apart what only development needs, and what a device gets: nothing", () => {
    const needed = bom.components.filter((c) => c.scope !== "excluded").map((c) => c.name);
    // a dependency, what the build puts into the signer, and into the command line
    for (const name of ["ed25519", "cbor-x", "ajv", "commander"]) expect(needed).toContain(name);
    expect(needed).not.toContain("vitest");
    const { dependsOn } = bom.dependencies.find(({ ref }) => ref.includes("%40firmseal/verifier"));
    expect(dependsOn).toEqual([]);
  });

  it("says what each package depends on, as its package.json does", () => {
    const names = new Map(
      [bom.metadata.component, ...bom.components].map((c) => [c["bom-ref"], `${c.group ? `${c.group}/` : ""}${c.name}`]),
    );
    const edges = new Map(bom.dependencies.map(({ ref, dependsOn }) => [names.get(ref), dependsOn.map((to) => names.get(to))]));
    for (const name of LIBRARIES) {
      const manifest = JSON.parse(readFileSync(new URL(`../../packages/${name}/package.json`, import.meta.url), "utf8"));
      const { dependencies, devDependencies, optionalDependencies } = manifest;
      const wanted = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
      expect([name, edges.get(`@firmseal/${name}`)]).toEqual([name, expect.arrayContaining(wanted)]);
    }
    // a third-party package, and one that is installed with peers
    expect(edges.get("@noble/curves")).toEqual(["@noble/hashes"]);
    expect(edges.get("vitest")).toEqual(expect.arrayContaining(["vite", "@vitest/runner"]));
  });

  it("is the same for the same packages, in any order and at any time", () => {
    const other = { ...bom, serialNumber: "urn:uuid:0", metadata: { ...bom.metadata, timestamp: "2020-01-01T00:00:00Z" } };
    other.components = bom.components.toReversed();
    other.dependencies = bom.dependencies.toReversed().map((d) => ({ ...d, dependsOn: d.dependsOn?.toReversed() }));
    expect(JSON.stringify(settled(other))).toBe(JSON.stringify(bom));
    expect(settled({ ...bom, components: bom.components.slice(1) }).serialNumber).not.toBe(bom.serialNumber);
  });
});
