// The vectors as conformance/player.js takes them, and which of them a bundle plays.

import { readMicroVectors, readVectors } from "../../test-vectors/index.mjs";

const KINDS = ["accepted", "refused", "effects"];

const pairs = (object) => object && Object.entries(object);

/** A device as the player takes it: no object has a name from outside as a key. */
function plainDevice(device) {
  const current = pairs(device.current)?.map(([component, bytes]) => [Number(component), bytes]);
  const out = { ...device, payloads: pairs(device.payloads), chunks: pairs(device.chunks), current };
  for (const key of ["payloads", "chunks", "current"]) if (!out[key]) delete out[key];
  return out;
}

/** A vector as the player takes it: without its header, and sequence numbers are two halves. */
export function plain({ group, kind, about, expected, source, strictness, features, ...v }) {
  const out = { ...v, expect: { ...v.expect } };
  if (v.device) out.device = plainDevice(v.device);
  if (v.expect.sequence !== undefined) {
    const n = BigInt(v.expect.sequence);
    out.expect.sequence = [Number(n >> 32n), Number(n & 0xffffffffn)];
  }
  return out;
}

/**
 * What most of `values` are, or an empty object: a script that says it once is shorter, which counts in a small heap.
 */
function usual(values) {
  const counts = new Map();
  for (const value of values.filter(Boolean).map((value) => JSON.stringify(value))) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most = "{}"] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  return JSON.parse(most);
}

/** [{ defaults, vectors }], one for each kind; of the vectors that `wanted` takes. */
export function vectorFiles(wanted = () => true) {
  return KINDS.map((kind) => {
    const vectors = readVectors(kind).filter(wanted).map(plain);
    const defaults = { trust: usual(vectors.map((v) => v.trust)), device: usual(vectors.map((v) => v.device)) };
    for (const v of vectors)
      for (const key of ["trust", "device"]) if (JSON.stringify(v[key]) === JSON.stringify(defaults[key])) delete v[key];
    return { defaults, vectors };
  });
}

/** The vectors for micro verifiers, in the same form. */
export function microFiles(wanted = () => true) {
  return [{ defaults: { trust: {}, device: {} }, vectors: readMicroVectors().filter(wanted).map(plain) }];
}

/** What a vector needs that only bundles with trust files have. */
const OF_TRUST = ["trust-file", "key-scope", "key-window"];

/** Whether a vector needs no algorithm of `all` that is not one of `algs`, and no trust file. */
export function isFor(algs, all) {
  const missing = [...OF_TRUST, ...all.filter((alg) => !algs.includes(alg))];
  const needs = ({ features = [], trust }) => [...features, ...(trust?.anchors ?? []).map(({ alg }) => alg)];
  return (vector) => !vector.store && !needs(vector).some((name) => missing.includes(name));
}

/** Splits `files` into pieces of at most `n` vectors. */
export function chunks(files, n) {
  const out = [];
  for (const { defaults, vectors } of files)
    for (let i = 0; i < vectors.length; i += n) out.push([{ defaults, vectors: vectors.slice(i, i + n) }]);
  return out;
}

/** Every `n`th vector: some of each group, because they are sorted by group. */
export const everyNth = (files, n) => files.map(({ defaults, vectors }) => ({ defaults, vectors: vectors.filter((_, i) => i % n === 0) }));

export const count = (files) => files.reduce((n, { vectors }) => n + vectors.length, 0);
