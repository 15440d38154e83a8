// The action as a runner starts it: with the documented environment, from its one file, and the command line that is
// built into it.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { firmseal as call } from "../../packages/test-support/src/command-line/run.ts";
import { AT_LENGTH, LONG, OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { makeAction } from "../action.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder;
let dist;

beforeAll(async () => {
  folder = temporaryFolder("firmseal-action-");
  dist = join(folder, "action");
  await makeAction(dist);
});

/** A product with two boards in a folder of its own. */
async function product() {
  const at = mkdtempSync(join(folder, "product-"));
  const env = { PATH: process.env.PATH, FIRMSEAL_STATE: join(at, "state") };
  const firmseal = (...args) => call(args, { cwd: at, env });
  const images = { "gw.bin": Buffer.alloc(3000, 1), "sensor.bin": Buffer.alloc(2000, 2) };
  for (const [name, bytes] of Object.entries(images)) writeFileSync(join(at, name), bytes);
  expect(await firmseal("keygen", "--no-passphrase", "--out", "release.pem")).toMatchObject({ exit: 0 });
  const init = ["init", "--vendor", "example.com", "--board", "gateway=gw.bin", "--board", "sensor=sensor.bin", "--lone-key"];
  // the tests say themselves which keys are trusted
  rmSync(join(at, "release.pub"));
  expect(await firmseal(...init)).toMatchObject({ exit: 0 });
  // what the build job has uploaded is in a folder of its own
  mkdirSync(join(at, "images"));
  for (const name of Object.keys(images)) renameSync(join(at, name), join(at, "images", name));
  /** Commits files, as the branch main of the origin has them. */
  const commit = (...names) => {
    const who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"];
    const git = (...args) =>
      expect(spawnSync("git", [...who, "-C", at, ...args], { encoding: "utf8" }), args.join(" ")).toMatchObject({ status: 0 });
    git("init", "-q");
    git("add", "--", "firmseal.toml", ...names);
    git("commit", "-q", "--allow-empty", "-m", "product");
    git("update-ref", "refs/remotes/origin/main", "HEAD");
  };
  commit();
  let runs = 0;
  /** Runs the action, with variables of the step, and gives its outputs, its summary and its log. */
  const action = (inputs, variables = {}) => {
    const [output, summary] = [join(at, `output-${runs}`), join(at, `summary-${runs++}`)];
    for (const path of [output, summary]) appendFileSync(path, "");
    const variable = (name) => (name.startsWith("GITHUB_") ? name : `INPUT_${name.toUpperCase()}`);
    const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [variable(name), value]));
    const defaults = {
      ...{ INPUT_PRODUCT: "firmseal.toml", INPUT_CANDIDATE: "firmseal-candidate.json", INPUT_FIRST: "false", INPUT_IMAGES: "images" },
      ...{ "INPUT_PROTECTED-REF": "main", "INPUT_ALLOW-EXEC": "false" },
      ...{ GITHUB_REF: "refs/heads/main", GITHUB_REF_PROTECTED: "true" },
    };
    const r = spawnSync(process.execPath, [join(dist, "index.mjs")], {
      cwd: at,
      env: {
        ...{ ...env, ...variables, NODE_OPTIONS: process.env.NODE_OPTIONS, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
        ...{ ...defaults, ...given },
      },
      encoding: "utf8",
    });
    // NAME<<DELIMITER, the value, DELIMITER
    const outputs = Object.fromEntries(
      [...readFileSync(output, "utf8").matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]),
    );
    return { status: r.status, outputs, summary: readFileSync(summary, "utf8"), log: `${r.stdout}${r.stderr}` };
  };
  return { at: (name) => join(at, name), firmseal, action, commit };
}

const error = ({ log }) => /^::error::(.*)$/m.exec(log)?.[1] ?? log;

/**
 * The log without what the runner does not read for commands. Fails if that has a command which it was made to show.
 */
