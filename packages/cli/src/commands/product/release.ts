import type { ReleaseRecord } from "@firmseal/behaviour";
import { type ClockOverride, Failure, type SequenceOverrides } from "@firmseal/keys";
import { keyWords, notice, type PassphraseOptions, passphraseOptions, plural, shellWord, visible, warn } from "@firmseal/keys/internal";
import { makeRelease, type Product, planRelease, readProduct } from "@firmseal/release";
import {
  type ApprovalOptions,
  approvalProgress,
  PRODUCT_FILE,
  type ReleaseLint,
  releaseChanges,
  triedPlan,
} from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import {
  allowOutside,
  allowRootKey,
  allowTestKey,
  approvals,
  coseAlgOption,
  imagesFolder,
  keys,
  passphrases,
  policyRoles,
  previousReleaseOption,
  productFile,
  sarifOut,
  sequenceChecks,
  sequenceNumber,
} from "../../common/options.js";
import { checkSarif, findingLines, lintCounts, writeSarif } from "../../common/release/findings.js";
import {
  changeFacts,
  changeLines,
  givenUpWords,
  imageTable,
  lastKnown,
  planned,
  referenceLines,
  references,
  shown,
} from "../../common/release/release-facts.js";
import { showReview } from "../../common/release/review.js";
import { APPROVAL, approvalLines, progressFacts, progressLines, refuseInRelease, SIGNATURES } from "../../common/release/signatures.js";
import { DIFFERENCE, KEY, LINT, membersOf, RECEIPTS } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";
import { LiveLines } from "../../show/live.js";

interface ReleaseCommandOptions extends PassphraseOptions, SequenceOverrides, ClockOverride, ApprovalOptions {
  version: string;
  product?: string;
  allowOutside?: string[];
  images?: string;
  out?: string;
  previousRelease?: string;
  diff?: string;
  role?: "release" | "recovery" | "debug";
  sarifOut?: string;
  seq?: bigint;
  first?: boolean;
  log?: string;
  allowTestKey?: string[];
  allowRootKey?: boolean;
  coseAlg?: string[];
  dryRun?: boolean;
  key?: string[];
  unsigned?: boolean;
  json?: boolean;
}

/** Checks that the file of --sarif-out can be written and is outside the release folder. */
function checkSarifOutside(path: string, productPath: string, folder: string): void {
  refuseInRelease(path, "--sarif-out", folder);
  checkSarif(path, [productPath]);
}

/**
 * Runs `work`, which includes linting. Writes findings to --sarif-out, and shows them if they are why the release is
 * refused.
 */
async function withFindings<T>(
  o: ReleaseCommandOptions,
  product: Product,
  work: (linted: (report: ReleaseLint) => void) => Promise<T>,
): Promise<T> {
  let report: ReleaseLint | undefined;
  try {
    return await work((one) => {
      report = one;
    });
  } catch (e) {
    if (!(e instanceof Failure && e.code === "ERR_LINT" && report)) throw e;
    for (const { path, severity, message, rule, name, waived } of report.findings)
      if (severity !== "note" && !waived)
        notice(visible(`${path}: ${severity}: ${message} [${rule} ${name}]`), severity === "error" ? "danger" : undefined);
    e.facts = { lint: report };
    throw e;
  } finally {
    if (o.sarifOut !== undefined && report) await writeSarif(o.sarifOut, report, product);
  }
}

/** Makes a release of all boards of a product, or of those that are named. */
async function release(boards: string[], o: ReleaseCommandOptions) {
  const product = readProduct(o.product ?? PRODUCT_FILE, o.allowOutside, o.images);
  return withFindings(o, product, (linted) => releaseProduct(product, boards, o, linted));
}

