// Time and peak memory of `firmseal rotate plan` for a fleet of 100,000 rows, in each form of a fleet file:
// node bench/fleet.mjs [ROWS]

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bridge,
  encode,
  encodeTrust,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
} from "../packages/signer/lib/index.js";

const ROWS = Number(process.argv[2] ?? 100_000);
const CLI = fileURLToPath(new URL("../packages/cli/bin/firmseal.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "firmseal-fleet-"));
const put = (name, content) => writeFileSync(join(folder, name), content);

const keyOf = (n) => privateKey("ed25519", new Uint8Array(32).fill(n));
const [R1, R2, A, B, C] = [1, 2, 3, 4, 5].map(keyOf);

async function trustOf(sequence, releases) {
  const anchors = [...[R1, R2].map((key) => ({ key, roles: ["root"] })), ...releases.map((key) => ({ key, roles: ["release"] }))];
  return signTrustWithoutLog(encodeTrust({ name: "board", sequence, anchors, thresholds: { root: 2, release: 2 } }), [R1, R2].map(signer));
}

const image = new Uint8Array(64);
const content = { digest: createHash("sha256").update(image).digest("hex"), size: image.length, uri: "#firmware", payload: image };
const facts = (sequence) => ({ sequence, vendor: "example.com", class: "board-1" });
const T1 = await trustOf(1n, [A, B]);
const T2 = await trustOf(2n, [B, C]);
put("t1.trust", T1);
put("t2.trust", T2);
put("bridge.suit", await signEnvelopeWithoutLog(encode(bridge({ ...facts(1000), trust: T2, image: content })), [A, B, C].map(signer)));
put("next.suit", await signEnvelopeWithoutLog(encode(singleImage({ ...facts(1001), ...content })), [B, C].map(signer)));

/** A device for each row: of 8 classes, with either list, and a floor of its own. */
const row = (i) => ({
  name: `device-${i}`,
  trust: `t${1 + (i % 2)}.trust`,
  vendor: "example.com",
  class: `board-${1 + (i % 8)}`,
  floor: i % 1200,
});
const rows = Array.from({ length: ROWS }, (_, i) => row(i));
put("fleet.json", JSON.stringify({ cohorts: rows }));
put("fleet.jsonl", rows.map((r) => `${JSON.stringify(r)}\n`).join(""));
put("fleet.csv", `name,trust,vendor,class,floor\n${rows.map((r) => `${Object.values(r).join(",")}\n`).join("")}`);

console.log(`${ROWS} rows, 2 steps; limit: 10 s and 200 MB`);
for (const name of ["fleet.csv", "fleet.jsonl", "fleet.json"]) {
  const start = performance.now();
  const args = ["rotate", "plan", "--fleet", name, "--release", "bridge.suit", "--release", "next.suit", "--fail-on", "none", "--json"];
  const code = `process.on("exit", () => process._rawDebug("PEAK " + process.resourceUsage().maxRSS)); process.argv = [process.argv[0], "firmseal", ...${JSON.stringify(args)}]; await import(${JSON.stringify(CLI)});`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const seconds = (performance.now() - start) / 1000;
  const peak = Number(/^PEAK (\d+)$/m.exec(stderr)?.[1]) / 1024;
  const told = JSON.parse(stdout);
  const states = `${told.cohorts?.length} states, ${Object.entries(told.devices ?? {})
    .filter(([, n]) => n > 0)
    .map(([v, n]) => `${n} ${v}`)
    .join(", ")}`;
  console.log(`${name.padEnd(12)} exit ${status}  ${seconds.toFixed(1)} s  ${peak.toFixed(0)} MB  ${states}`);
  if (status !== 0 || seconds > 10 || peak > 200) process.exitCode = 1;
}
rmSync(folder, { recursive: true, force: true });
