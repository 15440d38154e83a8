// What the packages of firmseal use of each other, besides the public API in index.ts: it may change in any version.

export { joinBatch } from "./batch/join-batch.js";
export { isBatchFolder } from "./batch/plan-file.js";
export { type SignBatchOptions, signBatch } from "./batch/sign-batch.js";
export { verifyBatch } from "./batch/verify-batch.js";
export { type ConsumerName, consumerNames, consumerOf } from "./consumer/consumers.js";
export { type AlgChoice, coseAlgFor, coseAlgNames, namesFault } from "./consumer/cose-alg.js";
export { checkDraftFor, checkFor } from "./consumer/judge.js";
export { recipeFor } from "./consumer/recipe.js";
export type { Check } from "./doctor/checks.js";
export { examineProduct } from "./doctor/doctor.js";
export type { BehaviourChange } from "./explain/difference.js";
export { nodeKeyOf } from "./foreign/foreign-key.js";
export { refusedFormat } from "./foreign/refused-format.js";
export { type Incident, runIncident } from "./incident/incident.js";
export { auditorPage, managementPage } from "./incident/report.js";
export type { IncidentKind } from "./incident/situation.js";
export { checkVendor, identityOf } from "./input/identity.js";
export { LIMITS } from "./input/limits.js";
export { isLittleRoom, LAST } from "./input/sequence.js";
export { isSimulated, lintCounts } from "./lint/counts.js";
export { lintFailure } from "./lint/lint.js";
export { SEVERITIES, type Severity } from "./lint/rule.js";
export { ALL_RULES } from "./lint/rule-table.js";
export { logOption, PRODUCT_FILE, productOption } from "./product/file/file-name.js";
export { foldersOutside } from "./product/file/inside.js";
export { newProduct } from "./product/file/new.js";
export { POLICIES, type Policy } from "./product/file/policy.js";
export { type Board, boardsOf } from "./product/file/product.js";
export { type FoundProject, findProject, plainName } from "./product/file/projects.js";
export { type ShownMember, shownMembers, trustedThumbprints } from "./product/file/shown.js";
export { productLog, withProductLog } from "./product/ledger.js";
export { refuseOtherProduct } from "./product/record.js";
export { approvalPath, approvalProgress } from "./release/approvals.js";
export { builtBootImage, hasBootImage } from "./release/board/boot-image.js";
export { refuseMissingKeys, signingKeys, trustOptions, trustPins } from "./release/board/devices.js";
export { signedImageName } from "./release/board/image-file.js";
export { boardToBridge, bridgedBoard, rotatedTrust } from "./release/bridge.js";
export { type BoardChange, folderChanges, lastOf, releaseChanges, releaseReview } from "./release/changes.js";
export {
  boardFor,
  envelopeOf,
  folderWithdrawal,
  previousFolder,
  type ReleasedBoard,
  type ReleasedEnvelope,
  type ReleaseFolder,
  refuseIncomplete,
  refuseOtherRelease,
  refuseRecordedBoard,
  releaseFolder,
} from "./release/folder.js";
export type { ReleaseLint } from "./release/lint.js";
export { productNames } from "./release/names.js";
export { type ReleaseToApprove, releaseToApprove } from "./release/round/approve.js";
export {
  attachSignatures,
  messagesOf,
  recordSignatureOf,
  signedElsewhere,
  signingProgress,
  withReleaseLock,
} from "./release/round/attach.js";
export { joinReleases } from "./release/round/join.js";
export { type JoinOptions, planJoin, planSigning, type RoundOptions } from "./release/round/plan-round.js";
export { boardInput, refuseUnapprovable, withImage } from "./release/sign-board.js";
export { triedPlan } from "./release/tried-plan.js";
export type { VerifiedBoard } from "./release/verify.js";
export { refuseWithdrawnAround, withdrawalAround } from "./release/withdrawn/around.js";
export { productWithdrawals } from "./release/withdrawn/known-withdrawals.js";
export type { WithdrawnManifest } from "./release/withdrawn/withdrawn.js";
export { documentsBeside, reportDocuments } from "./report/documents.js";
export { reportFamilies, reportKinds, reportTime } from "./report/report-data.js";
export { type NeededSignatures, signBridge } from "./rotation/bridge.js";
export { readArchive } from "./rotation/files.js";
export { boardFinderOf } from "./rotation/fleet-product.js";
export { fleetDevices } from "./rotation/fleet-rows.js";
export { embeddedKeys } from "./rotation/keys.js";
export type { Cohort } from "./rotation/model.js";
export { type NextResult, whatNext } from "./rotation/next.js";
export { devicesByVerdict } from "./rotation/plan/plan.js";
export { type Exposed, exposedWords, type Margins } from "./rotation/plan/reach.js";
export { carriedStores } from "./rotation/plan/steps.js";
export { nameWords, VERDICTS } from "./rotation/plan/verdict.js";
export { judgeUnsigned, planRetirement, type Retirement, type RetireOptions, signRetirement } from "./rotation/retire.js";
export { type ApprovalOptions, readApprovals } from "./signing/approval.js";
export { type ApprovingOptions, approveWith } from "./signing/approve.js";
export { type ApprovalProgress, approvalWords } from "./signing/approved.js";
export { recordTrustSigning, refuseLastNumber, type TrustSigningOptions } from "./signing/authorize-trust.js";
export { type CoverOptions, coveringTrustFiles } from "./signing/coverage.js";
export { encodeDescription } from "./signing/description.js";
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
} from "./signing/draft.js";
export { type ElsewhereOptions, refuseKeys } from "./signing/elsewhere.js";
export { withSignatureOf } from "./signing/given.js";
export { mergeSignatures } from "./signing/merge-trust.js";
export { refuseReplacing } from "./signing/replaced.js";
export { logDigest } from "./signing/scope.js";
export { signPrepared } from "./signing/sign-release.js";
export type { BehindDevices } from "./status/behind.js";
export type { RefusedStatus, UnheardDevices } from "./status/collect.js";
export { readStatusSecrets } from "./status/secrets.js";
export { deviceStatus, withdrawnIn } from "./status/status.js";
export { chainOf, readPreviousTrust, refuseOtherLine } from "./trust/chain.js";
export { changeWarnings, changeWords, isLowered, showChanges, type TrustChange, trustChanges } from "./trust/change.js";
export { readDescription } from "./trust/description.js";
export { exportAll, exportRole } from "./trust/export.js";
export { anchorFacts, keysOf, limitWords, type RootProgress, rootProgress } from "./trust/facts.js";
export { type FamilyFacts, type FamilyProgress, familyFacts, familyWords, progressWords } from "./trust/families.js";
export { readKnownTrust } from "./trust/known.js";
export { marginWords, roleMargins } from "./trust/margins.js";
export { type PinOptions, readPinnedTrust, readUnverifiedTrust } from "./trust/read.js";
export { type TrustOptions, trustedKeys } from "./trust/trusted-keys.js";
export { type OtherSignature, otherSignatures, otherWords, refusingFacts } from "./verify/doubts.js";
export { readAnyEnvelope, readEnvelopeFile, readSource } from "./verify/envelope-file.js";
export { furtherElements } from "./verify/further-elements.js";
export { type LooseEnvelope, readLooseEnvelope } from "./verify/loose-envelope.js";
export { deviceKinds, manifestParameters, namedIdentities, outsideUris } from "./verify/manifest-facts.js";
export { checkPayloads, payloadFiles, type RefusalOverrides } from "./verify/payload-check.js";
export { type ImageChoice, imageIn } from "./verify/payload-image.js";
export { refusalFailure, refusalName, withFileName, withNumbers, withoutPayload } from "./verify/refusals.js";
export { type IdentifiedSignature, type KnownKey, signersOf, testKeysAmong } from "./verify/signers.js";
export { formatDigest, type ParameterValue, type SequenceCommand, sequenceCommands } from "./verify/tree.js";
export { reasoned, withReason } from "./verify/true-reason.js";
export { payloadsBeside, type TrustedKeys } from "./verify/verified.js";
