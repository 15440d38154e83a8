import { gzipSync } from "node:zlib";
import {
  type AlgName,
  BUNDLE_ALGS,
  BUNDLE_DEVICE_NAMES,
  BUNDLE_DEVICES,
  BUNDLE_FEATURES,
  BUNDLE_FORMATS,
  type BundleDevice,
  type BundleFormat,
  DEFAULT_FEATURES,
  type FeatureName,
  HOST_HASHES,
  type HostHash,
  KERNEL_FILE,
  KERNEL_TARGETS,
  type KernelTarget,
  kernelOf,
  MICRO_PARTS,
  type MicroPart,
  minifiedBundle,
  readableBundle,
  unworkable,
} from "@firmseal/bundler";
import { byteWords, grouped, STDIO, usage, warn } from "@firmseal/keys/internal";
import { algWords, hasTables, inWords, keyAlgs } from "@firmseal/signer";
import { define, option } from "../../command.js";
import { listOf } from "../../common/list-of.js";
import { checkOutput, refuseTerminal, writeOut } from "../../common/output.js";
import { membersOf } from "../../common/shapes.js";

interface BundleCommandOptions {
  alg?: string;
  features?: string;
  format: BundleFormat;
  micro?: boolean;
  host?: string;
  device?: "none" | BundleDevice;
  target?: KernelTarget;
  without?: string;
  machineCodeOut?: string;
  out: string;
  sourceOut?: string;
  json?: boolean;
}

/** Other features that do nothing without another one. */
const NEEDS: readonly (readonly [FeatureName, FeatureName])[] = [
  ["families", "trust"],
  ["roles", "install"],
  ["roles", "trust"],
];

/** What a bundle has, from the options. */
function contents(o: BundleCommandOptions): { features: FeatureName[]; micro?: HostHash[]; without?: MicroPart[] } {
  if (o.micro) {
    if (o.format === "boot") throw usage("--micro: a boot file has no verifier", "drop it: the module that installs has it");
    if (o.features !== undefined)
      throw usage("--features: a micro verifier has none", `choose its device: --device ${inWords(["none", ...BUNDLE_DEVICE_NAMES])}`);
    const features: FeatureName[] = o.device === undefined || o.device === "none" ? [] : [o.device];
    return {
      features,
      micro: listOf<HostHash>(o.host ?? "", HOST_HASHES, "--host"),
      without: listOf<MicroPart>(o.without ?? "", MICRO_PARTS, "--without"),
    };
  }
  for (const [option, given] of [
    ["--host", o.host],
    ["--device", o.device],
    ["--without", o.without],
  ] as const)
    if (given !== undefined) throw usage(`${option}: only for a micro verifier`, "add --micro, or drop it");
  return {
    features: listOf<FeatureName>(o.features ?? (o.format === "boot" ? "" : DEFAULT_FEATURES.join(",")), BUNDLE_FEATURES, "--features"),
  };
}

/** Warns about features that cannot be combined. */
function warnOfFeatures(features: readonly FeatureName[], algs: readonly AlgName[]): void {
  const devices = BUNDLE_FEATURES.filter((name) => Object.hasOwn(BUNDLE_DEVICES, name));
  for (const [feature, other] of [...devices.map((name) => [name, "install"] as const), ...NEEDS])
    if (features.includes(feature) && !features.includes(other))
      warn(`${feature} needs ${other}, which the bundle lacks: --features ${other},…`);
  if (features.includes("prepared") && !keyAlgs.some((alg) => hasTables(alg) && algs.some((one) => one === alg)))
    warn(`prepared: only ${algWords(keyAlgs.filter(hasTables))} has tables, and the bundle lacks it`);
}

/** What the report says about machine code. */
const reported = ({ board, architecture, image, place, length, digest }: ReturnType<typeof kernelOf>) => ({
  board,
  architecture,
  image,
  place,
  length,
  digest,
});

