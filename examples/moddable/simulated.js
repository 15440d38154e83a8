// Partitions in RAM with the interfaces of ECMA-419, for trying device.js without a board: flash that only an erase
// sets to 1, an Update that is complete once, and a key-value store. `cut(n)` makes the n-th operation that changes
// something fail, before or (with `after`) behind it.

export function simulated(sizes, blockLength = 1024) {
  const content = {};
  const values = new Map();
  for (const path of Object.keys(sizes)) content[path] = new Uint8Array(sizes[path]).fill(255);
  const state = { running: "ota0", operations: 0, cutAt: -1, after: false };

  /** What changes flash or the store. A power cut also ends everything that follows. */
  function change(work) {
    const n = state.operations++;
    if (state.cutAt >= 0 && n >= state.cutAt && !(n === state.cutAt && state.after)) throw new Error("power cut");
    work();
    if (n === state.cutAt) throw new Error("power cut");
  }

  const other = { ota0: "ota1", ota1: "ota0" };
  const partitionOf = (path) => (path === "running" ? state.running : path === "nextota" ? other[state.running] : path);

  const Flash = {
    open({ path, mode = "r+" }) {
      const name = partitionOf(path);
      const bytes = content[name];
      if (!bytes) throw new Error("no such partition");
      const inside = (n, offset) => {
        if (!(offset >= 0 && n >= 0 && offset + n <= bytes.length)) throw new RangeError("outside the partition");
      };
      return {
        name,
        isWritable: mode === "r+" && name !== state.running,
        status: () => ({ size: bytes.length, blockLength, blocks: bytes.length / blockLength, writeAlign: 4, eraseValue: 255 }),
        read(n, offset) {
          inside(n, offset);
          return bytes.slice(offset, offset + n).buffer;
        },
        write(buffer, offset) {
          inside(buffer.byteLength, offset);
          if (offset % 4 || buffer.byteLength % 4) throw new RangeError("not aligned");
          change(() => {
            for (let i = 0; i < buffer.byteLength; i++) bytes[offset + i] &= buffer[i];
          });
        },
        eraseBlock(from, to = from + 1) {
          for (let block = from; block < to; block++) {
            inside(blockLength, block * blockLength);
            change(() => bytes.fill(255, block * blockLength, (block + 1) * blockLength));
          }
        },
        close() {},
      };
    },
  };

  const Update = {
    open({ partition, mode = "a", byteLength }) {
      const { size } = partition.status();
      if (!partition.isWritable) throw new Error("read-only partition");
      if (mode !== "a") throw new RangeError("invalid mode");
      if (byteLength !== undefined && !(byteLength >= 0 && byteLength <= size)) throw new RangeError("invalid byteLength");
      const bytes = content[partition.name];
      let at = 0;
      let isOpen = true;
      const opened = () => {
        if (!isOpen) throw new SyntaxError("closed");
      };
      change(() => bytes.fill(255));
      return {
        write(buffer, ...more) {
          opened();
          if (more.length > 0) throw new Error("offset not allowed");
          if (at + buffer.byteLength > size) throw new RangeError("outside the partition");
          change(() => bytes.set(buffer, at));
          at += buffer.byteLength;
        },
        complete() {
          opened();
          isOpen = false;
          change(() => {
            state.running = partition.name;
          });
        },
        close() {
          isOpen = false;
        },
      };
    },
  };

  const store = {
    read: (key) => (values.has(key) ? values.get(key).slice(0) : undefined),
    write: (key, value) => change(() => values.set(key, value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength))),
    delete: (key) => change(() => values.delete(key)),
  };

  return {
    Flash,
    Update,
    store,
    content,
    running: () => content[state.running],
    operations: () => state.operations,
    cut(at, after = false) {
      state.operations = 0;
      state.cutAt = at;
      state.after = after;
    },
  };
}
