// The bounds of the arithmetic of ed25519.ts. A number modulo 2^255 - 19 has a size, as the head of field25519.ts
// defines it. `mul` is analysed again for each pair of sizes that any caller brings, so that what is proved is what is
// called.

import { fixed, isZeroModulo, power, Unproved } from "./domain.mjs";
import { Interpreter, neverRun, parseModules } from "./interpreter.mjs";
import { checkOf, octets, BUILTINS as SHARED } from "./proof.mjs";
import { checkNumbers, checkScalars } from "./scalars25519.mjs";

const P = 2n ** 255n - 19n;
const LIMBS = [...Array(12).keys()];
/** Weights as exponents: of the limb itself, and 127 more for what the upper half stands for. */
const UNITS = LIMBS.map((i) => Math.ceil(21.25 * i) - (i < 6 ? 0 : 127));
const WIDTHS = LIMBS.map((i) => (i % 4 ? 21 : 22));
const CARRIED = [1, 7];

/** The bound of limb i at size 1, in units of 2^-SCALE; a carry's last step may leave 2^-9 more in two limbs. */
const bound = (i) => power(UNITS[i] + WIDTHS[i] - 1) + (CARRIED.includes(i) ? power(UNITS[i] + WIDTHS[i] - 10) : 0n);

/** Sizes are counted in steps of 2^-21, rounded up: the size of the number 1. */
const STEP = 2n ** 21n;

/** The size of an element; each limb must be a multiple of its weight. */
function size(v, a, what = v.name ?? "mul") {
  let most = 0n;
  for (const i of LIMBS) {
    const x = v.domain.of(a[i]);
    if (x.unit < UNITS[i]) throw new Unproved(`${what}: limb ${i} is not a multiple of its weight`);
    const s = (x.max * STEP + bound(i) - 1n) / bound(i);
    if (s > most) most = s;
  }
  return most;
}

const told = (s) => String(Number((Number(s) / Number(STEP)).toPrecision(5)));

/** Any element of that size, in steps. */
function element(v, s, into = []) {
  for (const i of LIMBS) {
    const b = (bound(i) * s) / STEP;
    into[i] = v.domain.any(-b, b, UNITS[i]);
  }
  return into;
}

const ONE = STEP;
const sized = (n) => BigInt(n) * STEP;

function demand(v, a, most, what) {
  const s = size(v, a, what);
  if (s > sized(most)) throw new Unproved(`${what} has size ${told(s)}, more than ${most}`);
}

/** Whether r = a b modulo p, as polynomials. */
function isProduct(r, a, b) {
  const weight = (i) => (i < 6 ? 1n : 2n ** 127n);
  const terms = LIMBS.map((i) => [weight(i), r[i]]);
  for (const i of LIMBS) for (const j of LIMBS) terms.push([-weight(i) * weight(j), a[i], b[j]]);
  return isZeroModulo(terms, P);
}

const BUILTINS = {
  ...SHARED,
  newBytes: (_, n) => new Array(n).fill(0),
  ...Object.fromEntries(["ALG_ED25519", "ALG_EDDSA", "HASH_SHA_512"].map((name) => [name, 0])),
};

/** Not run: they work on octets, bits and signs, or decide by a double that is known to be about right (`value`). */
const WHOLE = ["value", "absolute", "shorten", "windows", "canonical", "bound", "pointOf", "valid", "challenge", "scalars", "verify"];

/** What leaves `twice` and `join`, [X, Y, Z, E, H, F, G], and what is made ready to be added. */
const POINT = [1, 1, 1, 2, 3, 4, 4];
const READY = [2, 2, 1, 2];
/** A point of a table that may be damaged. */
const READ = [4, 4, 4];

