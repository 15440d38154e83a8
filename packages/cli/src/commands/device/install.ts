import * as fs from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { componentWords } from "@firmseal/behaviour";
import { type Lock, lock } from "@firmseal/keys";
import {
  byteWords,
  environment,
  holdSignals,
  isFolder,
  makeFolders,
  outputPlace,
  STDIO,
  systemFault,
  usage,
} from "@firmseal/keys/internal";
import type { Product } from "@firmseal/release";
import {
  type Board,
  identityOf,
  PRODUCT_FILE,
  payloadFiles,
  payloadsBeside,
  type ReleaseFolder,
  readEnvelopeFile,
  readSource,
  refuseOtherProduct,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
  withNumbers,
  withoutPayload,
  withReason,
} from "@firmseal/release/internal";
import { nodeHost } from "@firmseal/simulator";
import { type Anchor, type Identity, type Manifest, open, type Progress, install as startInstall } from "@firmseal/verifier";
import { createFileDevice, type FileDevice, fileDevice } from "@firmseal/verifier/device/file";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { passphrases, payload, productFile, refuseMissingFirst, threshold, trusted } from "../../common/options.js";
import { onDemand } from "../../common/release/on-demand.js";
import { membersOf, NUMBER, SIGNER, TEST_KEYS, TRUST_SHAPE } from "../../common/shapes.js";
import { numberWords, versionIfAny } from "../../common/words.js";
import { failureOf } from "../../show/failure-of.js";

interface InstallOptions extends TrustOptions {
  dir: string;
  vendor?: string;
  class?: string;
  payload?: string[];
  product?: string;
  board?: string;
  json?: boolean;
}

/** A slot of the simulated device holds what a large image needs. */
const CAPACITY = 1024 ** 4;

function openFolder(folder: string): FileDevice {
  const path = join(folder, "device.json");
  try {
    return fileDevice(fs, folder);
  } catch (e) {
    throw systemFault(e, path) ?? environment(`${path} is not the record of a device`, "name another folder, or remove this one");
  }
}

/** Files of a first use that was killed: nothing was installed, and the same command may run again. */
const REMAINS = /^(device\.(json|lock)(\..*)?|envelope\.[ab]\.suit(\.new)?|slots|.*\.new)$/;

/** The device writes its files where they are: a link would lead the content of a slot to another file. */
function refuseLinks(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) throw usage(`${path} is a symbolic link; a device has none`, "remove the link, or name another folder");
    if (entry.name === "slots" && entry.isDirectory()) refuseLinks(path);
  }
}

/** Refuses a device among other files: its slots and envelopes would be mixed with them. */
function checkFolder(folder: string): void {
  outputPlace(folder);
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) throw usage(`${folder} is not a folder`, "name a new or empty folder for the device");
  refuseLinks(folder);
  if (fs.existsSync(join(folder, "device.json")) || fs.readdirSync(folder).every((name) => REMAINS.test(name))) return;
  throw usage(`${folder} is a folder of other files, not of a device`, "name a new or empty folder for the device");
}

/**
 * The device in the folder. The first use creates it, with the given identity, which then never changes. A first use
 * that was killed before anything was installed does not count.
 */
function deviceIn(o: InstallOptions): FileDevice {
  const path = join(o.dir, "device.json");
  const there = fs.existsSync(path) ? openFolder(o.dir) : undefined;
  const given = o.vendor !== undefined || o.class !== undefined;
  if (there && !given) return there;
  const isUsed = there !== undefined && there.record.envelope !== "";
  if (o.vendor === undefined || o.class === undefined) {
    if (isUsed) throw usage(`device ${o.dir} already has an identity`, "drop --vendor and --class, or give both");
    throw environment(
      `device ${o.dir} has no identity yet`,
      "give it one on the first use: --vendor example.com --class board-v2, or --board NAME of a product file",
    );
  }
  const identity = identityOf(o.vendor, o.class);
  if (isUsed) {
    const { vendor, class: name } = there.identity;
    const isSame = [[vendor, identity.vendor] as const, [name, identity.class] as const].every(([own, given]) =>
      Buffer.from(given).equals(Uint8Array.from(own[0] ?? [])),
    );
    if (isSame) return there;
    throw usage(`device ${o.dir} has another identity`, "drop --vendor and --class, or name another folder");
  }
  try {
    fs.rmSync(path, { force: true });
    createFileDevice(fs, o.dir, { vendor: [identity.vendor], class: [identity.class] }, CAPACITY);
  } catch (e) {
    throw systemFault(e, o.dir) ?? e;
  }
  return openFolder(o.dir);
}

