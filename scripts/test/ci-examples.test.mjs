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
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { OF_SOME, some } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { CI_PRODUCT, ciSystems, example, gitlabJobs, projectJobs } from "./ci-examples.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let folder;
let env;

function shell(script, cwd, more = {}) {
  const { status, stdout, stderr } = spawnSync("bash", ["-e", "-c", script], { cwd, env: { ...env, ...more }, encoding: "utf8" });
  return { status, stdout, stderr };
}

beforeAll(() => {
  folder = temporaryFolder("firmseal-ci-");
  for (const name of ["bin", "product"]) mkdirSync(join(folder, name));
  const program = join(folder, "bin/firmseal");
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${ROOT}packages/cli/bin/firmseal.js" "$@"\n`);
  chmodSync(program, 0o755);
  env = {
    ...{ PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder, FIRMSEAL_STATE: join(folder, "state") },
    ...{ NO_COLOR: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  };
  expect(shell(CI_PRODUCT, join(folder, "product"))).toMatchObject({ status: 0 });
  env.RELEASE_KEY = readFileSync(join(folder, "release.pem"), "utf8");
}, 120_000);

/** A checkout in which a system runs. The key is there for the release only. */
function checkout(name) {
  const place = mkdtempSync(join(folder, `${name}-`));
  const here = join(place, "work");
  const tmp = join(place, "tmp");
  mkdirSync(tmp);
  cpSync(join(folder, "product"), here, { recursive: true });
  const { at, env: own, clean, candidate, release } = ciSystems(here, tmp)[name];
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
    candidate: (more) => shell(candidate, here, { ...own, RELEASE_KEY: "", ...more }),
    release: (more) => shell(release, here, { ...own, ...more }),
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
    expect(p.release()).toMatchObject({ status: 1, stderr: expect.stringContaining("this is not the candidate ") });
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
    ["an empty digest", "v1.4.2 images ''", "this is not the candidate "],
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
    expect([status === 0, stderr]).toEqual([false, expect.stringContaining("release.sh VERSION IMAGES [DIGEST]")]);
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
    const looked = run(p, "v1.4.2 images");
    expect(looked).toMatchObject({ status: 0 });
    rmSync(join(p.here, "images/build"), { recursive: true });
    symlinkSync("b", join(p.here, "images/build"));
    expect(run(p, `v1.4.2 images ${looked.stdout}`)).toMatchObject({ status: 1 });
  });

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
    // the variables of GitLab itself, and what the script has set
    const used = [...new Set(text.match(/\$\{?[A-Za-z_]\w*/g))];
    expect(used.filter((name) => !name.startsWith("$CI_"))).toEqual(["$candidate"]);
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
      '$(cat "$WORKSPACE_TMP/candidate")',
    ];
    const places = steps.map((words) => text.indexOf(words));
    expect([places.includes(-1), places]).toEqual([false, [...places].sort((a, b) => a - b)]);
    expect(text).toContain("submitter: '");
  });
});
