// A release as one HTML file that verifies it.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { ReleaseRecord } from "@firmseal/behaviour";
import { minifiedBundle } from "@firmseal/bundler";
import { byteWords, grouped, keyWords, plural, STDIO, someOf, tooMuch, usage, warn, withdrawnWords } from "@firmseal/keys/internal";
import type { Product } from "@firmseal/release";
import {
  documentsBeside,
  folderWithdrawal,
  LIMITS,
  otherWords,
  previousFolder,
  type ReleaseFolder,
  readEnvelopeFile,
  refuseOtherProduct,
  releaseFolder,
  reportDocuments,
  reportTime,
  type TrustedKeys,
  trustedKeys,
  withdrawalAround,
} from "@firmseal/release/internal";
import { fittedReport, type ReleaseReport, type ReportData } from "@firmseal/report";
import { unlessThrown } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, productFile, refuseMissingFirst, threshold, trusted, wholeNumber } from "../../common/options.js";
import { checkOutput, refuseTerminal, writeOut } from "../../common/output.js";
import { refuseBoardOf } from "../../common/release/folder-boards.js";
import { onDemand } from "../../common/release/on-demand.js";
import { OTHER_SIGNATURES } from "../../common/release/other-signatures.js";
import { productAsked, productHere } from "../../common/release/product-names.js";
import {
  boardSlots,
  givenIdentity,
  namesOf,
  type ReportedBoard,
  type ReportOptions,
  reportBoard,
} from "../../common/release/report-board.js";
import { membersOf, NUMBER, SIGNER, TEST_KEYS } from "../../common/shapes.js";
import { devicesWith } from "../../common/simulated.js";
import { numberWords, versionFacts } from "../../common/words.js";

function checkOptions(path: string, o: ReportOptions, folder: ReleaseFolder | undefined): void {
  refuseTerminal(o.out, "--out");
  if (o.out !== STDIO && !/\.html?$/i.test(o.out))
    throw usage(`--out ${o.out} is not the name of an HTML file`, "choose a name that ends in .html");
  if (!folder) {
    refuseBoardOf(path, o.board);
    checkOutput(o.out, "--out", [path]);
    return;
  }
  if (o.vendor !== undefined || o.class !== undefined)
    throw usage("--vendor and --class: the folder of a release has its own devices for each board", "drop them, or name an envelope");
  checkOutput(
    o.out,
    "--out",
    folder.boards.map((one) => one.path),
  );
}

/** The trusted keys: those of the options, or else those of the product file. */
async function keysFor(o: ReportOptions, product: Product | undefined): Promise<TrustedKeys> {
  if (o.key || o.trust !== undefined || !product) return trustedKeys(o);
  const { trustOptions } = await onDemand();
  return trustedKeys({ ...trustOptions(product), ...o });
}

/** With the keys of a product file, refuses what verify refuses. A page says itself which payloads are missing. */
async function refuseAsVerify(path: string, o: ReportOptions, product: Product | undefined): Promise<void> {
  if (o.key || o.trust !== undefined || !product) return;
  const { verifyProduct } = await onDemand();
  const { passphraseEnv, passphraseFd, role } = o;
  const given = {
    ...(role !== undefined && { role }),
    ...(passphraseEnv && { passphraseEnv }),
    ...(passphraseFd && { passphraseFd }),
  };
  for (const board of o.board ?? [undefined])
    await verifyProduct(path, product, { ...given, ...(board !== undefined && { board }), withoutPayloads: true });
}

/** The product that is here. If its keys are those that count, it must be readable. */
const productFor = (o: ReportOptions): Promise<Product | undefined> =>
  (o.key || o.trust !== undefined ? productHere : productAsked)(o.product);

/** One envelope. */
async function oneBoard(path: string, o: ReportOptions): Promise<ReportedBoard> {
  const given = givenIdentity(o);
  const product = await productFor(o);
  await refuseAsVerify(path, o, product);
  const names = namesOf(product, o, given);
  const before = o.previousRelease;
  const whom = await keysFor(o, product);
  const withdrawn = withdrawalAround(
    path,
    unlessThrown(() => decodeEnvelope(readEnvelopeFile(path))),
    whom,
  );
  if (withdrawn) warn(withdrawnWords(withdrawn, path));
  return reportBoard({
    ...{ path, o, whom, given, names },
    ...(withdrawn && { withdrawn }),
    documents: reportDocuments([...(o.document ?? []), ...documentsBeside(path)]),
    ...(before !== undefined && { before: { name: basename(before), envelope: readEnvelopeFile(before), path: before } }),
  });
}

