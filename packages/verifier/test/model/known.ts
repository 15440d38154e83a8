// Where the code is known to be wrong today. The model has the right rule; these say in which cases another answer is not a finding. Each has a
// manifest in known.test.ts that shows it, and that fails once the fault is mended: the entry here is then taken out.

export const KNOWN = {
  /** An identity that is put together from two failed alternatives of a try-each counts as checked. */
  identityOfFailedBranch: true,
  /** On a device of several classes a key that is limited to one of them signs for the others. */
  scopeOfSeveralClasses: true,
};
