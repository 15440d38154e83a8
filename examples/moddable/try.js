// Tries device.js without a board, on any engine with print(): it installs two releases of firmware and of a mod,
// refuses a changed image, and cuts the power at every operation of the second installation. It follows the verifier
// (`firmseal bundle --format script`), the key (`firmseal pubkey --format js`) and
// `var RELEASES = [{ envelope: [...], image: [...] }, ...]`, all with their images outside of the envelopes.
import { modDevice, updateDevice } from "./device.js";
import { simulated } from "./simulated.js";

const trust = { anchors: [firmseal.anchor(firmsealKey.alg, firmsealKey.key)] };
// The UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them.
const identity = {
  vendor: [[0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85, 0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17]],
  class: [[0x7e, 0xf2, 0x5e, 0x26, 0x57, 0xd5, 0x56, 0x3d, 0xbe, 0xc7, 0x16, 0x1e, 0xb7, 0x20, 0x60, 0xbb]],
};
const releases = RELEASES.map(({ envelope, image }) => ({ envelope: new Uint8Array(envelope), image: new Uint8Array(image) }));

function install(device, { envelope, image }) {
  const progress = firmseal.install(envelope, trust, device);
  if (progress.next()) {
    for (let at = 0; at < image.length; at += 700) progress.next(image.subarray(at, at + 700));
    progress.next(true);
  }
}

/** 0, the number of the refusal, or "cut". */
function numberOf(work) {
  try {
    work();
    return 0;
  } catch (e) {
    // A refusal because of the device has what the device threw.
    if ((e.cause || e).message === "power cut") return "cut";
    if (typeof e.code !== "number") throw e;
    return e.code;
  }
}

const isAt = (bytes, { image }) => image.every((one, i) => bytes[i] === one);

/** `stored`: the bytes that run after a start. `before`: what is there until the new release is. */
function tryOne(name, make, stored, before) {
  let started = 0;
  const options = (board) => ({ ...board, identity, invoke: () => ++started > 0 });
  const device = (board) => make(options(board));
  const start = (board) => {
    const one = device(board);
    started = 0;
    const number = numberOf(() => firmseal.boot(one.envelope(), trust, one).next());
    return number || (started === 1 ? 0 : "not started");
  };
  const fresh = () => simulated({ ota0: 8192, ota1: 8192, xs: 8192 });

  const board = fresh();
  print(`${name}: install ${numberOf(() => install(device(board), releases[0]))}, start ${start(board)}`);
  print(`${name}: the second ${numberOf(() => install(device(board), releases[1]))}, start ${start(board)}`);
  print(`${name}: the first again ${numberOf(() => install(device(board), releases[0]))}`);
  const changed = { ...releases[2], image: releases[2].image.map((one, i) => (i === 5 ? one ^ 1 : one)) };
  print(`${name}: changed ${numberOf(() => install(device(board), changed))}, floor ${device(board).floor()[1]}`);
  print(`${name}: the third ${numberOf(() => install(device(board), releases[2]))}, start ${start(board)}`);

  const counts = { cuts: 0, old: 0, new: 0, neither: 0, wrong: 0 };
  for (const after of [false, true])
    for (let n = 0; ; n++) {
      const cut = fresh();
      install(device(cut), releases[0]);
      cut.cut(n, after);
      if (numberOf(() => install(device(cut), releases[1])) !== "cut") break;
      cut.cut(-1);
      counts.cuts++;
      const floor = device(cut).floor()[1];
      const runs = start(cut) === 0;
      if (isAt(stored(cut), releases[1])) counts.new++;
      else if (isAt(stored(cut), releases[0])) counts.old++;
      else counts.neither++;
      // What boot() has started is the release of the record, and a second attempt completes the installation.
      const isRight = !runs || isAt(stored(cut), releases[floor - 1]);
      // A new image with the old floor would let the old one be installed again.
      const isGuarded = floor === 2 || !isAt(stored(cut), releases[1]);
      if (floor < 1 || !isRight || !isGuarded || numberOf(() => install(device(cut), releases[1])) !== 0 || start(cut) !== 0)
        counts.wrong++;
    }
  if (before === "old" && counts.neither > 0) counts.wrong++;
  print(`${name}: ${counts.cuts} cuts: old ${counts.old}, new ${counts.new}, neither ${counts.neither}, wrong ${counts.wrong}`);
}

tryOne("firmware", updateDevice, (board) => board.running(), "old");
tryOne("mod", modDevice, (board) => board.content.xs, "none");
