// Trust files: which keys a device trusts, for what, and how one list replaces another. docs/guides/trust.md describes
// the format and its rules. A file is one tagged COSE_Sign (RFC 9052 §4.1) with the list as its payload. Included in
// bundles on request.

import { equalConstantTime, sameKey } from "../base/bytes.js";
import { sequenceLess } from "../base/number.js";
import { mark, markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import {
  arg,
  array,
  boundedCopy,
  bstr,
  bstrBytes,
  checkEnd,
  copySlice,
  enter,
  head,
  here,
  input,
  int,
  intKey,
  keyRead,
  load,
  map,
  type Slice,
  seek,
  skip,
  startReading,
  TAG,
  tstr,
  uint,
  uint64,
} from "../cbor/reader.js";
import { type CoseSignature, MAX_SIGNATURES, readSignatures, verified } from "../cose/message.js";
import type { Identity } from "../interpreter/frame.js";
import { TAG_SIGN } from "../spec/cose.js";
import {
  ANCHOR_KEY,
  CBOR_TRAILING,
  CBOR_TYPE,
  TRUST_ALG,
  TRUST_CHAIN,
  TRUST_EPOCH,
  TRUST_INCOMPLETE,
  TRUST_KEY,
  TRUST_KEY_TWICE,
  TRUST_LIMIT,
  TRUST_NAME,
  TRUST_NONE,
  TRUST_PREVIOUS,
  TRUST_ROLE,
  TRUST_ROLE_EMPTY,
  TRUST_ROLLBACK,
  TRUST_SCOPE,
  TRUST_SIGNERS,
  TRUST_THRESHOLD,
  TRUST_UNUSABLE,
  TRUST_VERSION,
  TRUST_WINDOW,
} from "../spec/errors.js";
import {
  ANCHOR_ALG,
  ANCHOR_CLASS,
  ANCHOR_DEVICES,
  ANCHOR_KEY_BYTES,
  ANCHOR_KID,
  ANCHOR_ROLES,
  ANCHOR_SINCE,
  ANCHOR_UNTIL,
  ANCHOR_VENDOR,
  FILE_ANCHORS,
  FILE_EPOCH,
  FILE_JUMPS,
  FILE_NAME,
  FILE_SEQUENCE,
  FILE_THRESHOLDS,
  FILE_VERSION,
  JUMP,
  ROLE_DEBUG,
  ROLE_RECOVERY,
  ROLE_RELEASE,
  ROLE_ROOT,
  TRUST_CONTEXT,
} from "../spec/trust.js";
import { policy } from "./open.js";

/**
 * Maximum number of anchors in one file, and bytes of its name and of a key identifier. The payload must fit a
 * Sig_structure.
 */
export const MAX_ANCHORS = 16;
const MAX_NAME = 64;
const MAX_KID = 64;
const MAX_PAYLOAD = 65535;
/** Files in a chain, and the highest epoch: a device keeps it in 3 octets. */
const MAX_CHAIN = 16;
const MAX_EPOCH = 16777215;

/**
 * An anchor in a trust file. `alg` is absent if this build lacks the algorithm `cose`: such a key never counts here.
 */
export interface TrustAnchor extends Omit<Anchor, "alg"> {
  alg?: Alg;
  cose: number;
  key: Bytes;
  /** ROLE_…, ascending. */
  roles: number[];
  /** The only vendor and the only class that the key is trusted for, 16 bytes each. */
  vendor?: Bytes;
  class?: Bytes;
}

/** The content of a trust file. */
export interface TrustStore {
  /** The product line, in UTF-8: the same in every later file. */
  name: Bytes;
  sequence: Sequence;
  anchors: TrustAnchor[];
  /** For each role, how many of its keys must sign; 0 if no key has the role. */
  thresholds: number[];
  /** By role: how far above the floor a release may be, where the list says so. */
  jumps: (Sequence | undefined)[];
  /** How often counting has begun again, and the lowest number since then; 0 and undefined where it never has. */
  epoch: number;
  begins?: Sequence;
  /** The bytes that the roots have signed. */
  payload: Bytes;
  /** The algorithms that it was read with. */
  algs: Alg[];
  /** From trustFileUnchecked(): the whole file as it was read and verified, which is what to keep. */
  file?: Bytes;
}

/** A trust file whose signatures are not verified yet. */
interface Unverified {
  store: TrustStore;
  signatures: CoseSignature[];
  file: Bytes;
  /** Where it ends. */
  end: number;
}

/** What a device is born with that has no trust file yet: its roots, and which file may be the first. */
export interface FirstTrust extends Trust {
  /** The line of products, in UTF-8. */
  name?: Bytes;
  /** The lowest number of a file. */
  sequence?: Sequence;
}

/** Reads a vendor or class identifier. */
function uuid(): Bytes {
  var s = bstr();
  if (s.n !== 16) refuse(TRUST_SCOPE);
  return copySlice(input, s);
}

/** Reads the roles, ascending. A key that signs trust files signs nothing else, and neither does a debug key. */
function roleList(): number[] {
  var n = array(),
    out: number[] = [],
    last = 0;
  for (; n > 0; n--) {
    // ascending, so that roles are unique and the list is short
    if (uint() <= last || arg > ROLE_RECOVERY) refuse(TRUST_ROLE);
    last = arg;
    out.push(last);
  }
  if (!last || (out.length > 1 && (out[0] === ROLE_ROOT || out.indexOf(ROLE_DEBUG) >= 0))) refuse(TRUST_ROLE);
  return out;
}

function anchorItem(algs: Alg[]): TrustAnchor {
  var n = map(),
    at = mark,
    a = {} as TrustAnchor,
    last: Bytes | null = null,
    i;
  for (; n > 0; n--) {
    last = intKey(last);
    if (keyRead === ANCHOR_ALG) {
      a.cose = int();
      // MAC algorithms have positive numbers: a secret in a public file is not a secret. Signature algorithms have
      // negative ones (RFC 9053 §2).
      if (a.cose >= 0) refuse(TRUST_ALG);
      for (i = 0; i < algs.length; i++) if (algs[i].ids.indexOf(a.cose) >= 0) a.alg = algs[i];
    } else if (keyRead === ANCHOR_KEY_BYTES) a.key = bstrBytes();
    else if (keyRead === ANCHOR_ROLES) a.roles = roleList();
    else if (keyRead === ANCHOR_KID) a.kid = boundedCopy(bstr(), MAX_KID, TRUST_LIMIT);
    else if (keyRead === ANCHOR_VENDOR) a.vendor = uuid();
    else if (keyRead === ANCHOR_CLASS) a.class = uuid();
    else if (keyRead === ANCHOR_SINCE) a.since = uint64();
    else if (keyRead === ANCHOR_UNTIL) a.until = uint64();
    else if (keyRead === ANCHOR_DEVICES) {
      // 1: one device at a time. Nothing else is known yet.
      if (uint() !== 1) refuse(TRUST_SCOPE);
      a.single = true;
    } else refuse(TRUST_KEY);
  }
  markAt(at);
  if (!a.cose || !a.key || !a.roles) refuse(TRUST_INCOMPLETE);
  if (a.since && a.until && sequenceLess(a.until, a.since)) refuse(TRUST_WINDOW);
  // both are about manifests, and no manifest is signed by a root: what would be without effect must not look as if it had one
  if (a.roles[0] === ROLE_ROOT && (a.vendor || a.class || a.since || a.until || a.single)) refuse(TRUST_SCOPE);
  return a;
}

/** The number of keys with the role. */
function held(anchors: TrustAnchor[], role: number): number {
  var n = 0,
    i;
  for (i = 0; i < anchors.length; i++) if (anchors[i].roles.indexOf(role) >= 0) n++;
  return n;
}

function anchorList(algs: Alg[]): TrustAnchor[] {
  var n = array(),
    out: TrustAnchor[] = [],
    a,
    i;
  if (n > MAX_ANCHORS) refuse(TRUST_LIMIT);
  for (; n > 0; n--) {
    a = anchorItem(algs);
    // a secret counts once, regardless of algorithm, kid and roles
    for (i = 0; i < out.length; i++) if (sameKey(out[i].key, a.key)) refuse(TRUST_KEY_TWICE);
    out.push(a);
  }
  return out;
}

/**
 * What is said by role: thresholds, each within what its role has, and what an envelope can carry; or `jumps`, of roles that sign manifests. Only for roles that a
 * key has.
 */
function roleMap(anchors: TrustAnchor[], jumps: boolean): unknown[] {
  var n = map(),
    out: unknown[] = jumps ? [] : [0, 0, 0, 0, 0],
    last: Bytes | null = null,
    role,
    i;
  for (; n > 0; n--) {
    last = intKey(last);
    role = keyRead;
    if (role < (jumps ? ROLE_RELEASE : ROLE_ROOT) || role > ROLE_RECOVERY) refuse(TRUST_ROLE);
    i = held(anchors, role);
    if (!i) refuse(TRUST_ROLE_EMPTY);
    if (jumps) out[role] = uint64();
    else {
      if (uint() < 1 || arg > i || arg > MAX_SIGNATURES) refuse(TRUST_THRESHOLD);
      out[role] = arg;
    }
  }
  for (i = ROLE_ROOT; i <= ROLE_RECOVERY && !jumps; i++) if (!out[i] && (i === ROLE_ROOT || held(anchors, i))) refuse(TRUST_ROLE_EMPTY);
  return out;
}

/**
 * The payload of a trust file, which lies at `s`. Each element up to the name is there, and each is a number higher: what comes first is known first. A limit
 * that is not known is refused with the whole list: whoever ignored it would trust more than the roots believe.
 */
function contents(algs: Alg[], s: Slice): TrustStore {
  var out = { payload: boundedCopy(s, MAX_PAYLOAD, TRUST_LIMIT), jumps: [], epoch: 0, algs: algs } as unknown as TrustStore,
    last: Bytes | null = null,
    n,
    i;
  enter(input, s);
  n = map();
  for (i = 1; i <= n; i++) {
    last = intKey(last);
    if (i > FILE_NAME ? keyRead > FILE_EPOCH : keyRead !== i) refuse(keyRead > i && keyRead <= FILE_NAME ? TRUST_INCOMPLETE : TRUST_KEY);
    if (keyRead === FILE_VERSION) {
      if (uint() !== 1) refuse(TRUST_VERSION);
    } else if (keyRead === FILE_SEQUENCE) out.sequence = uint64();
    else if (keyRead === FILE_ANCHORS) out.anchors = anchorList(algs);
    else if (keyRead === FILE_THRESHOLDS) out.thresholds = roleMap(out.anchors, false) as number[];
    else if (keyRead === FILE_JUMPS) out.jumps = roleMap(out.anchors, true) as Sequence[];
    else if (keyRead === FILE_EPOCH) {
      if (array() !== 2) refuse(CBOR_TYPE);
      out.epoch = uint();
      if (!out.epoch || out.epoch > MAX_EPOCH) refuse(TRUST_LIMIT);
      out.begins = uint64();
    } else out.name = boundedCopy(tstr(), MAX_NAME, TRUST_LIMIT);
  }
  checkEnd();
  if (!out.name || !out.name.length) refuse(TRUST_INCOMPLETE);
  return out;
}

/** Starts reading, with all bytes copied to RAM once. */
function beginHeld(bytes: Bytes | Source, memory: number | undefined): void {
  startReading(bytes);
  if (memory) input.ramLeft = memory;
  input.excessCode = TRUST_LIMIT;
  load(input, input);
}

/** Reads a payload without signatures, for tools. Throws those refusals of embeddedTrust() that concern the list. */
export function trustPayload(algs: Alg[], payload: Bytes): TrustStore {
  beginHeld(payload, undefined);
  return contents(algs, { at: 0, n: payload.length });
}

/** Everything of the file that begins at `at`, of what is held. No signature is verified. */
function fileAt(algs: Alg[], at: number): Unverified {
  var aad: number[] = [],
    all,
    end,
    s,
    i;
  for (i = 0; i < TRUST_CONTEXT.length; i++) aad.push(TRUST_CONTEXT.charCodeAt(i));
  seek(input, at, input.n);
  if (head() !== TAG || arg !== TAG_SIGN) refuse(at ? CBOR_TRAILING : TRUST_NONE);
  if (array() !== 4) refuse(CBOR_TYPE);
  skip();
  skip();
  s = bstr();
  // before it is copied for each signature
  if (s.n > MAX_PAYLOAD) refuse(TRUST_LIMIT);
  seek(input, at, input.n);
  all = readSignatures(null, aad);
  end = here;
  return { store: contents(algs, s), signatures: all, file: copySlice(input, { at: at, n: end - at }), end: end };
}

/** Everything of a file that has to be read, and nothing behind it. No signature is verified. */
export function readTrust(algs: Alg[], bytes: Bytes | Source, memory?: number): Unverified {
  var f;
  beginHeld(bytes, memory);
  f = fileAt(algs, 0);
  markAt(f.end);
  if (f.end !== input.n) refuse(CBOR_TRAILING);
  return f;
}

/** The roots of a file that this build can verify with, as a policy for the next file. */
function rootsOf(store: TrustStore): Trust {
  var out: Anchor[] = [],
    i,
    a;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && a.roles[0] === ROLE_ROOT) out.push(a as Anchor);
  }
  return { anchors: out, threshold: store.thresholds[ROLE_ROOT] };
}

