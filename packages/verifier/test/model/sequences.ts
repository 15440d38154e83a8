// Sequences of commands, made up: few values, so that they meet each other, and commands together with what they need.

import fc from "fast-check";
import { FALSE, int, params, text } from "../../../../test-vectors/src/pieces/assemble.js";
import * as E from "../../src/spec/errors.generated.js";
import { COND_USE_BEFORE, DIR_OVERRIDE_PARAMETERS, DIR_SET_PARAMETERS } from "../../src/spec/suit.js";
import { type Command, DIRECTIVES, type Parameters, PLAIN, type Plain, type Sequence } from "./manifest.js";

const id = (n: number) => n.toString(16).padStart(2, "0").repeat(16);
export const VENDORS = [id(0xa1), id(0xa2), "d8704382b901"];
export const CLASSES = [id(0xc1), id(0xc2), id(0xc3)];
export const DEVICES = [id(0xd1), id(0xd2)];
export const IDS = ["00", "01", "02"];
/** A component that no device has. */
export const NOWHERE = "09";
export const CAPACITY = 64;

/** Images: two releases, what was there before, one that no component can hold, and none. */
export const NEW = "6e6577206669726d77617265";
export const NEXT = "6e657874206669726d77617265";
export const OLD = "6f6c64";
export const HUGE = "ff".repeat(CAPACITY + 1);
const IMAGES = [NEW, NEXT, OLD, HUGE, ""];
export const URIS = ["#a", "#b", "c:c", "d:d"];

