// Says in words where an envelope is not the template firmseal-single-1. The walk is that of the micro verifier itself.

import type { Refusal } from "../base/refuse.js";
import type { Alg, Bytes, Host } from "../base/types.js";
import { openMicro, spot } from "../install/micro/open.js";
import { CBOR_TRAILING, CBOR_TRUNCATED, HEAD_LENGTH, TEMPLATE_MISMATCH } from "../spec/errors.generated.js";
import { TEMPLATE_ROWS } from "./template-table.js";

/** Where an envelope first differs from the template. */
export interface TemplateFault {
  /** The number of the refusal of a micro verifier. */
  code: number;
  /** The offset of the first byte that differs. */
  at: number;
  /** What the template has there, and what to change in the release. */
  what: string;
  advice: string;
}

function yes(): boolean {
  return true;
}

/** Accepts every signature of every algorithm, because the signatures are not in question here. */
var ANYTHING: Alg = { ids: [], valid: yes, verify: yes };

(function () {
  var i;
  for (i = 1; i < 65; i++) ANYTHING.ids.push(-i);
})();

/**
 * Compares an envelope, signed once or twice, with the template firmseal-single-1. Verifies no signature.
 *
 * @param envelope - The envelope.
 * @param host - Hash functions. Default: our own.
 * @returns null if a micro verifier with the keys of its signers accepts its form, otherwise where it differs first.
 * @throws DIGEST_MANIFEST if the manifest does not match its digest.
 */
export function templateFault(envelope: Bytes, host: Host = {}): TemplateFault | null {
  var key = new Uint8Array(32),
    i = -1,
    end = 0,
    refusal;
  try {
    openMicro(envelope, { anchors: [{ alg: ANYTHING, key: key }] }, host);
    return null;
  } catch (e) {
    refusal = e as Refusal;
    if ([TEMPLATE_MISMATCH, CBOR_TRUNCATED, CBOR_TRAILING, HEAD_LENGTH].indexOf(refusal.code) < 0) throw e;
  }
  while (end <= spot) end += TEMPLATE_ROWS[++i].code.length;
  return { code: refusal.code, at: refusal.at, what: TEMPLATE_ROWS[i].what, advice: TEMPLATE_ROWS[i].advice };
}
