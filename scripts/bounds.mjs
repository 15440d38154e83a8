// Proves the bounds that the arithmetic of the verifier relies on: no operation on doubles rounds where it must not,
// every product comes out right modulo the prime, and what each function needs of its arguments is what each of its
// callers brings. The proof is about the sources themselves (bounds/interpreter.mjs runs them on bounds instead of
// numbers, bounds/domain.mjs says how), so that it fails when a constant, a factor or a carry changes. A gate:
// scripts/gates.mjs.
//
// `node scripts/bounds.mjs` prints a line for each function: what it may be given; the largest number that it comes to,
// in units of the power of two that divides it; the margin in bits below 2^53; and where that is.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prove25519 } from "./bounds/curve25519.mjs";
import { prove256 } from "./bounds/p256.mjs";

const SOURCES = fileURLToPath(new URL("../packages/verifier/src/", import.meta.url));
const readSource = (name) => readFileSync(`${SOURCES}${name}.ts`, "utf8");

const PROOFS = { ed25519: prove25519, es256: prove256 };

/**
 * The proofs on the sources that `read` gives: a row for each that holds, a finding for each that fails; `isEnough`:
 * only the first of these.
 */
export function proveBounds({ read = readSource, algs = Object.keys(PROOFS), isEnough = false } = {}) {
  const rows = [];
  const findings = [];
  const attempt = (name, precondition, work) => {
    if (isEnough && findings.length > 0) return;
    try {
      rows.push({ name, precondition, ...work() });
    } catch (error) {
      findings.push(`${name}${precondition && ` (${precondition})`}: ${error.message}`);
    }
  };
  for (const alg of algs) {
    attempt(alg, "", () => {
      PROOFS[alg](read, attempt);
      return { isTitle: true };
    });
  }
  return { rows: rows.filter(({ isTitle }) => !isTitle), findings };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rows, findings } = proveBounds();
  console.log(`${"function".padEnd(16)} ${"given".padEnd(48)} largest  margin  where`);
  for (const { name, precondition, bits, margin, site } of rows) {
    // no arithmetic of its own: it only calls others
    const most = Number.isFinite(margin) ? [`2^${bits.toFixed(2)}`, margin.toFixed(2), site] : ["-", "-", ""];
    console.log(`${name.padEnd(16)} ${precondition.padEnd(48)} ${most[0].padStart(7)} ${most[1].padStart(7)}  ${most[2]}`.trimEnd());
  }
  for (const finding of findings) console.log(`FAIL  ${finding}`);
  if (findings.length > 0) process.exitCode = 1;
}
