// A release and its trust: what to sign, which keys may sign it, and which devices accept it.

export { encodeDescription } from "./input/description.js";
export {
  type InputOptions,
  makeDraft,
  openWithTrialKey,
  type PreparedInput,
  type ReleaseInput,
  readInput,
  releaseFacts,
  reviewSigned,
  warnBeforeSigning,
} from "./input/draft.js";
export { readEnvelopeFile, readSource } from "./input/envelope-file.js";
export { looksLikeEnvelope } from "./input/envelope-kind.js";
export { identityOf } from "./input/identity.js";
export { LIMITS } from "./limits.js";
export { allSet, checkPayloads, deviceKinds, identities, outsideUris, payloadFiles, warnOfRefusal } from "./payload-check/payload-check.js";
export { formatDigest, type ManifestStep, steps, type Value } from "./payload-check/tree.js";
export { isRefusal, refusalFailure, refusalHint, refusalMeaning, refusalName } from "./refusals.js";
export type { Fit, State } from "./rotation/dry-run.js";
export { readArchive, readStep, readSteps } from "./rotation/files.js";
export { type Cohort, type DeviceAlg, type EmbeddedKeys, type Model, modelOf, readFleet, storesOf } from "./rotation/fleet.js";
export { embeddedKeys, keySet, namedKeys } from "./rotation/keys.js";
export { type NextResult, whatNext } from "./rotation/next.js";
export { type CohortResult, newest, plan, type StepResult, standing, sums } from "./rotation/plan.js";
export { big, higher, type Keys, keysInRole, only } from "./rotation/quorum.js";
export { type Exposed, exposedWords, type Gone, type Margin, type Margins, reach } from "./rotation/reach.js";
export { carriedStores, type PlannedRelease, type PlannedStep, type PlannedTrust, stepOf } from "./rotation/steps.js";
export { LEFT_BEHIND, VERDICTS, type Verdict } from "./rotation/verdict.js";
export { digestOf, recordSigning, recordTrustSigning, type TrustSigningOptions } from "./signing/authorize.js";
export { type CoverOptions, coveringTrustFiles, refuseKeys } from "./signing/coverage.js";
export { type IdentifiedSignature, type KnownKey, signersOf, testKeysAmong } from "./signing/signers.js";
export { readStatusSecrets } from "./status/secrets.js";
export { type DeviceStatus, deviceStatus } from "./status/status.js";
export { type Change, type Previous, showChanges } from "./trust/trust-change.js";
export { readDescription } from "./trust/trust-description.js";
export { exportAll, exportRole } from "./trust/trust-export.js";
export { readTrustFile, type TrustOnFile } from "./trust/trust-file.js";
export {
  acceptedTrust,
  anchorFacts,
  isTrust,
  keysOf,
  limitWords,
  nameFile,
  type PinOptions,
  readTrustFrom,
  rootProgress,
  type TrustedKeys,
  type TrustOptions,
  trustedKeys,
  trustName,
  verifiedTrust,
} from "./trust/trust-ref.js";
