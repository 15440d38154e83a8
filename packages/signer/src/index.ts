export {
  algWords,
  coseAlg,
  coseAlgs,
  DEFAULT_ALG,
  deviceAlgs,
  deviceKeyAlgs,
  hasTables,
  inWords,
  isDeviceAlg,
  isStateful,
  jwkFormOf,
  type KeyAlg,
  keyAlgOf,
  keyAlgOfLength,
  keyAlgs,
  loadAlg,
  secretLength,
  signatureLength,
  sshType,
} from "./alg/algorithms.js";
export { NotLoaded } from "./alg/mldsa.js";
export { type Approvable, ApprovalError, type ApprovalFault, approvalMessage, approve, checkApproval, isSamePerson } from "./approval.js";
export { decodeUtf8, secretBytes, secretCopy } from "./bytes.js";
export { type BoardComponent, type BoardRelease, boardRelease, type PlacedImage } from "./description/board-release.js";
export { conform, DescriptionError } from "./description/conform.js";
export { draftOf, encode } from "./description/encode.js";
export { LANGUAGE_TAG } from "./description/language.js";
export {
  type BytesValue,
  type Command,
  type Description,
  isDescription,
  type Parameters,
  SCHEMA,
  validate,
} from "./description/manifest.js";
export { type Bridge, type BridgeImage, bridge, type SingleImage, singleImage, TRUST_COMPONENT_NAME } from "./description/recipes.js";
export { type FileDigest, type Files, resolve } from "./description/resolve.js";
export type { Violation } from "./description/schema.js";
export { suggestion } from "./description/suggestion.js";
export { type ImportedDescription, importSuitTool } from "./description/suit-tool.js";
export { classUuid, formatUuid, identityUuids, isUuid, parseUuid, vendorUuid } from "./description/uuid.js";
export { EnvelopeDraft } from "./envelope/draft.js";
export { reattach, sever, splitEnvelope } from "./envelope/envelope.js";
export { attachSignature, envelopeToBeSigned, signEnvelopeWithoutLog } from "./envelope/sign.js";
export { type HssLevel, type HssParams, hssCapacity, hssSignatureLength, leafCost } from "./hss/params.js";
export { type HssPlace, hssPlaces, hssPublicKey, hssSign, hssTop, hssTrees } from "./hss/stack.js";
export { formatHss, parseHss } from "./hss/text.js";
export { cachedCount, cachedHeight, cachedNodes, type LmsTree, lmsPublicKey, rootOf } from "./hss/tree.js";
export { fromCose, isSecretCose, toCose, toPrivateCose } from "./key/cose-key.js";
export { fromJwk, type Jwk, toJwk, toPrivateJwk } from "./key/jwk.js";
export {
  expandedKey,
  isPrivate,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicKey,
  publicOf,
  thumbprint,
  twinsOf,
  withKid,
} from "./key/key.js";
export { fromRaw } from "./key/parts.js";
export { type PreparedKey, prepareKey, TABLE_SIZES, type TableSize, tableNumbers } from "./key/prepare.js";
export { anchorOf, foreignSigner, type Signer, signer, wipePrivateKey, withCoseAlg } from "./key/signer.js";
export { fromMinisign, fromSsh, fromSshLine, isMinisignPublic, isSshLine, sshAlg } from "./key/ssh.js";
export { KeyError, type KeyFault, unlessThrown } from "./key-error.js";
export { readRecordSignature, recordMessage, recordSignature } from "./record.js";
export { AlreadySigned, type KnownSignature, type Signable, type SignedWith, signedWith, signedWithoutLog } from "./signable.js";
export { type TestKey, testKeyForms, testKeyName, testKeyPublic, testKeys } from "./test-keys/test-keys.js";
export {
  describeTrust,
  type FamilyEntry,
  keyOfAnchor,
  ROLES,
  type RoleName,
  roleNames,
  type TrustDescription,
  type TrustEntry,
  trustName,
} from "./trust/description.js";
export {
  attachTrust,
  NotRoot,
  type PrecedingTrust,
  signTrustWithoutLog,
  TrustDraft,
  trustSigners,
  trustToBeSigned,
} from "./trust/draft.js";
export { acceptTrust, decodeTrust, encodeTrust, type TrustFile } from "./trust/encoding.js";
export { DifferentContent, type DropReason, type MergedSignature, type MergedTrust, mergeTrust } from "./trust/merge.js";
