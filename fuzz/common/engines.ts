// JavaScript engines that play vectors with a bundle, one after the other, each in one process: Node and QuickJS-ng in
// this one, MuJS in one of its own for each bundle.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";
import * as variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import { newQuickJSWASMModuleFromVariant } from "quickjs-emscripten-core";
import { onPath } from "../../scripts/test/engines.mjs";

/** Plays vectors, as JSON, and returns the lines that the player prints. */
export type Play = (vectors: string) => Promise<string[]>;

export interface Engine {
  name: string;
  /** It takes plain arrays only. */
  plain?: boolean;
  /** `script`: text that declares play(), a function of the list of vectors. */
  load(script: string): Promise<Play>;
}

const node: Engine = {
  name: "Node",
  async load(script) {
    const lines: string[] = [];
    const context = vm.createContext({ print: (line: string) => lines.push(line) });
    vm.runInContext(script, context);
    const play = vm.runInContext("(function (text) { play(JSON.parse(text)); })", context) as (text: string) => void;
    return async (vectors) => {
      lines.length = 0;
      play(vectors);
      return [...lines];
    };
  },
};

const quickjs: Engine = {
  name: "QuickJS-ng",
  async load(script) {
    const context = (await newQuickJSWASMModuleFromVariant(variant as never)).newContext();
    const lines: string[] = [];
    const print = context.newFunction("print", (line) => void lines.push(context.getString(line)));
    context.setProp(context.global, "print", print);
    context.unwrapResult(context.evalCode(script)).dispose();
    return async (vectors) => {
      lines.length = 0;
      context.unwrapResult(context.evalCode(`play(${vectors});`)).dispose();
      return [...lines];
    };
  },
};

/** The last line of the answer to one list of vectors. */
const OVER = "fuzz: over";

const mujs: Engine = {
  name: "MuJS",
  plain: true,
  async load(script) {
    const folder = mkdtempSync(join(tmpdir(), "firmseal-mujs-"));
    const [main, input] = ["main.js", "input.json"].map((name) => join(folder, name)) as [string, string];
    const loop = `while (typeof readline() === "string") { play(JSON.parse(read(${JSON.stringify(input)}))); print("${OVER}"); }`;
    writeFileSync(main, `${script}\n${loop}\n`);
    const child = spawn("mujs", [main], { stdio: ["pipe", "pipe", "inherit"] });
    process.once("exit", () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    let text = "";
    let came = () => {};
    child.stdout.setEncoding("latin1").on("data", (more) => {
      text += more;
      came();
    });
    child.on("close", () => came());
    return async (vectors) => {
      text = "";
      writeFileSync(input, vectors);
      child.stdin.write("\n");
      while (!text.includes(`${OVER}\n`)) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`MuJS ended: ${text.slice(-500)}`);
        await new Promise<void>((done) => {
          came = done;
        });
      }
      return text.split("\n").slice(0, -2);
    };
  },
};

/** With CI set, none is left out. */
export const ENGINES = [node, quickjs, ...(onPath("mujs") || process.env["CI"] ? [mujs] : [])];
