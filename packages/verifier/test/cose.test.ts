// The examples of the COSE working group, through readSignatures() and verified(): here the payload is attached and there may be external data, of
// which SUIT uses neither.

import { describe, expect, it } from "vitest";
import { head } from "../../../test-vectors/src/pieces/assemble.js";
import { hex } from "../../test-support/src/bytes.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { checkEnd, startReading } from "../src/cbor/reader.js";
import { type CoseSignature, readSignatures, stringHead } from "../src/cose/message.js";
import { verified } from "../src/cose/verify.js";
import { anchor, type Bytes, open, sha256 } from "../src/index.js";
import * as errors from "../src/spec/errors.generated.js";
import { envelopeOf, refusalOf } from "./refusals.js";

interface Example {
  title: string;
  fail?: boolean;
  output: { cbor: string };
  input: { sign0?: { external?: string }; sign?: { signers: { external?: string }[] } };
}

/** KeySet.txt: the P-256 key "11" and the secret "our-secret"; Ed25519 is RFC 8032 §7.1 test 1. */
const P256 = hex(
  "04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
);
const ED25519 = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
const SECRET = hex("849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188");
const kid = new TextEncoder().encode("11");

/** What a whole message claims. */
function read(bytes: Bytes, payload: Bytes | null, external: Bytes): CoseSignature[] {
  startReading(bytes);
  const all = readSignatures(payload, external);
  checkEnd();
  return all;
}

/** How many anchors have signed; the number of the refusal, negative, where it comes to none. */
function check(name: string, payload: Bytes | null = null, external?: Bytes): number {
  const example = vectorJson<Example>(`cose/${name}.json`);
  const bytes = hex(example.output.cbor);
  const aad = external ?? hex(example.input.sign0?.external ?? example.input.sign?.signers[0]?.external ?? "");
  try {
    const all = read(bytes, payload, aad);
    return verified(all, [anchor("es256", P256, kid), anchor("ed25519", ED25519, kid), anchor("hmac256", SECRET)], 1, { sha256 }).length;
  } catch (e) {
    const { code } = e as { code?: number };
    if (typeof code !== "number") throw e;
    return -code;
  }
}

describe.skipIf(!haveVectors)("COSE working group examples (third-party vectors)", () => {
  it.each(["ecdsa-sig-01", "eddsa-sig-01", "HMac-01", "sign-pass-02"])("%s is accepted", (name) => {
    expect(check(name)).toBe(1);
  });
  it("sign-pass-02 is refused without its external data", () => {
    expect(check("sign-pass-02", null, [])).toBe(-errors.SIGNATURE_INVALID);
  });
  it.each([
    // the tag is 998, the content was changed, alg is -999
    ["sign-fail-01", -errors.BLOCK_TAG],
    ["sign-fail-02", -errors.SIGNATURE_INVALID],
    ["sign-fail-03", -errors.HEADER_ALG_UNKNOWN],
    // alg in the unprotected bucket; no tag
    ["sign-pass-01", -errors.HEADER_NO_ALG],
    ["sign-pass-03", -errors.BLOCK_TAG],
    // P-256 with SHA-512 is ES512, which no anchor here is trusted for
    ["ecdsa-sig-04", -errors.SIGNATURE_NO_ANCHOR],
    // HSS/LMS and ML-DSA: read, and no anchor has them
    ["hashsig-01", -errors.SIGNATURE_NO_ANCHOR],
  ])("%s is refused", (name, result) => {
    expect(check(name)).toBe(result);
  });
  it("an attached payload is refused where a detached one is due", () => {
    expect(check("eddsa-sig-01", new TextEncoder().encode("This is the content."))).toBe(-errors.PAYLOAD_ATTACHED);
  });
  it("every changed byte is refused, or changes nothing that is signed", () => {
    const example = vectorJson<Example>("cose/eddsa-sig-01.json");
    const original = hex(example.output.cbor);
    const anchors = [anchor("ed25519", ED25519, kid)];
    const accepted: number[] = [];
    for (let at = 0; at < original.length; at++) {
      const bytes = original.slice();
      bytes[at] = (bytes[at] as number) ^ 1;
      try {
        if (verified(read(bytes, null, []), anchors, 1, {}).length) accepted.push(at);
      } catch (e) {
        expect(Object.values(errors)).toContain((e as { code?: number }).code);
      }
    }
    // the label 4 of the unprotected kid: nobody signs that it is one
    expect(accepted).toEqual([9]);
  });
});

it("a signature of 16,384 bytes is checked", async () => {
  const signed = await envelopeOf({ blocks: [{ spoil: () => new Array(16384).fill(0) }] });
  expect(refusalOf(open, signed, { anchors: [anchor("ed25519", ED25519)] })[0]).toBe(errors.SIGNATURE_INVALID);
});

it.each([
  ["the first digit of one that exists", "d284 43a10120 a0 f6 4100", errors.HEADER_ALG_UNKNOWN],
  [
    "none, in a header that calls it critical, whatever the signer names",
    "d86284 44a1028101 a0 f6 8183 43a10132 a0 4100",
    errors.HEADER_CRITICAL,
  ],
  ["one for the whole message, and none of the signer", "d86284 43a10132 a0 f6 8183 40 a0 4100", errors.HEADER_NO_ALG],
])("the algorithm is %s: refused", (_, bytes, expected) => {
  expect(refusalOf(read, hex(bytes), [1], [])[0]).toBe(expected);
  // with an algorithm at its place, the same is read
  expect(read(hex("d284 43a10132 a0 f6 4100"), [1], [])[0]?.alg).toBe(-19);
});

it("a byte string has the shortest possible head for its length", () => {
  for (const n of [0, 23, 24, 255, 256, 65_535, 65_536, 0x12345678, 2 ** 32 - 1]) expect(stringHead(n), `${n}`).toEqual(head(2, n));
});
