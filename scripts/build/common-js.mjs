// For the built command line: CommonJS from the ES modules that esbuild has split. Node's loader for CommonJS costs
// less at the start, and a module that is imported is read and run only when something of it is first used, as Babel
// does with `lazy`. A program has one scope for the modules that it always needs, without what nothing there calls:
// main.js for any command, and one for each command that scripts start again and again.

import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename } from "node:path";
import { Script } from "node:vm";
import { build, transform } from "esbuild";
import { assignedNames, compiledAtOnce, divided, plainUse } from "./first-run.mjs";
import { setAside } from "./set-aside.mjs";
import { withShortNames } from "./short-names.mjs";

const OPTIONS = { format: "cjs", platform: "node", target: "node20.19", minifyWhitespace: true, minifySyntax: true, logLevel: "warning" };

/** What esbuild makes of exports in CommonJS, behind its helpers. */
const EXPORTS = /^.*?var stdin_exports=\{\};(?:__export\(stdin_exports,(\{.*?\})\);)?module\.exports=__toCommonJS\(stdin_exports\);/s;
const REQUIRED = /\b(import_\w+)=(?:__toESM\(require\("([^"]+)"\)(?:,1)?\)|require\("([^"]+)"\))/g;
/** Like REQUIRED, for `import * as name`. The name may be any, so it is not replaced. */
const NAMESPACE = /=__toESM\(require\("([^"]+)"\)(?:,1)?\)/g;
/** Helpers that esbuild writes in front of what was cut off. */
const HELPER = /(?<![.\w])__(?:toESM|toCommonJS|copyProps|reExport)\(/;
/** An import for its side effects. No module here has any. */
const FOR_EFFECT = /(?<=^|;)require\("\.[^"]+"\);/g;

/**
 * An esbuild plugin. Commander loads node:child_process, and with it the network, for commands that are programs of
 * their own. Ours are not.
 */
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

/** What esbuild adds for programs that look for the names of exports in a text. Nothing runs it. */
const ANNOTATION = /\b0&&\(module\.exports=\{[^{}]*\}\);?\s*$/;
/** An import of names, and an export of those of another module, as esbuild writes them. */
const NAMED = /^(?:im|ex)port\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";/gm;
/** The name of an export of a program, for a module that is in a file of its own. */
const EXPORTED = /"([^" ]+) ([\w$]+)":\(\)=>([\w$.]+)/g;
const WITH_EXPORTS = /^__export\(exports,\{.*?\}\);/s;

const DYNAMIC = /\bimport\("(\.[^"]+)"\)/g;

/** A module as esbuild wrote it, for a file in CommonJS. */
function located(text) {
  // a call would not do: `new` would take it for the constructor
  if (/\b__(aside|load|later|names|with)\b/.test(text)) throw new Error("a module of the command line has a name that its loader needs");
  return text.replaceAll("import.meta.url", 'require("node:url").pathToFileURL(__filename).href');
}

/** What esbuild made in CommonJS, with __load and __later in place of require(), and its exports. */
function onDemand(made) {
  if (!EXPORTS.test(made)) throw new Error(`a module of the command line has no exports: ${made.slice(0, 200)}`);
  let code = made.replace(EXPORTS, (_, list = "{}") => `__export(exports,${list});`).replace(ANNOTATION, "");
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
    // a module that is not used any more
    if (!isUsed) code = code.replace(new RegExp(`,\\${short}=0(?=[,;])|\\bvar \\${short}=0;|(?<=\\bvar )\\${short}=0,`), "");
  }
  code = code.replaceAll(NAMESPACE, (_, path) => `=require(${JSON.stringify(path)})`);
  const [helper] = HELPER.exec(code) ?? [];
  if (helper && !code.includes(`${helper.slice(0, -1)}=`) && !code.includes(`function ${helper}`))
    throw new Error(`a module of the command line needs ${helper.slice(0, -1)}: ${code.slice(0, 200)}`);
  return code
    .replaceAll(FOR_EFFECT, "")
    .replaceAll(DYNAMIC, (_, path) => `Promise.resolve().then(()=>__load(${JSON.stringify(nameOf(path))}))`)
    .trim();
}

/**
 * What makes the exports of a module in a program: pairs of names, of the export and of what it is in the program. What
 * is in another file is read when it is asked for, and so is what is assigned to: `changed`.
 */
function exportsOf(pairs, changed) {
  const elsewhere = new Map();
  const own = [];
  for (const [name, local] of pairs) {
    const [, from, other] = /^(\$\d+)\.it\.([\w$]+)$/.exec(local) ?? [];
    if (from) elsewhere.set(from, [...(elsewhere.get(from) ?? []), other === name ? name : `${name}:${other}`]);
    else if (changed.has(local) || local.includes(".")) own.push(`get ${name}(){return ${local}}`);
    else own.push(local === name ? name : `${name}:${local}`);
  }
  let made = `{${own.join()}}`;
  for (const [from, names] of elsewhere) made = `__with(${made},${from},${JSON.stringify(names.join(" "))})`;
  return made;
}