export function prove25519(read, attempt) {
  const seen = new Map();
  const modules = parseModules(
    ["base/features", "alg/field25519", "alg/scalar25519", "alg/curve25519", "alg/table25519", "alg/ed25519"],
    read,
  );
  const open = (contracts) => new Interpreter(modules, BUILTINS, contracts);

  /**
   * The analysis of mul for inputs of these sizes; `b` undefined: the square. `into` says which array takes the result.
   */
  function analyse(a, b, into) {
    const v = open({});
    const x = element(v, a);
    const y = b === undefined ? undefined : element(v, b);
    const before = [x.slice(), (y ?? x).slice()];
    const r = { fresh: [], a: x, b: y }[into];
    v.run("mul25519", y ? [r, x, y] : [r, x]);
    if (size(v, r) > ONE) throw new Unproved(`mul: sizes ${told(a)} and ${told(b ?? a)} leave size ${told(size(v, r))}`);
    if (!isProduct(r, ...before)) throw new Unproved(`mul: what comes out is not the product modulo p`);
    return v.domain.closest;
  }

  /** mul as its callers see it: the sizes are allowed, and with these sizes all is exact. */
  function mul(v, r, a, b) {
    const m = size(v, a);
    const n = b ? size(v, b) : m;
    if (m * n > sized(16) * ONE) throw new Unproved(`${v.name} multiplies sizes ${told(m)} and ${told(n)}, more than 16 together`);
    const key = b ? `${m} ${n}` : `${m}`;
    if (!seen.has(key)) seen.set(key, { m, n, square: !b, ...analyse(m, b && n, "fresh") });
    element(v, ONE, r);
  }

  const contracts = { mul25519: mul };

  const check = checkOf(open, attempt);
  const elements = (v, sizes, into = []) => sizes.map((s, i) => element(v, sized(s), into[i]));

  // mul itself, at the corners of its precondition, and writing over its arguments
  for (const [m, n] of [
    [1, 1],
    [16, 1],
    [1, 16],
    [4, 4],
    [8, 2],
  ])
    for (const into of m === 4 ? ["fresh", "a", "b"] : ["fresh"])
      attempt(`mul${into === "fresh" ? "" : `, into ${into}`}`, `sizes ${m}, ${n}`, () => analyse(sized(m), sized(n), into));
  attempt("mul, square", "size 4", () => analyse(sized(4), undefined, "fresh"));

  check("constants", "", contracts, (v) => checkNumbers(v, (at) => v.run("readElement", [v.globals.NUMBERS, 42 * at])));
  check("carry", "limbs below 2^45 weights", contracts, (v) => {
    const a = LIMBS.map((i) => v.domain.any(-power(45 + UNITS[i]), power(45 + UNITS[i]), UNITS[i]));
    // the bound of limbs 1 and 7 at size 1 is higher than 2^20 weights by 2^-9, so 2^45 is a little less than size 2^25
    // there
    v.run("carry", [[], a]);
  });
  check("unpack", "32 octets", contracts, (v) => demand(v, v.run("unpack", [octets(v, 32)]), 1, "unpack"));
  check("element", "|n| up to 2^21", contracts, (v) => demand(v, v.run("element", [v.domain.any(-power(21), power(21), 0)]), 1, "element"));
  check("half", "none", contracts, (v) => demand(v, v.run("half", []), 1, "half"));
  check("isZero", "size 16", contracts, (v) => v.run("isZero25519", [element(v, sized(16))]));
  check("parity", "size 1", contracts, (v) => v.run("parity", [element(v, ONE)]));
  check("power", "size 4", contracts, (v) => {
    const r = [];
    v.run("power", [r, element(v, sized(4))]);
    demand(v, r, 1, "power");
  });
  const anyText = (v) => ({
    type: "string",
    charCodeAt: () => v.domain.any(0n, fixed(65535), 0),
    substring: () => anyText(v),
    length: 4032,
  });
  // any double except NaN, down to 2^-500; NaN and values that are not numbers fail both comparisons, which is a branch
  // of its own
  const numbers = (v) => new Proxy([], { get: (_, k) => (k === "length" ? 576 : v.domain.any(-power(200), power(200), -500)) });
  const readAll = [
    ["any text", anyText, 2.8],
    ["any numbers", numbers, 4],
  ];
  for (const [what, text, most] of readAll)
    check(`read`, what, contracts, (v) => {
      const s = size(v, v.run("readElement", [text(v), 0]));
      if (s > BigInt(Math.round(most * Number(STEP)))) throw new Unproved(`read: ${what}: size ${told(s)}, more than ${most}`);
    });

  check("read", "the numbers of the module", contracts, (v) => {
    for (let at = 0; at < 252; at += 42) demand(v, v.run("readElement", [v.globals.NUMBERS, at]), 1, "read");
  });

  // Points: whatever leaves twice or join may go into the next, in any order.
  const demandAll = (v, p, sizes, what) => {
    for (const [i, s] of sizes.entries()) if (p[i]) demand(v, p[i], s, `${v.name}: part ${i} of ${what}`);
  };
  const isPoint = (v, p) => demandAll(v, p, POINT, "the point");
  check("twice", "X, Y, Z size 1", contracts, (v) => {
    const p = elements(v, POINT);
    v.run("twice", [p]);
    isPoint(v, p);
  });
  for (const minus of [false, true])
    for (const q of [READY, READ])
      check(`join${minus ? ", minus" : ""}`, `q of sizes ${q.join(", ")}`, contracts, (v) => {
        const p = elements(v, POINT);
        v.run("join", [p, elements(v, q), minus]);
        isPoint(v, p);
      });

  checkScalars(check);

  // The rest of the curve calls these two by their contracts.
  const curve = {
    mul25519: mul,
    isZero25519(v, a) {
      v.run("carry", [a, a]);
      return v.choose();
    },
    parity(v, a) {
      demand(v, a, 1, `${v.name}: what parity looks at`);
      return v.choose() ? 1 : 0;
    },
    twice(v, p) {
      isPoint(v, p);
      elements(v, POINT, p);
    },
    join(v, p, q) {
      isPoint(v, p);
      demandAll(v, q, q[3] ? READY : READ, "what is added");
      elements(v, POINT, p);
    },
    canonical: (v) => v.choose(),
  };
  const affine = (v) => [element(v, ONE), element(v, ONE)];
  check("decode", "32 octets", curve, (v) => {
    const p = v.run("decode", [octets(v, 32)]);
    if (p) for (const x of p) demand(v, x, 1, "decode");
  });
  for (const three of [false, true])
    check("odd", `x, y size 1${three ? ", with 3 P" : ""}`, curve, (v) => {
      for (const q of v.run("odd", [...affine(v), element(v, ONE), three])) demandAll(v, q, READY, "a multiple");
    });
  // windows: each kind of digit after each other one
  const windows = () =>
    Array.from({ length: 262 }, (_, i) => (i < 16 || (i > 127 && i < 144) ? [0, 1, 255, 0, 3, 253, 0, 0][(i * 7) % 8] : 0));
  check("vanishes", "windows of any digits", curve, (v) => {
    const list = [READY.slice(0, 3), READY, READ, READ].map((sizes) => elements(v, sizes));
    v.run("vanishes", [[[windows(), v.choose(), 128, 2, list, 0]]]);
  });
  for (const [what, text, most] of readAll) {
    // its bound is proved above, so its branches are not run again for each of the numbers
    const readTable = (v, from, at) =>
      typeof from === "string" ? v.run("readElement", [from, at]) : element(v, BigInt(Math.round(most * Number(STEP))));
    check("prepared", what, { ...curve, windows, readElement: readTable }, (v) => {
      v.run("prepared", [octets(v, 32), text(v), [], [], affine(v)]);
    });
  }
  check("halved", "x, y size 1", curve, (v) => {
    v.run("halved", [[windows(), windows(), windows(), v.choose()], affine(v), affine(v)]);
  });

  for (const { m, n, square, ...closest } of seen.values())
    attempt(square ? "mul, square" : "mul", square ? `size ${told(m)}` : `sizes ${told(m)}, ${told(n)}`, () => closest);
  attempt("all functions", "", () => {
    const names = neverRun(modules, WHOLE);
    if (names.length > 0) throw new Unproved(`nothing runs ${names.join(", ")}`);
  });
}
