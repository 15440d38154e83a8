import { readFileSync } from "node:fs";
import { anchor, boot, errors, install, open } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { refusalOf } from "@firmseal/verifier/tools";

function main(path) {
  if (!path) throw new Error("usage: node verify.mjs ENVELOPE");

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

  const envelope = readFileSync(path);

  // open() checks the signatures and reads the manifest. It does not check the image, and changes nothing.
  const manifest = open(envelope, trust);
  console.log("sequence number", manifest.sequence); // [0, 7]: the high and the low 32 bits

  // install() writes to the slot that is not current, reads it back, checks its digest, and switches to it at the end.
  const progress = install(envelope, trust, device);
  let effect = progress.next();
  while (effect) {
    // Only for a payload outside the envelope: pass its chunks, then true, or false if it is not available.
    console.log("fetch", effect.uri, effect.size, "bytes");
    const payload = readFileSync("app.bin");
    for (let at = 0; at < payload.length; at += 4096) progress.next(payload.subarray(at, at + 4096));
    effect = progress.next(true);
  }

  // boot() opens the installed release, checks the image again, and starts it.
  if (device.envelope) boot(device.envelope, trust, device).next();
  console.log("started", device.invoked.length, "image");

  // Below the floor of a device, open() refuses the same release.
  try {
    open(envelope, { anchors: trust.anchors, floor: [0, 9] });
  } catch (refusal) {
    console.log("refused", refusal.code === errors.ROLLBACK, "at byte", refusal.at);
  }
}

try {
  main(process.argv[2]);
} catch (error) {
  // A refusal is an error number (docs/reference/errors.md) and a byte offset, or -1. refusalOf() puts it into words.
  const row = refusalOf(error.code);
  const where = error.at >= 0 ? ` at byte ${error.at}` : "";
  console.error(row ? `refused: ${row.meaning} (${row.name}, ${error.code})${where}` : error.message);
  process.exitCode = 1;
}
