// Opens an envelope that is the template firmseal-single-1 (docs/reference/template.md). No CBOR is parsed and no command
// is read: every byte outside the holes is that of the template. The rules, the policies and the numbers of the refusals
// are those of trust/open.ts. Nothing is written, and no image is read.
//
// Functions are inside the function that uses them: they share its variables, and take memory only while it runs. So
// nothing that a Source or a host calls meanwhile can change what is being read.

import { concat, equalConstantTime, octetsOf, rawKey, subBytes } from "../base/bytes.js";
import { HAS_SHA256 } from "../base/features.js";
import { compareLimit } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Anchor, Bytes, Hash, Host, Sequence, Source, Trust } from "../base/types.js";
import { hashing } from "../hash/digest.js";
import { HASH_SHA_256 } from "../spec/cose.js";
import {
  ANCHOR_WINDOW,
  CBOR_TRAILING,
  CBOR_TRUNCATED,
  DIGEST_MANIFEST,
  HEAD_LENGTH,
  ROLLBACK,
  SIGNATURE_INVALID,
  SIGNATURE_NO_ANCHOR,
  SIGNATURE_THRESHOLD,
  TEMPLATE_MISMATCH,
  TRUST_POLICY,
} from "../spec/errors.js";
import { TEMPLATE } from "./template.js";

/** What a release says: an authenticated manifest. What every release has alike is absent. */
export interface MicroManifest {
  sequence: Sequence;
  /** Indices in `trust.anchors` of the anchors that signed, not more than were needed. */
  signers: number[];
  /** SHA-256 of the manifest. */
  digest: Bytes;
  // the rest has names that bundles shorten
  /** SHA-256 of the image, its size in bytes, and its URI. */
  image: Bytes;
  imageSize: number;
  imageUri: string;
  forVendor: Bytes;
  forClass: Bytes;
  /** The offset of the image in the envelope, or 0. */
  imageAt: number;
  /** What boot() needs: the envelope without tag and image. */
  kept: Bytes;
}

/** What follows a length of the template at most before the next one: key and head of a payload. */
const AHEAD = 15;

/** Holes, as codes of their letters: see tools/template-table.ts. */
const ALG = 73;
const KID = 74;
const SIGNATURE = 66;
const SEQUENCE = 68;
const URI = 75;
const SIZE = 80;
const PAYLOAD = 82;
const DIGEST = 103;
const VENDOR = 104;
const CLASS = 105;
const IMAGE = 106;

/** ["Signature1", …]: the beginning of a Sig_structure of four elements (RFC 9052 §4.4). */
var SIGNATURE1 = [132, 106, 83, 105, 103, 110, 97, 116, 117, 114, 101, 49];

/**
 * The algorithms that a signature may name, as characters: see SIGNATURE_ALGS. The character of -1 is 0, that of -2 is
 * 1, and so on.
 */
var ALGS = "678BRS]_`abcd";

/** The position in the template that was compared last, for tools. */
export var spot = 0;

/** A copy of `n` bytes of bytes in RAM or of a Source, each read once. */
export function portion(from: Bytes | Source, at: number, n: number): Bytes {
  return octetsOf((from as Source).read ? (from as Source).read(at, n) : subBytes(from as Bytes, at, n), n);
}

/** Requires what the template has. `mark` is the byte that differs. */
function demand(ok: unknown): void {
  if (!ok) refuse(TEMPLATE_MISMATCH);
}