function isThere(path: string): boolean {
  try {
    fs.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The paths that do not exist. A refusal removes what it made, and nothing else. */
function missingPaths(paths: readonly string[]): string[] {
  return paths.filter((path) => !isThere(path));
}

/** The files that an installation makes: files that wait for their rename, and on the first use the device itself. */
function filesOf(device: string): string[] {
  const first = fs.existsSync(join(device, "device.json")) ? [] : ["device.json", "envelope.a.suit", "slots"];
  return ["device.json.new", "envelope.a.suit.new", "envelope.b.suit.new", ...first].map((name) => join(device, name));
}

/** The folder and those around it, from the inside out. */
function foldersOf(device: string): string[] {
  const all: string[] = [];
  for (let folder = resolve(device); dirname(folder) !== folder; folder = dirname(folder)) all.push(folder);
  return all;
}

/** Removes files, and empty folders: another process may have put something into a folder meanwhile. */
function removePaths(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      if (fs.lstatSync(path).isDirectory()) fs.rmdirSync(path);
      else fs.unlinkSync(path);
    } catch {
      // the first error says more
    }
  }
}

/** Does `work` alone in the folder. If it fails, what it made is removed. */
async function withLock<T>(device: string, work: (lock: Lock) => Promise<T>): Promise<T> {
  const folders = missingPaths(foldersOf(device));
  try {
    makeFolders(device);
    // two would write the same slots, and the slower one would lower the floor
    const alone = await lock(join(device, "device.lock"), { wait: 0, busy: `${device}: another installation is running` });
    const files = missingPaths(filesOf(device));
    try {
      return await work(alone);
    } catch (e) {
      if (alone.isOurs()) removePaths(files);
      throw e;
    } finally {
      alone.release();
    }
  } catch (e) {
    removePaths(folders);
    throw systemFault(e, device) ?? e;
  }
}

interface InstallResult {
  /** The board of the release or of the product file, if it is known. */
  board: string | undefined;
  envelope: Uint8Array;
  device: FileDevice;
  manifest: Manifest;
  signers: Anchor[];
}

/** Finds the envelope for a device, with its path. */
type Find = (identity: Identity) => Promise<{ path: string; envelope: Uint8Array; board?: string | undefined }>;

async function installLocked(lock: Lock, find: Find, whom: TrustedKeys, o: InstallOptions): Promise<InstallResult> {
  const device = deviceIn(o);
  const { path, envelope, board } = await find(device.identity);
  try {
    return { ...installOn(device, lock, path, envelope, whom, o), board };
  } catch (e) {
    throw withReason(e, envelope);
  }
}

function installOn(
  device: FileDevice,
  lock: Lock,
  path: string,
  envelope: Uint8Array,
  whom: TrustedKeys,
  o: InstallOptions,
): Omit<InstallResult, "board"> {
  const trust = whom.policy(device.identity);
  const opened = open(envelope, trust, nodeHost);
  const files = payloadsBeside(path, opened, payloadFiles(opened, o.payload ?? []));
  for (const [uri, file] of files) device.payloads[uri] = readSource(file);
  const persist = device.persist;
  device.persist = (commit) => {
    const release = holdSignals();
    try {
      if (!lock.isOurs()) throw environment(`${o.dir}: another installation has taken over`, "run the command again");
      persist(commit);
    } finally {
      release();
    }
  };
  let progress: Progress;
  let waiting: ReturnType<Progress["next"]>;
  try {
    progress = startInstall(envelope, trust, device, nodeHost);
    waiting = progress.next();
  } catch (e) {
    throw withoutPayload(withNumbers(e, envelope, device.record.floor), opened);
  }
  if (waiting) {
    try {
      progress.next(false);
    } catch (e) {
      throw failureOf(e).with({ message: `refused: payload ${waiting.uri} is missing` });
    }
  }
  const { manifest } = progress;
  return { envelope, device, manifest, signers: manifest.signers.map((i) => trust.anchors[i] as Anchor) };
}

/** The boards that a device may be: those of the release in a folder, or all of the product. */
async function boardsAt(path: string, product: Product): Promise<string[]> {
  if (path === STDIO || !isFolder(path)) return product.boards.map(({ name }) => name);
  const { folderAt } = await import("../../common/release/folder-boards.js");
  const folder = (await folderAt(path, undefined)) as ReleaseFolder;
  refuseOtherProduct(path, folder.record, product);
  return folder.boards.map(({ board }) => board);
}

/**
 * The same options with what the product file says, if it is named, or is here and no keys are given: of a board with
 * several revisions, the first.
 */
