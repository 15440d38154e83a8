// The structure of an envelope and of a manifest, read once and strictly. Nothing here decides whom to trust: open.ts does.

import { same } from "./bytes.js";
import {
  ARRAY,
  array,
  ascending,
  bstr,
  done,
  key,
  MAP,
  map,
  octets,
  peekType,
  type Reader,
  reader,
  type Slice,
  skip,
  sub,
  TAG,
  TSTR,
  tag,
  take,
  uint,
  uint64,
} from "./cbor.js";
import { FOREIGN, foreign, kindOf, sequence, uri } from "./commands.js";
import { type Digest, digest } from "./digest.js";
import { refuse } from "./refuse.js";
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
} from "./spec/errors.js";
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
} from "./spec/suit.js";
import type { Bytes, Sequence, Source } from "./types.js";

/** More components, or more parts in one identifier, than this are refused: the specification sets no limit, a device has one. */
var MAX_COMPONENTS = 16;
var MAX_PARTS = 5;
var MAX_PAYLOADS = 16;

/** What an element of the manifest can be, besides FOREIGN. */
var COMMANDS = 1;
var SEVERABLE = 2;

/** By number of the manifest's element, 0 to 25, the sum of the above and FOREIGN as the low bits of a character: see commands.ts. */
export var ELEMENTS = "@@@@@DDAAA@@@@FGC@G@C@@BED";

/** An element of the envelope or manifest: its number, where its content lies, and where its bytes with the bstr head lie (`whole`). */
export interface Element {
  key: number;
  content: Slice;
  whole: Slice;
}

export interface Payload {
  uri: string;
  content: Slice;
}

export interface Envelope {
  r: Reader;
  wrapper: Element | null;
  manifest: Element;
  severed: Element[];
  payloads: Payload[];
}

/** What a manifest says, apart from the commands themselves. `commands` holds the sequences that are at hand. */
export interface Structure {
  sequence: Sequence;
  components: Bytes[][];
  shared: Slice | null;
  commands: Element[];
  text: Slice | null;
  /** Severable elements of which the manifest holds only the digest, `at` the offset of that digest. */
  digests: { key: number; digest: Digest; at: number }[];
  /** URIs that the commands name. */
  uris: string[];
  referenceUri: string | null;
}

function element(r: Reader, name: number): Element {
  var at = r.at,
    content = bstr(r);
  return { key: name, content: content, whole: { at: at, n: r.at - at } };
}

/**
 * The envelope's map: SUIT_Envelope, with or without tag 107 (M37 §8.2). Only the outermost structure is looked at.
 * `lenient` reads also the code points of the family that this build does not run.
 */
export function parseEnvelope(input: Bytes | Source, lenient: boolean): Envelope {
  var r = reader(input),
    wrapper: Element | null = null,
    manifest: Element | null = null,
    severed: Element[] = [],
    payloads: Payload[] = [],
    at,
    n,
    name,
    kind,
    e;
  r.window.lenient = lenient;
  if (peekType(r) === TAG) tag(r, TAG_ENVELOPE, ENVELOPE_NONE);
  if (peekType(r) !== MAP) refuse(ENVELOPE_NONE, r.at);
  n = map(r);
  for (; n > 0; n--) {
    at = r.at;
    if (peekType(r) === TSTR) {
      name = uri(r);
      ascending(r, at);
      // nobody has signed them yet, so what they cost is bounded
      if (payloads.length === MAX_PAYLOADS) refuse(PAYLOAD_COUNT, at);
      payloads.push({ uri: name, content: bstr(r) });
    } else {
      name = key(r);
      kind = kindOf(ELEMENTS, name);
      if (name === MAN_INSTALL_OLD) refuse(OLD_DRAFT, at);
      if (name === ENV_DELEGATION || (kind & SEVERABLE && kind & FOREIGN)) foreign(r, at);
      else if (!(kind & SEVERABLE) && name !== ENV_AUTHENTICATION_WRAPPER && name !== ENV_MANIFEST) refuse(ENVELOPE_KEY, at);
      e = element(r, name);
      if (kind & SEVERABLE) severed.push(e);
      else if (name === ENV_AUTHENTICATION_WRAPPER) wrapper = e;
      else if (name === ENV_MANIFEST) manifest = e;
    }
  }
  done(r);
  if (!wrapper && !lenient) refuse(ENVELOPE_NO_WRAPPER, 0);
  if (!manifest) refuse(ENVELOPE_NO_MANIFEST, 0);
  return { r: r, wrapper: wrapper, manifest: manifest as Element, severed: severed, payloads: payloads };
}

