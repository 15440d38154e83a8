import { CODES, Failure, type ProgressBar, progress, usage } from "@firmseal/keys";
import {
  allSet,
  type Believed,
  believed,
  identityOf,
  kinds,
  payloadFiles,
  readEnvelope,
  readSource,
  type TrustOptions,
} from "@firmseal/release";
import { toHex } from "@firmseal/signer";
import {
  add,
  count,
  DEVICES,
  host,
  type Point,
  PREVIOUS_SIZE,
  type Release,
  type Report,
  type Simulated,
  simulate as simulateOn,
  type Tally,
  tally,
  Unsimulated,
} from "@firmseal/simulator";
import { type Identity, type Manifest, open, type Trust } from "@firmseal/verifier";
import { decodeEnvelope, PARAM_IMAGE_SIZE } from "@firmseal/verifier/tools";
import { failureOf } from "../../show/failure-of.js";
import { data, json, say } from "../../show/ui.js";

export interface SimulateOptions extends TrustOptions {
  device: string;
  vendor?: string;
  class?: string;
  payload?: string[];
  previousRelease?: string;
  previousPayload?: string[];
  pageSize?: number;
  secondCuts?: number;
  json?: boolean;
}

/** A release as it is given, and what its manifest says. */
interface Given {
  release: Release;
  manifest: Manifest;
  /** Bytes that a slot must hold for it. */
  largest: number;
}

function given(envelope: Uint8Array, payloads: readonly string[], trust: Trust): Given {
  const manifest = open(envelope, trust, host);
  const files = [...payloadFiles(manifest, payloads)].map(([uri, file]) => [uri, readSource(file)] as const);
  const sizes = allSet(manifest).map((p) => (p.code === PARAM_IMAGE_SIZE && typeof p.value === "number" ? p.value : 0));
  const largest = [...sizes, ...files.map(([, f]) => f.length)].reduce((most, n) => Math.max(most, n), envelope.length);
  return { release: { envelope, trust, payloads: new Map(files) }, manifest, largest };
}

/** Simulated flash lies in memory, twice what it holds and more. */
const LARGEST = 64 * 1024 * 1024;

const LARGEST_PAGE = 1024 * 1024;
const PAGE = 4096;

/** So many cuts take a minute or so; more are announced. */
const MANY = 10_000_000;

/** The device that is meant: named by options, or else the only one that the update names. */
function identityFor(m: Parameters<typeof kinds>[0], o: SimulateOptions): Identity {
  const named = kinds(m).map((k) => k.identity);
  const device = named.flatMap((i) => i.device ?? []).filter((id) => id.length > 0);
  if (o.vendor !== undefined && o.class !== undefined) {
    const id = identityOf(o.vendor, o.class);
    return { vendor: [id.vendor], class: [id.class], device };
  }
  const distinct = new Set(named.map((i) => [...i.vendor, ...i.class].map((b) => toHex(b)).join(" ")));
  const only = named[0];
  if (o.vendor !== undefined || o.class !== undefined || distinct.size > 1 || !only)
    throw usage("the update is for several devices, or the one that is meant is named in part", "say which: --vendor VENDOR --class CLASS");
  return { vendor: only.vendor, class: only.class, device };
}

function withoutPrevious(e: unknown): never {
  if (e instanceof RangeError) throw usage(e.message, "give the one that is there: --previous-release ENVELOPE");
  throw e;
}

/** Simulates with `o.device`, and gives what was found with what it was found on. */
async function simulated(path: string, whom: Believed, o: SimulateOptions): Promise<Simulated & { facts: object }> {
  const make = DEVICES[o.device];
  if (!Object.hasOwn(DEVICES, o.device) || !make)
    throw usage(`--device ${o.device}: there is no such device`, `one of ${Object.keys(DEVICES).join(", ")}`);
  if (o.pageSize !== undefined && o.device !== "flash" && o.device !== "storage")
    throw usage(`--page-size: ${o.device} has no pages`, "drop it, or simulate flash or storage");
  const pageSize = o.pageSize ?? PAGE;
  if (pageSize < 256 || pageSize > LARGEST_PAGE || pageSize % 4 !== 0)
    throw usage(`--page-size ${pageSize}: is no size of a page`, `a multiple of 4 from 256 to ${LARGEST_PAGE}, for example 4096`);
  if (o.previousPayload && o.previousRelease === undefined)
    throw usage("--previous-payload: no --previous-release is given", "give --previous-release ENVELOPE as well");
  const envelope = readEnvelope(path);
  const trust = whom.policy(whom.scoped ? identityFor(decodeEnvelope(envelope).manifest, o) : { vendor: [], class: [] });
  const update = given(envelope, o.payload ?? [], trust);
  const before = o.previousRelease === undefined ? undefined : given(readEnvelope(o.previousRelease), o.previousPayload ?? [], trust);
  const largest = Math.max(update.largest, before?.largest ?? 0, PREVIOUS_SIZE);
  if (largest > LARGEST)
    throw usage("the update is too large to be simulated", `at most ${LARGEST} bytes; try the manifest with a smaller image`);
  let bar: ProgressBar | undefined;
  const { report, setup, sequences } = await simulateOn(make, update.release, identityFor(update.manifest, o), {
    ...(before && { previous: before.release }),
    capacity: largest,
    pageSize,
    ...(o.secondCuts !== undefined && { secondCuts: o.secondCuts }),
    progress(done, total) {
      if (!bar && total * (o.secondCuts ?? total) > MANY)
        say(`${number(total)} cuts, and about as many again during the recovery from each: --second-cuts 100 would be faster`);
      bar ??= progress("cutting the power", total);
      bar.at(done);
    },
  }).catch(withoutPrevious);
  bar?.end();
  const facts = {
    device: o.device,
    sequence: sequences.update,
    previous: { sequence: sequences.previous, madeUp: before === undefined },
    pageSize,
    slotSize: setup.capacity,
  };
  return { report, setup, facts, sequences };
}

