// Reads the vectors, with no other package: index.json lists them, keys.json has the keys that they name.

import { readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

const once = (make) => {
  let made;
  return () => (made ??= make());
};

export const readIndex = once(() => read("index.json"));
export const readKeys = once(() => read("keys.json").keys);

/** The halves of a decimal number below 2^64. A value that is not text is not such a number, and stays as it is. */
function halves(number) {
  if (typeof number !== "string") return number;
  const n = BigInt(number);
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
}

/** `names` of an object as pairs of 32 bits. */
function withHalves(object, ...names) {
  const changed = names.filter((name) => object[name] !== undefined);
  return changed.length === 0 ? object : { ...object, ...Object.fromEntries(changed.map((name) => [name, halves(object[name])])) };
}

function anchorOf({ ref, ...own }) {
  if (ref === undefined) return withHalves(own, "since", "until");
  const { alg, key } = readKeys()[ref];
  return { alg, key, ...withHalves(own, "since", "until") };
}

/** One vector, by its path in the index. */
export const readVector = (file) => whole(read(file));

/** The vectors for micro verifiers. */
export const readMicroVectors = () => read("micro.json").vectors.map(whole);

function whole({ $schema, ...vector }) {
  if (vector.trust) vector.trust = { ...withHalves(vector.trust, "floor"), anchors: vector.trust.anchors.map(anchorOf) };
  if (vector.device) vector.device = withHalves(vector.device, "sequence");
  return vector;
}

/** Every vector, or those of one kind, in the order of the index. */
export const readVectors = (kind) =>
  readIndex()
    .vectors.filter((entry) => kind === undefined || entry.kind === kind)
    .map(({ file }) => readVector(file));