/** How many keys of `anchors` are among those at the positions `found` of `all`. */
function counted(found: number[], all: Anchor[], anchors: Anchor[]): number {
  var n = 0,
    i,
    j;
  for (i = 0; i < found.length; i++) {
    for (j = 0; j < anchors.length && !sameKey(anchors[j].key, all[found[i]].key); j++);
    if (j < anchors.length) n++;
  }
  return n;
}

/**
 * Accepts a file, where enough roots have signed it, and it may follow what is trusted up to now. Returns what is trusted then. `more`: others of a chain follow. Then
 * one that is older than the list of the device is passed over: it adds nothing.
 */
function accepted(f: Unverified, before: TrustStore | FirstTrust, host: Host, more: boolean): TrustStore {
  var last = before as TrustStore,
    isList = before && last.payload,
    roots = isList ? rootsOf(last) : (before as Trust),
    threshold = policy(roots),
    store = f.store,
    own = rootsOf(store),
    all = roots.anchors.concat(own.anchors),
    found,
    i,
    a;
  if (more && isList && sequenceLess(store.sequence, last.sequence)) return last;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && !a.alg.valid(a.key)) refuse(ANCHOR_KEY);
  }
  // each signature once, for both lists
  found = verified(f.signatures, all, 0, host, f.signatures.length);
  if (counted(found, all, roots.anchors) < threshold) refuse(TRUST_PREVIOUS);
  if (counted(found, all, own.anchors) < (own.threshold as number)) refuse(TRUST_SIGNERS);
  // one root key may serve several lines: a file of one must not be taken by the devices of another
  if (last.name && !equalConstantTime(last.name, store.name)) refuse(TRUST_NAME);
  // Rollback: what was revoked would be trusted again. Two lists of one number are a fork.
  if (
    last.sequence &&
    !sequenceLess(last.sequence, store.sequence) &&
    (isList ? !equalConstantTime(last.payload, store.payload) : sequenceLess(store.sequence, last.sequence))
  )
    refuse(TRUST_ROLLBACK);
  // whoever counts from an older beginning takes what was refused since
  if (isList && store.epoch < last.epoch) refuse(TRUST_EPOCH);
  store.file = f.file;
  return store;
}

