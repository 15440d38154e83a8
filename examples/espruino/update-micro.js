// biome-ignore-all lint: ES5 as Espruino runs it
// How a board with a micro verifier takes in a release whose image is outside the envelope: the Storage file "update".
// In front of it comes `factory`, the keys of an empty board: see docs/guides/espruino.md. After the first release, the
// keys are those of the first line of the app. So keys change with a release, and in one step with it.
//
// Nothing is written before the signature is verified. The image goes where it stays, packet by packet. The RAM of an
// update is free again when it ends.
var update;

// Ends an update. Returns the number of the refusal, or 0.
function end(code) {
  update = 0;
  try {
    Modules.removeCached("firmseal");
  } catch (e) {
    // it was not loaded yet
  }
  return code;
}

// Opens the device and gives what an update needs.
function open() {
  var firmseal = require("firmseal"),
    io = firmseal.espruinoIo(require("Storage"), E, require("crypto")),
    bytes = E.toUint8Array,
    ID = [[0]],
    // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them; one image of up to
    // 12,000 bytes; a new release has three starts to confirm that it works
    device = firmseal.storageDevice(
      io,
      {
        vendor: [bytes("\xcf\xbf\xf0\xd1\x93\x75\x56\x85\x96\x8c\x48\xce\x8b\x15\xae\x17")],
        class: [bytes("\x7e\xf2\x5e\x26\x57\xd5\x56\x3d\xbe\xc7\x16\x1e\xb7\x20\x60\xbb")],
      },
      [ID],
      12000,
      3,
    ),
    n = device.size(ID, false),
    keys = n
      ? eval(
          E.toString(device.read(ID, 0, n < 512 ? n : 512, false))
            .split("\n")[0]
            .substr(10),
        )
      : factory;
  // machine code, if the bundle was made with --target
  if (firmseal.kernel) firmseal.kernel(E, process, io.host, require("Storage"));
  return {
    device: device,
    install: function (envelope) {
      return firmseal.install(
        envelope,
        {
          anchors: keys.map(function (key) {
            var anchor = firmseal.anchor(key[0], bytes(key[1]));
            anchor.since = key[2];
            anchor.until = key[3];
            return anchor;
          }),
        },
        device,
        io.host,
      );
    },
  };
}

// Runs `step`. A refusal gives its number, and ends the update; other errors are thrown.
function tried(step) {
  try {
    return step();
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
    var u = update,
      bytes = E.toUint8Array(text);
    if (!u) return 86;
    if (u.progress) {
      // a release without keys would be the last one
      if (!u.at++ && text.substr(0, 12) !== "//firmseal [") return end(50);
      u.progress.next(bytes);
    } else {
      if (bytes.length > u.envelope.length - u.at) return end(10);
      u.envelope.set(bytes, u.at);
      u.at += bytes.length;
      if (u.at === u.envelope.length) {
        u.progress = open().install(u.envelope);
        u.at = u.envelope = 0;
        u.progress.next();
      }
    }
    return 0;
  });
};

// Ends an update: all of the image has arrived. Returns 0 if the release is installed. The next start runs it.
exports.end = function () {
  return tried(function () {
    if (!update || !update.progress) return end(86);
    update.progress.next(true);
    return end(0);
  });
};

// Makes room for the next release, and starts again: functions of the app are read from flash, where the app is no
// more. The power must not fail meanwhile.
exports.room = function () {
  return tried(function () {
    open().device.makeRoom();
    clearInterval();
    clearWatch();
    require("Storage").compact();
    setTimeout(load, 99);
    return end(0);
  });
};
