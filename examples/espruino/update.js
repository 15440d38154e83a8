// biome-ignore-all lint: ES5 as Espruino runs it
// How this product takes in a release: the Storage file "update", with the output of `firmseal pubkey --format js` in
// front of it.
var firmseal = require("firmseal");
var crypto;
try {
  crypto = require("crypto");
} catch (e) {
  // a board without native hashes
}
var io = firmseal.espruinoIo(require("Storage"), E, crypto);
// with `bundle --target`: machine code verifies from here on. On most boards it is a file in Storage
if (firmseal.kernel) firmseal.kernel(E, process, io.host, require("Storage"));
var trust = { anchors: [firmseal.anchor(firmsealKey.alg, E.toUint8Array(firmsealKey.key))] };
// an array takes a variable for each of its octets
firmsealKey = undefined;

// What this product is: the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them.
var identity = {
  vendor: [E.toUint8Array("\xcf\xbf\xf0\xd1\x93\x75\x56\x85\x96\x8c\x48\xce\x8b\x15\xae\x17")],
  class: [E.toUint8Array("\x7e\xf2\x5e\x26\x57\xd5\x56\x3d\xbe\xc7\x16\x1e\xb7\x20\x60\xbb")],
};

// One component, of up to 20,000 bytes. A new release has three starts to confirm that it is well.
exports.device = () => firmseal.storageDevice(io, identity, [[[0]]], 20000, 3);

// What throws a refusal gives its number; 0 where nothing was refused.
function number(run) {
  try {
    run();
  } catch (e) {
    if (typeof e.code !== "number") throw e;
    return e.code;
  }
  return 0;
}

// Installs the envelope in the Storage file `name`. For the payload of another file: its name is the second argument.
exports.install = (name, payload) =>
  number(() => {
    var storage = io.storage,
      length = storage.read(name).length,
      device = exports.device(),
      progress,
      at;
    // its head is authenticated in RAM, the rest goes straight to where the device keeps it
    for (at = 0; at < length; at += 256) device.receive(E.toUint8Array(storage.read(name, at, 256)), length, trust, io.host);
    storage.erase(name);
    progress = firmseal.install(device.received(), trust, device, io.host);
    if (!progress.next()) return;
    length = payload ? storage.read(payload).length : 0;
    for (at = 0; at < length; at += 256) progress.next(E.toUint8Array(storage.read(payload, at, 256)));
    progress.next(!!payload);
  });
