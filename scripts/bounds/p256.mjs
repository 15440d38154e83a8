// The bounds of field256.ts, ratio256.ts and es256.ts. An element has 11 limbs, limb i counting 2^(24 i): ten of them
// tight (at most 2^23) times a weight, and a top limb that follows from the size of the value, 2^16 for each p. `mul`
// is analysed again for all bounds that a caller brings.

import { fixed, isZeroModulo, power, Unproved } from "./domain.mjs";
import { Interpreter, neverRun, parseModules } from "./interpreter.mjs";
import { checkOf, demandZero, octets, BUILTINS as SHARED } from "./proof.mjs";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
/** SP 800-186 §3.2.1.3: n, b and x of G. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const GENERATOR = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n;
const LIMBS = [...Array(11).keys()];

/** Any element of a weight, and of a size in multiples of p. */
function element(v, weight, size, into = []) {
  for (const i of LIMBS) {
    const b = i < 10 ? BigInt(weight) * power(23) : fixed(Math.floor(size * 65536));
    into[i] = v.domain.any(-b, b, 0);
  }
  return into;
}

const maxima = (v, a) => LIMBS.map((i) => v.domain.of(a[i]).max);

/**
 * What the top limb holds, in multiples of p: a value below k p leaves at most k * 2^16 there, because half a unit more
 * is not a whole one.
 */
const sizeOf = (v, a) => Number(maxima(v, a)[10] >> 700n) / 2 ** (68 + 16);

/** The weight: how many times 2^23 the ten lower limbs hold. */
const weightOf = (v, a) =>
  Math.max(
    ...maxima(v, a)
      .slice(0, 10)
      .map((max) => Number((max << 20n) / power(23)) / 2 ** 20),
  );

function demand(v, a, weight, size, what) {
  if (LIMBS.some((i) => v.domain.of(a[i]).unit < 0)) throw new Unproved(`${what} is not in whole numbers`);
  if (weightOf(v, a) > weight) throw new Unproved(`${what} has weight ${weightOf(v, a)}, more than ${weight}`);
  if (sizeOf(v, a) > size) throw new Unproved(`${what} has size ${sizeOf(v, a).toFixed(3)}, more than ${size}`);
}

/** Whether o = a b / 2^264 + s d modulo p, as polynomials. */
function isProduct(o, a, b, d, s) {
  const terms = [];
  for (const i of LIMBS) {
    terms.push([1n << BigInt(264 + 24 * i), o[i]]);
    if (d) terms.push([-(1n << BigInt(264 + 24 * i)), d[i], s]);
    for (const j of LIMBS) terms.push([-(1n << BigInt(24 * (i + j))), a[i], b[j]]);
  }
  return isZeroModulo(terms, P);
}

/** 1 / x modulo p. */
function inverse(x) {
  let y = 1n;
  for (let e = P - 2n, z = x % P; e > 0n; e >>= 1n, z = (z * z) % P) if (e & 1n) y = (y * z) % P;
  return y;
}

const BUILTINS = {
  ...SHARED,
  hashing: () => undefined,
  Math: { abs: Math.abs },
  ...Object.fromEntries(["ALG_ES256", "ALG_ESP256", "HASH_SHA_256"].map((name) => [name, 0])),
};

/** Sizes of X, W, Z after `dbl` and `add`, after `dbl` alone, and of x and w of what is added. */
const POINT = [3, 3, 1];
const DOUBLED = [1.6, 1.1, 0.6];
const AFFINE = [2, 2];

