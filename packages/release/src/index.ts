// A release and its trust: what to sign, which keys may sign it, and which devices accept it.

export { type ConsumerName, consumerNames, consumerOf } from "./consumer/consumers.js";
export { type AlgChoice, coseAlgFor, coseAlgNames, namesFault, withCoseAlgs } from "./consumer/cose-alg.js";
export { checkDraftFor, checkFor } from "./consumer/judge.js";
export { recipeFor } from "./consumer/recipe.js";
export { type BehaviourChange, type ReleaseDifference, releaseDifference } from "./explain/difference.js";
export { explain, type ForDevice, kindsAsked } from "./explain/explain.js";
export { type ExplainedRefusal, explainRefusal, type ReportedRefusal } from "./explain/refusal.js";
export { type Incident, type IncidentStage, runIncident } from "./incident/incident.js";
export { auditorPage, managementPage } from "./incident/report.js";
export type { IncidentKind, IncidentOptions } from "./incident/situation.js";
export { encodeDescription } from "./input/description.js";
export {
  type InputOptions,
  makeDraft,
  openWithTrialKey,
  type PreparedInput,
  type ReleaseInput,
  readDraft,
  readInput,
  releaseFacts,
  reviewSigned,
  warnBeforeSigning,
} from "./input/draft.js";
export { readAnyEnvelope, readEnvelopeFile, readSource } from "./input/envelope-file.js";
export { identityOf } from "./input/identity.js";
export { LIMITS } from "./input/limits.js";
export { type Finding, type LintReport, lintFailure, type SkippedRule, type Waiver } from "./lint/lint.js";
export { type LintOptions, lintReleases } from "./lint/releases.js";
export { POLICIES, type Policy, SEVERITIES, type Severity } from "./lint/rule.js";
export { ALL_RULES } from "./lint/rule-table.js";
export { refuseMissingKeys, signingKeys, trustOptions } from "./product/board/devices.js";
export { boardInput } from "./product/board/sign-board.js";
export { type BoardChange, releaseChanges } from "./product/changes.js";
export { PRODUCT_FILE } from "./product/file/file-name.js";
export { foldersOutside } from "./product/file/inside.js";
export { type NewProduct, newProduct } from "./product/file/new.js";
export { type Board, boardsOf, type Product } from "./product/file/product.js";
export { type FoundProject, findProject, plainName } from "./product/file/projects.js";
export { readProduct } from "./product/file/read.js";
export { type ShownMember, shownMembers, trustedThumbprints } from "./product/file/shown.js";
export type { ReleaseLint } from "./product/lint.js";
export { productNames } from "./product/names.js";
export { planRelease, type ReleaseOptions, type ReleasePlan, triedPlan } from "./product/plan.js";
export { readRecord, refuseOtherProduct } from "./product/record/record.js";
export { type DoneRelease, makeRelease } from "./product/release.js";
export { type ProductVerify, type VerifiedBoard, type VerifiedProduct, verifyProduct } from "./product/verify.js";
export { documentsBeside, reportDocuments } from "./report/documents.js";
export { reportFamilies, reportKinds, reportTime } from "./report/report-data.js";
export {
  type PreviousRelease,
  previousFolder,
  type ReleasedBoard,
  type ReleaseFolder,
  refuseRecordedBoard,
  releaseFolder,
} from "./report/report-release.js";
export { type NeededSignatures, type SignedBridge, signBridge, type UnsignedBridge, unsignedBridge } from "./rotation/bridge.js";
export { readArchive, readStep, readSteps } from "./rotation/files.js";
export { readFleet } from "./rotation/fleet.js";
export { fleetDevices } from "./rotation/fleet-rows.js";
export { embeddedKeys, namedKeys, secretSet } from "./rotation/keys.js";
export { type Cohort, type DeviceAlg, type DeviceModel, type EmbeddedKeys, modelOf, storesOf } from "./rotation/model.js";
export { type BridgeOptions, readTrustMove, type TrustMove } from "./rotation/move.js";
export { type NextResult, whatNext } from "./rotation/next.js";
export type { DeviceState, StepFit } from "./rotation/plan/dry-run.js";
export { type CohortResult, devicesByVerdict, planSteps, type StepResult } from "./rotation/plan/plan.js";
export { type Exposed, exposedWords, type KeyFates, type Margin, type Margins } from "./rotation/plan/reach.js";
export { carriedStores, type PlannedRelease, type PlannedStep, type PlannedTrust, stepOf } from "./rotation/plan/steps.js";
export { LEFT_BEHIND, nameWords, VERDICTS, type Verdict } from "./rotation/plan/verdict.js";
export {
  judgeUnsigned,
  planRetirement,
  type Retirement,
  type RetireOptions,
  type SignedRetirement,
  signRetirement,
} from "./rotation/retire.js";
export { type ApprovalOptions, readApprovals } from "./signing/approval.js";
export { type Approval, type ApprovingOptions, approveWith } from "./signing/approve.js";
export {
  type AuditedLog,
  type AuditOptions,
  auditLogs,
  type LogAudit,
  logFaultWords,
  type SignedEntry,
  type UnloggedSignature,
} from "./signing/audit.js";
export { logDigest, recordSigning } from "./signing/authorize.js";
export { recordTrustSigning, refuseLastNumber, type TrustSigningOptions } from "./signing/authorize-trust.js";
export { type CoverOptions, coveringTrustFiles } from "./signing/coverage.js";
export { type ElsewhereOptions, refuseKeys } from "./signing/elsewhere.js";
export { refuseReplacing } from "./signing/replaced.js";
export { type SignedRelease, type SignReleaseOptions, signRelease } from "./signing/sign-release.js";
export { type IdentifiedSignature, type KnownKey, signersOf, testKeysAmong } from "./signing/signers.js";
export type { BehindDevices } from "./status/behind.js";
export { type Collection, type CollectOptions, collectStatuses, type RefusedStatus, type UnheardDevices } from "./status/collect.js";
export { makeNonces, readNonces, type SentNonce } from "./status/nonces.js";
export { readStatusSecrets } from "./status/secrets.js";
export { type DeviceStatus, deviceStatus } from "./status/status.js";
export { chainOf, readPreviousTrust, refuseOtherLine } from "./trust/chain.js";
export {
  changeWarnings,
  changeWords,
  isLowered,
  type PreviousTrust,
  showChanges,
  type TrustChange,
  trustChanges,
} from "./trust/change.js";
export { readDescription } from "./trust/description.js";
export { type TrustEvidence, trustEvidence } from "./trust/evidence.js";
export { exportAll, exportRole } from "./trust/export.js";
export { anchorFacts, keysOf, limitWords, type RootProgress, rootProgress } from "./trust/facts.js";
export { type FamilyFacts, type FamilyProgress, familyFacts, familyWords, progressWords } from "./trust/families.js";
export { readKnownTrust } from "./trust/known.js";
export { marginWords, type NeededKeys, type RoleMargin, roleMargins } from "./trust/margins.js";
export { mergeSignatures, type TrustMerge } from "./trust/merge.js";
export {
  type PinnedTrust,
  type PinOptions,
  readPinnedTrust,
  readTrustFile,
  readUnverifiedTrust,
  type TrustOnFile,
} from "./trust/read.js";
export { type TrustedKeys, type TrustOptions, trustedKeys } from "./trust/trusted-keys.js";
export { type OtherSignature, otherSignatures, otherWords } from "./verify/doubts.js";
export { type DependencyFacts, type FurtherElements, furtherElements } from "./verify/further-elements.js";
export { type LooseEnvelope, readLooseEnvelope, type SignatureClaim } from "./verify/loose-envelope.js";
export { deviceKinds, manifestParameters, namedIdentities, outsideUris } from "./verify/manifest-facts.js";
export { checkPayloads, judgeRefusal, payloadFiles, type StartOverride } from "./verify/payload-check.js";
export {
  isRefusal,
  refusalFailure,
  refusalHint,
  refusalMeaning,
  refusalName,
  withFileName,
  withNumbers,
  withoutPayload,
} from "./verify/refusals.js";
export { formatDigest, type ParameterValue, type SequenceCommand, sequenceCommands } from "./verify/tree.js";
export { reasoned, withReason } from "./verify/true-reason.js";
export { payloadsBeside, type VerifiedRelease, type VerifyRelease, verifyRelease } from "./verify/verified.js";
