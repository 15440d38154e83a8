// The JSON of signatures that do not count.

import { membersOf, type Shape } from "../shapes.js";

/** Signatures of nobody known, beside those that count. */
export const OTHER_SIGNATURES: Shape = {
  otherSignatures: ["object[]", "signatures that no trusted key made which counts"],
  ...membersOf("otherSignatures[]", {
    alg: ["string", "algorithm"],
    kid: ["string|null", "key identifier, hex"],
    testKey: ["string|null", "published test key that made it; null: an unknown key"],
  }),
};
