// The recipes for CI systems, with the command line of this checkout. Each follows the rules of the guide: it takes
// nothing but images from other jobs, a person sees the candidate before the key is used, and that candidate is what is
// released.

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
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
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import {
  CI_PASSPHRASE,
  CI_PRODUCT,
  ciSystems,
  example,
  gitlabJobs,
  jenkinsLines,
  projectJobs,
  runMatrix,
  withProgram,
} from "./ci-examples.mjs";

let folder;
let env;

function shell(script, cwd, more = {}) {
  const { status, stdout, stderr } = spawnSync("bash", ["-e", "-c", script], { cwd, env: { ...env, ...more }, encoding: "utf8" });
  return { status, stdout, stderr };
}

beforeAll(() => {
  folder = temporaryFolder("firmseal-ci-");
  env = withProgram(folder, "product");
  expect(shell(CI_PRODUCT, join(folder, "product"))).toMatchObject({ status: 0 });
}, 120_000);

/** What a refused release says first. */
const REFUSED = /^not the candidate \(<\), but this \(>\): run its job again, and look at it$/m;

/** A checkout in which a system runs. The key and its passphrase are there for the release only. */
function checkout(name) {
  const place = mkdtempSync(join(folder, `${name}-`));
  const here = join(place, "work");
  const tmp = join(place, "tmp");
  mkdirSync(tmp);
  cpSync(join(folder, "product"), here, { recursive: true });
  const { at, env: own, clean, candidate, release, secrets } = ciSystems(here, tmp, join(folder, "release.pem"))[name];
  return {
    here,
    put(path, text) {
      mkdirSync(dirname(join(here, path)), { recursive: true });
      writeFileSync(join(here, path), text);
    },
    images: () => {
      expect(shell(clean, here, own)).toMatchObject({ status: 0 });
      cpSync(join(folder, "images"), join(here, "images"), { recursive: true });
    },
    commit: (change) => {
      const name = "git -c user.name=t -c user.email=t@example.com commit -q -a -m x";
      expect(shell(`${change}; ${name}; git update-ref refs/remotes/origin/main HEAD`, here)).toMatchObject({ status: 0 });
    },
    candidate: (more) => shell(candidate, here, { ...own, ...more }),
    release: (more) => shell(release, here, { ...own, ...secrets, ...more }),
    written: () => join(at === "." ? tmp : here, "candidate"),
    dist: () => (existsSync(join(here, at, "dist")) ? readdirSync(join(here, at, "dist")) : []),
  };
}

