// The kernel (packages/kernel): its images for Cortex-M, and what runs them. `node scripts/kernel.mjs` writes
// packages/kernel/src/images.generated.ts, tables.h and p256/p256_tables.h beside it, and prints sizes and stack, with
// `--count` also instructions. The same compiler gives the same bytes: a test compares.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { p256Tables } from "../packages/kernel/tools/p256.mjs";
import { tables } from "../packages/kernel/tools/tables.mjs";

const KERNEL = fileURLToPath(new URL("../packages/kernel/", import.meta.url));
const HASHES = ["sha256", "sha512"].flatMap((hash) => [hash, ...["begin", "update", "finish"].map((what) => `${hash}_${what}`)]);
const P256 = ["p256_verify", "p256_key"];
const P256_FILES = ["p256", "p256_field", "p256_point", "p256_sample"].map((name) => `p256/${name}`);
const CC = "arm-none-eabi-gcc";

/** cpu: for the compiler. qemu: for the emulator. */
export const ARCHITECTURES = {
  armv7em: { cpu: "cortex-m4", qemu: "cortex-m4", number: 7 },
  armv6m: { cpu: "cortex-m0plus", qemu: "cortex-m0", number: 6 },
};

/**
 * The images by algorithm: sources, entries, and by architecture the limits. Among these are the instructions of a
 * verification, and of a block of SHA-256.
 */
export const ALGORITHMS = {
  ed25519: {
    files: ["digest", "ed25519", "field", "limbs", "point", "sample", "scalar", "sha2"],
    entries: ["ed25519_verify", "ed25519_key", ...HASHES],
    sample: "sample",
    limits: {
      armv7em: { bytes: 6656, stack: 2304, instructions: 520_000 },
      armv6m: { bytes: 6912, stack: 2304, instructions: 8_000_000 },
    },
  },
  es256: {
    files: ["limbs", ...P256_FILES, "scalar"],
    entries: P256,
    sample: "p256_sample",
    limits: {
      armv7em: { bytes: 4096, stack: 2560, instructions: 680_000 },
      armv6m: { bytes: 3584, stack: 2560, instructions: 17_000_000 },
    },
  },
  // also for P-256 on boards without native SHA-256
  both: {
    files: ["digest", "ed25519", "field", "limbs", ...P256_FILES, "point", "sample", "scalar", "sha2"],
    entries: ["ed25519_verify", "ed25519_key", ...HASHES, ...P256],
    sample: ["sample", "p256_sample"],
    limits: {
      armv7em: { bytes: 10240, stack: 2560 },
      armv6m: { bytes: 10240, stack: 2560 },
    },
  },
  // no verification, and no sample
  sha2: {
    files: ["digest", "sha2"],
    entries: HASHES,
    limits: {
      armv7em: { bytes: 4096, stack: 1536, block: 2600 },
      armv6m: { bytes: 4096, stack: 1536, block: 5600 },
    },
  },
};
/** Every source file in C. */
const FILES = [...new Set(Object.values(ALGORITHMS).flatMap(({ files }) => files))];

const COMMON = ["-std=c99", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Werror"];
const FREESTANDING = [
  ..."-Os -mthumb -ffreestanding -nostdlib -fpic -fno-jump-tables -fno-tree-loop-distribute-patterns -fomit-frame-pointer".split(" "),
  ..."-masm-syntax-unified -mno-unaligned-access -fvisibility=hidden -ffunction-sections -fdata-sections -fstack-usage -fno-ident".split(
    " ",
  ),
];

const has = (program) => spawnSync(program, ["--version"]).status === 0;
export const hasCompiler = has(CC);
export const hasQemu = has("qemu-arm");
export const hasHostCompiler = has("cc");

/** The version of the compiler, as it prints it. */
export function compiler() {
  return execFileSync(CC, ["--version"], { encoding: "utf8" }).split("\n")[0];
}

/** Runs a tool. Throws its messages if it fails, or if it prints anything. */
function tool(name, args, cwd) {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0 || stderr !== "") throw new Error(`${name} ${args.join(" ")}\n${stderr}`);
  return stdout;
}

