// Gives the releases in conformance/consumers to the verifiers that they are for, which are not on npm or in Debian:
//
//   node scripts/consumers.mjs dress-up [ARGUMENTS OF CARGO…]      for example --config 'patch.crates-io.dress-up.path="CHECKOUT"'
//   node scripts/consumers.mjs libcsuit CHECKOUT                   built with OpenSSL, as its own instructions say
//
// Each release is offered to devices of three classes with either slot, and must arrive on those that it is for.

import { spawnSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { formatUuid, identityUuids, testKeyPublic, testKeys, toJwk } from "../packages/signer/lib/index.js";

const FOLDER = fileURLToPath(new URL("../conformance/consumers/", import.meta.url));
const [which, ...more] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "firmseal-consumers-"));

/** The payloads of the releases, by URI. */
const PAYLOADS = { "https://example.com/0.bin": "zero", "https://example.com/1.bin": "first", "https://example.com/radio.bin": "radio" };
const payloads = Object.entries(PAYLOADS).map(([uri, content]) => {
  const file = join(work, basename(uri));
  writeFileSync(file, content);
  return [uri, file];
});

/** What a device has afterwards; undefined: the release is not for it. */
function expected(release, board, slot) {
  if (!release.includes("two-slots")) return board === "board-a" ? ["zero"] : undefined;
  return board === "board-c" ? undefined : [slot === 0 ? "zero" : "first", "radio"];
}

function run(command, args, options = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (error) throw error;
  return { status, signal, stdout, stderr };
}

