import { join } from "node:path";
import { keyFacts } from "@firmseal/keys";
import { grouped, isSameFile } from "@firmseal/keys/internal";
import { LOST, type Product } from "@firmseal/release";
import {
  auditorPage,
  type Incident,
  type IncidentKind,
  managementPage,
  nameWords,
  rotatedTrust,
  runIncident,
} from "@firmseal/release/internal";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { askFor } from "../../common/ask.js";
import { allowStranded, failOnVerdicts, productFile } from "../../common/options.js";
import { writeOut } from "../../common/output.js";
import { faultsOf, planRefusal } from "../../common/release/cohorts.js";
import { boardsOfRows, boardWords, productAsked, versionedText } from "../../common/release/product-names.js";
import { KEY, membersOf } from "../../common/shapes.js";
import { RefusedWithFacts } from "../../show/render.js";

interface IncidentCommandOptions {
  product?: string;
  key?: string;
  trust?: string;
  fleet?: string;
  dir?: string;
  replacement?: string[];
  image?: string[];
  failOn?: string;
  allowStranded?: string[];
  json?: boolean;
}

/** The trust file of a product: the newest, but not the one that this incident has made. */
const trustOf = (product: Product, given: string | undefined, dir: string): Promise<string> => {
  const { carry } = product.trust;
  return rotatedTrust(product, given, carry === undefined || !isSameFile(carry, join(dir, "next.trust")));
};

/** Continues an incident, and writes both pages about it. */
async function incident(what: IncidentKind, o: IncidentCommandOptions) {
  const failOn = faultsOf(o.failOn, LOST);
  const product = await productAsked(o.product);
  const key = o.key ?? (await askFor("--key", "Which key? A public key file, or the thumbprint that firmseal trust show prints:"));
  const newest = product ? undefined : (o.trust ?? (await askFor("--trust", "Which is the newest trust file?")));
  const fleet =
    o.fleet ??
    (await askFor("--fleet", "Which file lists the devices in the field?", {
      give: "the devices in the field, docs/reference/fleet.md: --fleet FILE",
    }));
  const dir =
    o.dir ??
    (await askFor("--dir", "In which folder are the files of this incident kept?", {
      give: "a folder for the files of this incident: --dir FOLDER",
    }));
  const trust = product ? await trustOf(product, o.trust, dir) : (newest as string);
  const { replacement, image } = o;
  const found = await runIncident({ what, key, trust, fleet, dir, product, ...(replacement && { replacement }), ...(image && { image }) });
  const now = new Date();
  const [management, auditor] = [join(dir, "management.md"), join(dir, "auditor.md")];
  writeOut(management, Buffer.from(managementPage(found, now)));
  writeOut(auditor, Buffer.from(auditorPage(found, now)));
  const facts = factsOfIncident(found, [management, auditor], product);
  const failure = planRefusal(found.after, o.allowStranded ?? [], failOn);
  if (failure) throw new RefusedWithFacts(failure, facts);
  return facts;
}

const verdictOf = ({ name, names, devices, verdict, why, assumes }: Incident["after"][number]) => ({
  name,
  rows: names.length,
  devices,
  verdict,
  why,
  assumes,
});

function factsOfIncident(i: Incident, reports: readonly string[], product: Product | undefined) {
  const boards = boardsOfRows(product, i.fleet);
  const lines = (all: readonly string[]) => all.map((text) => versionedText(text, product));
  return {
    what: i.what,
    stage: i.stage,
    key: { ...keyFacts(i.key), roles: i.roles },
    trust: { before: formatSequence(i.current.store.sequence), after: formatSequence(i.next.sequence) },
    devices: i.devices,
    changes: lines(i.changes),
    warnings: lines(i.warnings),
    safe: lines(i.safe),
    unsafe: lines(i.unsafe),
    cohorts: i.after.map((one) => ({ ...verdictOf(one), ...boards(one.names) })),
    todo: i.todo,
    files: i.files,
    reports,
  };
}

const reasonWords = (reason: string | null) => (reason === null ? "" : `: ${reason}`);

