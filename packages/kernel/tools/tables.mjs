// Writes src/tables.h: the constants of edwards25519 (RFC 8032 section 5.1) and of SHA-2 (FIPS 180-4), computed from their definitions.
// `node tools/tables.mjs` prints it; a test compares.

const P = 2n ** 255n - 19n;

function mod(x) {
  return ((x % P) + P) % P;
}

function power(x, n) {
  let result = 1n;
  for (let base = mod(x); n > 0n; n >>= 1n, base = (base * base) % P) {
    if (n & 1n) {
      result = (result * base) % P;
    }
  }
  return result;
}

function divide(a, b) {
  return mod(a * power(b, P - 2n));
}

const D = divide(-121665n, 121666n);
const ROOT = power(2n, (P - 1n) / 4n);

function sum([a, b], [c, d]) {
  const t = mod(D * mod(a * c) * mod(b * d));
  return [divide(a * d + b * c, 1n + t), divide(b * d + a * c, 1n - t)];
}

/** B has y = 4/5, and the even x. */
function base() {
  const y = divide(4n, 5n);
  const square = divide(y * y - 1n, D * y * y + 1n);
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) {
    x = mod(x * ROOT);
  }
  return [x & 1n ? P - x : x, y];
}

function limbs(x) {
  return Array.from({ length: 8 }, (_, i) => `0x${((x >> BigInt(32 * i)) & 0xffffffffn).toString(16).padStart(8, "0")}`).join(", ");
}

/** Y - X, Y + X and 2 d X Y of B, 3 B, .. 15 B. */
function multiples() {
  let point = base();
  const double = sum(point, point);
  const rows = [];
  for (let i = 0; i < 8; i++, point = sum(point, double)) {
    const [x, y] = point;
    rows.push(`    {{${[mod(y - x), mod(y + x), mod(2n * D * x * y)].map(limbs).join("},\n     {")}}}`);
  }
  return rows.join(",\n");
}

function primes(n) {
  const found = [];
  for (let i = 2; found.length < n; i++) {
    if (found.every((p) => i % p)) {
      found.push(i);
    }
  }
  return found;
}

/** The first 64 bits of the fraction of the square or cube root of n. */
function fraction(n, degree) {
  const wanted = BigInt(n) << BigInt(64 * degree);
  let low = 0n;
  let high = 1n << 80n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(degree) <= wanted) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low & 0xffffffffffffffffn;
}

function lines(words, each) {
  const rows = [];
  for (let i = 0; i < words.length; i += each) {
    rows.push(`    ${words.slice(i, i + each).join(", ")}`);
  }
  return rows.join(",\n");
}

function hex(x, digits) {
  return `0x${x.toString(16).padStart(digits, "0")}`;
}

export function tables() {
  const eight = primes(8).map((p) => fraction(p, 2));
  return `/* Written by tools/tables.mjs. */

#ifdef WANT_CURVE
static const fe TWICE_D = {${limbs(mod(2n * D))}};

/* A square root of -1. */
static const fe ROOT = {${limbs(ROOT)}};

/* Y - X, Y + X and 2 d X Y of B, 3 B, .. 15 B. */
static const fe BASE[TABLE][3] = {
${multiples()}};
#endif

#ifdef WANT_SHA2
static const uint32_t H256[8] = {
${lines(
  eight.map((h) => hex(h >> 32n, 8)),
  4,
)}};

/* As words of 32 bits, upper half first. */
static const uint32_t H512[16] = {
${lines(
  eight.flatMap((h) => [hex(h >> 32n, 8), hex(h & 0xffffffffn, 8)]),
  4,
)}};

static const uint64_t ROUNDS[80] = {
${lines(
  primes(80).map((p) => `${hex(fraction(p, 3), 16)}u`),
  4,
)}};
#endif
`;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(tables());
}