function built(command, args, options) {
  const { status, stdout, stderr } = run(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** ECDSA by OpenSSL, over the Sig_structure of a COSE_Sign1 without a key identifier. */
function isSigned(block, digest) {
  const head = block.subarray(2, 6);
  const tbs = Buffer.concat([Buffer.from("846a5369676e617475726531", "hex"), head, Buffer.from([0x40, 0x58, digest.length]), digest]);
  const key = createPublicKey({ key: toJwk(testKeyPublic(testKeys.find(({ name }) => name === "spec-p256"))), format: "jwk" });
  return verify("sha256", tbs, { key, dsaEncoding: "ieee-p1363" }, block.subarray(-64));
}

function dressUp() {
  // cargo writes Cargo.lock beside it
  const manifest = join(work, "dress-up/Cargo.toml");
  cpSync(join(FOLDER, "dress-up"), join(work, "dress-up"), { recursive: true });
  const target = join(work, "target");
  built("cargo", ["build", "--quiet", "--manifest-path", manifest, "--target-dir", target, ...more], {
    cwd: work,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [block, digest] = [join(work, "block"), join(work, "digest")];
  return (file, { vendor, class: name }, slot) => {
    const args = [file, block, digest, vendor, name, String(slot), ...payloads.map(([uri, path]) => `${uri}=${path}`)];
    const { status, stdout, stderr } = run(join(target, "debug/firmseal-dress-up"), args);
    if (!isSigned(readFileSync(block), readFileSync(digest))) throw new Error(`${file}: OpenSSL does not verify the signature`);
    if (status !== 0) return { refused: stderr.trim() };
    return {
      has: stdout
        .trim()
        .split("\n")
        .map((hex) => Buffer.from(hex, "hex").toString()),
    };
  };
}

/** The example program, whose callbacks pass over conditions on the device, with callbacks that compare. */
function comparing(source) {
  const id = (name) => [
    new RegExp(`(SUIT_PARAMETER_${name}_IDENTIFIER;\\s*result = )SUIT_ERR_NOT_IMPLEMENTED;`),
    `$1same_id(getenv("${name}"), condition_args.expected.str);`,
  ];
  const edits = [
    id("VENDOR"),
    id("CLASS"),
    [
      /case SUIT_CONDITION_COMPONENT_SLOT:/,
      `$&
        result = condition_args.expected.u64 == (uint64_t)atoi(getenv("SLOT")) ? SUIT_SUCCESS : SUIT_ERR_CONDITION_MISMATCH;
        break;`,
    ],
    [/(suppress it for testing[^;]*;\s*)result = SUIT_SUCCESS;/, "$1condition_ret->reason = SUIT_REPORT_REASON_CONDITION_FAILED;"],
    [
      /suit_err_t __real_suit_condition_callback\(/,
      `static suit_err_t same_id(const char *hex, UsefulBufC id) {
    char own[3];
    for (size_t i = 0; i < id.len; i++) {
        snprintf(own, sizeof(own), "%02x", ((const uint8_t *)id.ptr)[i]);
        if (strncmp(hex + 2 * i, own, 2) != 0) return SUIT_ERR_CONDITION_MISMATCH;
    }
    return SUIT_SUCCESS;
}
$&`,
    ],
  ];
  return edits.reduce((text, [from, to]) => {
    if (!from.test(text)) throw new Error(`the example program of libcsuit has changed: no ${from}`);
    return text.replace(from, to);
  }, source);
}

/** \`alg\`: the byte of the COSE algorithm in the key of the device. */
function libcsuitWith(checkout, alg) {
  const name = `firmseal-${alg.slice(2)}`;
  const [examples, own] = [join(checkout, "examples"), join(checkout, "examples", name)];
  rmSync(own, { recursive: true, force: true });
  cpSync(join(examples, "process"), own, { recursive: true });
  const main = join(own, "suit_manifest_process_main.c");
  writeFileSync(main, comparing(readFileSync(main, "utf8")));
  cpSync(join(examples, "inc"), join(own, "inc"), { recursive: true });
  const key = join(own, "inc/trust_anchor_esp256_cose_key_public.h");
  writeFileSync(key, readFileSync(key, "utf8").replace(/^\s*0x28,(?=.*ESP256)/m, `${alg},`));
  const make = join(own, "Makefile");
  writeFileSync(make, readFileSync(make, "utf8").replace("-I../inc", "-I./inc"));
  for (const old of readdirSync(own).filter((one) => one.endsWith(".o") || one === "suit_manifest_process")) rmSync(join(own, old));
  built("make", ["-C", own]);
  return join(own, "suit_manifest_process");
}

function libcsuit() {
  if (more[0] === undefined || !existsSync(join(more[0], "libcsuit.a")))
    throw new Error("usage: node scripts/consumers.mjs libcsuit CHECKOUT, built");
  const checkout = resolve(more[0]);
  // -9 and -7
  const [esp256, es256] = ["0x28", "0x26"].map((alg) => libcsuitWith(checkout, alg));
  const args = payloads.flatMap(([uri, path]) => ["-u", uri, "-f", path]);
  return (file, { vendor, class: name }, slot) => {
    const store = join(work, "store");
    rmSync(store, { recursive: true, force: true });
    mkdirSync(store);
    const env = { ...process.env, VENDOR: vendor.replaceAll("-", ""), CLASS: name.replaceAll("-", ""), SLOT: String(slot) };
    const { status, signal, stdout } = run(file.includes("ES256") ? es256 : esp256, [file, "-p", store, ...args], { env });
    if (status !== 0) return { refused: signal ?? stdout.trim().split("\n").at(-1) };
    return { has: readdirSync(store).map((one) => readFileSync(join(store, one), "utf8")) };
  };
}

const CONSUMERS = { "dress-up": { prefix: "ariel-os-", open: dressUp }, libcsuit: { prefix: "libcsuit-", open: libcsuit } };

let failed = 0;
try {
  if (!Object.hasOwn(CONSUMERS, which)) throw new Error(`usage: node scripts/consumers.mjs ${Object.keys(CONSUMERS).join("|")} …`);
  const { prefix, open } = CONSUMERS[which];
  const offer = open();
  for (const release of readdirSync(FOLDER).filter((name) => name.startsWith(prefix)))
    for (const board of ["board-a", "board-b", "board-c"])
      for (const slot of [0, 1]) {
        const id = identityUuids("example.com", board);
        const { has, refused } = offer(join(FOLDER, release), { vendor: formatUuid(id.vendor), class: formatUuid(id.class) }, slot);
        const isRight = JSON.stringify(has?.sort()) === JSON.stringify(expected(release, board, slot)?.sort());
        if (!isRight) failed++;
        console.log(
          `${isRight ? "ok  " : "FAIL"} ${release} on ${board}, slot ${slot}: ${has ? `has ${has.join(", ")}` : `refused, ${refused}`}`,
        );
      }
} catch (e) {
  console.error(e.message);
  failed++;
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed > 0 ? 1 : 0);
