// Where a ledger is: a database or an object store, and the name of the ledger in it.

import { basename, join } from "node:path";
import { usage } from "../errors/failure.js";
import { sha256Hex } from "../files/digest.js";
import { stateFolder } from "../signing-log/last-seen.js";
import { visible } from "../words.js";

/** The kinds of place that several machines can share. */
export type LedgerKind = "postgres" | "s3";

/** Where a ledger is. */
export interface LedgerPlace {
  readonly kind: LedgerKind;
  /** What is before "#". */
  readonly url: URL;
  /** The name of the ledger: several products may share a database or a bucket. */
  readonly name: string;
  /** The whole place, as messages show it. It has no secrets. */
  readonly text: string;
}

const FORM = "a ledger is postgres://USER@HOST/DATABASE#NAME or s3://BUCKET/PREFIX#NAME";

/** The name of a ledger: that of a product, after its vendor. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._/-]{0,199}$/u;

/** Returns whether text is the place of a ledger, and not the path of a file. */
export const isLedgerPlace = (text: string | undefined): text is string => text !== undefined && /^(postgres|postgresql|s3):/i.test(text);

/**
 * Reads the place of a ledger.
 *
 * @param text - Such as "postgres://db.example.com/firmseal#example.com/thermostat".
 * @returns Its parts.
 * @throws Failure (usage) for any other form, and for a place with a password: it would be in files and in messages.
 */
export function ledgerPlace(text: string): LedgerPlace {
  // before the text is read or shown: a password may have any character, and be in any part
  if (/^[^@]*:[^@]*:[^@]*@|^[a-z0-9]+:\/*:?[^/@]*:[^@]*@|[?&]password=/i.test(text))
    throw usage(
      "the place of the ledger has a password in it",
      "leave it out: PostgreSQL reads PGPASSFILE, ~/.pgpass or PGPASSWORD, and S3 the AWS variables and files",
    );
  const url = /^[a-z0-9]+:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !isLedgerPlace(text) || url.password !== "") throw usage("not the place of a ledger", FORM);
  if (url.search !== "") throw usage("the place of a ledger has no parameters", `${FORM}; TLS is always verified`);
  const shown = visible(text.slice(0, 200));
  const name = nameOf(url);
  if (!NAME.test(name)) throw usage(`${shown}: the ledger has no name`, FORM);
  const kind = url.protocol === "s3:" ? "s3" : "postgres";
  if ((kind === "s3" ? url.host === "" : url.pathname.length < 2) || decoded(url.pathname + url.username) === undefined)
    throw usage(`${shown}: not the place of a ledger`, FORM);
  url.hash = "";
  return { kind, url, name, text: `${url.href}#${name}` };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const nameOf = ({ hash }: URL): string => (decoded(hash.slice(1)) ?? "").normalize("NFC");

/** The file of a log that was given: of a ledger, the copy on this machine. */
export const logFile = (log: string): string => (isLedgerPlace(log) ? mirrorOf(ledgerPlace(log)) : log);

/** The copy of a ledger on this machine: a signing log, in the state folder. */
export function mirrorOf({ kind, url, name }: LedgerPlace): string {
  // the user's name is not part of it: a new role has the same copy
  const host = url.host.toLowerCase().replace(/:5432$/, "");
  const id = sha256Hex(JSON.stringify([kind, host, decodeURI(url.pathname), name])).slice(0, 32);
  return join(stateFolder(false), `ledger-${id}.log`);
}

/** Returns whether a path is that of a copy of a ledger. */
export const isMirror = (path: string): boolean => /^ledger-[0-9a-f]{32}\.log$/.test(basename(path));
