// An installation with a micro verifier, for host.c. It follows the output of `firmseal pubkey --format js`.
// biome-ignore-all lint: ES5 as small engines run it
(function () {
  "use strict";
  var trust = { anchors: [firmseal.anchor(firmsealKey.alg, new Uint8Array(firmsealKey.key))] };
  var envelope = {
    length: host.envelopeSize,
    read: function (at, n) {
      return host.read(0, at, n);
    },
  };
  var image = {
    length: host.imageSize,
    read: function (at, n) {
      return host.read(1, at, n);
    },
  };
  var written = 0;
  // with the kernel in C: the hashes, and Ed25519 and ES256 in place of the verifier's own
  var hashes = {};
  if (host.sha256) {
    hashes.sha256 = { once: host.sha256 };
    hashes.sha512 = {
      create: function () {
        var octets = [];
        return {
          update: function (bytes) {
            for (var i = 0; i < bytes.length; i++) octets.push(bytes[i]);
          },
          digest: function () {
            return host.sha512(new Uint8Array(octets));
          },
        };
      },
    };
    if (host[firmsealKey.alg])
      trust.anchors[0].alg = { ids: trust.anchors[0].alg.ids, valid: trust.anchors[0].alg.valid, verify: host[firmsealKey.alg] };
  }
  var device = {
    // the UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them
    identity: {
      vendor: [new Uint8Array([0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85, 0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17])],
      class: [new Uint8Array([0x7e, 0xf2, 0x5e, 0x26, 0x57, 0xd5, 0x56, 0x3d, 0xbe, 0xc7, 0x16, 0x1e, 0xb7, 0x20, 0x60, 0xbb])],
    },
    chunk: 256,
    floor: function () {
      return [0, 0];
    },
    begin: function () {},
    capacity: function () {
      return 1048576;
    },
    erase: function () {},
    // a device writes to flash here, and reads from there: this one only counts, and reads what was to be written
    write: function (id, at, bytes) {
      written = at + bytes.length;
    },
    size: function () {
      return written;
    },
    read: function (id, at, n) {
      return host.read(1, at, n);
    },
    // undefined: the verifier reads the image and hashes it
    digest: function () {
      return host.imageDigest && host.imageDigest(written);
    },
    fetch: function () {
      return image;
    },
    keep: function (bytes) {
      return bytes;
    },
    persist: function (commit) {
      print("installed: " + commit.sequence[1] + ", " + written + " bytes");
    },
    discard: function () {},
  };
  firmsealKey = undefined;
  firmseal.install(envelope, trust, device, hashes).next();
})();
