// An entry of a signing log: a JSON object in one line, with the hash of the line before it.

import { hash } from "node:crypto";
import { sha256Hex } from "../files/digest.js";
import { ENTRY_BEGIN } from "../files/own-file.js";
import { KEY_LIMITS } from "../limits.js";

/** The value of `prev` in the first entry. */
export const NO_PREVIOUS = "0".repeat(64);

/** The operation that continues after a log was restored, truncated or edited. */
export const ACCEPT = "accept-restored";

/** The operation that joins another log of the key, whose entries come before it. */
export const JOIN = "join";

/** The operation that consents to what somebody else is to sign. */
export const APPROVE = "approve";

/** The operation that continues the numbers of one key with another. It signs nothing. */
export const MOVE = "move";

/** The operation that signs the record of a release, whose boards have entries of their own. */
export const SIGN_RECORD = "record";

/** The operation that signs a shard of a batch: one manifest for each of many devices, under one number. */
export const SIGN_BATCH = "batch";

/** The operation that withdraws a release. It signs nothing and takes no number. */
export const WITHDRAW = "withdraw";

/** Returns whether an entry goes before a signature of its key on a manifest or a trust file. */
export function isSigning({ operation }: Pick<EntryFacts, "operation">): boolean {
  return ![APPROVE, MOVE, SIGN_RECORD, WITHDRAW].includes(operation);
}

/** The facts in an entry. */
export interface EntryFacts {
  /** RFC 3339, in UTC. */
  time: string;
  user: string;
  host: string;
  /** The job identifier in a CI service, as `VARIABLE=value`. */
  job?: string;
  operation: string;
  /** Thumbprint of the key (RFC 9679), in hex. */
  key?: string;
  /**
   * Digest of the manifest, of the payload of a trust file, or of what a record says: `sha-256:` and hex digits. Of a
   * shard the root of its manifests.
   */
  digest?: string;
  /** Of a shard: how many manifests it has, in decimal. */
  batch?: string;
  /** SHA-256 of the signed bytes. Of a shard the root of what the key signs. */
  tbs?: string;
  /** Sequence number of the manifest or trust file, in decimal. */
  sequence?: string;
  /** Version of the release, as the text of its manifest names it. */
  version?: string;
  /** For a one-time key (HSS/LMS): the number of the leaf that signs, in decimal. */
  leaf?: string;
  /** The devices, or the product line of trust files: see sequence.ts. */
  scope?: string[];
  /** The overridden refusals. */
  overrides?: string[];
  /** Thumbprints of the keys whose approval was asked for, and was there. */
  approvers?: string[];
  /** Thumbprints of the keys whose approval the log required until now, and does not require from this entry on. */
  removed?: string[];
  /**
   * Of a move: thumbprint of the key whose numbers this key continues, or of the key that continues those of this key.
   */
  from?: string;
  to?: string;
  /** Of a withdrawn release: why. */
  reason?: string;
  /** Of a release that was withdrawn before the key was moved: when. RFC 3339, in UTC. */
  withdrawn?: string;
  /** Bytes of a truncated entry that this one follows. In older logs they were removed. */
  torn?: number;
}

/** An entry of a signing log, with its place in the hash chain. */
export interface Entry extends EntryFacts {
  /** The version of the format. */
  v: 1;
  /** The number of the entry, from 1. */
  n: number;
  /**
   * The hash of the preceding entry; 64 zeros in the first one; in an entry that accepts or joins a log, SHA-256 of all
   * preceding lines. In hex.
   */
  prev: string;
  /** SHA-256 of the entry without this member, in hex. */
  hash: string;
}

/** Returns whether an entry says this of a key: the same members, apart from who entered them, where and when. */
export function saysTheSame(entry: Entry, facts: Omit<EntryFacts, "time" | "user" | "host">): boolean {
  const said = ({
    operation,
    key,
    digest,
    batch,
    tbs,
    sequence,
    version,
    leaf,
    scope,
    overrides,
    approvers,
    removed,
    from,
    to,
  }: typeof facts) =>
    JSON.stringify([operation, key, digest, batch, tbs, sequence, version, leaf, scope, overrides, approvers, removed, from, to]);
  return said(entry) === said(facts);
}