/** The body of a function of (exports, __load, __later, __export): a module as it is in a file of its own. */
async function functionBody(text) {
  // always with an export, so that the helpers end where they always end
  const whole = /^export\b|;export\{/m.test(text) ? located(text) : `${located(text)}\nexport const none = 0;`;
  return onDemand((await transform(whole, OPTIONS)).code);
}

/**
 * What loads the rest. `exports` of a module are there before it runs, as modules may need each other. `inside`: what
 * makes the exports of the modules in the program, when the program is complete.
 */
const loader = (inside) => `
const loaded={},modules={},inside={${inside}};
const __export=(target,all)=>{for(const name in all)Object.defineProperty(target,name,{get:all[name],enumerable:true})};
class Later{
constructor(name){this.name=name;this.found=undefined}
get it(){return this.found??=this.name.includes(":")?require(this.name):__load(this.name)}
}
const __later=(name)=>new Later(name);
const __with=(target,from,names)=>{
for(const name of names.split(" ")){const [own,other=own]=name.split(":");Object.defineProperty(target,own,{get:()=>from.it[other],enumerable:true})}
return target};
function __load(name){
const before=loaded[name];
if(before)return before;
if(inside[name])return loaded[name]=inside[name]();
const exports=loaded[name]={};
try{
Object.assign(modules,require("./chunks/"+name+".js"));
modules[name](exports,__load,__later,__export)
}catch(error){delete loaded[name];throw error}
return exports}
`;

/** The names that a module takes from others, by module. */
function namesTaken(text, path, imports) {
  const taken = new Map();
  for (const [, list, from] of text.matchAll(NAMED)) {
    const names = list.split(",").flatMap((one) => one.trim().split(/\s+/)[0] || []);
    taken.set(nameOf(from), [...(taken.get(nameOf(from)) ?? []), ...names]);
  }
  for (const { path: from, kind } of imports)
    if (kind === "import-statement" && !taken.has(nameOf(from)) && !/^import\s*"\./m.test(text))
      throw new Error(`${path} imports ${from} in a way that scripts/build/common-js.mjs does not know`);
  return taken;
}

/**
 * `outputs`: the metafile's, by path. `texts`: the modules, by path. `isDeferred`: whether a module is left out of
 * files with others. `programs`: by the name of a file, the module of its command, if it is for one, and others that
 * belong there. Returns the texts of the files, by path from the folder.
 */
export async function commonJs(outputs, texts, main, isDeferred, programs) {
  const paths = new Map(Object.keys(outputs).map((path) => [nameOf(path), path]));
  if (paths.size !== Object.keys(outputs).length) throw new Error("two modules of the command line have one name");
  const importsOf = (name) => outputs[paths.get(name)].imports.filter(({ external }) => !external);
  const isCommand = (name) => /^packages\/cli\/src\/commands\/.*\.ts$/.test(outputs[paths.get(name)].entryPoint ?? "");
  const taken = new Map([...paths].map(([name, path]) => [name, namesTaken(texts.get(path), path, importsOf(name))]));

  /** A module, and those that it uses. */
  const closure = (name, into = new Set()) => {
    if (into.has(name)) return into;
    into.add(name);
    for (const { path, kind } of importsOf(name)) if (kind === "import-statement" && !isDeferred(path)) closure(nameOf(path), into);
    return into;
  };

  /**
   * The modules of `list` in one scope, with what `exported` names of each. `isOther`: whether a module is a command
   * that is not there.
   */
  const inOneScope = (list, exported, isOther) => {
    const inside = {
      name: "inside",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /./ }, ({ path, kind }) => {
          const isInside = kind === "import-statement" && path.startsWith(".") && list.has(nameOf(path));
          return isInside ? { path: nameOf(path), namespace: "inside" } : { path, external: true };
        });
        onLoad({ filter: /./, namespace: "inside" }, ({ path: name }) => {
          const contents = located(texts.get(paths.get(name))).replaceAll(DYNAMIC, (whole, path) =>
            isOther(nameOf(path)) ? 'Promise.reject(new Error("another command"))' : whole,
          );
          return { contents, loader: "js" };
        });
      },
    };
    const lines = [...exported].map(([name, all]) => `export{${[...all].map((one) => `${one} as "${name} ${one}"`)}}from"./${name}.js";`);
    // the program begins when all modules are there
    const begin = `import"./${nameOf(main)}.js";`;
    const stdin = { contents: [...lines.filter((line) => !line.startsWith("export{}")), begin].join("\n") };
    return build({ ...OPTIONS, format: "esm", stdin, bundle: true, write: false, metafile: true, plugins: [inside] });
  };

  /**
   * The names that modules ask for of those of `list`: these on demand, and, if `withOthers`, those outside that may be
   * reached. And the latter.
   */
  const namesAsked = (list, isOther, withOthers) => {
    const asked = new Map([...list].map((name) => [name, new Set()]));
    const reached = new Set();
    const reach = (name) => {
      if (reached.has(name) || isOther(name)) return;
      reached.add(name);
      const isInside = list.has(name);
      for (const { path, kind } of importsOf(name)) {
        const next = nameOf(path);
        const names = kind === "dynamic-import" ? outputs[path].exports : isInside ? [] : taken.get(name).get(next);
        for (const one of names ?? []) asked.get(next)?.add(one);
        if (withOthers || list.has(next)) reach(next);
      }
    };
    for (const name of list) reach(name);
    return { asked, outside: [...reached].filter((name) => !list.has(name)) };
  };

  /**
   * A program: modules in one scope, and what loads the others. `command`: the only one that it has; undefined for all.
   */
  const program = async (command, also) => {
    const all = new Set([main, ...(command === undefined ? [] : [command]), ...also].flatMap((path) => [...closure(nameOf(path))]));
    const isOther = (name) => command !== undefined && isCommand(name) && name !== nameOf(command);
    // modules of which nothing is needed stay outside: they are there for something that is not
    const { asked: needed } = namesAsked(all, isOther, false);
    const { metafile } = await inOneScope(all, needed, isOther);
    const [{ inputs }] = Object.values(metafile.outputs);
    const list = new Set(
      [...all].filter((name) => name === nameOf(main) || needed.get(name).size > 0 || inputs[`inside:${name}`]?.bytesInOutput > 0),
    );
    const { asked, outside } = namesAsked(list, isOther, true);
    const { outputFiles } = await inOneScope(list, asked, isOther);
    return { text: outputFiles[0].text, asked, outside };
  };

  /**
   * The file of a program. `text`: an ES module. `asked`: the names that others ask for, by the module that they are in
   * for them.
   */
  const fileOf = async (text, asked) => {
    const made = onDemand((await transform(text, OPTIONS)).code);
    const [exported] = WITH_EXPORTS.exec(made);
    const groups = new Map();
    for (const [, name, one, local] of exported.matchAll(EXPORTED)) groups.set(name, [...(groups.get(name) ?? []), [one, local]]);
    for (const [name, names] of asked)
      if (names.size !== (groups.get(name)?.length ?? 0)) throw new Error(`${name}.js does not export all of ${[...names].join(", ")}`);
    const changed = assignedNames(made);
    const inside = [...groups].map(([name, some]) => `${JSON.stringify(name)}(){return ${exportsOf(some, changed)}}`).join(",\n");
    return `"use strict";${loader(inside)}${made.slice(exported.length)}\n`;
  };

  /** The file of a module of its own. */
  const chunkOf = (name, body) =>
    `"use strict";module.exports={\n${JSON.stringify(name)}:(function(exports,__load,__later,__export){${body}\n})\n};\n`;

  const files = new Map();
  // a program has no module that it does not need: others may be in one program, and in a file of their own for another
  const apart = new Set();
  const made = new Map();
  for (const [file, { command, also }] of Object.entries(programs)) {
    const one = await program(command, also);
    made.set(file, one);
    files.set(`${file}.js`, await fileOf(one.text, one.asked));
    for (const name of one.outside) apart.add(name);
  }
  for (const name of apart) files.set(`chunks/${name}.js`, chunkOf(name, await functionBody(texts.get(paths.get(name)))));
  files.set("package.json", `${JSON.stringify({ type: "commonjs" })}\n`);
  for (const [file, { unused }] of plainUse(files)) {
    const { text, asked } = made.get(file);
    const [own, other] = [`program-of-${file}`, `rest-of-${file}`];
    const { kept, rest, needed } = await divided(text, unused, own, other);
    const exported = needed.map((one) => `${one} as "${own} ${one}"`).join();
    files.set(`${file}.js`, await fileOf(`${kept}\nexport{${exported}};`, new Map([...asked, [own, new Set(needed)]])));
    files.set(`chunks/${other}.js`, chunkOf(other, await functionBody(rest)));
  }
  for (const [file, { reached }] of plainUse(files)) {
    const [aside, names] = [`aside-of-${file}`, `names-of-${file}`];
    const { text, functions, needed } = setAside(files.get(`${file}.js`), reached, "__aside.it", "__names");
    const changed = assignedNames(text);
    const exported = exportsOf(
      needed.map((name) => [name, name]),
      changed,
    );
    const program = text
      .replace("inside={", () => `inside={${JSON.stringify(names)}(){return ${exported}},`)
      .replace("function __load(name){", (begin) => `const __aside=__later(${JSON.stringify(aside)});\n${begin}`);
    files.set(`${file}.js`, await withShortNames(program));
    const body = `const __names=__load(${JSON.stringify(names)});Object.assign(exports,{${functions.join(",\n")}})`;
    files.set(`chunks/${aside}.js`, chunkOf(aside, body));
  }
  for (const [file, { called }] of plainUse(files)) files.set(`${file}.js`, compiledAtOnce(files.get(`${file}.js`), called));
  // a syntax error would otherwise appear only when a user runs the command that loads the file
  for (const [name, text] of files) if (name.endsWith(".js")) new Script(text, { filename: name });
  return files;
}
