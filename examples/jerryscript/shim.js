// A host in JavaScript, to try device.js without one in C: its flash is RAM, and to start an image is to say how long
// it is.
// biome-ignore-all lint: ES5 as small engines run it
var host = (function () {
  var bytes = new Uint8Array(10 * 4096);
  var i;
  for (i = 0; i < bytes.length; i++) bytes[i] = 255;
  return {
    pageSize: 4096,
    read: function (address, n) {
      var out = new Uint8Array(n),
        k;
      for (k = 0; k < n; k++) out[k] = bytes[address + k];
      return out;
    },
    write: function (address, octets) {
      var k;
      for (k = 0; k < octets.length; k++) bytes[address + k] = octets[k];
    },
    erase: function (address) {
      var k;
      for (k = 0; k < 4096; k++) bytes[address + k] = 255;
    },
    run: function (address, size) {
      print("started: " + size + " bytes at " + address);
      return true;
    },
  };
})();