const number = (n: number) => n.toLocaleString("en-US");

const NAMES = { old: "old", new: "new", none: "NONE", mixed: "MIXED", floorFell: "FLOOR FELL", stuck: "STUCK" } as const;

/** "old", or "old 3, new 1"; what must not be in capitals. */
function outcomes(t: Tally): string {
  const parts = (Object.keys(NAMES) as (keyof typeof NAMES)[]).filter((name) => t[name] > 0);
  if (parts.length === 1) return NAMES[parts[0] as keyof typeof NAMES];
  return parts.map((name) => `${NAMES[name]} ${number(t[name])}`).join(", ") || "-";
}

interface Row {
  verbs: Set<string>;
  place: string;
  first: number;
  last: number;
  cut: Tally;
  again: Tally;
}

/** Operations one after the other on the same place, that end the same way, are one row. */
function rows(points: readonly Point[]): Row[] {
  const single: Row[] = [];
  for (const p of points) {
    let row = single.at(-1);
    if (row?.first !== p.operation) {
      const [verb = "", ...place] = p.what.split(" ");
      row = { verbs: new Set([verb]), place: place.join(" "), first: p.operation, last: p.operation, cut: tally(), again: tally() };
      single.push(row);
    }
    count(row.cut, p);
    add(row.again, p.again);
  }
  const alike = (a: Tally, b: Tally) => (Object.keys(NAMES) as (keyof typeof NAMES)[]).every((n) => a[n] > 0 === b[n] > 0);
  const out: Row[] = [];
  for (const row of single) {
    const last = out.at(-1);
    if (last?.place === row.place && alike(last.cut, row.cut)) {
      last.last = row.last;
      for (const verb of row.verbs) last.verbs.add(verb);
      add(last.cut, row.cut);
      add(last.again, row.again);
    } else out.push(row);
  }
  return out;
}

function table(points: readonly Point[]): string {
  const cells = [
    ["operation", "the power is cut in", "cuts", "starts", "cuts again", "starts"],
    ...rows(points).map((r) => [
      r.first === r.last ? `${r.first}` : `${r.first}-${r.last}`,
      `${[...r.verbs].join(", ")} ${r.place}`.trimEnd(),
      number(r.cut.cuts),
      outcomes(r.cut),
      number(r.again.cuts),
      outcomes(r.again),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((c) => Math.max(...cells.map((row) => (row[c] as string).length)));
  const line = (row: string[]) =>
    row.map((cell, c) => (c === 2 || c === 4 ? cell.padStart(widths[c] as number) : cell.padEnd(widths[c] as number))).join("  ");
  return cells.map((row) => `${line(row).trimEnd()}\n`).join("");
}

function summary(report: Report, sequences: Simulated["sequences"], o: SimulateOptions): void {
  const previous = o.previousRelease === undefined ? "a made-up release" : "release";
  say(`device ${o.device}: update ${sequences.update} over ${previous} ${sequences.previous}`);
  say(`${number(report.cuts)} cuts of the power, and ${number(report.cutsDuringRecovery)} more during the recovery from each`);
  if (report.leftOut > 0) say(`left out, as asked with --second-cuts: ${number(report.leftOut)} during recovery`);
}

/** Installs an update on a simulated device, and cuts the power at every write and erase. */
export async function simulate(path: string, o: SimulateOptions): Promise<void> {
  const whom = await believed(o);
  const { testKeys } = whom;
  let done: Awaited<ReturnType<typeof simulated>>;
  try {
    done = await simulated(path, whom, o);
  } catch (e) {
    const failure = e instanceof Unsimulated ? unsimulated(e, o) : failureOf(e);
    failure.facts = { testKeys };
    throw failure;
  }
  const { report, facts, sequences } = done;
  const all = { ...facts, ...report, testKeys, ...(whom.trust && { trust: whom.trust }) };
  if (!o.json) {
    data(table(report.points));
    summary(report, sequences, o);
  }
  const [first] = report.faults;
  if (first) {
    const where = `${first.what} (operation ${first.operation}, ${first.tear})${first.again ? `, then ${first.again.what} (${first.again.operation}, ${first.again.tear})` : ""}`;
    const what = first.fault ?? first.stuck ?? (first.floorFell ? "the floor fell" : `${first.boots} starts`);
    const failure = new Failure(
      1,
      "POWER_CUT",
      CODES.POWER_CUT,
      `${number(report.faultCount)} cuts do not end well; the first: ${where}: ${what}`,
      "the table has them in capitals, --json has the first ones one by one",
    );
    failure.facts = all;
    throw failure;
  }
  if (o.json) json({ ok: true, code: 0, reason: "OK", ...all });
  else say("after each the old or the new release starts, the floor is no lower, and the update goes through when it is tried again");
}

/** What stands in the way without any cut. */
function unsimulated({ step, cause }: Unsimulated, o: SimulateOptions): Failure {
  const failure = failureOf(cause);
  const made = o.previousRelease === undefined;
  const what =
    step === "previous" ? (made ? "the made-up release" : "the release before") : step === "update" ? "the update" : "the updated device";
  const hint = made
    ? `${failure.hint}; where the update needs what was there before, give that: --previous-release ENVELOPE`
    : failure.hint;
  return new Failure(failure.exit, failure.reason, failure.code, `with no power cut at all, ${what}: ${failure.message}`, hint, { cause });
}
