// Sizes past 2^31 and 2^32: a signer that covers only the first bytes of a payload signs anything (RAUC CVE-2026-34155). The image is a
// sparse file with marks around the borders; another program hashes it for comparison. FIRMSEAL_LONG=1 runs it: it takes minutes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, createReadStream, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { expectExit, FACTS, type Place, standard } from "../../test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../../test-support/src/environment/effort.js";
import { copyBytes } from "../../verifier/src/cbor/reader.js";

const canSeeMemory = process.platform === "linux";

/** A sparse file of `size` bytes with `marks` in it. */
function sparse(p: Place, name: string, size: number, marks: number[]): void {
  const fd = openSync(p.at(name), "w");
  try {
    for (const at of marks) writeSync(fd, Buffer.from(`mark at ${at}`), 0, undefined, at);
    ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

async function sha256Of(path: string): Promise<string> {
  const openssl = spawnSync("openssl", ["dgst", "-sha256", "-r", path], { encoding: "utf8" });
  if (openssl.status === 0) return openssl.stdout.slice(0, 64);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Signs an image and returns what the manifest says about it, with the most memory that the program took, in KiB. */
async function signed(p: Place, name: string): Promise<{ digest: string; size: number; memory: number }> {
  let memory = 0;
  let timer: NodeJS.Timeout | undefined;
  await p.ok(["sign", name, "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "https://example.com/fw", "--out", "o.suit"], {
    limit: 240_000,
    started: (pid) => {
      timer = setInterval(() => {
        try {
          memory = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? memory);
        } catch {
          // it has ended
        }
      }, 50);
    },
  });
  clearInterval(timer);
  const { envelope, manifest } = decodeEnvelope(Uint8Array.from(p.get("o.suit")));
  const shared = manifest.shared as { at: number; n: number };
  const text = Buffer.from(Uint8Array.from(copyBytes(envelope.input, shared.at, shared.n))).toString("hex");
  const digest = /5824822f5820([0-9a-f]{64})/.exec(text)?.[1] ?? "";
  const size = /0e(1a[0-9a-f]{8}|1b[0-9a-f]{16})/.exec(text.slice(text.indexOf(digest) + 64))?.[1] ?? "1a00000000";
  return { digest, size: Number(BigInt(`0x${size.slice(2)}`)), memory };
}

const GIB = 2 ** 30;

describe.skipIf(!LONG)(`large images${AT_LENGTH}`, () => {
  for (const [name, size, marks] of [
    ["5 GB", 5 * GIB + 12345, [0, 2 ** 31 - 5, 2 ** 32 - 5, 5 * GIB + 12000]],
    ["2^31 bytes", 2 ** 31, [2 ** 31 - 30]],
    ["2^32 + 3 bytes", 2 ** 32 + 3, [5, 2 ** 32 - 10]],
  ] as const) {
    it(name, async () => {
      const p = standard();
      sparse(p, "big.bin", size, [...marks]);
      const expected = await sha256Of(p.at("big.bin"));
      const { digest, size: told, memory } = await signed(p, "big.bin");
      expect(digest).toBe(expected);
      expect(told).toBe(size);
      if (canSeeMemory) {
        expect(memory).toBeGreaterThan(0);
        expect(memory).toBeLessThan(200 * 1024);
      }
      await p.ok(["verify", "o.suit", "--key", "A.jwk", "--payload", "big.bin"], { limit: 240_000 });
      // one bit near the end
      const fd = openSync(p.at("big.bin"), "r+");
      writeSync(fd, Buffer.of(1), 0, 1, size - 1);
      closeSync(fd);
      expectExit(await p.run(["verify", "o.suit", "--key", "A.jwk", "--payload", "big.bin"], { limit: 240_000 }), 1);
    }, 600_000);
  }
});

it("what is larger than a chunk is hashed as a whole, in constant memory (64 MiB)", async () => {
  const p = standard();
  const size = 64 * 1024 * 1024 + 3;
  sparse(p, "big.bin", size, [0, 1 << 20, (1 << 20) - 1, size - 20]);
  const { digest, size: told, memory } = await signed(p, "big.bin");
  expect(digest).toBe(await sha256Of(p.at("big.bin")));
  expect(told).toBe(size);
  if (canSeeMemory && memory > 0) expect(memory).toBeLessThan(200 * 1024);
});
