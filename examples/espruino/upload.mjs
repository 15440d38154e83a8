// Prints a script for Espruino that puts files into its Storage, a few hundred bytes at a time:
//
//     node upload.mjs firmseal=firmseal.js .boot0=boot0.js > upload.js
//
// For a board, Espruino's own command line does the same: espruino --storage NAME:FILE
import { readFileSync } from "node:fs";

const STEP = 384;

function fail(message) {
  console.error(`upload.mjs: ${message}`);
  process.exit(1);
}

function read(path) {
  try {
    return readFileSync(path);
  } catch (e) {
    return fail(e.message);
  }
}

for (const argument of process.argv.slice(2)) {
  const at = argument.indexOf("=");
  const [name, file] = [argument.slice(0, at), argument.slice(at + 1)];
  if (at < 1 || name.length > 28 || !file) fail(`${argument}: NAME=FILE, with at most 28 characters in NAME`);
  const bytes = read(file);
  for (let i = 0; i < bytes.length; i += STEP) {
    const piece = bytes.subarray(i, i + STEP).toString("base64");
    console.log(`require("Storage").write(${JSON.stringify(name)},atob("${piece}"),${i},${bytes.length});`);
  }
}
