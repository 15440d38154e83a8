// Logs of what a key has signed: any lines. A damaged log gives a list of faults, one per line.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendEntry, readLog } from "../../packages/keys/src/signing-log/log-file.js";
import { Finding, type Target } from "../common/verdict.js";

const folder = mkdtempSync(join(tmpdir(), "firmseal-fuzz-log-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "k.log");

const entry = {
  time: "2026-01-01T00:00:00Z",
  user: "u",
  host: "h",
  operation: "sign",
  key: "0".repeat(64),
  digest: `sha-256:${"1".repeat(64)}`,
  sequence: "7",
};

export function seeds(): Uint8Array[] {
  const out: Uint8Array[] = [new Uint8Array(0)];
  rmSync(path, { force: true });
  for (let i = 0; i < 3; i++) {
    const log = readLog(path);
    appendEntry(log, { ...entry, sequence: String(7 + i) });
    out.push(readFileSync(path));
  }
  return out;
}

export const fuzz: Target = (bytes) => {
  writeFileSync(path, bytes);
  const log = readLog(path);
  let lines = 1;
  for (const b of bytes) if (b === 10) lines++;
  if (log.entries.length > lines || log.faults.length > lines || log.accepted.length > lines)
    throw new Finding("more entries or faults than lines");
  if (log.end + log.torn !== bytes.length) throw new Finding("bytes that belong to no line");
};
