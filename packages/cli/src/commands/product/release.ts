import { keyWords, notice, type PassphraseOptions, passphraseOptions, type SequenceOverrides, visible, warn } from "@firmseal/keys";
import {
  type ApprovalOptions,
  type Artifact,
  type ConsumerName,
  consumerNames,
  consumerOf,
  makeRelease,
  PRODUCT_FILE,
  planRelease,
  type ReleasePlan,
  type ReleaseRecord,
  readProduct,
} from "@firmseal/release";
import { commandArgument, define, option } from "../../command.js";
import {
  allowRootKey,
  allowTestKey,
  approvals,
  coseAlg,
  passphrases,
  productFile,
  sequenceChecks,
  sequenceNumber,
} from "../../common/options.js";
import { KEY, membersOf, RECEIPTS } from "../../common/shapes.js";
import { plural, receiptWords } from "../../common/words.js";

export interface ReleaseCommandOptions extends PassphraseOptions, SequenceOverrides, ApprovalOptions {
  version: string;
  product?: string;
  out?: string;
  previous?: string;
  seq?: bigint;
  first?: boolean;
  log?: string;
  allowTestKey?: string[];
  allowRootKey?: boolean;
  coseAlg?: string[];
  dryRun?: boolean;
  json?: boolean;
}

/** What a release has, or would have: without a key, nothing is known of its envelopes. */
type ArtifactFacts = Pick<Artifact, "kind" | "file" | "board" | "component" | "slot" | "size" | "uri" | "digest">;

const shown = ({ kind, file, board, component, slot, size, uri, digest }: ArtifactFacts): ArtifactFacts => ({
  kind,
  file,
  board,
  component,
  slot,
  size,
  uri,
  digest,
});

/** The images of a plan, in the envelope or beside it. */
function planned(plan: ReleasePlan) {
  return plan.boards.map(({ board, images }) => ({
    board: board.name,
    classes: [...board.classes],
    for: board.for ?? null,
    images: images.map(({ path, component, slot, bytes, digest, uri, file }) => ({
      path,
      component,
      slot: slot ?? null,
      size: bytes.length,
      digest: `sha-256:${digest}`,
      uri,
      file: file ?? null,
    })),
    ...plan.cuts.get(board.name),
  }));
}

/** Makes a release of all boards of a product, or of those that are named. */
async function release(boards: string[], o: ReleaseCommandOptions) {
  const product = readProduct(o.product ?? PRODUCT_FILE);
  const { json: _, product: _file, ...rest } = o;
  const plan = await planRelease(product, {
    ...rest,
    boards,
    passphrases: passphraseOptions(o),
    progress: (board, stage) => notice(`${visible(board)}: ${stage}`),
  });
  const facts = { product: product.name, version: plan.version, folder: plan.folder, boards: planned(plan) };
  if (o.dryRun)
    return {
      ...facts,
      state: plan.existing ? "unchanged" : "planned",
      sequence: plan.sequence === "log" ? null : String(plan.sequence),
      artifacts: [],
      signers: [],
      log: [],
    };
  if (!plan.existing && plan.sequence !== "log" && plan.known.length === 0 && !o.first) warnOfNothingKnown(plan);
  const { record, written, receipts } = await makeRelease(plan);
  return {
    ...facts,
    state: written ? "released" : "unchanged",
    sequence: record.sequence,
    artifacts: record.artifacts.map(shown),
    signers: signersOf(record),
    log: receipts,
  };
}

function warnOfNothingKnown({ version }: ReleasePlan): void {
  notice(`no earlier release is known here: whether ${version} was released elsewhere with other content is not checked (--previous DIR)`);
}

function signersOf(record: ReleaseRecord) {
  const [first] = record.artifacts as readonly [Artifact];
  for (const name of first.testKeys) warn(`signed with the published test key ${name}: anybody can sign with it`);
  return first.signers.map(({ alg, kid, thumbprint }) => ({ kid, alg, thumbprint }));
}

