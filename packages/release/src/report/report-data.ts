// What a report page is made of: the release, the keys that must verify it, and what is found out beforehand.

import { type DeviceKind, explainManifest } from "@firmseal/behaviour";
import { type ReportData, type ReportKind, reportKind } from "@firmseal/report";
import { type Anchor, errors, type Manifest, type Trust, type TrustAnchor } from "@firmseal/verifier";
import { kindsAsked } from "../explain/explain.js";
import { sourceDate } from "../input/clock.js";
import { familyFactsOf } from "../trust/families.js";
import { certainRefusal, requireSections, triedInterpreter } from "../verify/payload-check.js";

/**
 * Returns the thresholds of a policy for families of algorithms that this build knows. `anchors`: those of the keys of
 * the report, in their order.
 */
export function reportFamilies({ families = [] }: Trust, anchors: readonly (Anchor | TrustAnchor)[]): Pick<ReportData, "families"> {
  const known = families.filter((family) => family.known);
  if (known.length === 0) return {};
  return {
    families: known.map(({ ids, threshold }) => ({
      algorithms: familyFactsOf({ ids, threshold }).algorithms.slice(),
      keys: anchors.flatMap((anchor, i) => (ids.includes((anchor as Partial<TrustAnchor>).cose ?? Number.NaN) ? [i] : [])),
      threshold,
    })),
  };
}

/**
 * Returns the kinds of devices that the release distinguishes. Throws a Failure if there are too many, or too much to
 * try, and the refusal SEVERED_ABSENT if a section that devices need is absent.
 */
export function reportKinds(m: Manifest): Pick<ReportData, "kinds" | "slots"> {
  requireSections({ refusal: certainRefusal(m) });
  const { kinds, slots } = kindsAsked(m, {});
  const by = triedInterpreter();
  const unchecked = (kind: DeviceKind): Pick<ReportKind, "unchecked"> => {
    const refused = explainManifest(by, m, [kind]).behaviours[0]?.refused;
    return refused?.code === errors.IDENTITY_UNCHECKED ? { unchecked: refused.during } : {};
  };
  return {
    kinds: kinds.map((kind) => ({ ...reportKind(kind), ...unchecked(kind) })),
    slots,
  };
}

/**
 * Returns the time that a report names: SOURCE_DATE_EPOCH if it is set, or now. ISO 8601, UTC. Throws as sourceDate().
 */
export function reportTime(): string {
  const seconds = sourceDate() ?? Math.floor(Date.now() / 1000);
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
