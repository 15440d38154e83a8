// No command shows a key or a passphrase, used well and badly, nor when it crashes.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { toPrivateCose } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { plainPem } from "../../../../keys/src/formats/pkcs8.js";
import { FACTS, privateJwk, standard, stateOf } from "../../../../test-support/src/command-line/run.js";
import { ALL, LONG } from "../../../../test-support/src/environment/effort.js";
import {
  CANARY,
  canaryKey,
  encrypted,
  expectFilesSilent,
  expectNone,
  expectSilent,
  forms,
  inside,
  passphrases,
  secretBytes,
  WRONG,
} from "./secrets-place.js";

/** The commands that --help lists: one that is added is swept as well. */
async function commands(): Promise<string[]> {
  const { stdout } = await standard().ok(["--help"]);
  const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map((m) => m[1] as string).filter((name) => name !== "help");
  expect(names).toEqual(expect.arrayContaining(["keygen", "sign", "verify", "audit"]));
  return names;
}

/** Commands whose output holds a private key because it was asked for. */
const WRITE_KEYS = ["keygen", "convert"];

/** What can be said of each command with the keys: good and bad use, as words. The key is encrypted, or plain in several forms. */
const USES = [
  "KEY",
  "KEY fw.suit",
  "fw.suit --key KEY",
  "fw.bin --key KEY --vendor example.com --class board-v2 --seq next",
  "fw.bin --key KEY --key KEY --vendor example.com --class board-v2 --seq 0",
  "fw.bin --key KEY --log KEY --vendor example.com --class board-v2 --seq 9",
  "fw.suit --key KEY --dir dev --vendor example.com --class board-v2",
  "fw.suit --key KEY --device memory",
  "fw.suit --key KEY --payload KEY",
  "--from KEY --out made.suit",
  "--out KEY",
  "KEY --envelope KEY",
  "KEY --out copy",
];