export const some = <T>(...values: T[]) => fc.constantFrom(...values);
/** The first, mostly. */
export const mostly = <T>(weight: number, first: T, ...others: T[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const VALUES: { [K in keyof Required<Parameters>]: fc.Arbitrary<NonNullable<Parameters[K]>> } = {
  vendor: mostly(3, ...(VENDORS as [string])),
  class: mostly(3, ...(CLASSES as [string])),
  device: some(...DEVICES),
  digest: fc.record({ alg: mostly(6, -16, -43, -44), of: mostly(4, NEW, ...IMAGES) }),
  size: mostly(4, NEW.length / 2, 0, OLD.length / 2, CAPACITY, CAPACITY + 1, 2 ** 32 + 1),
  slot: mostly(2, 1, 0, 2),
  content: some(NEW, OLD, ""),
  uri: some(...URIS),
  fetchArgs: some("", "01"),
  invokeArgs: some("", "2d76"),
  source: some(0, 1, 2),
  strict: fc.boolean(),
  soft: fc.boolean(),
};
const NAMES = Object.keys(VALUES) as (keyof Parameters)[];

function parameters(names = NAMES): fc.Arbitrary<Parameters> {
  return fc.subarray(names, { minLength: 1, maxLength: 3 }).chain((chosen) => {
    const of: { [name: string]: fc.Arbitrary<unknown> } = {};
    for (const name of chosen) of[name] = VALUES[name];
    return fc.record(of) as fc.Arbitrary<Parameters>;
  });
}

const index = (n: number): fc.Arbitrary<Command> => {
  const one = fc.nat(n - 1);
  const to = fc.oneof(
    { weight: 3, arbitrary: one },
    { weight: 1, arbitrary: fc.constant(true as const) },
    { weight: 1, arbitrary: fc.uniqueArray(one, { minLength: 1, maxLength: 4 }) },
  );
  return to.map((t) => ({ do: "index", to: t }));
};

/** Commands that each need a parameter, together with it: alone they seldom have it. */
const PAIRED: [Plain, keyof Parameters][] = [
  ["vendor", "vendor"],
  ["class", "class"],
  ["device", "device"],
  ["slot", "slot"],
  ["image", "digest"],
  ["content", "content"],
  ["fetch", "uri"],
  ["write", "content"],
  ["copy", "source"],
  ["swap", "source"],
];
const CONDITIONS = PLAIN.filter((plain) => !DIRECTIVES.includes(plain));
export const NESTS = 3;

const NEXT_COPIES = 3;
const WAYS = 7;

/**
 * Copies in no strict order (M37 §8.4.8.13). Component a is copied from b; then b from `other`, or `other` from a, or
 * something from elsewhere. `way`: both in one command, or one after the other with something between them that is a
 * barrier or not.
 */
function chain(a: number, b: number, other: number, next: number, way: number): Command[] {
  const copy: Command = { do: "copy" };
  const set = (p: Parameters): Command => ({ do: "override", set: p });
  const index = (to: number): Command => ({ do: "index", to });
  const [c, d] = [[b, other] as const, [other, a] as const, [other, other] as const][next] as readonly [number, number];
  const both: Command = { do: "index", to: a === c ? [a] : [a, c] };
  const ways: Command[][] = [
    [both, set({ strict: false }), copy],
    [both, set({ strict: false }), { do: "run", of: [copy] }],
    [both, set({ strict: false }), { do: "run", of: [set({ size: 3 }), copy] }],
    [index(a), set({ strict: false }), copy, index(c), copy],
    [both, set({ strict: false }), set({ strict: true }), copy],
    [both, set({ strict: false }), set({ uri: "#a" }), { do: "fetch" }, copy],
    [both, set({ strict: false }), { do: "swap" }],
  ];
  return [index(a), set({ source: b }), ...(c === a ? [] : [index(c), set({ source: d })]), ...(ways[way] as Command[])];
}

/** All of them, for three components. */
export const chains: Command[][] = Array.from({ length: NEXT_COPIES * WAYS }, (_, i) =>
  chain(0, 1, 2, i % NEXT_COPIES, Math.floor(i / NEXT_COPIES)),
);

function unordered(n: number): fc.Arbitrary<Command[]> {
  const one = fc.nat(n - 1);
  return fc.tuple(one, one, one, fc.nat(NEXT_COPIES - 1), fc.nat(WAYS - 1)).map((choice) => chain(...choice));
}

/** Some commands in a row. `n`: how many components there are; `nested`: whether soft-failure may be set; `shared`: nothing with side effects. */
export function commands(n: number, depth: number, nested: boolean, shared: boolean): fc.Arbitrary<Command[]> {
  const names = NAMES.filter((name) => (nested || name !== "soft") && (n > 1 || name !== "source"));
  const fit = (all: Command[]) => within(all, n);
  const paired = PAIRED.filter(([plain, name]) => (!shared || CONDITIONS.includes(plain)) && (n > 1 || name !== "source"));
  const inner = () => fc.oneof(sequence(n, depth + 1, true, shared), failing(n, depth + 1, shared));
  const any: fc.WeightedArbitrary<Command[]>[] = [
    {
      weight: 10,
      arbitrary: fc
        .constantFrom(...paired)
        .chain(([plain, name]) => fc.tuple(VALUES[name]).map(([v]): Command[] => [{ do: "override", set: { [name]: v } }, { do: plain }])),
    },
    { weight: 4, arbitrary: parameters(names).map((set): Command[] => [{ do: "override", set }]) },
    { weight: 2, arbitrary: some(...(shared ? CONDITIONS : PLAIN)).map((plain): Command[] => [{ do: plain }]) },
    { weight: n > 1 ? 3 : 1, arbitrary: index(n).map((c) => [c]) },
  ];
  if (n > 1 && !shared) any.push({ weight: 4, arbitrary: unordered(n) });
  if (nested) any.push({ weight: 3, arbitrary: fc.boolean().map((soft): Command[] => [{ do: "override", set: { soft } }]) });
  if (depth < NESTS) {
    const alternatives = fc.array(inner(), { minLength: 2, maxLength: 3 });
    any.push({
      weight: 4,
      arbitrary: fc.tuple(alternatives, fc.boolean()).map(([of, nil]): Command[] => [{ do: "try", of, nil }]),
    });
    any.push({ weight: 3, arbitrary: inner().map((of): Command[] => [{ do: "run", of }]) });
  }
  return fc.oneof(...any).map(fit);
}

/** A sequence inside another that leaves a trace (it asks for a slot) and mostly fails: what it has set must not reach where it does not belong. */
function failing(n: number, depth: number, shared: boolean): fc.Arbitrary<Sequence> {
  const settings: fc.Arbitrary<Command[]>[] = [
    index(n).map((c) => [c]),
    fc.boolean().map((soft): Command[] => [{ do: "override", set: { soft } }]),
    VALUES.slot.map((slot): Command[] => [{ do: "override", set: { slot } }]),
    fc.constant<Command[]>([]),
  ];
  if (depth < NESTS) {
    const inner = () => failing(n, depth + 1, shared);
    settings.push(fc.tuple(inner(), inner(), fc.boolean()).map(([a, b, nil]): Command[] => [{ do: "try", of: [a, b], nil }]));
    settings.push(inner().map((of): Command[] => [{ do: "run", of }]));
  }
  const end = fc.constantFrom<Command[]>([{ do: "slot" }], [{ do: "slot" }, { do: "abort" }], [{ do: "abort" }]);
  return fc.tuple(fc.oneof(...settings), fc.oneof(...settings), end).map((all) => all.flat());
}

/** A sequence; where there are several components it mostly begins with the index of one, unless it has one from outside. */
export function sequence(n: number, depth: number, nested: boolean, shared = false): fc.Arbitrary<Sequence> {
  const body = fc.array(commands(n, depth, nested, shared), { minLength: 1, maxLength: 4 - Math.min(depth, 2) }).map((all) => all.flat());
  if (n === 1 || nested) return body;
  const first = fc.oneof({ weight: 40, arbitrary: index(n).map((c): Command[] => [c]) }, { weight: 1, arbitrary: fc.constant([]) });
  return fc.tuple(first, body).map(([i, rest]) => [...i, ...rest]);
}

/** Commands for three components as commands for `n`. */
export function within(commands: Command[], n: number): Command[] {
  const clamp = (i: number) => i % n;
  return commands.map((c): Command => {
    if (c.do === "index" && c.to !== true) return { do: "index", to: Array.isArray(c.to) ? [...new Set(c.to.map(clamp))] : clamp(c.to) };
    if (c.do === "override" && c.set.source !== undefined) return { do: "override", set: { ...c.set, source: clamp(c.set.source) } };
    if (c.do === "run") return { do: "run", of: within(c.of, n) };
    if (c.do === "try") return { ...c, of: c.of.map((s) => within(s, n)) };
    return c;
  });
}

/** Things that no manifest may hold. */
export const wrongOf = (n: number): Command[] => [
  { do: "wrong", code: 99, arg: int(0), refused: E.COMMAND_UNKNOWN },
  { do: "wrong", code: DIR_SET_PARAMETERS, arg: params([14, int(1)]), refused: E.NOT_SUPPORTED },
  { do: "wrong", code: COND_USE_BEFORE, arg: int(0), refused: E.NOT_SUPPORTED },
  { do: "wrong", code: DIR_OVERRIDE_PARAMETERS, arg: params([99, int(1)]), refused: E.PARAMETER_UNKNOWN },
  { do: "wrong", code: DIR_OVERRIDE_PARAMETERS, arg: params([1, [0x41, 0]]), refused: E.PARAMETER_VALUE },
  { do: "wrong", code: DIR_OVERRIDE_PARAMETERS, arg: params([21, text("a b")]), refused: E.URI_CHARACTER },
  { do: "wrong", code: DIR_OVERRIDE_PARAMETERS, arg: params([13, int(1)]), refused: E.CBOR_TYPE },
  { do: "wrong", code: 12, arg: FALSE, refused: E.COMMAND_ARGUMENT },
  { do: "index", to: n },
  { do: "index", to: [0, n] },
  { do: "index", to: [0, 2 ** 32] },
  { do: "index", to: [] },
  { do: "index", to: [0, 0] },
  { do: "override", set: { source: n } },
  { do: "try", of: [[{ do: "abort" }]], nil: true },
  { do: "try", of: [[{ do: "override", set: { size: 1 } }]], nil: false },
  { do: "try", of: [[{ do: "abort" }], []], nil: false },
  { do: "run", of: [] },
  { do: "fetch" },
  { do: "override", set: { soft: true } },
];
