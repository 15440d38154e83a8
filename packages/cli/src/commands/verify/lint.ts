import { usage } from "@firmseal/keys/internal";
import { lintReleases, type Product } from "@firmseal/release";
import { lintFailure, POLICIES, type Policy, readPinnedTrust, SEVERITIES, type Severity, trustPins } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, payload, productFile, rootOptions, sarifOut } from "../../common/options.js";
import { checkSarif, findingLines, lintSummary, writeSarif } from "../../common/release/findings.js";
import { productAsked } from "../../common/release/product-names.js";
import { LINT } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

interface LintCommandOptions {
  product?: string;
  policy?: Policy;
  previousRelease?: string;
  trust?: string;
  root?: string[];
  previousTrust?: string;
  payload?: string[];
  sarifOut?: string;
  failOn: Severity;
}

/** The trust file of --trust, or that of the product. */
async function trustFor(o: LintCommandOptions, product: Product | undefined) {
  if (o.trust === undefined && (o.root || o.previousTrust !== undefined))
    throw usage("a root is for a trust file, and --trust is not given", "give --trust FILE, or drop it");
  const path = o.trust ?? product?.trust.file;
  if (path === undefined) return undefined;
  const { store } = await readPinnedTrust(path, o.trust === undefined && product ? trustPins(product) : o);
  return { path, store };
}

/** Checks releases against the rules. Signatures are not verified. */
async function lintCommand(given: string | undefined, o: LintCommandOptions) {
  const product = await productAsked(o.product);
  const path = given ?? product?.out;
  if (path === undefined)
    throw usage(
      "lint needs a release, or a product file in this folder",
      "name a release: firmseal lint FILE; or make a product file: firmseal init",
    );
  if (o.sarifOut !== undefined) checkSarif(o.sarifOut, [path, ...(product ? [product.path] : [])]);
  const trust = await trustFor(o, product);
  const report = await lintReleases(path, {
    ...(product && { product }),
    ...(trust && { trust }),
    ...(o.previousRelease !== undefined && { previousRelease: o.previousRelease }),
    ...(o.payload && { payload: o.payload }),
    ...(o.policy && { policies: [o.policy] }),
  });
  const { releases, findings, skipped } = report;
  if (o.sarifOut !== undefined) await writeSarif(o.sarifOut, report, product);
  const facts = { verified: false, releases, findings, skipped };
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
    option("--previous-release <path>", "envelope or folder of the previous release (default: the one in the folder of releases)"),
    option("--trust <file>", "trust file that devices have (default: that of the product)"),
    ...rootOptions(),
    payload(),
    sarifOut(),
    option("--fail-on <severity>", "lowest severity that causes exit code 1", { choices: SEVERITIES, default: "error" }),
    ...passphrases(),
  ],
  examples: [
    ["firmseal lint fw.suit --previous-release old.suit", "one release"],
    ["firmseal lint dist/1.4.2 --product firmseal.toml --fail-on warning", "all boards of a release, also stopping at warnings"],
    ["firmseal lint --sarif-out lint.sarif", "the last release of the product here, for code review"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    releases: ["string[]", "envelopes that were checked"],
    ...LINT,
  },
  run: lintCommand,
  words: (f) => {
    const missing = new Map(f.skipped.map(({ rule, name, why }) => [`${rule} ${name}`, why]));
    return [...f.findings.flatMap(findingLines), ...[...missing].map(([rule, why]) => `not checked: ${rule}: ${why}`), lintSummary(f)];
  },
});
