// SHA-256 by Node, in two forms.

import { createHash } from "node:crypto";

/** Returns the SHA-256, 32 bytes. */
export function sha256Of(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/** Returns the SHA-256 in 64 hexadecimal digits. Text is hashed as UTF-8. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