describe.each(some(["gitlab", "plain", "jenkins"], 3))(`the recipe for a system: %s${OF_SOME}`, (name) => {
  it("describes a candidate without a key, releases that, again without change, and no other build", () => {
    const p = checkout(name);
    p.images();
    const looked = p.candidate();
    expect(looked).toMatchObject({ status: 0, stderr: expect.stringContaining("env:RELEASE_KEY") });
    expect(p.dist()).toEqual([]);
    expect(p.release()).toMatchObject({ status: 0, stderr: expect.stringContaining(": good, board gateway") });
    expect(p.dist()).toEqual(["1.4.2"]);
    expect(p.candidate()).toMatchObject({ status: 0 });
    expect(p.release()).toMatchObject({ status: 0 });
    // what the build gives after a person has looked
    appendFileSync(join(p.here, "images/gateway.bin"), "x");
    expect(p.release()).toMatchObject({ status: 1, stderr: expect.stringMatching(REFUSED) });
  }, 120_000);

  it("reads the passphrase only from the variable that the script of the branch names", () => {
    const p = checkout(name);
    p.images();
    expect(p.candidate()).toMatchObject({ status: 0 });
    const refused = (variables, said) => {
      const r = p.release(variables);
      expect([r.status, r.stderr]).toEqual([3, expect.stringContaining(said)]);
      expect(r.stdout + r.stderr).not.toContain("wrong-one");
      expect(p.dist()).toEqual([]);
    };
    refused({ RELEASE_PASSPHRASE: "" }, "environment variable RELEASE_PASSPHRASE: the passphrase is empty");
    refused({ RELEASE_PASSPHRASE: undefined, passphrases: "OTHER", OTHER: CI_PASSPHRASE }, "variable RELEASE_PASSPHRASE is not set");
    refused({ RELEASE_PASSPHRASE: "wrong-one" }, "wrong passphrase");
    p.commit("sed -i 's/^passphrases=.*/passphrases=/' ci/release.sh");
    expect(p.candidate()).toMatchObject({ status: 0 });
    refused({}, "the passphrase for env:RELEASE_KEY is needed");
    p.commit("sed -i 's/^passphrases=.*/passphrases=\"not-a-name\"/' ci/release.sh");
    expect(p.candidate()).toMatchObject({ status: 0 });
    refused({}, "the environment variable of this name is not set");
  }, 120_000);

  it("needs an earlier release", () => {
    const p = checkout(name);
    p.images();
    p.commit("git rm -q releases/release.json");
    expect(p.candidate()).toMatchObject({ status: 3, stderr: expect.stringContaining("--previous-release releases/release.json") });
    expect(p.candidate().stderr).not.toContain("would be released");
  });

  it("compares with the earlier release of the branch, whatever the environment says", () => {
    const p = checkout(name);
    p.images();
    p.commit('sed -i \'s/1[.]4[.]1/1.4.9/; s/"sequence": "[0-9]*"/"sequence": "4503616807239680"/\' releases/release.json');
    for (const more of [{}, { FIRST: "true", first: "true", PROTECTED_BRANCH: "other", branch: "other" }])
      expect(p.candidate(more)).toMatchObject({ status: 1, stderr: expect.stringMatching(/lower|1[.]4[.]9/) });
  });

  it("says that nothing is compared, where the branch says that this is the first release", () => {
    const p = checkout(name);
    p.images();
    p.commit("sed -i 's/^first=false$/first=true/' ci/release.sh");
    expect(p.candidate()).toMatchObject({ status: 1, stderr: expect.stringContaining("but main has releases/release.json") });
    p.commit("git rm -q releases/release.json");
    expect(p.candidate()).toMatchObject({ status: 0, stderr: expect.stringContaining("no earlier release is compared") });
  });
});

// GitLab clones the protected branch, beside what other jobs have left
describe.each(some(["plain", "jenkins"], 2))(`the checkout of a system: %s${OF_SOME}`, (name) => {
  it.each(
    some(
      [
        ["an earlier release", "last/release.json"],
        ["settings of npm", ".npmrc"],
        ["an ignored file", "build/release.json"],
        ["another release", "dist/1.4.0/release.json"],
        ["a changed product file", "firmseal.toml"],
        ["a changed earlier release", "releases/release.json"],
      ],
      3,
    ),
  )("is refused with %s", (_, path) => {
    const p = checkout(name);
    p.images();
    expect(p.candidate()).toMatchObject({ status: 0 });
    p.put(path, "{}");
    // git names an ignored folder, and not what is in it
    const [top] = path.split("/");
    for (const one of [p.candidate(), p.release()])
      expect(one).toMatchObject({ status: 1, stderr: expect.stringMatching(new RegExp(`^not as main has it:\\n.*${top}`)) });
    expect(existsSync(join(p.here, "dist/1.4.2"))).toBe(false);
  });
});

it("what other jobs have left in the folder of GitLab is not read", () => {
  const p = checkout("gitlab");
  p.images();
  for (const path of ["firmseal.toml", "releases/release.json", "ci/release.sh", ".npmrc"]) p.put(path, "exit 7");
  expect(p.candidate()).toMatchObject({ status: 0 });
  expect(p.release()).toMatchObject({ status: 0 });
});

