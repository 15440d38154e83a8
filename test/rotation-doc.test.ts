// The walk-through of docs/guides/rotation.md, run as a reader would, in the order of the text; and its device, over what that has made.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { identityUuids } from "@firmseal/signer";
import { boot, embeddedTrust, install, nextTrust, policyOf } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { afterAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "firmseal-rotation-doc-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blocks = [...readFileSync(join(root, "docs/guides/rotation.md"), "utf8").matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(
  ([, kind = "", text = ""]) => ({ kind, text }),
);

it("docs/guides/rotation.md works from top to bottom, and its device follows", { timeout: 300_000 }, () => {
  const script = blocks
    .map(({ kind, text }) => {
      const [language, name] = kind.split(" ");
      return language === "sh" ? text : language === "json" && name ? `cat > ${name} <<'END'\n${text}END\n` : "";
    })
    .join("");
  const input = `alias firmseal="node ${join(root, "packages/cli/bin/firmseal.js")}"\n${script}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-O", "expand_aliases", "-eu"], {
    cwd: folder,
    input,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FIRMSEAL_STATE: join(folder, "state") },
  });
  expect(status, stderr).toBe(0);
  for (const { kind, text } of blocks) if (kind === "text plan") expect(stdout).toContain(text);
  // the plan without the bridge, and the key that somebody still needs
  expect(stdout.match(/^exit 1$/gm)).toHaveLength(2);
  expect(stderr).toMatch(/500 devices would be left behind: shelf; shelf: no later release can reach it: 1 of its release keys remain/);
  const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8"));
  expect(plan).toMatchObject({ ok: true, devices: { total: 10000, moved: 10000 } });

  const read = (name: string) => readFileSync(join(folder, name));
  const id = identityUuids("example.com", "board-v2");
  const device = memoryDevice({ vendor: [id.vendor], class: [id.class] }, [[[0]], [[116, 114, 117, 115, 116]]], 100_000);
  let file: ArrayLike<number> = read("first.trust");
  const kept = {
    read: () => file,
    write(bytes: ArrayLike<number>) {
      file = bytes;
    },
  };
  const firmseal = { embeddedTrust, nextTrust, policyOf, boot };
  const context = vm.createContext({ firmseal, device, kept });
  vm.runInContext(blocks.find(({ kind }) => kind === "js device.js")?.text as string, context);
  for (const [name, trust] of [
    ["10.suit", 1],
    ["20.suit", 2],
    ["21.suit", 2],
  ] as const) {
    install(read(name), policyOf(embeddedTrust(file), 2, device.identity), device).next();
    vm.runInContext("start(device, kept)", context);
    expect(embeddedTrust(file).sequence).toEqual([0, trust]);
  }
  expect(device.invoked).toHaveLength(3);
});
