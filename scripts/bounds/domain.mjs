// What is known of a double: it is a multiple of 2^unit, it is between two numbers, and it equals a polynomial in
// symbols. Every operation proves that its result is exact in binary64: a multiple of 2^unit that is at most 2^53 units
// is a double. The one operation that may round is the addition of a constant so large that all results are in one
// binade [2^k, 2^(k+1)]: there doubles are the multiples of 2^(k-52), so the result is the exact sum plus an error of
// at most half of that. The error is a symbol of its own, so that what a carry takes from one limb and adds to the next
// cancels.
//
// Numbers are BigInts in units of 2^-SCALE. All of them here are dyadic, with far fewer binary places.

const SCALE = 768;
const S = BigInt(SCALE);
/** Keys of a polynomial: 0 for 1, i for symbol i, i * PAIR + j for the product of symbols i <= j. */
const PAIR = 2 ** 20;

export class Unproved extends Error {}

/** An integer or a dyadic double, in units of 2^-SCALE. */
export function fixed(x) {
  if (typeof x === "bigint") return x << S;
  if (!Number.isFinite(x)) throw new Unproved(`${x} is not a number`);
  let e = 0;
  let m = x;
  while (!Number.isInteger(m)) {
    m *= 2;
    if (++e > SCALE) throw new Unproved(`${x} is too fine`);
  }
  return BigInt(m) << (S - BigInt(e));
}

/** 2^e in units of 2^-SCALE. */
export function power(e) {
  if (e < -SCALE) throw new Unproved(`2^${e} is too fine`);
  return 1n << BigInt(SCALE + e);
}

function times(a, b) {
  return (a * b) >> S;
}

const magnitude = (a) => (a < 0n ? -a : a);
// Math.min takes no BigInts
// biome-ignore lint/complexity/useMathMinMax: see above
const least = (a, b) => (a < b ? a : b);
// biome-ignore lint/complexity/useMathMinMax: see above
const most = (a, b) => (a > b ? a : b);
const floorTo = (x, e) => (x >> BigInt(SCALE + e)) << BigInt(SCALE + e);

/** The largest e such that x is a multiple of 2^e; 0 is a multiple of all. */
function unitOf(x) {
  if (x === 0n) return 4096;
  const digits = (x & -x).toString(16);
  return 4 * digits.length - 4 + Math.log2(Number.parseInt(digits[0], 16)) - SCALE;
}

/** log2 of a positive number in units of 2^-SCALE, to four places or so. */
export function log2(x) {
  if (x === 0n) return Number.NEGATIVE_INFINITY;
  const digits = x.toString(2);
  return Math.log2(Number.parseInt(digits.slice(0, 50), 2)) + Math.max(0, digits.length - 50) - SCALE;
}

/** A number of which bounds are known. */
export class Abs {
  constructor(lo, hi, unit, poly) {
    this.lo = lo;
    this.hi = hi;
    this.unit = unit;
    this.poly = poly;
  }
  get max() {
    return most(magnitude(this.lo), magnitude(this.hi));
  }
}

/** One analysis: its symbols, what it has seen, and the operations. */
export class Domain {
  constructor() {
    this.symbols = [undefined];
    this.monomials = new Map();
    /**
     * Of the symbols that are errors of rounding: the polynomial of what was rounded, and of what became of it, which
     * divides by more.
     */
    this.rounded = new Map();
    this.closest = { margin: Number.POSITIVE_INFINITY, bits: 0, site: "" };
    this.roundings = 0;
    /** Returns the source location. */
    this.site = () => "";
  }

  /** A new symbol between lo and hi, a multiple of 2^unit. */
  symbol(lo, hi, unit) {
    this.symbols.push([lo, hi, unit]);
    return new Map([[this.symbols.length - 1, 1n << S]]);
  }

  /** Any multiple of 2^unit between lo and hi (in units of 2^-SCALE). */
  any(lo, hi, unit) {
    const from = -floorTo(-lo, unit);
    const to = floorTo(hi, unit);
    return new Abs(from, to, unit, this.symbol(from, to, unit));
  }

  constant(x) {
    const f = fixed(x);
    return new Abs(f, f, unitOf(f), new Map(f === 0n ? [] : [[0, f]]));
  }

