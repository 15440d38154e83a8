// What a product file asks of lint: further rules, and the findings that a person has accepted.

/** Sets of rules that are asked for by name. */
export const POLICIES = ["cnsa2"] as const;

/** A set of rules besides the common ones: see POLICIES. */
export type Policy = (typeof POLICIES)[number];

/** A finding that a person has accepted for a time. */
export interface Waiver {
  /** Id or name of the rule. */
  readonly rule: string;
  /** Why it is accepted. */
  readonly reason?: string;
  /** The last day, as YYYY-MM-DD (UTC). */
  readonly until?: string;
}

/** What firmseal lint checks releases against. */
export interface ProductPolicy {
  /** A set of rules beside the common ones. */
  readonly suite: Policy | undefined;
  /** The path of a bill of materials. */
  readonly sbom: string | undefined;
  readonly waivers: readonly Waiver[];
}
