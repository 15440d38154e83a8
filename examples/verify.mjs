import { readFileSync } from "node:fs";
import { anchor, boot, errors, install, open } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";

// What is built into a device: the keys that it trusts, its identity, and its components.
const uuid = (text) => Buffer.from(text.replaceAll("-", ""), "hex");
const trust = { anchors: [anchor("ed25519", readFileSync("pub.raw"))] };
const device = memoryDevice(
  {
    vendor: [uuid("cfbff0d1-9375-5685-968c-48ce8b15ae17")], // example.com
    class: [uuid("7ef25e26-57d5-563d-bec7-161eb72060bb")], // board-v2 of example.com
  },
  [[[0]]], // one component, h'00'
  1024 * 1024, // bytes in each of its two slots
);

const envelope = readFileSync(process.argv[2]);

// open() checks the signatures and reads the manifest. It changes nothing.
const manifest = open(envelope, trust);
console.log("sequence number", manifest.sequence); // [0, 7]: the high and the low 32 bits

// install() writes to the slot that is not current, reads it back, and switches to it in one step at the end.
const progress = install(envelope, trust, device);
let effect = progress.next();
while (effect) {
  // Only for a payload outside the envelope: pass its chunks as they arrive, then true, or false if it is not available.
  console.log("fetch", effect.uri, effect.size, "bytes");
  for (let at = 0; at < effect.size; at += 4096) progress.next(readFileSync("app.bin").subarray(at, at + 4096));
  effect = progress.next(true);
}

// boot() opens the installed release, checks the image again, and starts it.
boot(device.envelope, trust, device).next();
console.log("started", device.invoked.length, "image");

// open() throws a refusal: an error number (docs/reference/errors.md) and a byte offset.
try {
  open(envelope, { anchors: trust.anchors, floor: [0, 9] });
} catch (refusal) {
  console.log("refused", refusal.code === errors.ROLLBACK, "at byte", refusal.at);
}
