// Findings in SARIF 2.1.0 (OASIS), which code review shows beside the lines that it is about.

import { createHash } from "node:crypto";
import type { Finding, LintReport, Product } from "@firmseal/release";
import { ALL_RULES } from "@firmseal/release/internal";
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from "node-sarif-builder";
import about from "../../package.json" with { type: "json" };
import { visibleJson } from "./json.js";

/** A relative URI of a path, as results of a repository need it. */
const uriOf = (path: string) => path.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");

const physical = (path: string, line = 1) => ({
  physicalLocation: { artifactLocation: { uri: uriOf(path) }, region: { startLine: line } },
});

/**
 * Where a finding is shown: an envelope is not in the repository, so with a product file in the line of the board that
 * the release is for.
 */
function locations({ path, boards = [], waiver }: Finding, product: Product | undefined) {
  if (!product) return [physical(path)];
  const pointer = waiver !== undefined ? `/policy/waivers/${waiver}` : boards[0] !== undefined ? `/boards/${boards[0]}` : "/boards";
  return [physical(product.path, product.position(pointer).line)];
}

/**
 * The fingerprint of a finding does not depend on the run or on the name of the envelope, so that a service can
 * recognize it.
 */
function fingerprint({ rule, boards = [], message }: Finding): string {
  return createHash("sha256")
    .update(JSON.stringify([rule, boards, message]))
    .digest("hex");
}

function result(finding: Finding, product: Product | undefined): SarifResultBuilder {
  const { rule, severity, message, path, fix, waived } = finding;
  return new SarifResultBuilder({
    ruleId: rule,
    level: severity,
    message: { text: `${path}: ${message}. ${fix}` },
    locations: locations(finding, product),
    partialFingerprints: { "firmseal/v1": fingerprint(finding) },
    ...(product && finding.waiver === undefined && { relatedLocations: [{ ...physical(path), message: { text: "the release" } }] }),
    ...(waived && {
      suppressions: [{ kind: "external" as const, status: "accepted" as const, justification: `${waived.reason} (until ${waived.until})` }],
    }),
  });
}

/** A report as the text of a SARIF log. Rules that could not run become notifications. */
export function sarifOf({ findings, skipped, releases }: LintReport & { releases: readonly string[] }, product?: Product): string {
  const run = new SarifRunBuilder({
    defaultSourceLanguage: "toml",
    // the builder would guess languages
    artifacts: [...new Set([...(product ? [product.path] : []), ...releases])].map((path) => ({ location: { uri: uriOf(path) } })),
    invocations: [
      {
        executionSuccessful: true,
        toolExecutionNotifications: skipped.map(({ rule, path, why }) => ({
          level: "note" as const,
          message: { text: `${path}: not checked: ${why}` },
          associatedRule: { id: rule },
        })),
      },
    ],
  }).initSimple({ toolDriverName: "firmseal lint", toolDriverVersion: about.version });
  run.run.columnKind = "utf16CodeUnits";
  for (const { id, name, severity, title, why, fix } of ALL_RULES)
    run.addRule(
      new SarifRuleBuilder({
        id,
        name,
        shortDescription: { text: title },
        fullDescription: { text: why },
        help: { text: `${fix} docs/reference/lint.md explains the rule.` },
        defaultConfiguration: { level: severity },
      }),
    );
  for (const finding of findings) run.addResult(result(finding, product));
  const log = new SarifBuilder({ $schema: "https://json.schemastore.org/sarif-2.1.0.json" });
  log.addRun(run);
  return visibleJson(log.buildSarifJsonString({ indent: true }));
}
