// biome-ignore-all lint: ES5 as Espruino runs it
// How a board with a micro verifier takes in a release whose image is outside the envelope: the Storage file "update".
// In front of it comes `trust`, made from the output of `firmseal pubkey --format js`: see docs/guides/espruino.md.
// Nothing is written before the signature is verified. The image goes where it stays, packet by packet. What an update
// needs of RAM is let go of when it ends.
var update;

// Ends an update. Returns the number of the refusal, or 0.
function end(code) {
  update = undefined;
  Modules.removeCached("firmseal");
  return code;
}

// Opens the device and gives what an update needs.
function open() {
  var firmseal = require("firmseal"),
    io = firmseal.espruinoIo(require("Storage"), E, require("crypto")),
    bytes = E.toUint8Array;
  return {
    by: firmseal,
    host: io.host,
    trust: { anchors: trust(firmseal, bytes) },
    // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them; one image of up to
    // 12,000 bytes; a new release has three starts to confirm that it works
    device: firmseal.storageDevice(
      io,
      {
        vendor: [bytes("\xcf\xbf\xf0\xd1\x93\x75\x56\x85\x96\x8c\x48\xce\x8b\x15\xae\x17")],
        class: [bytes("\x7e\xf2\x5e\x26\x57\xd5\x56\x3d\xbe\xc7\x16\x1e\xb7\x20\x60\xbb")],
      },
      [[[0]]],
      12000,
      3,
    ),
  };
}

// Runs `step`. A refusal gives its number, and ends the update; other errors are thrown.
function tried(step) {
  try {
    return step() || 0;
  } catch (e) {
    end();
    if (!(e.code >= 0)) throw e;
    return e.code;
  }
}

// Begins an update, whose envelope has `n` bytes.
exports.begin = function (n) {
  end();
  if (!(n > 0 && n < 6000)) return 48;
  update = { envelope: new Uint8Array(n), at: 0 };
  return 0;
};

// Takes in a packet, as text: first of the envelope, then of the image. Returns 0, or the number of the refusal.
exports.put = function (text) {
  return tried(function () {
    var bytes = E.toUint8Array(text),
      u = update,
      o;
    if (!u) return 86;
    if (u.progress) return u.progress.next(bytes) && 0;
    if (bytes.length > u.envelope.length - u.at) return end(10);
    u.envelope.set(bytes, u.at);
    u.at += bytes.length;
    if (u.at < u.envelope.length) return 0;
    o = open();
    u.progress = o.by.install(u.envelope, o.trust, o.device, o.host);
    u.envelope = 0;
    u.progress.next();
  });
};

// Ends an update: the whole image has arrived. Returns 0 if the release is installed. It runs after the next start.
exports.end = function () {
  return tried(function () {
    if (!update || !update.progress) return end(86);
    update.progress.next(true);
    return end(0);
  });
};

// Makes room for the next release. The power must not fail meanwhile.
exports.room = function () {
  return tried(function () {
    open().device.makeRoom();
    require("Storage").compact();
    return end(0);
  });
};
