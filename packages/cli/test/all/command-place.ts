// What the tests of single commands begin with: a folder with keys, an image and a signed envelope.

import { splitEnvelope } from "@firmseal/signer";
import { anchor } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { keyA, keyC, type Place, quicklyEncrypted, signImage, standard } from "../../../test-support/src/command-line/run.js";

export const SCHEMA = "urn:firmseal:manifest:1";
export const trustA = { anchors: [anchor("ed25519", keyA.key)] };

/** The passphrases of one.pem and of two.pem. */
export const ONE = "first passphrase";
export const TWO = "second ✓ passphrase";
const one = quicklyEncrypted(keyC, ONE);
const maker = standard();
await signImage(maker, 7, "fw.suit");
/** fw.suit */
export const signed = maker.get("fw.suit");

/** standard(), with one.pem: a key that is encrypted; and fw.suit. */
export function place(): Place {
  const p = standard();
  p.put("one.pem", one);
  p.put("fw.suit", signed);
  return p;
}

let two: Promise<Buffer> | undefined;

/** A place with two.pem too: encrypted as keygen does it, with scrypt, which is slow on purpose. */
export async function placeOfTwo(): Promise<Place> {
  two ??= (async () => {
    const p = standard();
    await p.ok(["keygen", "--alg", "es256", "--out", "two.pem", "--passphrase-fd", "3"], { fds: [`${TWO}\nnot this`] });
    return p.get("two.pem");
  })();
  const p = place();
  p.put("two.pem", await two);
  return p;
}

export function manifestOf(bytes: Uint8Array): string {
  return toHex(splitEnvelope(Uint8Array.from(bytes)).manifest);
}

/** One image, described. */
export function description(more: object = {}): string {
  return JSON.stringify({
    $schema: SCHEMA,
    sequence: 3,
    components: [[{ hex: "00" }]],
    "shared-sequence": [
      {
        "directive-override-parameters": {
          "vendor-identifier": { domain: "example.com" },
          "class-identifier": { domain: "example.com", name: "board-v2" },
          image: { payload: "#fw" },
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ],
    validate: ["condition-image-match"],
    install: [{ "directive-override-parameters": { uri: "#fw" } }, "directive-fetch", "condition-image-match"],
    payloads: { "#fw": { file: "fw.bin" } },
    ...more,
  });
}
