// Time and memory of open() on hostile input of up to 64 KB. Each input runs in a process of its own, so that its peak
// is its own.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, table, title, verifier } from "./lib.mjs";

const SIZE = 65_536;
const ROUNDS = 5;

const filled = (head, unit) => {
  const out = new Uint8Array(SIZE);
  out.set(head);
  for (let at = head.length; at < SIZE; at++) out[at] = unit[(at - head.length) % unit.length];
  return out;
};
/** An envelope whose wrapper is a byte string with `content`, as long as it says. */
const inWrapper = (content) => {
  const n = content.length;
  return Uint8Array.from([0xd8, 0x6b, 0xa2, 0x02, 0x59, n >> 8, n & 255, ...content, 0x03, 0x41, 0xa0]);
};
/** As many integrated payloads as fit: "#0000", "#0001" …, empty each. */
function manyKeys() {
  const head = [0xd8, 0x6b, 0xb9, 0, 0, 0x02, 0x41, 0x80, 0x03, 0x41, 0xa0];
  const n = Math.floor((SIZE - head.length) / 7);
  head[3] = (n + 2) >> 8;
  head[4] = (n + 2) & 255;
  const out = [...head];
  for (let i = 0; i < n; i++) out.push(0x65, ...Buffer.from(`#${i.toString(16).padStart(4, "0")}`), 0x40);
  return Uint8Array.from(out);
}
/** SUIT_Digest of SHA-256, then `n` COSE_Sign1 with a header of their own each. */
function manySignatures(n) {
  const digest = [0x58, 0x24, 0x82, 0x2f, 0x58, 0x20, ...new Array(32).fill(0)];
  const block = [0x58, 0x4a, 0xd2, 0x84, 0x43, 0xa1, 0x01, 0x32, 0xa0, 0xf6, 0x58, 0x40, ...new Array(64).fill(1)];
  const head = n + 1 < 24 ? [0x80 | (n + 1)] : [0x99, (n + 1) >> 8, (n + 1) & 255];
  const blocks = [];
  for (let i = 0; i < n; i++) blocks.push(...block);
  return inWrapper(Uint8Array.from([...head, ...digest, ...blocks]));
}

const INPUTS = {
  "arrays in arrays": () => filled([0xd8, 0x6b], [0x81]),
  "maps in maps": () => filled([0xd8, 0x6b], [0xa1, 0x00]),
  "maps as keys of maps": () => filled([0xd8, 0x6b], [0xa1]),
  "tags before tags": () => filled([], [0xd8, 0x6b]),
  "arrays in the wrapper": () => inWrapper(filled([], [0x81]).subarray(0, 65_000)),
  "array of 2^40": () => filled([0xd8, 0x6b, 0x9b, 0, 0, 1, 0, 0, 0, 0, 0], [0x00]),
  "map of 2^40": () => filled([0xd8, 0x6b, 0xbb, 0, 0, 1, 0, 0, 0, 0, 0], [0x00]),
  "byte string of 2^40": () => filled([0xd8, 0x6b, 0xa2, 0x02, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0], [0x00]),
  "byte string of 2^64-1": () => filled([0xd8, 0x6b, 0xa2, 0x02, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255], [0xff]),
  "text without an end": () => filled([0xd8, 0x6b, 0xa2, 0x02, 0x7f], [0x61, 0x61]),
  bignums: () => filled([0xd8, 0x6b, 0x98, 0xff], [0xc2, 0x48, 255, 255, 255, 255, 255, 255, 255, 255]),
  floats: () => filled([0xd8, 0x6b, 0x98, 0xff], [0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]),
  "a long map of payloads": manyKeys,
  "850 signatures": () => manySignatures(850),
  "8 signatures": () => manySignatures(8),
  "random octets": () => {
    const out = new Uint8Array(SIZE);
    for (let i = 0, x = 1; i < SIZE; i++) {
      x = (x * 48_271) % 2_147_483_647;
      out[i] = x & 255;
    }
    return out;
  },
  zeros: () => filled([], [0]),
};

async function one(name) {
  const { anchor, open } = await verifier();
  // RFC 8032 §7.1, test 1
  const key = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");
  const trust = { anchors: [anchor("ed25519", key)] };
  const input = name === "" ? Uint8Array.from([0]) : INPUTS[name]();
  const times = [];
  let code = 0;
  globalThis.gc?.();
  for (let i = 0; i < (name === "" ? 1 : ROUNDS); i++) {
    const start = performance.now();
    try {
      open(input, trust);
      code = 0;
    } catch (e) {
      if (typeof e.code !== "number") throw e;
      code = e.code;
    }
    times.push(performance.now() - start);
  }
  process.stdout.write(
    JSON.stringify({ first: times[0], time: median(times), peak: process.resourceUsage().maxRSS / 1024, code, length: input.length }),
  );
}

function measure(name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--one", name], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout);
}

if (process.argv[2] === "--one") await one(process.argv[3]);
else {
  const idle = median(Array.from({ length: 5 }, () => measure("").peak));
  const rows = Object.keys(INPUTS).map((name) => {
    const runs = Array.from({ length: ROUNDS }, () => measure(name));
    const over = Math.max(0, median(runs.map((r) => r.peak)) - idle);
    return [name, runs[0].length, runs[0].code, median(runs.map((r) => r.first)), median(runs.map((r) => r.time)), over];
  });
  title("open() on hostile input");
  console.log("Peak memory is above that of a process which refuses one octet.\n");
  table(
    ["input", "bytes", "refusal", "first call, ms", "median of 5, ms", "peak, MB more"],
    rows.map((r) => [r[0], r[1].toLocaleString("en"), String(r[2]), r[3], r[4], r[5]]),
  );
}
