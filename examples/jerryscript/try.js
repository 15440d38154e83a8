// Installs ENVELOPE, starts it, and tries it again with one bit changed.
// biome-ignore-all lint: ES5 as small engines run it
function send(octets) {
  var at,
    refused = 0;
  updater.begin(octets.length);
  for (at = 0; at < octets.length && !refused; at += 100) refused = updater.packet(octets.slice(at, at + 100));
  return refused || updater.end();
}

print("update: " + send(ENVELOPE));
print("start: " + updater.start());
updater.confirm();
ENVELOPE[ENVELOPE.length - 1] ^= 1;
print("changed: " + send(ENVELOPE));
print("start: " + updater.start());
