// A tour: signs a published firmware image and installs it on a simulated device, then shows what the device refuses.
// Every command is the real command line in a process of its own, and every result is checked: the tour fails if a
// result differs. `--keep` leaves the folder behind.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { readZip } from "./testing/zip.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = `${ROOT}packages/cli/bin/firmseal.js`;
const ARCHIVE = `${ROOT}node_modules/@pybricks/firmware/build/primehub.zip`;
const COLUMNS = 80;

const keep = process.argv.includes("--keep");
const style = (format, text) => (process.stdout.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text);

class Unexpected extends Error {}

function heading(text) {
  console.log(style("bold", text));
}

/** Breaks a command between its options, as one would type it. */
function printCommand(words) {
  let line = "$ firmseal";
  for (const [i, word] of words.entries()) {
    // an option and its value stay together
    const piece = word.startsWith("--") && words[i + 1] && !words[i + 1].startsWith("--") ? `${word} ${words[i + 1]}` : word;
    if (line.length + piece.length + 3 > COLUMNS && !(i > 0 && words[i - 1].startsWith("--"))) {
      console.log(style("cyan", `${line} \\`));
      line = "   ";
    }
    line += ` ${word}`;
  }
  console.log(style("cyan", line));
}

/** What the program said, with long hexadecimal numbers cut so that a line fits. */
function printOutput(text) {
  for (const line of text.trimEnd().split("\n")) {
    const short = line.replace(/\b([0-9a-f]{12})[0-9a-f]{20,}/g, "$1…");
    console.log(`  ${short.length > COLUMNS - 2 ? `${short.slice(0, COLUMNS - 3)}…` : short}`);
  }
}

function makeTour(folder) {
  const env = {
    ...process.env,
    NO_COLOR: "1",
    FIRMSEAL_PASSPHRASE: randomBytes(12).toString("hex"),
    FIRMSEAL_STATE: join(folder, "state"),
  };
  delete env.FORCE_COLOR;

  function start(words) {
    const { status, stdout, stderr, error } = spawnSync(process.execPath, [CLI, ...words], { cwd: folder, env, maxBuffer: 1 << 24 });
    if (error) throw error;
    return { status, stdout, said: stderr.toString() };
  }

  return {
    /** A command that must succeed. `into`: a file that takes its output, as the shell's `>` would. */
    does(words, { into, quiet } = {}) {
      if (!quiet) printCommand(into ? [...words, ">", into] : words);
      const { status, stdout, said } = start(words);
      if (into) writeFileSync(join(folder, into), stdout);
      const shown = (into ? "" : stdout.toString()) + said;
      if ((!quiet || status !== 0) && shown) printOutput(shown);
      if (status !== 0) throw new Unexpected(`exit code ${status} where 0 was expected`);
    },

    /** A command that the device must refuse for this reason, without a change. */
    refuses(words, reason) {
      const record = () => readFileSync(join(folder, "hub", "device.json"), "utf8");
      const before = record();
      printCommand(words);
      const { status, said } = start(words);
      printOutput(said);
      if (status !== 1) throw new Unexpected(`exit code ${status} where a refusal (1) was expected`);
      const again = JSON.parse(start([...words, "--json"]).stdout.toString());
      if (again.ok !== false || again.reason !== reason) throw new Unexpected(`refused as ${again.reason} where ${reason} was expected`);
      if (record() !== before) throw new Unexpected("the refusal changed the device");
      console.log(`  exit code 1, reason ${reason}`);
    },
  };
}

function tour(folder) {
  const { does, refuses } = makeTour(folder);
  const secret = ["--passphrase-env", "FIRMSEAL_PASSPHRASE"];
  const release = (seq, board) => ["--vendor", "pybricks.com", "--class", board, "--seq", String(seq), "--key", "release.pem", ...secret];
  const install = (file) => ["install", file, "--dir", "hub", "--key", "pub.pem"];

  const image = readZip(readFileSync(ARCHIVE), "firmware-base.bin");
  writeFileSync(join(folder, "app.bin"), image);
  console.log(`app.bin is Pybricks for the LEGO Prime Hub, ${image.length.toLocaleString("en")} bytes, from npm.`);

  console.log("");
  heading("1. A key, encrypted at rest; the device gets the public part");
  does(["keygen", "--out", "release.pem", ...secret]);
  does(["pubkey", "release.pem", ...secret], { into: "pub.pem" });

  console.log("");
  heading("2. Sign the build");
  does(["sign", "app.bin", ...release(7, "primehub")]);

  console.log("");
  heading("3. What will a device do with it?");
  does(["inspect", "app.suit"]);

  console.log("");
  heading("4. Install it on a simulated A/B device, in the folder hub");
  does([...install("app.suit"), "--vendor", "pybricks.com", "--class", "primehub"]);

  console.log("");
  heading("5. Refused: one bit of the payload is changed on the way");
  const envelope = readFileSync(join(folder, "app.suit"));
  const at = envelope.indexOf(image);
  if (at < 0) throw new Unexpected("the envelope does not hold the image");
  envelope[at + (image.length >> 1)] ^= 1;
  writeFileSync(join(folder, "changed.suit"), envelope);
  refuses(install("changed.suit"), "IMAGE_MISMATCH");

  heading("6. Refused: an older release, with a good signature");
  does(["sign", "app.bin", "--out", "older.suit", "--allow-lower-sequence", ...release(6, "primehub")], { quiet: true });
  refuses(install("older.suit"), "ROLLBACK");

  heading("7. Refused: a release for another board, with a good signature");
  does(["sign", "app.bin", "--out", "other.suit", ...release(8, "cityhub")], { quiet: true });
  refuses(install("other.suit"), "CLASS_MISMATCH");
}

const folder = mkdtempSync(join(tmpdir(), "firmseal-demo-"));
try {
  tour(folder);
  console.log(`${keep ? `Everything is in ${folder}` : "Done. With --keep the files stay for a look."}`);
} catch (error) {
  console.error(`\nThe tour failed: ${error instanceof Unexpected ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  if (!keep) rmSync(folder, { recursive: true, force: true });
}
