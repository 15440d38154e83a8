// Reads the structure of an envelope and of a manifest, once and strictly. trust/open.ts decides about trust; nothing
// here does.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_TOOLS } from "../base/features.js";
import { mark, markAt, refuse } from "../base/refuse.js";
import type { Bytes, Host, Sequence, Source } from "../base/types.js";
import {
  ARRAY,
  array,
  bstr,
  bstrBytes,
  checkEnd,
  checkKeyOrder,
  copyBytes,
  enter,
  enterBstr,
  here,
  type Input,
  input,
  intKey,
  keyRead,
  type LoadedBytes,
  leave,
  load,
  MAP,
  map,
  peekType,
  type Slice,
  seek,
  skip,
  startReading,
  TAG,
  TSTR,
  tag,
  uint,
  uint64,
} from "../cbor/reader.js";
import { type Digest, readDigest } from "../hash/digest.js";
import {
  COMMON_KEY,
  COMPONENT_LIST,
  ENVELOPE_KEY,
  ENVELOPE_NO_MANIFEST,
  ENVELOPE_NO_WRAPPER,
  ENVELOPE_NONE,
  MANIFEST_INCOMPLETE,
  MANIFEST_KEY,
  MANIFEST_VERSION,
  OLD_DRAFT,
  PAYLOAD_COUNT,
  SEVERED_REDUNDANT,
  SEVERED_UNCOVERED,
} from "../spec/errors.generated.js";
import {
  COM_COMPONENTS,
  COM_DEPENDENCIES,
  COM_SHARED_SEQUENCE,
  ENV_AUTHENTICATION_WRAPPER,
  ENV_DELEGATION,
  ENV_MANIFEST,
  MAN_COMMON,
  MAN_INSTALL_OLD,
  MAN_REFERENCE_URI,
  MAN_SEQUENCE_NUMBER,
  MAN_TEXT,
  MAN_VERSION,
  TAG_ENVELOPE,
} from "../spec/suit.js";
import { FOREIGN, foreign, tableEntry, uri } from "./code-points.js";

/**
 * Maximum number of components, and of parts in a component identifier. The specification has no limit, but a device
 * does.
 */
export const MAX_COMPONENTS = 16;
const MAX_PARTS = 5;
const MAX_PAYLOADS = 16;

/** The kinds of manifest elements, besides FOREIGN. */
const ELEMENT_COMMANDS = 1;
const ELEMENT_SEVERABLE = 2;
/** Not of a manifest: the wrapper and the manifest, in an envelope. */
const ELEMENT_ENVELOPE = 8;

/**
 * For each number of a manifest element, 0 to 25, the sum of the above and FOREIGN as the low bits of a character: see
 * manifest/code-points.ts.
 */
export const ELEMENTS = "@@HH@DDAAA@@@@FGC@G@C@@BED";

/**
 * An element of the envelope or manifest: its number, the range of its content (`inside`), and the range including the
 * bstr head (`whole`).
 */
export interface Element {
  number: number;
  inside: Slice;
  whole: Slice;
}

export interface Payload {
  uri: string;
  content: Slice;
  /** The pair in the map of the envelope: key and content. */
  whole: Slice;
}

export interface Envelope {
  input: Input;
  wrapper?: Element;
  manifestElement: Element;
  severed: Element[];
  payloads: Payload[];
  /** The range of the content of the digest's byte string, which is what was signed. */
  signed: Slice;
  /**
   * The offset of the first element that this build does not run, or -1. Reported only after the signatures are
   * verified.
   */
  foreign: number;
  /** The unread rest of the map: number of pairs, offset, and the key before them. */
  left: number;
  behind: number;
  last: Bytes | null;
  window: LoadedBytes;
}

/** The content of a manifest, apart from the commands themselves. `commands` holds the sequences that are present. */
export interface UnverifiedManifest {
  input: Input;
  sequence: Sequence;
  components: Bytes[][];
  shared?: Slice;
  commands: Element[];
  text?: Slice;
  /** Severable elements of which the manifest holds only the digest. */
  digests: { number: number; sum: Digest }[];
  /** URIs in the commands, and the sum of all image sizes that they set. */
  uris: string[];
  bytes: number;
  /** Whether a start fetches something: boot() then needs the payloads too. */
  loads: boolean;
  referenceUri: string | null;
  /** Numbers of the severed elements that are absent. */
  absent: number[];
}

function readElement(number: number): Element {
  var content = bstr(),
    e = { number: number, inside: content, whole: { at: mark, n: here - mark } };
  // move the mark, so that the window need not include what is held
  markAt(here);
  return e;
}

/**
 * Reads the map of an envelope up to its payloads: SUIT_Envelope, with or without tag 107 (M37 §8.2). By key order,
 * wrapper, manifest and severed elements come first; they are held in RAM. A text, which no device executes, is held
 * only with `lenient`, which also reads the code points that this build does not run. Does not read the contents of the
 * elements.
 */
