// Envelope bytes → authenticated Manifest. Top to bottom: read the envelope, see who signed the digest, see that the digest is the
// manifest's, and only then look at what the manifest says.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { isHalf, sequenceLess } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Anchor, Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import {
  array,
  bstr,
  checkEnd,
  copySlice,
  enter,
  type Input,
  input,
  leave,
  enterBstr as openString,
  type Slice,
  shrink,
} from "../cbor/reader.js";
import { type CoseSignature, isNew, MAX_SIGNATURES, readSignatures, verified } from "../cose/message.js";
import { type Digest, digestPieces, digestSlice, readDigest } from "../hash/digest.js";
import { checkCommands } from "../interpreter/run.js";
import { MARK, type Manifest } from "../manifest/manifest.js";
import { type Element, type Envelope, parseHead, parseManifest, parsePayloads, type UnverifiedManifest } from "../manifest/parse.js";
import {
  ANCHOR_WINDOW,
  DIGEST_LENGTH,
  DIGEST_MANIFEST,
  DIGEST_SEVERED,
  NOT_SUPPORTED,
  PAYLOAD_UNREFERENCED,
  ROLLBACK,
  SIGNATURE_COUNT,
  TRUST_POLICY,
} from "../spec/errors.js";

/** Bytes of an encoded digest. */
const MAX_DIGEST = 128;

/** Whether a limit is left out, or is a number of 64 bits: one that could not be read must not count as none. */
function isLimit(s: Sequence | undefined): boolean {
  // Espruino has no members of a number to look at
  return s === undefined || !!(s && typeof s === "object" && isHalf(s[0]) && isHalf(s[1]));
}

/** A policy that cannot be met, or that anybody meets, is a fault of the caller and is refused before a byte is read. */
export function policy(trust: Trust): number {
  var anchors = trust && trust.anchors,
    distinct: number[] = [],
    threshold,
    i,
    a;
  markAt(-1);
  if (!anchors || !(anchors.length > 0)) refuse(TRUST_POLICY);
  for (i = 0; i < anchors.length; i++) {
    a = anchors[i];
    if (!a || !a.alg || !a.key) refuse(TRUST_POLICY);
    if (HAS_TRUST && !(isLimit(a.since) && isLimit(a.until))) refuse(TRUST_POLICY);
    if (isNew(anchors, distinct, a)) distinct.push(i);
  }
  // a floor that could not be read must not count as none
  if (trust.floor !== undefined && !(trust.floor && isHalf(trust.floor[0]) && isHalf(trust.floor[1]))) refuse(TRUST_POLICY);
  threshold = trust.threshold;
  if (threshold === undefined) threshold = 1;
  if (!isHalf(threshold) || !threshold || threshold > distinct.length) refuse(TRUST_POLICY);
  return threshold;
}

/**
 * SUIT_Authentication (M37 §8.3): where the digest lies, which is what is signed, and who claims to have signed it. `message` is the content of the digest's
 * byte string.
 */
interface Wrapper {
  at: Slice;
  message: Bytes;
  signatures: CoseSignature[];
}

export function wrapper(e: Element, host: Host): Wrapper {
  var all: CoseSignature[] = [],
    n,
    s,
    outer,
    message,
    c,
    i;
  enter(input, e.inside);
  n = array();
  s = bstr();
  // it is copied for each signature, and nobody has vouched for it: a SUIT_Digest has 69 bytes at most
  if (s.n > MAX_DIGEST) refuse(DIGEST_LENGTH);
  message = copySlice(input, s);
  if (n - 1 > MAX_SIGNATURES) refuse(SIGNATURE_COUNT);
  for (; n > 1; n--) {
    outer = openString();
    all = all.concat(readSignatures(message, []));
    leave(outer);
    if (all.length > MAX_SIGNATURES) refuse(SIGNATURE_COUNT);
  }
  checkEnd();
  for (i = 0; i < all.length; i++) {
    c = all[i];
    c.sum = digestPieces([copySlice(input, c.head), copySlice(input, c.body)], host);
  }
  return { at: s, message: message, signatures: all };
}

/** The SUIT_Digest of a wrapper: what it says is looked at once it is known who has signed it. */
export function signedDigest(src: Input, s: Slice): Digest {
  var d;
  enter(src, s);
  d = readDigest();
  checkEnd();
  return d;
}

/** Whether the bytes of an element, its bstr head included, have the digest: so it is for the manifest (M37 §8.3) and for severed elements. */
export function checkElement(src: Input, e: Element, d: Digest, host: Host, code: number): void {
  markAt(e.whole.at);
  if (!equalConstantTime(digestSlice(src, e.whole, host, d.alg), d.bytes)) refuse(code);
}

/** Every severed element that is there has the digest that the manifest names. Notes the numbers of those that are not there. */
export function checkSevered(e: Envelope, m: UnverifiedManifest, host: Host): void {
  var i, j, d;
  m.absent = [];
  for (i = 0; i < m.digests.length; i++) {
    d = m.digests[i];
    for (j = 0; j < e.severed.length && e.severed[j].number !== d.number; j++);
    if (j === e.severed.length) m.absent.push(d.number);
    else checkElement(e.input, e.severed[j], d.sum, host, DIGEST_SEVERED);
  }
}

