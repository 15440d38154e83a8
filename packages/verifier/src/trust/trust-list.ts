// The list of a trust file, read strictly: which keys a device trusts, and for what. docs/guides/trust.md describes the
// format. A file is one tagged COSE_Sign (RFC 9052 §4.1) with the list as its payload. Nothing here verifies a
// signature.

import { sameKey } from "../base/bytes.js";
import { HAS_FAMILIES } from "../base/features.js";
import { sequenceLess } from "../base/number.js";
import { mark, markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Family, Sequence, Source } from "../base/types.js";
import {
  arg,
  array,
  boundedCopy,
  bstr,
  bstrBytes,
  checkEnd,
  copyBytes,
  copySlice,
  enter,
  here,
  type Input,
  input,
  int,
  intKey,
  keyRead,
  load,
  map,
  type Slice,
  seek,
  startReading,
  tag,
  tstr,
  uint,
  uint64,
} from "../cbor/reader.js";
import { attached, type CoseSignature, MAX_ATTACHED, MAX_SIGNATURES, readSignatures } from "../cose/message.js";
import { TAG_SIGN } from "../spec/cose.js";
import {
  CBOR_TRAILING,
  CBOR_TYPE,
  TRUST_ALG,
  TRUST_INCOMPLETE,
  TRUST_KEY,
  TRUST_KEY_TWICE,
  TRUST_LIMIT,
  TRUST_NONE,
  TRUST_ROLE,
  TRUST_ROLE_EMPTY,
  TRUST_SCOPE,
  TRUST_THRESHOLD,
  TRUST_VERSION,
  TRUST_WINDOW,
} from "../spec/errors.generated.js";
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
  FILE_FAMILIES,
  FILE_JUMPS,
  FILE_NAME,
  FILE_SEQUENCE,
  FILE_THRESHOLDS,
  FILE_VERSION,
  ROLE_DEBUG,
  ROLE_RECOVERY,
  ROLE_RELEASE,
  ROLE_ROOT,
  TRUST_CONTEXT,
} from "../spec/trust.js";

/** Maximum number of anchors in one file, and bytes of its name and of a key identifier. */
export const MAX_ANCHORS = 16;
const MAX_NAME = 64;
const MAX_KID = 64;
/** The highest epoch: a device stores it in 3 bytes. */
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
  /** For each role, the maximum distance of a release above the floor; undefined for the default. */
  jumps: (Sequence | undefined)[];
  /** For each role, the thresholds of families of algorithms; undefined if it has none. */
  families: (Family[] | undefined)[];
  /** The number of floor resets, and the lowest sequence number since the last one; 0 and undefined without a reset. */
  epoch: number;
  begins?: Sequence;
  /** The bytes that the roots have signed. */
  payload: Bytes;
  /** The algorithms that it was read with. */
  algs: Alg[];
  /** From trustFileUnchecked(): the complete file as it was read and verified. Store this. */
  file?: Bytes;
  /** How often updatedTrust() or nextTrust() has returned a later file. Sessions that began before are refused. */
  successors?: number;
}

/** A trust file whose signatures are not verified yet. */
export interface UnverifiedTrust {
  store: TrustStore;
  signatures: CoseSignature[];
  file: Bytes;
}

/** Reads a vendor or class identifier. */
function uuid(): Bytes {
  var s = bstr();
  if (s.n !== 16) refuse(TRUST_SCOPE);
  return copySlice(input, s);
}

/**
 * Reads the roles, ascending, and counts them in `held`. A key that signs trust files signs nothing else, and neither
 * does a debug key.
 */
function roleList(held: number[]): number[] {
  var n = array(),
    out: number[] = [],
    last = 0;
  for (; n > 0; n--) {
    // ascending, so that roles are unique and the list is short
    if (uint() <= last || arg > ROLE_RECOVERY) refuse(TRUST_ROLE);
    last = arg;
    out.push(last);
    held[last]++;
  }
  if (!last || (out.length > 1 && (out[0] === ROLE_ROOT || out.indexOf(ROLE_DEBUG) >= 0))) refuse(TRUST_ROLE);
  return out;
}

