// The flash device of a bundle on a flash of this script's own: two releases, a power cut at every write and erase,
// failed starts. Run by scripts/test/flash.test.mjs with A and B (envelopes of images of 600 and 701 bytes, sequence
// numbers 1 and 2), KEY, VENDOR, CLASS and STEP (only every STEP-th cut is made) in front of it.
// biome-ignore-all lint: ES5 as engines with tens of kilobytes run it

/* global firmseal, A, B, KEY, VENDOR, CLASS, STEP, print, console */

var PAGE = 256;
var say = typeof print === "function" ? print : console.log;
var bytes = [];
/** Operations so far, and how many are left until the power fails; -1: it does not. */
var done = 0;
var left = -1;
var trust = { anchors: [firmseal.anchor("ed25519", KEY)] };
var layout = {
  components: [{ id: [[0]], slots: [0, 4 * PAGE], size: 4 * PAGE }],
  envelopes: { slots: [8 * PAGE, 16 * PAGE], size: 8 * PAGE },
  records: [24 * PAGE, 25 * PAGE],
  tries: 3,
};
var started = 0;
var snapshot;
var device;
var cuts = 0;
var n;

function copy(list) {
  var out = [];
  var i;
  for (i = 0; i < list.length; i++) out.push(list[i]);
  return out;
}

/** Whether the power fails in the middle of this operation. */
function fails() {
  if (left === 0) return true;
  if (left > 0) left--;
  done++;
  return false;
}

function fill(from, to) {
  var i;
  for (i = from; i < to; i++) bytes[i] = 255;
}

function readFlash(address, count) {
  var out = [];
  var i;
  for (i = 0; i < count; i++) out.push(bytes[address + i]);
  return out;
}

function writeFlash(address, data) {
  var torn = fails();
  var end = torn ? (data.length >> 3) * 4 : data.length;
  var i;
  if (address % 4 || data.length % 4) throw new Error("not in words");
  for (i = 0; i < data.length; i++) if (bytes[address + i] !== 255) throw new Error("written twice");
  for (i = 0; i < end; i++) bytes[address + i] = data[i];
  if (torn) throw new Error("power cut");
}

function eraseFlash(address) {
  var torn = fails();
  fill(address, address + (torn ? PAGE / 2 : PAGE));
  if (torn) throw new Error("power cut");
}

var flash = { pageSize: PAGE, read: readFlash, write: writeFlash, erase: eraseFlash };

function invoke(_id, _args, _address, size) {
  started = size;
  return true;
}

function on() {
  return firmseal.flashDevice(flash, { vendor: [VENDOR], class: [CLASS] }, layout, invoke);
}

/** `streamed`: the envelope goes to flash first, and is read from there. */
function install(envelope, streamed) {
  var target = on();
  var i;
  if (streamed) {
    for (i = 0; i < envelope.length; i += 50) target.receive(envelope.slice(i, i + 50), envelope.length, trust);
    envelope = target.received();
  }
  firmseal.install(envelope, trust, target).next();
}

/** Size of the image that starts. */
function start() {
  device = on();
  started = 0;
  firmseal.boot(device.start(), trust, device).next();
  return started;
}

fill(0, 26 * PAGE);
install(A, false);
say("first " + start() + " floor " + device.floor().join(","));
snapshot = copy(bytes);
done = 0;
install(B, true);
for (n = done; n >= 0; n -= STEP) {
  bytes = copy(snapshot);
  left = n;
  try {
    install(B, true);
  } catch (e) {
    if (String(e.cause || e).indexOf("power cut") < 0) say("after " + n + ": " + e);
    cuts++;
  }
  left = -1;
  start();
  if (!(started === 600 && device.floor()[1] === 1) && !(started === 701 && device.floor()[1] === 2)) say("wrong after " + n);
  device.confirm();
  install(B, false);
  if (start() !== 701) say("stuck after " + n);
}
say("cut " + (cuts > 0));
bytes = copy(snapshot);
install(B, false);
for (n = 0; n < 5; n++) say("start " + start() + " " + device.rolledBack() + " floor " + device.floor().join(","));
say("end");
