import { gzipSync } from "node:zlib";
import {
  ALG_NAMES,
  type AlgName,
  DEFAULT_FEATURES,
  FEATURE_NAMES,
  type FeatureName,
  type Form,
  minified,
  readable,
} from "@firmseal/bundler";
import { usage, visible, warn } from "@firmseal/keys";
import { checkOutput, writeOut } from "../../common/output.js";
import { json, say } from "../../show/ui.js";

export interface BundleOptions {
  alg?: string;
  features?: string;
  form: Form;
  out: string;
  source?: string;
  json?: boolean;
}

/** The names of a comma-separated list, each once, in the order of `known`. */
function listOf<T extends string>(text: string, known: readonly T[], option: string): T[] {
  const names = text.split(",").filter((name) => name !== "");
  for (const name of names)
    if (!known.includes(name as T)) throw usage(`${option}: there is no ${name}`, `choose from ${known.join(", ")}, with commas`);
  return known.filter((name) => names.includes(name));
}

/** Writes a device verifier that holds the algorithms and features asked for, and nothing else. */
export async function bundle(o: BundleOptions): Promise<void> {
  const boot = o.form === "boot";
  for (const [option, given] of [
    ["--alg", o.alg],
    ["--features", o.features],
  ] as const)
    if (boot && given !== undefined) throw usage(`${option}: a boot file has none`, "drop it: the module that installs has them");
  const algs = listOf<AlgName>(o.alg ?? "", ALG_NAMES, "--alg");
  const features = listOf<FeatureName>(o.features ?? (boot ? "" : DEFAULT_FEATURES.join(",")), FEATURE_NAMES, "--features");
  if (algs.length === 0 && !boot) throw usage("--alg: no algorithm is named", `choose from ${ALG_NAMES.join(", ")}, with commas`);
  for (const device of ["flash", "storage"] as const)
    if (features.includes(device) && !features.includes("install"))
      warn(`a device in ${device} is there to be installed on, and the bundle lacks install: --features install,…`);
  if (features.includes("prepared") && !algs.includes("ed25519"))
    warn("prepared: there are tables for Ed25519 only, which the bundle lacks");
  // a mistyped name must not cost a key or an image
  for (const [option, path] of [
    ["--out", o.out],
    ["--source", o.source],
  ] as const)
    if (path !== undefined && path !== "-" && !path.endsWith(".js"))
      throw usage(`${option} ${path}: is no name of a JavaScript file`, "choose a name that ends in .js");
  checkOutput(o.out, "--out", [], false);
  if (o.source !== undefined) checkOutput(o.source, "--source", [o.out], false);
  const options = { algs, features, form: o.form };
  const text = await minified(options);
  const bytes = Buffer.from(text);
  if (o.source !== undefined) writeOut(o.source, Buffer.from(await readable(options)));
  const inJson = o.json && o.out === "-";
  if (!inJson) writeOut(o.out, bytes);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  if (o.json)
    json({ ok: true, code: 0, out: o.out, algs, features, form: o.form, bytes: bytes.length, gzip, ...(inJson && { data: text }) });
  else
    say(
      `${visible(o.out)}: ${boot ? "boot file" : `${algs.join(", ")}; ${features.join(", ") || "no features"}`}; ${bytes.length} bytes, ${gzip} after gzip -9`,
    );
}