/**
 * The hashed members (those before "hash"), and the line. A reader splits the line by its bytes and never encodes it
 * again.
 */
export function lineOf(entry: Omit<Entry, "hash">): { text: string; hash: string } {
  const body = JSON.stringify(entry);
  const hash = sha256Hex(Buffer.from(body));
  return { text: `${body.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/** `,"hash":"` with 64 digits and `"}`. */
const TAIL = 75;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

export function parseEntry(bytes: Buffer): Entry | undefined {
  // detecting it by an exception takes ten times as long
  if (bytes[0] !== 0x7b || bytes.length > KEY_LIMITS.logEntry) return undefined;
  try {
    const entry = JSON.parse(strictUtf8.decode(bytes));
    const text = (...values: unknown[]) => values.every((value) => typeof value === "string");
    const texts = (list: unknown) => list === undefined || (Array.isArray(list) && text(...list));
    const {
      v,
      n,
      time,
      user,
      host,
      operation,
      prev,
      hash,
      sequence,
      scope,
      overrides,
      approvers,
      removed,
      key,
      digest,
      tbs,
      job,
      version,
      from,
      to,
      reason,
      withdrawn,
    } = entry;
    if (v !== 1 || !Number.isSafeInteger(n) || n < 1 || !text(time, user, host, operation, prev, hash)) return undefined;
    if (
      !texts(scope) ||
      !texts(overrides) ||
      !texts(approvers) ||
      !texts(removed) ||
      ![key, digest, tbs, job, version, from, to, reason, withdrawn].every((value) => value === undefined || text(value))
    )
      return undefined;
    const { leaf, batch } = entry;
    if (batch !== undefined && !(text(batch) && /^[1-9][0-9]{0,3}$/.test(batch))) return undefined;
    if (leaf !== undefined && !(text(leaf) && /^[0-9]{1,61}$/.test(leaf))) return undefined;
    return sequence === undefined || (text(sequence) && /^[0-9]{1,20}$/.test(sequence)) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether bytes are a truncated entry, followed by the NULs that a file system returns for bytes that were not written.
 * A complete entry was not truncated: it, or its line end, was changed.
 */
export function isBegun(bytes: Buffer): boolean {
  // a file of another kind may have millions of lines
  if (bytes[0] !== ENTRY_BEGIN.charCodeAt(0) && bytes[0] !== 0) return false;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = bytes.subarray(0, end).toString("latin1");
  if (bytes.length === 0 || bytes.length >= LONGEST_TORN || !ENTRY_BEGIN.startsWith(text.slice(0, ENTRY_BEGIN.length))) return false;
  const whole = text.search(/,"hash":"[0-9a-f]{64}"}/);
  return whole < 0 || (whole === text.length - TAIL && parseEntry(bytes.subarray(0, end)) !== undefined) || text.includes(HOLE);
}

/** A missing part of a block, with the rest after it. */
const HOLE = "\0".repeat(16);
const LONGEST_TORN = 64 * 1024;

/** The hash that an entry has if nobody has changed its line. Changes the line for that, and puts it back. */
export function hashOfLine(line: Buffer): string {
  const at = line.length - TAIL;
  const comma = line[at];
  // the hashed text in one piece: a copy of each line would be garbage of the size of the log
  line[at] = BRACE;
  const text = hash("sha256", line.subarray(0, at + 1));
  line[at] = comma as number;
  return text;
}

const BRACE = "}".charCodeAt(0);

/** An entry on the line of a truncated one: its writer had not seen that one. */
export function entryAfterTorn(content: Buffer): Buffer | undefined {
  const at = content[0] === ENTRY_BEGIN.charCodeAt(0) || content[0] === 0 ? content.lastIndexOf(ENTRY_BEGIN) : -1;
  return at > 0 && isBegun(content.subarray(0, at)) ? content.subarray(at) : undefined;
}
