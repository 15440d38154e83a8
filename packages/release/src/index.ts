// A release and the trust in it: what is to be signed, who may sign it, and which devices will take it.

export { failureOfRefusal, hintOf, isRefusal, meaningOf, nameOf } from "./hints.js";
export { encodeDescription } from "./input/description.js";
export {
  caution,
  type Input,
  type InputOptions,
  makeDraft,
  openWithTrialKey,
  type Prepared,
  readInput,
  releaseFacts,
  review,
} from "./input/draft.js";
export { readEnvelope, readSource } from "./input/envelope-file.js";
export { looksLikeEnvelope } from "./input/envelope-kind.js";
export { identityOf } from "./input/identity.js";
export { LIMITS } from "./limits.js";
export { allSet, checkPayloads, identities, kinds, outsideUris, payloadFiles, warnOfRefusal } from "./payload-check/payload-check.js";
export { digestText, type Step as ManifestStep, steps, type Value } from "./payload-check/tree.js";
export {
  type BridgeOptions,
  type Move,
  type NeededSignatures,
  readMove,
  type SignedBridge,
  signBridge,
  type UnsignedBridge,
  unsignedBridge,
} from "./rotation/bridge.js";
export type { Fit, State } from "./rotation/dry-run.js";
export { readArchive, readStep, readSteps } from "./rotation/files.js";
export { type Cohort, type DeviceAlg, type EmbeddedKeys, type Model, modelOf, readFleet, storesOf } from "./rotation/fleet.js";
export { embeddedKeys, keySet, namedKeys } from "./rotation/keys.js";
export { type NextResult, whatNext } from "./rotation/next.js";
export {
  type CohortResult,
  LEFT_BEHIND,
  plan,
  type StepResult,
  sums,
  VERDICTS,
  type Verdict,
} from "./rotation/plan.js";
export { type Exposed, exposedWords, type Gone, type Margin, type Margins } from "./rotation/reach.js";
export {
  judgeUnsigned,
  planRetirement,
  type Retirement,
  type RetireOptions,
  type SignedRetirement,
  signRetirement,
} from "./rotation/retire.js";
export { carriedStores, type PlannedRelease, type PlannedStep, type PlannedTrust, stepOf } from "./rotation/steps.js";
export { type ApprovalOptions, approveWith, readApprovals } from "./signing/approval.js";
export { digestOf, recordSigning, recordTrustSigning, refuseLastNumber, type TrustSigningOptions } from "./signing/authorize.js";
export { type CoverOptions, listsOf, refuseKeys } from "./signing/coverage.js";
export { type KnownKey, type Signature, signersOf, testKeysAmong } from "./signing/signers.js";
export { readStatusSecrets } from "./status/secrets.js";
export { type DeviceStatus, deviceStatus } from "./status/status.js";
export { checkLine, readChain } from "./trust/trust-chain.js";
export {
  type Change,
  changes,
  changeWarnings,
  changeWords,
  isLowered,
  type Previous,
  type RoleMargin,
  roleMargins,
  showChanges,
} from "./trust/trust-change.js";
export { readDescription } from "./trust/trust-description.js";
export { type TrustEvidence, trustEvidence } from "./trust/trust-evidence.js";
export { exportAll, exportRole } from "./trust/trust-export.js";
export { readTrustFile, type TrustOnFile } from "./trust/trust-file.js";
export { mergeSignatures, type TrustMerge } from "./trust/trust-merge.js";
export {
  about,
  anchorFacts,
  type Believed,
  believed,
  believedAt,
  isTrust,
  keysOf,
  limitWords,
  type PinOptions,
  rootProgress,
  type TrustOptions,
  trustAt,
  trustName,
  verifiedTrust,
} from "./trust/trust-ref.js";
