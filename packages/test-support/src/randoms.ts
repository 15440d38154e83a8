const next = (x: number) => (Math.imul(x, 1664525) + 1013904223) >>> 0;

/** A fixed sequence of numbers in [0, 1), so that a failure can be repeated. */
export function randoms(seed: number): () => number {
  let x = seed;
  return () => {
    x = next(x);
    return x / 2 ** 32;
  };
}

/** The same sequence as octets. */
export function randomOctets(seed: number, n: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(n);
  let x = seed;
  for (let i = 0; i < n; i++) {
    x = next(x);
    out[i] = x >>> 24;
  }
  return out;
}

/** The same sequence as whole numbers: a function that returns the next one, from 0 to `n` - 1. */
export function draws(seed: number): (n: number) => number {
  const random = randoms(seed);
  return (n) => Math.floor(random() * n);
}

/** The next `n` octets of a sequence of whole numbers. */
export const drawOctets = (draw: (n: number) => number, n: number): Uint8Array => Uint8Array.from({ length: n }, () => draw(256));
