// Random logs: good entries, and everything that happens to logs: kills, races, copies, joins, edits, lost lines.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { ACCEPT, APPROVE, type Entry, JOIN, lineOf, MOVE, NO_PREVIOUS, SIGN_RECORD, WITHDRAW } from "../src/signing-log/entry.js";

export const LOG_KEYS = ["a", "b"].map((c) => c.repeat(64)) as [string, string];
const PEOPLE = ["r1", "r2"];
const SCOPES = ["v/a", "v/b", "trust:lamp", "\ud800"];
const some = <T>(...of: T[]) => fc.option(fc.constantFrom(...of), { nil: undefined });
const list = (of: string[]) => fc.option(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1, maxLength: 2 }), { nil: undefined });

const facts = fc.record({
  operation: fc.constantFrom("sign", "sign", "sign", "sign", "release", APPROVE, SIGN_RECORD, WITHDRAW, MOVE),
  key: fc.constantFrom(LOG_KEYS[0], LOG_KEYS[0], LOG_KEYS[0], LOG_KEYS[1], "strange"),
  digest: some("d1", "d2", "d3", "\ud801"),
  sequence: some("1", "2", "3", "03", "4", "5", "6", "7", "8"),
  version: some("1.0.0", "2.0.0", "soon"),
  scope: list(SCOPES),
  approvers: list(PEOPLE),
  removed: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: list(PEOPLE) }),
  leaf: some("1", "2", "02", "3"),
  overrides: some(["allow-sequence-reuse"], ["allow-no-approval"]),
  reason: some("bad"),
  time: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(-1)),
});

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant("entry" as const), facts }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("branch" as const), facts, back: fc.nat(6) }) },
  fc.record({ what: fc.constantFrom(JOIN, ACCEPT), skip: fc.nat(3) }),
  fc.record({
    what: fc.constantFrom("torn" as const, "word" as const, "again" as const, "lose" as const, "edit" as const),
    at: fc.nat(20),
  }),
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
export const steps = fc.array(step, { maxLength: 30 });

/** An entry without what is not there, as in a file. */
const plain = <T>(entry: object): T => JSON.parse(JSON.stringify(entry));

function timeOf(time: number, at: number): string {
  return time < 0 ? "soon" : new Date(Date.UTC(2026, 10, 25) + 1000 * (at + 7 * time)).toISOString();
}

/** The bytes of a log. `begin`: that of another one, which this one continues. */
export function logOf(all: readonly Step[], begin: Buffer = Buffer.alloc(0)): Buffer {
  let lines = begin
    .toString("latin1")
    .split(/(?<=\n)/)
    .filter((line) => line !== "");
  const entries = () =>
    lines.flatMap((line) => {
      try {
        return [JSON.parse(Buffer.from(line, "latin1").toString()) as Entry];
      } catch {
        return [];
      }
    });
  // a truncated entry is known by how it begins
  const add = (entry: object) => lines.push(Buffer.from(lineOf(plain({ v: 1, n: 0, ...entry })).text).toString("latin1"));
  const highest = () => entries().reduce((most, { n }) => Math.max(most, n), 0);
  for (const [i, one] of all.entries()) {
    const base = { time: timeOf(0, i), user: "u", host: "h" };
    const known = entries();
    if (one.what === "entry" || one.what === "branch") {
      const last = known.at(-1 - ("back" in one ? one.back : 0));
      const { time, ...more } = one.facts;
      add({ ...base, n: (last?.n ?? 0) + 1, ...more, time: timeOf(time, i), prev: last?.hash ?? NO_PREVIOUS });
    } else if (one.what === JOIN || one.what === ACCEPT) {
      const prev = createHash("sha256")
        .update(Buffer.from(lines.join(""), "latin1"))
        .digest("hex");
      add({ ...base, n: highest() + 1 + ("skip" in one ? one.skip : 0), operation: one.what, prev });
    } else {
      const at = "at" in one ? one.at % Math.max(1, lines.length) : 0;
      const line = lines[at] ?? "";
      if (one.what === "torn") lines.push(`${line.slice(0, 9 + (("at" in one && one.at) || 0))}\0\n`);
      if (one.what === "word") lines.push("word\n");
      if (one.what === "again") lines.push(line);
      if (one.what === "lose") lines = lines.filter((_, j) => j !== at);
      if (one.what === "edit") lines[at] = line.replace(/"sequence":"\d+"/, '"sequence":"9"');
    }
  }
  return Buffer.from(lines.join(""), "latin1");
}
