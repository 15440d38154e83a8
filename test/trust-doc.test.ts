// The walk-through of docs/guides/trust.md, run as a reader would, in the order of the text. Its JavaScript is run over what it has made.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { afterAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "firmseal-trust-doc-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blocks = [...readFileSync(join(root, "docs/guides/trust.md"), "utf8").matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)];
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

it.skipIf(!hasOpenssl)(
  `docs/guides/trust.md works from top to bottom${hasOpenssl ? "" : " (skipped: no openssl)"}`,
  async () => {
    const script = blocks
      .map(([, kind = "", text = ""]) => {
        const [language, name] = kind.split(" ");
        return language === "sh" ? text : language === "json" && name ? `cat > ${name} <<'END'\n${text}END\n` : "";
      })
      .join("");
    const input = `alias firmseal="node ${join(root, "packages/cli/bin/firmseal.js")}"\n${script}`;
    const { status, stderr } = spawnSync("bash", ["-O", "expand_aliases", "-eu"], {
      cwd: folder,
      input,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^board\.trust: signed by 2 roots \(needed: 2\)$/m);
    expect(stderr).toMatch(/^app\.suit: good, sequence number 7, signed by ed25519 [0-9a-f]{16}… \(release, recovery\)$/m);
    expect(stderr).toMatch(/^app\.suit: installed, sequence number 7$/m);
    expect(stderr).toMatch(/^next\.trust: board, sequence number 2, /m);
    expect(stderr).toMatch(/^next\.trust: good, board, sequence number 2, 4 keys$/m);

    const { identityUuids } = await import("@firmseal/signer");
    const { memoryDevice } = await import("@firmseal/verifier/device/memory");
    const id = identityUuids("example.com", "board-v2");
    const device = memoryDevice({ vendor: [id.vendor], class: [id.class] }, [[[0]]], 64);
    const read = (name: string) => readFileSync(join(folder, name));
    const context = vm.createContext({ device, envelope: read("app.suit"), bytes: read("next.trust") });
    for (const name of ["firmseal.js", "board-trust.js"]) vm.runInContext(read(name).toString(), context);
    const examples = blocks.filter(([, kind]) => kind === "js").map(([, , text]) => text as string);
    expect(examples).toHaveLength(2);
    for (const text of examples) vm.runInContext(text, context);
    expect(vm.runInContext("[store.sequence[1], next.sequence[1], trust.need, trust.anchors.length]", context)).toEqual([1, 2, 1, 1]);
  },
  120_000,
);
