// firmseal trust create, sign, tbs, attach: makes and signs trust files. docs/guides/trust.md tells what they are.

import { basename } from "node:path";
import type { Receipt, SigningKey } from "@firmseal/keys";
import {
  Failure,
  type PassphraseOptions,
  passphrase,
  passphraseOptions,
  publicKeys,
  readAll,
  refusedInput,
  refuseTestKeys,
  signatureOf,
  visible,
  warn,
  withSigners,
  wrongSignature,
} from "@firmseal/keys";
import {
  about,
  believedAt,
  type Change,
  enterTrustUse,
  keysOf,
  LIMITS,
  type Previous,
  readDescription,
  readTrustFile,
  rootProgress,
  showChanges,
  type TrustUseOptions,
  trustAt,
  trustName,
} from "@firmseal/release";
import {
  AlreadySigned,
  attachTrust,
  encodeTrust,
  NotRoot,
  type PublicKey,
  signTrust,
  trustSigners,
  trustToBeSigned,
} from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { decimal } from "@firmseal/verifier/number";
import { checkTrustOutput, deliver } from "../../common/output.js";
import { json, say } from "../../show/ui.js";

/** From here on a sequence number leaves little room for later files. */
const HIGH_SEQUENCE = 2n ** 48n;

export interface CreateOptions extends PassphraseOptions {
  from: string;
  previous?: string;
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Makes a trust file that nobody has signed yet. A file that is there is never overwritten: it may be signed. */
export async function create(o: CreateOptions): Promise<void> {
  const out = o.out ?? (o.from === "-" ? "-" : `${basename(o.from).replace(/\.json$/i, "")}.trust`);
  const before = o.previous === undefined ? undefined : believedAt(o.previous).store;
  const last = before && BigInt(decimal(before.sequence));
  const options = [...passphraseOptions(o)];
  const d = await readDescription(readAll(o.from, LIMITS.description), o.from, last === undefined ? undefined : last + 1n, {
    publicOnly: true,
    secret: (prompt) => passphrase({ ...(options.length > 1 ? options.shift() : options[0]), prompt }),
  });
  if (before && last !== undefined) {
    if (d.name !== trustName(before))
      throw refusedInput(
        "DESCRIPTION",
        `the description: the name is not ${JSON.stringify(trustName(before))}, as in the file before`,
        "a device takes no file of another line; keep the name",
      );
    if (d.sequence <= last)
      throw refusedInput(
        "DESCRIPTION",
        `the description: sequence ${d.sequence} is not above ${last}, that of the file before`,
        "leave it out, and it is one higher",
      );
  }
  if (d.sequence >= HIGH_SEQUENCE) warn(`sequence number ${d.sequence} leaves little room: a device accepts nothing lower afterwards`);
  refuseTestKeys(
    d.anchors.map((a) => a.key),
    o.allowTestKey ?? [],
  );
  const bytes = encodeTrust(d);
  const member = deliver(out, bytes, o.json, { fresh: out !== "-" });
  if (o.json)
    json({
      ok: true,
      code: 0,
      out,
      bytes: bytes.length,
      name: d.name,
      sequence: String(d.sequence),
      thresholds: d.thresholds,
      ...member,
    });
  else {
    say(
      `${visible(out)}: ${visible(d.name)}, sequence number ${d.sequence}, ${d.anchors.length} keys, ${bytes.length} bytes, not signed yet`,
    );
    say(
      `now ${d.thresholds.root} of its roots ${d.thresholds.root === 1 ? "signs" : "sign"}: firmseal trust sign ${visible(out)} --key ROOT`,
    );
  }
}

export interface SignOptions extends PassphraseOptions, TrustUseOptions {
  key: string[];
  previous?: string;
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** The faults that need the names of what is worked on. */
function named(path: string, keys: readonly { name: string; public: PublicKey }[], e: unknown): unknown {
  if (e instanceof AlreadySigned)
    return refusedInput(
      "ALREADY_SIGNED",
      `${path}: this key has signed it already`,
      "each root signs a trust file once; firmseal trust show tells who has",
    );
  if (!(e instanceof NotRoot)) return about(path, e);
  const key = keys.find((k) => Buffer.from(k.public.key).equals(e.key.key));
  return new Failure(
    1,
    "TRUST_SIGNERS",
    errors.TRUST_SIGNERS,
    `${key?.name ?? "this key"}: is no root of ${path}, so its signature would not count`,
    "sign with a root that the file lists; for one of the file before, give that: --previous FILE",
  );
}

function signed(
  path: string,
  out: string,
  bytes: Uint8Array,
  { previous, changes }: Shown,
  o: { json?: boolean },
  log: readonly Receipt[],
): void {
  const own = rootProgress(bytes, trustAt(path).store);
  const old = previous && rootProgress(bytes, previous.store);
  const member = deliver(out, bytes, o.json);
  if (o.json) {
    json({
      ok: true,
      code: 0,
      out,
      bytes: bytes.length,
      roots: own,
      rootsBefore: old ?? null,
      changes,
      log,
      ...member,
    });
    return;
  }
  const of = ({ signed, needed }: { signed: number; needed: number }) => `${signed} ${signed === 1 ? "root" : "roots"} (needed: ${needed})`;
  say(`${visible(out)}: signed by ${of(own)}${old ? `, and by ${of(old)} of the file before` : ""}`);
  for (const { path, entry } of log) say(`${visible(path)}: entry ${entry}`);
}

/** What a root was shown before it signs. */
interface Shown {
  previous: Previous | undefined;
  changes: Change[];
}

function show(path: string, store: TrustStore, o: { previous?: string }): Shown {
  const previous = o.previous === undefined ? undefined : readTrustFile(o.previous);
  return { previous, changes: showChanges(path, store, previous) };
}

/** Neither does a published test key sign here, nor does a root vouch for one that a device would believe: somebody else may have made the file. */
function refuseTestKeysOf(keys: readonly PublicKey[], store: TrustStore, o: { allowTestKey?: string[] }): void {
  refuseTestKeys([...keys, ...keysOf(store)], o.allowTestKey ?? []);
}

/** Adds signatures to a trust file, in place unless --out names another. A key that is no root of it, or of the one before, is refused. */
export async function sign(path: string, o: SignOptions): Promise<void> {
  const out = o.out ?? path;
  const { bytes, store } = trustAt(path);
  const shown = show(path, store, o);
  const before = shown.previous?.store;
  await withSigners(o.key, passphraseOptions(o), async (keys) => {
    checkTrustOutput(out, [...keys.flatMap((key) => key.file ?? []), ...(o.previous === undefined ? [] : [o.previous])]);
    const roots = keys.map((key) => key.public);
    refuseTestKeysOf(roots, store, o);
    let done: Uint8Array;
    let receipts: Receipt[];
    try {
      const [again] = trustSigners(bytes, roots);
      if (again) throw new AlreadySigned((keys[roots.indexOf(again)] as SigningKey).signer, "trust file");
      receipts = await enterTrustUse(
        "trust sign",
        keys,
        o,
        bytes,
        keys.map(() => before),
        shown.previous,
      );
      done = await signTrust(
        bytes,
        keys.map((key) => key.signer),
        before,
      );
    } catch (e) {
      throw named(path, keys, e);
    }
    signed(path, out, done, shown, o, receipts);
  });
}

export interface DetachedOptions extends PassphraseOptions, TrustUseOptions {
  key: string;
  previous?: string;
  out?: string;
  signature?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** Writes the exact bytes that a root has to sign, for one that is on no machine with a network. */
export async function tbs(path: string, o: DetachedOptions): Promise<void> {
  const { bytes, store } = trustAt(path);
  const shown = show(path, store, o);
  const before = shown.previous?.store;
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  const out = o.out ?? "-";
  refuseTestKeysOf([key], store, o);
  let message: Uint8Array;
  let log: Receipt[];
  try {
    message = trustToBeSigned(bytes, key, before);
    // these bytes are all that a root which is elsewhere gets to see
    log = await enterTrustUse("trust tbs", [{ name: o.key, public: key }], o, bytes, [before], shown.previous);
  } catch (e) {
    throw named(path, [{ name: o.key, public: key }], e);
  }
  // never over a file that is there
  const member = deliver(out, message, o.json, { fresh: out !== "-" });
  if (o.json) json({ ok: true, code: 0, out, bytes: message.length, changes: shown.changes, log, ...member });
  else if (out !== "-")
    say(`${visible(out)}: ${message.length} bytes to be signed; then firmseal trust attach ${visible(path)} --key PUB --signature FILE`);
  if (!o.json) for (const { path, entry } of log) say(`${visible(path)}: entry ${entry}`);
}

/** Adds a signature that was made over those bytes elsewhere, once it has been verified. */
export async function attach(path: string, o: DetachedOptions): Promise<void> {
  const out = o.out ?? path;
  const { bytes, store } = trustAt(path);
  const shown = show(path, store, o);
  const before = shown.previous?.store;
  const [key] = (await publicKeys([o.key], passphraseOptions(o))) as [PublicKey];
  const file = o.signature as string;
  checkTrustOutput(out, [o.key, file, ...(o.previous === undefined ? [] : [o.previous])]);
  refuseTestKeysOf([key], store, o);
  let done: Uint8Array;
  let log: Receipt[];
  try {
    done = await attachTrust(bytes, key, signatureOf(readAll(file, LIMITS.signatureFile), key.alg, file), before);
    log = await enterTrustUse("trust attach", [{ name: o.key, public: key }], o, bytes, [before], shown.previous);
  } catch (e) {
    if ((e as { code?: unknown }).code === "fault")
      throw wrongSignature(`${file}: is no signature of ${o.key} over ${path}`, "sign what firmseal trust tbs writes for this file");
    throw named(path, [{ name: o.key, public: key }], e);
  }
  signed(path, out, done, shown, o, log);
}
