// Why a device has refused a file, from the bare number that it reports: which byte, which element, which rule.

import { elementAt } from "@firmseal/behaviour";
import type { MicroPart } from "@firmseal/bundler";
import { byteWords } from "@firmseal/keys/internal";
import { nodeHost } from "@firmseal/simulator";
import { errors } from "@firmseal/verifier";
import { decodeEnvelope, isRefusal, refusalGroup, refusalOf, type TemplateFault, templateFault, toHex } from "@firmseal/verifier/tools";
import { refusedWithout } from "./reduced.js";

/** A refusal as a device reports it. `at`: the offset of a byte, or undefined if it reports none. */
export interface ReportedRefusal {
  code: number;
  at?: number;
}

/** What a reported refusal means for a file. */
export interface ExplainedRefusal {
  code: number;
  name: string;
  meaning: string;
  advice: string;
  /** The offset of the byte, as the device reports it, or as the file has the same refusal. */
  at?: number;
  /** The byte of the file there, hex. Absent if the file ends before. */
  byte?: string;
  /** The innermost element with this byte, from the outside. Absent if the file is not CBOR. */
  element?: string[];
  /** What the template of micro verifiers has at this byte. */
  template?: string;
  /** Parts of a micro verifier: a bundle without one of them refuses this file there, and one with all does not. */
  without?: MicroPart[];
  /** Whether a device refuses this file there, with this number. Absent if that depends on the device. */
  same?: boolean;
  /** If it does not: the refusal that this file has all the same. Absent if it has none that its bytes alone show. */
  other?: ReportedRefusal;
}

/** Runs `read`, and returns the refusal that it throws. */
function refusalIn(read: () => unknown): ReportedRefusal | undefined {
  try {
    read();
    return undefined;
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return { code: e.code, ...(e.at >= 0 && { at: e.at }) };
  }
}

/** Where the file differs from the template. A manifest that does not match its digest may have its form. */
function faultIn(envelope: Uint8Array): TemplateFault | undefined {
  let fault: TemplateFault | null = null;
  refusalIn(() => {
    fault = templateFault(envelope, nodeHost);
  });
  return fault ?? undefined;
}

/** What the template has at a byte that the file has right: it refuses a file that differs in this byte only. */
function templateAt(envelope: Uint8Array, at: number): TemplateFault | undefined {
  if (at >= envelope.length) return undefined;
  const changed = Uint8Array.from(envelope);
  changed[at] = (changed[at] as number) ^ 0xff;
  const fault = faultIn(changed);
  return fault?.at === at ? fault : undefined;
}

/**
 * Explains the refusal that a device reported for an envelope. No signature is verified.
 *
 * @param envelope - The envelope that the device got.
 * @param reported - The number of the refusal, and the offset if the device reports one.
 * @returns Name, meaning and advice, and the element at the offset.
 * @throws RangeError for an unknown number, and for an offset beyond the end of the file.
 * @example
 * ```ts
 * import { explainRefusal } from "@firmseal/release";
 *
 * const { name, meaning, advice } = explainRefusal(envelope, { code: 38 });
 * console.log(`${name}: ${meaning}. ${advice}`);
 * ```
 */
export function explainRefusal(envelope: Uint8Array, reported: ReportedRefusal): ExplainedRefusal {
  const row = refusalOf(reported.code);
  if (!row) throw new RangeError(`no refusal has the number ${reported.code}`);
  // a verifier refuses a file that ends too early at its end
  if (reported.at !== undefined && reported.at > envelope.length)
    throw new RangeError(`byte ${reported.at} is beyond the end of the file, which has ${byteWords(envelope.length)}`);
  const fault = faultIn(envelope);
  const faults = [refusalIn(() => decodeEnvelope(envelope)), fault].filter((one) => one?.code === reported.code);
  const hit = faults.find((one) => reported.at === undefined || one?.at === reported.at);
  const reduced = hit === undefined ? refusedWithout(envelope, reported) : undefined;
  const at = reported.at ?? hit?.at ?? reduced?.at;
  const element = at === undefined ? undefined : elementAt(envelope, at);
  const isTemplate = reported.code === errors.TEMPLATE_MISMATCH;
  const there = isTemplate && at !== undefined ? (fault?.at === at ? fault : templateAt(envelope, at)) : undefined;
  // only these depend on nothing but the bytes of the file
  const isOfBytes = refusalGroup(reported.code) === refusalGroup(errors.CBOR_TRUNCATED) && reported.code !== errors.CBOR_OCTET;
  const isCertain = hit !== undefined || (!reduced && (isTemplate || isOfBytes));
  const other = hit === undefined && isCertain ? (isTemplate ? fault : refusalIn(() => decodeEnvelope(envelope))) : undefined;
  return {
    code: row.number,
    name: row.name,
    meaning: row.meaning,
    advice: hit && there ? there.advice : reduced ? (isTemplate ? reduced.advice : `${row.advice}; ${reduced.advice}`) : row.advice,
    ...(at !== undefined && { at }),
    ...(at !== undefined && at < envelope.length && { byte: toHex([envelope[at] as number]) }),
    ...(element && { element: element.path }),
    ...(there && { template: there.what }),
    ...(reduced && { without: reduced.parts }),
    ...(isCertain && { same: hit !== undefined }),
    ...(other && { other: { code: other.code, ...(other.at !== undefined && { at: other.at }) } }),
  };
}
