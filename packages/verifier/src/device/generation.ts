// Generation numbers of records, 32 bits: of two complete records, the later one applies. They wrap around, so that no
// number blocks later ones.

/** The number after `n`. 0 means no record. */
export function nextGeneration(n: number): number {
  return n === 4294967295 ? 1 : n + 1;
}

/**
 * Whether `a` comes after `b`. Successive records differ by one, so half of the range is far more than two records ever
 * differ.
 */
export function isLater(a: number, b: number): boolean {
  var d = a - b;
  if (d < 0) d += 4294967296;
  return d > 0 && d < 2147483648;
}