interface Reported {
  data: ReportData | ReleaseReport;
  boards: ReportedBoard[];
}

/** The product of a release. Undefined if the file that is here is that of another one. */
const productOf = (product: Product | undefined, { product: name, vendor }: ReleaseRecord): Product | undefined =>
  product?.name === name && product.vendor === vendor ? product : undefined;

/** The bill of materials that a product file names, if it is there. */
function billOf(product: Product | undefined): string[] {
  const path = product?.policy.sbom;
  return path !== undefined && existsSync(path) ? [path] : [];
}

/** Every board of a release. */
async function allBoards(path: string, folder: ReleaseFolder, o: ReportOptions): Promise<Reported> {
  const { record, bytes, boards } = folder;
  const product = await productFor(o);
  // a file that is only present here may belong to something else
  if (product && o.product !== undefined) refuseOtherProduct(path, record, product);
  const own = productOf(product, record);
  const whom = await keysFor(o, own);
  const withdrawn = folderWithdrawal(folder, own, whom);
  // the page of a withdrawn release says so, and never that it is good
  if (!withdrawn) await refuseAsVerify(path, o, own);
  const names = namesOf(product, o, undefined);
  const previous = o.previousRelease === undefined ? undefined : previousFolder(o.previousRelease, record);
  const out: ReportedBoard[] = [];
  for (const { board, path } of boards) {
    const envelope = await previous?.envelope(board);
    const slots = boardSlots(product, record, board);
    out.push(
      await reportBoard({
        ...{ path, board, record, o, whom, names },
        ...(slots && { slots }),
        ...(previous && envelope && { before: { name: previous.name, envelope } }),
      }),
    );
  }
  if (withdrawn) warn(withdrawnWords(withdrawn, path));
  const data: ReleaseReport = {
    file: `${record.product} ${record.version}`,
    made: reportTime(),
    record: Buffer.from(bytes).toString("base64"),
    ...(previous && { previous: previous.name, gone: [...previous.gone] }),
    ...(withdrawn && { withdrawn: { time: withdrawn.time, reason: withdrawn.reason } }),
    documents: reportDocuments([...(o.document ?? []), ...billOf(own)]),
    boards: out.map((one) => one.data),
  };
  return { data, boards: out };
}

const LEFT_WORDS = { cuts: "the maps of power cuts", changes: "what changes" } as const;

async function bundleFor(boards: readonly ReportedBoard[]): Promise<string> {
  const algs = [...new Set(boards.flatMap(({ data }) => data.keys.map(({ alg }) => alg)))] as Parameters<typeof minifiedBundle>[0]["algs"];
  return minifiedBundle({ algs, features: ["install", "errors", "copy", "trust"], format: "script" });
}

/** Makes a report of a release that these keys have signed. */
async function makeReport(path: string, o: ReportOptions) {
  refuseMissingFirst(path, o);
  const folder = await releaseFolder(path, o.board ?? []);
  checkOptions(path, o, folder);
  const { data, boards } = folder
    ? await allBoards(path, folder, o)
    : await oneBoard(path, o).then((one) => ({ data: one.data, boards: [one] }));
  const payloadBytes = boards.reduce((sum, one) => sum + one.payloadBytes, 0);
  const { html, left, excess } = fittedReport(data, await bundleFor(boards), payloadBytes);
  if (excess !== undefined)
    throw tooMuch(
      `the report would have ${byteWords(excess)} without payloads, and ${grouped(LIMITS.reportBytes)} are the most`,
      folder ? "make one for fewer boards: --board NAME" : "the manifest is too large for a report",
    );
  if (left.length > 0)
    warn(`left out to keep the report below ${byteWords(LIMITS.reportBytes)}: ${left.map((name) => LEFT_WORDS[name]).join(", ")}`);
  const output = Buffer.from(html);
  writeOut(o.out, output);
  return {
    out: o.out,
    bytes: output.length,
    ...(folder
      ? { version: folder.record.version }
      : versionFacts(decodeEnvelope(Buffer.from((boards[0] as ReportedBoard).data.envelope, "base64")))),
    sequence: folder?.record.sequence ?? (boards[0] as ReportedBoard).sequence,
    boards: boards.map(({ data: { board, file, cuts }, sequence, signers, otherSignatures }) => ({
      board: board ?? null,
      file,
      sequence,
      signers,
      otherSignatures,
      cuts: cuts ? { device: cuts.device, operations: cuts.left ?? cuts.points.length, faults: cuts.faults } : null,
    })),
    left,
    payloadsNotChecked: boards.flatMap((one) => one.payloadsNotChecked),
    testKeys: boards[0]?.testKeys ?? [],
  };
}

