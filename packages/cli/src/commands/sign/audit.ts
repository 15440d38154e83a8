// Verifies signing logs: the chain of each, that nothing seen before is missing, that no number is used twice, and that
// nobody who must approve was left out.

import type { Entry } from "@firmseal/keys";
import {
  byteWords,
  conflictWords,
  isNumberOf,
  logFaultWords,
  plural,
  someOf,
  usage,
  visible,
  withdrawnWords,
} from "@firmseal/keys/internal";
import { type AuditOptions, auditLogs } from "@firmseal/release";
import { commandArgument, define, option } from "../../command.js";
import { allowClock, passphrases } from "../../common/options.js";
import { CONFLICT, LOG_FAULT, membersOf, WITHDRAWAL } from "../../common/shapes.js";
import { withdrawnFacts } from "../../common/words.js";
import { type Line, RefusedWithFacts } from "../../show/render.js";

interface AuditCommandOptions extends AuditOptions {
  json?: boolean;
  jsonl?: boolean;
}

/** Verifies logs. Refuses a log that was changed, or that does not know the envelope. */
async function audit(refs: readonly string[], o: AuditCommandOptions) {
  if (o.json && o.jsonl) throw usage("--json writes one object, and --jsonl one for each entry", "give one of the two");
  const { logs, evidence, unlogged, withdrawn, unrecorded, conflicts, envelope, failure } = await auditLogs(refs, o);
  const facts = {
    logs: logs.map(({ path, entries, lines, count, faults, accepted, late, torn, last }) => ({
      log: path,
      ok: faults.length === 0,
      // written one by one, for they may be more than memory holds
      entries: { [Symbol.iterator]: () => entries[Symbol.iterator](), count, lines },
      faults,
      accepted,
      late,
      torn,
      hash: last?.hash ?? null,
    })),
    trust: evidence.map(({ path, entries }) => ({
      file: path,
      signed: entries.map(({ key, sequence, digest }) => ({ key: key as string, sequence: sequence as string, digest: digest as string })),
    })),
    unlogged,
    withdrawn: withdrawnFacts(withdrawn),
    unrecorded,
    conflicts,
    ...(envelope && { envelope }),
    ...(o.mergeOut !== undefined && { merged: o.mergeOut }),
  };
  if (failure) throw new RefusedWithFacts(failure, facts);
  return facts;
}

/** The version instead of its number, which is long. */
function numberOf({ sequence, version }: Entry): string {
  if (sequence === undefined) return "-";
  return version === undefined ? sequence : isNumberOf(version, BigInt(sequence)) ? version : `${sequence} (${version})`;
}

/** Vendor and class, or the line of a trust file: the beginning of each identifier, and how many others there are. */
function productWords([first, ...others]: readonly string[] = []): string {
  if (first === undefined) return "-";
  const short = first.startsWith("trust:") ? first : first.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (uuid) => uuid.slice(0, 8));
  return others.length > 0 ? `${short} +${others.length}` : short;
}

function entryRow(e: Entry): string[] {
  const short = (hex: string | undefined) => (hex === undefined ? "-" : hex.replace(/^sha-256:/, "").slice(0, 16));
  const what = [
    e.operation,
    ...(e.batch === undefined ? [] : [`of ${e.batch}`]),
    ...(e.leaf === undefined ? [] : [`leaf ${e.leaf}`]),
    ...(e.overrides ?? []),
    ...(e.removed ?? []).map((name) => name.slice(0, 16)),
  ].join(" ");
  // a ledger may name nobody
  const by = [e.user === "" && e.host === "" ? "-" : `${e.user}@${e.host}`, ...(e.job === undefined ? [] : [e.job])].join(" ");
  return [String(e.n), e.time, by, what, productWords(e.scope), numberOf(e), short(e.digest), short(e.key)];
}

type AuditFacts = Awaited<ReturnType<typeof audit>>;

function isEmpty(rows: Iterable<unknown>): boolean {
  for (const _ of rows) return false;
  return true;
}

/** Each line of a log with what the check found in it, once the whole log is known; then what no line has. */
function* lineObjects({ log, ok, entries, faults, accepted, torn, hash }: AuditFacts["logs"][number]): Generator<object> {
  const acceptedAt = new Map(accepted.map((fault) => [fault.line, fault.what]));
  for (const { line, entry, what: found, isLate } of entries.lines) {
    const what = acceptedAt.get(line) ?? found;
    if (!entry && what === undefined) continue;
    const check = what === undefined ? "good" : acceptedAt.has(line) ? "accepted" : isLate ? "late" : "fault";
    yield { log, line, check, what, entry };
  }
  for (const { line, what } of faults) if (line === 0) yield { log, line, check: "fault", what };
  yield { log, ok, entries: entries.count, torn, hash };
}

/** The facts as objects for --jsonl: each line of each log, and what the logs say together. */
function* objectsOf(f: AuditFacts): Generator<object> {
  for (const log of f.logs) yield* lineObjects(log);
  for (const trust of f.trust) yield { trust };
  for (const unlogged of f.unlogged) yield { unlogged };
  for (const withdrawn of f.withdrawn) yield { withdrawn };
  for (const unrecorded of f.unrecorded) yield { unrecorded };
  for (const conflict of f.conflicts) yield { conflict };
  if (f.envelope) yield { envelope: f.envelope };
}