describe("every command", () => {
  const hasProc = existsSync("/proc/self/environ");

  /** What other processes can read of a process and of those that it starts. */
  function spy(pid: number, seen: Buffer[]): NodeJS.Timeout {
    const look = (id: number) => {
      try {
        const environ = readFileSync(`/proc/${id}/environ`).toString("latin1").split("\0");
        seen.push(readFileSync(`/proc/${id}/cmdline`), Buffer.from(environ.filter((v) => !v.startsWith("P=")).join("\0"), "latin1"));
        for (const child of readFileSync(`/proc/${id}/task/${id}/children`, "latin1").split(" ")) if (child !== "") look(Number(child));
      } catch {
        // it has ended
      }
    };
    look(pid);
    return setInterval(() => look(pid), 5);
  }

  it(`shows the key and the passphrase nowhere, used correctly or not${hasProc ? "" : " (argv and environment not checked: no /proc)"}`, async () => {
    const base = standard();
    await base.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"]);
    const envelope = base.get("fw.suit");
    const keys: { [name: string]: string | Uint8Array } = {
      "e.pem": encrypted,
      "k.pem": plainPem(canaryKey),
      "k.jwk": privateJwk(canaryKey),
      "k.cose": toPrivateCose(canaryKey),
      "cut.pem": plainPem(canaryKey).slice(0, -40),
    };
    const secrets = [...passphrases, ...forms(inside.secret), ...forms(secretBytes)];
    // by turns with the encrypted key and with the other forms
    const others = Object.keys(keys).slice(1);
    let turn = 0;
    let runs = 0;
    let swept = 0;
    const names = await commands();
    const sweep = async (name: string) => {
      const p = standard();
      p.keepsLogs = true;
      for (const [file, content] of Object.entries(keys)) p.put(file, content);
      p.put("fw.suit", envelope);
      // by default each command has a twelfth of the uses, and the next one others
      const uses = USES.filter((_, i) => LONG || (i + names.indexOf(name)) % 12 === 0);
      swept += uses.length;
      for (const use of uses)
        for (const key of ALL ? Object.keys(keys) : [turn % 2 === 0 ? "e.pem" : (others[(turn >> 1) % others.length] as string)]) {
          turn++;
          const args = [name, ...use.replaceAll("KEY", key).split(" ")];
          const json = turn % 3 === 0 ? ["--json"] : [];
          const by = turn % 4 < 2 ? ["--passphrase-env", "P"] : ["--passphrase-fd", "3"];
          const word = turn % 5 === 0 ? WRONG : CANARY;
          const seen: Buffer[] = [];
          let timer: NodeJS.Timeout | undefined;
          const takes = PASSPHRASES.has(name) ? by : [];
          const r = await p.run([...args, ...json, ...takes], {
            ...(by[0] === "--passphrase-env" ? { env: { P: word } } : { fds: [word] }),
            // only a process has arguments and an environment to look at; by default two uses of fourteen are one
            ...((LONG || turn % 14 < 2) && {
              started: (pid: number) => {
                if (hasProc) timer = spy(pid, seen);
              },
            }),
          });
          clearInterval(timer);
          runs++;
          const what = args.join(" ");
          expect(r.stderr, what).not.toContain("internal error");
          expect(r.signal, what).toBe(null);
          if (!WRITE_KEYS.includes(name)) expectSilent(r, secrets);
          else expectSilent(r, passphrases);
          for (const b of seen) expectNone(`the process of ${what}`, b, secrets);
        }
      const made = WRITE_KEYS.includes(name) ? passphrases : secrets;
      expectFilesSilent(p, made, Object.keys(keys));
      for (const entry of readdirSync(stateOf(p.path), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) expectNone(entry.name, readFileSync(`${entry.parentPath}/${entry.name}`), secrets);
      for (const [file, content] of Object.entries(keys)) expect(p.get(file).equals(Buffer.from(content)), `${name}: ${file}`).toBe(true);
      expect(p.names().filter((n) => n.endsWith(".tmp") || /^core|\.lock/.test(n))).toEqual([]);
    };
    const PASSPHRASES = new Set<string>();
    for (const name of names) if ((await base.ok([name, "--help"])).stdout.includes("--passphrase-fd")) PASSPHRASES.add(name);
    await Promise.all(names.map(sweep));
    expect(runs).toBe(swept * (ALL ? Object.keys(keys).length : 1));
    expect(swept).toBeGreaterThanOrEqual((names.length * (USES.length - 1)) / 12);
  }, 180_000);

  it("shows nothing of a passphrase that was typed in the wrong place", async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    const sign = ["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "1"];
    for (const wrong of [
      ["--passphrase", CANARY],
      [`--passphrase=${CANARY}`],
      [`-p=${CANARY}`],
      ["--passphrase-env", CANARY],
      [`--passphrase-env=${CANARY}`],
      ["--passphrase-fd", CANARY],
      [`--passphrase-fd=${CANARY}`],
      [CANARY],
    ])
      for (const json of [[], ["--json"]]) {
        const r = await p.run([...sign, ...wrong, ...json]);
        expect([2, 3], String(r)).toContain(r.exit);
        expectSilent(r, passphrases);
      }
  });

  it("when it crashes: neither in what is printed nor in a report of Node", async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    p.put("k.pem", plainPem(canaryKey));
    p.folder("reports");
    const secrets = [...passphrases, ...forms(inside.secret), ...forms(secretBytes)];
    // an exception that nobody catches, when the key is open: with the lock, the log, the output
    p.put(
      "crash.mjs",
      `import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      const name = process.env.CRASH_AT;
      const real = fs[name];
      fs[name] = (...args) => {
        process.nextTick(() => { throw new Error("crash"); });
        return real(...args);
      };
      syncBuiltinESMExports();`,
    );
    const options = `--report-uncaught-exception --report-directory=${p.at("reports")} --import=${p.at("crash.mjs")}`;
    // by default each key at every second call, and each call with one of them
    const calls = ["linkSync", "writeSync", "fsyncSync", "renameSync"];
    for (const [i, key] of ["e.pem", "k.pem"].entries())
      for (const at of calls.filter((_, j) => LONG || j % 2 === i)) {
        const r = await p.run(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", "1", "--passphrase-fd", "3"], {
          fds: [CANARY],
          env: { NODE_OPTIONS: options, CRASH_AT: at },
        });
        expect(r.stderr, at).toContain("Error: crash");
        expectSilent(r, secrets);
      }
    expect(readdirSync(p.at("reports"))).toHaveLength(LONG ? 8 : 4);
    expectFilesSilent(p, secrets, ["e.pem", "k.pem"]);
    expect(p.names().filter((n) => n.startsWith("core"))).toEqual([]);
  });
});
