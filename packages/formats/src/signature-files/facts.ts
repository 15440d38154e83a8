// What signature files say, whatever their format.

import type { FormatFacts } from "../format.js";

/** Facts of a signature file: it has neither version nor counter, and one part beside it, the content. */
export function signatureFileFacts(
  format: string,
  bytes: Uint8Array,
  content: Uint8Array | undefined,
  own: Pick<FormatFacts, "signatures"> & Partial<Pick<FormatFacts, "details" | "warnings">>,
): FormatFacts {
  const sizes = content ? { content: content.length } : {};
  return { format, bytes: bytes.length, version: null, counter: null, sizes, encrypted: false, details: [], warnings: [], ...own };
}