/** The entries of a log, or those of an envelope, and what is unusual. */
function logWords(log: AuditFacts["logs"][number], digest: string | undefined): Line[] {
  const rows = {
    *[Symbol.iterator]() {
      for (const e of log.entries) if (digest === undefined || e.digest === digest) yield entryRow(e);
    },
  };
  const columns = ["entry", "time", "who", "what", "product", "sequence", "manifest", "key"].map((title) => ({
    title,
    right: title === "entry" || title === "sequence",
  }));
  const notes = [
    ...(log.torn > 0 ? [`an entry was cut short while it was written (${byteWords(log.torn)}): nothing was signed with it`] : []),
    ...log.accepted.map((fault) => `accepted: ${logFaultWords(fault)}`),
    ...log.late.map(logFaultWords),
    ...log.faults.map(logFaultWords),
  ];
  return [...(isEmpty(rows) ? [] : [{ table: { columns, rows } }]), ...notes.map((text) => ({ text }))];
}

export default define({
  name: "audit",
  summary: "verify and show signing logs, and compare them with each other and with trust files",
  arguments: [commandArgument("<key or log...>", "key whose log to verify, log file, place of a ledger, or trust file")],
  options: () => [
    option("--envelope <file>", "also show whether the log records a signature of this envelope"),
    option("--batch <file>", "with --envelope: index of the shard that the envelope is in, as firmseal batch wrote it"),
    option("--merge-out <file>", "join two logs of one key in this new file, and record this in it"),
    option("--accept-restored", "continue a log that was truncated, restored or edited, and record this in it"),
    option("--jsonl", "write a JSON object for each entry to stdout, with what the check says"),
    allowClock(),
    ...passphrases(),
  ],
  examples: [
    ["firmseal audit release.pem", "what the key has signed"],
    ["firmseal audit release.pem --envelope fw.suit", "whether the key has signed this envelope"],
    ["firmseal audit one.log two.log fleet-3.trust", "that logs of several machines and trust files do not contradict each other"],
  ],
  json: {
    logs: ["object[]", "the signing logs"],
    ...membersOf("logs[]", {
      log: ["string", "log file"],
      ok: ["boolean", "whether it has no fault"],
      entries: ["object[]", "its entries, with the members that they have in the file"],
      faults: ["object[]", "what is wrong"],
      ...membersOf("faults[]", LOG_FAULT),
      accepted: ["object[]", "faults that a later entry accepts"],
      ...membersOf("accepted[]", LOG_FAULT),
      late: ["object[]", "entries that came too late: firmseal signs nothing with one, but a copy of the key may have"],
      ...membersOf("late[]", { ...LOG_FAULT, entry: ["object", "the entry"] }),
      torn: ["number", "bytes of an entry that was cut short"],
      hash: ["string|null", "hash of the last entry, hex"],
    }),
    trust: ["object[]", "trust files, and which roots have signed them"],
    ...membersOf("trust[]", {
      file: ["string", "the trust file"],
      signed: ["object[]", "its signatures: key, sequence and digest"],
    }),
    unlogged: ["object[]", "signatures on trust files without an entry in the log of their key"],
    ...membersOf("unlogged[]", { file: ["string", "the trust file"], key: ["string", "thumbprint of the key"] }),
    withdrawn: ["object[]", "releases that the logs withdraw"],
    ...membersOf("withdrawn[]", WITHDRAWAL),
    unrecorded: ["object[]", "releases without an entry about their release.json: they were interrupted"],
    ...membersOf("unrecorded[]", {
      log: ["string", "the log"],
      version: ["string", "version of the release"],
      key: ["string|null", "thumbprint of the key"],
    }),
    conflicts: ["object[]", "numbers that were used twice, and signatures without an approval that their key needs"],
    ...membersOf("conflicts[]", CONFLICT),
    "envelope?": ["object", "with --envelope: what the logs say about it"],
    ...membersOf("envelope?", {
      file: ["string", "the envelope"],
      digest: ["string", "digest of its manifest"],
      "shard?": ["string", "with --batch: root of its shard, as in the logs"],
      signed: ["object[]", "entries that signed it"],
    }),
    "merged?": ["string", "with --merge-out: the joined log that was written, which is the one in logs"],
  },
  run: audit,
  words: (f, _refs, o) => {
    if (o.jsonl) return [{ objects: objectsOf(f) }];
    const good = f.logs.every(({ ok }) => ok) && f.conflicts.length === 0 && f.unlogged.length === 0 && f.envelope?.signed.length !== 0;
    return [
      ...(f.merged === undefined ? [] : [`${f.merged}: both logs in one, written`]),
      ...f.logs.flatMap((log) => [
        ...logWords(log, f.envelope?.shard ?? f.envelope?.digest),
        ...(good ? [`${log.log}: good, ${log.entries.count} ${log.entries.count === 1 ? "entry" : "entries"}`] : []),
      ]),
      ...f.withdrawn.map((one) => ({ text: withdrawnWords(one) })),
      ...f.unrecorded.map(({ log, version }) => ({
        text: visible(`${log}: version ${version} has no entry about its release.json: the release was interrupted, run it again`),
      })),
      ...f.trust.flatMap(({ file, signed }) => (good ? [`${file}: good, signed by ${plural(signed.length, "known root")}`] : [])),
      ...f.conflicts.map((one) => ({ text: conflictWords(one) })),
      ...(good && f.envelope
        ? [`${f.envelope.file} was signed, see ${someOf(f.envelope.signed.map(({ entry }) => `entry ${entry}`))}`]
        : []),
    ];
  },
});
