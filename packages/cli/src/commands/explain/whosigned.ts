import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure, keyFacts, publicKeys } from "@firmseal/keys";
import {
  grouped,
  isFolder,
  notice,
  openKeyFile,
  passphraseOptions,
  plural,
  STDIO,
  systemFault,
  usage,
  visible,
  warn,
  withdrawnWords,
} from "@firmseal/keys/internal";
import { isRefusal, refusalHint, refusalMeaning } from "@firmseal/release";
import {
  type IdentifiedSignature,
  type KnownKey,
  LIMITS,
  type PinOptions,
  type ReleaseFolder,
  readAnyEnvelope,
  readPinnedTrust,
  signersOf,
  testKeysAmong,
} from "@firmseal/release/internal";
import { keyOfAnchor, roleNames, testKeyName, unlessThrown } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence, toHex } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { type ForeignFile, foreignFile, foreignRead } from "../../common/foreign/foreign.js";
import { passphrases, rootOptions } from "../../common/options.js";
import { BOARDS, missingLines } from "../../common/release/folder-words.js";
import { onDemand } from "../../common/release/on-demand.js";
import { looseEnvelope, refusedFailure, warnOfTestSigners } from "../../common/release/refused-envelope.js";
import { isAmongReleases } from "../../common/release/signatures.js";
import { KEY, membersOf, NUMBER, optional, TEST_KEYS } from "../../common/shapes.js";
import { bootWords, numberWords, versionFacts } from "../../common/words.js";
import { failureOf } from "../../show/failure-of.js";
import { RefusedWithFacts } from "../../show/render.js";

interface WhosignedOptions extends PinOptions {
  board?: string;
  key?: string[];
  keys?: string;
  trust?: string;
  json?: boolean;
}

interface Skipped {
  file: string;
  why: string;
}

/** Lines about files that were skipped. */
const MOST_LINES = 8;

class NeedsPassphrase extends Error {}

/**
 * The keys in the files of a folder. It asks for no passphrase: an encrypted private key is skipped, like a file that
 * is not a key.
 */
async function keysIn(folder: string): Promise<{ known: KnownKey[]; skipped: Skipped[] }> {
  let files: string[];
  try {
    files = readdirSync(folder).sort();
  } catch (e) {
    throw systemFault(e, folder) ?? e;
  }
  const known: KnownKey[] = [];
  const skipped: Skipped[] = files.slice(LIMITS.keyFolder).map((file) => ({ file, why: `more than ${grouped(LIMITS.keyFolder)} files` }));
  const ask = { publicOnly: true, secret: () => Promise.reject(new NeedsPassphrase()) };
  for (const file of files.slice(0, LIMITS.keyFolder)) {
    const path = join(folder, file);
    try {
      if (!lstatSync(path).isFile()) skipped.push({ file, why: "not a regular file" });
      else known.push({ name: file, key: (await openKeyFile(path, ask)).public });
    } catch (e) {
      const why =
        e instanceof NeedsPassphrase
          ? "an encrypted private key: give its public key"
          : failureOf(e).message.replace(`${path}: `, "").replace(`${path} `, "it ");
      skipped.push({ file, why });
    }
  }
  return { known, skipped };
}

const plain = (s: IdentifiedSignature) => ({
  alg: s.alg,
  kid: s.kid,
  status: s.status,
  name: s.by?.name ?? null,
  thumbprint: s.by ? keyFacts(s.by.key).thumbprint : null,
  roles: [...(s.by?.roles ?? [])],
  ...(s.testKey !== undefined && { testKey: s.testKey }),
});

function line(s: ReturnType<typeof plain>, i: number): string {
  const who = `${s.name}, thumbprint ${(s.thumbprint ?? "").slice(0, 16)}…${s.roles.length > 0 ? `, ${s.roles.join(", ")}` : ""}`;
  const words = {
    valid: who,
    invalid: `NOT GOOD: it names ${who}, and that key did not make it`,
    "test-key": `the published test key ${s.testKey}`,
    unknown: "unknown key",
  }[s.status];
  return `  ${i + 1}. ${s.alg}${s.kid ? ` (kid ${s.kid})` : ""}: ${words}`;
}

/** Each key once, however often it signed. */
function distinctSigners(signatures: readonly IdentifiedSignature[]): KnownKey[] {
  const by = signatures.flatMap((s) => (s.status === "valid" && s.by ? [s.by] : []));
  return by.filter((k, i) => by.findIndex((o) => Buffer.from(o.key.key).equals(k.key.key)) === i);
}

/** The keys of a verified trust file, with their roles. */
async function keysOfTrust(path: string, o: WhosignedOptions): Promise<KnownKey[]> {
  const { store } = await readPinnedTrust(path, o);
  return store.anchors.flatMap((anchor) => {
    const key = keyOfAnchor(anchor);
    return key ? { name: path, key, roles: roleNames(anchor) } : [];
  });
}

/**
 * Says who signed an envelope, or each envelope of a release. Fails if a signature is by an unknown key, or if there is
 * none.
 */