function outsideOf(log) {
  const outside = log.replace(/^::stop-commands::([0-9a-f-]{36})\n[\s\S]*?\n::\1::$/gm, "");
  expect(outside).not.toMatch(/^\s*::(?!error::firmseal)|##\[/m);
  return outside;
}

describe("the action", () => {
  it("describes a candidate without a key, and publishes exactly that; its outputs are those of the command line", async () => {
    const p = await product();
    const key = readFileSync(p.at("release.pem"));
    rmSync(p.at("release.pem"));
    const candidate = p.action({ mode: "candidate", version: "v1.4.2" });
    expect({ status: candidate.status, log: candidate.status ? candidate.log : "" }).toEqual({ status: 0, log: "" });
    expect(candidate.outputs).toMatchObject({ version: "1.4.2", "candidate-digest": expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(candidate.summary).toContain("candidate");
    expect(existsSync(p.at("dist"))).toBe(false);
    writeFileSync(p.at("release.pem"), key, { mode: 0o600 });
    const pinned = { mode: "publish", version: "1.4.2", "candidate-digest": candidate.outputs["candidate-digest"], first: "true" };
    const published = p.action(pinned);
    expect({ status: published.status, log: published.status ? published.log : "" }).toEqual({ status: 0, log: "" });
    const again = (await p.firmseal("release", "--version", "1.4.2", "--images", "images", "--json")).json;
    expect(again.state).toBe("unchanged");
    expect(published.outputs).toMatchObject({ version: again.version, sequence: again.sequence, folder: again.folder });
    expect(JSON.parse(published.outputs.signers)).toMatchObject([{ alg: "ed25519", thumbprint: again.signers[0].thumbprint }]);
    const envelopes = JSON.parse(published.outputs.envelopes);
    expect(envelopes.map(({ board }) => board)).toEqual(["gateway", "sensor"]);
    for (const { file, sha256 } of envelopes)
      expect(readFileSync(join(p.at(again.folder), "SHA256SUMS"), "utf8")).toContain(`${sha256}  ${file}`);
    expect(published.summary).toContain(again.signers[0].thumbprint);
    const { stderr: counted } = await p.firmseal("lint", again.folder);
    expect(published.summary).toContain(`Found: ${/2 notes; \d rules? not checked/.exec(counted)[0]}.`);
    expect(await p.firmseal("verify", again.folder, "--product", "firmseal.toml")).toMatchObject({ exit: 0 });
  });

  it.skipIf(!LONG)(`publishes nothing that the candidate does not describe${AT_LENGTH}`, async () => {
    const p = await product();
    const { outputs } = p.action({ mode: "candidate", version: "1.4.2" });
    const pinned = { mode: "publish", version: "1.4.2", "candidate-digest": outputs["candidate-digest"], first: "true" };
    const refused = (inputs, words) => {
      const r = p.action({ ...pinned, ...inputs });
      expect([r.status, error(r)]).toEqual([1, expect.stringContaining(words)]);
      expect(existsSync(p.at("dist"))).toBe(false);
      return r.summary;
    };
    expect(refused({ version: "1.4.3" }, "these differ: the version; run the candidate job again")).toContain(
      "<tr><td>the version</td><td>1.4.2</td><td>1.4.3</td></tr>",
    );
    refused({ "candidate-digest": "0".repeat(64) }, "is not the candidate with the digest");
    refused({ "candidate-digest": "" }, "candidate-digest");
    refused({ "candidate-digest": "../x" }, "not a SHA-256");
    refused({ mode: "sign" }, "neither candidate nor publish");
    refused({ mode: "__proto__" }, "neither candidate nor publish");
    refused({ boards: "gateway" }, "these differ: board sensor, image sensor.bin of sensor image;");
    // inputs are not options
    refused({ boards: "gateway --allow-no-approval --out /elsewhere" }, "--allow-no-approval");
    refused({ version: "1.4.2 --out=x" }, "version");
    const toml = readFileSync(p.at("firmseal.toml"), "utf8");
    writeFileSync(p.at("firmseal.toml"), toml.replace("release.pem", "exec:./ran"));
    refused({}, "firmseal.toml is not as refs/heads/main has it");
    p.commit();
    refused({}, "/keys/release: exec:./ran starts a program where the key is; if that is what you want: allow-exec: true");
    const named = refused({ "allow-exec": "true" }, "these differ: the product file, key /keys/release;");
    expect(named).toMatch(/<td>key .keys.release<\/td><td>.*release.pem.*<\/td><td>.*exec:.*<\/td>/);
    writeFileSync(p.at("firmseal.toml"), toml.replace(/class = .*|(?=\[boards\.gateway\])/, '[boards.other]\nimage = "gw.bin"\n'));
    p.commit();
    refused({}, "these differ: the product file, path /boards/");
    const trust = '\n[trust]\nkeys = "release.pub"\n';
    expect(await p.firmseal("pubkey", "release.pem", "--out", "release.pub")).toMatchObject({ exit: 0 });
    writeFileSync(p.at("firmseal.toml"), `${toml}${trust}`);
    p.commit("release.pub");
    expect(refused({}, "these differ: the product file, the keys that devices trust, key /trust/keys")).toContain("sha256 ");
    writeFileSync(p.at("firmseal.toml"), toml);
    p.commit();
    writeFileSync(p.at("images/gw.bin"), Buffer.alloc(3000, 3));
    refused({}, "these differ: image gw.bin of gateway image;");
    // pinned, and not a candidate
    writeFileSync(p.at("other.json"), "[]");
    const digest = createHash("sha256").update("[]").digest("hex");
    refused({ candidate: "other.json", "candidate-digest": digest }, "another version of the action has written it");
    // a candidate that was changed to fit
    const text = readFileSync(p.at("firmseal-candidate.json"), "utf8");
    writeFileSync(p.at("firmseal-candidate.json"), text.replace("gateway", "gatewaz"));
    refused({}, "is not the candidate with the digest");
  });

  it.skipIf(!LONG)(`shows slots, lint and what changes in the summary, and why a release is refused${AT_LENGTH}`, async () => {
    const p = await product();
    const toml = readFileSync(p.at("firmseal.toml"), "utf8");
    writeFileSync(p.at("firmseal.toml"), toml.replace("[boards.gateway]", '[boards.gateway]\nslots = { a = "4K", b = "8K" }'));
    expect(await p.firmseal("release", "--version", "1.4.1", "--first", "--images", "images")).toMatchObject({ exit: 0 });
    writeFileSync(p.at("images/sensor.bin"), Buffer.alloc(2001, 3));
    const candidate = p.action({ mode: "candidate", version: "1.4.2", "previous-release": "dist", "sarif-out": "lint.sarif" });
    expect(candidate.status, candidate.log).toBe(0);
    expect(candidate.summary).toContain("███████░░░ 74 % of 4,096");
    expect(candidate.summary).toContain("sensor, compared with 1.4.1:");
    // the words of the command line
    const { stdout: diff } = await p.firmseal("release", "--version", "1.4.2", "--images", "images", "--dry-run", "--diff", "dist");
    const line = /image of component 00: before .*$/m.exec(diff)[0];
    expect(candidate.summary).toContain(line);
    const { findings } = (await p.firmseal("release", "--version", "1.4.2", "--images", "images", "--dry-run", "--json")).json.lint;
    expect(findings).toHaveLength(2);
    for (const { rule, message } of findings) {
      expect(candidate.summary).toContain(rule);
      expect(candidate.summary).toContain(message);
    }
    expect(JSON.parse(readFileSync(p.at("lint.sarif"), "utf8")).runs[0].results).toHaveLength(2);
    // a record alone compares nothing, and says so
    writeFileSync(p.at("last.json"), readFileSync(p.at("dist/1.4.1/release.json")));
    const alone = p.action({ mode: "candidate", version: "1.4.2", "previous-release": "last.json" });
    expect([alone.status, alone.summary]).toEqual([
      0,
      expect.stringContaining("The previous release is 1.4.1; without its envelopes, nothing is compared."),
    ]);
    writeFileSync(p.at("firmseal.toml"), `${toml}\n[[policy.waivers]]\nrule = "L40"\nreason = "later"\nuntil = 2025-01-01\n`);
    const refused = p.action({ mode: "candidate", version: "1.4.2", "previous-release": "dist" });
    expect([refused.status, error(refused)]).toEqual([1, expect.stringContaining("the waiver of L40 has expired on 2025-01-01")]);
    expect(refused.summary).toContain("L90 waiver-invalid");
  });

  it.skipIf(!LONG)(`publishes nothing if no earlier release is known, unless it is the first${AT_LENGTH}`, async () => {
    const p = await product();
    const { outputs } = p.action({ mode: "candidate", version: "1.4.2" });
    const pinned = { mode: "publish", version: "1.4.2", "candidate-digest": outputs["candidate-digest"] };
    const unknown = p.action(pinned);
    expect([unknown.status, error(unknown)]).toEqual([1, expect.stringContaining("no earlier release is known")]);
    expect(existsSync(p.at("dist"))).toBe(false);
    expect(p.action({ ...pinned, first: "true" }).status).toBe(0);
    // the release itself is known: a job that runs again
    expect(p.action(pinned).status).toBe(0);
  });

  it(`takes keys, trust and the earlier release from the protected ref only${OF_SOME}`, async () => {
    const p = await product();
    const { outputs } = p.action({ mode: "candidate", version: "1.4.2" });
    const pinned = { mode: "publish", version: "1.4.2", "candidate-digest": outputs["candidate-digest"], first: "true" };
    let tried = 0;
    const refused = (inputs, words) => {
      // each is a start of the program
      if (!LONG && tried++ % 5 !== 0) return;
      const r = p.action({ ...pinned, ...inputs });
      expect([r.status, error(r)]).toEqual([1, expect.stringContaining(words)]);
      expect([existsSync(p.at("dist")), existsSync(p.at("release.pem.log"))]).toEqual([false, false]);
    };
    const toml = readFileSync(p.at("firmseal.toml"), "utf8");
    writeFileSync(p.at("images/firmseal.toml"), toml.replace("release.pem", "exec:make"));
    refused({ product: "images/firmseal.toml" }, "product: images/firmseal.toml is in the folder of images");
    refused({ images: "." }, "product: firmseal.toml is in the folder of images");
    refused({ images: "" }, "images: publish takes images from a folder of their own");
    writeFileSync(p.at("images/release.json"), "{}");
    refused(
      { first: "false", "previous-release": "images/release.json" },
      "previous-release: images/release.json is in the folder of images",
    );
    symlinkSync("images/release.json", p.at("link.json"));
    refused({ first: "false", "previous-release": "link.json" }, "previous-release: link.json is in the folder of images");
    writeFileSync(p.at("forged.json"), "{}");
    refused({ first: "false", "previous-release": "forged.json" }, "forged.json is not as refs/heads/main has it");
    refused({ first: "false", "previous-release": "none.json" }, "previous-release: none.json does not exist");
    refused({ "protected-ref": "" }, "protected-ref");
    refused({ "protected-ref": "--output=x" }, "protected-ref: not a branch");
    refused({ "protected-ref": "other" }, "the checkout of firmseal.toml is not that of refs/heads/other");
    refused({ GITHUB_REF: "refs/tags/v1.4.2" }, "the workflow runs for refs/tags/v1.4.2, so its file is of that, not of refs/heads/main");
    refused({ GITHUB_REF_PROTECTED: "false" }, "refs/heads/main is not protected");
    refused({ out: "images/dist" }, "out: images/dist/1.4.2 is in the folder of images");
    refused({ program: "images/gw.bin" }, "program: images/gw.bin is in the folder of images");
    // trust that no commit has
    writeFileSync(p.at("other.pub"), "x");
    writeFileSync(p.at("firmseal.toml"), `${toml}\n[trust]\nkeys = "other.pub"\n`);
    refused({}, "firmseal.toml is not as refs/heads/main has it");
  });

  it("takes the files that the product file trusts or counts from as the protected ref has them", async () => {
    const p = await product();
    const toml = readFileSync(p.at("firmseal.toml"), "utf8");
    for (const name of ["release", "other", "third"]) {
      if (name !== "release") expect(await p.firmseal("keygen", "--no-passphrase", "--out", `${name}.pem`)).toMatchObject({ exit: 0 });
      expect(await p.firmseal("pubkey", `${name}.pem`, "--out", `${name}.pub`)).toMatchObject({ exit: 0 });
    }
    /** A candidate describes what is here now, so nothing else is wrong with it. */
    const refused = (name, first) => {
      const { status, outputs, log } = p.action({ mode: "candidate", version: "1.4.2" });
      expect(status, log).toBe(0);
      const r = p.action({ mode: "publish", version: "1.4.2", "candidate-digest": outputs["candidate-digest"], first });
      expect([r.status, error(r)]).toEqual([1, expect.stringContaining(`${name} is not as refs/heads/main has it`)]);
      expect(existsSync(p.at("dist"))).toBe(false);
    };
    const trust = '\n[trust]\nkeys = ["release.pub", "other.pub"]\n';
    writeFileSync(p.at("firmseal.toml"), `${toml}${trust}`);
    p.commit("release.pub");
    refused("other.pub", "true");
    p.commit("other.pub");
    writeFileSync(p.at("other.pub"), readFileSync(p.at("third.pub")));
    refused("other.pub", "true");
    expect(await p.firmseal("release", "--version", "1.4.1", "--first", "--images", "images", "--out", "earlier")).toMatchObject({
      exit: 0,
    });
    const counts = toml.replace("[sequence]", '[sequence]\nprevious = "earlier/1.4.1/release.json"');
    writeFileSync(p.at("firmseal.toml"), `${counts}${trust}`);
    p.commit("other.pub");
    refused("earlier/1.4.1/release.json", "false");
    // eleven starts of the program
  }, 120_000);

  it("publishes nothing, and leaves nothing, while others still have to sign", async () => {
    const p = await product();
    expect(await p.firmseal("pubkey", "release.pem", "--out", "release.pub")).toMatchObject({ exit: 0 });
    expect(await p.firmseal("keygen", "--no-passphrase", "--out", "other.pem")).toMatchObject({ exit: 0 });
    expect(await p.firmseal("pubkey", "other.pem", "--out", "other.pub")).toMatchObject({ exit: 0 });
    const toml = readFileSync(p.at("firmseal.toml"), "utf8").replace(
      /\[keys\]\n[^[]*/,
      '[trust]\nkeys = ["release.pub", "other.pub"]\nthreshold = 2\n\n',
    );
    writeFileSync(p.at("firmseal.toml"), toml);
    p.commit("release.pub", "other.pub");
    const { status, outputs, log } = p.action({ mode: "candidate", version: "1.4.2" });
    expect(status, log).toBe(0);
    const r = p.action({ mode: "publish", version: "1.4.2", "candidate-digest": outputs["candidate-digest"], first: "true" });
    expect([r.status, error(r)]).toEqual([1, expect.stringContaining("the envelope is not signed")]);
    expect(existsSync(p.at("dist/1.4.2"))).toBe(false);
    expect(r.outputs).toEqual({});
  }, 120_000);

  it("gives named passphrases to the command that signs only, in their order, and to nothing that it starts", async () => {
    const p = await product();
    const secrets = { RELEASE_PASSPHRASE: " correct horse ", TOKEN_PIN: "1234 5678" };
    expect(await p.firmseal("pubkey", "release.pem", "--out", "release.pub")).toMatchObject({ exit: 0 });
    appendFileSync(p.at("firmseal.toml"), '\n[trust]\nkeys = "release.pub"\n');
    p.commit("release.pub");
    // records what it is given, and what it can see of the action, and is the built-in program
    const record = `appendFileSync(${JSON.stringify(p.at("record"))}, JSON.stringify({ args: process.argv.slice(2), env: process.env, above: process.platform === "linux" ? readFileSync(\`/proc/\${process.ppid}/environ\`, "utf8") : "" }) + "\\n");`;
    const program = JSON.stringify(join(dist, "firmseal/bin/firmseal.js"));
    writeFileSync(p.at("stub.mjs"), `import { appendFileSync, readFileSync } from "node:fs";\n${record}\nawait import(${program});\n`);
    const given = { version: "1.4.2", program: "stub.mjs" };
    const candidate = p.action({ mode: "candidate", ...given });
    expect(candidate.status, candidate.log).toBe(0);
    const { status, log, summary, outputs } = p.action(
      {
        ...{ mode: "publish", first: "true", "candidate-digest": candidate.outputs["candidate-digest"] },
        ...{ ...given, "passphrase-env": "RELEASE_PASSPHRASE  TOKEN_PIN" },
      },
      secrets,
    );
    expect(status, log).toBe(0);
    const runs = readFileSync(p.at("record"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const isSecret = ([, value]) => Object.values(secrets).some((one) => value.includes(one));
    expect(
      runs.map(({ args, env }) => [
        args.includes("--dry-run") ? "dry run" : args[0],
        args.filter((arg) => arg.includes("passphrase")),
        Object.fromEntries(Object.entries(env).filter(isSecret)),
      ]),
    ).toEqual([
      ["dry run", [], {}],
      ["dry run", [], {}],
      ["release", ["--passphrase-env=RELEASE_PASSPHRASE", "--passphrase-env=TOKEN_PIN"], secrets],
      ["verify", [], {}],
    ]);
    for (const secret of Object.values(secrets)) {
      for (const { args, above } of runs) expect(args.join(" ") + above).not.toContain(secret);
      expect(log).toContain(`::add-mask::${secret}\n`);
      expect(log.replaceAll(`::add-mask::${secret}`, "") + summary + JSON.stringify(outputs)).not.toContain(secret);
    }
  });

  it(`signs with an encrypted key only if the step names its passphrase${OF_SOME}`, async () => {
    const p = await product();
    const env = { P: "correct horse" };
    expect(
      await call(["keygen", "--passphrase-env", "P", "--out", "encrypted.pem"], {
        cwd: p.at("."),
        env: { PATH: process.env.PATH, ...env },
      }),
    ).toMatchObject({ exit: 0 });
    writeFileSync(p.at("firmseal.toml"), readFileSync(p.at("firmseal.toml"), "utf8").replace("release.pem", "encrypted.pem"));
    p.commit();
    const { outputs } = p.action({ mode: "candidate", version: "1.4.2" });
    const publish = (name, variables) =>
      p.action(
        {
          ...{ mode: "publish", version: "1.4.2", first: "true", "candidate-digest": outputs["candidate-digest"] },
          ...(name !== undefined && { "passphrase-env": name }),
        },
        variables,
      );
    const wrong = [
      // in the environment, and under the names of earlier inputs: not named, so not read
      [
        undefined,
        { RELEASE_PASSPHRASE: env.P, FIRMSEAL_PASSPHRASE: env.P, INPUT_PASSPHRASE: env.P },
        "the passphrase for encrypted.pem is needed",
      ],
      [
        "RELEASE_PASSPHRASE",
        { RELEASE_PASSPHRASE: "" },
        "the variable RELEASE_PASSPHRASE is empty; set it in env of the step, from a secret",
      ],
      ["RELEASE_PASSPHRASE", {}, "the variable RELEASE_PASSPHRASE is not set; set it in env of the step, from a secret"],
      ["RELEASE_PASSPHRASE", { RELEASE_PASSPHRASE: "wrong-one" }, "encrypted.pem: wrong passphrase"],
      ["RELEASE_PASSPHRASE", { RELEASE_PASSPHRASE: `${env.P}\n` }, "the passphrase contains a line break"],
      ["--passphrase-fd=0", {}, "passphrase-env: not the name of a variable"],
      ["__proto__", {}, "passphrase-env: not the name of a variable"],
      [env.P, {}, "passphrase-env: not the name of a variable"],
    ];
    for (const [name, variables, said] of some(wrong, 4)) {
      const r = publish(name, variables);
      expect([r.status, error(r)]).toEqual([1, expect.stringContaining(said)]);
      expect(r.summary).toContain("<h2>Refused</h2>");
      expect(error(r) + r.summary).not.toMatch(/correct|wrong-one/);
      expect([existsSync(p.at("dist")), existsSync(p.at("encrypted.pem.log"))]).toEqual([false, false]);
    }
    const { status, log } = publish("RELEASE_PASSPHRASE", { RELEASE_PASSPHRASE: env.P });
    expect(status, log).toBe(0);
    // as the command line: a key without a passphrase asks for none
    writeFileSync(p.at("firmseal.toml"), readFileSync(p.at("firmseal.toml"), "utf8").replace("encrypted.pem", "release.pem"));
    p.commit();
    rmSync(p.at("dist"), { recursive: true });
    const plain = p.action({ mode: "candidate", version: "1.4.2" });
    const digest = plain.outputs["candidate-digest"];
    const r = p.action(
      { mode: "publish", version: "1.4.2", first: "true", "candidate-digest": digest, "passphrase-env": "UNUSED" },
      { UNUSED: "x" },
    );
    expect(r.status, r.log).toBe(0);
  }, 240_000);

  it("names are text in the summary, and cannot begin Markdown there, or a command to the runner in the log", async () => {
    const p = await product();
    const toml = readFileSync(p.at("firmseal.toml"), "utf8");
    const [one, other] = ["::error::forged##[error]forged", "a\n\n# forged\n![x](y)\u202eg<h2>approved.bin"];
    for (const name of [one, other]) writeFileSync(join(p.at("images"), name), Buffer.alloc(100, 1));
    writeFileSync(p.at("firmseal.toml"), toml.replace('"gw.bin"', JSON.stringify(one)).replace('"sensor.bin"', JSON.stringify(other)));
    const { status, summary, log: shown } = p.action({ mode: "candidate", version: "1.4.2" });
    expect([status, summary.match(/forged/g)?.length], shown).toEqual([0, 6]);
    // Markdown begins after a blank line
    expect(summary).not.toMatch(/\n\s*\n|\u202e/);
    expect(summary).not.toContain("<h2>approved");
    expect(summary).toContain("g&#60;h2&#62;approved.bin");
    expect(outsideOf(shown)).not.toContain("::error::");
    // a program that writes what the product file says
    writeFileSync(p.at("echo.mjs"), 'process.stderr.write("  ::error::forged\\nx ##[error]forged\\n::stop-commands::x"); process.exit(1)');
    const { log } = p.action({ mode: "candidate", version: "1.4.2", program: p.at("echo.mjs") });
    expect(log).toContain("  ::error::forged\nx ##[error]forged\n::stop-commands::x");
    expect(outsideOf(log)).toContain("::error::firmseal ended with exit code 1");
  });

  it(`shows the error of the command line, in one line${OF_SOME}`, async () => {
    const p = await product();
    const wrong = [
      [{ version: "one" }, expect.stringContaining("version")],
      [{ product: "nowhere.toml" }, expect.stringContaining("nowhere.toml")],
      [{ candidate: "none/c.json" }, "candidate: the folder none does not exist; make it, or name another file"],
    ];
    for (const [inputs, said] of some(wrong, 3)) expect(error(p.action({ mode: "candidate", version: "1.0.0", ...inputs }))).toEqual(said);
    const missing = p.action({ mode: "publish", version: "1.0.0", "candidate-digest": "0".repeat(64), first: "true" });
    expect(error(missing)).toBe("candidate: the file firmseal-candidate.json does not exist; download what the candidate job uploaded");
    // before anything is tried
    expect(missing.log).not.toContain("power cuts");
    rmSync(p.at("release.pem"));
    const { outputs } = p.action({ mode: "candidate", version: "1.0.0" });
    const r = p.action({ mode: "publish", version: "1.0.0", "candidate-digest": outputs["candidate-digest"], first: "true" });
    expect([r.status, error(r)]).toEqual([1, expect.stringContaining("release.pem")]);
    expect(existsSync(p.at("dist"))).toBe(false);
  });

  it("declares the inputs that it reads, and the outputs that it writes", () => {
    const declared = readFileSync(`${ROOT}action/action.yml`, "utf8");
    const source = readdirSync(`${ROOT}action/src`)
      .map((name) => readFileSync(`${ROOT}action/src/${name}`, "utf8"))
      .join("\n");
    const names = (part) => [...part.matchAll(/^ {2}([\w-]+):$/gm)].map(([, name]) => name).sort();
    const [, inputs, outputs] = /^inputs:\n([\s\S]*?)^outputs:\n([\s\S]*?)^runs:/m.exec(declared);
    const read = new Set([...source.matchAll(/get(?:Boolean)?Input\("([\w-]+)"/g)].map(([, name]) => name));
    const written = new Set([...source.matchAll(/setOutput\("([\w-]+)"/g)].map(([, name]) => name));
    expect([...read].sort()).toEqual(names(inputs));
    expect([...written].sort()).toEqual(names(outputs));
  });
});
