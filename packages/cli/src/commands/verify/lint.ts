import { existsSync } from "node:fs";
import { usage } from "@firmseal/keys/internal";
import { lintReleases, type Product } from "@firmseal/release";
import { lintFailure, POLICIES, type Policy, PRODUCT_FILE, readPinnedTrust, SEVERITIES, type Severity } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, payload, productFile, rootOptions } from "../../common/options.js";
import { findingLines, lintSummary } from "../../common/release/findings.js";
import { onDemand } from "../../common/release/on-demand.js";
import { LINT } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

const FORMATS = ["text", "json", "sarif"] as const;

interface LintCommandOptions {
  product?: string;
  policy?: Policy;
  previous?: string;
  trust?: string;
  root?: string[];
  previousTrust?: string;
  payload?: string[];
  format: (typeof FORMATS)[number];
  failOn: Severity;
  json?: boolean;
}

/** The trust file of --trust, or that of the product. */
async function trustFor(o: LintCommandOptions, product: Product | undefined) {
  if (o.trust === undefined && (o.root || o.previousTrust !== undefined))
    throw usage("a root is for a trust file, and --trust is not given", "give --trust FILE, or drop it");
  const { file, root = [] } = product?.trust ?? {};
  const path = o.trust ?? file;
  if (path === undefined) return undefined;
  const { store } = await readPinnedTrust(path, o.trust !== undefined ? o : root.length > 0 ? { root: [...root] } : {});
  return { path, store };
}

/** Checks releases against the rules. Signatures are not verified. */
async function lintCommand(given: string | undefined, o: LintCommandOptions) {
  if (o.json && o.format === "sarif") throw usage("--json and --format sarif exclude each other", "give one of them");
  const isAsked = o.product !== undefined || existsSync(PRODUCT_FILE);
  const product = isAsked ? (await onDemand()).readProduct(o.product ?? PRODUCT_FILE) : undefined;
  const path = given ?? product?.out;
  if (path === undefined)
    throw usage(
      "lint needs a release, or a product file in this folder",
      "name a release: firmseal lint FILE; or make a product file: firmseal init",
    );
  const trust = await trustFor(o, product);
  const report = await lintReleases(path, {
    ...(product && { product }),
    ...(trust && { trust }),
    ...(o.previous !== undefined && { previous: o.previous }),
    ...(o.payload && { payload: o.payload }),
    ...(o.policy && { policies: [o.policy] }),
  });
  const { releases, findings, skipped } = report;
  const sarif = o.format === "sarif" ? (await import("../../show/sarif.js")).sarifOf(report, product) : undefined;
  const facts = { verified: false, releases, findings, skipped, sarif };
  const failure = lintFailure(findings, o.failOn);
  if (failure) throw new RefusedWithFacts(failure, facts);
  return facts;
}

export default define({
  name: "lint",
  summary: "check a release against rules about keys, numbers, devices, images and installation",
  arguments: [commandArgument("[file]", "envelope, - for stdin, or folder with releases (default: the last release of the product)")],
  options: () => [
    productFile(),
    option("--policy <name>", "further rules: cnsa2 for CNSA 2.0", { choices: POLICIES }),
    option("--previous <file>", "envelope or folder of the previous release (default: the one in the folder of releases)"),
    option("--trust <file>", "trust file that devices have (default: that of the product)"),
    ...rootOptions(),
    payload(),
    option("--format <format>", "how findings are written", { choices: FORMATS, default: "text" }),
    option("--fail-on <severity>", "lowest severity that causes exit code 1", { choices: SEVERITIES, default: "error" }),
    ...passphrases(),
  ],
  examples: [
    ["firmseal lint fw.suit --previous old.suit", "one release"],
    ["firmseal lint dist/1.4.2 --product firmseal.toml --fail-on warning", "all boards of a release, also stopping at warnings"],
    ["firmseal lint --format sarif > lint.sarif", "the last release of the product here, for code review"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    releases: ["string[]", "envelopes that were checked"],
    ...LINT,
  },
  run: lintCommand,
  words: (f) => {
    if (f.sarif !== undefined) return [{ lines: f.sarif.split("\n") }];
    const missing = new Map(f.skipped.map(({ rule, name, why }) => [`${rule} ${name}`, why]));
    return [...f.findings.flatMap(findingLines), ...[...missing].map(([rule, why]) => `not checked: ${rule}: ${why}`), lintSummary(f)];
  },
});
