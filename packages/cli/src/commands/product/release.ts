import { resolve, sep } from "node:path";
import type { ReleaseRecord } from "@firmseal/behaviour";
import type { ClockOverride, SequenceOverrides } from "@firmseal/keys";
import { keyWords, type PassphraseOptions, passphraseOptions, plural, STDIO, shellWord, usage, warn } from "@firmseal/keys/internal";
import { type DoneRelease, makeRelease, type Product, planRelease, type ReleasePlan, readProduct, signBootImages } from "@firmseal/release";
import {
  type ApprovalOptions,
  approvalProgress,
  joinReleases,
  lintCounts,
  PRODUCT_FILE,
  planJoin,
  productOption,
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
import { checkSarif, findingLines, lintLine, openFindings, RELEASE_LINT, withFindings, writeSarif } from "../../common/release/findings.js";
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
import { APPROVAL, approvalLines, progressFacts, progressLines, SIGNATURES, signLine } from "../../common/release/signatures.js";
import { DIFFERENCE, KEY, membersOf, RECEIPTS, WITHDRAWAL } from "../../common/shapes.js";
import { receiptWords, withdrawnFacts, withdrawnNames } from "../../common/words.js";
import { LiveLines } from "../../show/live.js";

interface ReleaseCommandOptions extends PassphraseOptions, SequenceOverrides, ClockOverride, ApprovalOptions {
  version?: string;
  join?: boolean;
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
  if (path !== STDIO && `${resolve(path)}${sep}`.startsWith(`${resolve(folder)}${sep}`))
    throw usage(`--sarif-out ${path} is in the folder of the release`, "name a file elsewhere");
  checkSarif(path, [productPath]);
}

/** Runs `work`, which includes linting. Writes findings to --sarif-out, even those that stop the release. */
async function withSarif<T>(
  o: ReleaseCommandOptions,
  product: Product,
  work: (linted: (report: ReleaseLint) => void) => Promise<T>,
): Promise<T> {
  let report: ReleaseLint | undefined;
  try {
    return await withFindings(work, (one) => {
      report = one;
    });
  } finally {
    if (o.sarifOut !== undefined && report) await writeSarif(o.sarifOut, report, product);
  }
}

/** Makes a release of all boards of a product, or of those that are named; or joins releases of some boards. */
async function release(names: string[], o: ReleaseCommandOptions) {
  if (o.join) return joinFolders(names, o);
  const { version } = o;
  if (version === undefined)
    throw usage(
      "option '--version <version>' is missing",
      `for example: firmseal release --version 1.4.2${productOption(o.product)}; for the first release, add --first`,
    );
  const product = readProduct(o.product ?? PRODUCT_FILE, o.allowOutside, o.images);
  return withSarif(o, product, (linted) => releaseProduct(product, names, { ...o, version }, linted));
}

/** What a release that is joined from others can be told: the jobs that made these have answered everything else. */
const OF_JOIN: readonly string[] = ["join", "version", "product", "allowOutside", "out", "previousRelease", "role", "json"];

/** Joins releases of some boards, which separate jobs have made. Opens no key. */
async function joinFolders(folders: readonly string[], o: ReleaseCommandOptions) {
  const other = Object.keys(o).find((name) => !OF_JOIN.includes(name));
  if (other !== undefined) throw usage(`\`${other}\` is not for --join, which signs nothing`, "drop it: give it to the jobs that release");
  if (folders.length === 0) throw usage("--join: no folder is given", "name the folders of the releases: firmseal release --join parts/*");
  const product = readProduct(o.product ?? PRODUCT_FILE, o.allowOutside);
  const { version, out, previousRelease, role } = o;
  return withFindings(async (linted) => {
    const plan = await planJoin(product, folders, {
      ...(version !== undefined && { version }),
      ...(out !== undefined && { out }),
      ...(previousRelease !== undefined && { previousRelease }),
      ...(role !== undefined && { role }),
      linted,
    });
    const done = await joinReleases(plan);
    return {
      ...factsOf(plan),
      ...(await doneFacts(plan, done)),
      changes: undefined,
      ...(done.written && isWhole(done) && { state: "joined" }),
    };
  });
}

const isWhole = ({ record }: DoneRelease): boolean => record.missing.length === 0;

const factsOf = (plan: ReleasePlan) => ({
  product: plan.product.name,
  version: plan.version,
  role: plan.options.role ?? "release",
  folder: plan.folder,
  ...lastKnown(plan),
});

/** The withdrawn releases that a record names. */
const namedIn = ({ withdrawn }: Pick<ReleaseRecord, "withdrawn">) => ({ withdrawn: withdrawnFacts(withdrawn) });

const doneFacts = async (plan: ReleasePlan, done: DoneRelease) => ({
  boards: planned(plan, done.cuts),
  references: undefined,
  state: done.written ? (isWhole(done) ? "released" : "incomplete") : "unchanged",
  sequence: done.record.sequence,
  artifacts: done.record.artifacts.map(shown),
  signers: signersOf(done.record),
  log: done.receipts,
  signatures: progressFacts(done.progress),
  approval: (await approvalProgress(plan)) ?? null,
  lint: done.lint,
  ...namedIn(done.record),
});

async function releaseProduct(
  product: Product,
  boards: string[],
  o: ReleaseCommandOptions & { version: string },
  linted: (report: ReleaseLint) => void,
) {
  const { json: _, product: _file, allowOutside: _outside, images: _images, sarifOut: _sarif, key, ...rest } = o;
  const lines = new LiveLines();
  const options = {
    ...rest,
    ...(key && { keys: key }),
    boards,
    passphrases: passphraseOptions(o),
    progress: (board: string, stage: string, state?: "passing") => lines.set(board, stage, state),
    linted,
    ...(o.sarifOut !== undefined && { into: (folder: string) => checkSarifOutside(o.sarifOut as string, product.path, folder) }),
  };
  const boots = o.dryRun ? [] : await signBootImages(product, options);
  for (const { board, path } of boots) lines.set(board, `signed for its boot loader, ${path}`);
  const first = await planRelease(product, options);
  // with a key, simulate power cuts only after the key and its logs have accepted the release
  const plan = o.dryRun ? await triedPlan(first) : first;
  const changes = async (sequence: bigint | undefined) =>
    o.diff === undefined ? {} : { changes: (await releaseChanges(plan, o.diff, sequence)).map((one) => changeFacts(one, product)) };
  const planSequence = plan.sequence === "log" ? undefined : plan.sequence;
  lines.end();
  if (o.dryRun && product.approval.keys.length > 0 && planSequence !== undefined) await showReview(plan);
  const facts = factsOf(plan);
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
      ...namedIn(plan.existing ?? plan),
      ...(await changes(planSequence)),
    };
  // reports what cannot be compared before anything is signed
  const known = await changes(planSequence);
  const done = await makeRelease(plan);
  return {
    ...facts,
    ...(await doneFacts(plan, done)),
    log: [...boots.flatMap(({ receipts }) => receipts), ...done.receipts],
    ...(planSequence === undefined ? await changes(BigInt(done.record.sequence)) : known),
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
  joined: "joined",
};

export default define({
  name: "release",
  summary: "make a release of a product: sign, check and record all boards, or write nothing if one fails",
  arguments: [commandArgument("[boards...]", "boards of the product (default: all); with --join, folders of releases")],
  options: () => [
    option("--version <version>", "version of the release: 1.4.2, 1.5.0-rc.1, 1.4.2+7; required without --join"),
    option("--join", "make one release of releases of some boards, which separate jobs have made: the arguments are their folders"),
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
    ["firmseal release --join parts/esp32 parts/puck", "one release of two, each of one board, which separate jobs have made"],
    ["firmseal release --version 1.4.2 --dry-run --diff dist/1.4.1", "what the release would contain and change; needs no key"],
  ],
  json: {
    product: ["string", "name of the product"],
    version: ["string", "version of the release"],
    role: ["string", "role of the keys that sign"],
    sequence: ["string|null", "sequence number; null with --dry-run, if the log of the key decides"],
    state: ["string", "released, joined, incomplete (others still have to sign), unchanged (it already existed) or planned (--dry-run)"],
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
    ...membersOf("lint", RELEASE_LINT),
    withdrawn: ["object[]", "withdrawn releases that release.json names; with --dry-run, as far as they are known without a key"],
    ...membersOf("withdrawn[]", WITHDRAWAL),
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
  words: (f, _names, o) => {
    const by = f.signers.length > 0 ? `, signed by ${f.signers.map(keyWords).join(", ")}` : "";
    const named = `${shellWord(f.folder)}${productOption(o.product)}`;
    const isSigned = f.state !== "planned" && f.signatures.every(({ complete }) => complete);
    const number = f.sequence === null ? "the next sequence number of the log" : `sequence number ${f.sequence}`;
    return [
      imageTable(f.boards),
      ...openFindings(f.lint).flatMap(findingLines),
      ...(f.changes ?? []).flatMap(changeLines).map((text) => ({ text })),
      ...givenUpWords(f.boards),
      ...(f.references ? referenceLines(f.references, f.boards) : []),
      // who approves a candidate must see that nothing stops a lower number, or other content under a used version
      ...(f.state === "planned"
        ? [f.previous ? `compared with ${f.previous.version}: ${f.previous.path}` : "no earlier release is compared"]
        : []),
      ...receiptWords(f.log),
      f.state === "planned" ? `lint: ${lintCounts(f.lint)}` : lintLine(f.lint, f.folder, o.product),
      `${f.folder}: ${f.product} ${f.version} ${STATE_WORDS[f.state as keyof typeof STATE_WORDS]}, ${plural(f.boards.length, "board")}, ${number}${by}`,
      ...(f.withdrawn.length > 0 ? [`${f.folder}/release.json: ${withdrawnNames(f.withdrawn)}`] : []),
      ...(f.signatures.some(({ complete }) => !complete) ? progressLines(f.folder, f.signatures) : []),
      // those who signed have asked for the approvals, of each part of a joined release
      ...(isSigned && f.approval?.complete === false ? [] : approvalLines(f.folder, f.approval)),
      ...(isSigned || f.state === "planned"
        ? []
        : f.approval?.complete === false
          ? [`have it approved: firmseal approve ${named} --key APPROVER`]
          : [signLine(f.folder, o.product)]),
    ];
  },
});
