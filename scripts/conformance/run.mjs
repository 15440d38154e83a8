// Runs one script on an engine, within a time and a size of output.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { starterOf } from "./engines.mjs";

/** Of one run: on a machine that has nothing else to do, the longest take ten, and six minutes under qemu. */
const SECONDS = 1200;
const MOST_OUTPUT = 200_000;

/** The script stays a file of its own: what the browser gives back is the page. */
const PAGE = `<!doctype html><meta charset="utf-8"><pre></pre>
<script>function print(line) { document.querySelector("pre").append(line + "\\n"); }</script>
<script src="player.js"></script>
`;

const decoded = (html) => html.replace(/&(lt|gt|amp);/g, (_, c) => ({ lt: "<", gt: ">", amp: "&" })[c]);

/** The last line of a run of the player, and the same when it is complete. */
export const SUMMARY = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/;
const OVER = new RegExp(`${SUMMARY.source}\\r?\\n`);

/**
 * Runs a program until it ends, the time is up, it has said too much, or with `over` what that matches. Espruino leaves
 * its flash as a file in `cwd`. { output, code, stopped: why it was ended, timeUp }.
 */
function run([command, ...args], cwd, seconds, over = undefined) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stopped = "";
    let finished = false;
    let timeUp = false;
    const stop = (why) => {
      stopped ||= why;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => {
      timeUp = !stopped;
      stop(`ended after ${seconds} s`);
    }, seconds * 1000);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("latin1").on("data", (text) => {
        if (finished) return;
        if (output.length < MOST_OUTPUT) output += text;
        else stop("says too much");
        finished = Boolean(over?.test(output));
        if (finished) child.kill("SIGKILL");
      });
    child.on("error", (error) => {
      stopped ||= error.message;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (finished) done({ output, stopped: "", code: 0, timeUp: false });
      else done({ output, stopped: stopped || (signal ? `ended by ${signal}` : ""), code, timeUp });
    });
  });
}

/**
 * What one script says on an engine, as run() gives it. `command` as locate() gives it. `over`: what the last line of
 * the script matches.
 */
export async function ask(engine, command, text, seconds = engine.seconds ?? SECONDS, over = OVER) {
  const folder = mkdtempSync(join(tmpdir(), "firmseal-engine-"));
  try {
    const file = join(folder, "player.js");
    const html = join(folder, "player.html");
    writeFileSync(file, text);
    if (engine.page) writeFileSync(html, PAGE);
    const main = engine.page ? html : file;
    const line = [...starterOf(engine, command), ...(engine.args ? engine.args(main) : [main])];
    const result = await run(line, folder, seconds, engine.console ? over : undefined);
    return engine.page ? { ...result, output: decoded(result.output) } : result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