function anchorItem(algs: Alg[], held: number[]): TrustAnchor {
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
    else if (keyRead === ANCHOR_ROLES) a.roles = roleList(held);
    else if (keyRead === ANCHOR_KID) a.kid = boundedCopy(bstr(), MAX_KID, TRUST_LIMIT);
    else if (keyRead === ANCHOR_VENDOR) a.vendor = uuid();
    else if (keyRead === ANCHOR_CLASS) a.class = uuid();
    else if (keyRead === ANCHOR_SINCE) a.since = uint64();
    else if (keyRead === ANCHOR_UNTIL) a.until = uint64();
    else if (keyRead === ANCHOR_DEVICES) {
      // 1: a single device. No other value is defined.
      if (uint() !== 1) refuse(TRUST_SCOPE);
      a.single = true;
    } else refuse(TRUST_KEY);
  }
  markAt(at);
  if (!a.cose || !a.key || !a.roles) refuse(TRUST_INCOMPLETE);
  if (a.since && a.until && sequenceLess(a.until, a.since)) refuse(TRUST_WINDOW);
  // the keys that follow restrict manifests, and roots do not sign manifests: a restriction without effect is refused
  if (a.roles[0] === ROLE_ROOT && keyRead > ANCHOR_KID) refuse(TRUST_SCOPE);
  return a;
}

function anchorList(algs: Alg[], held: number[]): TrustAnchor[] {
  var n = array(),
    out: TrustAnchor[] = [],
    a,
    i;
  if (n > MAX_ANCHORS) refuse(TRUST_LIMIT);
  for (; n > 0; n--) {
    a = anchorItem(algs, held);
    // a secret counts once, regardless of algorithm, kid and roles
    for (i = 0; i < out.length; i++) if (sameKey(out[i].key, a.key)) refuse(TRUST_KEY_TWICE);
    out.push(a);
  }
  return out;
}

/** Whether a build has an algorithm. */
function hasAlg(algs: Alg[], cose: number): boolean {
  var i;
  for (i = 0; i < algs.length; i++) if (algs[i].ids.indexOf(cose) >= 0) return true;
  return false;
}

/** Reads the families of a role, each with its threshold, which its keys in the role can reach. */
function familyList(store: TrustStore, role: number): Family[] {
  var n = array(),
    out: Family[] = [],
    left,
    keys,
    f: Family,
    i,
    a;
  if (!n || n > MAX_ANCHORS) refuse(TRUST_LIMIT);
  for (; n > 0; n--) {
    left = array();
    if (left < 2 || left > MAX_ANCHORS) refuse(TRUST_LIMIT);
    f = { threshold: uint(), ids: [], known: false };
    for (; left > 1; left--) {
      i = int();
      if (i >= 0) refuse(TRUST_ALG);
      f.ids.push(i);
      if (hasAlg(store.algs, i)) f.known = true;
    }
    keys = 0;
    for (i = 0; i < store.anchors.length; i++) {
      a = store.anchors[i];
      if (a.roles.indexOf(role) >= 0 && f.ids.indexOf(a.cose) >= 0) keys++;
    }
    if (!f.threshold || f.threshold > keys || f.threshold > MAX_SIGNATURES) refuse(TRUST_THRESHOLD);
    out.push(f);
  }
  return out;
}

/**
 * Reads a map from roles that have keys: the thresholds, each at most the number of keys with the role and of
 * signatures in an envelope, the `jumps` of roles that sign manifests, or the families of `store`. `held`: the number
 * of keys with each role.
 */
function roleMap(held: number[], jumps: boolean, store?: TrustStore): unknown[] {
  var n = map(),
    isFamilies = HAS_FAMILIES && !!store,
    out: unknown[] = jumps || isFamilies ? [] : [0, 0, 0, 0, 0],
    last: Bytes | null = null,
    role;
  for (; n > 0; n--) {
    last = intKey(last);
    role = keyRead;
    if (role < (jumps ? ROLE_RELEASE : ROLE_ROOT) || role > ROLE_RECOVERY) refuse(TRUST_ROLE);
    if (!held[role]) refuse(TRUST_ROLE_EMPTY);
    // not every engine has arrays with holes
    while (out.length < role) out.push(undefined);
    if (isFamilies) out[role] = familyList(store as TrustStore, role);
    else if (jumps) out[role] = uint64();
    else {
      if (uint() < 1 || arg > held[role] || arg > MAX_SIGNATURES) refuse(TRUST_THRESHOLD);
      out[role] = arg;
    }
  }
  for (role = ROLE_ROOT; role <= ROLE_RECOVERY && !jumps && !isFamilies; role++)
    if (!out[role] && (role === ROLE_ROOT || held[role])) refuse(TRUST_ROLE_EMPTY);
  return out;
}

