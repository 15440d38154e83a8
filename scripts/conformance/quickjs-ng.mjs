// Runs a script on QuickJS-ng as WebAssembly, from its npm package: node scripts/conformance/quickjs-ng.mjs FILE

import { readFileSync } from "node:fs";
import variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import { newQuickJSWASMModuleFromVariant } from "quickjs-emscripten-core";

const context = (await newQuickJSWASMModuleFromVariant(variant)).newContext();
const print = context.newFunction("print", (line) => console.log(context.getString(line)));
context.setProp(context.global, "print", print);
const { error } = context.evalCode(readFileSync(process.argv[2], "utf8"), "player.js");
if (error) {
  console.error(context.dump(error));
  process.exitCode = 1;
}
