import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure, grouped, keyFacts, openKeyFile, passphraseOptions, publicKeys, systemFault, usage, visible, warn } from "@firmseal/keys";
import {
  hintOf,
  type KnownKey,
  LIMITS,
  meaningOf,
  type PinOptions,
  readEnvelope,
  type Signature,
  signersOf,
  testKeysAmong,
  verifiedTrust,
} from "@firmseal/release";
import { keyOfAnchor, roleNames, toHex } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { failureOf } from "../../show/failure-of.js";
import { data, json, say } from "../../show/ui.js";

export interface WhosignedOptions extends PinOptions {
  key?: string[];
  keys?: string;
  trust?: string;
  json?: boolean;
}

interface Skipped {
  file: string;
  why: string;
}

/** Lines about files that were passed over. */
const MOST_LINES = 8;

class NeedsPassphrase extends Error {}

/** The keys in the files of a folder. A private key that is encrypted is not asked a passphrase for: it is passed over, as what is no key. */
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
      if (!lstatSync(path).isFile()) skipped.push({ file, why: "is no regular file" });
      else known.push({ name: file, key: (await openKeyFile(path, ask)).public });
    } catch (e) {
      const why =
        e instanceof NeedsPassphrase ? "is an encrypted private key: give its public key" : failureOf(e).message.replace(`${path}: `, "");
      skipped.push({ file, why });
    }
  }
  return { known, skipped };
}

const plain = (s: Signature) => ({
  alg: s.alg,
  kid: s.kid,
  status: s.status,
  name: s.by?.name ?? null,
  thumbprint: s.by ? keyFacts(s.by.key).thumbprint : null,
  roles: s.by?.roles ?? [],
  ...(s.testKey !== undefined && { testKey: s.testKey }),
});

function line(s: Signature, i: number): string {
  const who =
    s.by &&
    `${visible(s.by.name)}, thumbprint ${keyFacts(s.by.key).thumbprint.slice(0, 16)}…${s.by.roles?.length ? `, ${s.by.roles.map(visible).join(", ")}` : ""}`;
  const words = {
    valid: who,
    invalid: `NOT GOOD: it names ${who}, and is not by that key`,
    "test-key": `the published test key ${s.testKey}`,
    unknown: "nobody of those known",
  }[s.status];
  return `  ${i + 1}. ${s.alg}${s.kid ? ` (kid ${s.kid})` : ""}: ${words}`;
}

/** Each key once, however often it signed. */
function distinct(signatures: readonly Signature[]): KnownKey[] {
  const by = signatures.flatMap((s) => (s.status === "valid" && s.by ? [s.by] : []));
  return by.filter((k, i) => by.findIndex((o) => Buffer.from(o.key.key).equals(k.key.key)) === i);
}

/** The keys of a trust file that has been verified, with their roles. */
async function keysOfTrust(path: string, o: WhosignedOptions): Promise<KnownKey[]> {
  const { store } = await verifiedTrust(path, o);
  return store.anchors.flatMap((anchor) => {
    const key = keyOfAnchor(anchor);
    return key ? { name: path, key, roles: roleNames(anchor) } : [];
  });
}

/** Tells who signed an envelope. Fails where a signature is by nobody known, or where there is none. */
export async function whosigned(path: string, o: WhosignedOptions): Promise<void> {
  const refs = o.key ?? [];
  const given = refs.length > 0 ? await publicKeys(refs, passphraseOptions(o)) : [];
  const folder = o.keys === undefined ? { known: [], skipped: [] } : await keysIn(o.keys);
  if (o.trust === undefined && (o.root || o.previousTrust !== undefined))
    throw usage("a root is for a trust file, and --trust is not given", "give --trust FILE as well, or drop it");
  const trusted = o.trust === undefined ? [] : await keysOfTrust(o.trust, o);
  // first, for what is known of a key there is more than its name
  const known = [...trusted, ...given.map((key, i) => ({ name: refs[i] as string, key })), ...folder.known];
  await tell(path, known, folder.skipped, o.json === true);
}

/** The same for keys that are known already, with their roles where a trust file names them. */
async function tell(path: string, known: readonly KnownKey[], skipped: readonly Skipped[], inJson: boolean): Promise<void> {
  for (const { file, why } of skipped.slice(0, MOST_LINES)) say(`passed over: ${visible(file)}: ${visible(why)}`);
  if (skipped.length > MOST_LINES) say(`and ${skipped.length - MOST_LINES} more files that hold no key to try`);
  const outline = decodeEnvelope(readEnvelope(path));
  const signatures = await signersOf(outline.signatures, known);
  const signers = distinct(signatures);
  const testKeys = testKeysAmong(signatures);
  for (const name of testKeys) warn(`signed with the published test key ${name}: anybody can sign with it`);
  const sequence = formatSequence(outline.manifest.sequence);
  const facts = {
    sequence,
    digest: outline.digest ? toHex(outline.digest.bytes) : null,
    signatures: signatures.map(plain),
    signers: signers.map(({ name, key, roles }) => ({ name, ...keyFacts(key), roles: roles ?? [] })),
    skipped,
    testKeys,
  };
  if (!inJson) {
    const count = `${signatures.length} signature${signatures.length === 1 ? "" : "s"}, by ${signers.length} known key${signers.length === 1 ? "" : "s"}`;
    data(`${[`${visible(path)}: sequence number ${sequence}, ${count}`, ...signatures.map(line)].join("\n")}\n`);
  }
  const bad = signatures.filter((s) => s.status === "unknown" || s.status === "invalid");
  if (signatures.length === 0 || bad.length > 0) {
    const code = signatures.length === 0 ? errors.WRAPPER_EMPTY : errors.SIGNATURE_INVALID;
    const reason = signatures.length === 0 ? "WRAPPER_EMPTY" : "SIGNATURE_INVALID";
    const message = signatures.length === 0 ? meaningOf(code) : `${bad.length} of ${signatures.length} signatures: by no known key`;
    const hint = bad.length > 0 ? "give the public keys of who may have signed: --key PUB, --keys FOLDER, or --trust FILE" : hintOf(code);
    const failure = new Failure(1, reason, code, `${path}: ${message}`, hint);
    failure.facts = facts;
    throw failure;
  }
  if (inJson) json({ ok: true, code: 0, reason: "OK", ...facts });
}
