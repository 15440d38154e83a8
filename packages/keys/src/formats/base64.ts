// Strict base64 for keys, tokens and signatures. Buffer decodes leniently: it skips unknown characters and stray bits.

/**
 * Decodes canonical, padded base64, or unpadded base64url (RFC 4648 §4, §5). Returns undefined for any other text, also
 * for whitespace and non-zero trailing bits (§3.5).
 */
export function decodeBase64(text: string, encoding: "base64" | "base64url" = "base64"): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  if (bytes.toString(encoding) === text) return bytes;
  // it may hold most of a secret
  bytes.fill(0);
  return undefined;
}
