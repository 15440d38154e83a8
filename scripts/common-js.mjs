// For the built command line: CommonJS from the ES modules that esbuild has split. Node's loader for CommonJS costs less at the start, and a module
// that is imported is read and run only when something of it is first used, as Babel does with `lazy`. A command that scripts start again and again
// has all that it needs in one file.

import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename } from "node:path";
import { Script } from "node:vm";
import { transform } from "esbuild";

const OPTIONS = { format: "cjs", platform: "node", target: "node20.19", minifyWhitespace: true, minifySyntax: true, logLevel: "warning" };

/** What esbuild makes of exports in CommonJS, behind its helpers. */
const EXPORTS = /^.*?var stdin_exports=\{\};(?:__export\(stdin_exports,(\{.*?\})\);)?module\.exports=__toCommonJS\(stdin_exports\);/s;
const REQUIRED = /\b(import_\w+)=(?:__toESM\(require\("([^"]+)"\)(?:,1)?\)|require\("([^"]+)"\))/g;
/** The same of `import * as name`. The name may be any, so it is not replaced. */
const NAMESPACE = /=__toESM\(require\("([^"]+)"\)(?:,1)?\)/g;
/** Helpers that esbuild writes in front of what was cut off. */
const HELPER = /(?<![.\w])__(?:toESM|toCommonJS|copyProps|reExport)\(/;
/** An import for its side effects. No module here has any. */
const FOR_EFFECT = /(?<=^|;)require\("\.[^"]+"\);/g;

/** An esbuild plugin. Commander loads node:child_process, and with it the network, for commands that are programs of their own. Ours are not. */
export function withoutChildProcess() {
  const line = "const childProcess = require('node:child_process');";
  return {
    name: "without-child-process",
    setup({ onLoad }) {
      onLoad({ filter: /\/commander\/lib\/command\.js$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        if (!text.includes(line)) throw new Error(`${path}: node:child_process is loaded in another way`);
        return { contents: text.replace(line, "const childProcess = {};") };
      });
    },
  };
}

const nameOf = (path) => basename(path, ".js");

/** What a module imports: another module here, or one of Node. Packages of the user are imported on demand. */
function targetOf(path) {
  if (path.startsWith(".")) return nameOf(path);
  if (!isBuiltin(path)) throw new Error(`a module of the command line imports ${path}, which is not in it`);
  return path.startsWith("node:") ? path : `node:${path}`;
}

/** The body of a function of (exports, __load, __later, __export): a module as it is in a file of the command line. */
async function functionBody(text) {
  const located = text.replaceAll("import.meta.url", 'require("node:url").pathToFileURL(__filename).href');
  // a call would not do: `new` would take it for the constructor
  if (/\b__(load|later)\b/.test(text)) throw new Error("a module of the command line has a name that its loader needs");
  // with an export in any case, so that the helpers end where they always end
  let { code } = await transform(/^export\b|;export\{/m.test(located) ? located : `${located}\nexport const none = 0;`, OPTIONS);
  if (!EXPORTS.test(code)) throw new Error(`a module of the command line has no exports: ${code.slice(0, 200)}`);
  code = code.replace(EXPORTS, (_, list) => `__export(exports,${list});`);
  const names = new Map();
  code = code.replace(REQUIRED, (_, name, converted, plain) => {
    const target = targetOf(converted ?? plain);
    names.set(name, target);
    return `${name}=__later(${JSON.stringify(target)})`;
  });
  let count = 0;
  for (const [name, path] of names) {
    // the default export of a module of Node is the module
    if (path.startsWith("node:")) code = code.replaceAll(new RegExp(`\\b${name}\\.default\\b`, "g"), name);
    // short, as it is read at each start
    let short;
    do short = `$${count++}`;
    while (code.includes(short));
    const isUsed = code.match(new RegExp(`\\b${name}\\b`, "g")).length > 1;
    code = code.replaceAll(new RegExp(`\\b${name}\\b(=__later\\("[^"]+"\\))?`, "g"), (_, declared) =>
      declared ? `${short}${isUsed ? declared : "=0"}` : `${short}.it`,
    );
  }
  code = code.replaceAll(NAMESPACE, (_, path) => `=require(${JSON.stringify(path)})`);
  const [helper] = HELPER.exec(code) ?? [];
  if (helper && !code.includes(`${helper.slice(0, -1)}=`) && !code.includes(`function ${helper}`))
    throw new Error(`a module of the command line needs ${helper.slice(0, -1)}: ${code.slice(0, 200)}`);
  return code
    .replaceAll(FOR_EFFECT, "")
    .replaceAll(/\bimport\("(\.[^"]+)"\)/g, (_, path) => `Promise.resolve().then(()=>__load(${JSON.stringify(nameOf(path))}))`)
    .trim();
}

/** What loads the rest. `exports` of a module are there before it runs, as modules may need each other. */
const loader = (main, packs) => `
const loaded={},packs=${JSON.stringify(packs)};
const __export=(target,all)=>{for(const name in all)Object.defineProperty(target,name,{get:all[name],enumerable:true})};
class Later{
constructor(name){this.name=name;this.found=undefined}
get it(){return this.found??=this.name.includes(":")?require(this.name):__load(this.name)}
}
const __later=(name)=>new Later(name);
function __load(name){
const before=loaded[name];
if(before)return before;
if(!modules[name])Object.assign(modules,require("./"+(packs[name]??"chunks/"+name)+".js"));
const exports=loaded[name]={};
try{modules[name](exports,__load,__later,__export)}catch(error){delete loaded[name];throw error}
return exports}
__load(${JSON.stringify(main)});
`;

/**
 * `outputs`: the metafile's, by path. `texts`: the modules, by path. `isDeferred`: whether a module is left out of files with others.
 * `packs`: by the name of a file, the modules that need it, and others that begin what is in it. Returns the texts of the files, by path from the folder.
 */
export async function commonJs(outputs, texts, main, isDeferred, packs) {
  const names = new Map(Object.keys(outputs).map((path) => [nameOf(path), path]));
  if (names.size !== Object.keys(outputs).length) throw new Error("two modules of the command line have one name");
  const bodies = new Map(await Promise.all([...names].map(async ([name, path]) => [name, await functionBody(texts.get(path))])));
  // an entry may only have been there to divide the modules
  const used = new Set(
    [...bodies.values()].flatMap((body) => [...body.matchAll(/\b__(?:later|load)\("([^":]+)"\)/g)].map(([, name]) => name)),
  );
  /** A module, and those that it uses. */
  const closure = (name, into = new Set()) => {
    if (into.has(name)) return into;
    into.add(name);
    for (const [, next] of bodies.get(name).matchAll(/=__later\("([^":]+)"\)/g)) if (!isDeferred(names.get(next))) closure(next, into);
    return into;
  };
  const fileOf = (list) =>
    `{\n${[...list].map((name) => `${JSON.stringify(name)}:(function(exports,__load,__later,__export){${bodies.get(name)}\n})`).join(",\n")}\n}`;
  const core = closure(nameOf(main));
  const packOf = {};
  const files = new Map();
  for (const [file, { needing, also }] of Object.entries(packs)) {
    const list = new Set([...needing, ...also].flatMap((path) => [...closure(nameOf(path))]).filter((name) => !core.has(name)));
    for (const path of needing) packOf[nameOf(path)] = file;
    files.set(`${file}.js`, `"use strict";module.exports=${fileOf(list)};\n`);
  }
  for (const name of names.keys())
    if (used.has(name) && !core.has(name)) files.set(`chunks/${name}.js`, `"use strict";module.exports=${fileOf([name])};\n`);
  files.set("main.js", `"use strict";const modules=${fileOf(core)};${loader(nameOf(main), packOf)}`);
  // what cannot be compiled would be found by whoever runs the command that loads it
  for (const [name, text] of files) new Script(text, { filename: name });
  files.set("package.json", `${JSON.stringify({ type: "commonjs" })}\n`);
  return files;
}
