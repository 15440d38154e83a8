// Keys, signatures and logs that are expensive to read.

import { encodeCbor as cbor, type Encodable } from "../../../../../signer/src/cbor.js";
import type { Row } from "../budget.js";
import { envelope, repeat, sequence } from "../budget-inputs.js";
import { REFUSED } from "./common.js";

function onKey(name: string, units: number, make: (n: number) => string | Uint8Array, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: [2],
    args(place, n, tag) {
      place.put(`${tag}.key`, make(n));
      return ["pubkey", `${tag}.key`];
    },
    ...more,
  };
}

export const KEYS: Row[] = [
  {
    name: "PEM: newlines behind it",
    units: 14_000,
    exit: [0],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${"\n".repeat(n)}`);
      return ["pubkey", `${tag}.key`];
    },
  },
  {
    name: "PEM: blanks behind it",
    units: 14_000,
    exit: [0, 2],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${" ".repeat(n)}x`);
      return ["pubkey", `${tag}.key`];
    },
  },
  {
    name: "PEM: text that looks like a key behind it",
    units: 14_000,
    exit: [0, 2],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${"\nssh-".repeat(n / 5)}`);
      return ["pubkey", `${tag}.key`];
    },
  },
  onKey("PEM: beginnings", 900, (n) => "-----BEGIN A-----".repeat(n)),
  onKey("PEM: one beginning and a long label", 14_000, (n) => `-----BEGIN ${"A ".repeat(n / 2)}`),
  onKey("PEM: newlines inside", 14_000, (n) => `-----BEGIN PRIVATE KEY-----${"\n".repeat(n)}-----END PRIVATE KEY-----`),
  onKey("OpenSSH: blanks", 14_000, (n) => `ssh-ed25519${" ".repeat(n)}AAAA`),
  onKey("OpenSSH: lines", 800, (n) => "ssh-ed25519 AAAA\n".repeat(n)),
  onKey("minisign: lines", 14_000, (n) => `untrusted comment: x${"\n".repeat(n)}x`),
  onKey("JWK: brackets", 14_000, (n) => "[".repeat(n)),
  onKey("JWK: members", 1_400, (n) => JSON.stringify({ kty: "OKP", ...Object.fromEntries(repeat(n, (i) => [`a${i}`, i])) })),
  onKey("COSE_Key: labels", 2_000, (n) => cbor(new Map<Encodable, Encodable>(repeat(n, (i) => [1000 + i, 0])))),
  onKey("text: blanks", 14_000, (n) => `${" ".repeat(n)}x`),
  onKey("base64", 14_000, (n) => "A".repeat(n)),
  {
    name: "a signature in hex",
    units: 8_000,
    exit: REFUSED,
    async args(place, n, tag) {
      place.put(`${tag}.suit`, await envelope({ sections: [[20, sequence([[14, 0]])]] }));
      place.put(`${tag}.sig`, `${"0".repeat(n)} \n`);
      return ["attach", `${tag}.suit`, "--key", "A.jwk", "--signature", `${tag}.sig`];
    },
  },
];

const entry = (n: number, more: object = {}) =>
  `${JSON.stringify({ v: 1, n, time: "t", user: "u", host: "h", operation: "sign", ...more, prev: "0".repeat(64), hash: "0".repeat(64) })}\n`;

function onLog(name: string, units: number, make: (n: number) => string, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: REFUSED,
    args(place, n, tag) {
      place.put(`${tag}.log`, make(n));
      return ["audit", `${tag}.log`];
    },
    ...more,
  };
}

export const LOGS: Row[] = [
  onLog("audit: lines that are none", 50_000, (n) => `${entry(1)}${"x\n".repeat(n)}`, { long: 150_000 }),
  onLog("audit: entries that do not follow", 3_000, (n) => repeat(n, (i) => entry(i + 5)).join("")),
  onLog("audit: a key for each entry", 2_000, (n) => repeat(n, (i) => entry(i + 1, { key: i.toString(16).padStart(64, "0") })).join("")),
  onLog("audit --json: entries", 2_000, (n) => repeat(n, (i) => entry(i + 1, { scope: repeat(50, () => "") })).join("")),
  onLog("audit: brackets in a line", 5_000_000, (n) => `${entry(1)}{"v":1,"n":2,"x":${"[".repeat(n)}${"]".repeat(n)}}\n`, {
    long: 10_000_000,
  }),
  onLog("audit: one long line", 1_000_000, (n) => `${entry(1)}${"x".repeat(n)}\n`),
];
