// A list of changes as an input: where (2 octets), how many (1), and the new octets. Short inputs are small changes,
// wherever they are.

export interface Patch {
  at: number;
  bytes: Uint8Array;
}

export function patches(input: Uint8Array): Patch[] {
  const out: Patch[] = [];
  for (let i = 0; i + 3 < input.length; ) {
    const n = Math.min((input[i + 2] as number) % 64, input.length - i - 3);
    out.push({ at: (input[i] as number) * 256 + (input[i + 1] as number), bytes: input.subarray(i + 3, i + 3 + n) });
    i += 3 + n;
  }
  return out;
}

/** The bytes with the changes in them; `at` counts from the end and begins there again. */
export function patched(bytes: Uint8Array, list: readonly Patch[]): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (const patch of list) for (const [i, b] of patch.bytes.entries()) if (out.length > 0) out[(patch.at + i) % out.length] = b;
  return out;
}
