// Checks that each device bundle contains its algorithms and no trace of another. size-limit checks the size of those
// that ship; the additions of features are checked here.

import { parse } from "acorn";
import { partsOnce } from "../build/bundle.mjs";
import { within } from "./syntax.mjs";

/** Which modules of src/ belong to which algorithm; all others are the core. What two algorithms share is in both. */
const OWNERS = {
  ed25519: ["src/alg/ed25519.ts", "src/alg/curve25519.ts", "src/alg/scalar25519.ts", "src/alg/field25519.ts", "src/hash/sha512.ts"],
  es256: ["src/alg/es256.ts", "src/alg/field256.ts", "src/alg/ratio256.ts"],
  hsslms: ["src/alg/hsslms.ts"],
  hmac256: ["src/alg/hmac.ts"],
};

const oddOf = new Map();

/**
 * Numbers that only one algorithm can have: not small, and not near a power of two; and tables that are written as
 * text. Each text is read once.
 */
function oddNumbers(code) {
  const known = oddOf.get(code);
  if (known) return known;
  const found = new Set();
  oddOf.set(code, found);
  for (const [node] of within(parse(code, { ecmaVersion: 5 }))) {
    if (node.type === "Literal" && typeof node.value === "number" && node.value > 4096 && Number.isSafeInteger(node.value)) {
      const isRound = [-1, 0, 1].some((d) => Number.isInteger(Math.log2(node.value + d)));
      if (!isRound) found.add(node.value);
    }
    if (node.type === "Literal" && typeof node.value === "string" && /^\S{40,}$/.test(node.value)) found.add(node.value);
  }
  return found;
}

/**
 * Findings on what `made` (results of bundle()) contain. Two proofs: what is declared in it, and the constants in the
 * text. The constants of an algorithm are the odd numbers of the bundles that have it which no bundle without it should
 * have. `alone`: by algorithm, a bundle of it alone.
 */
export function checkLeaks(made, alone) {
  const findings = [];
  const constants = Object.fromEntries(Object.entries(alone).map(([alg, b]) => [alg, oddNumbers(b.src)]));
  for (const b of made) {
    for (const module of b.modules)
      if (module.startsWith("src/tools/")) findings.push(`firmseal-${b.name} holds ${module}, which no device needs`);
    const allowed = new Set(b.algs.flatMap((alg) => OWNERS[alg]));
    const numbers = oddNumbers(b.min);
    const text = new Set(b.algs.flatMap((alg) => [...constants[alg]]));
    for (const [alg, modules] of Object.entries(OWNERS)) {
      for (const module of modules) {
        const isIn = b.modules.includes(module);
        if (isIn && !allowed.has(module)) findings.push(`firmseal-${b.name} holds ${module}, which only ${alg} needs`);
        if (!isIn && b.algs.includes(alg)) findings.push(`firmseal-${b.name} does not hold ${module}, which ${alg} was thought to need`);
      }
      if (b.algs.includes(alg)) continue;
      for (const n of constants[alg])
        if (!text.has(n) && numbers.has(n)) findings.push(`firmseal-${b.name} holds ${n}, a constant of ${alg}`);
    }
  }
  return findings;
}

/** The most bytes that a feature adds to the bundle of Ed25519, and what it needs besides the default features. */
const FEATURE_BYTES = {
  trust: { limit: 5460 },
  families: { limit: 860, needs: ["trust"] },
  roles: { limit: 1290, needs: ["trust"] },
  errors: { limit: 1400 },
};

/** Findings on features that add more than they may. */
export async function checkFeatures(limits = FEATURE_BYTES) {
  const { DEFAULT_FEATURES, minifiedBundle } = await import("../../packages/bundler/lib/index.js");
  const parts = await partsOnce();
  const sizeOf = async (features) => (await minifiedBundle({ algs: ["ed25519"], features, format: "umd" }, parts)).length;
  const findings = [];
  for (const [feature, { limit, needs = [] }] of Object.entries(limits)) {
    const others = [...DEFAULT_FEATURES, ...needs];
    const bytes = (await sizeOf([...others, feature])) - (await sizeOf(others));
    if (bytes > limit) findings.push(`the feature ${feature} adds ${bytes} bytes, which is above ${limit}`);
  }
  return findings;
}

/** Whether the leak check could see anything: each algorithm with tables of its own has constants that no other has. */
export function checkLeaksSees(alone) {
  const constants = Object.fromEntries(Object.entries(alone).map(([alg, b]) => [alg, oddNumbers(b.src)]));
  return ["ed25519", "es256"].flatMap((alg) => {
    const others = new Set(
      Object.keys(constants)
        .filter((a) => a !== alg)
        .flatMap((a) => [...constants[a]]),
    );
    const own = [...constants[alg]].filter((n) => !others.has(n));
    return own.length >= 5 ? [] : [`${alg} has only ${own.length} constants that are its own`];
  });
}
