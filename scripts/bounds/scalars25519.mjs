// The numbers that curve25519.ts and scalar25519.ts hold, and the arithmetic on whole numbers.

import { fixed, power, Unproved } from "./domain.mjs";
import { demandZero, octets } from "./proof.mjs";

const P = 2n ** 255n - 19n;

/** The numbers that the module holds, RFC 8032 §5.1. */
export function checkNumbers(v, read) {
  const numbers = [0, 1, 2, 3, 4, 5].map((at) =>
    read(at).reduce((sum, limb, i) => sum + (v.domain.of(limb).lo >> 768n) * (i < 6 ? 1n : 2n ** 127n), 0n),
  );
  const [d2, root, x, y, x128, y128] = numbers;
  demandZero(d2 * 121666n + 2n * 121665n, P, "2 d");
  demandZero(root * root + 1n, P, "the square root of -1");
  demandZero(5n * y - 4n, P, "y of B");
  for (const [a, b] of [
    [x, y],
    [x128, y128],
  ])
    demandZero(2n * (b * b - a * a - 1n) - d2 * a * a * b * b, P, "a point");
  const order = v.globals.ORDER.reduceRight((sum, digit) => sum * 2n ** 21n + BigInt(digit), 0n);
  if (order !== 27742317777372353535851937790883648493n) throw new Unproved("ORDER is not L - 2^252");
}

/** Whole numbers in digits of 21 bits: sums of products of digits stay integers below 2^53. */
export function checkScalars(check) {
  const integers = (v, n, lo, hi) => Array.from({ length: n }, () => v.domain.any(lo, hi, 0));
  const digits = (v, n) => integers(v, n, 0n, fixed(2 ** 21 - 1));
  const isDigits = (v, n, from, to) => {
    for (let i = from; i < to; i++) {
      const x = v.domain.of(n[i]);
      if (x.lo < 0n || x.hi > fixed(2 ** 21 - 1)) throw new Unproved(`${v.name ?? "fold"}: digit ${i} is not within 0..2^21 - 1`);
    }
  };
  check("load (Ed25519)", "64 octets", {}, (v) => {
    for (const x of v.run("loadScalar", [octets(v, 64), 0, 64]))
      if (v.domain.of(x).max >= power(28)) throw new Unproved("load: a digit of 2^28 or more");
  });
  check("reduce", "25 digits below 2^28", {}, (v) => {
    const n = [...integers(v, 25, 0n, power(28) - fixed(1)), 0];
    v.run("reduce", [n, 24]);
    isDigits(v, n, 0, 11);
  });
  check("fold, Euclid", "digits to 2^21, tops to 2^25, |t| to 2^26", {}, (v) => {
    const n = [...digits(v, 11), ...integers(v, 1, -power(25), power(25))];
    const b = [...digits(v, 11), v.domain.any(-power(25), power(25), 0)];
    v.run("fold", [n, b, 0, v.domain.any(0n, power(26), 0)]);
    isDigits(v, n, 0, 11);
  });
  check("fold, v S", "digits to 2^21, tops to 2^26, |t| to 2^25", {}, (v) => {
    const n = [...digits(v, 11), ...integers(v, 1, -power(26), power(26))];
    v.run("fold", [n, [...digits(v, 11), v.domain.any(0n, power(25), 0)], 0, v.domain.any(-power(25), power(25), 0)]);
    isDigits(v, n, 0, 11);
  });
}