function opened(bytes: Bytes | Source, trust: Trust, host: Host, kept: boolean | undefined): MicroManifest {
  var anchors = trust.anchors,
    threshold = trust.threshold === undefined ? 1 : trust.threshold,
    length = bytes.length,
    octets: Bytes = [],
    here = 0,
    // where the open byte strings end; the values of choices; where pieces begin and end; the content of the holes
    ends: number[] = [],
    choices: number[] = [],
    cuts: number[] = [],
    holes: Bytes[] = [],
    // the last literal byte, and the last argument as two halves of 32 bits
    last = 0,
    high = 0,
    low = 0,
    signers: number[] = [],
    // signers that are not trusted for this number any more, or not yet; whether an anchor has the algorithm
    late = 0,
    fits = 0,
    uri = "",
    sequence: Sequence,
    size,
    sum,
    a: Anchor,
    c,
    i,
    j,
    n;

  /** Brings the bytes up to `to` into RAM, and a few more. */
  function load(to: number): void {
    var n = octets.length;
    // refuses NaN as well
    if (!(to <= length)) refuse(CBOR_TRUNCATED);
    if (to > (host.memory || 65536)) refuse(HEAD_LENGTH);
    if (to > n) {
      to += AHEAD;
      if (to > length) to = length;
      octets = concat([octets, portion(bytes, n, to - n)]);
    }
  }

  function octet(): number {
    markAt(here);
    load(here + 1);
    return octets[here++];
  }

  /** Reads a head of the major type `type`, in its shortest form. 32 bits: 3 bits of a byte are the type. */
  function head(type: number): void {
    var n = octet(),
      size;
    low = n & 31;
    high = 0;
    demand(n >> 5 === type && low < 28);
    if (low > 23) {
      n = low - 24;
      low = 0;
      for (size = 1 << n; size--; ) {
        if (size === 3) {
          high = low;
          low = 0;
        }
        low = low * 256 + octet();
      }
      demand(n > 2 ? high : low >= [24, 256, 65536][n]);
    }
  }

  /** The bytes from cut `from` to cut `to`. */
  function piece(from: number, to: number): Bytes {
    return subBytes(octets, cuts[from], cuts[to] - cuts[from]);
  }

  /** In every form of one key, these bytes are the same: see sameKey(). Nobody finds another key with them. */
  function secret(a: Anchor): Bytes {
    return subBytes(rawKey(a.key), 4, 24);
  }

  markAt(-1);
  // a policy of a trust file says more than is checked here
  if (!(anchors.length > 0 && anchors.length < 5) || (threshold !== 1 && threshold !== 2) || trust.store) refuse(TRUST_POLICY);
  for (i = kept ? 4 : 0; i < TEMPLATE.length; i++) {
    spot = i;
    markAt(here);
    c = TEMPLATE.charCodeAt(i);
    if (c === 123) {
      // { begins a byte string
      head(2);
      demand(!high);
      ends.push(here + low);
      load(here + low);
    } else if (c === 125) {
      // } ends it
      demand(ends.pop() === here);
    } else if (c < 44) {
      // ( and * begin what is left out if the last choice was the lower value, up to ) and +
      if (c % 2 === 0 && !choices.pop()) i = TEMPLATE.indexOf(c > 41 ? "+" : ")", i);
    } else if (c === 45) {
      // - is between pieces
      cuts.push(here);
    } else if (c > 123 || c < 58 || (c > 96 && c < 103)) {
      // two digits are a byte; | in front of them: this one or the next higher one
      if (c > 123) i++;
      last = parseInt(TEMPLATE.substring(i, ++i + 1), 16);
      n = octet() - last;
      demand(!n || (c > 123 && n === 1));
      if (c > 123) choices.push(n);
    } else {
      // other letters are holes: in lower case of as many bytes as the last byte says, which is a head; in upper case
      // with a head, whose type is in the last 2 bits of the code, and whose argument is limited by the order of letters
      low = last & 63;
      if (c < 97) {
        head(c & 3);
        demand(c === SEQUENCE || (!high && (c > 79 || low <= (c < 73 ? 16384 : c === URI ? 255 : 64))));
      }
      if (c > 96 || c & 2) {
        n = here;
        here += low;
        if (here > length) refuse(CBOR_TRUNCATED);
        holes[c] = c === PAYLOAD ? ([n, low] as Bytes) : subBytes(octets, n, low);
      } else holes[c] = [high, low];
    }
  }
  if (here < length) refuse(CBOR_TRAILING);
  sequence = holes[SEQUENCE] as Sequence;
  size = holes[SIZE][1];
  for (i = 0; i < holes[URI].length; i++) {
    n = holes[URI][i];
    demand(n > 32 && n < 127);
    uri += String.fromCharCode(n);
  }
  c = holes[PAYLOAD];
  // 35: #
  demand(size && (c ? c[1] === size : true) && (uri === "#firmware" ? kept || c : !c && uri.charCodeAt(0) !== 35));
  // the protected headers are 2 cuts apart, and the letters of the signatures 4
  for (i = 0; i < 2 && holes[SIGNATURE + 4 * i]; i++) {
    c = holes[ALG + 4 * i][1];
    demand(ALGS.indexOf(String.fromCharCode(c + 48)) >= 0);
    for (j = 0; j < anchors.length && signers.length < threshold; j++) {
      a = anchors[j];
      n = holes[KID + 4 * i];
      if (a.alg.ids.indexOf(-1 - c) >= 0 && !(n && a.kid && !equalConstantTime(n, a.kid))) {
        fits = 1;
        if (
          !(signers.length && equalConstantTime(secret(a), secret(anchors[signers[0]]))) &&
          // the protected header, no external data, and the digest: as they were read
          a.alg.verify(a.key, concat([SIGNATURE1, piece(2 + 2 * i, 3 + 2 * i), [64], piece(0, 1)]), holes[SIGNATURE + 4 * i], host) === true
        ) {
          // so does an anchor for some devices only
          if (a.vendor || a.class || a.single) refuse(TRUST_POLICY);
          if (compareLimit(sequence, a.since, TRUST_POLICY) < 0 || compareLimit(sequence, a.until, TRUST_POLICY) > 0) late++;
          else signers.push(j);
          break;
        }
      }
    }
  }
  n = signers.length;
  if (n < threshold)
    refuse(!fits ? SIGNATURE_NO_ANCHOR : n + late >= threshold ? ANCHOR_WINDOW : n + late ? SIGNATURE_THRESHOLD : SIGNATURE_INVALID);
  n = cuts.length - 1;
  c = piece(n - 1, n);
  if (HAS_SHA256) {
    sum = hashing(host, HASH_SHA_256);
    sum.update(c);
    sum = sum.digest();
  } else sum = ((host.sha256 as Hash).once as (bytes: Bytes) => Bytes)(c);
  if (!equalConstantTime(sum, holes[DIGEST])) refuse(DIGEST_MANIFEST);
  if (compareLimit(sequence, trust.floor, TRUST_POLICY) < 0) refuse(ROLLBACK);
  // behind the map of the envelope
  i = kept ? 1 : 3;
  return {
    sequence: sequence,
    signers: signers,
    digest: holes[DIGEST],
    image: holes[IMAGE],
    imageSize: size,
    imageUri: uri,
    forVendor: holes[VENDOR],
    forClass: holes[CLASS],
    imageAt: holes[PAYLOAD] ? holes[PAYLOAD][0] : 0,
    // a map of two elements: 0xa2
    kept: concat([[162], subBytes(octets, i, cuts[n] - i)]),
  };
}

/**
 * Opens an envelope that is the template, given as bytes in RAM or a Source, like open() of the package. `trust`: 1 to
 * 4 anchors, which may have `since` and `until`, a `threshold` of 1 or 2, and a `floor`. `kept`: it is not a release,
 * but what a device has kept of one, without tag and image. Returns what the release says, or throws a Refusal:
 * TEMPLATE_MISMATCH, with the offset of the first byte that differs, for an envelope of another form.
 *
 * open(bytes, { anchors: [anchor("hsslms", key)] }, host)
 */
export function openMicro(bytes: Bytes | Source, trust: Trust, host?: Host, kept?: boolean): MicroManifest {
  try {
    return opened(bytes, trust, host || {}, kept);
  } catch (e) {
    return rethrow(e);
  }
}
