// Device bundles with random parts, in three engines, against the sources. An input is changes of a vector (patch.ts),
// the vector and the bundle. The player of the vectors (conformance/player.js) plays it in every form that the engine
// has, and must find what the sources do. A bundle may also refuse what needs a part that it does not have.

import { readFileSync } from "node:fs";
import * as micro from "@firmseal/verifier/micro";
import { fromHex, toHex } from "@firmseal/verifier/tools";
import {
  type AlgName,
  BUNDLE_ALGS,
  BUNDLE_FEATURES,
  BUNDLE_FORMATS,
  type BundleOptions,
  MICRO_ALGS,
  MICRO_PARTS,
  minifiedBundle,
  unworkable,
} from "../../packages/bundler/src/index.js";
import { NOT_SUPPORTED } from "../../packages/verifier/src/spec/errors.generated.js";
import { Random } from "../../packages/verifier/test/rivals/random.js";
import { isFor, plain } from "../../scripts/conformance/vectors.mjs";
import { type Expect, readMicroVectors, readVectors, type Vector } from "../../test-vectors/index.mjs";
import { outcome } from "../../test-vectors/play/judge.js";
import { deviceOf } from "../../test-vectors/play/play.js";
import { Choices } from "../common/bits.js";
import { ENGINES, type Play } from "../common/engines.js";
import { patched, patches } from "../common/patch.js";
import { Finding, type Target } from "../common/verdict.js";

/** How many bundles a run tries: each is made by terser, which takes seconds. */
const BUNDLES = 4;
/** Of which bundles: others for each run of the fuzzer, the same for a replay. */
const SEED = process.env["FIRMSEAL_SEED"] ?? "1";

const some = <T>(random: Random, list: readonly T[]): T[] => list.filter(() => random.below(2));

/** Options of the `n`th bundle: by turns general and micro, and for engines without typed arrays and with them. */
function optionsOf(random: Random, n: number): BundleOptions {
  const isMicro = n % 2 === 1;
  const format = n % 4 < 2 ? "umd" : random.one(BUNDLE_FORMATS.filter((one) => one === "script" || one === "espruino"));
  const algs: readonly AlgName[] = isMicro ? MICRO_ALGS : BUNDLE_ALGS;
  // most vectors are signed by this one
  const chosen = algs.filter((alg) => alg === "ed25519" || random.below(2));
  const features = BUNDLE_FEATURES.filter((name) => name === "errors" || name === "install" || random.below(2));
  const options = { algs: chosen, features, format, ...(isMicro && { micro: [], without: some(random, MICRO_PARTS) }) } as BundleOptions;
  return unworkable(options) ? optionsOf(random, n) : options;
}

interface Subject {
  options: BundleOptions;
  vectors: readonly Vector[];
  engines: { name: string; play: Play }[];
}
const subjects: Subject[] = [];

const read = (path: string) => readFileSync(path, "utf8");

/**
 * The player as a function. It remembers the answers about signatures: small engines would spend all of their time
 * there, and the target `signature` tests them.
 */
const player = () => `
(function (anchor) {
  var known = {};
  firmseal.anchor = function (alg, key, kid) {
    var made = anchor(alg, key, kid), own = made.alg;
    made.alg = { ids: own.ids, valid: own.valid, verify: function (k, message, signature, host) {
      var list = [k.key || k, message, signature], question = alg, i, j;
      for (i = 0; i < 3; i++) for (question += " ", j = 0; j < list[i].length; j++) question += list[i][j] + ",";
      if (known[question] === undefined) known[question] = own.verify(k, message, signature, host);
      return known[question];
    } };
    return made;
  };
})(firmseal.anchor);
function play(VECTORS) {
${read("conformance/player.js")}
}`;

/** What runs once, before any input. */
export async function ready(): Promise<void> {
  if (subjects.length > 0) return;
  const random = new Random(SEED);
  for (let n = 0; n < BUNDLES; n++) {
    const options = optionsOf(random, n);
    const { algs, features, format } = options;
    const code = await minifiedBundle(options);
    const bundle = format === "espruino" ? `var firmseal = {};\n(function (exports) {\n${code}})(firmseal);` : code;
    const script = `var OPTIONS = ${format === "umd" ? "{}" : "{ typed: true }"};\n${bundle}\n${player()}`;
    const trusts = features.includes("trust") && features.includes("families");
    const wanted = trusts
      ? (v: Vector) =>
          !has(
            v,
            BUNDLE_ALGS.filter((alg) => !algs.includes(alg)),
          )
      : isFor(algs, BUNDLE_ALGS);
    const all = options.micro ? readMicroVectors() : readVectors();
    const boots = !options.without?.includes("boot");
    const vectors = all.filter(
      (v) => v.envelope && !v.strange && !["anchor", "decode", "start"].includes(v.action) && wanted(v) && (boots || v.action !== "boot"),
    );
    const engines = [];
    for (const engine of ENGINES)
      if (format === "umd" || !engine.plain) engines.push({ name: engine.name, play: await engine.load(script) });
    subjects.push({ options, vectors, engines });
  }
}

const has = (v: Vector, algs: readonly string[]) =>
  ((v as unknown as { features?: string[] }).features ?? []).some((name) => algs.includes(name)) ||
  (v.trust?.anchors ?? []).some(({ alg }) => algs.includes(alg));

/** The vector, the bundle (from the end). */
export const seeds = () => Array.from({ length: 160 }, (_, i) => Uint8Array.of((7 * i) & 255, i >> 3, i % BUNDLES));

/** Whether a bundle may refuse with `code` what the sources do: a part is missing. */
function mayRefuse({ algs, features, micro: isMicro, without = [] }: BundleOptions, code: unknown): boolean {
  if (typeof code !== "number") return false;
  if (isMicro) return without.length > 0;
  return code === NOT_SUPPORTED && !(features.includes("copy") && algs.includes("ed25519"));
}

export const fuzz: Target = async (input) => {
  await ready();
  const c = new Choices(input);
  const { options, vectors, engines } = c.one(subjects);
  const vector = vectors[(c.byte() * 256 + c.byte()) % vectors.length] as Vector;
  const envelope = toHex(patched(fromHex(vector.envelope as string), patches(c.rest())));
  // what the sources do, with the offset of a refusal
  const asked = { ...vector, envelope, expect: { code: 0, at: 0, ...(vector.action === "run" && { effects: [] }) } as Expect };
  const form = options.micro && { input: (bytes: ArrayLike<number>) => bytes, verifier: micro };
  const expected = JSON.parse(JSON.stringify(outcome(asked, deviceOf(vector.device ?? {}), form || undefined))) as Expect;
  const file = [{ defaults: { trust: { anchors: [] }, device: {} }, vectors: [plain({ ...asked, expect: expected })] }];
  const text = JSON.stringify(file).replace(/[^\x20-\x7e]/g, (ch) => `\\u${ch.charCodeAt(0).toString(16).padStart(4, "0")}`);
  for (const { name, play } of engines) {
    const lines = await play(text);
    const said = lines.filter((line) => !mayRefuse(options, JSON.parse(/^FAIL .*, got (\{.*\})$/.exec(line)?.[1] ?? "{}").code));
    const wrong = said.filter((line) => line.startsWith("FAIL "));
    if (wrong.length > 0) throw new Finding(`${name}, ${JSON.stringify(options)}, FIRMSEAL_SEED=${SEED}: ${wrong.join("; ")}`);
    if (!/^\d+ passed, \d+ failed/.test(said.at(-1) ?? "")) throw new Finding(`${name} has not ended: ${lines.join("; ").slice(0, 500)}`);
  }
};