export function parseHead(bytes: Bytes | Source, host: Host, lenient: boolean): Envelope {
  var e = { input: startReading(bytes), severed: [], payloads: [], foreign: -1, last: null } as unknown as Envelope,
    n,
    kind,
    found;
  if (host.memory) input.ramLeft = host.memory;
  if (HAS_TOOLS) input.lenient = lenient;
  if (peekType() === TAG) tag(TAG_ENVELOPE, ENVELOPE_NONE);
  if (peekType() !== MAP) refuse(ENVELOPE_NONE);
  for (n = map(); n > 0 && peekType() !== TSTR; n--) {
    e.last = intKey(e.last);
    kind = tableEntry(ELEMENTS, keyRead);
    if (keyRead === MAN_INSTALL_OLD) refuse(OLD_DRAFT);
    if (keyRead === ENV_DELEGATION || (kind & ELEMENT_SEVERABLE && kind & FOREIGN)) {
      if (!(HAS_TOOLS && lenient)) e.foreign = mark;
    } else if (!(kind & (ELEMENT_SEVERABLE + ELEMENT_ENVELOPE))) refuse(ENVELOPE_KEY);
    kind = keyRead;
    found = readElement(kind);
    if (((HAS_TOOLS && lenient) || kind !== MAN_TEXT) && !input.origin.dangerouslyReadInPlace) load(input, found.whole);
    if (kind === ENV_AUTHENTICATION_WRAPPER) e.wrapper = found;
    else if (kind === ENV_MANIFEST) e.manifestElement = found;
    else if (kind !== ENV_DELEGATION) e.severed.push(found);
  }
  e.left = n;
  e.behind = here;
  // the window may extend further, and nothing is read twice
  e.window = input.window;
  // not verified yet, so their cost is bounded
  if (n > MAX_PAYLOADS) refuse(PAYLOAD_COUNT);
  if (!e.wrapper && !(HAS_TOOLS && lenient)) refuse(ENVELOPE_NO_WRAPPER);
  if (!e.manifestElement) refuse(ENVELOPE_NO_MANIFEST);
  return e;
}

/** Reads the rest of the map of the envelope: the heads of the integrated payloads. */
export function parsePayloads(e: Envelope): void {
  var named, at;
  seek(e.input, e.behind, e.input.n);
  input.window = e.window;
  for (; e.left > 0; e.left--) {
    at = here;
    // after text strings, an integer key is out of order
    if (peekType() !== TSTR) intKey(e.last);
    named = uri();
    e.last = checkKeyOrder(e.last);
    e.payloads.push({ uri: named, content: bstr(), whole: { at: at, n: here - at } });
  }
  checkEnd();
}

/** Reads SUIT_Components: 1 to 16 unique identifiers, each an array of up to 5 byte strings. */
function components(): Bytes[][] {
  var n = array(),
    all: Bytes[][] = [],
    raw: Bytes[] = [],
    parts,
    id: Bytes[],
    at,
    whole,
    i;
  if (n === 0 || n > MAX_COMPONENTS) refuse(COMPONENT_LIST);
  for (; n > 0; n--) {
    at = here;
    parts = array();
    if (parts > MAX_PARTS) refuse(COMPONENT_LIST);
    id = [];
    for (; parts > 0; parts--) id.push(bstrBytes());
    whole = copyBytes(input, at, here - at);
    for (i = 0; i < raw.length; i++) if (equalConstantTime(raw[i], whole)) refuse(COMPONENT_LIST);
    raw.push(whole);
    all.push(id);
  }
  return all;
}

function common(out: UnverifiedManifest): void {
  var outer = enterBstr(),
    last: Bytes | null = null,
    n;
  for (n = map(); n > 0; n--) {
    last = intKey(last);
    if (keyRead === COM_COMPONENTS) out.components = components();
    else if (keyRead === COM_SHARED_SEQUENCE) out.shared = bstr();
    else if (keyRead === COM_DEPENDENCIES) {
      foreign();
      skip();
    } else refuse(COMMON_KEY);
  }
  leave(outer);
}

/**
 * Reads SUIT_Manifest (M37 §8.4). Severed elements from the envelope are listed with the others. `digests` has the
 * digests that they must match; the caller checks them before it reads commands.
 */
export function parseManifest(envelope: Envelope): UnverifiedManifest {
  var out = {
      input: envelope.input,
      components: [],
      commands: [],
      digests: [],
      uris: [],
      bytes: 0,
      loads: false,
      referenceUri: null,
    } as unknown as UnverifiedManifest,
    // elements in the manifest (1), and elements of which it has only the digest (2)
    seen: { [name: number]: number } = {},
    last: Bytes | null = null,
    n,
    kind,
    i,
    e;
  enter(out.input, envelope.manifestElement.inside);
  for (n = map(); n > 0; n--) {
    last = intKey(last);
    i = keyRead;
    kind = tableEntry(ELEMENTS, i);
    if (kind & FOREIGN) foreign();
    if (i === MAN_INSTALL_OLD) refuse(OLD_DRAFT);
    seen[i] = 1;
    if (i === MAN_VERSION) {
      if (uint() !== 1) refuse(MANIFEST_VERSION);
    } else if (i === MAN_SEQUENCE_NUMBER) out.sequence = uint64();
    else if (i === MAN_COMMON) common(out);
    else if (i === MAN_REFERENCE_URI) out.referenceUri = uri();
    else if (kind & ELEMENT_SEVERABLE && peekType() === ARRAY) {
      out.digests.push({ number: i, sum: readDigest() });
      seen[i] = 2;
    } else if (i === MAN_TEXT) out.text = bstr();
    else if (kind & ELEMENT_COMMANDS) out.commands.push(readElement(i));
    else if (kind) skip();
    else refuse(MANIFEST_KEY);
  }
  checkEnd();
  if (!seen[MAN_VERSION] || !seen[MAN_SEQUENCE_NUMBER] || !out.components.length) refuse(MANIFEST_INCOMPLETE);
  for (i = 0; i < envelope.severed.length; i++) {
    e = envelope.severed[i];
    // Unsigned metadata must not be acted on (SUIT manifest §5.5): only a digest in the manifest gives meaning to an
    // element of the envelope.
    if (seen[e.number] !== 2) refuse(seen[e.number] ? SEVERED_REDUNDANT : SEVERED_UNCOVERED);
    if (e.number === MAN_TEXT) out.text = e.inside;
    else if (tableEntry(ELEMENTS, e.number) & ELEMENT_COMMANDS) out.commands.push(e);
  }
  return out;
}