/** Every key that signed a board. */
const signerWords = (boards: readonly Pick<ReportedBoard, "signers">[]) =>
  [...new Set(boards.flatMap(({ signers }) => signers.map(keyWords)))].join(", ");

export default define({
  name: "report",
  summary: "write a page that shows a release and verifies it when it is opened",
  arguments: [commandArgument("<release>", "folder of a release, as firmseal release writes it, or an envelope")],
  options: () => [
    option("--out <file>", "output file", { required: true }),
    ...trusted(),
    threshold(),
    option("--board <name>", "board to show (default: all boards of the release)", { repeat: true }),
    option("--vendor <vendor>", "device whose keys and names are shown: domain of the vendor, or vendor UUID"),
    option("--class <class>", "device whose keys and names are shown: name of the device class, or class UUID"),
    option("--previous-release <path>", "also show the changes since this envelope, or since the release in this folder"),
    option("--slot-size <bytes>", "also show how much of a slot each payload takes (default: from the product file)", {
      parse: wholeNumber,
    }),
    option("--document <file>", "also list this file with its SHA-256: a bill of materials, provenance, a test report", { repeat: true }),
    option("--device <name>", `also show power cuts on a simulated device: ${devicesWith(false)}`),
    productFile(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal report dist/1.4.2 --out gateway-1.4.2.html", "all boards of a release, in one page, by the keys of firmseal.toml"],
    ["firmseal report fw.suit --key release.jwk --out fw.html", "a page that anybody can open"],
    [
      "firmseal report fw.suit --trust fleet.trust --previous-release old.suit --slot-size 524288 --device flash --out fw.html",
      "with changes, sizes and power cuts",
    ],
  ],
  json: {
    out: ["string", "output file"],
    bytes: ["number", "its length"],
    ...NUMBER,
    boards: ["object[]", "boards that are shown"],
    ...membersOf("boards[]", {
      board: ["string|null", "name of the board; null: an envelope alone"],
      file: ["string", "name of the envelope"],
      sequence: ["string", "its sequence number"],
      signers: ["object[]", "keys that signed and count"],
      ...membersOf("signers[]", SIGNER),
      ...OTHER_SIGNATURES,
      cuts: ["object|null", "power cuts; null: not simulated"],
      ...membersOf("cuts", {
        device: ["string", "the device"],
        operations: ["number", "writes and erases"],
        faults: ["number", "cuts that end badly"],
      }),
    }),
    left: ["string[]", "what was left out to keep the file small: cuts, changes"],
    payloadsNotChecked: ["string[]", "URIs of payloads that are neither in the envelopes nor beside them"],
    ...TEST_KEYS,
  },
  run: makeReport,
  words: (f) => [
    `${f.out}: ${byteWords(f.bytes)}, ${f.boards.length > 1 ? `${plural(f.boards.length, "board")}, ` : ""}${numberWords(f)}, signed by ${signerWords(f.boards)}`,
    ...f.boards.flatMap(({ file, otherSignatures }) => otherSignatures.map((one) => `${file}: another signature: ${otherWords(one)}`)),
    ...(f.payloadsNotChecked.length > 0 ? [`payload not checked: ${someOf(f.payloadsNotChecked)}`] : []),
  ],
});
