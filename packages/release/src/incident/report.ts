// Two pages about an incident: one for management, and one for the auditor. Markdown, from the facts of runIncident().

import { existsSync } from "node:fs";
import { keyFacts, keyName } from "@firmseal/keys";
import { grouped, readAll, sha256Hex } from "@firmseal/keys/internal";
import { formatSequence } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import type { CohortResult } from "../rotation/plan/plan.js";
import { nameWords } from "../rotation/plan/verdict.js";
import type { Incident, IncidentStage } from "./incident.js";
import type { IncidentKind } from "./situation.js";

const HAPPENED: { readonly [what in IncidentKind]: string } = {
  stolen: "A signing key was stolen: an attacker may have it.",
  lost: "A signing key was lost: nobody can sign with it any more.",
  expired: "A signing key has expired: devices do not accept what it signs now.",
  "debug-leaked": "A debug key has leaked: an attacker may have it.",
};

const STAGES: { readonly [stage in IncidentStage]: string } = {
  list: "The next trust file is made. The root keys have to sign it.",
  bridges: "The next trust file is signed. The release keys have to sign the updates that bring it.",
  "roll-out": "Everything is signed. The devices have to install it.",
  safe: "Every device of this line has the next trust file. The incident is closed.",
};

const items = (lines: readonly string[], none: string) => (lines.length > 0 ? lines : [none]).map((line) => `- ${line}`);

function verdicts(results: readonly CohortResult[]): string[] {
  const rows = results.map(
    (r) =>
      `| ${nameWords({ name: r.name, rows: r.names.length })} | ${grouped(r.devices)} | ${r.trust.before ?? "-"} | ${r.trust.after ?? "-"} | ${r.verdict} | ${r.why ?? r.assumes ?? ""} |`,
  );
  return [
    "| Cohort | Devices | Trust file before | Trust file after | Verdict | Why |",
    "| --- | ---: | ---: | ---: | --- | --- |",
    ...rows,
  ];
}

/** Returns the page for people who decide: what happened, what is at risk, and what comes next. */
export function managementPage(i: Incident, now: Date): string {
  return [
    "# Incident report",
    "",
    `${now.toISOString().slice(0, 16).replace("T", " ")} UTC. ${HAPPENED[i.what]}`,
    "",
    "## Where we are",
    "",
    STAGES[i.stage],
    "",
    `${grouped(i.devices)} devices are in the field.`,
    "",
    "## Safe now",
    "",
    ...items(i.safe, "No device."),
    "",
    "## Not safe now",
    "",
    ...items(i.unsafe, "Nothing that is known."),
    "",
    "## What happens to the devices",
    "",
    ...verdicts(i.after),
    "",
    "## Next",
    "",
    ...items(i.todo, "Nothing is left to do."),
    "",
  ].join("\n");
}

/** Returns the page for people who check it later: keys, trust files, changes, files and their digests. */
export function auditorPage(i: Incident, now: Date): string {
  const { alg } = keyFacts(i.key);
  const files = [i.current.path, ...i.files].filter((path) => existsSync(path));
  return [
    "# Incident record",
    "",
    `Written ${now.toISOString()}.`,
    "",
    `- Case: ${i.what}`,
    `- Stage: ${i.stage}`,
    `- Key: ${alg}, thumbprint ${keyName(i.key)}, roles ${i.roles.join(" and ")}`,
    `- Current trust file: ${i.current.path}, sequence number ${formatSequence(i.current.store.sequence)}`,
    `- Next trust file: sequence number ${formatSequence(i.next.sequence)}`,
    "",
    "## What the next trust file changes",
    "",
    ...items(i.changes, "Nothing."),
    ...i.warnings.map((text) => `- Warning: ${text}`),
    "",
    "## The fleet as it is",
    "",
    ...verdicts(i.now),
    "",
    `## The fleet with the next trust file${i.stage === "list" || i.stage === "bridges" ? ", rehearsed" : ""}`,
    "",
    ...verdicts(i.after),
    "",
    "## Files",
    "",
    ...files.map((path) => `- ${path}: sha-256 ${sha256Hex(readAll(path, LIMITS.envelope))}`),
    "",
    "The logs of the keys have an entry for each signature. Compare them: firmseal audit LOG... FILE.trust...",
    "",
  ].join("\n");
}
