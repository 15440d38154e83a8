// Secrets in parts.

/** Concatenates parts that hold a secret, and overwrites them with zeros. The caller erases the result. */
export function joinSecret(parts: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(parts);
  for (const part of parts) part.fill(0);
  return whole;
}
