// Opens a private key, signs, and closes it: how often is the secret in the memory of this process, while it is open
// and afterwards? node --expose-gc memory-scan.mjs FILE PASSPHRASE MASKED MASK; the secret comes under a mask, so that
// asking leaves no copy.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const [file, passphrase, masked, mask] = process.argv.slice(2);
const WINDOW = 1 << 20;
// a mapping of its own: in the heap, it would read itself, and multiply the needle
const window = Buffer.from(new WebAssembly.Memory({ initial: WINDOW >> 16 }).buffer);

function copies() {
  // with a buffer of its own: the collector moves short arrays, and would leave copies of the needle
  const needle = Buffer.from(new ArrayBuffer(mask.length / 2));
  for (let i = 0; i < needle.length; i++)
    needle[i] = Number(`0x${masked.slice(2 * i, 2 * i + 2)}`) ^ Number(`0x${mask.slice(2 * i, 2 * i + 2)}`);
  let found = 0;
  const fd = openSync("/proc/self/mem", "r");
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || line.includes("[v")) continue;
    for (let at = BigInt(`0x${from}`), end = BigInt(`0x${to}`); at < end; at += BigInt(WINDOW)) {
      let got = 0;
      try {
        got = readSync(fd, window, 0, Math.min(WINDOW, Number(end - at)), at);
      } catch {
        // a page that there is not
      }
      for (let i = window.indexOf(needle); i >= 0 && i < got; i = window.indexOf(needle, i + 1)) found++;
      window.fill(0);
    }
  }
  closeSync(fd);
  needle.fill(0);
  // the one that was looked for
  return found - 1;
}

const { openKeyFile: open } = await import(new URL("../../../../keys/lib/sources/file.js", import.meta.url).href);
const key = await open(file, { publicOnly: false, secret: async () => Buffer.from(passphrase) });
await key.signer.sign(new Uint8Array(100));
const during = copies();
await key[Symbol.asyncDispose]();
globalThis.gc();
console.log(JSON.stringify({ during, after: copies() }));