/** Reads the heads of the integrated payloads: one that no signed command names is data that nobody vouched for. */
export function checkPayloads(e: Envelope, m: UnverifiedManifest): void {
  var i;
  parsePayloads(e);
  for (i = 0; i < e.payloads.length; i++) {
    markAt(e.payloads[i].whole.at);
    if (m.uris.indexOf(e.payloads[i].uri) < 0) refuse(PAYLOAD_UNREFERENCED);
  }
}

/** How many signers have to be known: all, where one of them may turn out not to count; 0 where as many as are needed. */
function most(anchors: Anchor[]): number {
  var i, a;
  for (i = 0; i < anchors.length; i++) {
    a = anchors[i];
    if (a.since || a.until || a.vendor || a.class) return anchors.length;
  }
  return 0;
}

/** Those of `signers` that count for a sequence number; refused where they are too few. */
function current(signers: number[], trust: Trust, threshold: number, s: Sequence): number[] {
  var out: number[] = [],
    i,
    a;
  for (i = 0; i < signers.length; i++) {
    a = trust.anchors[signers[i]];
    if (!(a.since && sequenceLess(s, a.since)) && !(a.until && sequenceLess(a.until, s))) out.push(signers[i]);
  }
  if (out.length < threshold) refuse(ANCHOR_WINDOW);
  return out;
}

/** An envelope before its signatures are verified. */
interface Unverified {
  /** The threshold of the policy, under a name that bundles shorten. */
  required: number;
  parsed: Envelope;
  signatures: CoseSignature[];
}

/** What has to be read before anybody can be believed. */
export function read(bytes: Bytes | Source, trust: Trust, host: Host): Unverified {
  var threshold = policy(trust),
    envelope = parseHead(bytes, host, false),
    w = wrapper(envelope.wrapper as Element, host);
  // signatures are verified from copies, and that is when RAM is needed
  shrink(envelope.input, w.at, w.message);
  envelope.signed = w.at;
  return { required: threshold, parsed: envelope, signatures: w.signatures };
}

/** The manifest, once its signers are known. `whole`: with the heads of the payloads. */
export function believe(u: Unverified, signers: number[], trust: Trust, host: Host, whole: boolean): Manifest {
  var e = u.parsed,
    sum = signedDigest(e.input, e.signed),
    m: Manifest,
    i;
  checkElement(e.input, e.manifestElement, sum, host, DIGEST_MANIFEST);
  // who signed comes first, then what it says
  markAt(e.foreign);
  if (e.foreign >= 0) refuse(NOT_SUPPORTED);
  m = parseManifest(e) as Manifest;
  markAt(e.manifestElement.inside.at);
  // Rollback: RFC 9124 §4.3.1. Equal is accepted, an interrupted installation needs it.
  if (trust.floor && sequenceLess(m.sequence, trust.floor)) refuse(ROLLBACK);
  // a key that was retired or stolen still signs what it could sign before, and nothing newer
  if (HAS_TRUST) signers = current(signers, trust, u.required, m.sequence);
  checkSevered(e, m, host);
  checkCommands(m);
  if (whole) checkPayloads(e, m);
  m.signers = signers;
  if (HAS_TRUST) {
    m.threshold = u.required;
    m.believed = [];
    for (i = 0; i < signers.length; i++) m.believed.push(trust.anchors[signers[i]]);
  }
  m.signatures = u.signatures;
  m.digest = sum;
  m.payloads = e.payloads;
  m.parsed = e;
  // from here on it is believed
  m.mark = MARK;
  return m;
}

/**
 * Who signed an envelope, that it is what was signed, and what it says. Everything that is looked at afterwards, or executed, is in RAM from here on.
 * `whole`: payloads included, otherwise the head alone. `own`: see open(). Throws also what a Source or a host throws.
 */
export function opened(bytes: Bytes | Source, trust: Trust, host: Host, whole: boolean, own?: boolean): Manifest {
  var u = read(bytes, trust, host),
    signers = verified(u.signatures, trust.anchors, u.required, host, HAS_TRUST ? most(trust.anchors) : 0, own);
  return believe(u, signers, trust, host, whole);
}

/**
 * Opens an envelope: octets in RAM or a Source. `trust`: whom to believe, and the lowest sequence number accepted.
 * Returns the authenticated manifest, or throws a refusal { code, at } (numbers: spec/errors.ts). Nothing is changed by either.
 * Wrapper, manifest and severed elements are copied into RAM, once: what is verified is what is read and executed. Payloads stay where they are, and are
 * held against their digests when they are installed. `own`: the caller has kept or made the envelope, and each of its signatures may be tried; otherwise no
 * more may fail before the first good one than are needed, and two.
 *
 *     open(bytes, { anchors: [anchor("ed25519", key)], floor: [0, 7] }, host)
 */
export function open(bytes: Bytes | Source, trust: Trust, host?: Host, own?: boolean): Manifest {
  try {
    return opened(bytes, trust, host || {}, true, own);
  } catch (e) {
    return rethrow(e);
  }
}