const STAGE: { readonly [stage in Incident["stage"]]: string } = {
  list: "the roots must sign the next trust file",
  bridges: "the release keys must sign the bridges",
  "roll-out": "the devices must take the next trust file",
  safe: "the fleet is safe",
};

export default define({
  name: "incident",
  summary: "guide you from a stolen, lost, expired or leaked key to a safe fleet",
  arguments: [commandArgument("<what>", "what happened to the key", { choices: ["stolen", "lost", "expired", "debug-leaked"] })],
  options: () => [
    option("-k, --key <key>", "the key: its public key file, or its thumbprint"),
    productFile(),
    option("--trust <file>", "the newest trust file (default: that of the product file)"),
    option("--fleet <file>", "the devices in the field: .json, .jsonl or .csv"),
    option("--dir <folder>", "folder of the incident, made if it does not exist"),
    option("--replacement <key>", "public key that takes over the roles of the key", { repeat: true }),
    option(
      "--image <file>",
      "image that the devices run, for all of them, or COHORT=FILE (default: that of the last release of the product)",
      { repeat: true },
    ),
    failOnVerdicts(LOST),
    allowStranded(),
  ],
  examples: [
    [
      "firmseal incident stolen --key old.pub --replacement new.pub --fleet fleet.json --dir night",
      "in the folder of the product file; run it again after each step",
    ],
    [
      "firmseal incident stolen --key old.jwk --replacement new.jwk --trust fleet-2.trust --fleet fleet.json --image fw.bin --dir night",
      "makes the next trust file; run it again after each step",
    ],
    ["firmseal incident lost", "asks for missing options on a terminal"],
  ],
  json: {
    what: ["string", "what happened"],
    stage: ["string", "list, bridges, roll-out or safe"],
    key: ["object", "the key"],
    ...membersOf("key", { ...KEY, roles: ["string[]", "its roles"] }),
    trust: ["object", "sequence numbers of the trust files"],
    ...membersOf("trust", { before: ["string", "the newest one"], after: ["string", "the next one"] }),
    devices: ["number", "devices in the field"],
    changes: ["string[]", "what the next trust file changes"],
    warnings: ["string[]", "what becomes more dangerous with it"],
    safe: ["string[]", "what is safe now"],
    unsafe: ["string[]", "what is not safe now"],
    cohorts: ["object[]", "what happens to each cohort: rehearsed, or with the signed bridges"],
    ...membersOf("cohorts[]", {
      name: ["string", "name of the first cohort in this state"],
      rows: ["number", "how many rows of the fleet file are in it"],
      "boards?": ["string[]", "with a product file: their boards"],
      devices: ["number", "number of its devices"],
      verdict: ["string", "verdict, as of rotate plan"],
      why: ["string|null", "the reason"],
      assumes: ["string|null", "what the verdict assumes of the release that they run; null: nothing"],
    }),
    todo: ["string[]", "what to do next, in order"],
    files: ["string[]", "the next trust file, and its bridges, if it does not travel alone"],
    reports: ["string[]", "the page for management, and the page for the auditor"],
  },
  run: incident,
  words: (f) => [
    { text: `stage: ${f.stage}: ${STAGE[f.stage]}` },
    { text: `trust file ${f.trust.before} -> ${f.trust.after}, ${grouped(f.devices)} devices` },
    ...f.changes.map((text) => ({ text: `change: ${text}` })),
    ...f.safe.map((text) => ({ text: `safe now: ${text}` })),
    ...f.unsafe.map((text) => ({ text: `NOT SAFE NOW: ${text}`, danger: true })),
    ...f.cohorts.map(({ devices, verdict, why, assumes, boards, ...names }) => ({
      text: `${f.stage === "safe" ? "is" : "becomes"}: ${nameWords(names)}${boardWords(boards, ", ")}, ${grouped(devices)} devices: ${verdict}${reasonWords(why ?? assumes)}`,
    })),
    ...f.warnings.map((text) => `warning: ${text}`),
    ...f.todo.map((text, n) => ({ text: `${n + 1}. ${text}` })),
    ...f.reports.map((path) => `${path}: written`),
  ],
});
