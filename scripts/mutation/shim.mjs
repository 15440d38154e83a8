// What the verifier's tests use of vitest, in one process: so that a mutant costs what its tests cost, and not the
// start of a runner. Only a mutant that is killed counts by this; what survives is tried again by vitest itself.

import assert from "node:assert";
import { format, isDeepStrictEqual } from "node:util";

/** As toEqual(): what is undefined is not there, and classes are of no account. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map || value instanceof Set) return [...value].map(plain);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return { view: value.constructor.name, octets: Array.from(value) };
  if (value instanceof Error) return { message: value.message };
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, plain(v)]),
  );
}

function contains(value, part) {
  if (part === null || typeof part !== "object") return Object.is(value, part);
  if (value === null || typeof value !== "object") return false;
  return Object.entries(part).every(([k, v]) => contains(value[k], v));
}

function throws(f, wanted) {
  try {
    f();
  } catch (e) {
    if (wanted === undefined) return true;
    if (wanted instanceof RegExp) return wanted.test(e.message);
    if (typeof wanted === "string") return String(e.message).includes(wanted);
    if (typeof wanted === "function") return e instanceof wanted;
    return e.message === wanted.message;
  }
  return false;
}

const matchers = {
  toBe: (a, b) => Object.is(a, b),
  toEqual: (a, b) => isDeepStrictEqual(plain(a), plain(b)),
  toStrictEqual: (a, b) => isDeepStrictEqual(a, b),
  toBeNull: (a) => a === null,
  toBeUndefined: (a) => a === undefined,
  toBeDefined: (a) => a !== undefined,
  toBeTruthy: (a) => !!a,
  toBeGreaterThan: (a, b) => a > b,
  toBeGreaterThanOrEqual: (a, b) => a >= b,
  toBeLessThan: (a, b) => a < b,
  toBeLessThanOrEqual: (a, b) => a <= b,
  toContain: (a, b) => a.includes(b),
  toMatch: (a, b) => (typeof b === "string" ? a.includes(b) : b.test(a)),
  toHaveLength: (a, b) => a.length === b,
  toHaveBeenCalled: (a) => a.calls > 0,
  toMatchObject: contains,
  toThrow: throws,
};

export function expect(value) {
  const out = { not: {}, resolves: {}, rejects: {} };
  for (const [name, holds] of Object.entries(matchers)) {
    const must = (v, wanted, args) => assert(holds(v, ...args) === wanted, name);
    out[name] = (...args) => must(value, true, args);
    out.not[name] = (...args) => must(value, false, args);
    out.resolves[name] = async (...args) => must(await value, true, args);
    out.rejects[name] = async (...args) => {
      const error = await Promise.resolve(value).then(
        () => assert.fail("not rejected"),
        (e) => e,
      );
      if (name !== "toThrow") return must(error, true, args);
      must(
        () => {
          throw error;
        },
        true,
        args,
      );
    };
  }
  return out;
}
expect.fail = (message) => assert.fail(message);
expect.soft = expect;

/** The tests of a file, in order: { name, run(), after() }. Names are those that Stryker's runner gives. */
export function collector() {
  const tests = [];
  const restore = [];
  let suite = [];
  let hooks = { before: [], each: [], after: [] };

  function it(name, a, b) {
    const f = typeof a === "function" ? a : b;
    if (typeof f !== "function") return;
    const mine = hooks;
    const context = {
      skip: () => {
        throw new Skipped();
      },
    };
    tests.push({
      name: [...suite, name].join(" "),
      async run() {
        try {
          for (const hook of mine.before) await hook();
          await f(context);
        } catch (e) {
          if (!(e instanceof Skipped)) throw e;
        } finally {
          for (const hook of mine.each) await hook();
        }
      },
    });
  }
  function describe(name, a, b) {
    const f = typeof a === "function" ? a : b;
    const [outer, around] = [suite, hooks];
    suite = [...suite, name];
    hooks = { before: [...hooks.before], each: [...hooks.each] };
    f();
    [suite, hooks] = [outer, around];
  }
  const none = () => {};
  const title = (name, args, i) => {
    const parts = Array.isArray(args) ? args : [args];
    const count = (name.match(/%[a-zA-Z]/g) ?? []).length;
    const text = format(name.replaceAll("%#", String(i)), ...parts.slice(0, count));
    return typeof args === "object" && args !== null
      ? text.replace(/\$([\w.]+)/g, (all, path) => {
          const value = path.split(".").reduce((o, k) => o?.[k], args);
          return value === undefined ? all : String(value);
        })
      : text;
  };
  for (const f of [it, describe]) {
    f.skip = none;
    f.skipIf = (left) => (left ? Object.assign(() => {}, { each: () => none, for: () => none }) : f);
    f.runIf = (wanted) => f.skipIf(!wanted);
    f.each = (rows) => (name, a, b) =>
      rows.forEach((row, i) => {
        const body = typeof a === "function" ? a : b;
        f(title(name, row, i), () => (Array.isArray(row) ? body(...row) : body(row)));
      });
    f.for = (rows) => (name, a, b) =>
      rows.forEach((row, i) => {
        const body = typeof a === "function" ? a : b;
        f(title(name, row, i), (context) => body(row, context));
      });
  }
  const vi = {
    stubGlobal(name, value) {
      const old = Object.getOwnPropertyDescriptor(globalThis, name);
      restore.push(() => Object.defineProperty(globalThis, name, old));
      Object.defineProperty(globalThis, name, { ...old, value });
    },
    unstubAllGlobals() {
      while (restore.length) restore.pop()();
    },
    spyOn(object, name) {
      const real = object[name];
      let fake = real;
      const spy = Object.assign(
        function (...args) {
          spy.calls++;
          return fake.apply(this, args);
        },
        {
          calls: 0,
          mockImplementation(f) {
            fake = f;
            return spy;
          },
          mockRestore() {
            object[name] = real;
          },
        },
      );
      object[name] = spy;
      restore.push(spy.mockRestore);
      return spy;
    },
    restoreAllMocks: () => vi.unstubAllGlobals(),
  };
  const vitest = {
    it,
    test: it,
    describe,
    expect,
    vi,
    beforeAll: (f) => hooks.before.push(f),
    beforeEach: (f) => hooks.before.push(f),
    afterEach: (f) => hooks.each.push(f),
    // what they take away is not worth the wait: the process's own folder goes at its end
    afterAll: none,
  };
  return { tests, vitest, restore: vi.unstubAllGlobals };
}

class Skipped extends Error {}
