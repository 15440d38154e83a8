// The keys of a product file, as far as no secret is needed, their signing logs, and the states of HSS/LMS keys.

import { existsSync } from "node:fs";
import { keyFacts, keyName, refreshLog, refuseTestKeys, type SigningLog, signingLogPath } from "@firmseal/keys";
import {
  conflictFailure,
  conflicts,
  entriesOf,
  exhaustedFailure,
  glanceAt,
  hssPlaceOf,
  isEntered,
  isFile,
  isNearlyUsed,
  type KeyGlance,
  keyWords,
  LastSeen,
  logBeside,
  logFaultWords,
  logFile,
  parseUri,
  publicFileOf,
  refusedInput,
  schemeOf,
  shellWord,
} from "@firmseal/keys/internal";
import { hssCapacity, type PublicKey, unlessThrown } from "@firmseal/signer";
import { equalBytes } from "@firmseal/verifier/tools";
import type { Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import type { KnownRelease } from "../product/record.js";
import { refuseMissingKey } from "../release/board/devices.js";
import { inspectLog } from "../signing/audit.js";
import type { Checks } from "./checks.js";

/** A key of the product file, as far as it is known without a secret. */
export interface CheckedKey {
  readonly ref: string;
  /** The reference without secrets. */
  readonly name: string;
  readonly roles: readonly SigningRole[];
  readonly public: PublicKey | undefined;
  /** Whether it is a file that shows its public key without a secret. */
  readonly isReadable: boolean;
  readonly log: SigningLog | undefined;
}

/** A reference without secrets. One that is not valid may have a PIN in any place. */
const nameOf = (ref: string) => (schemeOf(ref) === "pkcs11" ? (unlessThrown(() => parseUri(ref).name) ?? "pkcs11:…") : ref);

/** Checks the keys of all roles, and that their logs do not contradict each other. */
export async function checkKeys(
  checks: Checks,
  product: Product,
  known: readonly KnownRelease[],
  openKeys: boolean,
): Promise<CheckedKey[]> {
  const roles = Object.keys(product.keys) as SigningRole[];
  const { ledger } = product.sequence;
  const shared = ledger === undefined ? undefined : await checkLedger(checks, ledger);
  const out: CheckedKey[] = [];
  for (const ref of new Set(roles.flatMap((role) => product.keys[role]))) {
    const own = roles.filter((role) => product.keys[role].includes(ref));
    const name = nameOf(ref);
    const glance = await checks.run("key", name, () => checkKey(checks, product, { ref, name, roles: own }, openKeys));
    const pub = glance && (await publicOf(checks, ref, glance));
    if (glance?.hss) await checkState(checks, ref, glance.hss);
    // the log of a key file is there even if the key cannot be used
    const mayHaveLog = glance || (schemeOf(ref) === undefined && isFile(ref));
    if (ledger !== undefined) await checkOwnLog(checks, ref, ledger);
    const log = ledger !== undefined ? shared : mayHaveLog ? await checkLog(checks, ref, pub, known) : undefined;
    out.push({ ref, name, roles: own, public: pub, isReadable: schemeOf(ref) === undefined && glance?.public !== undefined, log });
  }
  const logs = new Map(out.flatMap(({ log }) => (log ? [[log.path, log] as const] : [])));
  await checks.run("logs", product.path, () => {
    const found = conflicts([...logs.values()].map((log) => ({ path: log.path, all: entriesOf(log) })));
    if (found.length > 0) throw conflictFailure(found);
  });
  return out;
}

async function checkKey(
  checks: Checks,
  product: Product,
  { ref, name, roles }: Pick<CheckedKey, "ref" | "name" | "roles">,
  openKeys: boolean,
): Promise<KeyGlance | undefined> {
  const scheme = schemeOf(ref);
  if (scheme === "fd")
    checks.add("key", name, "not checked", "its descriptor is for the command that signs", "give it to firmseal release");
  else if (scheme !== undefined && scheme !== "env" && !openKeys)
    checks.add("key", name, "not checked", "it is in a token, a service or a program", "`openKeys` also opens it, as firmseal pubkey does");
  else {
    for (const role of roles) refuseMissingKey(product, role, ref);
    const glance = await glanceAt(ref);
    if (glance.public) refuseTestKeys([glance.public], []);
    const words = glance.public && keyWords(keyFacts(glance.public));
    if (glance.stored === "encrypted")
      checks.add("key", name, "ok", words ? `${words}, encrypted` : "encrypted: its public key needs the passphrase");
    else if (!words)
      checks.add("key", name, "not checked", "its public key needs the PIN", `firmseal pubkey ${shellWord(name)} asks for it`);
    else if (glance.stored === undefined && (scheme === undefined || scheme === "env"))
      throw refusedInput(
        "ERR_KEY",
        "it is a public key, and signs nothing",
        "name the private key, or only [trust] keys, and sign with `key`",
      );
    else if (scheme === undefined) {
      const convert = glance.hss ? "" : `; firmseal convert ${shellWord(ref)} --format pkcs8 --out NEW.pem encrypts it`;
      const what = `${words}, not encrypted: anybody who can read the file can sign`;
      checks.add("key", name, "warning", what, `docs/guides/keys.md lists safer places${convert}`);
    } else checks.add("key", name, "ok", words);
    return glance;
  }
  return undefined;
}

/** The public key: from the key itself, or from the file beside it, which must be the same. */
async function publicOf(checks: Checks, ref: string, { public: own }: KeyGlance): Promise<PublicKey | undefined> {
  const beside = schemeOf(ref) === undefined ? unlessThrown(() => publicFileOf(ref)) : undefined;
  if (beside === undefined || !isFile(beside)) return own;
  return (
    (await checks.run("public key", beside, async () => {
      const { public: other } = await glanceAt(beside);
      const how = `firmseal pubkey ${shellWord(ref)}`;
      if (own && other && !equalBytes(own.key, other.key))
        throw refusedInput(
          "ERR_KEY",
          `it is not the public key of ${ref}`,
          `write it again: firmseal pubkey ${shellWord(ref)} --out ${shellWord(beside)}`,
        );
      if (own) checks.add("public key", beside, "ok", `that of ${ref}`);
      else checks.add("public key", beside, "not checked", `${ref} is encrypted`, `compare it with what this shows: ${how}`);
      return own ?? other;
    })) ?? own
  );
}

/** Checks the state of an HSS/LMS key, as a signature does before it takes a leaf. */
async function checkState(checks: Checks, ref: string, hss: NonNullable<KeyGlance["hss"]>): Promise<void> {
  const subject = `${ref}.state`;
  await checks.run("state", subject, () => {
    const { next } = hssPlaceOf(ref, hss).checked();
    const all = hssCapacity(hss.params);
    if (next >= all) throw exhaustedFailure(ref);
    const left = `${all - next} of ${all} signatures are left`;
    if (isNearlyUsed(hss.params, next))
      checks.add("state", subject, "warning", left, "make devices trust a new key before they run out: docs/guides/rotation.md");
    else checks.add("state", subject, "ok", left);
  });
}

/** Checks the ledger that all keys of the product share. */
async function checkLedger(checks: Checks, place: string): Promise<SigningLog | undefined> {
  return await checks.run("ledger", place, async () => {
    const { log, faults } = inspectLog({ path: (await refreshLog(place, { whole: true })) as string });
    const [fault] = faults;
    if (fault)
      throw refusedInput(
        "ERR_LOG",
        logFaultWords(fault),
        `firmseal ledger verify --ledger ${shellWord(place)} shows all faults; restore the right ledger`,
      );
    const last = log.entries.at(-1);
    checks.add("ledger", place, "ok", last ? `whole, entry ${last.n} of ${last.time.slice(0, 10)} is the last` : "empty");
    return log;
  });
}

/** A key with a log of its own, which the ledger lacks, does not sign with it. */
async function checkOwnLog(checks: Checks, ref: string, place: string): Promise<void> {
  const beside = logBeside(ref);
  if (beside === undefined || isEntered(beside, logFile(place))) return;
  const own = `${ref}.log`;
  await checks.run("log", own, () => {
    throw refusedInput(
      "ERR_LOG",
      "this log of the key is not in the ledger",
      `firmseal ledger import ${shellWord(own)} --ledger ${shellWord(place)}`,
    );
  });
}

/** Checks the log that a signature would continue. Without the public key, only the one beside the key is known. */
async function checkLog(
  checks: Checks,
  ref: string,
  key: PublicKey | undefined,
  known: readonly KnownRelease[],
): Promise<SigningLog | undefined> {
  const isOfFile = schemeOf(ref) === undefined;
  const beside = `${ref}.log`;
  const file = logBeside(ref);
  return await checks.run("log", beside, () => {
    const name = key && keyName(key);
    const isBeside = file !== undefined && existsSync(file);
    if (!key && !isBeside) {
      const audit = `firmseal audit ${shellWord(ref)} asks for the passphrase`;
      checks.add("log", beside, "not checked", "missing, and whether the key has signed is not known without its public key", audit);
      return undefined;
    }
    const path = key ? signingLogPath({ name: ref, public: key, ...(isOfFile && { file: ref }) }, undefined) : (file as string);
    if (!existsSync(path) && !(name !== undefined && new LastSeen(name, "log").read())) {
      const signed = known.findLast(({ record }) => record?.artifacts.some(({ signers }) => signers.some((s) => s.thumbprint === name)));
      if (signed)
        checks.add(
          "log",
          beside,
          "warning",
          `missing, and the key has signed ${signed.path}`,
          "bring the log from the machine that signed",
        );
      else checks.add("log", beside, "ok", "not there yet: the key has signed nothing here");
      return undefined;
    }
    const { log, faults } = inspectLog({ path, ...(name !== undefined && { key: name }) });
    const [fault] = faults;
    const shown = isBeside ? beside : path;
    if (fault)
      throw refusedInput(
        "ERR_LOG",
        `${shown}: ${logFaultWords(fault)}`,
        `firmseal audit ${shellWord(isOfFile ? ref : path)} shows it; bring the right log`,
      );
    const { last } = log;
    checks.add("log", shown, "ok", last ? `whole, entry ${last.n} of ${last.time.slice(0, 10)} is the last` : "empty");
    return log;
  });
}
