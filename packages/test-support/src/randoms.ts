/** A fixed row of numbers in [0, 1), so that a failure comes again. */
export function randoms(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}
