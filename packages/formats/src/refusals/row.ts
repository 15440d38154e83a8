// A row of the tables of refusals.

/** The words of a refusal. Both texts begin in lower case and have no full stop, so that a tool can join them. */
export interface FormatRefusalRow {
  readonly meaning: string;
  readonly advice: string;
  /** What the rule comes from: a specification, a boot loader, or "ours". */
  readonly source: string;
}
