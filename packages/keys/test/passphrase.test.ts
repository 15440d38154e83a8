// Passphrases: from descriptors, the environment and a terminal.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { hasProgram } from "../../test-support/src/environment/programs.js";
import { encryptedPem } from "../src/formats/pkcs8.js";
import { edit, LONGEST_PASSPHRASE, passphrase } from "../src/secrets/passphrase.js";
import { keys, PASS, putIn } from "./keys-common.js";

describe("passphrases", () => {
  const dir = temporaryFolder("firmseal-passphrases-");
  const put = (name: string, content: string | Uint8Array) => putIn(dir, name, content);
  const fromFile = async (content: string | Uint8Array, times = 1) => {
    const fd = openSync(put("pass", content), "r");
    try {
      const out: string[] = [];
      for (let i = 0; i < times; i++) out.push(Buffer.from(await passphrase({ fd, prompt: "" })).toString());
      return out;
    } finally {
      closeSync(fd);
    }
  };

  test("from a file descriptor: one line each time", async () => {
    expect(await fromFile(PASS)).toEqual([PASS]);
    expect(await fromFile(`${PASS}\nsecond\r\nthird`, 3)).toEqual([PASS, "second", "third"]);
    expect(await fromFile("a".repeat(LONGEST_PASSPHRASE))).toEqual(["a".repeat(LONGEST_PASSPHRASE)]);
  });

  test.each([
    ["empty", ""],
    ["an empty line", "\nx"],
    ["too long", "a".repeat(LONGEST_PASSPHRASE + 1)],
    ["a device without end", "\x01".repeat(100_000)],
  ])("from a file descriptor: %s", async (_, content) => {
    await expect(fromFile(content)).rejects.toMatchObject({ name: "KeyFileError", exit: 3 });
  });

  test("from a descriptor that is not open", async () => {
    await expect(passphrase({ fd: 987, prompt: "" })).rejects.toMatchObject({ exit: 3, message: expect.stringContaining("987") });
  });

  test("from the environment", async () => {
    process.env.FIRMSEAL_TEST_PASS = PASS;
    expect(Buffer.from(await passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).toString()).toBe(PASS);
    process.env.FIRMSEAL_TEST_PASS = "";
    await expect(passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).rejects.toMatchObject({ exit: 3 });
    delete process.env.FIRMSEAL_TEST_PASS;
    await expect(passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).rejects.toMatchObject({ exit: 3 });
  });

  test("what is typed", () => {
    const type = (...bytes: (string | number)[]) => {
      const line: number[] = [];
      let end = "more";
      for (const b of bytes.flatMap((x) => (typeof x === "string" ? [...utf8(x)] : [x]))) if (end === "more") end = edit(line, b);
      return [end, Buffer.from(line).toString()];
    };
    expect(type("ab\rc")).toEqual(["done", "ab"]);
    expect(type("a🔋", 0x7f, "b\n")).toEqual(["done", "ab"]);
    expect(type(0x7f, 0x08, "x\n")).toEqual(["done", "x"]);
    expect(type("wrong", 0x15, "right\r")).toEqual(["done", "right"]);
    expect(type("a", 3)).toEqual(["abort", "a"]);
    expect(type(4)[0]).toBe("abort");
    expect(type("a", 4)).toEqual(["done", "a"]);
    expect(type("a\t\x00b\r")).toEqual(["done", "ab"]);
  });

  // the module alone, as a program that prints what it was given
  beforeAll(async () => {
    const entry = join(import.meta.dirname, "../src/secrets/passphrase.ts");
    await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile: join(dir, "passphrase.mjs") });
    put(
      "main.mjs",
      `import { passphrase } from "./passphrase.mjs";
       passphrase({ prompt: "Passphrase: ", confirm: process.argv[2] === "true" }).then(
         (p) => console.log("GOT " + Buffer.from(p).toString("hex")),
         (e) => console.log("ERR " + e.exit + " " + e.message + "; " + e.hint));`,
    );
  });

  test("without a terminal", async () => {
    // a session of its own has none
    const child = spawn(process.execPath, [join(dir, "main.mjs")], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const out = await text(child.stdout);
    expect(out).toContain("ERR 3 the passphrase is needed, and there is no terminal to ask for it;");
    expect(out).toContain("`passphraseEnv`");
    expect(out).toContain("`passphraseFd`");
  });

  describe.skipIf(!hasProgram("python3", "--version"))("at a terminal (skipped without python3)", () => {
    // a child on a terminal of its own; `typed` is sent an entry at a time, whenever the child has written a prompt
    const atTerminal = (confirm: boolean, typed: string[]) => {
      const args = [join(dir, "terminal.py"), JSON.stringify(typed), process.execPath, join(dir, "main.mjs"), String(confirm)];
      return execFileSync("python3", args, { timeout: 20_000 }).toString();
    };
    beforeAll(() => {
      put(
        "terminal.py",
        `import os, pty, sys, termios, json, signal
typed = json.loads(sys.argv[1]); seen = b""
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    seen += data
    if typed and seen.endswith((b"Passphrase: ", b"Repeat the passphrase: ")):
        entry = typed.pop(0)
        if entry == "SIGTERM": os.kill(pid, signal.SIGTERM)
        else: os.write(fd, entry.encode())
status = os.waitpid(pid, 0)[1]
print(seen.decode(), "ECHO", bool(termios.tcgetattr(fd)[3] & termios.ECHO), "SIGNAL", os.WTERMSIG(status))
`,
      );
    });
    const got = `GOT ${Buffer.from(PASS).toString("hex")}`;

    test("is read without echo, and the terminal echoes again afterwards", () => {
      const seen = atTerminal(false, [`${PASS}\r`]);
      expect(seen).toContain(got);
      expect(seen).not.toContain(PASS);
      expect(seen).toContain("ECHO True");
    });

    test("twice for a new key; again when the two differ", () => {
      expect(atTerminal(true, [`${PASS}\r`, `${PASS}\r`])).toContain(got);
      expect(atTerminal(true, ["a\r", "b\r", `${PASS}\r`, `${PASS}\r`])).toContain(got);
      expect(atTerminal(true, [`${PASS}\r${PASS}\r`])).toContain(got);
      expect(atTerminal(true, ["a\r", "b\r", "a\r", "b\r", "a\r", "b\r"])).toContain("ERR 3");
    });

    test("empty, and stopped", () => {
      expect(atTerminal(false, ["\r"])).toMatch(/ERR 3 terminal: the passphrase is empty; give at least one character\s/);
      expect(atTerminal(true, ["\r"])).toContain("the passphrase is empty; give at least one character, or `noPassphrase` for a key");
      const stopped = atTerminal(false, ["abc\x03"]);
      expect(stopped).toContain("ERR 3 stopped");
      expect(stopped).toContain("ECHO True");
    });

    test("ended by a signal: the terminal echoes again", () => {
      const seen = atTerminal(false, ["SIGTERM"]);
      expect(seen).toContain("ECHO True SIGNAL 15");
      expect(seen).not.toContain("ERR");
    });
  });

  test("an empty one encrypts nothing", async () => {
    await expect(encryptedPem(keys.ed25519, new Uint8Array())).rejects.toThrow(RangeError);
  });
});