/**
 * Reads a trust file that comes from outside, or a chain of them: several files, one behind the other, each with the number after the one before. `before`: what is
 * trusted up to now, the file before or root keys, then with the name and the lowest number of the first file; its roots must have signed,
 * as many as it wants, and so must those that the file itself lists. The sequence number must be higher than that of the file before;
 * the same list once more is accepted. Of a chain, the files older than that are passed over. `algs`: the algorithms of this build; an anchor of another one counts for nothing.
 * Unchecked is whether the release that the device runs is good under it: if not, the device cannot start any more. updatedTrust() looks at that.
 * Returns what is trusted from now on, by the last file, or throws a refusal { code, at }, and nothing has changed. The caller keeps `file` of it, where
 * nobody else can write, and reads that with embeddedTrust() from then on: what a Source gives the next time nobody has verified.
 */
export function trustFileUnchecked(algs: Alg[], bytes: Bytes | Source, before: TrustStore | FirstTrust, host?: Host): TrustStore {
  var all: Unverified[] = [],
    end = 0,
    f,
    next,
    last: Sequence | null = null,
    i;
  beginHeld(bytes, host && host.memory);
  do {
    f = fileAt(algs, end);
    markAt(end);
    if (all.length === MAX_CHAIN) refuse(TRUST_LIMIT);
    // by one: a list that is left out may have been the one that revoked a key
    next = f.store.sequence;
    // exact: both halves are below 2^32, and neighbours differ by one in a half, or by all of the low one and one in the high one
    if (last && (next[0] - last[0]) * 4294967296 + (next[1] - last[1]) !== 1) refuse(TRUST_CHAIN);
    last = next;
    end = f.end;
    all.push(f);
  } while (end < input.n);
  markAt(-1);
  for (i = 0; i < all.length; i++) before = accepted(all[i], before, host || {}, i < all.length - 1);
  return before as TrustStore;
}

