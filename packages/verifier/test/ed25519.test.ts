import { createPublicKey, verify as nodeVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LEAST, LONG, sparse } from "../../test-support/src/environment/effort.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { ed25519 } from "../src/alg/ed25519.js";
import { forge, keyPair, L, number, octets, random, randomOctets, torsion, unhex, verify } from "./ed25519-common.js";

const cases = Number(process.env["FIRMSEAL_CASES"] ?? (LEAST ? 40 : LONG ? 2000 : 500));
function openssl(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  try {
    return nodeVerify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
  } catch {
    return false;
  }
}
describe("the test vectors of RFC 8032 §7.1", () => {
  const rfc: [string, string, string, string][] = [
    [
      "TEST 1",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "TEST 2",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "TEST 3",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
      "TEST SHA(abc)",
      "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
  ];
  it.each(rfc)("%s", (_, key, message, signature) => {
    expect(verify(unhex(key), unhex(message), unhex(signature))).toBe(true);
    expect(verify(Array.from(unhex(key)), Array.from(unhex(message)), Array.from(unhex(signature)))).toBe(true);
    expect(verify(unhex(key), Uint8Array.of(...unhex(message), 0), unhex(signature))).toBe(false);
    expect(ed25519.valid(unhex(key))).toBe(true);
  });
});
interface Wycheproof {
  numberOfTests: number;
  testGroups: { publicKey: { pk: string }; tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[] }[];
}
describe.skipIf(!haveVectors)("the published vectors", () => {
  it("agrees with Wycheproof in every case", () => {
    const file = vectorJson<Wycheproof>("crypto/ed25519_test.json");
    let count = 0;
    for (const group of file.testGroups) {
      for (const test of sparse(group.tests, 4)) {
        const got = verify(unhex(group.publicKey.pk), unhex(test.msg), unhex(test.sig));
        expect(got, `tcId ${test.tcId}: ${test.comment}`).toBe(test.result === "valid");
        count++;
      }
    }
    if (!LEAST) expect(count).toBe(file.numberOfTests);
  });

  it("accepts number 3 of ed25519-speccheck and no other", () => {
    const file = vectorJson<{ pub_key: string; message: string; signature: string }[]>("crypto/ed25519-speccheck.json");
    const accepted = file.map((test) => verify(unhex(test.pub_key), unhex(test.message), unhex(test.signature)));
    expect(accepted).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => i === 3));
  });
});
describe("against node:crypto", () => {
  it(`decides ${cases} random cases alike`, { timeout: 600000 }, () => {
    let accepted = 0;
    let pair = keyPair(randomOctets(32));
    for (let i = 0; i < cases; i++) {
      if (i % 4 === 0) {
        pair = keyPair(randomOctets(32));
      }
      const message = randomOctets(random(200));
      const signature = pair.sign(message);
      let key: Uint8Array = pair.key;
      const kind = random(8);
      const flip = (b: Uint8Array) => {
        b[random(b.length)]! ^= 1 << random(8);
      };
      if (kind === 0) {
        flip(signature);
      } else if (kind === 1 && message.length) {
        flip(message);
      } else if (kind === 2) {
        key = key.slice();
        flip(key);
      } else if (kind === 3) {
        signature.set(octets(number(signature.subarray(32)) + L), 32);
      } else if (kind === 4) {
        // -R, or -A
        key = key.slice();
        const point = random(2) ? signature : key;
        point[31]! ^= 128;
      }
      const got = verify(key, message, signature);
      accepted += Number(got);
      if (got !== openssl(key, message, signature)) {
        expect.fail(`case ${i}, kind ${kind}: ${got} for ${[key, message, signature].map((b) => Buffer.from(b).toString("hex"))}`);
      }
    }
    if (LEAST) return;
    expect(accepted).toBeGreaterThan(cases / 4);
    expect(accepted).toBeLessThan(cases / 2);
  });

  it("accepts points of mixed order by the equation without the cofactor, as node:crypto does", () => {
    let accepted = 0;
    for (let i = 0; i < (LEAST ? 16 : 240); i++) {
      const message = randomOctets(32);
      const a = number(randomOctets(32)) % L;
      const r = number(randomOctets(32)) % L;
      const { key, signature } = forge(a, r, message, torsion[i % 8]!, torsion[random(8)]!);
      const got = verify(key, message, signature);
      accepted += Number(got);
      expect(got, String(i)).toBe(openssl(key, message, signature));
    }
    if (LEAST) return;
    expect(accepted).toBeGreaterThan(5);
    expect(accepted).toBeLessThan(60);
  });

  it("decides small scalars alike", () => {
    for (const a of [1n, 2n, 3n, L - 1n]) {
      for (const r of [1n, 2n, 15n, 16n, L - 1n]) {
        const message = octets(a * r, 80);
        const { key, signature } = forge(a, r, message, [0n, 1n], [0n, 1n]);
        expect(verify(key, message, signature)).toBe(true);
        expect(openssl(key, message, signature)).toBe(true);
      }
    }
  });
});
