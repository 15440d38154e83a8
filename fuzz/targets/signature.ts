// Ed25519 and ES256 against OpenSSL: keys, messages and signatures that are changed anywhere, and hold values that are
// not octets. Such values are refused. OpenSSL accepts everything that our own code accepts (it is laxer in places, and
// never stricter). HSS/LMS and HMAC, which OpenSSL does not verify here, accept what was made by them and nothing else.

import { createHmac, verify as opensslVerify } from "node:crypto";
import { type Alg, ed25519, es256, hmac256, hsslms, sha256, sha384, sha512 } from "@firmseal/verifier";
import { MAC_KEY, publicKey } from "../../test-vectors/src/pieces/assemble.js";
import { Choices, NO_OCTETS } from "../common/bits.js";
import { hssOne } from "../common/hss.js";
import { signed } from "../common/seal.js";
import { opensslKey } from "../common/vectors.js";
import { Finding, type Target } from "../common/verdict.js";

const host = { sha256, sha384, sha512 };
const message = Uint8Array.from(Buffer.from("what is signed"));
/** By key "p" of the vectors, deterministic (RFC 6979). */
const ES256 = Buffer.from(
  "c55151cafe4b23e15616b3a60a2da1081a7d9b81a81c1c9e50b657e5347ee03c73d294e5a371f63ee2a53f32e3c1278ac77ad990e7ddb9ea8e57dded307a9bde",
  "hex",
);

interface Case {
  name: "ed25519" | "es256" | "hmac256" | "hsslms";
  alg: Alg;
  key: number[];
  signature: number[];
}

const CASES: readonly Case[] = [
  { name: "ed25519", alg: ed25519, key: publicKey("a"), signature: [...signed(message)] },
  { name: "es256", alg: es256, key: publicKey("p"), signature: [...ES256] },
  {
    name: "hmac256",
    alg: hmac256,
    key: [...MAC_KEY],
    signature: [...createHmac("sha256", Uint8Array.from(MAC_KEY)).update(message).digest()],
  },
  { name: "hsslms", alg: hsslms, ...hssOne(message) },
];

export const seeds = () =>
  [0, 1, 2, 3].flatMap((which) => [
    Uint8Array.of(which),
    ...[0, 1, 2, 3, 4, 5].flatMap((kind) => [
      Uint8Array.of(0, 0, kind, 1, which),
      Uint8Array.of(7, 40, kind, 0, which),
      Uint8Array.of(1, 3, 2, kind, 5, which),
    ]),
  ]);

const isOctets = (list: readonly unknown[]) => list.every((v) => Number.isInteger(v) && (v as number) >= 0 && (v as number) < 256);

export const fuzz: Target = (input) => {
  const c = new Choices(input);
  const { name, alg, key, signature } = c.one(CASES);
  const parts: unknown[][] = [[...key], [...signature], [...message]];
  const genuine = JSON.stringify(parts);
  for (let i = 0; c.more && i < 8; i++) {
    const part = c.one(parts);
    const kind = c.below(6);
    const at = (c.byte() + 256 * (name === "hsslms" ? c.below(8) : 0)) % Math.max(1, part.length);
    if (kind === 0) part[at] = c.byte();
    else if (kind === 1) part[at] = c.one(NO_OCTETS);
    else if (kind === 2) {
      // the rest of a number, or every third place of it
      const [value, step] = [c.one(NO_OCTETS), 1 + c.below(3)];
      for (let k = at; k < Math.min((at | 31) + 1, part.length); k += step) part[k] = value;
    } else if (kind === 3) part.length = at;
    else if (kind === 4) part.push(c.byte());
    else part.fill(c.byte(), at, at + 32);
  }
  // a later change may undo an earlier one
  const changed = JSON.stringify(parts) !== genuine;
  const [k, s, m] = parts as [unknown[], unknown[], unknown[]];
  const usable = alg.valid(k as never);
  const good = alg.verify(k as never, m as never, s as never, host);
  if (usable !== true && usable !== false) throw new Finding(`${name}: valid() is ${typeof usable}`);
  if (good !== true && good !== false) throw new Finding(`${name}: verify() is ${typeof good}`);
  // nothing is left of earlier calls, in this input and in others
  if (!alg.verify(key, message, signature, host)) throw new Finding(`${name}: the genuine signature is refused now`);
  if (!changed) {
    if (!good) throw new Finding(`${name}: the genuine signature is refused`);
    return;
  }
  if (usable && !isOctets(k)) throw new Finding(`${name}: a key of values that are not octets can be used`);
  if (!good) return;
  if (!isOctets(k) || !isOctets(s)) throw new Finding(`${name}: accepted with values that are not octets`);
  // the content of a message is turned into octets first
  if (!isOctets(m)) return;
  const bytes = (list: unknown[]) => Uint8Array.from(list as number[]);
  if (name === "hmac256" || name === "hsslms") throw new Finding(`${name}: accepted what nobody has signed`);
  let openssl = false;
  try {
    openssl = opensslVerify(
      name === "ed25519" ? null : "sha256",
      bytes(m),
      { key: opensslKey(name, bytes(k)), dsaEncoding: "ieee-p1363" },
      bytes(s),
    );
  } catch {
    // a key that it does not take
  }
  if (!openssl) throw new Finding(`${name}: accepted what OpenSSL refuses`);
};