/**
 * Reads a trust file that is part of the firmware, or that updatedTrust() has accepted before: it is believed because of where it lies, like a key in
 * the firmware, and no signature is verified. Throws a refusal where it is no trust file.
 */
export function embeddedTrust(algs: Alg[], bytes: Bytes | Source): TrustStore {
  return readTrust(algs, bytes).store;
}

/** Whether an identifier is absent or among those of the device. */
function within(id: Bytes | undefined, ids: Bytes[] | undefined): boolean {
  var i;
  for (i = 0; id && ids && i < ids.length; i++) if (equalConstantTime(id, ids[i])) return true;
  return !id;
}

/**
 * The trust policy for one role, for open(), install() and boot(). `role`: ROLE_RELEASE, ROLE_DEBUG or ROLE_RECOVERY;
 * `identity`: that of the device. Throws a Refusal if the file has fewer usable keys with the role than its threshold,
 * and for the role of roots, which sign no manifests. The caller sets `floor`.
 *
 * open(envelope, policyOf(store, 2, device.identity), host)
 */
export function policyOf(store: TrustStore, role: number, identity: Identity): Trust {
  var threshold = role === ROLE_ROOT ? 0 : store.thresholds[role],
    out: Anchor[] = [],
    i,
    a;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && a.roles.indexOf(role) >= 0 && within(a.vendor, identity.vendor) && within(a.class, identity.class)) out.push(a as Anchor);
  }
  markAt(-1);
  if (!threshold || out.length < threshold) refuse(TRUST_UNUSABLE);
  return { anchors: out, threshold: threshold, jump: store.jumps[role] || JUMP, store: store, role: role };
}
