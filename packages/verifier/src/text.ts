// SUIT_Text_Map (M37 §8.4.4): what a release says of itself to people. A device has no use for it; inspect and the signer have.

import { ARRAY, array, ascending, bstr, done, int, map, peekType, type Reader, type Slice, sub, take, tstr } from "./cbor.js";
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
    last: Bytes | null = null,
    n = map(r),
    at,
    key;
  for (; n > 0; n--) {
    at = r.at;
    key = int(r);
    last = ascending(r, at, last);
    if (key < 1 || key > TEXT_CURRENT_VERSION) refuse(TEXT_KEY, at);
    out.push({ key: key, text: content(r) });
  }
  return out;
}

function language(r: Reader, entry: TextEntry): void {
  var last: Bytes | null = null,
    n = map(r),
    at,
    key,
    parts,
    id: Bytes[],
    s;
  for (; n > 0; n--) {
    at = r.at;
    if (peekType(r) === ARRAY) {
      id = [];
      for (parts = array(r); parts > 0; parts--) {
        s = bstr(r);
        id.push(take(r, s.at, s.n));
      }
      last = ascending(r, at, last);
      entry.components.push({ id: id, texts: texts(r) });
    } else {
      key = int(r);
      last = ascending(r, at, last);
      if (key < 1 || key > TEXT_MANIFEST_YAML_SOURCE) refuse(TEXT_KEY, at);
      entry.texts.push({ key: key, text: content(r) });
    }
  }
}

/** Reads a text map, strictly. */
export function parseText(r0: Reader, slice: Slice): TextEntry[] {
  var r = sub(r0, slice),
    out: TextEntry[] = [],
    last: Bytes | null = null,
    at = r.at,
    n = map(r),
    entry: TextEntry;
  if (n === 0) refuse(CBOR_TYPE, at);
  for (; n > 0; n--) {
    at = r.at;
    entry = { language: content(r), texts: [], components: [] };
    last = ascending(r, at, last);
    language(r, entry);
    out.push(entry);
  }
  done(r);
  return out;
}
