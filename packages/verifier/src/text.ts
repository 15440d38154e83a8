// SUIT_Text_Map (M37 §8.4.4): what a release says of itself to people. A device has no use for it; inspect and the signer have.

import { ARRAY, array, ascending, between, done, key, map, octets, peekType, type Reader, type Slice, sub, take, tstr } from "./cbor.js";
import { refuse } from "./refuse.js";
import { CBOR_TYPE, TEXT_KEY } from "./spec/errors.js";
import { TEXT_CURRENT_VERSION, TEXT_MANIFEST_YAML_SOURCE } from "./spec/suit.js";
import type { Bytes } from "./types.js";

/** One language: texts of the manifest, and of components, by their numbers. Texts are UTF-8, already checked. */
export interface TextEntry {
  language: Bytes;
  texts: { key: number; text: Bytes }[];
  components: { id: Bytes[]; texts: { key: number; text: Bytes }[] }[];
}

function content(r: Reader): Bytes {
  var s = tstr(r);
  return take(r, s.at, s.n);
}

function texts(r: Reader): { key: number; text: Bytes }[] {
  var out = [],
    n = map(r),
    at,
    name;
  for (; n > 0; n--) {
    at = r.at;
    name = key(r);
    if (name < 1 || name > TEXT_CURRENT_VERSION) refuse(TEXT_KEY, at);
    out.push({ key: name, text: content(r) });
  }
  return out;
}

function language(r0: Reader, entry: TextEntry): void {
  // a reader of its own: it is in the middle of a map
  var r = between(r0, r0.at, r0.end),
    n = map(r),
    at,
    name,
    parts,
    id: Bytes[],
    inner;
  for (; n > 0; n--) {
    at = r.at;
    if (peekType(r) === ARRAY) {
      id = [];
      for (parts = array(r); parts > 0; parts--) id.push(octets(r));
      ascending(r, at);
      inner = between(r, r.at, r.end);
      entry.components.push({ id: id, texts: texts(inner) });
      r.at = inner.at;
    } else {
      name = key(r);
      if (name < 1 || name > TEXT_MANIFEST_YAML_SOURCE) refuse(TEXT_KEY, at);
      entry.texts.push({ key: name, text: content(r) });
    }
  }
  r0.at = r.at;
}

/** Reads a text map, strictly. */
export function parseText(r0: Reader, slice: Slice): TextEntry[] {
  var r = sub(r0, slice),
    out: TextEntry[] = [],
    at = r.at,
    n = map(r),
    entry: TextEntry;
  if (n === 0) refuse(CBOR_TYPE, at);
  for (; n > 0; n--) {
    at = r.at;
    entry = { language: content(r), texts: [], components: [] };
    ascending(r, at);
    language(r, entry);
    out.push(entry);
  }
  done(r);
  return out;
}
