// Reads and verifies files in the formats of other boot loaders and tools.

import { createPublicKey } from "node:crypto";
import { type FormatFacts, type FormatFile, type FormatKey, FormatRefusal, formatKey } from "@firmseal/formats";
import { Failure, KEY_LIMITS, publicKeys } from "@firmseal/keys";
import { passphraseOptions, readAll, usage, warn, warnOfTestKeys } from "@firmseal/keys/internal";
import type { TrustOptions } from "@firmseal/release/internal";
import { toJwk, unlessThrown } from "@firmseal/signer";
import type { ForeignFile } from "./foreign.js";

/** Details by their names: a dependency may be there several times. */
function detailsByName(details: FormatFacts["details"]): { [name: string]: string[] } {
  const all: { [name: string]: string[] } = {};
  for (const { name, value } of details) all[name] = [...(all[name] ?? []), String(value)];
  return all;
}

const factsOf = ({ format, bytes, version, counter, sizes, encrypted, signatures, details, warnings }: FormatFacts) => ({
  ...{ format, bytes, version, counter, sizes: { ...sizes }, encrypted, signatures: [...signatures] },
  ...{ details: detailsByName(details), warnings: [...warnings] },
});

export type ForeignFacts = ReturnType<typeof factsOf>;

/** Runs `work`, and throws its refusal as a Failure, with the facts that are known by then. */
function refusing<T>(path: string, known: () => object, work: () => T): T {
  try {
    return work();
  } catch (e) {
    if (!(e instanceof FormatRefusal)) throw e;
    const where = e.at < 0 ? "" : `, at byte ${e.at}`;
    const failure = new Failure(1, e.code, `${path}: refused: ${e.message}${where}`, e.hint, { cause: e });
    failure.facts = known();
    throw failure;
  }
}

/** What a file says. Nothing in it is trusted. */
export function inspectForeign(path: string, { format, bytes }: ForeignFile) {
  const { facts } = refusing(
    path,
    () => ({}),
    () => format.read(bytes),
  );
  for (const text of facts.warnings) warn(`${path}: ${text}`);
  return { verified: false, file: factsOf(facts), testKeys: [] };
}

/** Options that are for envelopes and releases. */
const NOT_FOR_FILES = {
  trust: "--trust",
  role: "--role",
  root: "--root",
  previousTrust: "--previous-trust",
  threshold: "--threshold",
  floor: "--floor",
  payload: "--payload",
  product: "--product",
  board: "--board",
  for: "--for",
  allowNoDevice: "--allow-no-device",
  allowNoStart: "--allow-no-start",
  expectVersion: "--expect-version",
  log: "--log",
  previousRelease: "--previous-release",
  missing: "--missing",
  withoutPayloads: "--without-payloads",
  diag: "--diag",
} as const;

/** Refuses what would seem to be checked, and is not. */
export function refuseForForeign(
  path: string,
  { format }: ForeignFile,
  o: { readonly [name in keyof typeof NOT_FOR_FILES]?: unknown },
): void {
  const [given] = (Object.keys(NOT_FOR_FILES) as (keyof typeof NOT_FOR_FILES)[]).filter((name) => o[name] !== undefined);
  if (given) throw usage(`${NOT_FOR_FILES[given]} is for SUIT envelopes, and ${path} is in the format ${format.name}`, "drop the option");
}

/**
 * The keys of --key. Public keys as PEM may also be P-384 and RSA, which no envelope has; all others are read as for
 * envelopes.
 */
async function keysOf(refs: readonly string[], o: TrustOptions): Promise<{ keys: FormatKey[]; testKeys: string[] }> {
  const keys: FormatKey[] = [];
  const ours = [];
  for (const ref of refs) {
    const text = unlessThrown(() => Buffer.from(readAll(ref, KEY_LIMITS.keyFile)).toString());
    const key = text && /^-----BEGIN (RSA )?PUBLIC KEY-----/.test(text) ? unlessThrown(() => formatKey(text)) : undefined;
    if (key && key.kind !== "ed25519" && key.kind !== "p256") keys.push(key);
    else {
      const read = await publicKeys([ref], passphraseOptions(o));
      ours.push(...read);
      keys.push(...read.map((one) => formatKey(createPublicKey({ key: { ...toJwk(one) }, format: "jwk" }))));
    }
  }
  return { keys, testKeys: warnOfTestKeys(ours) };
}

/** Verifies a file with the keys of --key. The members are those of an envelope. */
export async function verifyForeign(path: string, found: ForeignFile, o: TrustOptions & { readonly floor?: bigint }) {
  refuseForForeign(path, found, o);
  if (!o.key) throw usage("no trusted keys: --key is missing", "give the signer's public key: --key PUB");
  const { keys, testKeys } = await keysOf(o.key, o);
  let file: FormatFile | undefined;
  const known = () => ({ testKeys, ...(file && { file: factsOf(file.facts) }) });
  const by = refusing(path, known, () => {
    file = found.format.read(found.bytes);
    return file.verify(keys);
  });
  const facts = (file as unknown as FormatFile).facts;
  for (const text of facts.warnings) warn(`${path}: ${text}`);
  return {
    sequence: null,
    ...(facts.version !== null && { version: facts.version }),
    file: factsOf(facts),
    signers: by.map(({ key, signature }) => ({
      ...{ kid: null, alg: facts.signatures[signature]?.algorithm ?? null, thumbprint: null },
      spki: key.id,
    })),
    testKeys,
    // no envelope, so nothing of one: no payload outside of the file, no device of which its code is known
    ...{ signedByTestKeys: [], otherSignatures: [], refusing: [], payloadsChecked: [], payloadsNotChecked: [], severedAbsent: [] },
    keysFrom: [...o.key],
  };
}

export type VerifiedForeign = Awaited<ReturnType<typeof verifyForeign>>;
export type InspectedForeign = ReturnType<typeof inspectForeign>;
