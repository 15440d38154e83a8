// Prints the lines that send a release to a board with update-micro.js, for Espruino's console:
//
//     node send.mjs app.suit app.js > lines.txt
//
// Each line is answered by "firmseal: 0", or with the number of the refusal. bluetooth/index.html sends the same.
import { readFileSync } from "node:fs";

const STEP = 192;
const line = (call) => console.log(`\x10print("firmseal: "+require("update").${call})`);

function read(path) {
  try {
    return readFileSync(path);
  } catch (e) {
    console.error(`send.mjs: ${e.message}`);
    process.exit(1);
  }
}

const files = process.argv.slice(2);
if (files.length !== 2) {
  console.error("use it so: node send.mjs ENVELOPE IMAGE > lines.txt");
  process.exit(2);
}
const [envelope, image] = files.map(read);
line(`begin(${envelope.length})`);
for (const bytes of [envelope, image])
  for (let at = 0; at < bytes.length; at += STEP) line(`put(atob("${bytes.subarray(at, at + STEP).toString("base64")}"))`);
line("end()");