export function prove256(read, attempt) {
  const modules = parseModules(["alg/field256", "alg/ratio256", "alg/es256"], read);
  const open = (contracts) => new Interpreter(modules, BUILTINS, contracts);
  const seen = new Map();

  /**
   * The analysis of mul for limbs up to these maxima (or the numbers themselves), the factor s being known or between
   * two numbers.
   */
  function analyse(bounds, s, into) {
    const v = open({});
    const own = bounds.map((b) => b?.map((max) => v.domain.any(-max, max, 0)));
    const [a, b, d] = into === "square" ? [own[0], own[0], own[2]] : own;
    const before = [a, b, d].map((x) => x?.slice());
    const o = { a, b, d }[into] ?? [];
    const factor = Array.isArray(s) ? v.domain.any(fixed(s[0]), fixed(s[1]), 0) : s;
    v.run("mul256", d ? [o, a, b, d, factor] : [o, a, b]);
    if (weightOf(v, o) > 1) throw new Unproved("mul: what comes out is not tight");
    if (!isProduct(o, ...before, d && v.domain.of(factor))) throw new Unproved("mul: what comes out is not the product modulo p");
    return { closest: v.domain.closest, top: v.domain.of(o[10]).max, size: sizeOf(v, o) };
  }

  /**
   * mul as its callers see it: with limbs of these bounds all is exact; what comes out is tight, and its top limb as
   * large as was proved.
   */
  function mul(v, o, a, b, d, s) {
    const used = d && s ? d : undefined;
    const weights = [a, b].map((x) => weightOf(v, x));
    const sizes = [a, b].map((x) => sizeOf(v, x));
    if (weights[0] * weights[1] > 12) throw new Unproved(`${v.name} multiplies weights ${weights.join(" and ")}, more than 12 together`);
    if (sizes.some((x) => x >= 31)) throw new Unproved(`${v.name} multiplies sizes ${sizes.join(" and ")}, 31 or more`);
    const bounds = [a, b, used].map((x) => x && maxima(v, x));
    const key = `${a === b} ${bounds.map((x) => x?.join()).join(";")} ${used ? s : 0}`;
    let known = seen.get(key);
    if (!known) {
      known = { name: v.name, weights, sizes, s: used && s, ...analyse(bounds, s, a === b ? "square" : "fresh") };
      seen.set(key, known);
    }
    for (const i of LIMBS) o[i] = i < 10 ? v.domain.any(-power(23), power(23), 0) : v.domain.any(-known.top, known.top, 0);
    return o;
  }

  function isZero(v, a) {
    // Numbers as `loadElement` leaves them are not tight, but not negative either: then limb 4 is minus limb 0 only
    // where both are 0.
    if (LIMBS.some((i) => v.domain.of(a[i]).lo < 0n)) demand(v, a, 1, 2 ** 14, `${v.name}: what is compared with 0`);
    return v.choose();
  }
  const contracts = { mul256: mul, isZero256: isZero };
  const check = checkOf(open, attempt);

  check("constants", "", {}, (v) => {
    const { P: p, ONE, RR, N, CURVE_B, GX, GW } = v.globals;
    const value = (a) => a.reduceRight((sum, limb) => (sum << 24n) + BigInt(limb), 0n);
    const [b, x, w] = [CURVE_B, GX, GW].map((a) => value(a) * inverse(1n << 264n));
    if (value(p) !== P) throw new Unproved("P is not the prime");
    if (value(N) !== ORDER) throw new Unproved("N is not the order");
    demandZero(value(ONE) - (1n << 264n), P, "ONE");
    demandZero(value(RR) - (1n << 528n), P, "RR");
    demandZero(b - B, P, "CURVE_B");
    demandZero(x - GENERATOR, P, "GX");
    demandZero(w * w - 4n * (x * x * x - 3n * x + b), P, "GW");
  });
  division(check, element);

  const wide = (weight, size) => LIMBS.map((i) => (i < 10 ? BigInt(weight) * power(23) : fixed(size * 65536 + 8)));
  for (const [m, n] of [
    [1, 1],
    [12, 1],
    [1, 12],
    [6, 2],
    [4, 3],
  ])
    for (const s of [
      [1, 8],
      [-8, -1],
    ])
      attempt(
        "mul",
        `weights ${m}, ${n}, 31 p, s ${s.join("..")}, d of 3`,
        () => analyse([wide(m, 31), wide(n, 31), wide(3, 31)], s).closest,
      );
  for (const into of ["a", "b", "d", "square"])
    attempt("mul", `weights 3, 3, ${into === "square" ? "b = a" : `into ${into}`}`, () => {
      return analyse([wide(3, 31), wide(3, 31), wide(3, 31)], [1, 8], into).closest;
    });
  attempt("mul", "weights 3, 4, without d", () => analyse([wide(3, 31), wide(4, 31)]).closest);

  check("load", "64 octets", contracts, (v) => {
    const o = v.run("loadElement", [octets(v, 64), 32]);
    if (!Array.isArray(o)) return;
    for (const i of LIMBS)
      if (v.domain.of(o[i]).lo < 0n || v.domain.of(o[i]).hi >= power(i < 10 ? 24 : 16)) throw new Unproved(`load: limb ${i}`);
  });
  check("less", "limbs below 2^29", contracts, (v) => {
    const any = () => LIMBS.map(() => v.domain.any(fixed(1) - power(29), power(29) - fixed(1), 0));
    v.run("less", [any(), any()]);
  });
  // of a tight element below 2^14 p
  check("isZero", "tight, below 2^14 p", {}, (v) => v.run("isZero256", [element(v, 1, 2 ** 14)]));

  // Points: whatever leaves dbl or add may go into the next, in any order.
  const demandAll = (v, p, sizes, what) => {
    for (const [i, size] of sizes.entries()) demand(v, p[i], 1, size, `${v.name}: ${"XWZ"[i]} of ${what}`);
  };
  const isPoint = (v, p) => demandAll(v, p, POINT, "the point");
  const elements = (v, sizes, into = []) => sizes.map((size, i) => element(v, 1, size, into[i]));
  check("dbl", "X, W < 3 p, Z < p, tight", contracts, (v) => {
    const p = elements(v, POINT);
    v.run("dbl", [p]);
    demandAll(v, p, DOUBLED, "the double");
  });
  const curve = {
    ...contracts,
    dbl(v, p) {
      isPoint(v, p);
      elements(v, DOUBLED, p);
    },
  };
  for (const s of [1, -1])
    check("add", `x, w < 2 p, tight, s = ${s}`, curve, (v) => {
      const p = elements(v, POINT);
      v.run("add", [p, elements(v, AFFINE), s]);
      isPoint(v, p);
    });
  Object.assign(curve, {
    add(v, p, q) {
      isPoint(v, p);
      demandAll(v, q, AFFINE, "what is added");
      elements(v, POINT, p);
    },
    // its bounds are proved below
    ratio: (v, e) => [[v.choose() ? 1 : -1, ...Array(10).fill(0)], ...e.slice(1).map(() => element(v, 1, 18))],
    digits: () => Array.from({ length: 256 }, (_, i) => (i < 8 && i % 2 ? [1, 15, 7, 9][(i >> 1) % 4] : 0)),
    valid: () => true,
  });
  check("decode", "65 octets", { ...curve, less: (v) => v.choose() }, (v) => {
    const key = [4, ...octets(v, 64)];
    const q = v.run("decode", [key]);
    if (q) for (const x of q) demand(v, x, 1, 2, "decode");
  });
  check("table", "two points of decode", curve, (v) => {
    const g = [v.globals.GX, v.globals.GW, v.globals.ONE];
    for (const q of v.run("table", [[g, [...elements(v, AFFINE), v.globals.ONE]]])) demandAll(v, q, AFFINE, "a multiple");
  });
  check(
    "verify",
    "any key and signature",
    {
      ...curve,
      less: (v) => v.choose(),
      decode: (v) => [...elements(v, AFFINE), v.globals.ONE],
      table: (v) => {
        return Array.from({ length: 8 }, () => elements(v, AFFINE));
      },
    },
    (v) => {
      v.run("verify", [[], [], octets(v, 64), { sha256: { once: () => octets(v, 32) } }]);
    },
  );

  const worst = new Map();
  for (const { name, weights, sizes, s, closest } of seen.values()) {
    const old = worst.get(name);
    const told = `weights ${weights.map(Math.ceil).join(", ")}, sizes ${sizes.map((x) => x.toFixed(1)).join(", ")}${s ? `, s ${s}` : ""}`;
    if (!old || closest.margin < old[1].margin) worst.set(name, [told, closest]);
  }
  for (const [name, [told, closest]] of worst) attempt(`mul, by ${name}`, told, () => closest);
  attempt("all functions", "", () => {
    const names = neverRun(modules, ["valid"]);
    if (names.length > 0) throw new Unproved(`nothing runs ${names.join(", ")}`);
  });
}

