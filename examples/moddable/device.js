// Devices of firmseal for the Moddable SDK, on the interfaces of ECMA-419 (Update, Flash and key-value storage, as
// `embedded:update`, `embedded:storage/flash` and `embedded:storage/key-value` have them). docs/guides/moddable.md says
// how to use them and what was tried.
//
// `store` is a key-value store in the format "buffer". It has one value: the floor, the size of the image, what
// identifies the release (`counters`) and the envelope. A store must write a value whole or not at all.

const KEY = "firmseal";
const HEAD = 14;

function octetsOf(envelope) {
  return envelope.read ? Uint8Array.from(envelope.read(0, envelope.length)) : Uint8Array.from(envelope);
}

/** u8 version 1, u32 high and low half of the floor, u32 size, u8 length of counters, counters, envelope. */
function encode({ sequence, size, counters, envelope }) {
  const bytes = new Uint8Array(HEAD + counters.length + envelope.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint32(1, sequence[0]);
  view.setUint32(5, sequence[1]);
  view.setUint32(9, size);
  view.setUint8(13, counters.length);
  bytes.set(counters, HEAD);
  bytes.set(envelope, HEAD + counters.length);
  return bytes;
}

/** What the store has, or undefined. What cannot be read is not an empty store: that would be a floor of 0. */
function decode(value) {
  if (value === undefined) return undefined;
  const bytes = new Uint8Array(value);
  const view = new DataView(value);
  if (bytes.length < HEAD || bytes[0] !== 1 || bytes.length < HEAD + bytes[13]) throw new Error("the record of firmseal is damaged");
  const end = HEAD + bytes[13];
  return {
    sequence: [view.getUint32(1), view.getUint32(5)],
    size: view.getUint32(9),
    counters: bytes.slice(HEAD, end),
    envelope: bytes.slice(end),
  };
}

const same = (a, b) => a.length === b.length && a.every((one, i) => one === b[i]);

/**
 * The device over `place`: capacity, erase(most), write(bytes) in order, read(offset, n, fresh), commit() and
 * abandon(). The record is written before the place commits. A power cut in between leaves the old image with the new
 * floor, and the same release can be installed again.
 */
function deviceOn(place, { store, identity, invoke }) {
  let record = decode(store.read(KEY));
  let installing = false;
  let written = 0;
  let isErased = false;
  let kept;
  const isOurs = (id) => id.length === 1 && id[0].length === 1 && id[0][0] === 0;
  const onlyInstalling = () => {
    if (!installing) throw new Error("a start writes nothing on this device");
  };
  return {
    identity,
    /** The envelope of the installed release for boot(), or null. */
    envelope: () => (record ? record.envelope : null),
    floor: () => (record ? record.sequence : [0, 0]),
    counters: () => (record ? record.counters : null),
    begin(isInstalling) {
      place.abandon();
      installing = isInstalling;
      written = 0;
      isErased = false;
      kept = undefined;
    },
    capacity: (id) => (isOurs(id) ? place.capacity : -1),
    slot: () => 0,
    erase(_id, most) {
      onlyInstalling();
      place.erase(most);
      isErased = true;
      written = 0;
    },
    write(_id, offset, bytes) {
      onlyInstalling();
      if (offset !== written) throw new Error("an image is written in order");
      place.write(Uint8Array.from(bytes));
      written += bytes.length;
    },
    size: (_id, fresh) => (fresh ? written : record ? record.size : 0),
    read: (_id, offset, n, fresh) => place.read(offset, n, fresh),
    invoke: () => invoke(),
    keep(envelope) {
      kept = octetsOf(envelope);
      return kept;
    },
    persist({ sequence, counters }) {
      // A release may keep the image that is there.
      const size = isErased ? written : record ? record.size : 0;
      const next = { sequence, counters, size, envelope: kept };
      store.write(KEY, encode(next));
      const stored = decode(store.read(KEY));
      if (!stored || !same(encode(stored), encode(next))) throw new Error("the store does not keep what is written");
      record = stored;
      if (isErased) place.commit();
    },
    discard() {
      place.abandon();
      written = 0;
      isErased = false;
      kept = undefined;
    },
  };
}

/**
 * Firmware: the image goes to the partition "nextota" through Update, and complete() makes it the one that the boot
 * loader starts. `invoke` is called by boot() when the running image is the installed one. `Update` and `Flash` are the
 * default exports of the modules.
 */
export function updateDevice({ Update, Flash, ...options }) {
  const running = Flash.open({ path: "running", mode: "r" });
  const next = Flash.open({ path: "nextota" });
  let update;
  return deviceOn(
    {
      capacity: next.status().size,
      erase(most) {
        if (update) update.close();
        update = Update.open({ partition: next, byteLength: most, mode: "a" });
      },
      write: (bytes) => update.write(bytes),
      read: (offset, n, fresh) => new Uint8Array((fresh ? next : running).read(n, offset)),
      commit() {
        update.complete();
        update.close();
        update = undefined;
      },
      abandon() {
        if (update) update.close();
        update = undefined;
      },
    },
    options,
  );
}

/**
 * A mod in its only partition ("xs" on ESP32). The first bytes of an archive are written last, at the commit: until
 * then XS finds no mod there. The previous mod is gone with the first erase. `invoke` is called by boot(), and imports
 * the mod.
 */
export function modDevice({ Flash, path = "xs", ...options }) {
  const flash = Flash.open({ path });
  const { size, blockLength, writeAlign = 1, eraseValue = 255 } = flash.status();
  const least = Math.ceil(16 / writeAlign) * writeAlign;
  let head = new Uint8Array(0);
  let tail = new Uint8Array(0);
  let at = 0;
  /** The held bytes of `from` and those of `bytes` up to `length` in all, and the rest. */
  const joined = (from, bytes) => {
    const all = new Uint8Array(from.length + bytes.length);
    all.set(from);
    all.set(bytes, from.length);
    return all;
  };
  const padded = (bytes) =>
    joined(bytes, new Uint8Array(Math.ceil(bytes.length / writeAlign) * writeAlign - bytes.length).fill(eraseValue));
  return deviceOn(
    {
      capacity: size - (size % writeAlign),
      erase(most) {
        flash.eraseBlock(0, Math.max(1, Math.ceil(most / blockLength)));
        head = new Uint8Array(0);
        tail = new Uint8Array(0);
        at = least;
      },
      write(bytes) {
        const missing = least - head.length;
        head = joined(head, bytes.subarray(0, missing));
        tail = joined(tail, bytes.subarray(missing));
        const whole = tail.length - (tail.length % writeAlign);
        if (whole > 0) flash.write(tail.slice(0, whole), at);
        at += whole;
        tail = tail.slice(whole);
      },
      read(offset, n, fresh) {
        const bytes = new Uint8Array(flash.read(n, offset));
        if (!fresh) return bytes;
        // What is still in RAM.
        for (let i = 0; i < n; i++) {
          const where = offset + i;
          if (where < head.length) bytes[i] = head[where];
          else if (where >= at && where - at < tail.length) bytes[i] = tail[where - at];
        }
        return bytes;
      },
      commit() {
        if (tail.length > 0) flash.write(padded(tail), at);
        if (head.length > 0) flash.write(padded(head), 0);
        const stored = new Uint8Array(flash.read(head.length, 0));
        const end = new Uint8Array(flash.read(tail.length, at));
        if (!same(stored, head) || !same(end, tail)) throw new Error("the flash does not keep what is written");
      },
      abandon() {
        head = new Uint8Array(0);
        tail = new Uint8Array(0);
        at = 0;
      },
    },
    options,
  );
}
