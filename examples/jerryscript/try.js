// Installs ENVELOPE, starts it, and tries it again with one bit changed.
// biome-ignore-all lint: ES5 as small engines run it
function send(octets) {
  var at;
  updater.begin();
  for (at = 0; at < octets.length; at += 100) updater.packet(octets.slice(at, at + 100));
  return updater.end();
}

print("update: " + send(ENVELOPE));
print("start: " + updater.start());
updater.confirm();
ENVELOPE[ENVELOPE.length - 1] ^= 1;
print("changed: " + send(ENVELOPE));
print("start: " + updater.start());
