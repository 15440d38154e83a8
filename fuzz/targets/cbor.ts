// The reader: any bytes at all, in RAM and through a Source.

import { check } from "@firmseal/verifier/cbor";
import { peek } from "@firmseal/verifier/peek";
import { alike, type Target } from "../common/verdict.js";

export const fuzz: Target = (bytes) => {
  alike(bytes, check);
  alike(bytes, peek);
};
