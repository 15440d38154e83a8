// The pages of docs/ that have commands, from top to bottom, each in an empty folder of its own. By default those that most readers begin with;
// `pnpm test:site` plays all.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import { type FeatureName, kernelOf, type MicroPart, minifiedBundle } from "@firmseal/bundler";
import { identityUuids } from "@firmseal/signer";
import { boot, embeddedTrust, install, nextTrust, policyOf } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { hasProgram } from "../packages/test-support/src/environment/programs.js";
import { why as noSoftHsm } from "../packages/test-support/src/keys/softhsm.js";
import { blocksOf, only, ROOT, runPage, shell, withFirmseal } from "./pages.js";

const noMinisign = hasProgram("minisign", "-v") ? "" : " (skipped: no minisign)";
const noOpenssl = hasProgram("openssl", "version") ? "" : " (skipped: no openssl)";

// a page is as many starts of the program as it has commands, and pages run side by side
vi.setConfig({ testTimeout: 300_000 });

/** A row of bench/results/open.json. */
interface Counted {
  engine: string;
  algorithm: string;
  work: string;
  million: number;
  before?: number;
}

let folder: string;
beforeAll(() => {
  if (!existsSync(join(ROOT, "packages/cli/dist/main.js"))) throw new Error("build first: npx -y pnpm@12.4.2 build");
  folder = mkdtempSync(join(tmpdir(), "firmseal-pages-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function empty(name: string): string {
  mkdirSync(join(folder, name), { recursive: true });
  return join(folder, name);
}

describe.concurrent("docs/start", () => {
  it("five-minutes.md", async () => {
    // it begins in a clone, and continues in a folder beside it
    const { stdout, stderr } = await runPage("docs/start/five-minutes.md", empty("five-minutes/clone"));
    expect(stderr).toMatch(/^app\.suit: good, sequence number 1, signed by ed25519 [0-9a-f]{16}…$/m);
    expect(stderr).toContain(only(blocksOf("docs/start/five-minutes.md"), "text refused"));
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(stderr).toMatch(/^app\.suit: installed, sequence number 2$/m);
    expect(stderr).toMatch(/release\.pem\.log: good, 2 entries$/m);
  });

  it.skipIf(!LONG)(`five-minutes.md installs what is packed${AT_LENGTH}`, async () => {
    const [install] = blocksOf("docs/start/five-minutes.md").filter(({ language }) => language === "sh");
    const clone = empty("packed/clone");
    // it is already built, and others read the build: only the packing, into the folder that the page names
    const pack = `node --input-type=module -e 'import { packAll } from "${ROOT}scripts/pack.mjs"; packAll(process.argv[1])' "$PWD/$1"`;
    const script = `pack() { mkdir -p "$1"; ${pack}; }\n${install?.text}`.replace(/^npx -y pnpm@\S+ pack:all /m, "pack ");
    const { status, stdout, stderr } = await shell(script, clone);
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/m);
  });

  it.skipIf(!LONG || noSoftHsm !== "")(`from-disk-key-to-hsm.md${AT_LENGTH || noSoftHsm}`, async () => {
    const { stdout, stderr } = await runPage("docs/start/from-disk-key-to-hsm.md", empty("hsm"), { starts: true });
    expect(stdout).toContain("2 signatures, by 2 known keys");
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(stderr.match(/app\.suit: good, sequence number 1,/g)).toHaveLength(2);
    expect(stderr.match(/app\.suit: good, sequence number 2,/g)).toHaveLength(1);
  });

  it.skipIf(!LONG)(`first-device.md${AT_LENGTH}`, async () => {
    const here = empty("first-device");
    const { stdout, stderr } = await runPage("docs/start/first-device.md", here);
    const once = ["sequence number [ 0, 7 ]", "started 1 image", /^refused true at byte \d+$/];
    const fetched = ["sequence number [ 0, 8 ]", "fetch https://example.com/app.bin 108894 bytes", ...once.slice(1)];
    // then the changed image, and the single script: installed, refused, outside the envelope
    const expected = [...once, ...fetched, "sequence number [ 0, 7 ]", "exit code 1", "0", "78", "-1"];
    const lines = stdout.split("\n").filter((line) => /^(sequence number \[|fetch |started |refused |exit code |-?\d+$)/.test(line));
    expect(lines).toHaveLength(expected.length);
    for (const [i, line] of lines.entries()) expect(line).toMatch(expected[i] as string | RegExp);
    expect(stderr).toContain(only(blocksOf("docs/start/first-device.md"), "text changed"));

    // the program says in one line what is wrong, and has no stack trace
    for (const [argument, words] of [
      ["", "usage: node verify.mjs ENVELOPE"],
      ["none.suit", "ENOENT: no such file or directory, open 'none.suit'"],
      ["app.bin", "refused: this is not a SUIT envelope (ENVELOPE_NONE, 20)"],
    ] as const) {
      const ran = await shell(`node verify.mjs ${argument}`, join(here, "first-device"));
      expect(ran).toEqual({ status: 1, stdout: "", stderr: `${words}\n` });
    }
    const changed = await shell("seq 20001 > app.bin; node verify.mjs outside.suit", join(here, "first-device"));
    expect(changed.status, changed.stderr).toBe(1);
    expect(changed.stderr).toMatch(/^refused: [^\n]* \(PAYLOAD_SIZE, 92\)\n$/);
  });

  it("first-device.md shows examples/verify.mjs as it is", async () => {
    const shown = blocksOf("docs/start/first-device.md").find(({ name }) => name === "verify.mjs")?.text;
    expect(shown).toBe(readFileSync(join(ROOT, "examples/verify.mjs"), "utf8"));
  });
});

describe.concurrent("docs/guides", () => {
  it("boot-images.md", async () => {
    const { stdout, stderr } = await runPage("docs/guides/boot-images.md", empty("boot-images"));
    expect(stderr).toMatch(/^app\.signed\.bin: good, mcuboot, 1\.4\.2, security counter 7, signed by ecdsa-p256-sha256 [0-9a-f]{16}…$/m);
    expect(stderr).toMatch(/^both\.bin: good, mcuboot, 1\.4\.2, security counter 7, signed by ed25519 [0-9a-f]{16}…$/m);
    expect(stderr).toContain(only(blocksOf("docs/guides/boot-images.md"), "text refused"));
    expect(stderr).toMatch(/boot\.pem\.log: good, 1 entry$/m);
    expect(stdout).toMatch(/^exit code 1$/m);
  });

  it("batch.md", async () => {
    const { stdout, stderr } = await runPage("docs/guides/batch.md", empty("batch"));
    expect(stderr).toMatch(/^shard 1: 3 manifests, sequence number 1$/m);
    expect(stderr.match(/^signed: 3 devices$/gm)).toHaveLength(2);
    expect(stderr).toMatch(/^signed: good, 3 devices in 1 shard, sequence number 1, signed by ed25519 /m);
    expect(stderr).toContain(only(blocksOf("docs/guides/batch.md"), "text refused"));
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(stdout).toMatch(/ batch of 3 /);
    expect(stderr).toMatch(/^whole: 3 devices$/m);
    expect(stderr).toMatch(/release\.pem\.log: good, 3 entries$/m);
  });

  it.skipIf(noMinisign !== "")(`signature-files.md${noMinisign}`, async () => {
    const { stdout, stderr } = await runPage("docs/guides/signature-files.md", empty("signature-files"));
    expect(stderr).toMatch(/^app\.tar: good, minisign, signed by ed25519 [0-9a-f]{16}…$/m);
    expect(stderr).toMatch(/^app\.tar: good, sshsig, signed by ed25519 [0-9a-f]{16}…$/m);
    expect(stderr).toMatch(/downloads\.pem\.log: good, 3 entries$/m);
    expect(stdout).toContain("Signature and comment signature verified");
    expect(stderr).toContain(only(blocksOf("docs/guides/signature-files.md"), "text refused"));
    expect(stdout).toMatch(/^exit code 1$/m);
  });
});

describe.concurrent("docs/start/answers", () => {
  const page = (name: string) => `docs/start/answers/${name}.md`;
  /** The same words, but for what changes from run to run. */
  const shape = (text: string) => text.replaceAll(/[0-9a-f]{16}…|\d{4}-\d\d-\d\d/g, "…");
  const shown = (name: string, block: string) => shape(only(blocksOf(page(name)), `text ${block}`));

  it.skipIf(!LONG || noSoftHsm !== "")(`token.md releases with a key in a token${AT_LENGTH || noSoftHsm}`, async () => {
    const { stdout, stderr } = await runPage(page("token"), empty("token"), { starts: true });
    expect(stderr).toMatch(/^dist\/1\.0\.0\/acme-sensor-1\.0\.0\.suit: good, board sensor, version 1\.0\.0, /m);
    expect(stderr).toMatch(/\.log: good, 2 entries$/m);
    expect(stdout + stderr).not.toContain("12345678");
  });

  it.skipIf(!LONG)(`ci-without-secrets.md has a release signed that CI has made${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage(page("ci-without-secrets"), empty("without-secrets"));
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(shape(stderr)).toContain(shown("ci-without-secrets", "missing"));
    expect(stderr).toMatch(/^dist\/1\.0\.0\/acme-sensor-1\.0\.0\.suit: good, /m);
  });

  it.skipIf(!LONG)(`mcuboot.md finds the version of MCUboot, and gives its image back${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage(page("mcuboot"), empty("mcuboot"));
    expect(stdout + stderr).toContain(only(blocksOf(page("mcuboot")), "text differs").trimEnd());
    expect(stderr).toMatch(/^upload\.bin: 8,192 bytes, the image of component 0 of dist\/1\.4\.2, version 1\.4\.2, /m);
  });

  it.skipIf(!LONG)(`pull-back.md ends with a good release${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage(page("pull-back"), empty("pull-back"));
    expect(shape(stderr)).toContain(shown("pull-back", "refused"));
    expect(stdout.match(/^exit code 1$/gm)).toHaveLength(1);
    expect(stdout).toMatch(/^ {2}nothing else changes for a device$/m);
    expect(stderr).toMatch(/^dist\/1\.1\.1: installed, board sensor, version 1\.1\.1, /m);
    expect(stderr).toMatch(/^warning: dist: version 1\.1\.0 was withdrawn on /m);
  });

  it.skipIf(!LONG)(`commit.md commits nothing that can sign${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage(page("commit"), empty("commit"));
    expect(stdout).toContain(only(blocksOf(page("commit")), "text staged"));
    expect(stdout).toMatch(/^no private key$/m);
    expect(stderr).toMatch(/^dist\/1\.0\.0\/acme-sensor-1\.0\.0\.suit: good, /m);
    expect(existsSync(join(folder, "commit/clone/release.pem"))).toBe(false);
  });
});

describe.concurrent("docs/guides/keys", () => {
  it.skipIf(!LONG)(`files.md${AT_LENGTH}`, async () => {
    const here = empty("files");
    await runPage("docs/guides/keys/files.md", here);
    for (const name of ["renewed.pem", "release.ssh", "release.jwk"]) expect(statSync(join(here, name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(here, "pub.ssh"), "utf8")).toMatch(/^ssh-ed25519 AAAA/);
  });

  it.skipIf(!LONG || noSoftHsm !== "")(`pkcs11.md${AT_LENGTH || noSoftHsm}`, async () => {
    const { stdout, stderr } = await runPage("docs/guides/keys/pkcs11.md", empty("pkcs11"), { starts: true });
    expect(stderr).toContain("app.suit: good, sequence number 1");
    expect(stdout).toContain("object=es256-2026");
    expect(stdout + stderr).not.toContain("12345678");
  });

  it.skipIf(!LONG || noOpenssl !== "")(`exec.md${AT_LENGTH || noOpenssl}`, async () => {
    expect((await runPage("docs/guides/keys/exec.md", empty("exec"))).stderr).toContain("app.suit: good, sequence number 1");
  });
});

describe.concurrent("docs/guides/trust.md", () => {
  it.skipIf(!LONG || noOpenssl !== "")(`works, and its JavaScript over what it has made${AT_LENGTH || noOpenssl}`, async () => {
    const here = empty("trust");
    const { stderr } = await runPage("docs/guides/trust.md", here);
    expect(stderr).toMatch(/^board\.trust: signed by 2 roots \(needed: 2\)$/m);
    expect(stderr).toMatch(/^app\.suit: good, sequence number 7, signed by ed25519 [0-9a-f]{16}… \(release, recovery\)$/m);
    expect(stderr).toMatch(/^app\.suit: installed, sequence number 7$/m);
    expect(stderr).toMatch(/^next\.trust: board, sequence number 2, /m);
    expect(stderr).toMatch(/^next\.trust: good, board, sequence number 2, 4 keys$/m);
    expect(stderr).toMatch(/^third\.trust: signed by 2 roots \(needed: 2\), and by 2 roots \(needed: 2\) of the previous file$/m);

    const id = identityUuids("example.com", "board-v2");
    const device = memoryDevice({ vendor: [id.vendor], class: [id.class] }, [[[0]]], 64);
    const file = (name: string) => readFileSync(join(here, name));
    const context = vm.createContext({ device, envelope: file("app.suit"), bytes: file("next.trust") });
    for (const name of ["firmseal.js", "board-trust.js"]) vm.runInContext(file(name).toString(), context);
    const examples = blocksOf("docs/guides/trust.md").filter(({ language }) => language === "js");
    expect(examples).toHaveLength(4);
    for (const { text } of examples.slice(0, 2)) vm.runInContext(text, context);
    // the last one starts what the first one has begun to install
    vm.runInContext("firmseal.install(envelope, trust, device).next()", context);
    vm.runInContext(examples[2]?.text as string, context);
    expect(device.invoked).toHaveLength(1);
    expect(vm.runInContext("[store.sequence[1], next.sequence[1], trust.threshold, trust.anchors.length]", context)).toEqual([1, 2, 1, 1]);
    // the same on a device with a floor for each role
    const other = memoryDevice({ vendor: [id.vendor], class: [id.class] }, [[[0]]], 200);
    const roles = vm.createContext({ device: other, envelope: file("app.suit") });
    const features = ["install", "copy", "trust", "roles"] as const;
    for (const text of [await minifiedBundle({ algs: ["ed25519"], features, format: "script" }), file("board-trust.js").toString()])
      vm.runInContext(text, roles);
    vm.runInContext("firmseal.roleFloors(device)", roles);
    vm.runInContext(examples[0]?.text as string, roles);
    vm.runInContext("firmseal.install(envelope, trust, device).next()", roles);
    // what the page does once has been done
    vm.runInContext(String(examples[3]?.text).replace(/^device = .*$/m, ""), roles);
    expect([other.invoked.length, vm.runInContext("[role, device.floor(2)[1], device.floor(3)[1]]", roles)]).toEqual([1, [2, 8, 0]]);
  });
});

describe.concurrent("docs/guides/ci.md", () => {
  it("releases, releases again, and with an encrypted key in a variable", async () => {
    const { stderr } = await runPage("docs/guides/ci.md", empty("ci"));
    expect(stderr).toMatch(/ 1\.5\.0 released, 1 board, /);
    expect(stderr).toMatch(/ 1\.4\.2 released, 1 board, /);
    expect(stderr).toMatch(/ 1\.4\.2 already exists, with the same content, 1 board, /);
  });
});

describe.concurrent("docs/guides/product.md", () => {
  it.skipIf(!LONG)(`works, and what it says is refused is refused${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage("docs/guides/product.md", empty("product"));
    expect(stderr).toMatch(
      /^dist\/1\.0\.0: acme 1\.0\.0 released, 2 boards, sequence number 281474976743424, signed by ed25519 [0-9a-f]{16}…$/m,
    );
    expect(stderr).toMatch(/^dist\/1\.0\.0\/acme-sensor-1\.0\.0\.suit: good, board sensor, version 1\.0\.0, /m);
    expect(stderr).toMatch(/^dist\/1\.1\.0\/acme-gateway-1\.1\.0\.suit: installed, board gateway, version 1\.1\.0, /m);
    expect(stderr).toContain(only(blocksOf("docs/guides/product.md"), "text withdraw"));
    expect(stderr).toMatch(/^firmseal: dist\/1\.1\.0: version 1\.1\.0 was withdrawn on [-\d]+: loses its settings$/m);
    // the last good build again: nothing but the number has changed
    expect(stderr).toMatch(/^app\.js: 23 bytes, the image of component 0 of dist\/1\.0\.0, version 1\.0\.0, .*signed by ed25519 /m);
    expect(stderr).toMatch(/^dist\/1\.1\.1: installed, board gateway, version 1\.1\.1, /m);
    expect(stdout).toMatch(/^sensor, compared with 1\.0\.0 .*\n {2}sequence number .*\n {2}nothing else changes for a device$/m);
    expect(stdout.match(/^exit code 1$/gm)).toHaveLength(4);
    expect(stderr).toContain("next.pem.log: good, ");
    const shape = (text: string) => text.replaceAll(/[0-9a-f]{16}…|\d{4}-\d\d-\d\d|Node [\d.]+/g, "…");
    expect(shape(stdout)).toContain(shape(only(blocksOf("docs/guides/product.md"), "text doctor")));
    expect(stderr).toContain(only(blocksOf("docs/guides/product.md"), "text wrong"));
  });
});

describe.concurrent("docs/guides/together.md", () => {
  it.skipIf(!hasProgram("openssl", "version"))("is signed by two people, in each of the ways", async () => {
    const { stdout, stderr } = await runPage("docs/guides/together.md", empty("together"));
    expect(stdout.match(/^exit code 1$/gm)).toHaveLength(2);
    expect(stderr.match(/^dist\/1\.\d\.0\/acme-sensor-1\.\d\.0\.suit: good, board sensor, /gm)).toHaveLength(5);
    expect(stderr.match(/^dist\/1\.\d\.0: complete, 2 of 2 signed$/gm)).toHaveLength(6);
    // the same words, but for the thumbprints
    const shape = (text: string) => text.replaceAll(/[0-9a-f]{16}…/g, "…");
    for (const block of ["text together", "text approval"])
      expect(shape(stderr)).toContain(shape(only(blocksOf("docs/guides/together.md"), block)));
  });
});

describe.concurrent("docs/guides/report.md", () => {
  it.skipIf(!LONG)(`makes pages of a release and of an envelope${AT_LENGTH}`, async () => {
    const here = empty("report");
    const { stderr } = await runPage("docs/guides/report.md", here);
    for (const name of ["gateway-1.4.2.html", "fw.html"]) {
      expect(stderr).toMatch(
        new RegExp(`^${name}: [\\d,]+ bytes, version 1\\.4\\.2, sequence number \\d+, signed by ed25519 [0-9a-f]{16}…$`, "m"),
      );
      expect(readFileSync(join(here, name), "utf8")).toContain("Content-Security-Policy");
    }
  });
});

describe.concurrent("docs/guides/lint.md", () => {
  it.skipIf(!LONG)(`works, and what it says is found is found${AT_LENGTH}`, async () => {
    const here = empty("lint");
    const { stdout, stderr } = await runPage("docs/guides/lint.md", here);
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(stdout).toMatch(
      /^fw-1\.0\.0\.suit: error: sequence number \d+ is not higher than \d+ of fw-1\.1\.0\.suit \[L10 number-not-raised\]$/m,
    );
    expect(stderr).toMatch(/^1 release: 1 note; \d rules not checked/m);
    expect(JSON.parse(readFileSync(join(here, "lint.sarif"), "utf8"))).toMatchObject({ version: "2.1.0" });
  });
});

describe.concurrent("docs/guides/micro.md", () => {
  it.skipIf(!LONG)(`works, and its device starts the release${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage("docs/guides/micro.md", empty("micro"));
    expect(stdout).toMatch(/^runs: app version 1$/m);
    expect(stdout).toMatch(/^exit code 1$/m);
    expect(stderr).toContain(only(blocksOf("docs/guides/micro.md"), "text refused"));
    expect(stdout).toContain(only(blocksOf("docs/guides/micro.md"), "text explained"));
    expect(stderr).toMatch(/^app\.suit: good, sequence number 1, /m);
    expect(stderr).toMatch(/^after each cut the old or the new release starts, /m);
  });
});

describe.concurrent("docs/guides of other engines", () => {
  const without = (tool: string) => (hasProgram(tool) ? "" : ` (skipped: no ${tool})`);

  /** An engine that a variable names, as a function of the shell: what a page has to type is its usual name. */
  const named = (variable: string, name: string) => {
    const path = process.env[variable];
    return {
      first: path ? `${name}() { "$${variable}" "$@"; }\n` : "",
      why: path ? "" : ` (skipped: set ${variable}=/path/to/${name})`,
    };
  };

  for (const { engine, name, first, why } of [
    { engine: "qjs", name: "quickjs", first: "", why: without("qjs") },
    { engine: "QuickJS-ng", name: "quickjs-ng", ...named("QJSNG", "qjs") },
  ])
    it.skipIf(!LONG || why !== "")(`quickjs.md installs, starts and refuses on ${engine}${AT_LENGTH || why}`, async () => {
      const here = empty(name);
      const { stdout } = await runPage("docs/guides/quickjs.md", here, { first });
      const said = stdout.split("\n").filter((line) => /^(installed|application|refused|failed|exit code)/.test(line));
      expect(`${said.join("\n")}\n`).toBe(only(blocksOf("docs/guides/quickjs.md"), "text said"));
      // the micro verifier in its place, and input that is not an envelope, or not a file
      const ran = await withFirmseal((define) =>
        shell(
          `${define}${first}firmseal bundle --micro --alg ed25519 --device flash --format module --out firmseal.js
qjs --module update.js start
for what in key.js none.suit; do qjs --module update.js install $what || true; done
head -c 1 flash.bin > cut.bin; mv cut.bin flash.bin; qjs --module update.js start`,
          here,
        ),
      );
      expect(ran.stdout).toMatch(/^application, version 2\nrefused: 130\nfailed: none\.suit: error 2\nnothing is installed\n$/);
    });

  for (const { page, first, why } of [
    { page: "mujs", first: "", why: without("mujs") },
    { page: "microquickjs", ...named("MQJS", "mqjs") },
    { page: "hermes", ...named("HERMES", "hermes") },
  ])
    it.skipIf(!LONG || why !== "")(`${page}.md does the same with both verifiers${AT_LENGTH || why}`, async () => {
      const { stdout } = await runPage(`docs/guides/${page}.md`, empty(page), { first });
      const said = only(blocksOf(`docs/guides/${page}.md`), "text said");
      expect(stdout.split("update: 0").length).toBe(3);
      expect(stdout).toContain(said.repeat(2));
    });

  it("moddable.md makes a module that Node takes as well", async () => {
    const here = empty("moddable");
    await runPage("docs/guides/moddable.md", here);
    const ran = await shell(
      "mv firmseal.js firmseal.mjs; node --input-type=module -e 'import f from \"./firmseal.mjs\"; console.log(Object.keys(f).join())'",
      here,
    );
    expect(ran.stdout).toBe("open,start,step,install,boot,anchor\n");
  });
});

// not beside others: it minifies many bundles
describe("docs/guides/micro.md in figures", () => {
  it("has the size of each bundle, and the room of those with a budget", async () => {
    const page = readFileSync(join(ROOT, "docs/guides/micro.md"), "utf8");
    const grouped = (n: number) => n.toLocaleString("en");
    const rooms: string[] = [];
    for (const { name, label, alg, device, host, budgets } of [
      { name: "hsslms", label: "HSS/LMS with the engine's SHA-256", alg: "hsslms", device: [], host: ["sha256"], budgets: [5400, 5100] },
      {
        name: "hsslms-storage",
        label: "the same with `storageDevice()`",
        alg: "hsslms",
        device: ["storage"],
        host: ["sha256"],
        budgets: [9600, 9300],
      },
      { name: "ed25519", label: "Ed25519 with both hashes in JavaScript", alg: "ed25519", device: [], host: [], budgets: [13200, 12900] },
    ] as const) {
      const parts = { algs: [alg], format: "espruino" } as const;
      const micro = async (...without: MicroPart[]) => (await minifiedBundle({ ...parts, features: device, micro: host, without })).length;
      const general = async (...features: FeatureName[]) => (await minifiedBundle({ ...parts, features: [...features, ...device] })).length;
      const sizes = [await micro(), await micro("threshold", "uri"), await micro("limits", "threshold", "uri")];
      const whole = await general("install", "copy");
      expect(page).toContain(`| ${[label, ...[...sizes, whole].map(grouped)].join(" | ")} |`);
      expect(statSync(join(ROOT, `packages/verifier/dist/firmseal-micro-${name}.js`)).size).toBe(sizes[0]);
      rooms.push(budgets.map((most, i) => `${most} has ${most - (sizes[i] as number)}`).join());
      expect(whole - (await general("install")), name).toSatisfy((less) => less >= 445 && less <= 449);
      if (name === "hsslms") expect(page).toContain(`(${grouped(await micro("boot", "threshold", "uri"))})`);
      // the page about an app on Espruino counts what a board stores
      if (name === "hsslms-storage")
        expect(readFileSync(join(ROOT, "docs/guides/espruino.md"), "utf8")).toContain(
          `| module | ${[await micro("boot"), await micro(), await general("install")].map(grouped).join(" | ")} |`,
        );
    }
    const [, ...said] =
      page.match(
        /: ([\d,]+), ([\d,]+) and ([\d,]+) bytes, and ([\d,]+),\s([\d,]+) and ([\d,]+)\. The room is (\d+), (\d+) and (\d+) bytes, and (\d+), (\d+) and (\d+)\./,
      ) ?? [];
    const numbers = said.map((n) => Number(n.replaceAll(",", "")));
    expect([0, 1, 2].map((i) => [0, 3].map((column) => `${numbers[column + i]} has ${numbers[6 + column + i]}`).join())).toEqual(rooms);
  });

  it("says how much more a micro verifier takes on JerryScript", () => {
    const page = readFileSync(join(ROOT, "docs/guides/micro.md"), "utf8");
    const { rows } = JSON.parse(readFileSync(join(ROOT, "bench/results/open.json"), "utf8")) as { rows: Counted[] };
    const of = (work: string) =>
      rows.find((row) => row.engine === "jerry" && row.algorithm === "Ed25519" && row.work === work)?.million as number;
    const [micro, general] = [of("open(), micro verifier"), of("open()")];
    // for each byte of an image
    const hashing = [of("10,000 bytes installed, micro verifier") - micro, of("100,000 bytes installed") - general] as const;
    const more = [micro / general, (10 * hashing[0]) / hashing[1]].map((n) => Math.round(100 * (n - 1)));
    const [, ...said] =
      page.match(/takes (\d+) %\smore instructions than with those of the general verifier, and hashing an image (\d+) % more/) ?? [];
    expect(said.map(Number)).toEqual(more);
  });
});

it("docs/guides/kernel.md makes a bundle with the machine code that it describes", async () => {
  const here = empty("kernel");
  const { stdout, stderr } = await runPage("docs/guides/kernel.md", here);
  const { length, digest } = kernelOf("bangle.js2");
  expect(`${stdout}${stderr}`).toContain(`${length.toLocaleString("en")} bytes, SHA-256 ${digest}`);
  const page = readFileSync(join(ROOT, "docs/guides/kernel.md"), "utf8");
  expect(page).toContain(`| ${length.toLocaleString("en")} |`);
});

describe.concurrent("docs/guides/planning.md", () => {
  it.skipIf(!LONG)(`says what the plan says, on the command line and in a program${AT_LENGTH}`, async () => {
    const { stdout, stderr } = await runPage("docs/guides/planning.md", empty("planning"));
    for (const { language, name, text } of blocksOf("docs/guides/planning.md"))
      if (language === "text" && name) expect(stdout).toContain(text);
    expect(stdout.match(/^exit 1$/gm)).toHaveLength(1);
    expect(stderr).toMatch(/^10,579 devices: 10,000 moved, 500 ahead, 70 behind, 9 stranded$/m);
    expect(stderr).toMatch(
      /79 devices would be left behind: camera, p256; camera: no later release can reach it: 1 of its release keys remain/,
    );
  });
});

describe.concurrent("docs/guides/rotation.md", () => {
  it.skipIf(!LONG)(`works, and its device follows${AT_LENGTH}`, async () => {
    const here = empty("rotation");
    const { stdout, stderr } = await runPage("docs/guides/rotation.md", here);
    const blocks = blocksOf("docs/guides/rotation.md");
    for (const { language, name, text } of blocks) if (language === "text" && name === "plan") expect(stdout).toContain(text);
    // the plan without the bridge, and the key that somebody still needs
    expect(stdout.match(/^exit 1$/gm)).toHaveLength(2);
    expect(stderr).toMatch(/500 devices would be left behind: shelf; shelf: no later release can reach it: 1 of its release keys remain/);
    // without that key, once the devices have caught up
    expect(stderr).toMatch(/^third\.trust: good, board, sequence number 3, 5 keys$/m);
    const file = (name: string) => readFileSync(join(here, name));
    expect(JSON.parse(file("plan.json").toString())).toMatchObject({ ok: true, devices: { total: 10000, moved: 10000 } });
    // signed in turns, and made by a program: the same manifest
    expect(stdout).toMatch(/^first\.trust: 2 of 3 keys must sign\nsecond\.trust: 2 of 3 keys must sign$/m);
    const [turns, byProgram] = ["turns.suit", "by-program.suit"].map((name) => decodeEnvelope(file(name)));
    expect([turns?.signatures.length, byProgram?.signatures.length, turns?.manifest.sequence]).toEqual([3, 0, [0, 22]]);
    expect(turns?.digest).toEqual(byProgram?.digest);

    const id = identityUuids("example.com", "board-v2");
    const device = memoryDevice({ vendor: [id.vendor], class: [id.class] }, [[[0]], [[116, 114, 117, 115, 116]]], 100_000);
    let trusted: ArrayLike<number> = file("first.trust");
    const stored = {
      read: () => trusted,
      write(bytes: ArrayLike<number>) {
        trusted = bytes;
      },
    };
    const firmseal = { embeddedTrust, nextTrust, policyOf, boot };
    const context = vm.createContext({ firmseal, device, stored });
    vm.runInContext(blocks.find(({ name }) => name === "device.js")?.text as string, context);
    for (const [name, trust] of [
      ["10.suit", 1],
      ["20.suit", 2],
      ["21.suit", 2],
    ] as const) {
      install(file(name), policyOf(embeddedTrust(trusted), 2, device.identity), device).next();
      vm.runInContext("start(device, stored)", context);
      expect(embeddedTrust(trusted).sequence).toEqual([0, trust]);
    }
    expect(device.invoked).toHaveLength(3);
  });
});
