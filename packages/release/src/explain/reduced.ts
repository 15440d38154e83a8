// What only a micro verifier without some part refuses: the parts that `firmseal bundle --without` leaves out.

import { MICRO_PARTS, type MicroPart } from "@firmseal/bundler";
import { errors, type Trust } from "@firmseal/verifier";
import { isRefusal } from "@firmseal/verifier/tools";
import { microCode } from "../rotation/device-code.js";

/** A micro verifier without a part, or with all of them. The algorithm does not matter. */
const codeWithout = (...parts: MicroPart[]) => microCode(["ed25519"], parts);

/** Accepts every signature, because the signatures are not in question here. */
const ANYTHING = { ids: Array.from({ length: 64 }, (_, i) => -1 - i), valid: () => true, verify: () => true };
const keyOf = (octet: number) => ({ alg: ANYTHING, key: new Uint8Array(32).fill(octet) });
const PLAIN: Trust = { anchors: [keyOf(0)] };

/** By part: a trust policy of a device that needs it, and what to do about a device without the part. */
const NEEDS: { readonly [part in MicroPart]: { trust: Trust; advice: string } } = {
  boot: { trust: PLAIN, advice: "" },
  limits: {
    trust: { anchors: [{ ...keyOf(0), since: [0, 0] }] },
    advice: "if a trusted key of the device has since or until, make its bundle with limits",
  },
  threshold: {
    trust: { anchors: [keyOf(0), keyOf(1)], threshold: 2 },
    advice: "if the threshold of the device is 2, make its bundle with threshold",
  },
  uri: { trust: PLAIN, advice: "put the image into the envelope, without `uri`; or make the bundle of the device with uri" },
};

/** The refusal of open(), or undefined. */
function refusalOf(code: ReturnType<typeof microCode>, envelope: Uint8Array, trust: Trust): { code: number; at: number } | undefined {
  try {
    code.open(envelope, trust);
    return undefined;
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return e;
  }
}

/**
 * Finds the parts without which a micro verifier refuses an envelope as reported, where one with all parts does not.
 * Verifies no signature.
 *
 * @param envelope - The envelope.
 * @param reported - The number of the refusal, and the offset if the device reports one.
 * @returns The parts, the offset of the byte, and what to do; or undefined if there is no such part.
 */
export function refusedWithout(
  envelope: Uint8Array,
  reported: { code: number; at?: number },
): { parts: MicroPart[]; at?: number; advice: string } | undefined {
  // a policy is wrong at no byte
  const isPolicy = reported.code === errors.TRUST_POLICY;
  if (!isPolicy && reported.code !== errors.TEMPLATE_MISMATCH) return undefined;
  const isReported = (found: { code: number; at: number } | undefined) =>
    found?.code === reported.code && (isPolicy || reported.at === undefined || found.at === reported.at);
  const parts: MicroPart[] = [];
  let at: number | undefined;
  for (const part of MICRO_PARTS) {
    const { trust } = NEEDS[part];
    const found = refusalOf(codeWithout(part), envelope, trust);
    if (!isReported(found) || isReported(refusalOf(codeWithout(), envelope, trust))) continue;
    parts.push(part);
    at ??= found?.at;
  }
  if (parts.length === 0) return undefined;
  const advice = parts.map((part) => NEEDS[part].advice).join("; ");
  return { parts, ...(at !== undefined && !isPolicy && { at }), advice };
}
