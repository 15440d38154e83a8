// The structure of an envelope and of a manifest, read once and strictly. Nothing here decides whom to trust: open.ts does.

import { same } from "./bytes.js";
import {
  ARRAY,
  array,
  ascending,
  bstr,
  done,
  int,
  MAP,
  map,
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
  tstr,
  uint,
  uint64,
} from "./cbor.js";
import { sequence, uri } from "./commands.js";
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
  NOT_SUPPORTED,
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
  MAN_CANDIDATE_VERIFICATION,
  MAN_COMMON,
  MAN_COMPONENT_ID,
  MAN_COSWID,
  MAN_DEPENDENCY_RESOLUTION,
  MAN_INSTALL,
  MAN_INSTALL_OLD,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_MUD,
  MAN_PAYLOAD_FETCH,
  MAN_REFERENCE_URI,
  MAN_SEQUENCE_NUMBER,
  MAN_SET_VERSION,
  MAN_TEXT,
  MAN_UNINSTALL,
  MAN_VALIDATE,
  MAN_VERSION,
  TAG_ENVELOPE,
} from "./spec/suit.js";
import type { Bytes, Sequence, Source } from "./types.js";

/** More components, or more parts in one identifier, than this are refused: the specification sets no limit, a device has one. */
var MAX_COMPONENTS = 16;
var MAX_PARTS = 5;
var MAX_PAYLOADS = 16;

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

function isSequence(key: number): boolean {
  return key === MAN_VALIDATE || key === MAN_LOAD || key === MAN_INVOKE || key === MAN_PAYLOAD_FETCH || key === MAN_INSTALL;
}

/** Code points of the family that this build does not run: trust domains, update management, MUD. */
function isForeign(key: number): boolean {
  return (
    key === MAN_COMPONENT_ID ||
    key === MAN_SET_VERSION ||
    key === MAN_COSWID ||
    key === MAN_DEPENDENCY_RESOLUTION ||
    key === MAN_CANDIDATE_VERIFICATION ||
    key === MAN_UNINSTALL ||
    key === MAN_MUD
  );
}

function isSeverable(key: number): boolean {
  return (
    key === MAN_PAYLOAD_FETCH ||
    key === MAN_INSTALL ||
    key === MAN_TEXT ||
    key === MAN_COSWID ||
    key === MAN_DEPENDENCY_RESOLUTION ||
    key === MAN_CANDIDATE_VERIFICATION
  );
}

function element(r: Reader, key: number): Element {
  var at = r.at,
    content = bstr(r);
  return { key: key, content: content, whole: { at: at, n: r.at - at } };
}

