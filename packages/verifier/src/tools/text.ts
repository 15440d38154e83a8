// SUIT_Text_Map (M37 §8.4.4): texts about a release for people. Used by inspect and the signer, not by devices.

import { markAt, refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import {
  ARRAY,
  array,
  bstrBytes,
  checkEnd,
  checkKeyOrder,
  copySlice as contentOf,
  enter,
  here,
  input,
  intKey,
  keyRead,
  map,
  peekType,
  type Slice,
  tstr,
} from "../cbor/reader.js";
import { CBOR_TYPE } from "../spec/errors.generated.js";

/**
 * The texts in one language, of the manifest and of components, by number. They are checked UTF-8. Any number is
 * possible: applications use negative ones (M37 §8.4.4), and later drafts may add others. Nothing depends on a text.
 */
export interface TextEntry {
  language: Bytes;
  texts: { key: number; text: Bytes }[];
  components: { id: Bytes[]; texts: { key: number; text: Bytes }[] }[];
}

function textContent(): Bytes {
  return contentOf(input, tstr());
}

function readTexts(): { key: number; text: Bytes }[] {
  var out = [],
    last: Bytes | null = null,
    n,
    number;
  for (n = map(); n > 0; n--) {
    last = intKey(last);
    number = keyRead;
    out.push({ key: number, text: textContent() });
  }
  return out;
}

function language(entry: TextEntry): void {
  var last: Bytes | null = null,
    n,
    at,
    number,
    parts,
    id: Bytes[];
  for (n = map(); n > 0; n--) {
    at = here;
    if (peekType() === ARRAY) {
      id = [];
      for (parts = array(); parts > 0; parts--) id.push(bstrBytes());
      markAt(at);
      last = checkKeyOrder(last);
      entry.components.push({ id: id, texts: readTexts() });
    } else {
      last = intKey(last);
      number = keyRead;
      entry.texts.push({ key: number, text: textContent() });
    }
  }
}

/** Reads a text map from a range of the current input, strictly. */
export function parseText(slice: Slice): TextEntry[] {
  var out: TextEntry[] = [],
    last: Bytes | null = null,
    n,
    entry: TextEntry;
  enter(input, slice);
  n = map();
  if (n === 0) refuse(CBOR_TYPE);
  for (; n > 0; n--) {
    entry = { language: textContent(), texts: [], components: [] };
    last = checkKeyOrder(last);
    language(entry);
    out.push(entry);
  }
  checkEnd();
  return out;
}
