// A sample release to try. It is made when somebody asks for it, and signed with a key that is new each time and that
// nothing keeps, so nobody can sign anything else with it.

import { DEFAULT_ALG, draftOf, privateKey, signedWithoutLog, signer, singleImage } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import type { SampleFile } from "../protocol.js";

const IMAGE = new TextEncoder().encode('print("sample 1.0.0");\n'.repeat(40));
const CLASS = "sample-board";

/** The release and the public key of its signer. `changed`: one byte of its image differs. */
export async function sampleFiles(changed: boolean): Promise<SampleFile[]> {
  const description = singleImage({
    sequence: 1,
    vendor: "example.com",
    class: CLASS,
    digest: toHex(sha256(IMAGE)),
    size: IMAGE.length,
    uri: "#firmware",
    payload: { hex: toHex(IMAGE) },
    text: { en: { components: [{ component: 0, "component-version": "1.0.0" }] } },
  });
  const key = privateKey(DEFAULT_ALG, crypto.getRandomValues(new Uint8Array(32)));
  const { bytes } = await signedWithoutLog(draftOf(description), [signer(key)]);
  const release = Uint8Array.from(bytes);
  // the payload is the last element
  if (changed) release[release.length - 2] = (release.at(-2) as number) ^ 1;
  key.secret.fill(0);
  return [
    { name: changed ? "changed-1.0.0.suit" : "sample-1.0.0.suit", bytes: release },
    { name: "sample.pub", bytes: Uint8Array.from(key.key) },
  ];
}
