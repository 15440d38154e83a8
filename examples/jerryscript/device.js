// The JavaScript side of a host with JerryScript: releases on the host's own flash, and the functions that the host
// calls. It follows the verifier (`firmseal bundle --features install,flash --format script`) and the key
// (`firmseal pubkey --format js`), in the same context.
//
// The host offers an object `host`:
//   host.pageSize             bytes that erase() sets to 255
//   host.read(address, n)     n octets, in a Uint8Array or an array
//   host.write(address, b)    address and number of octets are multiples of 4; each word is written once after its page was erased
//   host.erase(address)       the page that begins there
//   host.run(address, size)   starts the image at this address; true: it was started
//   host.sha256(octets)       left out if the host has none of its own
// biome-ignore-all lint: ES5 as small engines run it
var updater = (function () {
  "use strict";
  var PAGE = host.pageSize;
  var identity = {
    // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them
    vendor: [[0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85, 0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17]],
    class: [[0x7e, 0xf2, 0x5e, 0x26, 0x57, 0xd5, 0x56, 0x3d, 0xbe, 0xc7, 0x16, 0x1e, 0xb7, 0x20, 0x60, 0xbb]],
  };
  // two slots of two pages for the one component, two of two for the envelope, two pages for records: ten pages from
  // address 0
  var layout = {
    components: [{ id: [[0]], slots: [0, 2 * PAGE], size: 2 * PAGE }],
    envelopes: { slots: [4 * PAGE, 6 * PAGE], size: 2 * PAGE },
    records: [8 * PAGE, 9 * PAGE],
    tries: 3,
  };
  var trust = { anchors: [firmseal.anchor(firmsealKey.alg, firmsealKey.key)] };
  var device;
  var progress;
  var expected = 0;

  function run(id, args, address, size) {
    return host.run(address, size);
  }

  /** A device knows what is current when it is made: one for each start, and one for each installation. */
  function make() {
    device = firmseal.flashDevice(host, identity, layout, run);
    // what is read at a time has to fit the heap
    device.chunk = 256;
    return device;
  }

  /** 0, or the number of the refusal. */
  function number(work, argument) {
    try {
      work(argument);
    } catch (e) {
      progress = undefined;
      if (typeof e.code !== "number") throw e;
      return e.code;
    }
    return 0;
  }

  function start() {
    var envelope = make().start();
    if (envelope) firmseal.boot(envelope, trust, device).next();
  }

  function install() {
    progress = firmseal.install(device.received(), trust, device);
    if (!progress.next()) progress = undefined;
  }

  function receive(packet) {
    device.receive(packet, expected, trust);
  }

  function feed(packet) {
    if (!progress.next(packet)) progress = undefined;
  }

  return {
    /** At power-on: opens what is installed, checks it, and lets the host start it. */
    start: function () {
      return number(start);
    },
    /** The app is well. */
    confirm: function () {
      device.confirm();
    },
    /** An envelope of `length` octets begins. */
    begin: function (length) {
      make();
      expected = length;
    },
    /**
     * Its packets, of any size. A refusal comes with the packet that completes the head; nothing has been written by
     * then.
     */
    packet: function (octets) {
      return number(receive, octets);
    },
    /** The envelope has ended: it is installed, or waiting() for a payload of its own. */
    end: function () {
      return number(install);
    },
    waiting: function () {
      return !!progress;
    },
    /** A payload's packets, then true; or false if it is not available. */
    payload: function (octets) {
      return number(feed, octets);
    },
    sequence: function () {
      return make().floor();
    },
  };
})();