/** Machine code that is a Storage file needs an output file, and none other has one. */
function checkMachineCode(o: BundleCommandOptions, code: ReturnType<typeof kernelOf> | undefined): void {
  if (code?.place === "storage" && o.machineCodeOut === undefined)
    throw usage(
      `--target: the machine code for ${o.target} is a file of its own`,
      `add --machine-code-out FILE, for the Storage file ${KERNEL_FILE}`,
    );
  if (o.machineCodeOut === undefined) return;
  if (!code) throw usage("--machine-code-out: there is none without --target", "add --target, for example --target puck.js, or drop it");
  if (code.place === "bundle") throw usage(`--machine-code-out: the bundle for ${o.target} has its machine code inside`, "drop it");
  refuseTerminal(o.machineCodeOut, "--machine-code-out");
  checkOutput(o.machineCodeOut, "--machine-code-out", [o.out, o.sourceOut ?? o.out]);
}

/** Refuses a name that does not fit the format of the bundle. */
function checkName(option: string, path: string, format: BundleFormat): void {
  // a mistyped name must not cost a key or an image
  if (!/\.m?js$/.test(path))
    throw usage(`${option} ${path} is not the name of a JavaScript file`, "choose a name that ends in .js or .mjs");
  if (path.endsWith(".mjs") && format !== "module")
    throw usage(
      `${option} ${path} is the name of an ES module, and the format is ${format}`,
      "add --format module, or choose a name that ends in .js",
    );
}

/** stdout takes one output, and with --json only that which the JSON holds. */
function checkStdout(o: BundleCommandOptions): void {
  const others = [
    ["--source-out", o.sourceOut],
    ["--machine-code-out", o.machineCodeOut],
  ] as const;
  const taken = others.flatMap(([option, path]) => (path === STDIO ? [option] : []));
  const [first] = taken;
  if (first !== undefined && (o.json || o.out === STDIO || taken.length > 1))
    throw usage(`${first} -: stdout is already used`, "name a file for it");
}

/** Writes a device verifier with these algorithms and features, and no others. */
async function bundle(o: BundleCommandOptions) {
  const boot = o.format === "boot";
  for (const [option, given] of [
    ["--alg", o.alg],
    ["--features", o.features],
    ["--target", o.target],
    ["--machine-code-out", o.machineCodeOut],
  ] as const)
    if (boot && given !== undefined) throw usage(`${option}: a boot file has none`, "drop it: the module that installs has them");
  const algs = listOf<AlgName>(o.alg ?? "", BUNDLE_ALGS, "--alg");
  const { features, micro, without } = contents(o);
  if (algs.length === 0 && !boot) throw usage("--alg: name an algorithm", `choose from ${BUNDLE_ALGS.join(", ")}, with commas`);
  const options = {
    algs,
    features,
    format: o.format,
    ...(micro && { micro }),
    ...(without && { without }),
    ...(o.target && { kernel: o.target }),
  };
  const fault = unworkable(options);
  if (fault) throw usage(`--${fault.option}: ${fault.problem}`, fault.hint);
  const code = o.target && kernelOf(o.target, algs);
  checkMachineCode(o, code);
  checkStdout(o);
  if (!micro) warnOfFeatures(features, algs);
  for (const [option, path] of [
    ["--out", o.out],
    ["--source-out", o.sourceOut],
  ] as const)
    if (path !== undefined && path !== STDIO) checkName(option, path, o.format);
  if (o.out !== STDIO) checkOutput(o.out, "--out", []);
  if (o.sourceOut !== undefined && o.sourceOut !== STDIO) checkOutput(o.sourceOut, "--source-out", [o.out]);
  const text = await minifiedBundle(options);
  if (code && o.machineCodeOut !== undefined) writeOut(o.machineCodeOut, Buffer.from(code.bytes));
  const bytes = Buffer.from(text);
  if (o.sourceOut !== undefined) writeOut(o.sourceOut, Buffer.from(await readableBundle(options)));
  const inJson = o.json && o.out === STDIO;
  if (!inJson) writeOut(o.out, bytes);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  return {
    out: o.out,
    algs,
    features,
    format: o.format,
    ...(micro && { host: micro }),
    ...(code && { kernel: reported(code) }),
    ...(o.machineCodeOut !== undefined && { machineCode: o.machineCodeOut }),
    ...(without && { without }),
    bytes: bytes.length,
    gzip,
    ...(inJson && { data: text }),
  };
}

