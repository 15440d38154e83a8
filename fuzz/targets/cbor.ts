// The reader: any bytes at all, in RAM and through a Source.

import { decodeEnvelope, decodeItem } from "@firmseal/verifier/tools";
import { checkItem } from "../../packages/verifier/src/cbor/reader.js";
import { alike, type Target } from "../common/verdict.js";

export const fuzz: Target = (bytes) => {
  alike(bytes, checkItem);
  alike(bytes, decodeItem);
  alike(bytes, decodeEnvelope);
};
