// Whole manifests, made up: sequences of anything, and releases that are good but for a change or two. fast-check makes a failing one small.

import fc from "fast-check";
import { FALSE, int, params, text } from "../../../../test-vectors/assemble.js";
import * as E from "../../src/spec/errors.js";
import {
  COND_USE_BEFORE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_SET_PARAMETERS,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
} from "../../src/spec/suit.js";
import type { Key } from "./belief.js";
import type { Me } from "./interpreter.js";
import { type Command, DIRECTIVES, type Manifest, type Parameters, PLAIN, type Plain, type Sequence, valuesOf } from "./manifest.js";

const id = (n: number) => n.toString(16).padStart(2, "0").repeat(16);
export const VENDORS = [id(0xa1), id(0xa2), "d8704382b901"];
export const CLASSES = [id(0xc1), id(0xc2), id(0xc3)];
const DEVICES = [id(0xd1), id(0xd2)];
export const IDS = ["00", "01", "02"];
/** A component that no device has. */
const NOWHERE = "09";
export const CAPACITY = 64;

/** Images: two releases, what was there before, one that no component can hold, and none. */
export const NEW = "6e6577206669726d77617265";
export const NEXT = "6e657874206669726d77617265";
export const OLD = "6f6c64";
const HUGE = "ff".repeat(CAPACITY + 1);
const IMAGES = [NEW, NEXT, OLD, HUGE, ""];
const URIS = ["#a", "#b", "c:c", "d:d"];

const some = <T>(...values: T[]) => fc.constantFrom(...values);
/** The first, mostly. */
const mostly = <T>(weight: number, first: T, ...others: T[]) =>
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
const NESTS = 3;

/** Copies in no strict order, with something between them that may be a barrier: what is source and target at once is refused. */
function unordered(n: number): fc.Arbitrary<Command[]> {
  const one = fc.nat(n - 1);
  const between: fc.Arbitrary<Command[]> = fc.oneof(
    fc.constant<Command[]>([]),
    one.map((to): Command[] => [{ do: "index", to }]),
    fc.constantFrom<Parameters>({ size: 3 }, { strict: true }, { strict: false }).map((set): Command[] => [{ do: "override", set }]),
    fc.constant<Command[]>([{ do: "run", of: [{ do: "copy" }] }]),
  );
  const from = (to: number, source: number): Command[] => [
    { do: "index", to },
    { do: "override", set: { source, uri: "#a" } },
  ];
  return fc
    .tuple(
      one,
      one,
      one,
      one,
      fc.oneof(
        index(n),
        one.map((to): Command => ({ do: "index", to })),
      ),
      mostly<Plain>(4, "copy", "fetch", "swap"),
      between,
    )
    .map(([a, b, c, d, i, first, then]) => [
      ...from(a, b),
      ...from(c, d),
      i,
      { do: "override", set: { strict: false } },
      { do: first },
      ...then,
      { do: "copy" },
    ]);
}

/** Some commands in a row. `n`: how many components there are; `nested`: whether soft-failure may be set; `shared`: nothing with side effects. */
function commands(n: number, depth: number, nested: boolean, shared: boolean): fc.Arbitrary<Command[]> {
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
function sequence(n: number, depth: number, nested: boolean, shared = false): fc.Arbitrary<Sequence> {
  const body = fc.array(commands(n, depth, nested, shared), { minLength: 1, maxLength: 4 - Math.min(depth, 2) }).map((all) => all.flat());
  if (n === 1 || nested) return body;
  const first = fc.oneof({ weight: 40, arbitrary: index(n).map((c): Command[] => [c]) }, { weight: 1, arbitrary: fc.constant([]) });
  return fc.tuple(first, body).map(([i, rest]) => [...i, ...rest]);
}

const components = (n: number) => mostly(30, IDS.slice(0, n), [...IDS.slice(0, n - 1), NOWHERE]);
export const SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE, MAN_LOAD, MAN_INVOKE];

