// A release and its trust: what to sign, which keys may sign it, and which devices accept it.

export { type ReleaseDifference, releaseDifference } from "./explain/difference.js";
export { explain, type ForDevice } from "./explain/explain.js";
export { type ExplainedRefusal, explainRefusal, type ReportedRefusal } from "./explain/refusal.js";
export type { Finding, LintReport } from "./lint/lint.js";
export { type LintOptions, lintReleases } from "./lint/releases.js";
export type { Product } from "./product/file/product.js";
export { readProduct } from "./product/file/read.js";
export { planRelease, type ReleaseOptions, type ReleasePlan } from "./release/plan.js";
export { makeRelease } from "./release/release.js";
export type { BoardProgress } from "./release/round/progress.js";
export type { DoneRelease } from "./release/round/round.js";
export { type ProductVerify, type VerifiedProduct, verifyProduct } from "./release/verify.js";
export { type UnsignedBridge, unsignedBridge } from "./rotation/bridge.js";
export { readSteps } from "./rotation/files.js";
export { readFleet } from "./rotation/fleet.js";
export { namedKeys, secretSet } from "./rotation/keys.js";
export { storesOf } from "./rotation/model.js";
export { type BridgeOptions, readTrustMove, type TrustMove } from "./rotation/move.js";
export { type CohortResult, planSteps, type StepResult } from "./rotation/plan/plan.js";
export { LEFT_BEHIND, LOST, type Verdict } from "./rotation/plan/verdict.js";
export { type AuditOptions, auditLogs, type LogAudit } from "./signing/audit.js";
export { type SignedRelease, type SignReleaseOptions, signRelease } from "./signing/sign-release.js";
export { type Collection, type CollectOptions, collectStatuses } from "./status/collect.js";
export { makeNonces, type SentNonce } from "./status/nonces.js";
export { readTrustFile, type TrustOnFile } from "./trust/read.js";
export { isRefusal, refusalHint, refusalMeaning } from "./verify/refusals.js";
export { type VerifiedRelease, type VerifyRelease, verifyRelease } from "./verify/verified.js";