/** What the releases for each consumer do without. */
function givenUpWords(boards: readonly { board: string; for: ConsumerName | null }[]): string[] {
  return consumerNames.flatMap((name) => {
    const own = boards.filter((one) => one.for === name).map(({ board }) => board);
    return own.length > 0 ? [`for ${name} (${own.join(", ")}), given up: ${consumerOf(name).givenUp}`] : [];
  });
}

const STATE_WORDS = { planned: "would be released", released: "released", unchanged: "is there already, with the same content" };

export default define({
  name: "release",
  summary: "make a release of a product: sign, check and record every board, or none",
  arguments: [commandArgument("[boards...]", "boards of the product (default: all)")],
  options: () => [
    option("--version <version>", "version of the release: 1.4.2, 1.5.0-rc.1, 1.4.2+7", { required: true }),
    productFile(),
    option(
      "-o, --out <dir>",
      "folder of releases; the release is a folder in it, named after the version (default: that of the product file)",
    ),
    option("--dry-run", "show what would be released, without a key and without writing"),
    option("--previous <path>", "what was published last: a folder of releases, a release, or an envelope"),
    option("--seq <n>", "sequence number, if the product file says that numbers are given", { parse: sequenceNumber }),
    option("--first", "nothing was released yet"),
    ...passphrases(),
    ...sequenceChecks(),
    ...approvals(),
    coseAlg(),
    allowRootKey(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal release --version 1.4.2", "all boards of firmseal.toml, into dist/1.4.2"],
    ["firmseal release --version 1.5.0-rc.1 esp32 --out candidates", "one board, into another folder"],
    ["firmseal release --version 1.4.2 --dry-run", "what would be in it: needs no key"],
  ],
  json: {
    product: ["string", "name of the product"],
    version: ["string", "version of the release"],
    sequence: ["string|null", "sequence number; null with --dry-run, if the log of the key decides"],
    state: ["string", "released, unchanged (it was there already) or planned (--dry-run)"],
    folder: ["string", "folder of the release"],
    boards: ["object[]", "boards of the release"],
    ...membersOf("boards[]", {
      board: ["string", "name of the board"],
      classes: ["string[]", "its classes"],
      for: ["string|null", "consumer that its devices verify with; null: the bundles of firmseal"],
      images: ["object[]", "its images"],
      ...membersOf("images[]", {
        path: ["string", "file from the build"],
        component: ["string", "component that gets it"],
        slot: ["string|null", "a or b, if it is for one slot"],
        size: ["number", "its length in bytes"],
        digest: ["string", "its SHA-256"],
        uri: ["string", "its URI; # inside the envelope"],
        file: ["string|null", "its file in the release; null: in the envelope"],
      }),
      "cuts?": ["number", "power cuts that were tried"],
      "cutsDuringRecovery?": ["number", "power cuts during the recovery from each"],
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
  },
  run: release,
  words: (f) => {
    const columns = [{ title: "board" }, { title: "image" }, { title: "bytes", right: true }, { title: "uri" }, { title: "sha-256" }];
    const rows = f.boards.flatMap(({ board, images }) =>
      images.map((one) => [
        `${board}${one.slot === null ? "" : ` ${one.slot}`}`,
        one.path,
        String(one.size),
        one.uri,
        one.digest.slice(8, 24),
      ]),
    );
    const by = f.signers.length > 0 ? `, signed by ${f.signers.map(keyWords).join(", ")}` : "";
    const number = f.sequence === null ? "the next sequence number of the log" : `sequence number ${f.sequence}`;
    return [
      { table: { columns, rows } },
      ...givenUpWords(f.boards),
      ...receiptWords(f.log),
      `${f.folder}: ${f.product} ${f.version} ${STATE_WORDS[f.state as keyof typeof STATE_WORDS]}, ${plural(f.boards.length, "board")}, ${number}${by}`,
    ];
  },
});