  of(x) {
    if (x instanceof Abs) return x;
    if (typeof x === "boolean") return this.constant(Number(x));
    if (typeof x !== "number") throw new Unproved(`${this.site()}: ${typeof x} in arithmetic`);
    return this.constant(x);
  }

  monomial(key) {
    let range = this.monomials.get(key);
    if (!range) {
      const i = Math.floor(key / PAIR);
      const [a, b, e] = this.symbols[key % PAIR];
      if (i === 0) range = [a, b, e];
      else {
        const [c, d, f] = this.symbols[i];
        const corners = [times(a, c), times(a, d), times(b, c), times(b, d)];
        range = [corners.reduce(least), corners.reduce(most), e + f];
        if (i === key % PAIR && range[0] < 0n) range[0] = 0n;
      }
      this.monomials.set(key, range);
    }
    return range;
  }

  /** What the polynomial says by itself: bounds, and the power of two that divides it. */
  range(poly) {
    let lo = 0n;
    let hi = 0n;
    let unit = 4096;
    for (const [key, c] of poly) {
      const [a, b, e] = key === 0 ? [1n << S, 1n << S, 0] : this.monomial(key);
      lo += times(c, c > 0n ? a : b);
      hi += times(c, c > 0n ? b : a);
      unit = Math.min(unit, unitOf(c) + e);
    }
    return [lo, hi, unit];
  }

  /** The number with these bounds or tighter ones, by its polynomial; exact, or an error. */
  exact(lo, hi, coarse, poly) {
    const p = poly ?? this.symbol(lo, hi, coarse);
    const [a, b, e] = this.range(p);
    const unit = Math.max(coarse, e);
    const x = new Abs(-floorTo(-most(lo, a), unit), floorTo(least(hi, b), unit), unit, p);
    const bits = log2(x.max) - unit;
    if (x.max > power(unit + 53)) throw new Unproved(`${this.site()}: 2^${bits.toFixed(2)} units of 2^${unit}, more than a double holds`);
    if (log2(x.max) > 1000) throw new Unproved(`${this.site()}: too large`);
    if (53 - bits < this.closest.margin) this.closest = { margin: 53 - bits, bits, site: this.site() };
    return x;
  }

  add(a, b, sign = 1n) {
    const x = this.of(a);
    const y = this.of(b);
    const poly = new Map(x.poly);
    for (const [key, c] of y.poly) {
      const sum = (poly.get(key) ?? 0n) + sign * c;
      if (sum === 0n) poly.delete(key);
      else poly.set(key, sum);
    }
    const lo = x.lo + (sign > 0n ? y.lo : -y.hi);
    const hi = x.hi + (sign > 0n ? y.hi : -y.lo);
    const unit = Math.min(x.unit, y.unit);
    const constant = [x, y].some((z) => z.lo === z.hi && z.lo !== 0n);
    if (constant && most(magnitude(lo), magnitude(hi)) > power(unit + 53)) return this.round(lo, hi, unit, poly);
    return this.exact(lo, hi, unit, poly);
  }

  /** The sum with a constant that makes it round to a multiple of one power of two. */
  round(lo, hi, unit, poly) {
    if (lo < 0n !== hi < 0n || lo === 0n) throw new Unproved(`${this.site()}: a carry of another sign`);
    const k = Math.floor(log2(least(magnitude(lo), magnitude(hi))) + 1e-9);
    const [low, high] = [least(magnitude(lo), magnitude(hi)), most(magnitude(lo), magnitude(hi))];
    if (low < power(k) || high > power(k + 1)) {
      throw new Unproved(`${this.site()}: a carry rounds to multiples of more than one power of two`);
    }
    const half = power(k - 53);
    const sum = new Map(poly);
    const [[error, one]] = this.symbol(-half, half, Math.min(unit, k - 52));
    this.rounded.set(error, { poly, unit: k - 52 });
    sum.set(error, one);
    this.roundings++;
    // to the nearest multiple; at worst away from the middle
    const ceil = (x) => -floorTo(-x, k - 52);
    return new Abs(floorTo(lo, k - 52), ceil(hi), k - 52, sum);
  }

  mul(a, b) {
    const x = this.of(a);
    const y = this.of(b);
    const corners = [times(x.lo, y.lo), times(x.lo, y.hi), times(x.hi, y.lo), times(x.hi, y.hi)];
    const square = x === y && x.lo < 0n && x.hi > 0n;
    const poly = product(x.poly, y.poly);
    let unit = Math.min(4096, x.unit + y.unit);
    if (unit < 0 && poly) unit = Math.max(unit, this.divisor(poly));
    return this.exact(square ? 0n : corners.reduce(least), corners.reduce(most), unit, poly);
  }

