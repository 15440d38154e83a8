// An updater for qjs, on a file that stands in for raw flash: a verifier (`firmseal bundle --format module`),
// `flashDevice()` and the modules std and os. The key is the output of `firmseal pubkey --format js`.
//
//   qjs --module update.js install ENVELOPE [IMAGE]
//   qjs --module update.js start
//
// One at a time: QuickJS cannot lock a file. The exit code is 1 if something was refused.
import firmseal from "./firmseal.js";

// QuickJS-ng names its modules qjs:os and qjs:std
const builtIn = (name) => import(`qjs:${name}`).catch(() => import(name));
const os = await builtIn("os");
const std = await builtIn("std");

const PAGE = 4096;
const KB = 1024;
// Two slots for the one component, two for the envelope, two pages for records. Permanent, as for any flash: see
// docs/guides/devices.md.
const LAYOUT = {
  components: [{ id: [[0]], slots: [0, 256 * KB], size: 256 * KB }],
  envelopes: { slots: [512 * KB, 528 * KB], size: 16 * KB },
  records: [544 * KB, 544 * KB + PAGE],
  tries: 3,
};
const FLASH_SIZE = LAYOUT.records[1] + PAGE;
// The UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them.
const IDENTITY = {
  vendor: [[0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85, 0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17]],
  class: [[0x7e, 0xf2, 0x5e, 0x26, 0x57, 0xd5, 0x56, 0x3d, 0xbe, 0xc7, 0x16, 0x1e, 0xb7, 0x20, 0x60, 0xbb]],
};
// Each write reaches the disk before the next one begins: the device relies on their order. The module os has no name
// for O_SYNC. This is its number on Linux, except on Alpha, MIPS, PA-RISC and SPARC.
const O_SYNC = 0x101000;

function opened(path, flags) {
  const fd = os.open(path, flags, 0o600);
  if (fd < 0) throw new Error(`${path}: error ${-fd}`);
  return fd;
}

/** Moves `bytes` all, with os.read or os.write. */
function move(transfer, fd, bytes) {
  for (let done = 0; done < bytes.length; ) {
    const n = transfer(fd, bytes.buffer, bytes.byteOffset + done, bytes.length - done);
    if (n <= 0) throw new Error(n < 0 ? `error ${-n}` : "the file is too short");
    done += n;
  }
  return bytes;
}

function sizeOf(path) {
  const [status, error] = os.stat(path);
  return error ? 0 : status.size;
}

function contentOf(path) {
  const fd = opened(path, os.O_RDONLY);
  const bytes = move(os.read, fd, new Uint8Array(sizeOf(path)));
  os.close(fd);
  return bytes;
}

/**
 * The driver that flashDevice() needs. A new file is erased flash; one that a power cut left too short has no record
 * yet.
 */
function flashIn(path) {
  const fd = opened(path, os.O_RDWR | os.O_CREAT | O_SYNC);
  const erased = new Uint8Array(PAGE).fill(255);
  const to = (address) => {
    if (os.seek(fd, address, std.SEEK_SET) !== address) throw new Error(`${path}: no address ${address}`);
  };
  const flash = {
    pageSize: PAGE,
    read(address, n) {
      to(address);
      return move(os.read, fd, new Uint8Array(n));
    },
    write(address, bytes) {
      to(address);
      move(os.write, fd, Uint8Array.from(bytes));
    },
    erase: (address) => flash.write(address, erased),
  };
  if (sizeOf(path) < FLASH_SIZE) for (let page = 0; page < FLASH_SIZE; page += PAGE) flash.erase(page);
  return flash;
}

/** Runs the image as a script in the global scope. */
function run(flash, address, size) {
  const file = std.tmpfile();
  file.write(flash.read(address, size).buffer, 0, size);
  file.seek(0, std.SEEK_SET);
  const text = file.readAsString();
  file.close();
  std.evalScript(text);
  return true;
}

function install(device, trust, envelope, image) {
  const progress = firmseal.install(contentOf(envelope), trust, device);
  if (progress.next()) {
    // The release names an image outside the envelope. On a board, packets of it arrive here.
    const bytes = image === undefined ? new Uint8Array(0) : contentOf(image);
    for (let at = 0; at < bytes.length; at += 1024) progress.next(bytes.subarray(at, at + 1024));
    progress.next(image !== undefined);
    if (!progress.done) throw new Error("the release asks for more than one image");
  }
  print(`installed: sequence number ${device.floor()[1]}`);
}

function main([command, envelope, image]) {
  std.loadScript("key.js");
  const trust = { anchors: [firmseal.anchor(firmsealKey.alg, firmsealKey.key)] };
  const flash = flashIn("flash.bin");
  const device = firmseal.flashDevice(flash, IDENTITY, LAYOUT, (_id, _args, address, size) => run(flash, address, size));
  // What an application calls when it knows that it works. After three starts without it, the previous release is
  // current again.
  globalThis.firmware = { confirm: () => device.confirm() };
  if (command === "install" && envelope !== undefined) return install(device, trust, envelope, image);
  if (command !== "start") throw new Error("usage: qjs --module update.js install ENVELOPE [IMAGE] | start");
  const kept = device.start();
  if (kept) firmseal.boot(kept, trust, device).next();
  else print("nothing is installed");
}

try {
  main(scriptArgs.slice(1));
} catch (e) {
  print(typeof e.code === "number" ? `refused: ${e.code}` : `failed: ${e.message}`);
  std.exit(1);
}
