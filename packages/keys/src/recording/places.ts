// Where the log of a key is: beside its file, in the state folder, in a ledger, or where a person says.

import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type PublicKey, thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { environment, Failure, lacksRoom, systemFault, usage } from "../errors/failure.js";
import { ifThere, isFile, readFirstBytes, STDIO, sizeOf } from "../files/read.js";
import { isLedgerPlace, ledgerPlace, mirrorOf } from "../ledger/place.js";
import { KEY_LIMITS } from "../limits.js";
import { type Lock, lock } from "../locks/lock.js";
import { hasEntry, readDeciding } from "../signing-log/decided.js";
import type { Entry } from "../signing-log/entry.js";
import { LastSeen, stateFolder } from "../signing-log/last-seen.js";
import { readLog } from "../signing-log/log-file.js";
import type { OpenedKey } from "../source.js";
import { schemeOf } from "../sources/key-sources.js";
import { isPrivateFile } from "../sources/private-input.js";
import { shellWord } from "../words.js";

const keyNames = new WeakMap<PublicKey, string>();

/**
 * Names a key as its log does.
 *
 * @param key - The key, public or private.
 * @returns The COSE Key Thumbprint (RFC 9679), in hex.
 */
export function keyName(key: PublicKey): string {
  const name = keyNames.get(key) ?? toHex(thumbprint(key));
  keyNames.set(key, name);
  return name;
}

/**
 * Finds the log of a key. A key without a file has its log in the state folder.
 *
 * @param key - The open key.
 * @param option - The path that --log gives, or the place of a ledger.
 * @returns That path, that of the copy of the ledger on this machine, or the one beside the key file.
 * @throws Failure (usage) for "-", and for a place that is not that of a ledger.
 */
export function signingLogPath(key: OpenedKey, option: string | undefined): string {
  if (option === STDIO) throw usage("`log` -: a log cannot go to stdout", "name a file for it");
  if (option !== undefined) return isLedgerPlace(option) ? mirrorOf(ledgerPlace(option)) : whereItIs(option);
  const beside = key.file === undefined ? besidePublic(key) : logOfFile(key.file);
  // one key, one log: a key that also signs elsewhere continues its existing log
  if (beside !== undefined && isThere(beside)) return beside;
  const inState = join(stateFolder(false), `${keyName(key.public)}.log`);
  if (beside === undefined) return key.signer ? inState : (new LastSeen(keyName(key.public), "log").read()?.path ?? inState);
  return isThere(inState) ? inState : beside;
}

/** The log beside a key file. A link to the key uses the same log. */
const logOfFile = (file: string): string => `${realpathSync(file)}.log`;

/**
 * Returns where the log of a key is, without opening the key: beside its file. The log may not exist yet. Undefined for
 * a key that is not in a file here.
 */
export const logBeside = (ref: string): string | undefined =>
  schemeOf(ref) === undefined && ref !== STDIO && existsSync(ref) && isFile(ref) ? logOfFile(ref) : undefined;

/** The log beside the file that a public key was read from, which may be that of the private key. */
function besidePublic({ name, signer }: OpenedKey): string | undefined {
  const path = signer ? undefined : logBeside(name);
  return path !== undefined && isThere(path) ? path : undefined;
}

/** Whether a log exists. A log that cannot be looked for must not count as missing: the key would begin another one. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

/**
 * Returns the entries of the log of a key, as far as this machine has it. Neither locks, creates nor refuses anything.
 */
export function knownEntries(key: OpenedKey): readonly Entry[] {
  try {
    return readLog(signingLogPath(key, undefined)).entries;
  } catch {
    return [];
  }
}

function whereItIs(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    throw environment(`${path}: there is no folder ${dirname(path)}`, OTHER_PLACE);
  }
}

const OTHER_PLACE = "firmseal keeps a log of the key: name a file for it with `log` FILE";

/** Takes the lock of a log. `wait`: seconds. Throws a Failure (exit 3). */
export async function lockLog(path: string, wait = 60, signal?: AbortSignal): Promise<Lock> {
  try {
    return await lock(`${path}.lock`, { wait, busy: `${path}: the log of the key is in use`, signal });
  } catch (e) {
    // a lock that is in use has no system error as its cause
    if (e instanceof Failure && e.cause !== undefined)
      throw environment(e.message.replace(`${path}.lock:`, `${path}:`), lacksRoom(e) ? e.hint : OTHER_PLACE, e.cause);
    throw e;
  }
}

/** Returns whether a log is that of a key: beside a key file, or in the state folder for a key without a file. */
export function isOwnLog(path: string): boolean {
  const real = realpathSync(path);
  if (/^[0-9a-f]{64}\.log$/.test(basename(real)) && dirname(real) === realpathSync(stateFolder())) return true;
  const beside = real.endsWith(".log") ? real.slice(0, -".log".length) : "";
  return isFile(beside) && isPrivateFile(readFirstBytes(beside, KEY_LIMITS.keyFile));
}

/** Whether a log of a key has nothing that the copy of a ledger lacks: its last entry is there. */
export function isEntered(own: string, copy: string): boolean {
  const last = isThere(own) && sizeOf(own) > 0 ? readDeciding(own, []).all.at(-1) : undefined;
  return last === undefined || ifThere(() => hasEntry(copy, last.hash)) === true;
}

/**
 * Refuses keys that have a log of their own, of which the ledger does not have the last entry: it would give its
 * numbers again. `copy`: the copy of the ledger.
 */
export function refuseOwnLogs(keys: readonly OpenedKey[], place: string, copy: string): void {
  for (const key of keys)
    for (const own of [...(key.file === undefined ? [] : [logOfFile(key.file)]), join(stateFolder(), `${keyName(key.public)}.log`)])
      if (!isEntered(own, copy))
        throw environment(
          `${own}: this log of the key is not in the ledger, which would give its numbers again`,
          `enter it in the ledger: firmseal ledger import ${shellWord(own)} --ledger ${shellWord(place)}`,
        );
}