/** ratio256.ts, and the scalars of es256.ts. */
function division(check, element) {
  const whole = (v, lo, hi) => v.domain.any(fixed(lo), fixed(hi), 0);
  const factor = (v) => whole(v, -(2 ** 24), 2 ** 24);
  const limbs = (v, top) => LIMBS.map((i) => (i < 10 ? factor(v) : whole(v, -top, top)));
  const isTight = (v, o) => {
    for (const i of LIMBS.slice(0, 10)) if (v.domain.of(o[i]).max > power(23)) throw new Unproved(`row: limb ${i} is not tight`);
  };
  for (const [modulus, inverse] of Object.entries({ P: () => 1, N: (v) => v.globals.N_INV })) {
    check("row", `|u|, |v| to 2^24, modulo ${modulus}`, {}, (v) => {
      isTight(v, v.run("row", [limbs(v, 2 ** 21), limbs(v, 2 ** 21), factor(v), factor(v), v.globals[modulus], inverse(v)]));
    });
    // |u| + |v| <= 2^24, so |u a + v b| is at most 2^24 times the larger of both: as with v = 0
    check("ratio", `32 rounds modulo ${modulus}, from below 2^256`, {}, (v) => {
      let top = 65536;
      for (let n = 0; n < 32; n++) {
        const o = v.run("row", [limbs(v, top), limbs(v, top), factor(v), 0, v.globals[modulus], inverse(v)]);
        top = Math.ceil(sizeOf(v, o) * 65536);
      }
      if (top > 18 * 65536) throw new Unproved(`ratio: leaves ${(top / 65536).toFixed(2)} times the modulus, more than 18`);
    });
  }
  check("row", "|u|, |v| to 2^24, known to divide", {}, (v) => {
    // of limbs 0 only u a + v b is used, which is a multiple of 2^24 then
    const [a, b] = [0, 1].map(() => [v.domain.any(-power(24), power(24), 24), ...limbs(v, 2 ** 21).slice(1)]);
    isTight(v, v.run("row", [a, b, factor(v), factor(v), v.globals.P, 0]));
  });
  check("ratio, one step", "|f|, |g| to 2^24", {}, (v) => {
    const scope = { delta: whole(v, -1000, 1000), f: factor(v), g: factor(v) };
    for (const name of "uvqr") scope[name] = factor(v);
    const start = { ...scope };
    const steps = v.steps("ratio", scope);
    if (steps > 24) throw new Unproved(`ratio: ${steps} steps at a time, more than the 24 that a row divides by`);
    for (const name of "fg") if (v.domain.of(scope[name]).max > power(24)) throw new Unproved(`ratio: ${name} grows`);
    // (u, v) and (q, r) become sums of both with factors of 2 together at most: |u| + |v| no more than doubles
    for (const [x, y] of ["uv", "qr"]) {
      const factors = [x, y].map((name, i) => ["uq", "vr"][i].split("").map((from) => v.domain.coefficient(scope[name], start[from])));
      const [sum, other] = factors.map(([a, b]) => Math.abs(a) + Math.abs(b));
      if (factors[0].join() !== factors[1].join() || sum > 2 || other > 2)
        throw new Unproved("ratio: |u| + |v| more than doubles in a step");
      if ([x, y].some((name) => v.domain.of(scope[name]).poly.size > 2)) throw new Unproved("ratio: more in u, v than sums of them");
    }
  });
  for (const s of [1, -1])
    check("digits", `within 18 N of 0, tight, s = ${s}`, {}, (v) => v.run("digits", [element(v, 1, 18), s], "WhileStatement"));
}