/** The envelope's map: SUIT_Envelope, with or without tag 107 (M37 §8.2). Only the outermost structure is looked at. */
export function parseEnvelope(input: Bytes | Source, lenient: boolean): Envelope {
  var r = reader(input),
    wrapper: Element | null = null,
    manifest: Element | null = null,
    severed: Element[] = [],
    payloads: Payload[] = [],
    last: Bytes | null = null,
    at,
    n,
    key,
    name;
  if (peekType(r) === TAG) tag(r, TAG_ENVELOPE, ENVELOPE_NONE);
  if (r.end === 0 || peekType(r) !== MAP) refuse(ENVELOPE_NONE, r.at);
  n = map(r);
  for (; n > 0; n--) {
    at = r.at;
    if (peekType(r) === TSTR) {
      name = uri(r, tstr(r));
      last = ascending(r, at, last);
      // nobody has signed them yet, so what they cost is bounded
      if (payloads.length === MAX_PAYLOADS) refuse(PAYLOAD_COUNT, at);
      payloads.push({ uri: name, content: bstr(r) });
    } else {
      key = int(r);
      last = ascending(r, at, last);
      if (key === ENV_AUTHENTICATION_WRAPPER) wrapper = element(r, key);
      else if (key === ENV_MANIFEST) manifest = element(r, key);
      else if (key === MAN_INSTALL_OLD) refuse(OLD_DRAFT, at);
      else if (isSeverable(key)) {
        if (!lenient && isForeign(key)) refuse(NOT_SUPPORTED, at);
        severed.push(element(r, key));
      } else if (key === ENV_DELEGATION) {
        if (!lenient) refuse(NOT_SUPPORTED, at);
        element(r, key);
      } else refuse(ENVELOPE_KEY, at);
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
    start,
    parts,
    id: Bytes[],
    s,
    i;
  if (n === 0 || n > MAX_COMPONENTS) refuse(COMPONENT_LIST, at);
  for (; n > 0; n--) {
    start = r.at;
    parts = array(r);
    if (parts > MAX_PARTS) refuse(COMPONENT_LIST, start);
    id = [];
    for (; parts > 0; parts--) {
      s = bstr(r);
      id.push(take(r, s.at, s.n));
    }
    s = take(r, start, r.at - start);
    for (i = 0; i < raw.length; i++) if (same(raw[i], s)) refuse(COMPONENT_LIST, start);
    raw.push(s);
    all.push(id);
  }
  return all;
}

function common(r: Reader, out: Structure, lenient: boolean): void {
  var last: Bytes | null = null,
    n = map(r),
    at,
    key;
  for (; n > 0; n--) {
    at = r.at;
    key = int(r);
    last = ascending(r, at, last);
    if (key === COM_COMPONENTS) out.components = components(r);
    else if (key === COM_SHARED_SEQUENCE) out.shared = bstr(r);
    else if (key === COM_DEPENDENCIES) {
      if (!lenient) refuse(NOT_SUPPORTED, at);
      skip(r);
    } else refuse(COMMON_KEY, at);
  }
  done(r);
}

/**
 * SUIT_Manifest (M37 §8.4). Elements severed into the envelope are listed with the others; `digests` says what they have to match, which
 * the caller checks before parseCommands().
 * `lenient` reads the code points of the family that this build does not run.
 */
export function parseManifest(envelope: Envelope, lenient: boolean): Structure {
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
    seen: { [key: number]: number } = {},
    last: Bytes | null = null,
    n = map(r),
    at,
    key,
    i,
    e;
  for (; n > 0; n--) {
    at = r.at;
    key = int(r);
    last = ascending(r, at, last);
    seen[key] = 1;
    if (isForeign(key) && !lenient) refuse(NOT_SUPPORTED, at);
    if (key === MAN_VERSION) {
      if (uint(r) !== 1) refuse(MANIFEST_VERSION, at);
    } else if (key === MAN_SEQUENCE_NUMBER) out.sequence = uint64(r);
    else if (key === MAN_COMMON) common(sub(r, bstr(r)), out, lenient);
    else if (key === MAN_REFERENCE_URI) out.referenceUri = uri(r, tstr(r));
    else if (key === MAN_INSTALL_OLD) refuse(OLD_DRAFT, at);
    else if (isSeverable(key) && peekType(r) === ARRAY) {
      i = r.at;
      out.digests.push({ key: key, digest: digest(r), at: i });
      seen[key] = 2;
    } else if (key === MAN_TEXT) out.text = bstr(r);
    else if (isSequence(key) || key === MAN_DEPENDENCY_RESOLUTION || key === MAN_CANDIDATE_VERIFICATION || key === MAN_UNINSTALL)
      out.commands.push(element(r, key));
    else if (isForeign(key)) skip(r);
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
    else if (e.key !== MAN_COSWID) out.commands.push(e);
  }
  return out;
}

/** Looks at the commands of every sequence that is at hand. To be called once the digests of severed elements are checked. */
export function parseCommands(envelope: Envelope, m: Structure, lenient: boolean): void {
  var i;
  if (m.shared) sequence(envelope.r, m.shared, true, m, lenient);
  for (i = 0; i < m.commands.length; i++) sequence(envelope.r, m.commands[i].content, false, m, lenient);
}
