// An update on MuJS, which has no typed arrays: every octet string is an array of numbers from 0 to 255. Run it with
// the shell of MuJS beside firmseal.js (`firmseal bundle --format umd`, general or micro, with flashDevice()), key.js
// (`firmseal pubkey --format js`) and envelope.js (`var ENVELOPE = [...];`). In a program in C, `flash` and run() are
// functions of the program, and the envelope is an array that it makes.
// biome-ignore-all lint: ES5 as small engines run it
load("firmseal.js");
load("key.js");
load("envelope.js");

// Flash in RAM, for this try: a program reads and writes the chip here. An array keeps what it is given, so a number
// that is not an octet must not get in.
var PAGE = 4096;
var content = [];
function octet(value) {
  if (value !== (value & 255)) throw new Error("not an octet: " + value);
  return value;
}
var flash = {
  pageSize: PAGE,
  read: function (address, n) {
    return content.slice(address, address + n);
  },
  write: function (address, bytes) {
    var i;
    for (i = 0; i < bytes.length; i++) content[address + i] = octet(bytes[i]);
  },
  erase: function (address) {
    var i;
    for (i = 0; i < PAGE; i++) content[address + i] = 255;
  },
};
var page;
for (page = 0; page < 10; page++) flash.erase(page * PAGE);

// two slots of two pages for the one component, two of two for the envelope, two pages for records
var layout = {
  components: [{ id: [[0]], slots: [0, 2 * PAGE], size: 2 * PAGE }],
  envelopes: { slots: [4 * PAGE, 6 * PAGE], size: 2 * PAGE },
  records: [8 * PAGE, 9 * PAGE],
  tries: 3,
};
var identity = {
  // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them
  vendor: [[0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85, 0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17]],
  class: [[0x7e, 0xf2, 0x5e, 0x26, 0x57, 0xd5, 0x56, 0x3d, 0xbe, 0xc7, 0x16, 0x1e, 0xb7, 0x20, 0x60, 0xbb]],
};
var trust = { anchors: [firmseal.anchor(firmsealKey.alg, firmsealKey.key)] };

function device() {
  return firmseal.flashDevice(flash, identity, layout, function (id, args, address, size) {
    print("started: " + size + " bytes at " + address);
    return true;
  });
}

/** 0, or the number of the refusal. */
function install(envelope) {
  var progress;
  try {
    progress = firmseal.install(envelope, trust, device());
    // nothing brings an image from outside the envelope: refused with 95
    if (progress.next()) progress.next(false);
  } catch (e) {
    if (typeof e.code !== "number") throw e;
    return e.code;
  }
  return 0;
}

function start() {
  var current = device();
  firmseal.boot(current.start(), trust, current).next();
  current.confirm();
}

print("update: " + install(ENVELOPE));
start();
ENVELOPE[ENVELOPE.length - 1] ^= 1;
print("changed: " + install(ENVELOPE));
start();