/** SUIT_Components: one to 16 identifiers, each an array of up to 5 byte strings, none twice. */
function components(r: Reader): Bytes[][] {
  var at = r.at,
    n = array(r),
    all: Bytes[][] = [],
    raw: Bytes[] = [],
    parts,
    id: Bytes[],
    whole,
    i;
  if (n === 0 || n > MAX_COMPONENTS) refuse(COMPONENT_LIST, at);
  for (; n > 0; n--) {
    at = r.at;
    parts = array(r);
    if (parts > MAX_PARTS) refuse(COMPONENT_LIST, at);
    id = [];
    for (; parts > 0; parts--) id.push(octets(r));
    whole = take(r, at, r.at - at);
    for (i = 0; i < raw.length; i++) if (same(raw[i], whole)) refuse(COMPONENT_LIST, at);
    raw.push(whole);
    all.push(id);
  }
  return all;
}

function common(r: Reader, out: Structure): void {
  var n = map(r),
    at,
    name;
  for (; n > 0; n--) {
    at = r.at;
    name = key(r);
    if (name === COM_COMPONENTS) out.components = components(r);
    else if (name === COM_SHARED_SEQUENCE) out.shared = bstr(r);
    else if (name === COM_DEPENDENCIES) {
      foreign(r, at);
      skip(r);
    } else refuse(COMMON_KEY, at);
  }
  done(r);
}

/**
 * SUIT_Manifest (M37 §8.4). Elements severed into the envelope are listed with the others; `digests` says what they have to match, which
 * the caller checks before parseCommands().
 */
export function parseManifest(envelope: Envelope): Structure {
  var r = sub(envelope.r, envelope.manifest.content),
    out: Structure = {
      sequence: [0, 0],
      components: [],
      shared: null,
      commands: [],
      text: null,
      digests: [],
      uris: [],
      referenceUri: null,
    },
    // what the manifest has, and (2) what it has only the digest of
    seen: { [name: number]: number } = {},
    n = map(r),
    at,
    name,
    kind,
    i,
    e;
  for (; n > 0; n--) {
    at = r.at;
    name = key(r);
    kind = kindOf(ELEMENTS, name);
    if (kind & FOREIGN) foreign(r, at);
    if (name === MAN_INSTALL_OLD) refuse(OLD_DRAFT, at);
    seen[name] = 1;
    if (name === MAN_VERSION) {
      if (uint(r) !== 1) refuse(MANIFEST_VERSION, at);
    } else if (name === MAN_SEQUENCE_NUMBER) out.sequence = uint64(r);
    else if (name === MAN_COMMON) common(sub(r, bstr(r)), out);
    else if (name === MAN_REFERENCE_URI) out.referenceUri = uri(r);
    else if (kind & SEVERABLE && peekType(r) === ARRAY) {
      i = r.at;
      out.digests.push({ key: name, digest: digest(r), at: i });
      seen[name] = 2;
    } else if (name === MAN_TEXT) out.text = bstr(r);
    else if (kind & COMMANDS) out.commands.push(element(r, name));
    else if (kind) skip(r);
    else refuse(MANIFEST_KEY, at);
  }
  done(r);
  if (!seen[MAN_VERSION] || !seen[MAN_SEQUENCE_NUMBER] || !seen[MAN_COMMON] || out.components.length === 0)
    refuse(MANIFEST_INCOMPLETE, envelope.manifest.content.at);
  for (i = 0; i < envelope.severed.length; i++) {
    e = envelope.severed[i];
    // Unsigned metadata must not be acted on (SUIT manifest §5.5): only a digest in the manifest gives an element of the envelope a meaning
    if (seen[e.key] !== 2) refuse(seen[e.key] ? SEVERED_REDUNDANT : SEVERED_UNCOVERED, e.whole.at);
    if (e.key === MAN_TEXT) out.text = e.content;
    else if (kindOf(ELEMENTS, e.key) & COMMANDS) out.commands.push(e);
  }
  return out;
}

/** Looks at the commands of every sequence that is at hand. To be called once the digests of severed elements are checked. */
export function parseCommands(envelope: Envelope, m: Structure): void {
  var n = m.components.length,
    i;
  if (m.shared) sequence(envelope.r, m.shared, true, n, m.uris);
  for (i = 0; i < m.commands.length; i++) sequence(envelope.r, m.commands[i].content, false, n, m.uris);
}
