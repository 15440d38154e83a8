import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publicOf, signer, thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { failureOf } from "../../cli/src/show/failure-of.js";
import { expectFailure, expectHarmless, FACTS, image, keyA, keyB, keyC, Place } from "../../test-support/src/command-line/run.js";
import { some } from "../../test-support/src/environment/effort.js";
import { hasProgram } from "../../test-support/src/environment/programs.js";
import { plainPem } from "../src/formats/pkcs8.js";
import { openProgram } from "../src/sources/exec/exec.js";
import { asking } from "../src/sources/reference.js";

const windows = process.platform === "win32";
const hasOpenssl = !windows && hasProgram("openssl", "version");
const hasProc = existsSync("/proc/self/environ");
/** Runs a program where /proc can be read and not written. */
const readOnlyProc = ["unshare", "-rm", "sh", "-c", 'mount -o remount,bind,ro /proc && exec "$@"', "sh"];
const canHide = hasProc && spawnSync(readOnlyProc[0] as string, [...readOnlyProc.slice(1), "true"]).status === 0;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const MESSAGE = Uint8Array.from({ length: 100 }, (_, i) => i);
const SAMPLE = fileURLToPath(new URL("../../../examples/exec-plugin.sh", import.meta.url));

describe.skipIf(windows)(`exec: plug-ins${windows ? " (skipped: no shell on Windows)" : ""}`, () => {
  const p = new Place();
  const DESCRIBE = `{"contractVersion":1,"alg":"ed25519","publicKey":"${base64(keyA.key)}"}`;
  let right: string;

  beforeAll(async () => {
    right = `{"contractVersion":1,"signature":"${base64(await signer(keyA).sign(MESSAGE))}"}`;
    p.put("fw.bin", image(500));
    p.put("A.pem", plainPem(keyA));
    p.put("B.pem", plainPem(keyB));
  });

  let count = 0;
  /** A program: `begin` is run in any case, then `describing` or `signing`. */
  function plugin({ begin = "IFS= read -r request", describing = say(DESCRIBE), signing = say(right) } = {}): string {
    const name = `plugin-${count++}.sh`;
    p.put(name, `#!/bin/sh\n${begin}\ncase "$request" in\n*describe-key*)\n${describing}\n;;\n*)\n${signing}\n;;\nesac\n`, 0o755);
    return `exec:${p.at(name)}`;
  }
  /** By the shell itself: a program more would take longer than the answer. */
  const say = (line: string) => `printf '%s\\n' '${line.replaceAll("'", "'\\''")}'`;

  async function use(ref: string, env: { [name: string]: string } = {}) {
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const key = await openProgram(ref, asking([ref], []));
      return { key, signature: await key.signer?.sign(MESSAGE) };
    } finally {
      for (const name of Object.keys(env)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  }
  async function fails(ref: string, exit: 2 | 3 = 3, env: { [name: string]: string } = {}): Promise<string> {
    const failure = failureOf(
      await use(ref, env).then(
        () => new Error("it signed"),
        (e: unknown) => e,
      ),
    );
    expect(failure.reason, failure.message).toBe("KEY");
    expect(failure.exit, failure.message).toBe(exit);
    expect(failure.hint).not.toBe("");
    return failure.message.replace(ref, "REF");
  }
  /** Whether a process runs. One that has ended keeps its number until its parent asks for it, which may take seconds. */
  function runs(pid: number): boolean {
    try {
      if (hasProc) return !/\) [XZ] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
  const alive = (file: string) =>
    readFileSync(p.at(file), "utf8")
      .trim()
      .split(/\s+/)
      .filter((pid) => runs(Number(pid)));
  async function soonGone(file: string): Promise<void> {
    for (let i = 0; i < 100 && alive(file).length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(alive(file)).toEqual([]);
  }

  /** Those take a second or two to be ended. They begin before the tests, which run meanwhile. */
  const silent: { [name: string]: Promise<string> } = {};
  let leaving: ReturnType<typeof use>;
  beforeAll(async () => {
    const begun = async (name: string) => {
      while (!p.has(name) || p.get(name).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    leaving = use(plugin({ signing: `${say(right)}\nsleep 1000 &\necho $! >${p.at("left")}` }));
    await Promise.race([begun("left"), leaving]);
    vi.stubEnv("FIRMSEAL_EXEC_TIMEOUT", "1");
    const pids = (name: string) => `sleep 1000 &\necho $! $$ >${p.at(name)}`;
    const stubborn = `trap '' TERM HUP INT\n${pids("stubborn")}\nwhile :; do sleep 1000; done`;
    for (const [name, signing] of Object.entries({ waiting: `${pids("waiting")}\nwait`, stubborn: `${say(right)}\n${stubborn}` }))
      silent[name] = fails(plugin({ signing }));
    // each reads its limit when it begins to sign
    await Promise.all(Object.entries(silent).map(([name, failed]) => Promise.race([begun(name), failed])));
    vi.unstubAllEnvs();
    // the tests tell what is wrong
    for (const result of [leaving, ...Object.values(silent)]) result.catch(() => {});
  });

  it("signs, and answers each request in one line", async () => {
    const ref = plugin({ begin: `IFS= read -r request\nprintf '%s\\n' "$request" >>${p.at("requests")}\n[ $# -eq 0 ]` });
    const { key, signature } = await use(ref);
    expect(key.public).toEqual(publicOf(keyA));
    expect(key.name).toBe(ref);
    expect(base64(signature as Uint8Array)).toBe(JSON.parse(right).signature);
    const lines = readFileSync(p.at("requests"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { contractVersion: 1, operation: "describe-key" },
      {
        contractVersion: 1,
        operation: "sign",
        alg: "ed25519",
        publicKey: base64(keyA.key),
        message: base64(MESSAGE),
        digest: createHash("sha256").update(MESSAGE).digest("base64"),
      },
    ]);
  });

  it("takes a key identifier, other members, CR LF, no newline at the end, and a program that reads nothing", async () => {
    const kid = DESCRIBE.replace("}", `,"kid":"${base64(Buffer.from("k1"))}","made":"up"}`);
    expect((await use(plugin({ describing: say(kid) }))).key.public.kid).toEqual(Uint8Array.from(Buffer.from("k1")));
    expect((await use(plugin({ describing: say(DESCRIBE.replace("}", ',"kid":null}')) }))).key.public.kid).toBeUndefined();
    await use(plugin({ describing: say(`${DESCRIBE}\r`), signing: `printf '%s' '${right}'` }));
    const deaf = plugin({ begin: "exec 0<&-\nrequest=describe-key" });
    expect(await fails(deaf)).toBe("REF: its answer has no signature in base64");
    const key = await openProgram(deaf, asking([deaf], [], { publicOnly: true }));
    expect(key.public).toEqual(publicOf(keyA));
  });

  it("finds a name without a slash in PATH, and takes no arguments", async () => {
    const name = plugin().split("/").at(-1) as string;
    await use(`exec:${name}`, { PATH: `${p.path}:${process.env["PATH"]}` });
    expect(await fails("exec:firmseal-no-such-plug-in")).toContain("program not found");
    expect(await fails(`exec:${p.at(name)} --slot 1`)).toContain("program not found");
    expect(await fails(`exec:${p.at(name)}; echo injected`)).toContain("program not found");
    expect(await fails("exec:", 2)).toBe("REF names no program");
    p.put("plain", "text", 0o600);
    expect(await fails(`exec:${p.at("plain")}`)).toContain("no permission to run");
    p.put("nonsense", "\0\0\0\0", 0o755);
    await fails(`exec:${p.at("nonsense")}`);
    expect(await fails(`exec:${p.path}`)).toContain("no permission to run");
    expect(await fails(`exec:${p.at("plain", "x")}`)).toContain("cannot be run (ENOTDIR)");
    expect(await fails(`exec:./${"x".repeat(5000)}`)).toContain("cannot be run (ENAMETOOLONG)");
  });

  it.each<[string, string, string]>([
    ["nothing", "", "ended without an answer"],
    ["an empty line", "echo", "ended without an answer"],
    ["garbage", "echo garbage", "its answer is not JSON"],
    ["bytes that are not text", "printf '\\377\\376\\n'", "its answer is not text"],
    ["half an object", "echo '{\"contractVersion\":1,'", "its answer is not JSON"],
    ["an array", "echo '[1]'", "not a JSON object"],
    ["null", "echo null", "not a JSON object"],
    ["another version", "echo '{\"contractVersion\":2}'", "does not answer with contractVersion 1"],
    ["its version as text", 'echo \'{"contractVersion":"1"}\'', "does not answer with contractVersion 1"],
    ["no version", "echo '{}'", "does not answer with contractVersion 1"],
    ["the end of a signal", "kill -9 $$", "was ended by SIGKILL"],
    ["a failure without words", "exit 7", "failed with exit code 7, and gave no reason"],
    ["a failure with words of its own", "echo secret words >&2; exit 1", "failed with exit code 1, and gave no reason"],
    ["a failure with an error that is not text", "echo '{\"error\":7}' >&2; exit 1", "failed with exit code 1, and gave no reason"],
  ])("refuses %s, to either question", async (_, answer, words) => {
    expect(await fails(plugin({ describing: answer }))).toContain(words);
    expect(await fails(plugin({ signing: answer }))).toContain(words);
  });

  it("refuses two lines", async () => {
    expect(await fails(plugin({ describing: `${say(DESCRIBE)}\necho` }))).toBe("REF: its answer has more than one line");
    expect(await fails(plugin({ signing: `${say(right)}\n${say(right)}` }))).toBe("REF: its answer has more than one line");
  });

  it.skipIf(!hasOpenssl)(
    "no command trusts a public key that a program only claims, and what it signs as proof is not a Sig_structure",
    async () => {
      const sample = (alg: string, key: Uint8Array) =>
        plugin({
          begin: `IFS= read -r request\nprintf '%s\\n' "$request" >>${p.at("proofs")}`,
          describing: say(DESCRIBE.replace(base64(keyA.key), base64(key)).replace("ed25519", alg)),
          signing: `printf '%s\\n' "$request" | PLUGIN_KEY=${p.at("A.pem")} ${SAMPLE}`,
        });
      const r = await p.ok(["pubkey", sample("ed25519", keyA.key)]);
      expect(r.stderr).toBe(`thumbprint ${toHex(thumbprint(keyA))}\n`);
      for (const command of [["pubkey"], ["pubkey", "--table"], ["verify", "fw.bin", "--key"], ["whosigned", "fw.bin", "--key"]]) {
        const stolen = await p.run([...command, sample("ed25519", keyC.key)]);
        expect(stolen.stdout).toBe("");
        expect(expectFailure(stolen, 3)).toContain("not by this key over these bytes");
      }
      const signed = readFileSync(p.at("proofs"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const messages = signed.flatMap(({ message }) => (message === undefined ? [] : [Buffer.from(message, "base64")]));
      expect(messages).toHaveLength(5);
      for (const message of messages) {
        // a Sig_structure is an array of 4 or 5 members: 0x84, 0x85
        expect(message.toString("latin1", 0, 58)).toBe("firmseal proof of possession, not a signature of anything\n");
        expect(message).toHaveLength(59 + 32);
      }
      expect(new Set(messages.map((message) => message.toString("hex"))).size).toBe(5);
    },
  );

  it.each([
    ["another algorithm", { alg: "rsa" }, "its alg is not ed25519 or es256"],
    ["no algorithm", { alg: undefined }, "its alg is not ed25519 or es256"],
    ["a name of Object", { alg: "constructor" }, "its alg is not ed25519 or es256"],
    ["no key", { publicKey: undefined }, "no publicKey in base64"],
    ["a key that is a list", { publicKey: [1, 2] }, "no publicKey in base64"],
    ["base64url", { publicKey: Buffer.from(keyC.key).toString("base64url") }, "no publicKey in base64"],
    ["a short key", { publicKey: base64(keyA.key.subarray(1)) }, "31"],
    ["a key of the other algorithm", { publicKey: base64(keyB.key) }, "65"],
    ["a key of small order", { publicKey: base64(Uint8Array.of(1, ...new Uint8Array(31))) }, "small order"],
    ["a kid that is a number", { kid: 1 }, "no kid in base64"],
  ])("refuses a description with %s", async (_, change, words) => {
    expect(await fails(plugin({ describing: say(JSON.stringify({ ...JSON.parse(DESCRIBE), ...change })) }))).toContain(words);
  });

  it("a wrong signature, one of another message and one of another key are not returned", async () => {
    const answer = async (key = keyA, message = MESSAGE) =>
      say(`{"contractVersion":1,"signature":"${base64(await signer(key).sign(message))}"}`);
    const flipped = Uint8Array.from(Buffer.from(JSON.parse(right).signature, "base64"));
    flipped[40] = (flipped[40] as number) ^ 1;
    for (const signing of [
      say(`{"contractVersion":1,"signature":"${base64(flipped)}"}`),
      say(`{"contractVersion":1,"signature":"${base64(flipped.subarray(1))}"}`),
      await answer(keyA, Uint8Array.of(1)),
      await answer(keyC),
      await answer(keyB),
    ])
      expect(await fails(plugin({ signing }))).toBe("REF: the returned signature is not by this key over these bytes");
  });

  it("refuses megabytes at once, on stdout and on stderr, and ends the program that writes them", async () => {
    for (const where of ["", ">&2"]) {
      const flood = `echo $$ >${p.at("flood")}\nyes CANARY ${where}`;
      expect(await fails(plugin({ describing: flood }))).toBe(`REF: wrote more than 65,536 bytes to ${where ? "stderr" : "stdout"}`);
      await soonGone("flood");
    }
    // to the byte
    const padded = (n: number) => say(DESCRIBE.replace("}", `,"pad":"${"x".repeat(n - DESCRIBE.length - 10)}"}`));
    await use(plugin({ describing: padded(65536) }));
    expect(await fails(plugin({ describing: padded(65537) }))).toContain("wrote more than 65,536 bytes");
  });

  it("shows at most a line of the error of a program, without control characters", async () => {
    const told = (error: object) => plugin({ signing: `printf 'first\\n' >&2\ncat >&2 <<'END'\n${JSON.stringify(error)}\nEND\nexit 1` });
    expect(await fails(told({ error: "the token is locked", hint: "unlock it" }))).toBe("REF: the token is locked");
    const ref = told({ error: `\u001b[2J\u202eevil\nline ${"x".repeat(10_000)}`, hint: "\u0007" });
    const r = await p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"]);
    expect(expectFailure(r, 3).length).toBeLessThan(ref.length + 400);
    expect(r.stderr).toContain("\\u{1b}[2J");
    expectHarmless(r.stderr);
    expect(p.has("fw.suit")).toBe(false);
  });

  it.skipIf(!hasProc)(
    `gets the environment without passphrases, and no descriptor besides its three${hasProc ? "" : " (skipped: no /proc)"}`,
    async () => {
      const begin = `IFS= read -r request\nenv >${p.at("env")}\nls /proc/$$/fd >${p.at("fds")}\n(: </dev/tty) 2>/dev/null && echo yes >${p.at("tty")} || :`;
      const ref = plugin({ begin, signing: "exit 1" });
      const keys = ["--key", ref, "--key", "B.pem"];
      const env = { CANARY_A: "CANARY-secret", PLUGIN_KEY: "stays" };
      const r = await p.run(["sign", "fw.bin", ...keys, ...FACTS, "--seq", "1", "--passphrase-env", "CANARY_A"], {
        env,
        fds: ["CANARY-secret"],
        program: true,
      });
      expectFailure(r, 3);
      const seen = readFileSync(p.at("env"), "utf8");
      expect(seen).not.toContain("CANARY");
      expect(seen).toContain("PLUGIN_KEY=stays");
      // the script itself is the one besides, under dash 10
      const fds = readFileSync(p.at("fds"), "utf8").trim().split("\n").map(Number);
      expect(fds.filter((fd) => fd > 2 && fd < 10)).toEqual([]);
      expect(p.has("tty")).toBe(false);
    },
  );

  it.skipIf(!hasProc)(`finds no secret of the command in what the system shows of it${hasProc ? "" : " (skipped: no /proc)"}`, async () => {
    const SECRET = "CANARY-secret";
    const pem = plainPem(keyB);
    const line = pem.split("\n")[1] as string;
    // what a program of the same user can read: its own environment, and environment and arguments of the process that started it
    const look =
      "env; for what in environ cmdline; do tr '\\0' '\\n' </proc/$PPID/$what; done; for what in environ cmdline; do tr '\\0' '\\n' </proc/$$/$what; done";
    const ref = plugin({ begin: `IFS= read -r request\n{ ${look}; } >>${p.at("seen")}`, signing: "exit 1" });
    const env = { CANARY: SECRET, OTHER: "stays", SIGNING_KEY: pem, EMPTY: "" };
    const ways = [
      ["--key", "B.pem", "--passphrase-env", "CANARY"],
      ["--key", "env:SIGNING_KEY", "--passphrase-env", "CANARY"],
      ["--key", "ENV:SIGNING_KEY", "--passphrase-env", "CANARY"],
      ["--key", "env:SIGNING_KEY", "--key", "pkcs11:object=a?pin-source=env:CANARY"],
      ["--key", "env:SIGNING_KEY", "--key", "PKCS11:object=a?pin-source=%65nv%3aCANARY"],
      ["--key", "env:SIGNING_KEY", "--passphrase-env", "EMPTY", "--passphrase-env", "CANARY"],
    ];
    // by default every second one: the test below has each way to name a variable, without a process
    for (const more of some(ways, 2)) {
      p.put("seen", "");
      const r = await p.run(["sign", "fw.bin", "--key", ref, ...more, ...FACTS, "--seq", "1"], { env, program: true });
      expectFailure(r, 3);
      const seen = readFileSync(p.at("seen"), "utf8");
      expect(seen.match(/^OTHER=stays$/gm)?.length, seen).toBeGreaterThanOrEqual(3);
      expect(seen).not.toContain(SECRET);
      if (more.some((one) => one.endsWith("SIGNING_KEY"))) expect(seen).not.toContain(line);
    }
  });

  it("reads names of variables as their readers do, and refuses a reference that none reads before a program runs", async () => {
    const named = ["P", "SIGNING_KEY", "UPPER", "THE_PIN", "CODED"];
    for (const name of [...named, "OTHER"]) process.env[name] = "CANARY";
    const refs = ["env:SIGNING_KEY", "ENV:UPPER", "pkcs11:object=a?pin-source=env:THE_PIN", "pkcs11:?pin-source=e%6ev:CODED", "x.pem"];
    asking(refs, [{ env: "P" }, { fd: 3 }], { publicOnly: true });
    expect([...named, "OTHER"].map((name) => process.env[name])).toEqual([...named.map(() => undefined), "CANARY"]);
    delete process.env["OTHER"];
    const ran = plugin({ begin: `IFS= read -r request\n: >${p.at("ran")}` });
    for (const wrong of ["env:not a name", "pkcs11:no-such=attribute?pin-source=env:P"])
      expectFailure(await p.run(["sign", "fw.bin", "--key", ran, "--key", wrong, ...FACTS, "--seq", "1"]), 2);
    expect(p.has("ran")).toBe(false);
  });

  it.skipIf(!canHide)(
    `does not start where the secret cannot be taken out of what is shown${canHide ? "" : " (skipped: no mounts of one's own)"}`,
    async () => {
      const ref = plugin({ begin: `IFS= read -r request\n: >${p.at("started")}` });
      const args = ["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"];
      const through = readOnlyProc;
      const r = await p.run([...args, "--key", "B.pem", "--passphrase-env", "P"], { env: { P: "CANARY" }, through });
      expect(expectFailure(r, 3)).toContain("could read a secret that this command got");
      expect(p.has("started")).toBe(false);
      // by a descriptor nothing is shown
      const fd = await p.run([...args, "--key", "B.pem", "--passphrase-fd", "3"], { fds: ["CANARY"], through });
      expect(fd.stderr).not.toContain("could read a secret");
      expect(p.has("started")).toBe(true);
    },
  );

  it("a signal that ends this program ends the plug-in", async () => {
    const ref = plugin({ signing: `sleep 1000 &\necho $! $$ >${p.at("running")}\nwait` });
    const r = await p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"], {
      started: (pid) => {
        const timer = setInterval(() => {
          if (!existsSync(p.at("running")) || readFileSync(p.at("running"), "utf8") === "") return;
          clearInterval(timer);
          process.kill(pid, "SIGTERM");
        }, 20);
      },
    });
    expect(r.signal === "SIGTERM" || r.exit === 143).toBe(true);
    await soonGone("running");
    expect(p.has("fw.suit")).toBe(false);
  });

  it("a program that never answers is ended with all that it started, even if it does not want to", async () => {
    for (const [name, failed] of Object.entries(silent)) {
      expect(await failed).toBe("REF: no answer within 1 s");
      await soonGone(name);
    }
  });

  it("takes a whole number of seconds as the limit", async () => {
    for (const wrong of ["0", "-1", "1e3", "1.5", "100000", "ten"])
      expect(await fails(plugin(), 2, { FIRMSEAL_EXEC_TIMEOUT: wrong })).toContain("FIRMSEAL_EXEC_TIMEOUT");
  });

  it("what a program leaves running is ended, and does not keep us", async () => {
    expect((await leaving).signature).toHaveLength(64);
    await soonGone("left");
  });

  describe.skipIf(!hasOpenssl)(`the sample plug-in${hasOpenssl ? "" : " (skipped: no openssl)"}`, () => {
    const shells = ["dash", "bash"].filter((shell) => hasProgram(shell, "-c", ":"));

    it("has at most 30 lines", () => {
      expect(readFileSync(SAMPLE, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(30);
    });

    it.each(shells)("signs under %s, and verify takes the same reference", async (shell) => {
      const program = p.put(`by-${shell}.sh`, `#!/bin/sh\nexec ${shell} ${SAMPLE}\n`, 0o755);
      const env = { PLUGIN_KEY: p.at("A.pem") };
      await p.ok(["sign", "fw.bin", "--key", `exec:./${program}`, ...FACTS, "--seq", "1", "--out", `${shell}.suit`], { env });
      await p.ok(["verify", `${shell}.suit`, "--key", `exec:./${program}`, "--key", "A.pem"], { env });
    });

    it("says what is wrong", async () => {
      const run = (env: { [name: string]: string }) => p.run(["pubkey", `exec:${SAMPLE}`], { env });
      expect(expectFailure(await run({}), 3)).toContain("PLUGIN_KEY names no file that can be read");
      expect(expectFailure(await run({ PLUGIN_KEY: p.at("B.pem") }), 3)).toContain("not an Ed25519 key");
      const direct = spawnSync(SAMPLE, { input: '{"contractVersion":2,"operation":"describe-key"}\n', encoding: "utf8" });
      expect(direct.status, String(direct.stderr)).toBe(1);
      expect(JSON.parse(direct.stderr).error).toContain("not of version 1");
    });
  });
});
