// The code that a device runs: the bundle with its algorithms and features, as `firmseal bundle` makes it, but with the
// names of the verifier. Plans run on it, so that this package repeats no rule of the verifier.

import { Script } from "node:vm";
import { BUNDLE_ALGS, type FeatureName, type MicroPart, playable } from "@firmseal/bundler";
import { nodeHost } from "@firmseal/simulator";
import type * as verifier from "@firmseal/verifier";
import type { Alg, Host, TrustStore } from "@firmseal/verifier";
import type * as micro from "@firmseal/verifier/micro";
import { rawKey } from "@firmseal/verifier/tools";

/** What a bundle exports. The last four are there with the feature trust. */
export type DeviceCode = Pick<typeof verifier, "open" | "install" | "boot" | "start" | "step"> &
  Partial<Pick<typeof verifier, "trustFileUnchecked" | "embeddedTrust" | "policyOf" | "nextTrust">>;

const latin1 = (bytes: ArrayLike<number>) => Buffer.from(bytes as Uint8Array).toString("latin1");

type Assumption = (key: ArrayLike<number>, signature: ArrayLike<number>) => boolean;

/** Which signatures count although nobody has made them yet; undefined: none. */
let assumption: Assumption | undefined;

/** Does `work`, which waits for nothing, on devices for which these signatures are good. */
export function assuming<T>(isGood: Assumption, work: () => T): T {
  assumption = isGood;
  try {
    return work();
  } finally {
    assumption = undefined;
  }
}

/** An algorithm of the verifier that asks for the same. */
export function assumable(alg: Alg): Alg {
  const isGood = assumption;
  if (!isGood) return alg;
  return { ...alg, verify: (key, message, signature, own) => isGood(rawKey(key), signature) || alg.verify(key, message, signature, own) };
}

/** Answers that are kept: most cohorts ask about the same few signatures. */
const MOST_ANSWERS = 4096;

/** Lets an algorithm keep its answers. */
function remember(alg: Alg): void {
  const { verify } = alg;
  const known = new Map<string, boolean>();
  alg.verify = (key, message, signature, own) => {
    if (assumption?.(rawKey(key), signature)) return true;
    const question = `${latin1(rawKey(key))}|${message.length}|${latin1(message)}|${latin1(signature)}`;
    let answer = known.get(question);
    if (answer === undefined) {
      answer = verify(key, message, signature, own);
      if (known.size === MOST_ANSWERS) known.clear();
      known.set(question, answer);
    }
    return answer;
  };
}

const remembering = new WeakSet<Alg>();

/** The anchors of a list, whose algorithms keep their answers from now on. */
export function rememberedStore(store: TrustStore): TrustStore {
  for (const { alg } of store.anchors)
    if (alg && !remembering.has(alg)) {
      remember(alg);
      remembering.add(alg);
    }
  return store;
}

const made = new Map<string, unknown>();

/** The exports of a bundle. */
function codeOf<T>(key: string, options: Parameters<typeof playable>[0]): T {
  let code = made.get(key);
  if (!code) {
    code = new Script(playable(options), { filename: `firmseal-${key}.js` }).runInThisContext();
    made.set(key, code);
  }
  return code as T;
}

const algsOf = (algorithms: readonly string[]) => BUNDLE_ALGS.filter((name) => algorithms.includes(name));

/** The code of devices with a micro verifier and these algorithms. `without`: parts that are left out of it. */
export function microCode(algorithms: readonly string[], without: readonly MicroPart[] = []): Pick<typeof micro, "install" | "open"> {
  const algs = algsOf(algorithms);
  return codeOf(`micro|${algs}|${without}`, { algs, features: [], micro: [], without });
}

/** The code of devices with these algorithms and features. */
export function deviceCode(algorithms: readonly string[], features: readonly FeatureName[]): DeviceCode {
  const algs = algsOf(algorithms);
  return codeOf(`${algs}|${[...features].sort()}`, { algs, features: ["install", ...features.filter((name) => name !== "install")] });
}

/**
 * What an engine with these algorithms hashes natively: what its bundle could not hash without the engine, the device
 * cannot hash.
 */
export function hostOf(algs: readonly string[]): Host {
  return algs.includes("ed25519") ? nodeHost : { sha256: nodeHost.sha256 as NonNullable<Host["sha256"]> };
}