export default define({
  name: "bundle",
  summary: "write a device verifier as a single JavaScript file",
  options: () => [
    option("--alg <names>", `algorithms, with commas: ${BUNDLE_ALGS.join(", ")}`),
    option("--features <names>", `with commas: ${BUNDLE_FEATURES.join(", ")} (default: install and copy)`),
    option(
      "--format <name>",
      "umd: CommonJS or one global; espruino: for require(); script: one global, for a snapshot; module: ES module; boot: Espruino's boot file",
      {
        choices: BUNDLE_FORMATS,
        default: "umd",
      },
    ),
    option("--micro", "write a micro verifier, for the smallest boards; it accepts only what firmseal sign IMAGE writes"),
    option("--host <names>", "with --micro: hashes that the engine has, with commas: sha256, sha512"),
    option("--device <name>", "with --micro: the device in the bundle (default: none)", { choices: ["none", ...BUNDLE_DEVICE_NAMES] }),
    option(
      "--target <name>",
      "add machine code for this board: Ed25519, ES256, and SHA-2 if its firmware has none; kernel() of the bundle starts it",
      {
        choices: KERNEL_TARGETS,
      },
    ),
    option("--machine-code-out <file>", `with --target: output file for the machine code, if it is the Storage file ${KERNEL_FILE}`),
    option("--without <names>", "with --micro: parts to leave out, with commas: boot, limits, threshold, uri"),
    option("-o, --out <file>", "output file, or - for stdout", { default: "-" }),
    option("--source-out <file>", "also write the bundle before it is minified"),
  ],
  examples: [
    ["firmseal bundle --alg ed25519 --out firmseal.js", "a verifier for Ed25519"],
    [
      "firmseal bundle --alg ed25519 --features install,storage --format espruino --target bangle.js2 --out firmseal.js",
      "a module for Bangle.js 2, with machine code that verifies Ed25519 in a tenth of a second",
    ],
    [
      "firmseal bundle --micro --alg hsslms --host sha256 --device storage --format espruino --out firmseal.js",
      "for a board with little memory that has SHA-256",
    ],
  ],
  json: {
    out: ["string", "output file; - for stdout"],
    algs: ["string[]", "algorithms in the bundle"],
    features: ["string[]", "features in the bundle"],
    format: ["string", "its format"],
    "host?": ["string[]", "a micro verifier: hashes that the engine has"],
    "kernel?": ["object", "its machine code"],
    ...membersOf("kernel?", {
      board: ["string", "the only board that it runs on"],
      architecture: ["string", "the architecture"],
      image: ["string", "ed25519: Ed25519 and SHA-2; es256: P-256 alone; both: all of this; sha2: SHA-2 alone"],
      place: ["string", "bundle: inside; storage: a file of its own"],
      length: ["number", "its length"],
      digest: ["string", "SHA-256 over it, hex"],
    }),
    "machineCode?": ["string", "output file of the machine code"],
    "without?": ["string[]", "a micro verifier: parts that it does not have"],
    bytes: ["number", "its length"],
    gzip: ["number", "its length after gzip -9"],
    "data?": ["string", "the bundle, if it goes to stdout"],
  },
  run: bundle,
  words: (f) => {
    const has = `${f.algs.join(", ")}; ${f.features.join(", ") || "no features"}`;
    const parts = f.format === "boot" ? "boot file" : f.host ? `micro verifier: ${has}` : has;
    const code =
      f.kernel &&
      `${f.machineCode === undefined ? "" : `${f.machineCode}, for the Storage file ${KERNEL_FILE}: `}machine code for ${f.kernel.board} (${f.kernel.architecture}): ${byteWords(f.kernel.length)}, SHA-256 ${f.kernel.digest}`;
    return [`${f.out}: ${parts}; ${byteWords(f.bytes)}, ${grouped(f.gzip)} after gzip -9`, ...(code ? [code] : [])];
  },
});
