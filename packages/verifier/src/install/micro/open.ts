// Opens an envelope that is the template firmseal-single-1 (docs/reference/template.md). No CBOR is parsed and no
// command is read: every byte outside the holes is that of the template. The rules, the policies and the numbers of the
// refusals are those of trust/open.ts. Nothing is written, and no image is read.
//
// Functions are inside the function that uses them: they share its variables, and take memory only while it runs. So
// nothing that a Source or a host calls meanwhile can change what is being read.

import { append, equalConstantTime, octetsOf, rawKey, subBytes } from "../../base/bytes.js";
import { HAS_BOOT, HAS_FETCH, HAS_GENERAL, HAS_PAIRS, HAS_SHA256, HAS_WINDOWS } from "../../base/features.js";
import { compareLimit } from "../../base/number.js";
import { markAt, refuse, rethrow } from "../../base/refuse.js";
import type { Anchor, Bytes, Host, Sequence, Source, Trust } from "../../base/types.js";
import { digestOf } from "../../hash/digest.js";
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
} from "../../spec/errors.generated.js";
import { AGAIN, AHEAD, CHOICE, FIXED, KNOWN, KNOWN_ABOVE, type MicroManifest, OPEN, REPEAT, SIGNATURE1, SIZE, WIDE } from "./manifest.js";
import { TEMPLATE, TEMPLATE_INSIDE } from "./template.generated.js";

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

/**
 * Opens an envelope that is the template, like open() of the package.
 *
 * @param bytes - The envelope, in RAM or as a Source.
 * @param trust - 1 to 4 anchors, which may have `since` and `until`, a `threshold` of 1 or 2, and a `floor`.
 * @param host - Hash functions. Default: our own.
 * @param kept - Whether it is not a release, but what a device has kept of one, without tag and image. Default: false.
 * @returns What the release says.
 * @throws Refusal: TEMPLATE_MISMATCH, with the offset of the first byte that differs, for an envelope of another form.
 * @example
 * ```ts
 * import { anchor } from "@firmseal/verifier";
 * import { open } from "@firmseal/verifier/micro";
 *
 * const { sequence } = open(envelope, { anchors: [anchor("ed25519", publicKey)] });
 * ```
 */
