// Envelope bytes → authenticated Manifest. Top to bottom: read the envelope, see who signed the digest, see that the digest is the
// manifest's, and only then look at what the manifest says.

import { rawKey, same } from "./bytes.js";
import { array, bstr, done, type Reader, type Slice, sub, take } from "./cbor.js";
import { type Claim, claims, concerns, MAX_SIGNATURES, verified } from "./cose.js";
import { type Digest, digest, digestSlice } from "./digest.js";
import { compareSequence, isHalf } from "./number.js";
import { type Element, type Envelope, type Payload, parseCommands, parseEnvelope, parseManifest, type Structure } from "./parse.js";
import { refuse } from "./refuse.js";
import {
  ANCHOR_KEY,
  DIGEST_MANIFEST,
  DIGEST_SEVERED,
  PAYLOAD_UNREFERENCED,
  ROLLBACK,
  SIGNATURE_COUNT,
  SIGNATURE_INVALID,
  SIGNATURE_NO_ANCHOR,
  SIGNATURE_THRESHOLD,
  TRUST_POLICY,
  WRAPPER_EMPTY,
} from "./spec/errors.js";
import type { Anchor, Bytes, Host, Sequence, Source, Trust } from "./types.js";

var MARK = {};

/** An authenticated manifest. Only open() makes one; start() and install() take nothing else. */
export interface Manifest {
  sequence: Sequence;
  components: Bytes[][];
  /** Positions in `trust.anchors` of the anchors that signed; not more than were needed. */
  signers: number[];
  digest: Digest;
  referenceUri: string | null;
  payloads: Payload[];
  /** For start(): where the commands lie. */
  r: Reader;
  shared: Slice | null;
  commands: Element[];
  /** Numbers of the severed elements that are not at hand. */
  absent: number[];
  mark: unknown;
}

export function isManifest(m: unknown): m is Manifest {
  return !!m && (m as Manifest).mark === MARK;
}

/** A policy that cannot be met, or that anybody meets, is a fault of the caller and is refused before a byte is read. */
function policy(trust: Trust): number {
  var anchors = trust && trust.anchors,
    distinct = 0,
    need = trust && trust.need === undefined ? 1 : trust && (trust.need as number),
    i,
    j;
  if (!anchors || !(anchors.length > 0)) refuse(TRUST_POLICY, -1);
  for (i = 0; i < anchors.length; i++) {
    if (!anchors[i] || !anchors[i].alg || !anchors[i].key) refuse(TRUST_POLICY, -1);
    for (j = 0; j < i; j++) if (same(rawKey(anchors[i].key), rawKey(anchors[j].key))) break;
    if (j === i) distinct++;
  }
  if (!isHalf(need) || need < 1 || need > distinct) refuse(TRUST_POLICY, -1);
  if (trust.floor && !(isHalf(trust.floor[0]) && isHalf(trust.floor[1]))) refuse(TRUST_POLICY, -1);
  return need;
}

/** SUIT_Authentication (M37 §8.3): the digest, and what is signed over it. `message` is the content of the digest's byte string. */
export function wrapper(r0: Reader, slice: Slice): { digest: Digest; message: Bytes; claims: Claim[] } {
  var r = sub(r0, slice),
    n = array(r),
    s = bstr(r),
    inner = sub(r, s),
    d = digest(inner),
    all: Claim[] = [],
    message;
  done(inner);
  message = take(r, s.at, s.n);
  if (n - 1 > MAX_SIGNATURES) refuse(SIGNATURE_COUNT, slice.at);
  for (; n > 1; n--) {
    all = all.concat(claims(r, bstr(r), message, []));
    if (all.length > MAX_SIGNATURES) refuse(SIGNATURE_COUNT, slice.at);
  }
  done(r);
  return { digest: d, message: message, claims: all };
}

function authenticate(all: Claim[], anchors: Anchor[], need: number, host: Host, at: number): number[] {
  var found = verified(all, anchors, need, host),
    fits = false,
    i,
    j;
  if (all.length === 0) refuse(WRAPPER_EMPTY, at);
  if (found.length < need) {
    for (i = 0; i < all.length; i++) for (j = 0; j < anchors.length; j++) if (concerns(all[i], anchors[j])) fits = true;
    if (!fits) refuse(SIGNATURE_NO_ANCHOR, at);
    // a key that can verify nothing is a fault of the device, and is told apart from a bad signature
    for (j = 0; j < anchors.length; j++) if (!anchors[j].alg.valid(rawKey(anchors[j].key))) refuse(ANCHOR_KEY, -1);
    refuse(found.length ? SIGNATURE_THRESHOLD : SIGNATURE_INVALID, at);
  }
  return found;
}

/** The manifest digest covers the byte string with its head (M37 §8.3); so do the digests of severed elements. */
export function checkManifestDigest(e: Envelope, d: Digest, host: Host): void {
  if (!same(digestSlice(e.r, e.manifest.whole, host, d.alg), d.bytes)) refuse(DIGEST_MANIFEST, e.manifest.whole.at);
}

/** Every severed element that is there has the digest that the manifest names. Returns the numbers of those that are not there. */
export function checkSevered(e: Envelope, m: Structure, host: Host): number[] {
  var absent: number[] = [],
    i,
    j,
    d;
  for (i = 0; i < m.digests.length; i++) {
    d = m.digests[i];
    for (j = 0; j < e.severed.length; j++) if (e.severed[j].key === d.key) break;
    if (j === e.severed.length) absent.push(d.key);
    else if (!same(digestSlice(e.r, e.severed[j].whole, host, d.digest.alg), d.digest.bytes)) refuse(DIGEST_SEVERED, e.severed[j].whole.at);
  }
  return absent;
}

/** An integrated payload that no signed command names is data that nobody vouched for. */
export function checkPayloads(e: Envelope, m: Structure): void {
  var i;
  for (i = 0; i < e.payloads.length; i++) if (m.uris.indexOf(e.payloads[i].uri) < 0) refuse(PAYLOAD_UNREFERENCED, e.payloads[i].content.at);
}

/**
 * Opens an envelope: octets in RAM or a Source. `trust`: whom to believe, and the lowest sequence number accepted.
 * Returns the authenticated manifest, or throws a refusal { code, at } (numbers: spec/errors.ts). Nothing is changed by either.
 * The bytes must not change while the Manifest is in use: they are hashed, read and executed where they lie.
 *
 *     open(bytes, { anchors: [anchor("ed25519", key)], floor: [0, 7] }, host)
 */
export function open(input: Bytes | Source, trust: Trust, host: Host): Manifest {
  var need = policy(trust),
    e = parseEnvelope(input, false),
    slice = (e.wrapper as Element).content,
    w = wrapper(e.r, slice),
    signers = authenticate(w.claims, trust.anchors, need, host, slice.at),
    m,
    absent;
  checkManifestDigest(e, w.digest, host);
  m = parseManifest(e);
  // Rollback: RFC 9124 §4.3.1. Equal is accepted, an interrupted installation needs it.
  if (trust.floor && compareSequence(m.sequence, trust.floor) < 0) refuse(ROLLBACK, e.manifest.content.at);
  absent = checkSevered(e, m, host);
  parseCommands(e, m);
  checkPayloads(e, m);
  return {
    sequence: m.sequence,
    components: m.components,
    signers: signers,
    digest: w.digest,
    referenceUri: m.referenceUri,
    payloads: e.payloads,
    r: e.r,
    shared: m.shared,
    commands: m.commands,
    absent: absent,
    mark: MARK,
  };
}