async function releaseProduct(product: Product, boards: string[], o: ReleaseCommandOptions, linted: (report: ReleaseLint) => void) {
  const { json: _, product: _file, allowOutside: _outside, images: _images, sarifOut: _sarif, key, ...rest } = o;
  const lines = new LiveLines();
  const first = await planRelease(product, {
    ...rest,
    ...(key && { keys: key }),
    boards,
    passphrases: passphraseOptions(o),
    progress: (board, stage, state) => lines.set(board, stage, state),
    linted,
    ...(o.sarifOut !== undefined && { into: (folder: string) => checkSarifOutside(o.sarifOut as string, product.path, folder) }),
  });
  // with a key, simulate power cuts only after the key and its logs have accepted the release
  const plan = o.dryRun ? await triedPlan(first) : first;
  const changes = async (sequence: bigint | undefined) =>
    o.diff === undefined ? {} : { changes: (await releaseChanges(plan, o.diff, sequence)).map((one) => changeFacts(one, product)) };
  const planSequence = plan.sequence === "log" ? undefined : plan.sequence;
  lines.end();
  if (o.dryRun && product.approval.keys.length > 0 && planSequence !== undefined) await showReview(plan);
  const facts = {
    product: product.name,
    version: plan.version,
    role: o.role ?? "release",
    folder: plan.folder,
    ...lastKnown(plan),
  };
  if (o.dryRun)
    return {
      ...facts,
      boards: planned(plan, plan.cuts),
      references: await references(plan),
      state: plan.existing ? "unchanged" : "planned",
      sequence: planSequence === undefined ? null : String(planSequence),
      artifacts: [],
      signers: [],
      log: [],
      signatures: [],
      approval: (await approvalProgress(plan)) ?? null,
      lint: plan.lint,
      ...(await changes(planSequence)),
    };
  // reports what cannot be compared before anything is signed
  const known = await changes(planSequence);
  const { record, written, receipts, cuts, lint, progress } = await makeRelease(plan);
  return {
    ...facts,
    boards: planned(plan, cuts),
    references: undefined,
    state: written ? (record.missing.length > 0 ? "incomplete" : "released") : "unchanged",
    sequence: record.sequence,
    artifacts: record.artifacts.map(shown),
    signers: signersOf(record),
    log: receipts,
    signatures: progressFacts(progress),
    approval: (await approvalProgress(plan)) ?? null,
    lint,
    ...(planSequence === undefined ? await changes(BigInt(record.sequence)) : known),
  };
}

function signersOf(record: ReleaseRecord) {
  const { artifacts } = record;
  for (const name of new Set(artifacts.flatMap(({ testKeys }) => testKeys)))
    warn(`signed with the published test key ${name}: anybody can sign with it`);
  const signers = artifacts.flatMap((one) => one.signers);
  return [...new Map(signers.map(({ alg, kid, thumbprint }) => [thumbprint, { kid, alg, thumbprint }])).values()];
}

const STATE_WORDS = {
  planned: "would be released",
  released: "released",
  incomplete: "made, and others still have to sign it",
  unchanged: "already exists, with the same content",
};

