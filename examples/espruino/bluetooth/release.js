// Verifies a release as the board will: with a micro verifier, under the keys of the app that the board runs.

import { CLASS, MOST, VENDOR } from "./product.js";

/* global firmseal */

const fromHex = (text) => Uint8Array.from(text.replaceAll("-", "").match(/../g), (pair) => Number.parseInt(pair, 16));
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A number of a limit is at most 2^32 - 1. */
const LIMIT = "undefined|\\[\\d{1,10},\\d{1,10}\\]";
const KEY = new RegExp(`^\\["([a-z0-9]{1,20})",atob\\("([A-Za-z0-9+/=]{1,400})"\\)(?:,(${LIMIT}))?(?:,(${LIMIT}))?\\]$`);

/** Reads the first line of an app, `//firmseal [["hsslms",atob("…")]]`, without evaluating it. Throws an Error. */
export function anchorsOf(text) {
  // a board reads this much of it
  const line = text.slice(0, 512).split("\n")[0].trimEnd();
  const list = /^\/\/firmseal \[(.*)\]$/.exec(line)?.[1].replaceAll('],["', ']\n["').split("\n");
  if (!list || list.length > 4) throw new Error("The first line of the keys is not //firmseal [[…]].");
  return list.map((one) => {
    const [, alg, key, since, until] = KEY.exec(one) ?? [];
    if (!alg) throw new Error("The keys have a form that this page does not know.");
    const anchor = firmseal.anchor(alg, fromBase64(key));
    const limit = (found) => (found && found !== "undefined" ? JSON.parse(found) : undefined);
    return Object.assign(anchor, { since: limit(since), until: limit(until) });
  });
}

/**
 * Verifies signature, template, device, size and digest, as on a board without a release. Returns { sequence, signer,
 * digest }, or throws: a refusal has `code`.
 */
export function verified(envelope, app, keys) {
  const anchors = anchorsOf(keys);
  const image = new Uint8Array(MOST);
  let size = 0;
  const device = {
    identity: { vendor: [fromHex(VENDOR)], class: [fromHex(CLASS)] },
    floor: () => [0, 0],
    begin() {},
    capacity: () => MOST,
    erase() {},
    write(_id, at, bytes) {
      image.set(bytes, at);
      size = at + bytes.length;
    },
    size: () => size,
    read: (_id, at, n) => image.slice(at, at + n),
    keep: (bytes) => bytes,
    persist() {},
    discard() {},
  };
  const progress = firmseal.install(envelope, { anchors }, device);
  if (!progress.next()) throw new Error("The image is inside the envelope. Sign it with --uri.");
  progress.next(app);
  progress.next(true);
  try {
    anchorsOf(new TextDecoder("latin1").decode(app));
  } catch {
    throw new Error("The app does not begin with a line of keys, so the board could take no release after it.");
  }
  const { sequence, signers, digest } = progress.manifest;
  return {
    sequence: (BigInt(sequence[0]) * 2n ** 32n + BigInt(sequence[1])).toString(),
    signer: `key ${signers[0] + 1} of ${anchors.length}`,
    digest: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
