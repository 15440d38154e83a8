// Stands in for the build of your product: node build.mjs VERSION writes an image for each slot of the gateway, which
// runs in place, and the app of the sensor.

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";

const [version] = process.argv.slice(2);
if (version === undefined) throw new Error("usage: node build.mjs VERSION");

/** Bytes that differ for each version and address. */
function firmware(address) {
  const blocks = Array.from({ length: 1024 }, (_, i) => createHash("sha256").update(`${version} ${address} ${i}`).digest());
  return Buffer.concat([Buffer.from(`firmware ${version} at 0x${address.toString(16)}\0`), ...blocks]);
}

mkdirSync("build", { recursive: true });
writeFileSync("build/a.bin", firmware(0x10000));
writeFileSync("build/b.bin", firmware(0x90000));
writeFileSync("build/sensor.js", `setInterval(function () { print("sensor ${version}", E.getTemperature()); }, 60000);\n`);