export default define({
  name: "release",
  summary: "make a release of a product: sign, check and record all boards, or write nothing if one fails",
  arguments: [commandArgument("[boards...]", "boards of the product (default: all)")],
  options: () => [
    option("--version <version>", "version of the release: 1.4.2, 1.5.0-rc.1, 1.4.2+7", { required: true }),
    productFile(),
    allowOutside(),
    imagesFolder(),
    option(
      "-o, --out <folder>",
      "folder of releases; the release is a folder in it, named after the version (default: from the product file)",
    ),
    keys("private key to sign with, instead of the keys in the product file", false),
    option("--unsigned", "make the release without signatures: people sign it later, with firmseal sign and the folder"),
    option("--dry-run", "show what would be released, without a key and without writing"),
    previousReleaseOption(),
    option("--diff <path>", "show what changes for devices since this release, which also counts as --previous-release"),
    option("--role <name>", "with a trust file: role of the keys that sign (default: release)", { choices: policyRoles }),
    sarifOut(),
    option("--seq <n>", 'sequence number, if the product file says source = "given"', { parse: sequenceNumber }),
    option("--first", "confirm that nothing has been released yet"),
    ...passphrases(),
    ...sequenceChecks(),
    ...approvals(),
    coseAlgOption(),
    allowRootKey(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal release --version 1.4.2", "all boards of firmseal.toml, into dist/1.4.2"],
    ["firmseal release --version 1.5.0-rc.1 esp32 --out candidates", "one board, into another folder"],
    ["firmseal release --version 1.4.2 --dry-run --diff dist/1.4.1", "what the release would contain and change; needs no key"],
  ],
  json: {
    product: ["string", "name of the product"],
    version: ["string", "version of the release"],
    role: ["string", "role of the keys that sign"],
    sequence: ["string|null", "sequence number; null with --dry-run, if the log of the key decides"],
    state: ["string", "released, incomplete (others still have to sign), unchanged (it already existed) or planned (--dry-run)"],
    folder: ["string", "folder of the release"],
    boards: ["object[]", "boards of the release"],
    ...membersOf("boards[]", {
      board: ["string", "name of the board"],
      classes: ["string[]", "its classes"],
      for: ["string|null", "consumer that its devices verify with; null: the bundles of firmseal"],
      images: ["object[]", "its images"],
      ...membersOf("images[]", {
        path: ["string", "file from the build"],
        real: ["string", "where it is, with links resolved"],
        component: ["string", "component that gets it"],
        slot: ["string|null", "a or b, if it is for one slot"],
        size: ["number", "its length in bytes"],
        slotSize: ["number|null", "bytes of its slot; null if the product file does not say"],
        digest: ["string", "its SHA-256"],
        uri: ["string", "its URI; # inside the envelope"],
        file: ["string|null", "its file in the release; null: in the envelope"],
      }),
      "cuts?": ["number", "power cuts that were tried"],
      "cutsDuringRecovery?": ["number", "power cuts during the recovery from each"],
    }),
    "references?": ["object", "with --dry-run: what the product file leads to"],
    ...membersOf("references?", {
      product: ["string", "the product file, with links resolved"],
      keys: ["string[]", "references of the keys that would sign"],
      reads: ["string[]", "other files and folders that it names: trust, keys, bill of materials, earlier releases"],
      writes: ["string", "folder of the release"],
      members: ["object[]", "members of the product file that name keys, paths, targets, devices or waivers"],
      ...membersOf("members[]", {
        member: ["string", "JSON Pointer of the member"],
        refersTo: ["string", "what it names: key, recipient, path, program, target, ledger, device or waiver"],
        value: ["string", "its text"],
        path: ["string|null", "the file that it leads to, with links resolved, from the folder of the product file"],
        sha256: ["string|null", "SHA-256 of that file, unless it may have a secret"],
        startsProgram: ["boolean", "whether it starts a program, or loads a library"],
      }),
      thumbprints: ["string[]", "keys that devices trust, as far as public files of the product name them"],
    }),
    artifacts: ["object[]", "files of the release; release.json has more about them"],
    ...membersOf("artifacts[]", {
      kind: ["string", "envelope or payload"],
      file: ["string", "name of the file"],
      board: ["string", "its board"],
      component: ["string|null", "component that gets a payload"],
      slot: ["string|null", "a or b, if a payload is for one slot"],
      size: ["number", "its length in bytes"],
      uri: ["string|null", "where devices fetch a payload"],
      digest: ["string", "its SHA-256"],
    }),
    signers: ["object[]", "keys that signed"],
    ...membersOf("signers[]", KEY),
    ...RECEIPTS,
    signatures: ["object[]", "who has signed each board, and who still has to; empty with --dry-run"],
    ...membersOf("signatures[]", SIGNATURES),
    approval: ["object|null", "who has approved it; null if the product file requires nobody"],
    ...membersOf("approval", APPROVAL),
    compared: ["boolean", "whether an earlier release is known here, and its versions and numbers were compared"],
    previous: ["object|null", "the last release that is known here; null: none"],
    ...membersOf("previous", {
      path: ["string", "its folder or file"],
      version: ["string", "its version"],
      sequence: ["string", "its sequence number"],
    }),
    lint: ["object", "what firmseal lint finds; with --dry-run without rules about signatures"],
    ...membersOf("lint", { releases: ["string[]", "envelopes that were checked"], ...LINT }),
    "changes?": ["object[]", "with --diff: what changes for devices, board by board"],
    ...membersOf("changes?[]", {
      board: ["string", "name of the board"],
      state: ["string", "changed, new or gone"],
      before: ["object|null", "the envelope before; null if there is none"],
      ...membersOf("before", { file: ["string", "its path"], version: ["string", "its version"] }),
      difference: ["object|null", "what changes, as in diff"],
      ...membersOf("difference", DIFFERENCE),
      lines: ["string[]", "the same in words"],
    }),
  },
  run: release,
  words: (f) => {
    const by = f.signers.length > 0 ? `, signed by ${f.signers.map(keyWords).join(", ")}` : "";
    const isHidden = f.lint.skipped.length > 0 || f.lint.findings.some(({ severity, waived }) => severity === "note" || waived);
    const number = f.sequence === null ? "the next sequence number of the log" : `sequence number ${f.sequence}`;
    return [
      imageTable(f.boards),
      ...f.lint.findings.filter(({ severity, waived }) => severity !== "note" && !waived).flatMap(findingLines),
      ...(f.changes ?? []).flatMap(changeLines).map((text) => ({ text })),
      ...givenUpWords(f.boards),
      ...(f.references ? referenceLines(f.references, f.boards) : []),
      // who approves a candidate must see that nothing stops a lower number, or other content under a used version
      ...(f.state === "planned"
        ? [f.previous ? `compared with ${f.previous.version}: ${f.previous.path}` : "no earlier release is compared"]
        : []),
      ...receiptWords(f.log),
      // the power was not cut again, so there is less than lint finds
      f.state === "unchanged"
        ? `lint: firmseal lint ${shellWord(f.folder)} checks it again`
        : `lint: ${lintCounts(f.lint)}${isHidden && f.state !== "planned" ? `; firmseal lint ${shellWord(f.folder)} shows them` : ""}`,
      `${f.folder}: ${f.product} ${f.version} ${STATE_WORDS[f.state as keyof typeof STATE_WORDS]}, ${plural(f.boards.length, "board")}, ${number}${by}`,
      ...(f.signatures.some(({ complete }) => !complete) ? progressLines(f.folder, f.signatures) : []),
      ...approvalLines(f.folder, f.approval),
      ...(f.approval?.complete === false && f.state !== "planned"
        ? [`have it approved: firmseal approve ${shellWord(f.folder)} --key APPROVER`]
        : []),
    ];
  },
});