/** Any sequences at all. Most of them end early on a device; the interpreter has much to do. */
export const anything: fc.Arbitrary<Manifest> = fc
  .integer({ min: 1, max: 3 })
  .chain((n) =>
    fc.record({
      sequence: mostly(8, 7n, 5n, 6n, 2n ** 64n - 1n),
      components: components(n),
      shared: sequence(n, 0, false, true),
      sections: fc
        .uniqueArray(fc.tuple(some(...SECTIONS), sequence(n, 0, false)), { minLength: 1, maxLength: 3, selector: ([key]) => key })
        .map((all): Manifest["sections"] => Object.fromEntries(all)),
      severed: fc.subarray([MAN_PAYLOAD_FETCH, MAN_INSTALL]),
      absent: mostly(3, [], [MAN_INSTALL]),
      payloads: fc.constant({}),
    }),
  )
  .map((m) => ({
    ...m,
    severed: m.severed.filter((s) => m.sections[s]),
    absent: m.absent.filter((s) => m.severed.includes(s) && m.sections[s]),
  }));

/** A good release: who may have it, what is fetched, copied or written, what is looked at, what is started. */
export const release: fc.Arbitrary<Manifest> = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    how: some("fetch", "unless", "slots", "write", "copy", "swap"),
    who: some("plain", "classes", "run", "pairs", "split", "soft"),
    size: fc.boolean(),
    fetchFirst: fc.boolean(),
    severed: fc.boolean(),
    loads: fc.boolean(),
    uri: some(...URIS.slice(0, 3)),
  })
  .map(({ n, how, who, size, fetchFirst, severed, loads, uri }): Manifest => {
    const at = (i: number): Command[] => (n > 1 ? [{ do: "index", to: i }] : []);
    const set = (p: Parameters): Command => ({ do: "override", set: p });
    const last = n - 1;
    const fits = (classId: string): Command[] => [set({ class: classId }), { do: "class" }];
    const whole = (v: number, c: number) => [
      set({ vendor: VENDORS[v] as string }),
      { do: "vendor" } as const,
      ...fits(CLASSES[c] as string),
    ];
    const identity: { [name: string]: Command[] } = {
      plain: whole(0, 0),
      classes: [
        set({ vendor: VENDORS[0] as string }),
        { do: "vendor" },
        { do: "try", of: [fits(CLASSES[1] as string), fits(CLASSES[0] as string)], nil: false },
      ],
      run: [{ do: "run", of: whole(0, 0) }],
      pairs: [{ do: "try", of: [whole(1, 1), whole(0, 0)], nil: false }],
      // each branch finds one half of the identity and fails at the other: nothing has been checked
      split: [{ do: "try", of: [whole(0, 1), [...whole(0, 0).slice(2), ...whole(1, 0)]], nil: true }],
      soft: [
        { do: "run", of: [set({ soft: true }), ...whole(0, 1)] },
        { do: "run", of: [set({ soft: true }), ...whole(1, 0).slice(2), ...whole(1, 0)] },
      ],
    };
    const facts = set({ digest: { alg: -16, of: NEW }, ...(size && { size: NEW.length / 2 }) });
    const arrive: { [name: string]: Command[] } = {
      fetch: [set({ uri }), { do: "fetch" }, { do: "image" }],
      // unless it is there already
      unless: [{ do: "try", of: [[{ do: "image" }], [set({ uri }), { do: "fetch" }, { do: "image" }]], nil: false }],
      slots: [
        {
          do: "try",
          of: [0, 1].map((slot): Command[] => [set({ slot, uri: `#${"ab"[slot]}` }), { do: "slot" }, { do: "fetch" }]),
          nil: false,
        },
        { do: "image" },
      ],
      write: [set({ content: NEW }), { do: "write" }],
      copy: [set({ source: last }), { do: "copy" }],
      swap: [set({ source: last }), { do: "swap" }],
    };
    const way = n === 1 && (how === "copy" || how === "swap") ? "write" : how;
    const other = way === "swap" ? [...at(last), set({ digest: { alg: -16, of: OLD } })] : [];
    const sections: Manifest["sections"] = {
      [MAN_INSTALL]: [...at(0), ...(arrive[way] as Command[])],
      [MAN_VALIDATE]: [...at(0), { do: "image" }],
      [MAN_INVOKE]: [...at(0), { do: "invoke" }],
    };
    if (fetchFirst && way === "fetch") {
      sections[MAN_PAYLOAD_FETCH] = [...at(0), set({ uri }), { do: "fetch" }];
      sections[MAN_INSTALL] = [...at(0), { do: "image" }];
    }
    if (loads && n > 1 && way !== "swap") sections[MAN_LOAD] = [...at(last), facts, set({ source: 0 }), { do: "copy" }, { do: "image" }];
    return {
      sequence: 7n,
      components: IDS.slice(0, n),
      shared: [...at(0), ...(identity[who] as Command[]), facts, ...other],
      sections,
      severed: severed ? [MAN_INSTALL] : [],
      absent: [],
      payloads: {},
    };
  });

