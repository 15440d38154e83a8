// Vectors that must be refused: one fault each, everything else in order, signatures too. Grouped like the numbers of
// refusals.

import type { Vector } from "../../index.mjs";
import { ofFamilies } from "./families.js";
import { ofBytes } from "./negative-cbor.js";
import { ofEnvelope } from "./negative-envelope.js";
import { ofInstall } from "./negative-install.js";
import { ofRun } from "./negative-interpreter.js";
import { ofManifest } from "./negative-manifest.js";
import { ofTrust } from "./negative-signature.js";
import { ofTrustFile } from "./negative-trust-file.js";
import { ofTrustNumbers } from "./trust-numbers.js";

export async function negatives(): Promise<Vector[]> {
  return [
    ...(await ofBytes()),
    ...(await ofEnvelope()),
    ...(await ofManifest()),
    ...(await ofTrust()),
    ...(await ofRun()),
    ...(await ofInstall()),
    ...(await ofTrustFile()),
    ...(await ofTrustNumbers()),
    ...(await ofFamilies()),
  ];
}
