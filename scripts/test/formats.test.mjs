// The table of docs/guides/bundles.md about formats and engines: each engine that is there loads a format, or fails
// with the error that the table names. Others run with their variables, as for the vectors.

import { readFileSync } from "node:fs";
import { encode, privateKey, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { minifiedBundle } from "../../packages/bundler/src/bundle.ts";
import { asScript } from "../conformance/bundles.mjs";
import { locate, PLAYERS } from "../conformance/engines.mjs";
import { ask } from "../conformance/run.mjs";

const [, TABLE] = readFileSync(new URL("../../docs/guides/bundles.md", import.meta.url), "utf8").split("| Engine |");
const [head, , ...lines] = `| Engine |${TABLE}`.split("\n\n")[0].split("\n");
const cells = (line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").replaceAll("`", ""));
const FORMATS = cells(head).slice(1);
const rows = Object.fromEntries(lines.map(cells).map(([engine, ...said]) => [engine, said]));

const asModule = (file) => ["--module", file];
/** How engines run a file as an ES module. The others get it as a script. */
const MODULE = {
  node: { args: (file) => ["--input-type=module", "--eval", readFileSync(file, "utf8")] },
  qjs: { args: asModule },
  "qjs-ng": { args: asModule },
  jerry: { args: asModule },
  "jerry-arm": { args: asModule },
  // a module from a file has no origin there
  chromium: {
    text: (code) => `var module = document.createElement("script");
module.type = "module";
module.textContent = ${JSON.stringify(code).replaceAll("<", "\\x3c")};
document.body.append(module);`,
  },
};
/** Without a way to run modules: QuickJS-ng in WebAssembly evaluates a text. */
const SCRIPTS_ONLY = ["qjs-ng-wasm"];

/** The last line, or an error: Espruino continues as a console. */
const OVER = /\d+ passed, \d+ failed\r?\n|Error\b.*\r?\n/;

const bundles = {};
let use;

beforeAll(async () => {
  const one = signer(privateKey("ed25519", new Uint8Array(32).fill(7)));
  const facts = { sequence: "7", vendor: "example.com", class: "board-v2", digest: "00".repeat(32), size: 4 };
  const release = singleImage({ ...facts, uri: "#firmware", payload: { hex: "01020304" } });
  const octets = (bytes) => `octets(${JSON.stringify([...bytes])})`;
  for (const format of FORMATS)
    for (const [verifier, own] of Object.entries({ general: {}, micro: { micro: [] } }))
      bundles[`${format} ${verifier}`] = await minifiedBundle({ algs: ["ed25519"], features: [], format, ...own });
  use = `
function octets(list) { return typeof Uint8Array === "undefined" ? list : new Uint8Array(list); }
var said = typeof print === "function" ? print : function (line) { console.log(line); };
var opened = firmseal.open(${octets(await signEnvelopeWithoutLog(encode(release), [one]))}, { anchors: [firmseal.anchor("ed25519", ${octets(one.publicKey)})] });
said(opened.sequence.join() === "0,7" ? "1 passed, 0 failed" : "FAIL");
`;
});

it("the table has a row for every engine, and a column for every format of a verifier", () => {
  expect(Object.keys(rows)).toEqual([...new Set(PLAYERS.map(({ title }) => title))]);
  expect(FORMATS).toEqual(["umd", "espruino", "script", "module"]);
});

/** Format, verifier, and what the table says, of an engine. */
const cases = ({ name, title }) =>
  FORMATS.flatMap((format, i) =>
    format === "module" && SCRIPTS_ONLY.includes(name)
      ? []
      : ["general", "micro"].map((verifier) => [format, verifier, rows[title][i]]).filter(([, , said]) => said !== "not tried"),
  );

const there = PLAYERS.filter((engine) => !locate(engine).skipped || locate(engine).failed);
describe.each(there.map((engine) => [engine.name, engine]))("%s", (name, engine) => {
  it.each(cases(engine))(
    "format %s, %s verifier: %s",
    async (format, verifier, said) => {
      const { command } = locate(engine);
      const how = (format === "module" && MODULE[name]) || {};
      const bundle = bundles[`${format} ${verifier}`];
      const code = (format === "espruino" && engine.console ? asScript(bundle) : bundle) + use;
      const { output } = await ask({ ...engine, ...how }, command, how.text?.(code) ?? code, 300, OVER);
      const opened = /\b1 passed, 0 failed\r?\n/.test(output);
      // the shell of Hermes compiles first, and its compiler says no more than "error:"
      expect(opened ? "yes" : (output.match(/SyntaxError|ReferenceError|\berror(?=:)/)?.[0] ?? output.slice(0, 300))).toBe(said);
    },
    320_000,
  );
});