describe("release.sh", () => {
  const run = (p, args) => shell(`sh ci/release.sh ${args}`, p.here);
  it.each([
    ["an empty candidate", "v1.4.2 images ''", "'' is not a file: give the candidate"],
    ["a candidate that does not exist", "v1.4.2 images ../none", "'../none' is not a file"],
    ["a folder as the candidate", "v1.4.2 images ../tmp", "'../tmp' is not a file"],
    ["itself as the candidate", "v1.4.2 images - < /dev/null", "'-' is not a file"],
    ["a file without its parts", "v1.4.2 images ../../release.pem", "not the candidate (<), but this (>)"],
    ["images among the files of the branch", "v1.4.2 releases", "images need a folder of their own"],
    ["images that are the checkout", "v1.4.2 .", "images need a folder of their own"],
  ])("refuses %s", (_, args, words) => {
    const p = checkout("plain");
    p.images();
    expect(run(p, args)).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining(words) });
  });

  it.each([
    ["no version", "'' images"],
    ["no folder", "v1.4.2 ''"],
  ])("refuses %s", (_, args) => {
    const p = checkout("plain");
    p.images();
    const { status, stderr } = run(p, args);
    expect([status === 0, stderr]).toEqual([false, expect.stringContaining("release.sh VERSION IMAGES [CANDIDATE]")]);
  });

  it.each([
    ["a linked folder", (at) => symlinkSync("a", at("images/linked"))],
    ["a link to nothing", (at) => symlinkSync("nothing", at("images/linked"))],
    [
      "a linked image",
      (at) => {
        renameSync(at("images/gateway.bin"), at("images/a/gateway.bin"));
        symlinkSync("a/gateway.bin", at("images/gateway.bin"));
      },
    ],
    ["a FIFO", (at) => expect(spawnSync("mkfifo", [at("images/pipe")]).status).toBe(0)],
    [
      "a link as the folder",
      (at) => {
        renameSync(at("images"), at("../images"));
        symlinkSync("../images", at("images"));
      },
    ],
  ])("pins no image through %s", (_, make) => {
    const p = checkout("plain");
    p.images();
    p.put("images/a/other.bin", "x");
    make((path) => join(p.here, path));
    for (const one of [p.candidate(), p.release()])
      expect(one).toMatchObject({ status: 1, stderr: expect.stringMatching(/^neither a file nor a folder/) });
    expect(p.dist()).toEqual([]);
  });

  it("signs other bytes behind a linked folder under no digest", () => {
    const p = checkout("plain");
    for (const which of ["a", "b"]) p.put(`images/${which}/gateway.bin`, which.repeat(4_096));
    p.commit('sed -i \'s,"gateway.bin","build/gateway.bin",\' firmseal.toml');
    symlinkSync("a", join(p.here, "images/build"));
    expect(run(p, "v1.4.2 images")).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("images/build") });
    rmSync(join(p.here, "images/build"));
    cpSync(join(p.here, "images/a"), join(p.here, "images/build"), { recursive: true });
    expect(p.candidate()).toMatchObject({ status: 0 });
    rmSync(join(p.here, "images/build"), { recursive: true });
    symlinkSync("b", join(p.here, "images/build"));
    expect(p.release()).toMatchObject({ status: 1, stderr: expect.stringContaining("images/build") });
  });

  it("says which part differs from the candidate", () => {
    const p = checkout("plain");
    p.images();
    p.put("images/other.bin", "x");
    expect(p.candidate()).toMatchObject({ status: 0 });
    const candidate = readFileSync(p.written(), "utf8");
    const commit = shell("git rev-parse HEAD", p.here).stdout;
    expect(candidate).toMatch(
      new RegExp(`^version 1\\.4\\.2\ncommit ${commit}(\\d+ (blob|tree) [0-9a-f]+\t.*\n)+([0-9a-f]{64} {2}\\./.*\n){2}$`),
    );
    const named = (change, ...lines) => {
      shell(change, p.here);
      const { status, stderr } = p.release();
      expect([status, stderr]).toEqual([1, expect.stringMatching(REFUSED)]);
      const found = stderr.split("\n").filter((line) => /^[<>]/.test(line));
      expect(found).toEqual(lines.map((line) => expect.stringMatching(line)));
      expect(p.dist()).toEqual([]);
    };
    named("echo x >> images/gateway.bin", /^< [0-9a-f]{64} {2}.\/gateway.bin$/, /^> [0-9a-f]{64} {2}.\/gateway.bin$/);
    named("cp ../../images/gateway.bin images; rm images/other.bin", /^< [0-9a-f]{64} {2}.\/other.bin$/);
    named("printf x > images/other.bin; printf x > images/new.bin", /^> [0-9a-f]{64} {2}.\/new.bin$/);
    shell("rm images/new.bin", p.here);
    p.commit("sed -i 's/name = .acme./name = \"other\"/' firmseal.toml");
    named("true", /^< commit/, /^> commit/, /^< .*\tfirmseal.toml$/, /^> .*\tfirmseal.toml$/);
    shell("git reset -q --hard HEAD^; git update-ref refs/remotes/origin/main HEAD", p.here);
    p.commit(
      "git rm -q releases/release.json; mkdir -p releases; cp ../../product/releases/release.json releases/r.json; git add releases",
    );
    named("true", /^< commit/, /^> commit/, /^< .*\treleases$/, /^> .*\treleases$/);
    shell("git reset -q --hard HEAD^; git update-ref refs/remotes/origin/main HEAD", p.here);
    expect(run(p, 'v1.4.3 images "$T/candidate"'.replace("$T/candidate", p.written()))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("< version 1.4.2\n---\n> version 1.4.3\n"),
    });
    // what another job has written there is not a command to the terminal
    writeFileSync(p.written(), "\u001b[2J\u009b");
    expect(p.release().stderr).not.toMatch(/[^\t\n -~]/);
  }, 120_000);

  it.each([
    ["a line break", "a\nversion 9"],
    ["a command to the terminal", "a\u001b[2K"],
    ["another direction", "a\u202eb"],
  ])("pins no image whose name has %s", (_, name) => {
    const p = checkout("plain");
    p.images();
    p.put(`images/${name}`, "x");
    const r = p.candidate();
    expect([r.status, r.stdout]).toEqual([1, ""]);
    expect(r.stderr).toMatch(/^neither a file nor a folder with a name in ASCII/);
    expect(r.stderr).not.toMatch(/[^\t\n -~]/);
  });

  it("gives two keys their passphrases in the order of the setting", () => {
    const p = checkout("plain");
    p.images();
    const two = { RELEASE_PASSPHRASE: CI_PASSPHRASE, SECOND: "second" };
    const keys = join(p.here, "..");
    expect(shell(`firmseal keygen --passphrase-env SECOND --out ${keys}/second.pem`, p.here, two)).toMatchObject({ status: 0 });
    expect(shell(`firmseal pubkey ${keys}/second.pem --passphrase-env SECOND --out second.pub`, p.here, two)).toMatchObject({ status: 0 });
    const toml = 's/"env:RELEASE_KEY"/["env:RELEASE_KEY", "env:SECOND_KEY"]/; s/"release.pub"/["release.pub", "second.pub"]/';
    p.commit(
      `git add second.pub; sed -i '${toml}' firmseal.toml; sed -i 's/^passphrases=.*/passphrases="RELEASE_PASSPHRASE SECOND"/' ci/release.sh`,
    );
    expect(p.candidate()).toMatchObject({ status: 0 });
    const given = { ...two, SECOND_KEY: readFileSync(join(keys, "second.pem"), "utf8") };
    expect(p.release({ ...given, SECOND: CI_PASSPHRASE })).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("wrong passphrase"),
    });
    expect(p.dist()).toEqual([]);
    expect(p.release(given)).toMatchObject({ status: 0 });
  }, 120_000);

  it.each(["find", "sha256sum", "sort"])("pins nothing if %s fails", (name) => {
    const p = checkout("plain");
    p.images();
    const bin = mkdtempSync(join(folder, "failing-"));
    writeFileSync(join(bin, name), "#!/bin/sh\nexit 7\n");
    chmodSync(join(bin, name), 0o755);
    const { status, stdout } = shell("sh ci/release.sh v1.4.2 images", p.here, { PATH: `${bin}:${env.PATH}` });
    expect([status === 0, stdout]).toEqual([false, ""]);
  });

  it("hashes its own images, whatever CDPATH says", () => {
    const p = checkout("plain");
    p.images();
    const elsewhere = mkdtempSync(join(folder, "elsewhere-"));
    mkdirSync(join(elsewhere, "images"));
    const { stdout } = run(p, "v1.4.2 images");
    expect(shell("sh ci/release.sh v1.4.2 images", p.here, { CDPATH: elsewhere })).toMatchObject({ status: 0, stdout });
  });

  it("refuses the checkout of another commit", () => {
    const p = checkout("plain");
    p.images();
    shell("git -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m x", p.here);
    expect(run(p, "v1.4.2 images")).toMatchObject({ status: 1, stderr: "this is not the checkout of main\n" });
  });
});

