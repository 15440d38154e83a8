// What the benchmarks share: medians, tables, and packages that only a workspace package depends on.

import * as crypto from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { wrapped } from "../scripts/reference/text.mjs";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const CLI = `${ROOT}packages/cli/bin/firmseal.js`;
export const BUNDLES = ["ed25519", "es256", "hsslms", "full"];

export const bundlePath = (name) => `${ROOT}packages/verifier/dist/firmseal-${name}.js`;
export const verifier = (module = "index") => import(`${ROOT}packages/verifier/lib/${module}.js`);
export const signer = (module = "index") => import(`${ROOT}packages/signer/lib/${module}.js`);

/** A bundle as `firmseal bundle` writes it. */
export async function deviceBundle(algs, features, format, micro) {
  const { minifiedBundle: minified } = await import(`${ROOT}packages/bundler/lib/index.js`);
  return minified({ algs, features, format, ...(micro && { micro }) });
}

/** The whole verifier in one scope, from which bundles are made. */
export const readParts = () => JSON.parse(readFileSync(`${ROOT}packages/bundler/dist/parts.json`, "utf8"));

/**
 * A script with an algorithm, the hashes that it needs, and nothing else, made as bundles are: `firmseal.open` is the
 * algorithm in place of open(), and so on, so that the bundler drops what those would need. `hashes`: with both hashes,
 * whatever the algorithm uses.
 */
export async function alone(alg, hashes) {
  const { minifiedBundle: minified } = await import(`${ROOT}packages/bundler/lib/index.js`);
  const all = readParts();
  const own = all.names[alg];
  const [first, second] = hashes ? [all.names.sha256, all.names.sha512] : ["null", "null"];
  const names = {
    ...all.names,
    open: own,
    start: first,
    step: second,
    anchorOf: "void ",
  };
  return minified({ algs: [alg], features: [], format: "script" }, { ...all, names });
}

/** The module of the test signer for HSS/LMS: nothing else here signs with HSS/LMS. */
export async function lms() {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-lms-"));
  try {
    const outfile = join(folder, "lms.mjs");
    await build({
      entryPoints: [`${ROOT}packages/test-support/src/keys/lms.ts`],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
    });
    return await import(`file://${outfile}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A pair of node:crypto. As text first: while Node 20 exports a key of generateKeyPairSync(), a collection of garbage
 * can wait for its lock.
 */
export function drawnPair(type, options) {
  const { privateKey } = crypto.generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { publicKey: crypto.createPublicKey(privateKey), privateKey: crypto.createPrivateKey(privateKey) };
}

/** A new key of node:crypto: the key itself, the key as an anchor takes it, and a function that signs with it. */
export function ed25519Key() {
  const { publicKey, privateKey } = drawnPair("ed25519");
  const key = new Uint8Array(Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url"));
  return { publicKey, key, sign: (message) => new Uint8Array(crypto.sign(null, message, privateKey)) };
}

/** Like ed25519Key(), for ES256: the key is 04 ‖ x ‖ y, a signature r ‖ s. */
export function es256Key() {
  const { publicKey, privateKey } = drawnPair("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = new Uint8Array([4, ...Buffer.from(x, "base64url"), ...Buffer.from(y, "base64url")]);
  const sign = (message) => new Uint8Array(crypto.sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
  return { publicKey, key, sign };
}

/** What singleImage() needs for a release with its image inside. */
export const integrated = (image) => ({
  sequence: "7",
  vendor: "example.com",
  class: "board-v2",
  digest: crypto.createHash("sha256").update(image).digest("hex"),
  size: image.length,
  uri: "#firmware",
  payload: image,
});

/** Our hash interface over node's hash functions: what a host with native hashing hands in. */
export function native(name) {
  return {
    create() {
      const hash = crypto.createHash(name);
      return { update: (bytes) => void hash.update(Uint8Array.from(bytes)), digest: () => new Uint8Array(hash.digest()) };
    },
    once: (bytes) => new Uint8Array(crypto.createHash(name).update(Uint8Array.from(bytes)).digest()),
  };
}
/** `text` with `table` between the markers `name`. */
export function inMarkers(text, name, table) {
  const [begin, end] = [`<!-- ${name} -->\n`, "<!-- end -->\n"];
  const [from, to] = [text.indexOf(begin), text.indexOf(end, text.indexOf(begin))];
  if (from < 0 || to < 0) throw new Error(`there are no markers ${name}`);
  const lines = table.split("\n").map((line) => (line.startsWith("|") ? line : wrapped(line)));
  return `${text.slice(0, from)}${begin}\n${lines.join("\n")}\n${text.slice(to)}`;
}

/**
 * The environment of a program that is timed, with its state in `state`; without NODE_OPTIONS and the like, which can
 * double the start of Node.
 */
export function environment(state) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_"));
  return { ...Object.fromEntries(own), FIRMSEAL_STATE: state };
}

/** Imports a dependency of a workspace package, in the version that the package has. */
export function dependencyOf(name, specifier) {
  return import(pathToFileURL(createRequire(`${ROOT}packages/${name}/package.json`).resolve(specifier)));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs each of `tasks` (name → function) in turn, `rounds` times around, so that a slow moment of the machine hits all
 * alike. Returns name → median of the calls per second.
 */
export function rates(tasks, { rounds = 7, seconds = 0.3 } = {}) {
  const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (const run of Object.values(tasks)) for (let i = 0; i < 3; i++) run();
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(tasks)) {
      const start = performance.now();
      let calls = 0;
      let elapsed = 0;
      do {
        run();
        calls++;
        elapsed = performance.now() - start;
      } while (elapsed < seconds * 1000);
      seen[name].push((calls * 1000) / elapsed);
    }
  }
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)]));
}

/** Three significant digits. */
export function figure(n) {
  if (n === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(n))));
  return n.toLocaleString("en", { minimumFractionDigits: Math.min(digits, 3), maximumFractionDigits: Math.min(digits, 3) });
}

/** A Markdown table. Columns whose cells are numbers go to the right. */
export function tableText(head, rows) {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" ? figure(cell) : String(cell))));
  const right = head.map((_, i) => rows.every((row) => typeof row[i] === "number" || /^[\d,.]+( ×)?$|^$/.test(String(row[i]))));
  const width = head.map((h, i) => Math.max(3, h.length, ...cells.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => (right[i] ? cell.padStart(width[i]) : cell.padEnd(width[i]))).join(" | ")} |`;
  const rule = `|${width.map((w, i) => (right[i] ? `${"-".repeat(w + 1)}:` : "-".repeat(w + 2))).join("|")}|`;
  return [line(head), rule, ...cells.map(line), ""].join("\n");
}

export function table(head, rows) {
  console.log(tableText(head, rows));
}

/** Title, and the machine that the figures belong to. */
export function title(text) {
  console.log(
    `## ${text}\n\nNode ${process.versions.node}, ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} processors\n`,
  );
}

export const read = (path) => readFileSync(path);