/** Where something can be changed: every sequence, also those inside others. */
function* places(m: Manifest): Generator<{ of: Sequence; nested: boolean; shared: boolean }> {
  function* inside(of: Sequence, nested: boolean, shared: boolean): ReturnType<typeof places> {
    yield { of, nested, shared };
    for (const c of of) {
      if (c.do === "run") yield* inside(c.of, true, shared);
      if (c.do === "try") for (const alternative of c.of) yield* inside(alternative, true, shared);
    }
  }
  if (m.shared) yield* inside(m.shared, false, true);
  for (const s of Object.values(m.sections)) yield* inside(s, false, false);
}

type Change = "insert" | "replace" | "remove" | "twice" | "swap" | "wrap-run" | "wrap-try" | "wrap-nil";

/** A change of one command, at a place and with a new command that are chosen by numbers, so that it fits any manifest. */
function changed(m: Manifest, how: Change, where: number, what: Command[]): void {
  const acts = what.some((c) => DIRECTIVES.includes(c.do));
  // what has side effects would only be refused in the shared sequence
  const all = [...places(m)].filter((p) => !p.shared || !acts);
  const { of } = all[where % all.length] as { of: Sequence };
  const i = Math.floor(where / all.length) % of.length;
  const here = of[i] as Command;
  if (how === "insert") of.splice(i, 0, ...what);
  else if (how === "replace") of.splice(i, 1, ...what);
  else if (how === "remove") of.length > 1 && of.splice(i, 1);
  else if (how === "twice") of.splice(i, 0, structuredClone(here));
  else if (how === "swap") of.splice(i, 2, ...of.slice(i, i + 2).reverse());
  else if (how === "wrap-run") of.splice(i, 1, { do: "run", of: [here] });
  else
    of.splice(i, 1, { do: "try", of: how === "wrap-try" ? [[...what, { do: "abort" }], [here]] : [what, [here]], nil: how === "wrap-nil" });
}

/** Commands for three components as commands for `n`. */
function within(commands: Command[], n: number): Command[] {
  const fit = (i: number) => i % n;
  return commands.map((c): Command => {
    if (c.do === "index" && c.to !== true) return { do: "index", to: Array.isArray(c.to) ? [...new Set(c.to.map(fit))] : fit(c.to) };
    if (c.do === "override" && c.set.source !== undefined) return { do: "override", set: { ...c.set, source: fit(c.set.source) } };
    if (c.do === "run") return { do: "run", of: within(c.of, n) };
    if (c.do === "try") return { ...c, of: c.of.map((s) => within(s, n)) };
    return c;
  });
}

const changes = fc.array(
  fc.tuple(
    some<Change>("insert", "replace", "remove", "twice", "swap", "wrap-run", "wrap-try", "wrap-nil"),
    fc.nat(1000),
    commands(3, NESTS - 1, true, false),
  ),
  { maxLength: 3 },
);