it("the workflow with a board in each job makes one release of them", async () => {
  const { status, stderr } = await runMatrix(join(folder, "matrix"), env, "true");
  expect(status, stderr).toBe(0);
  for (const board of ["one", "two"]) expect(stderr).toContain(`: good, board ${board}, version 1.4.2, `);
}, 120_000);

describe("who can change a recipe", () => {
  it("GitLab: the jobs are those of the protected branch, and a person starts the one in the environment", () => {
    const jobs = gitlabJobs(example("gitlab/templates/firmseal.yml"));
    const { "firmseal-check": check, "firmseal-candidate": candidate, "firmseal-release": release } = jobs;
    expect(Object.keys(jobs)).toHaveLength(3);
    for (const { rules } of [candidate, release])
      for (const rule of rules)
        for (const words of ["$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && ", '$CI_COMMIT_REF_PROTECTED == "true" && '])
          expect(rule.if).toContain(words);
    expect(release.rules.map(({ when }) => when)).toEqual(["manual"]);
    expect([check.environment, candidate.environment, release.environment]).toEqual([undefined, undefined, "release"]);
    // variables of a dotenv report come from the jobs that are needed, and else from all earlier ones
    expect([candidate.needs, release.needs]).toEqual([["build"], ["build", "firmseal-candidate"]]);
    for (const { artifacts } of Object.values(jobs)) expect(artifacts?.reports).toBeUndefined();
  });

  it("GitLab: a person who starts the pipeline gives a tag, and nothing else", () => {
    const text = example("gitlab/templates/firmseal.yml");
    // the variables of GitLab itself
    const used = [...new Set(text.match(/\$\{?[A-Za-z_]\w*/g))];
    expect(used.filter((name) => !name.startsWith("$CI_"))).toEqual([]);
    for (const tag of ["v1.4.2", "v1.4.2-rc.1", "v1.4.2+7"])
      expect(gitlabJobs(text, { tag })["firmseal-release"].rules[0].if).toContain(`&& "${tag}" != ""`);
    expect(gitlabJobs(text)["firmseal-release"].rules[0].if).toContain('&& "" != ""');
    for (const tag of ["1.4.2", "v1.4.2;id", "v1.4.2$(id)", 'v1.4.2"', "v1.4.2\n", "--first", "v1.4.2 x", "v1.4.2/../x"]) {
      expect(() => gitlabJobs(text, { tag }), tag).toThrow("input tag must not be");
      expect(() => projectJobs(example("gitlab/project.yml"), { tag }), tag).toThrow("input tag must not be");
    }
  });

  it("GitLab: the images are of the tag", () => {
    const p = checkout("gitlab");
    const tag = "echo 'images: ; mkdir images; echo tagged > images/x' > Makefile; git add Makefile";
    p.commit(tag);
    p.commit("git tag v1.4.2; sed -i s/tagged/later/ Makefile; git branch v1.4.2; git remote add origin .");
    for (const [inputs, made] of [
      [{ tag: "v1.4.2" }, "tagged\n"],
      [{}, "later\n"],
    ]) {
      shell("git checkout -q main; rm -rf images", p.here);
      const { script } = projectJobs(example("gitlab/project.yml"), inputs).build;
      expect(shell(script.join("\n"), p.here)).toMatchObject({ status: 0 });
      expect(readFileSync(join(p.here, "images/x"), "utf8")).toBe(made);
    }
  });

  it("Jenkins: a person sees the candidate before the credentials are there", () => {
    const text = example("Jenkinsfile");
    const steps = [
      "git clean -f -f -d -x",
      "build(job: 'build', parameters: [string(name: 'TAG', value: params.TAG)])",
      "copyArtifacts(projectName: 'build', selector: specific(built.",
      'images > "$WORKSPACE_TMP/candidate"',
      "input(",
      "withCredentials(",
      'sh ci/release.sh "$TAG" images "$WORKSPACE_TMP/candidate"',
    ];
    const places = steps.map((words) => text.indexOf(words));
    expect([places.includes(-1), places]).toEqual([false, [...places].sort((a, b) => a - b)]);
    expect(text).toContain("submitter: '");
    // Jenkins runs each step with -xe, and masks nothing of a secret file
    const step = jenkinsLines(text)
      .at(-1)
      .replace(/ sh ci\/release\.sh .*/, " true");
    const keyFile = join(temporaryFolder("jenkins"), "key");
    writeFileSync(keyFile, "-----BEGIN SECRET");
    const { status, stdout, stderr } = spawnSync("sh", ["-xe", "-c", step], {
      env: { ...process.env, KEY_FILE: keyFile },
      encoding: "utf8",
    });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.not.stringContaining("SECRET")]);
  });
});
