// Set-ups in which a process that is there looks as if it had ended: its lock must stay its own, and those that share a folder must wait for
// each other. Made by unshare(1), as root or in a namespace of users.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHss } from "@firmseal/signer";
import { hsslms, open } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { hssKeygen } from "../../../../keys/src/hss/keygen.js";
import { readLog } from "../../../../keys/src/signing-log/log-file.js";
import { program } from "../../../../test-support/src/command-line/processes.js";
import { AT_LENGTH, LONG } from "../../../../test-support/src/environment/effort.js";
import { claimIn, expectNoLeafTwice } from "../../../../test-support/src/keys/hss-place.js";

const root = mkdtempSync(join(tmpdir(), "firmseal-spaces-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
const fakes = ["11111111-2222-4333-8444-555555555555", "66666666-7777-4888-8999-aaaaaaaaaaaa"].map((id, i) => {
  const path = join(root, `boot${i}`);
  writeFileSync(path, `${id}\n`);
  return path;
});
const withBoot = (path = "") => ["unshare", ...asRoot, "--mount", "sh", "-c", `mount --bind ${path} ${BOOT_ID} && exec "$@"`, "-"];

/** What two processes are started through, one each. */
const SET_UPS: { [name: string]: [string[], string[]] } = {
  "boot ids of their own, as containers have them": [withBoot(fakes[0]), withBoot(fakes[1])],
  "a boot id of its own, beside the machine": [withBoot(fakes[0]), []],
  "a namespace of time, where start times are shifted": [["unshare", ...asRoot, "--time", "--boottime", "100000", "--fork"], []],
  "a namespace of processes without a /proc of its own": [["unshare", ...asRoot, "--pid", "--fork"], []],
  "two namespaces of processes without a /proc of their own": [
    ["unshare", ...asRoot, "--pid", "--fork"],
    ["unshare", ...asRoot, "--pid", "--fork"],
  ],
  "a namespace of processes with a /proc of its own": [["unshare", ...asRoot, "--pid", "--fork", "--mount-proc"], []],
};

const isPossible = (through: readonly string[]) =>
  through.length === 0 || spawnSync(through[0] as string, [...through.slice(1), "true"], { stdio: "ignore" }).status === 0;

let worker: string;
beforeAll(async () => {
  worker = await program(
    `
    import { writeFileSync } from "node:fs";
    import { lock } from "../../../../keys/src/locks/lock.js";
    const [what, folder, name, times] = process.argv.slice(2);
    if (what === "hold") {
      const held = await lock(folder + "/lock");
      setInterval(() => {}, 1000);
      console.log("held");
      process.stdin.once("data", () => {
        console.log(held.isOurs());
        held.release();
        process.exit();
      });
    } else if (what === "try") {
      try {
        (await lock(folder + "/lock", { wait: 0.1 })).release();
        console.log("taken");
      } catch (e) {
        console.log(e.message + "\\n" + e.hint);
      }
    } else for (let i = 0; i < Number(times); i++) {
      // loaded where it is needed: it takes most of a start
      const { signInput: sign } = await import("../../../src/commands/sign/sign.js");
      const image = folder + "/" + name + i + ".bin";
      writeFileSync(image, name + i);
      await sign(image, { key: [folder + "/k.hss"], vendor: "example.com", class: "board", seq: "next", first: "known", out: folder + "/" + name + i + ".suit", json: true });
    }
  `,
    import.meta.url,
  );
});

function start(
  through: readonly string[],
  args: readonly string[],
  state: string,
): { child: ChildProcess; said: () => Promise<string>; end: Promise<string> } {
  const [command, ...rest] = [...through, process.execPath, worker, ...args] as [string, ...string[]];
  const child = spawn(command, rest, { env: { PATH: process.env["PATH"] ?? "", FIRMSEAL_STATE: state }, stdio: "pipe" });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const end = new Promise<string>((done) => child.on("close", () => done(said.join(""))));
  return { child, said: () => new Promise((done) => child.stdout.once("data", done)), end };
}

/** By default every second, and the one in which both sign. */
const setUps = Object.entries(SET_UPS).filter(([name], i) => LONG || i % 2 === 0 || name.startsWith("boot ids"));
describe.each(setUps)("%s", (name, setUp) => {
  const why = setUp.every(isPossible) ? "" : " (skipped: the kernel does not let this user make such namespaces)";
  const folder = join(root, name.replace(/\W+/g, "-"));

  it.skipIf(why !== "").each([
    ["first", 0, 1],
    ["second", 1, 0],
  ] as const)(`the lock of the %s is never taken over, and what to do is said${why}`, async (_, holder, other) => {
    const place = mkdtempSync(`${folder}-`);
    const holding = start(setUp[holder], ["hold", place], place);
    expect(await holding.said()).toBe("held\n");
    const note = readFileSync(join(place, "lock"), "utf8");
    const said = await start(setUp[other], ["try", place], place).end;
    expect(said).toMatch(/another process is using it/);
    expect(said).toContain(`if that process has certainly ended, remove ${join(place, "lock")}`);
    expect(readFileSync(join(place, "lock"), "utf8")).toBe(note);
    holding.child.stdin?.write("\n");
    expect(await holding.end).toBe("held\ntrue\n");
    expect(readdirSync(place)).toEqual([]);
  });

  // one by default: those that can be judged by nobody wait, as all the others do
  const brief = LONG || name.startsWith("boot ids") ? why : AT_LENGTH;
  it.skipIf(brief !== "")(`both sign with one key at once, and none fails${brief}`, async () => {
    const place = mkdtempSync(`${folder}-`);
    vi.stubEnv("FIRMSEAL_STATE", join(place, "state"));
    const { key } = await hssKeygen(join(place, "k.hss"), parseHss("5/2,5/1"), async () => undefined);
    vi.unstubAllEnvs();
    const [each, together] = [4, 2];
    const ends = Array.from({ length: together }, (_, i) =>
      setUp.map((through, j) => start(through, ["sign", place, `p${i}${j}-`, String(each)], join(place, "state")).end),
    );
    expect((await Promise.all(ends.flat())).filter((said) => said.includes("Error") || said.includes("    at "))).toEqual([]);
    const envelopes = readdirSync(place)
      .filter((file) => file.endsWith(".suit"))
      .map((file) => readFileSync(join(place, file)));
    expect(envelopes).toHaveLength(2 * each * together);
    expect(
      expectNoLeafTwice(
        key,
        envelopes.map((envelope) => claimIn(envelope, key).signature),
      ),
    ).toBe(envelopes.length);
    const numbers = envelopes.map((envelope) => formatSequence(open(envelope, { anchors: [{ alg: hsslms, key }] }).sequence));
    expect(new Set(numbers).size).toBe(envelopes.length);
    const log = readLog(join(place, "k.hss.log"));
    expect([log.faults, log.late, log.entries.length]).toEqual([[], [], envelopes.length]);
  });
});

describe("one PID namespace without its own /proc", () => {
  const numbered = (n: number, script: string) =>
    ["unshare", ...asRoot, "--pid", "--fork", "sh", "-c", `echo ${n - 1} >/proc/sys/kernel/ns_last_pid || exit 9; ${script}`] as const;
  const possible = (([command, ...args]) => spawnSync(command, args, { encoding: "utf8" }).stdout.trim() === "3000")(
    numbered(3000, 'sh -c "echo \\$\\$"; true'),
  );
  const why = possible ? "" : " (skipped: the kernel does not let this user number processes)";

  it.skipIf(!possible)(`a process is not confused with one of the same number that has ended outside${why}`, async () => {
    const place = mkdtempSync(join(root, "one-"));
    // its parent, which a shell has become, does not ask for it: it stays as a zombie
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    const zombie = Number(await new Promise((done) => parent.stdout.once("data", (b: Buffer) => done(b.toString()))));
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((done) => setTimeout(done, 5));
    };
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, "latin1") === "sleep\n");
    process.kill(zombie, "SIGKILL");
    await until(() => /\) Z /.test(readFileSync(`/proc/${zombie}/stat`, "latin1")));
    const [hold, attempt] = ["hold", "try"].map((what) => `${process.execPath} ${worker} ${what} ${place}`);
    const [command, ...args] = numbered(
      zombie,
      `${hold} & while ! [ -e ${place}/lock ]; do sleep 0.02; done; ${attempt}; cat ${place}/lock`,
    );
    const { stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 30_000 });
    parent.kill("SIGKILL");
    expect(stdout).toMatch(/another process is using it/);
    expect(JSON.parse(stdout.slice(stdout.indexOf("{"))).pid).toBe(zombie);
  });
});