const arm = (name, args, cwd) => tool(`arm-none-eabi-${name}`, args, cwd);

/** The bytes by which an instruction lowers the stack pointer. */
function pushed(line) {
  const list = /\t(?:push|stmdb\tsp!,)\s\{([^}]+)\}/.exec(line)?.[1];
  const bytes = /\tsub(?:\.w|w)?\tsp, (?:sp, )?#(\d+)/.exec(line)?.[1] ?? /\tstrd?(?:\.w)?\t[^[]+\[sp, #-(\d+)\]!/.exec(line)?.[1];
  return list ? 4 * list.split(", ").length : Number(bytes ?? 0);
}

/**
 * What each function calls, and the bytes of stack that its instructions take, from the disassembly. A call through a
 * register has no name: the kernel must not have any.
 */
function functionsOf(disassembly) {
  const functions = {};
  let at;
  for (const line of disassembly.split("\n")) {
    const begun = /^[0-9a-f]+ <([^>]+)>:$/.exec(line);
    if (begun) {
      at = begun[1];
      if (Object.hasOwn(functions, at)) throw new Error(`two functions ${at}`);
      functions[at] = { calls: new Set(), bytes: 0 };
      continue;
    }
    if (at) functions[at].bytes += pushed(line);
    // a branch to another function is a tail call
    const to = /\t(?:bl?|b\.[nw]|blx)\t[0-9a-f]+ <([^>+]+)>/.exec(line);
    if (to && to[1] !== at) functions[at].calls.add(to[1]);
    // a return may load the address from the stack
    if (/\tblx?\tr\d|\tbx\tr\d|\tblx\tip|\tldr(?:\.w)?\tpc, (?!\[sp)/.test(line))
      throw new Error(`a jump through a register in ${at}: ${line.trim()}`);
  }
  return functions;
}

/**
 * The bytes of stack that the deepest chain of calls takes: by -fstack-usage, or by the instructions, because the
 * compiler does not know what functions in assembly take. Throws if a function could call itself.
 */
function stackOf(entries, functions, frames) {
  const deepest = (name, above) => {
    if (above.includes(name)) throw new Error(`${name} calls itself`);
    const { calls, bytes } = functions[name];
    return Math.max(frames[name] ?? 0, bytes) + Math.max(0, ...[...calls].map((next) => deepest(next, [...above, name])));
  };
  return Object.fromEntries(entries.map((name) => [name, deepest(`firmseal_${name}`, [])]));
}

/** A relocation that is not a branch or a distance would tie the image to an address. */
function checkRelocations(text) {
  const kinds = new Set([...text.matchAll(/\bR_ARM_\w+/g)].map(([kind]) => kind));
  for (const kind of kinds) if (!/^R_ARM_(THM_CALL|THM_JUMP\d+|REL32|PREL31)$/.test(kind)) throw new Error(`a relocation ${kind}`);
}

/**
 * The image of an algorithm for an architecture: its bytes, the stack that each entry takes, and the disassembly.
 * `folder` gets the files of the compiler.
 */
export function build(algorithm, architecture, folder) {
  const { files, entries, sample } = ALGORITHMS[algorithm];
  const { cpu, number } = ARCHITECTURES[architecture];
  mkdirSync(folder, { recursive: true });
  const objectOf = (file) => join(folder, `${basename(file)}.o`);
  const frames = {};
  for (const file of files) {
    tool(CC, [...COMMON, ...FREESTANDING, `-mcpu=${cpu}`, "-c", `src/${file}.c`, "-o", objectOf(file)], KERNEL);
    // an object that may load or store words at other addresses says so: a fault on Cortex-M0+, or where traps are on
    if (/Tag_CPU_unaligned_access/.test(arm("readelf", ["-A", objectOf(file)]))) throw new Error(`${file}.c: unaligned accesses`);
    const usage = readFileSync(objectOf(file).replace(/o$/, "su"), "utf8");
    for (const line of usage.split("\n").filter(Boolean)) {
      const [where, bytes, kind] = line.split("\t");
      if (kind !== "static") throw new Error(`stack that is not known: ${line}`);
      frames[where.split(":").pop()] = Number(bytes);
    }
  }
  const link = (address) => {
    const elf = join(folder, `${address}.elf`);
    const image = join(folder, `${address}.bin`);
    const symbols = ["--defsym", `KERNEL_ARCH=${number}`, "--defsym", `KERNEL_ADDRESS=${address}`];
    const objects = files.map(objectOf);
    const wanted = [...entries, ...[sample ?? []].flat()].flatMap((name) => ["-u", `firmseal_${name}`]);
    const options = ["-T", "src/kernel.ld", "--gc-sections", "--emit-relocs", "-e", address];
    arm("ld", [...symbols, ...options, ...wanted, ...objects, "-o", elf], KERNEL);
    arm("objcopy", ["-O", "binary", "-j", ".kernel", elf, image]);
    return readFileSync(image);
  };
  const bytes = link("0x0");
  if (!bytes.equals(link("0x20000104"))) throw new Error("the image depends on its address");
  checkRelocations(arm("readelf", ["-r", join(folder, "0x0.elf")]));
  const disassembly = arm("objdump", ["-d", join(folder, "0x0.elf")]);
  return { bytes, stack: stackOf(entries, functionsOf(disassembly), frames), disassembly };
}

const PROGRAM = [
  ..."-Os -mthumb -ffreestanding -nostdlib -mno-unaligned-access".split(" "),
  ..."-fno-jump-tables -fno-tree-loop-distribute-patterns -Wl,-e,_start".split(" "),
];

/** A program that plays records to an image under qemu: packages/kernel/test/player.c. */
export function player(architecture, folder) {
  const { cpu } = ARCHITECTURES[architecture];
  const out = join(folder, "player");
  const image = `-DIMAGE="${join(folder, "0x0.bin")}"`;
  tool(CC, [...COMMON, ...PROGRAM, `-mcpu=${cpu}`, image, "test/player.c", "-o", out], KERNEL);
  return out;
}

/** The sources of packages/kernel/test/arithmetic.c. */
const ARITHMETIC = ["test/arithmetic.c", ...["field", "limbs", "p256/p256_field", "scalar"].map((file) => `src/${file}.c`)];

/** A program that plays records to the arithmetic under qemu. */
export function arithmetic(architecture, folder) {
  const out = join(folder, `arithmetic-${architecture}`);
  tool(CC, [...COMMON, ...PROGRAM, `-mcpu=${ARCHITECTURES[architecture].cpu}`, ...ARITHMETIC, "-o", out], KERNEL);
  return out;
}

/** A program compiled for this machine. */
function forHost(args, out) {
  tool("cc", [...COMMON, "-pedantic", ...args, "-o", out], KERNEL);
  return out;
}

const SANITIZERS = ["-O3", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"];

/** Like `player()`, with the sources compiled for this machine, with the sanitizers or without them (`fast`). */
export function hostPlayer(folder, fast = false) {
  const args = [...(fast ? ["-O2"] : SANITIZERS), "test/player.c", ...FILES.map((file) => `src/${file}.c`)];
  return forHost(args, join(folder, fast ? "fast" : "host"));
}

/** Like `arithmetic()`, compiled for this machine, with the sanitizers. */
export const hostArithmetic = (folder) => forHost([...SANITIZERS, ...ARITHMETIC], join(folder, "arithmetic-host"));

export const play = (program, input) => execFileSync(program, { input, maxBuffer: 1 << 28 });

export const playQemu = (architecture, program, input) =>
  execFileSync("qemu-arm", ["-cpu", ARCHITECTURES[architecture].qemu, program], { input, maxBuffer: 1 << 28 });

/** How many instructions a run takes under qemu, which writes a line for each: some millions take a minute. */
function counted(architecture, program, input) {
  const options = `-cpu ${ARCHITECTURES[architecture].qemu} -one-insn-per-tb -d nochain,exec -D /dev/stderr`;
  const command = `exec qemu-arm ${options} "$0" 2>&1 >/dev/null | wc -l`;
  return Number(execFileSync("sh", ["-c", command, program], { input, encoding: "utf8" }));
}

/**
 * The instructions that a record takes: by difference to one of the same length for which the program calls nothing, so
 * that the program itself does not count.
 */
export function instructions(architecture, program, one) {
  const nothing = Buffer.from(one);
  nothing.writeUInt32LE(5);
  return counted(architecture, program, one) - counted(architecture, program, nothing);
}

/** A record for the player: see its head. */
export function record(kind, data, piece = data.length || 1) {
  const head = Buffer.alloc(12);
  for (const [i, n] of [kind, data.length, piece].entries()) head.writeUInt32LE(n, 4 * i);
  return Buffer.concat([head, data]);
}

/** packages/kernel/src/images.generated.ts, for images by algorithm and architecture. */
export function imagesFile(images, version) {
  const text = Object.entries(images).map(([algorithm, all]) => {
    const rows = Object.entries(all).map(([name, bytes]) => {
      const lines = bytes.toString("base64").match(/.{1,120}/g);
      const digest = createHash("sha256").update(bytes).digest("hex");
      return `    ${name}: {\n      length: ${bytes.length},\n      digest: "${digest}",\n      base64:\n        "${lines.join('" +\n        "')}",\n    },`;
    });
    return `  ${algorithm}: {\n${rows.join("\n")}\n  },`;
  });
  return `// GENERATED from the sources in C in this folder. DO NOT EDIT: change them, then run \`node scripts/kernel.mjs\`.\n\n/** The compiler that made the images: another one may choose other instructions. */\nexport const COMPILER = "${version}";\n\nexport const IMAGES = {\n${text.join("\n")}\n} as const;\n`;
}

/** Records with a signature on 100 bytes by four keys: how long a verification takes depends on the numbers in it. */
function signatures() {
  const message = Buffer.alloc(100);
  return [1, 2, 3, 4].map((byte) => {
    const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const key = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(12);
    return record(0, Buffer.concat([key, sign(null, message, privateKey), message]));
  });
}

/**
 * What the guide gives numbers of instructions for: a signature on 100 bytes, in the mean, and the hashes of 16 blocks.
 */
export function counts(algorithm, architecture, folder) {
  const program = player(architecture, folder);
  const count = (one) => instructions(architecture, program, one);
  const mean = (records) => records.reduce((sum, one) => sum + count(one), 0) / records.length;
  const { entries } = ALGORITHMS[algorithm];
  const [hasEd25519, hasP256] = ["ed25519_verify", "p256_verify"].map((entry) => entries.includes(entry));
  const of = (kind, block) => (count(record(kind, Buffer.alloc(20 * block))) - count(record(kind, Buffer.alloc(4 * block)))) / 16;
  return {
    ...(hasEd25519 && { verification: mean(signatures()) }),
    // the sample, with its digest and with another one
    ...(hasP256 && { "verification of ES256": mean([0, 1].map((n) => record(8, Buffer.alloc(n)))) }),
    ...(entries.includes("sha256_begin") && { "block of SHA-256": of(1, 64), "block of SHA-512": of(2, 128) }),
  };
}

function main() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-kernel-"));
  try {
    writeFileSync(join(KERNEL, "src/tables.h"), tables());
    writeFileSync(join(KERNEL, "src/p256/p256_tables.h"), p256Tables());
    const images = {};
    for (const algorithm of Object.keys(ALGORITHMS))
      for (const name of Object.keys(ARCHITECTURES)) {
        const place = join(folder, algorithm, name);
        const { bytes, stack } = build(algorithm, name, place);
        images[algorithm] = { ...images[algorithm], [name]: bytes };
        console.log(`${algorithm} on ${name}: ${bytes.length} bytes, ${Math.max(...Object.values(stack))} bytes of stack`);
        if (!process.argv.includes("--count")) continue;
        for (const [what, n] of Object.entries(counts(algorithm, name, place))) console.log(`  ${what}: ${Math.round(n)} instructions`);
      }
    writeFileSync(join(KERNEL, "src/images.generated.ts"), imagesFile(images, compiler()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) main();