  /**
   * The power of two that divides a polynomial, each error of rounding written as what was rounded to, less what was
   * rounded.
   */
  divisor(poly) {
    const total = new Map(poly);
    let unit = 4096;
    for (let i = this.symbols.length - 1; i > 0; i--) {
      const c = total.get(i);
      const from = this.rounded.get(i);
      if (!c || !from) continue;
      total.delete(i);
      unit = Math.min(unit, unitOf(c) + from.unit);
      for (const [key, d] of from.poly) total.set(key, (total.get(key) ?? 0n) - times(c, d));
    }
    return Math.min(unit, this.range(total)[2]);
  }

  /** How often the number b, which is a symbol by itself, is in a. */
  coefficient(a, b) {
    const [key] = b.poly.keys();
    return Number((this.of(a).poly.get(key) ?? 0n) >> (S - 8n)) / 256;
  }

  /** By a power of two, which is exact. */
  div(a, b) {
    if (typeof b !== "number" || !Number.isInteger(Math.log2(Math.abs(b)))) throw new Unproved(`${this.site()}: a division that rounds`);
    return this.mul(a, 1 / b);
  }

  floor(a) {
    const x = this.of(a);
    if (x.unit >= 0) return x;
    const poly = new Map(x.poly);
    for (const [key] of this.symbol(0n, power(0) - power(x.unit), x.unit)) poly.set(key, -(1n << S));
    return this.exact(floorTo(x.lo, 0), floorTo(x.hi, 0), 0, poly);
  }

  /** An operation on 32 bits: higher bits would be lost silently. */
  word(a) {
    const x = this.of(a);
    if (x.unit < 0 || x.lo < -power(31) || x.hi >= power(32)) throw new Unproved(`${this.site()}: more than 32 bits`);
    return x;
  }

  shift(a, n) {
    const x = this.word(a);
    return this.any(floorTo(x.lo, n) >> BigInt(n), floorTo(x.hi, n) >> BigInt(n), 0);
  }

  and(a, mask) {
    const x = this.word(a);
    const m = fixed(mask);
    if (mask < 0) throw new Unproved(`${this.site()}: a mask below 0`);
    return this.any(0n, x.lo >= 0n ? least(m, x.hi) : m, 0);
  }

  mod(a, n) {
    const x = this.of(a);
    if (x.lo < 0n || x.unit < 0) throw new Unproved(`${this.site()}: a remainder of what may be below 0`);
    return x.hi < fixed(n) ? x : this.any(0n, fixed(n - 1), 0);
  }

  /** Whether a < b: true, false, or undefined where both can be. */
  less(a, b) {
    const x = this.of(a);
    const y = this.of(b);
    return x.hi < y.lo ? true : x.lo >= y.hi ? false : undefined;
  }

  same(a, b) {
    const x = this.of(a);
    const y = this.of(b);
    if (x.hi < y.lo || y.hi < x.lo) return false;
    return x.lo === x.hi && y.lo === y.hi ? true : undefined;
  }
}

/** Undefined where it would have a higher degree than 2. */
function product(a, b) {
  const out = new Map();
  for (const [i, c] of a) {
    for (const [j, d] of b) {
      if ((i >= PAIR && j > 0) || (j >= PAIR && i > 0)) return undefined;
      const key = i === 0 || j === 0 ? i + j : Math.min(i, j) * PAIR + Math.max(i, j);
      const sum = (out.get(key) ?? 0n) + times(c, d);
      if (sum === 0n) out.delete(key);
      else out.set(key, sum);
    }
  }
  return out;
}

/**
 * Whether the polynomial sum of c * f * g over the [c, f, g] is 0 modulo the odd number p, whatever the symbols stand
 * for.
 */
export function isZeroModulo(terms, p) {
  const total = new Map();
  for (const [c, f, g] of terms) {
    const poly = g ? product(f.poly, g.poly) : f.poly;
    if (!poly) return false;
    for (const [key, d] of poly) total.set(key, (total.get(key) ?? 0n) + c * d);
  }
  return [...total.values()].every((c) => c % p === 0n);
}
