// biome-ignore-all lint: ES5 as Espruino runs it
// How a board with a micro verifier takes in a release: the Storage file "update", with the output of
// `firmseal pubkey --format js` in front of it. Everything is let go of when install() returns.

// Installs the release in the Storage file `name`. Returns 0, or the number of the refusal.
exports.install = function (name) {
  var storage = require("Storage"),
    firmseal = require("firmseal"),
    io = firmseal.espruinoIo(storage, E, require("crypto")),
    bytes = E.toUint8Array,
    // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them
    identity = {
      vendor: [bytes("\xcf\xbf\xf0\xd1\x93\x75\x56\x85\x96\x8c\x48\xce\x8b\x15\xae\x17")],
      class: [bytes("\x7e\xf2\x5e\x26\x57\xd5\x56\x3d\xbe\xc7\x16\x1e\xb7\x20\x60\xbb")],
    },
    // an app of up to 8,000 bytes; a new one has three starts to confirm that it works
    device = firmseal.storageDevice(io, identity, [[[0]]], 8000, 3),
    trust = { anchors: [firmseal.anchor(firmsealKey.alg, bytes(firmsealKey.key))] },
    code = 0;
  try {
    firmseal.install(firmseal.storageSource(io, name, storage.read(name).length), trust, device, io.host).next();
  } catch (e) {
    if (!(e.code >= 0)) throw e;
    code = e.code;
  }
  Modules.removeCached("firmseal");
  return code;
};