/**
 * Reads the payload of a trust file in the range `s`. The elements up to the name are required, in ascending order. An
 * unknown element is refused with the whole list: a device that ignored a limit would trust more than the roots intend.
 */
function contents(algs: Alg[], s: Slice): TrustStore {
  var out = (HAS_FAMILIES
      ? { payload: copySlice(input, s), jumps: [], families: [], epoch: 0, algs: algs }
      : { payload: copySlice(input, s), jumps: [], epoch: 0, algs: algs }) as unknown as TrustStore,
    held = [0, 0, 0, 0, 0],
    last: Bytes | null = null,
    n,
    i;
  enter(input, s);
  n = map();
  for (i = 1; i <= n; i++) {
    last = intKey(last);
    if (i > FILE_NAME ? keyRead > (HAS_FAMILIES ? FILE_FAMILIES : FILE_EPOCH) : keyRead !== i)
      refuse(keyRead > i && keyRead <= FILE_NAME ? TRUST_INCOMPLETE : TRUST_KEY);
    if (keyRead === FILE_VERSION) {
      if (uint() !== 1) refuse(TRUST_VERSION);
    } else if (keyRead === FILE_SEQUENCE) out.sequence = uint64();
    else if (keyRead === FILE_ANCHORS) out.anchors = anchorList(algs, held);
    else if (keyRead === FILE_THRESHOLDS) out.thresholds = roleMap(held, false) as number[];
    else if (keyRead === FILE_JUMPS) out.jumps = roleMap(held, true) as Sequence[];
    else if (HAS_FAMILIES && keyRead === FILE_FAMILIES) out.families = roleMap(held, false, out) as Family[][];
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
export function beginHeld(bytes: Bytes | Source, memory: number | undefined): Input {
  var src = startReading(bytes);
  if (memory) src.ramLeft = memory;
  src.excessCode = TRUST_LIMIT;
  load(src, src);
  return src;
}

/**
 * Reads a payload without signatures, for tools.
 *
 * @param algs - The algorithms of this build.
 * @param payload - The payload of a trust file.
 * @returns Its content.
 * @throws Those refusals of embeddedTrust() that concern the list.
 */
export function trustPayload(algs: Alg[], payload: Bytes): TrustStore {
  var src = beginHeld(payload, undefined);
  if (src.n > MAX_ATTACHED) refuse(TRUST_LIMIT);
  return contents(algs, src);
}

/** Reads the file at offset `at` of the loaded bytes `src`. The cursor is then after it. Verifies no signature. */
export function fileAt(algs: Alg[], src: Input, at: number): UnverifiedTrust {
  var aad: number[] = [],
    all,
    end,
    store,
    i;
  for (i = 0; i < TRUST_CONTEXT.length; i++) aad.push(TRUST_CONTEXT.charCodeAt(i));
  seek(src, at, src.n);
  tag(TAG_SIGN, at ? CBOR_TRAILING : TRUST_NONE);
  seek(src, at, src.n);
  all = readSignatures(null, aad);
  end = here;
  store = contents(algs, attached);
  seek(src, end, src.n);
  return { store: store, signatures: all, file: copyBytes(src, at, end - at) };
}

/**
 * Reads a trust file. Verifies no signature.
 *
 * @param algs - The algorithms of this build.
 * @param bytes - The trust file.
 * @param memory - Most bytes of it. Default: 65,536.
 * @returns Its content, and its signatures.
 * @throws TRUST_… refusals, also for bytes after its end.
 */
export function readTrust(algs: Alg[], bytes: Bytes | Source, memory?: number): UnverifiedTrust {
  var f = fileAt(algs, beginHeld(bytes, memory), 0);
  checkEnd();
  return f;
}
