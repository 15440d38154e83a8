// Where secrets must not be: anything that is printed, the command line and the environment of the process, files that are left. And
// where an envelope says nothing of the machine that made it.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import { privateKey, toPrivateCose } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { formatPrivate } from "../../keys/src/formats/format.js";
import { openSshPrivate } from "../../keys/src/formats/openssh.js";
import { plainPem } from "../../keys/src/formats/pkcs8.js";
import { readHssFile, unlockHss } from "../../keys/src/hss/file.js";
import { withSigners } from "../../keys/src/sources/reference.js";
import { ALL, LONG } from "../../test-support/src/effort.js";
import { minisignSecret } from "../../test-support/src/minisign.js";
import { DEVICE, FACTS, image, Place, privateJwk, quicklyEncrypted, type Result, standard, stateOf } from "../../test-support/src/run.js";

const CANARY = "canary-passphrase-Zq9";
const WRONG = "another-canary-Xw3";
const secretBytes = new TextEncoder().encode("canary key bytes, 32 of them, ok");
const canaryKey = privateKey("ed25519", secretBytes);
const inside = privateKey("ed25519", randomBytes(32));
const encrypted = Buffer.from(quicklyEncrypted(inside, CANARY));

/** A secret as it could show: itself, hexadecimal, base64 at each of the three offsets. */
function forms(secret: Uint8Array): Buffer[] {
  const b = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((skip) => {
    const text = b.subarray(skip, skip + 3 * Math.floor((b.length - skip) / 3)).toString("base64");
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [
    b,
    ...[b.toString("hex"), b.toString("hex").toUpperCase(), [...b].join(","), [...b].join(", "), ...base64].map((t) => Buffer.from(t)),
  ];
}

const passphrases = [CANARY, WRONG].flatMap((t) => forms(Buffer.from(t)));

function expectNone(where: string, content: Uint8Array, secrets: readonly Uint8Array[]): void {
  const b = Buffer.from(content);
  for (const s of secrets) expect(b.indexOf(Buffer.from(s)), where).toBe(-1);
}

function expectSilent(r: Result, secrets: readonly Uint8Array[]): void {
  expectNone("stdout", r.bytes, secrets);
  expectNone("stderr", Buffer.from(r.stderr), secrets);
}

function expectFilesSilent(p: Place, secrets: readonly Uint8Array[], except: readonly string[]): void {
  const walk = (folder: string) => {
    for (const entry of readdirSync(p.at(folder), { withFileTypes: true })) {
      const name = folder === "." ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (!except.includes(name)) expectNone(name, p.get(name), secrets);
    }
  };
  walk(".");
}

describe.concurrent("secrets", () => {
  it("the passphrase shows nowhere", async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    p.put("broken.pem", Buffer.concat([encrypted.subarray(0, 100), Buffer.from("AAAA"), encrypted.subarray(104)]));
    const secrets = [...passphrases, ...forms(inside.secret)];
    const sign = ["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "1"];
    const runs: [string[], Parameters<Place["run"]>[1]][] = [];
    for (const json of [[], ["--json"]]) {
      runs.push([[...sign, ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([[...sign, ...json, "--passphrase-fd", "3"], { fds: [CANARY] }]);
      runs.push([[...sign, ...json, "--passphrase-env", "P"], { env: { P: WRONG } }]);
      runs.push([[...sign, ...json, "--passphrase-fd", "3"], { fds: [WRONG.repeat(100)] }]);
      runs.push([["pubkey", "e.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["pubkey", "broken.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["keygen", "--out", `k${json.length}.pem`, ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([[...sign.with(3, `k${json.length}.pem`), ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
      runs.push([["keygen", "--out", "e.pem", ...json, "--passphrase-env", "P"], { env: { P: CANARY } }]);
    }
    for (const [args, o] of runs) expectSilent(await p.run(args, o), secrets);
    expectFilesSilent(p, secrets, []);
    expect(p.names().filter((name) => name.startsWith(".") || name.endsWith(".tmp"))).toEqual([]);
  });

  it("the private key shows nowhere, whatever is wrong with its file", async () => {
    const p = standard();
    const pem = plainPem(canaryKey);
    const jwk = privateJwk(canaryKey);
    const cose = toPrivateCose(canaryKey);
    const at = Buffer.from(cose).indexOf(Buffer.from(secretBytes));
    const good = ["good.pem", "good.jwk", "good.cose"];
    p.put("good.pem", pem);
    p.put("good.jwk", jwk);
    p.put("good.cose", cose);
    const bad = {
      "cut.pem": pem.slice(0, -40),
      "line.pem": pem.replace("MC4", "MC5"),
      "cut.jwk": jwk.slice(0, -3),
      "kty.jwk": jwk.replace("Ed25519", "Ed448"),
      "list.jwk": `[${jwk}]`,
      "set.jwk": `{"keys":[${jwk}]}`,
      "mismatch.jwk": jwk.replace(/"x":"./, '"x":"A'),
      "cut.cose": cose.subarray(0, at + 30),
      "raw.bin": secretBytes,
    };
    p.put("description.json", jwk);
    for (const [name, content] of Object.entries(bad)) p.put(name, content);
    const secrets = forms(secretBytes);
    for (const name of good) {
      expectSilent(await p.ok(["sign", "fw.bin", "--key", name, ...FACTS, "--seq", "1", "--json"]), secrets);
      expectSilent(await p.ok(["pubkey", name, "--format", name === "good.pem" ? "h" : "js"]), secrets);
      expectSilent(await p.ok(["verify", "fw.suit", "--key", name, "--json"]), secrets);
    }
    for (const name of Object.keys(bad)) {
      const r = await p.run(["sign", "fw.bin", "--key", name, ...FACTS, "--seq", "1", "--json"]);
      expect(r.exit, name).toBe(2);
      expectSilent(r, secrets);
    }
    for (const name of ["description.json", "cut.jwk"]) expectSilent(await p.run(["create", "--from", name]), secrets);
    expectFilesSilent(p, secrets, [...good, ...Object.keys(bad), "description.json"]);
  });

  it("in every form and by every way in, neither key nor passphrase shows, and convert shows neither of two passphrases", async () => {
    const p = standard();
    const secrets = [...passphrases, ...forms(secretBytes)];
    const texts: { [name: string]: string } = {
      "k.pem": plainPem(canaryKey),
      "k.ssh": await openSshPrivate(canaryKey),
      "k.enc": await openSshPrivate(canaryKey, Buffer.from(CANARY), 1),
      "k.mini": minisignSecret(canaryKey),
      "k.menc": minisignSecret(canaryKey, CANARY),
      "k.jwk": privateJwk(canaryKey),
      "k.b64": Buffer.from(toPrivateCose(canaryKey)).toString("base64"),
    };
    for (const [name, text] of Object.entries(texts)) p.put(name, text);
    p.put("loose.ssh", texts["k.ssh"] as string, 0o644);
    symlinkSync("k.ssh", p.at("link.ssh"));
    const sign = (ref: string) => ["sign", "fw.bin", ...FACTS, "--seq", "1", "--json", "--key", ref];
    const good: [string[], Parameters<Place["run"]>[1]][] = [];
    const bad: typeof good = [];
    for (const [name, text] of Object.entries(texts)) {
      const way = { "k.ssh": "file", "k.mini": "fd", "k.menc": "env", "k.enc": "fd" }[name] ?? "env";
      const ref = { file: name, fd: "fd:3", env: "env:KEY" }[way] as string;
      const o = (content: string, pass = CANARY) => ({ env: { P: pass, ...(way === "env" && { KEY: content }) }, fds: [content] });
      const pass = name.endsWith("enc") ? ["--passphrase-env", "P"] : [];
      good.push([[...sign(ref), ...pass], o(text)]);
      // cut in the middle of the secret, another character in it, and twice in one
      if (way !== "file") {
        bad.push([[...sign(ref), ...pass], o(text.slice(0, -40))]);
        bad.push([[...sign(ref), ...pass], o(`${text}\n${text}`)]);
      }
      if (pass.length > 0) bad.push([[...sign(ref), ...pass], o(text, WRONG)]);
    }
    bad.push([sign("loose.ssh"), {}], [sign("link.ssh"), {}]);
    bad.push([sign(`env:${texts["k.b64"]}`), {}], [sign(texts["k.jwk"] as string), {}]);
    for (const [args, o] of good) expectSilent(await p.ok(args, o), secrets);
    for (const [args, o] of bad) {
      const r = await p.run(args, o);
      expect([2, 3], args.join(" ")).toContain(r.exit);
      expectSilent(r, secrets);
    }
    const again = ["--passphrase-env", "P", "--new-passphrase-env", "Q", "--json"];
    const r = await p.ok(["convert", "k.menc", "--format", "pkcs8", "--out", "new.pem", ...again], { env: { P: CANARY, Q: WRONG } });
    expectSilent(r, secrets);
    expectSilent(
      await p.run(["convert", "k.menc", "--format", "pkcs8", "--out", "new.pem", ...again], { env: { P: WRONG, Q: CANARY } }),
      secrets,
    );
    expectFilesSilent(p, secrets, [...Object.keys(texts), "loose.ssh", "link.ssh"]);
  });

  const hasEnv = spawnSync("env").status === 0;
  // alone: a command line that another test calls in this process has an environment of its own
  it.skipIf(!hasEnv)(
    `a program that is started finds them in no variable${hasEnv ? "" : " (skipped: no program env)"}`,
    { concurrent: false },
    async () => {
      process.env["FIRMSEAL_TEST_KEY"] = minisignSecret(canaryKey, CANARY);
      process.env["FIRMSEAL_TEST_PASS"] = CANARY;
      const before = spawnSync("env").stdout;
      expect(before.includes(CANARY)).toBe(true);
      const options = [{ env: "FIRMSEAL_TEST_PASS" }];
      const keys = await withSigners(["env:FIRMSEAL_TEST_KEY"], options, async ([key]) => {
        const { stdout } = spawnSync("env");
        expectNone("environment", stdout, [...passphrases, ...forms(secretBytes)]);
        expect(stdout.includes("FIRMSEAL_TEST_")).toBe(false);
        return key?.private;
      });
      // and when the work is done, the key is zeros
      expect(keys?.secret).toEqual(new Uint8Array(32));
    },
  );

  const hasProc = existsSync("/proc/self/environ");
  it.skipIf(!hasProc)(`the process shows it in the named variable and nowhere else${hasProc ? "" : " (skipped: no /proc)"}`, async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    for (const byFd of [false, true]) {
      const seen: { cmdline: Buffer; environ: Buffer }[] = [];
      let timer: NodeJS.Timeout | undefined;
      const r = await p.run(
        [
          "sign",
          "-",
          "--key",
          "e.pem",
          ...FACTS,
          "--seq",
          "1",
          "--out",
          "o.suit",
          byFd ? "--passphrase-fd" : "--passphrase-env",
          byFd ? "3" : "P",
        ],
        {
          ...(byFd ? { fds: [CANARY] } : { env: { P: CANARY } }),
          input: image(3000),
          started: (pid) => {
            const look = () => {
              try {
                seen.push({ cmdline: readFileSync(`/proc/${pid}/cmdline`), environ: readFileSync(`/proc/${pid}/environ`) });
              } catch {
                // it has ended
              }
            };
            look();
            timer = setInterval(look, 5);
          },
        },
      );
      clearInterval(timer);
      expect(r.exit).toBe(0);
      expect(seen.length).toBeGreaterThan(0);
      for (const { cmdline, environ } of seen) {
        expectNone("cmdline", cmdline, passphrases);
        const others = environ
          .toString("latin1")
          .split("\0")
          .filter((v) => byFd || !v.startsWith("P="));
        expectNone("environ", Buffer.from(others.join("\0"), "latin1"), passphrases);
      }
    }
  });

  const hasScript = spawnSync("script", ["--version"]).status === 0;
  it.skipIf(!hasScript)(`typed at a terminal, it is not shown${hasScript ? "" : " (skipped: no program script)"}`, async () => {
    const p = standard();
    p.put("e.pem", encrypted);
    const command = `"${process.execPath}" "${new URL("../bin/firmseal.js", import.meta.url).pathname}" pubkey e.pem`;
    const r = spawnSync("script", ["-qec", command, "/dev/null"], { cwd: p.path, input: `${CANARY}\n`, encoding: "utf8", timeout: 20_000 });
    // the terminal that script makes echoes what comes before the program has turned that off; the program itself shows nothing of it
    expect(r.stdout).toContain("Passphrase for e.pem: ");
    expect(r.stdout.slice(r.stdout.indexOf("Passphrase for"))).not.toContain(CANARY);
  });
});

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
  "fw.suit --key KEY --device dev --vendor example.com --class board-v2",
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

  it(`shows the key and the passphrase nowhere, used well and badly${hasProc ? "" : " (argv and environment not looked at: no /proc)"}`, async () => {
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
      // by default each command has a sixth of the uses, and the next one others
      const uses = USES.filter((_, i) => LONG || (i + names.indexOf(name)) % 6 === 0);
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
            started: (pid) => {
              if (hasProc) timer = spy(pid, seen);
            },
          });
          clearInterval(timer);
          runs++;
          const what = args.join(" ");
          expect(r.stderr, what).not.toContain("fault of this program");
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
    expect(swept).toBeGreaterThanOrEqual((names.length * (USES.length - 1)) / 3);
  }, 180_000);

  it("says nothing of a passphrase that was typed where none belongs", async () => {
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
        expect([2, 3], wrong.join(" ")).toContain(r.exit);
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
    for (const key of ["e.pem", "k.pem"])
      for (const at of ["linkSync", "writeSync", "fsyncSync", "renameSync"]) {
        const r = await p.run(["sign", "fw.bin", "--key", key, ...FACTS, "--seq", "1", "--passphrase-fd", "3"], {
          fds: [CANARY],
          env: { NODE_OPTIONS: options, CRASH_AT: at },
        });
        expect(r.stderr, at).toContain("Error: crash");
        expectSilent(r, secrets);
      }
    expect(readdirSync(p.at("reports"))).toHaveLength(8);
    expectFilesSilent(p, secrets, ["e.pem", "k.pem"]);
    expect(p.names().filter((n) => n.startsWith("core"))).toEqual([]);
  });
});

describe.concurrent("an envelope", () => {
  it("holds no name, path or time of the machine that made it", async () => {
    const p = new Place();
    const folder = p.folder("secret-project-folder");
    const q = standard();
    p.put(`${folder}/alice-key-file.pem`, q.get("A.pem"));
    p.put(`${folder}/customer-image.bin`, image(5000));
    const names = [
      "secret-project-folder",
      "alice-key-file",
      "customer-image",
      "description-name",
      ".bin",
      ".pem",
      "/tmp",
      hostname(),
      `/${userInfo().username}/`,
    ];
    const key = ["--key", `${folder}/alice-key-file.pem`];
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 1,
      components: [[{ hex: "00" }]],
      validate: [{ "directive-override-parameters": { image: { payload: "#fw" } } }, "condition-image-match"],
      install: [
        { "directive-override-parameters": { uri: "#fw", content: { file: "customer-image.bin" }, image: { file: "customer-image.bin" } } },
        "directive-fetch",
        "condition-image-match",
      ],
      payloads: { "#fw": { file: "customer-image.bin" } },
    };
    p.put(`${folder}/description-name.json`, JSON.stringify(description));
    await p.ok(["sign", `${folder}/customer-image.bin`, ...key, ...FACTS, "--seq", "1", "--out", "1.suit"]);
    await p.ok(["create", "--from", `${folder}/description-name.json`, "--out", "2.suit"]);
    await p.ok(["sign", `${folder}/description-name.json`, ...key, "--out", "3.suit"]);
    await p.ok([
      "sign",
      `${folder}/customer-image.bin`,
      ...key,
      ...FACTS,
      "--seq",
      "1",
      "--uri",
      "https://example.com/fw",
      "--out",
      "4.suit",
    ]);
    for (const name of ["1.suit", "2.suit", "3.suit", "4.suit"]) {
      for (const text of names) if (text.length > 1) expect(p.get(name).includes(text), `${name}: ${text}`).toBe(false);
    }
    // a time would make the next one another
    await new Promise((done) => setTimeout(done, 1100));
    await p.ok(["sign", `${folder}/customer-image.bin`, ...key, ...FACTS, "--seq", "1", "--out", "5.suit"]);
    expect(p.get("5.suit").equals(p.get("1.suit"))).toBe(true);
  });

  it("nor does the device, but for what was installed", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"]);
    await p.ok(["install", "fw.suit", ...DEVICE, ...FACTS]);
    for (const text of ["fw.bin", "fw.suit", "A.jwk", p.path]) expect(p.get("dev/device.json").includes(text)).toBe(false);
  });
});

const hasMemory = existsSync("/proc/self/mem");

// what signs in P-256 is a library that makes copies of its own
describe.skipIf(!hasMemory)(`memory${hasMemory ? "" : " (skipped: no /proc/self/mem)"}`, () => {
  /** How many copies of the secret a process has that signs with the key in a file: while the key is open, and when it was closed. */
  function copiesOf(file: string, secret: Uint8Array, state: string): { during: number; after: number } {
    const mask = randomBytes(secret.length);
    const masked = Buffer.from(secret.map((byte, i) => byte ^ (mask[i] as number)));
    const scan = fileURLToPath(new URL("memory-scan.mjs", import.meta.url));
    const args = ["--expose-gc", scan, file, CANARY, masked.toString("hex"), mask.toString("hex")];
    const r = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: process.env["PATH"], FIRMSEAL_STATE: state } });
    expect({ status: r.status, stderr: r.stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(r.stdout);
  }

  function expectWiped({ during, after }: { during: number; after: number }): void {
    // that the scan finds anything
    expect(during).toBeGreaterThan(0);
    expect(after).toBe(0);
  }

  // the collector may move a short-lived copy between its making and its wiping: of five tries one has to be without
  const tries = { retry: 4 };

  it.each([
    ["pkcs8", true],
    ["pkcs8", false],
    ["jwk", false],
  ] as const)("holds no key in %s (encrypted: %s) when it was closed", tries, async (format, encrypts) => {
    const p = new Place();
    const key = privateKey("ed25519", randomBytes(32));
    p.put("k", await formatPrivate(key, format, encrypts ? Buffer.from(CANARY) : undefined));
    expectWiped(copiesOf(p.at("k"), key.secret, stateOf(p.path)));
  });

  it.each(["encrypted", "plain"])("holds no seed of an HSS/LMS key when it was closed (%s)", tries, async (how) => {
    const p = new Place();
    const more = how === "plain" ? ["--no-passphrase"] : ["--passphrase-env", "PASS"];
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/8,5/8", ...more, "--out", "k.hss"], { env: { PASS: CANARY } });
    const seed = await unlockHss(readHssFile(p.get("k.hss").toString(), "k.hss"), "k.hss", async () => Buffer.from(CANARY));
    expectWiped(copiesOf(p.at("k.hss"), seed, stateOf(p.path)));
  });
});
