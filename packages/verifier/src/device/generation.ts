// The numbers of records, of 32 bits: of two records that are whole the later one rules. They go round, so that no number blocks what comes after it.

/** The number behind `n`; 0 stands for no record. */
export function nextGeneration(n: number): number {
  return n === 4294967295 ? 1 : n + 1;
}

/** Whether `a` comes after `b`: records follow each other by one, so half of the circle is far more than there can be between two. */
export function isLater(a: number, b: number): boolean {
  var d = a - b;
  if (d < 0) d += 4294967296;
  return d > 0 && d < 2147483648;
}