async function ofProduct(path: string, o: InstallOptions): Promise<InstallOptions> {
  const hasKeys = o.key !== undefined || o.trust !== undefined;
  if (o.board === undefined && o.product === undefined && (hasKeys || !fs.existsSync(PRODUCT_FILE))) return o;
  const { boardsOf, readProduct, trustOptions } = await onDemand();
  const product = readProduct(o.product ?? PRODUCT_FILE);
  if (hasKeys)
    throw usage(`--${o.board === undefined ? "product" : "board"}: the product file gives the trusted keys`, "drop --key and --trust");
  const names = o.board === undefined ? await boardsAt(path, product) : [o.board];
  const trusted = { ...o, ...trustOptions(product) };
  const hasIdentity = fs.existsSync(join(o.dir, "device.json")) || (o.vendor !== undefined && o.class !== undefined);
  if (hasIdentity && o.board === undefined) return trusted;
  if (names.length > 1)
    throw usage("--board is missing: there are several", `name the board of the device: --board NAME, one of ${names.join(", ")}`);
  const [board] = boardsOf(product, names) as [Board];
  return hasIdentity ? trusted : { ...trusted, vendor: o.vendor ?? product.vendor, class: o.class ?? (board.classes[0] as string) };
}

/** Returns what finds the envelope for a device: the one at the path, or that of its board in a release. */
async function finderOf(path: string, o: InstallOptions): Promise<Find> {
  if (path === STDIO || !isFolder(path)) {
    const envelope = readEnvelopeFile(path);
    return async () => ({ path, envelope, board: o.board });
  }
  if (o.payload) throw usage("--payload is for one envelope, not for a folder", "put the payload into the folder");
  const { boardFinder } = await import("../../common/release/folder-boards.js");
  return boardFinder(path, o);
}

/** Installs an envelope on the simulated A/B device in a folder. */
async function installEnvelope(path: string, given: InstallOptions) {
  refuseMissingFirst(path, given);
  const board = await ofProduct(path, given);
  // behind a link, the system takes ".." for the folder that the link leads to, and the checks do not
  const o = { ...board, dir: normalize(board.dir) };
  const whom = await trustedKeys(o);
  const { testKeys, trust } = whom;
  const find = await finderOf(path, o);
  let done: InstallResult;
  try {
    checkFolder(o.dir);
    done = await withLock(o.dir, (lock) => installLocked(lock, find, whom, o));
  } catch (e) {
    const failure = failureOf(e);
    failure.facts = { testKeys };
    throw failure;
  }
  const { record } = done.device;
  return {
    sequence: formatSequence(done.manifest.sequence),
    ...versionIfAny(done.envelope),
    ...(done.board !== undefined && { board: done.board }),
    floor: record.floor,
    components: Object.entries(record.components).map(([name, c]) => ({ component: name, slot: c.slot === 0 ? "a" : "b", size: c.size })),
    signers: done.signers.map(whom.facts),
    testKeys,
    ...(trust && { trust }),
  };
}

/** The name of a component in the record of a device, as people wrote it: `trust`, and not 7472757374. */
const componentName = (recorded: string): string =>
  componentWords(recorded === "none" ? [] : recorded.split("-").map((part) => (part === "_" ? "" : part)));

export default define({
  name: "install",
  summary: "install a release on a simulated A/B device in a folder",
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, or the folder of a release: the board of the device")],
  options: () => [
    option("--dir <folder>", "folder of the device", { required: true }),
    ...trusted(),
    threshold(),
    productFile(),
    option(
      "--board <name>",
      "board of the product file, which gives vendor and class on the first use (default: the only board of the release)",
    ),
    option("--vendor <vendor>", "first use: vendor of the device (domain or UUID)"),
    option("--class <class>", "first use: class of the device (name or UUID)"),
    payload(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal install fw.suit --dir ./board --key release.jwk --vendor example.com --class board-v2", "the first use makes the device"],
    ["firmseal install fw.suit --dir ./board --trust fleet.trust --root root.jwk", "an update, with a trust file"],
    ["firmseal install dist/1.4.2 --dir ./board --key release.jwk", "the board of a release that has the vendor and class of the device"],
  ],
  json: {
    ...NUMBER,
    "board?": ["string", "board of the release: for a folder, and with --board"],
    floor: ["string", "lowest sequence number that the device accepts now"],
    components: ["object[]", "components of the device"],
    ...membersOf("components[]", {
      component: ["string", "identifier, hex"],
      slot: ["string", "a or b"],
      size: ["number", "bytes in it"],
    }),
    signers: ["object[]", "trusted keys that signed"],
    ...membersOf("signers[]", SIGNER),
    ...TEST_KEYS,
    ...TRUST_SHAPE,
  },
  failure: { sequence: null, signers: [], testKeys: [] },
  run: installEnvelope,
  words: (f, path) => [
    `${path}: installed, ${f.board === undefined ? "" : `board ${f.board}, `}${numberWords(f)}`,
    ...f.components.map((c) => `  component ${componentName(c.component)}: slot ${c.slot}, ${byteWords(c.size)}`),
  ],
});
