// A product with two boards, and what its tests look at.

import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { image, logEntries, type Place, type Result, standard, stateOf, words } from "../../../test-support/src/command-line/run.js";
import { LONG } from "../../../test-support/src/environment/effort.js";

export const PRODUCT = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[boards.esp32]
class = "gateway-esp32"
revisions = ["1", "2"]
image = { a = "build/a-*.bin", b = "build/b.bin" }
uri = "https://fw.example.com/{product}/{version}/{board}-{slot}.bin"
slots = { a = "64K", b = 65536 }

[boards.puck]
image = "app.js"
engine = "puck.js"
`;

/** A product with two boards: the devices of one fetch its image. `sections`: what else it has. */
export const twoBoards = (sections: string): string => `name = "gateway"
vendor = "example.com"

${sections}
[boards.pixl]
class = "gateway-pixl"
image = "app.js"
uri = "https://fw.example.com/{version}/{board}.js"

[boards.puck]
image = "app.js"
`;

/** By default a product without the first of these boards: each release cuts the power on a device of every board. */
export const brief = (product: string): string => (LONG ? product : product.replace(/\[boards\.esp32\][\s\S]*(?=\[boards\.puck\])/, ""));

export function world(product = PRODUCT): Place {
  const p = standard();
  p.keepsLogs = true;
  p.folder("build");
  p.put("build/a-7f3.bin", image(3000, 1));
  p.put("build/b.bin", image(3000, 2));
  p.put("app.js", "print(1)\n");
  p.put("firmseal.toml", product);
  return p;
}

/**
 * A place with what another one has, and its machine has seen. A release takes long: tests that begin with one copy it.
 */
export function copyOf(made: Place): Place {
  const p = world();
  cpSync(made.path, p.path, { recursive: true });
  cpSync(stateOf(made.path), stateOf(p.path), { recursive: true });
  return p;
}

/** Options with which no other release needs to be known. */
const KNOWN = ["--first", "--previous-release", "--diff", "--dry-run"];

/** The command, with --first if nothing was released here. */
function releaseArguments(p: Place, version: string, more: readonly string[]): string[] {
  const isFirst = !p.has("dist") && !more.some((one) => KNOWN.includes(one));
  return ["release", "--version", version, ...(isFirst ? ["--first"] : []), ...more];
}

export const release = (p: Place, version: string, ...more: string[]) => p.run(releaseArguments(p, version, more));

export const released = (p: Place, version: string, ...more: string[]) => p.ok(releaseArguments(p, version, more));

export const filesIn = (folder: string) =>
  new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name))]),
  );

/** Changes the record of a release, and SHA256SUMS with it, as an attacker would. */
export function forge(
  p: Place,
  change: (record: { [name: string]: unknown; artifacts: { [name: string]: unknown }[] }) => void,
  folder = "dist/1.0.0",
): void {
  const record = JSON.parse(p.get(`${folder}/release.json`).toString());
  change(record);
  p.put(`${folder}/release.json`, JSON.stringify(record));
  const sums = [...filesIn(p.at(folder))]
    .filter(([name]) => name !== "SHA256SUMS")
    .map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
  p.put(`${folder}/SHA256SUMS`, sums.join(""));
}

/** A failure behind lines of progress. */
export const refusal = (r: Result, exit: number) => {
  const lines = words(r).filter(
    (line) => !/^(esp32|puck|pixl|pico): |^no earlier release |: (error|warning): .*\[L\d\d [a-z0-9-]+\]$/.test(line),
  );
  expect({ exit: r.exit, lines }, String(r)).toEqual({
    exit,
    lines: [expect.stringMatching(/^firmseal: /), expect.stringMatching(/^hint: /)],
  });
  return lines[0] as string;
};

/** An app image of ESP-IDF with this version in its descriptor. */
export function espImage(version: string): Uint8Array {
  const out = image(600);
  out.set([0xe9, 1], 0);
  out.fill(0, 2, 24);
  new DataView(out.buffer).setUint32(32, 0xabcd5432, true);
  out.fill(0, 48, 80);
  out.set(Buffer.from(version), 48);
  return out;
}

/** What lint found in a release. */
export interface Found {
  findings: { rule: string; waived?: { reason: string } }[];
  skipped: { rule: string; why: string }[];
}

export const lintOf = (r: Result) => r.json["lint"] as Found;

export const rulesOf = (r: Result) => lintOf(r).findings.map(({ rule, waived }) => `${rule}${waived ? " waived" : ""}`);

export const untouched = (p: Place) => expect([p.has("dist"), logEntries(p)]).toEqual([false, []]);