/** A release with up to three changes, and the payloads that it names. */
export const nearly: fc.Arbitrary<Manifest> = fc
  .tuple(release, changes, mostly(12, NEW, NEXT, "", HUGE), some(["#a"], ["#a", "#b"], []), mostly(10, 7n, 6n, 8n))
  .map(([good, how, image, inside, sequence]) => {
    const m = structuredClone(good);
    for (const [kind, where, what] of how) changed(m, kind, where, within(what, m.components.length));
    const named = valuesOf(m, "uri");
    // what is fetched from inside the envelope lies there, mostly
    m.payloads = Object.fromEntries((inside.length > 0 ? named.filter((u) => u.startsWith("#")) : []).map((u) => [u, image]));
    m.sequence = sequence;
    return m;
  });

/** Things that no manifest may hold. */
const wrongOf = (n: number): Command[] => [
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

/** Manifests with one thing wrong, in a place where it would not run as well as where it would. */
export const wrong: fc.Arbitrary<Manifest> = fc
  .tuple(nearly, fc.nat(1000), fc.nat(1000), mostly(6, "command", "exchanged", "redundant", "uncovered", "payload"))
  .map(([m, which, where, fault]) => {
    const all = wrongOf(m.components.length);
    const what = all[which % all.length] as Command;
    if (fault === "command" && what.do === "fetch") m.shared?.push(what);
    else if (fault === "command") changed(m, "insert", where, [what]);
    else if (fault === "payload") m.payloads = { ...m.payloads, "#z": NEW };
    else m.fault = fault as NonNullable<Manifest["fault"]>;
    return m;
  });

/** What a device is: of one kind mostly, of two, of none, of another. */
export const me: fc.Arbitrary<Me> = fc.record({
  vendor: mostly(8, [VENDORS[0]], [VENDORS[1]], [VENDORS[0], VENDORS[2]], []) as fc.Arbitrary<string[]>,
  class: mostly(6, [CLASSES[0]], [CLASSES[1]], [CLASSES[0], CLASSES[1]], [CLASSES[2]], []) as fc.Arbitrary<string[]>,
  device: mostly(4, [DEVICES[0]], [], [DEVICES[1]]) as fc.Arbitrary<string[]>,
});

/** A device before an installation or a start: what each component holds, in which slot, and what can be had from outside. */
export interface World {
  me: Me;
  current: string[];
  slots: number[];
  floor: bigint;
  payloads: { [uri: string]: string };
}

/** A device that is of two classes at once. */
export const ofTwo: Me = { vendor: [VENDORS[0] as string], class: CLASSES.slice(0, 2), device: [] };

export const world: fc.Arbitrary<World> = fc.record({
  me,
  current: fc.oneof(fc.constant<string[]>([NEW, NEW, NEW]), fc.array(mostly(2, OLD, NEW, ""), { minLength: 3, maxLength: 3 })),
  slots: fc.tuple(...IDS.map(() => mostly(3, 0, 1))),
  floor: mostly(8, 5n, 7n, 8n, 0n),
  payloads: some({ "#a": NEW, "#b": NEW, "c:c": NEW }, { "c:c": NEW }, { "#a": NEXT, "#b": NEW, "c:c": "", "d:d": HUGE }),
});

type Scope = Omit<Key, "key">;
const scope = some<Scope>(
  { class: CLASSES[0] as string },
  { class: CLASSES[1] as string },
  { vendor: VENDORS[0] as string },
  { vendor: VENDORS[0] as string, class: CLASSES[0] as string },
);

/** Keys of a trust file, who of them signed, and how many must have. */
export const keys = fc
  .record({
    scopes: fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant<Scope>({}) }, { weight: 3, arbitrary: scope }), {
      minLength: 1,
      maxLength: 2,
    }),
    two: fc.boolean(),
    need: mostly(5, 1, 2),
  })
  .chain(({ scopes, two, need }) => {
    const listed = scopes.map((scope, i): Key => ({ key: i === 0 ? "b" : "p", ...scope }));
    const signed = fc.subarray(listed, { minLength: 1, maxLength: two ? listed.length : 1 });
    return fc.record({ listed: fc.constant(listed), signed, need: fc.constant(Math.min(need, listed.length)) });
  });
