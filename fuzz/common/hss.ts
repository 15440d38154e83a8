// One signature of HSS/LMS, by the signer of the tests.

import { lmsSigner, stack } from "../../packages/test-support/src/keys/lms.js";
import { N24_W4 } from "../../test-vectors/src/pieces/hsslms.js";

export function hssOne(message: Uint8Array): { key: number[]; signature: number[] } {
  const { key, signature } = stack([lmsSigner("fuzz").tree(N24_W4)], message);
  return { key: [...key], signature: [...signature] };
}
