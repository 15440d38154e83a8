// What programs and people hand in: the line with which an exec: program answers, its last words on stderr, and
// signature files.

import { parseSignature } from "../../packages/keys/src/formats/signature-file.js";
import { bytesMember, describedKey, parseAnswer } from "../../packages/keys/src/sources/exec/exec.js";
import { programError } from "../../packages/keys/src/sources/exec/exec-run.js";
import { publicKey } from "../../test-vectors/src/pieces/assemble.js";
import type { Target } from "../common/verdict.js";
import { told } from "../common/words.js";

const b64 = (list: ArrayLike<number>) => Buffer.from(Array.from(list)).toString("base64");
const line = (value: object) => Buffer.from(JSON.stringify({ contractVersion: 1, ...value }));

export const seeds = () => [
  line({ alg: "ed25519", publicKey: b64(publicKey("a")), kid: b64([1, 2]) }),
  line({ alg: "es256", publicKey: b64(publicKey("p")) }),
  line({ signature: b64(new Array(64).fill(3)) }),
  Buffer.from(JSON.stringify({ error: "the vault is sealed", hint: "unseal it" })),
  Buffer.from("ab".repeat(64)),
  Buffer.from(`3006020101020101`, "hex"),
];

export const fuzz: Target = async (input) => {
  const text = Buffer.from(input).toString("utf8");
  await told(() => {
    const answer = parseAnswer("exec:p", text);
    describedKey("exec:p", answer);
  });
  await told(() => bytesMember("exec:p", parseAnswer("exec:p", text), "signature"));
  await told(() => {
    throw programError("exec:p", { exit: 1, signal: null, out: Buffer.alloc(0), err: Buffer.from(input) });
  });
  for (const alg of ["ed25519", "es256", "hsslms"] as const) await told(() => parseSignature(input, alg, "s"));
};