async function whosigned(path: string, o: WhosignedOptions) {
  const refs = o.key ?? [];
  const given = refs.length > 0 ? await publicKeys(refs, passphraseOptions(o)) : [];
  const folder = o.keys === undefined ? { known: [], skipped: [] } : await keysIn(o.keys);
  if (o.trust === undefined && (o.root || o.previousTrust !== undefined))
    throw usage("--root and --previous-trust are for a trust file, and --trust is missing", "give --trust FILE too, or drop them");
  const trusted = o.trust === undefined ? [] : await keysOfTrust(o.trust, o);
  // first, because the trust file knows the roles of a key
  const known = [...trusted, ...given.map((key, i) => ({ name: refs[i] as string, key })), ...folder.known];
  for (const { file, why } of folder.skipped.slice(0, MOST_LINES)) notice(`skipped: ${visible(file)}: ${visible(why)}`);
  if (folder.skipped.length > MOST_LINES) notice(`and ${folder.skipped.length - MOST_LINES} more files without a key to try`);
  if (path !== STDIO && isFolder(path)) return signersIn(path, o.board, known, folder.skipped);
  const { refuseBoardOf } = await folders();
  refuseBoardOf(path, o.board);
  const foreign = await foreignFile(path);
  if (foreign) return foreignSigners(path, foreign, known, folder.skipped);
  const envelope = readAnyEnvelope(path);
  const { facts, failure } = await signerFacts(path, envelope, known);
  warnOfTestSigners(facts.testKeys);
  await warnOfWithdrawn(path, envelope);
  const all = { ...facts, skipped: folder.skipped };
  if (failure) throw new RefusedWithFacts(failure, all);
  return all;
}

/** Who signed an image for a boot loader. The members are those of an envelope. */
async function foreignSigners(path: string, file: ForeignFile, known: readonly KnownKey[], skipped: readonly Skipped[]) {
  const { facts, signatures } = (await foreignRead()).signaturesIn(path, file, known);
  const made: IdentifiedSignature[] = signatures.map(({ algorithm, by }) => {
    const testKey = by && testKeyName(by.key);
    return { alg: algorithm, kid: null, status: by ? "valid" : "unknown", ...(by && { by }), ...(testKey !== undefined && { testKey }) };
  });
  const testKeys = testKeysAmong(made);
  warnOfTestSigners(testKeys);
  const all = {
    sequence: facts.counter === null ? null : String(facts.counter),
    ...(facts.version !== null && { version: facts.version }),
    format: facts.format,
    digest: null,
    signatures: made.map(plain),
    signers: distinctSigners(made).map(({ name, key, roles }) => ({ name, ...keyFacts(key), roles: [...(roles ?? [])] })),
    testKeys,
    skipped,
  };
  const failure = faultOf(path, made);
  if (failure) throw new RefusedWithFacts(failure, all);
  return all;
}

/** Warns if the mark of its release says that it was withdrawn. */
async function warnOfWithdrawn(path: string, envelope: Uint8Array): Promise<void> {
  if (!isAmongReleases(path)) return;
  const { withdrawalAround } = await onDemand();
  // the keys here are those that may have signed: nobody has said that devices trust them
  const withdrawn = withdrawalAround(
    path,
    unlessThrown(() => decodeEnvelope(envelope)),
    undefined,
  );
  if (withdrawn) warn(withdrawnWords(withdrawn, path));
}

/** Loads what only the folder of a release needs. */
const folders = () => import("../../common/release/folder-boards.js");

/** Who signed each board of a release. Fails as for one envelope, with the first failure. */
async function signersIn(path: string, board: string | undefined, known: readonly KnownKey[], skipped: readonly Skipped[]) {
  const { eachBoard, missingBoards, shownFolder } = await folders();
  const folder = (await shownFolder(path, board)) as ReleaseFolder;
  const failures: Failure[] = [];
  const boards = await eachBoard(folder, async (one) => {
    const { facts, failure } = await signerFacts(one.path, one.envelope, known);
    if (failure) failures.push(failure);
    return facts;
  });
  const testKeys = [...new Set(boards.flatMap((one) => one.testKeys))];
  warnOfTestSigners(testKeys);
  const { version, sequence } = folder.record;
  const all = { version, sequence, boards, missing: missingBoards(folder), skipped, testKeys };
  if (failures[0]) throw new RefusedWithFacts(failures[0], all);
  return all;
}

/** What an envelope claims. `refused`: if devices refuse it. Throws the refusal of what is not well-formed CBOR. */
function readClaims(envelope: Uint8Array) {
  try {
    const { signatures, digest, manifest, ...outline } = decodeEnvelope(envelope);
    return { signatures, digest, facts: { sequence: formatSequence(manifest.sequence), ...versionFacts(outline) } };
  } catch (refused) {
    const found = isRefusal(refused) ? looseEnvelope(envelope) : undefined;
    if (!isRefusal(refused) || !found) throw refused;
    const { signatures, digest, sequence, isCovered } = found;
    return { signatures, digest, refused, facts: { sequence, covered: isCovered } };
  }
}

