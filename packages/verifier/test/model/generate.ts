// Whole manifests, made up: sequences of anything, and releases that are good but for a change or two. fast-check makes a failing one small.

import fc from "fast-check";
import { MAN_INSTALL, MAN_INVOKE, MAN_LOAD, MAN_PAYLOAD_FETCH, MAN_VALIDATE } from "../../src/spec/suit.js";
import { type Command, DIRECTIVES, type Manifest, type Parameters, type Sequence, valuesOf } from "./manifest.js";
import {
  CLASSES,
  commands,
  HUGE,
  IDS,
  mostly,
  NESTS,
  NEW,
  NEXT,
  NOWHERE,
  OLD,
  sequence,
  some,
  URIS,
  VENDORS,
  within,
  wrongOf,
} from "./sequences.js";

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

/** A good release: who may have it, what is fetched, copied or written, what is checked, what is started. */
const release: fc.Arbitrary<Manifest> = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    how: some("fetch", "unless", "slots", "write", "copy", "swap", "again"),
    who: some("plain", "plain", "classes", "classes", "run", "run", "pairs", "pairs", "split", "soft"),
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
      again: [set({ source: last }), { do: "swap" }, { do: "swap" }],
    };
    const way = n === 1 && ["copy", "swap", "again"].includes(how) ? "write" : how;
    const swaps = way === "swap" || way === "again";
    const other = swaps ? [...at(last), set({ digest: { alg: -16, of: OLD } })] : [];
    const sections: Manifest["sections"] = {
      [MAN_INSTALL]: [...at(0), ...(arrive[way] as Command[])],
      [MAN_VALIDATE]: [...at(0), { do: "image" }],
      [MAN_INVOKE]: [...at(0), { do: "invoke" }],
    };
    if (fetchFirst && way === "fetch") {
      sections[MAN_PAYLOAD_FETCH] = [...at(0), set({ uri }), { do: "fetch" }];
      sections[MAN_INSTALL] = [...at(0), { do: "image" }];
    }
    if (loads && n > 1 && !swaps) sections[MAN_LOAD] = [...at(last), facts, set({ source: 0 }), { do: "copy" }, { do: "image" }];
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
    // what is fetched from inside the envelope is there, mostly
    m.payloads = Object.fromEntries((inside.length > 0 ? named.filter((u) => u.startsWith("#")) : []).map((u) => [u, image]));
    m.sequence = sequence;
    return m;
  });

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