export function openMicro(bytes: Bytes | Source, trust: Trust, host?: Host, kept?: boolean): MicroManifest {
  var template = HAS_FETCH ? TEMPLATE : TEMPLATE_INSIDE,
    manifest = HAS_FETCH ? 16 : 14,
    octets: Bytes = [],
    here = 0,
    // where open byte strings begin and end, and choices that no option has used yet: the last one comes first
    stack: number[] = [],
    // of each hole, in order, a number as two halves of 32 bits, or where its bytes begin and how many they are:
    // digest, digest with head, sequence number, vendor, class, image, size, URI if there may be one, manifest with
    // head
    holes: number[] = [],
    // for each signature: algorithm, key identifier (0, 0: left out), header with head, signature
    signatures: number[][] = [],
    // the last argument as two halves of 32 bits, or the low six bits of the last literal byte
    high!: number,
    low!: number,
    signers: number[] = [],
    // signers that are not trusted for this number any more, or not yet; whether an anchor has the algorithm
    late = 0,
    fits: number | undefined,
    uri = "",
    option!: number,
    c!: number,
    length: number,
    // signatures that are still required
    threshold: number,
    secret: Bytes | undefined,
    counted: Bytes | undefined,
    anchors: Anchor[],
    digest: Bytes,
    sequence: Sequence,
    a: Anchor,
    i: number,
    j: number,
    n: number,
    s;

  /** Brings the bytes up to `to` into RAM, and a few more. */
  function load(to: number): void {
    var n = octets.length;
    // refuses NaN as well
    if (!(to <= length)) refuse(CBOR_TRUNCATED);
    if (to > ((host as Host).memory || 65536)) refuse(HEAD_LENGTH);
    if (to > n) {
      to += AHEAD;
      octets = append(octets, portion(bytes, n, (to < length ? to : length) - n));
    }
  }

  function octet(): number {
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
      for (size = 1 << (n & 3); size--; ) {
        if (size === 3) {
          high = low;
          low = 0;
        }
        low = low * 256 + octet();
      }
      // the shortest form: 1, 2, 4 or 8 bytes are needed
      demand(n > 2 ? high : low >= (n ? 1 << ((8 * n) & 31) : 24));
    }
  }

  /** The bytes of the hole at `i`. A view, made late: it keeps `octets` in RAM. */
  function bytesOf(list: number[], i: number): Bytes {
    return subBytes(octets, list[i], list[i + 1]);
  }

  try {
    if (HAS_GENERAL) markAt(-1);
    if (HAS_SHA256) host = host || {};
    anchors = trust.anchors;
    length = bytes.length;
    threshold = trust.threshold as number;
    if (threshold === undefined) threshold = 1;
    // a policy of a trust file says more than is checked here. In bundles no caller can write `store`: its name is
    // shortened. They do not look for `single` either: the smallest heaps have no room for one more name
    if (!anchors[0] || anchors[4] || (threshold !== 1 && !(HAS_PAIRS && threshold === 2)) || (HAS_GENERAL && trust.store))
      refuse(TRUST_POLICY);
    for (i = HAS_BOOT && kept ? 4 : 0; i < template.length; i++) {
      spot = i;
      markAt(here);
      // the character before
      s = c;
      c = template.charCodeAt(i);
      n = parseInt(template[i] + template[i + 1], 16);
      if (n >= 0) {
        // two digits are a byte; after |, this one or the next higher one
        i++;
        low = n & 63;
        n = octet() - n;
        // 0 and 1 are their squares, and push() returns a length
        demand(s === CHOICE ? stack.push(n) && n * n === n : !n);
      } else if (c === OPEN) {
        n = here;
        head(2);
        demand(!high);
        stack.push(n, here + low);
        load(here + low);
      } else if (c % 32 === 29) {
        // } and ] end a byte string
        demand(stack.pop() === here);
        n = stack.pop() as number;
        if (c < 99) holes.push(n, here - n);
      } else if (c < 41) {
        // every option follows a choice
        option = stack.pop() as number;
        if (c === REPEAT) {
          signatures.push(holes.splice(4, 8));
          if (option) {
            stack.push(0);
            i = AGAIN;
          }
        } else if (!option) {
          holes.push(0, 0);
          i = template.indexOf("~", i);
        }
      } else if (c < 99) {
        // letters: the type is in the last 2 bits of the code, and lengths are limited by the order of letters
        if (c > FIXED) {
          head(c & 3);
          demand(c >= WIDE || (!high && (c >= SIZE || low <= (c > 77 ? 16384 : c > 74 ? 255 : 64))));
        }
        if (c & 2 && c < SIZE) {
          high = here;
          load((here += low));
        }
        holes.push(high, low);
      }
    }
    if (HAS_FETCH) {
      s = bytesOf(holes, 14);
      for (i = 0; (n = s[i++]) >= 0; ) {
        demand(n > 32 && n < 127);
        uri += String.fromCharCode(n);
      }
      // 35: #
      demand(uri === "#firmware" ? !option !== !(HAS_BOOT && kept) : !option && s[0] !== 35);
    } else demand(!option !== !(HAS_BOOT && kept));
    n = holes[13];
    demand(n && (!option || low === n));
    i = here + option * n;
    if (i !== length) refuse(i < length ? CBOR_TRAILING : CBOR_TRUNCATED);
    sequence = [holes[4], holes[5]];
    for (i = 0; i < signatures.length; i++) {
      s = signatures[i];
      c = s[1];
      // 32 bits: c is at most 64. Some engines shift by 0 to 31 only: hence & 31
      demand(((c < 32 ? KNOWN : KNOWN_ABOVE) >> (c & 31)) & 1);
      for (j = 0; (a = anchors[j]) && threshold; j++) {
        if (a.alg.ids.indexOf(-1 - c) + 1 && !(s[2] && a.kid && !equalConstantTime(bytesOf(s, 2), a.kid))) {
          fits = 1;
          // in every form of one key, these bytes are the same: see sameKey(). It is infeasible to find another key
          // with the same bytes
          if (HAS_PAIRS) secret = subBytes(HAS_GENERAL ? rawKey(a.key) : (a.key as Bytes), 4, 24);
          if (
            !(HAS_PAIRS && counted && equalConstantTime(secret as Bytes, counted)) &&
            // the protected header, no external data, and the digest: as they were read
            a.alg.verify(a.key, append(append(SIGNATURE1, bytesOf(s, 4)), append([64], bytesOf(holes, 2))), bytesOf(s, 6), host as Host) ===
              true
          ) {
            // this verifier does not support anchors limited to some devices
            if (a.vendor || a.class || (HAS_GENERAL && a.single) || (!HAS_WINDOWS && (a.since || a.until))) refuse(TRUST_POLICY);
            if (HAS_WINDOWS && (compareLimit(sequence, a.since, TRUST_POLICY) < 0 || compareLimit(sequence, a.until, TRUST_POLICY) > 0))
              late++;
            else {
              signers.push(j);
              threshold--;
              if (HAS_PAIRS) counted = secret;
            }
            break;
          }
        }
      }
    }
    if (threshold)
      refuse(
        !fits
          ? SIGNATURE_NO_ANCHOR
          : HAS_WINDOWS && late >= threshold
            ? ANCHOR_WINDOW
            : HAS_PAIRS && (counted || late)
              ? SIGNATURE_THRESHOLD
              : SIGNATURE_INVALID,
      );
    digest = bytesOf(holes, 0);
    if (!equalConstantTime(digestOf(bytesOf(holes, manifest), host as Host), digest)) refuse(DIGEST_MANIFEST);
    if (compareLimit(sequence, trust.floor, TRUST_POLICY) < 0) refuse(ROLLBACK);
    markAt(-1);
    if (HAS_BOOT) {
      // where the map of the envelope begins. It is one of two elements without the image: 0xa2
      i = kept ? 0 : 2;
      (octets as number[])[i] = 162;
    }
    return {
      sequence: sequence,
      signers: signers,
      digest: digest,
      image: bytesOf(holes, 10),
      imageSize: n,
      imageUri: uri,
      forVendor: bytesOf(holes, 6),
      forClass: bytesOf(holes, 8),
      imageAt: option * here,
      kept: HAS_BOOT ? subBytes(octets, i, holes[manifest] + holes[manifest + 1] - i) : (undefined as unknown as Bytes),
    };
  } catch (e) {
    rethrow(e);
  }
}