/** Which of these keys signed the envelope, and what is wrong with that. */
async function signerFacts(path: string, envelope: Uint8Array, known: readonly KnownKey[]) {
  const { refused, ...outline } = readClaims(envelope);
  const signatures = await signersOf(outline.signatures, known);
  const facts = {
    ...outline.facts,
    digest: outline.digest ? toHex(outline.digest.bytes) : null,
    signatures: signatures.map(plain),
    signers: distinctSigners(signatures).map(({ name, key, roles }) => ({ name, ...keyFacts(key), roles: roles ?? [] })),
    testKeys: testKeysAmong(signatures),
  };
  return { facts, failure: refused ? refusedFailure(refused, envelope) : faultOf(path, signatures) };
}

/** Why the signatures are not all by known keys. Undefined if they are. */
function faultOf(path: string, signatures: readonly IdentifiedSignature[]): Failure | undefined {
  const bad = signatures.filter((s) => s.status === "unknown" || s.status === "invalid");
  if (signatures.length > 0 && bad.length === 0) return undefined;
  const name = signatures.length === 0 ? "WRAPPER_EMPTY" : "SIGNATURE_INVALID";
  const message =
    signatures.length === 0 ? refusalMeaning(errors[name]) : `${bad.length} of ${signatures.length} signatures: by an unknown key`;
  const hint =
    bad.length > 0 ? "give the public keys of possible signers: --key PUB, --keys FOLDER, or --trust FILE" : refusalHint(errors[name]);
  return new Failure(1, `ERR_${name}`, `${path}: ${message}`, hint);
}

type OneFacts = Awaited<ReturnType<typeof signerFacts>>["facts"] | Awaited<ReturnType<typeof foreignSigners>>;

/** The lines of one envelope. */
function envelopeLines(path: string, f: OneFacts): { text: string; danger?: true }[] {
  const by = `by ${plural(f.signers.length, "known key")}`;
  return [
    {
      text: `${path}: ${"format" in f ? bootWords(f) : numberWords({ ...f, sequence: f.sequence ?? "none" })}, ${plural(f.signatures.length, "signature")}, ${by}`,
    },
    ...f.signatures.map((one, i) => ({ text: line(one, i) })),
    ...("covered" in f && !f.covered ? [{ text: "  NOT GOOD: the signatures do not cover this manifest", danger: true as const }] : []),
  ];
}

export default define({
  name: "whosigned",
  summary: "show which known keys signed an envelope, or each board of a release",
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, image of a boot loader, or the folder of a release")],
  options: () => [
    option("-k, --key <key>", "key that may have signed, public or private", { repeat: true }),
    option("--keys <folder>", "folder of keys that may have signed"),
    option("--trust <file>", "trust file: its keys, with their roles"),
    ...rootOptions(),
    option("--board <name>", "for a folder: only this board of the release"),
    ...passphrases(),
  ],
  examples: [
    ["firmseal whosigned fw.suit --keys ./keys", "the keys in a folder"],
    ["firmseal whosigned fw.suit --trust fleet.trust --root root.jwk", "the keys of a trust file, with their roles"],
  ],
  json: {
    ...NUMBER,
    sequence: ["string|null", "sequence number, or security counter of a boot loader's image; null: it has none"],
    "format?": ["string", "of a boot loader's image"],
    ...optional({
      digest: ["string|null", "digest of the manifest, hex; null for an image"],
      signatures: ["object[]", "every signature"],
      ...membersOf("signatures[]", {
        alg: ["string", "algorithm"],
        kid: ["string|null", "key identifier that it names, hex"],
        status: ["string", "valid, invalid, test-key or unknown"],
        name: ["string|null", "file or reference of the key"],
        thumbprint: ["string|null", "thumbprint of the key, hex"],
        roles: ["string[]", "roles of the key in the trust file"],
        "testKey?": ["string", "name of the published test key"],
      }),
      signers: ["object[]", "known keys that signed, each once"],
      ...membersOf("signers[]", {
        name: ["string", "file or reference of the key"],
        ...KEY,
        roles: ["string[]", "its roles in the trust file"],
      }),
    }),
    "covered?": ["boolean", "if devices refuse the envelope: whether the signatures cover the digest of its manifest"],
    skipped: ["object[]", "files in the folder that gave no key"],
    ...membersOf("skipped[]", { file: ["string", "name of the file"], why: ["string", "the reason"] }),
    ...BOARDS,
    ...TEST_KEYS,
  },
  failure: { sequence: null, signers: [], testKeys: [] },
  run: whosigned,
  words: (f, path) =>
    "boards" in f
      ? [
          ...missingLines(f.missing).map((text) => ({ text })),
          ...f.boards.flatMap((one) => [
            { text: `board ${one.board}:` },
            ...envelopeLines(one.path, one).map((shown) => ({ ...shown, text: `  ${shown.text}` })),
          ]),
        ]
      : envelopeLines(path, f),
});
