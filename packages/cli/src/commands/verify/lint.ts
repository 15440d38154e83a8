import { existsSync } from "node:fs";
import { CODES, Failure, usage } from "@firmseal/keys";
import {
  type Finding,
  lintReleases,
  type Policy,
  PRODUCT_FILE,
  type Product,
  readProduct,
  SEVERITIES,
  type Severity,
  verifiedTrust,
} from "@firmseal/release";
import { commandArgument, define, option } from "../../command.js";
import { CHOICES } from "../../common/choices.js";
import { passphrases, payload, productFile, rootOptions } from "../../common/options.js";
import { membersOf } from "../../common/shapes.js";
import { formatCount } from "../../common/words.js";
import { type Line, Refused } from "../../show/render.js";

const FORMATS = ["text", "json", "sarif"] as const;

export interface LintCommandOptions {
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
  const { store } = await verifiedTrust(path, o.trust !== undefined ? o : root.length > 0 ? { root: [...root] } : {});
  return { path, store };
}

function failureOf(findings: readonly Finding[], failOn: Severity): Failure | undefined {
  const worse = SEVERITIES.slice(0, SEVERITIES.indexOf(failOn) + 1);
  const failed = findings.filter(({ severity, waived }) => !waived && worse.includes(severity));
  const [first] = failed;
  if (!first) return undefined;
  const more = failed.length > 1 ? `, and ${formatCount(failed.length - 1)} more` : "";
  return new Failure(
    1,
    "LINT",
    CODES.LINT,
    `${first.path}: ${first.rule} ${first.name}: ${first.message}${more}`,
    `${first.fix} docs/reference/lint.md explains the rules`,
  );
}

/** Holds releases against the rules. Signatures are not verified. */
async function lintCommand(given: string | undefined, o: LintCommandOptions) {
  if (o.json && o.format === "sarif") throw usage("--json and --format sarif exclude each other", "give one of them");
  const product = o.product !== undefined || existsSync(PRODUCT_FILE) ? readProduct(o.product ?? PRODUCT_FILE) : undefined;
  const path = given ?? product?.out;
  if (path === undefined)
    throw usage("no release is named, and there is no product file here", "firmseal lint FILE, or firmseal init first");
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
  const failure = failureOf(findings, o.failOn);
  if (failure) throw new Refused(failure, facts);
  return facts;
}

type Facts = Awaited<ReturnType<typeof lintCommand>>;

function summary({ releases, findings, skipped }: Facts): string {
  const open = findings.filter(({ waived }) => !waived);
  const counts = SEVERITIES.flatMap((one) => {
    const n = open.filter(({ severity }) => severity === one).length;
    return n === 0 ? [] : [`${formatCount(n)} ${one}${n === 1 ? "" : "s"}`];
  });
  const waived = findings.length - open.length;
  const parts = [counts.join(", ") || "no findings", ...(waived > 0 ? [`${formatCount(waived)} waived`] : [])];
  const unchecked = new Set(skipped.map(({ rule }) => rule)).size;
  if (unchecked > 0) parts.push(`${formatCount(unchecked)} rules not checked`);
  return `${formatCount(releases.length)} ${releases.length === 1 ? "release" : "releases"}: ${parts.join("; ")} (signatures not verified)`;
}

function findingLines({ path, severity, rule, name, message, fix, waived }: Finding): Line[] {
  const state = waived ? `waived until ${waived.until} (${waived.reason})` : severity;
  return [
    { text: `${path}: ${state}: ${message} [${rule} ${name}]`, danger: severity === "error" && !waived },
    ...(waived ? [] : [{ text: `  ${fix}` }]),
  ];
}

export default define({
  name: "lint",
  summary: "hold a release against rules about keys, numbers, devices, images and installation",
  arguments: [commandArgument("[file]", "envelope, - for stdin, or folder with releases (default: the last release of the product)")],
  options: () => [
    productFile(),
    option("--policy <name>", "further rules: cnsa2 for CNSA 2.0", { choices: CHOICES.policy }),
    option("--previous <file>", "envelope or folder of the release before (default: the one in the folder of releases)"),
    option("--trust <file>", "trust file that devices have (default: that of the product)"),
    ...rootOptions(),
    payload(),
    option("--format <format>", "how findings are written", { choices: FORMATS, default: "text" }),
    option("--fail-on <severity>", "mildest finding that causes exit code 1", { choices: CHOICES.severity, default: "error" }),
    ...passphrases(),
  ],
  examples: [
    ["firmseal lint fw.suit --previous old.suit", "one release"],
    ["firmseal lint dist/1.4.2 --product firmseal.toml --fail-on warning", "all boards of a release, also stopping at warnings"],
    ["firmseal lint --format sarif > lint.sarif", "the last release of the product here, for code review"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    releases: ["string[]", "envelopes that were looked at"],
    findings: ["object[]", "what was found"],
    ...membersOf("findings[]", {
      rule: ["string", "number of the rule"],
      name: ["string", "its name"],
      severity: ["string", "error, warning or note"],
      path: ["string", "the envelope; for a finding about a waiver the product file"],
      message: ["string", "what was found"],
      fix: ["string", "what to do about it"],
      "boards?": ["string[]", "with a product file: boards that the release is for"],
      "waiver?": ["number", "for a finding about a waiver: its place in the list, from 0"],
      "waived?": ["object", "the waiver that accepts it"],
      ...membersOf("waived?", { reason: ["string", "why"], until: ["string", "its last day"] }),
    }),
    skipped: ["object[]", "rules that could not look"],
    ...membersOf("skipped[]", {
      rule: ["string", "number of the rule"],
      name: ["string", "its name"],
      path: ["string", "the envelope"],
      why: ["string", "what is missing"],
    }),
  },
  run: lintCommand,
  words: (f) => {
    if (f.sarif !== undefined) return [{ text: f.sarif }];
    const missing = new Map(f.skipped.map(({ rule, name, why }) => [`${rule} ${name}`, why]));
    return [...f.findings.flatMap(findingLines), ...[...missing].map(([rule, why]) => `not checked: ${rule}: ${why}`), summary(f)];
  },
});
