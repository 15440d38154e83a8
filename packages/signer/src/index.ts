export { hssFromSpki, hssToSpki } from "./alg/hsslms.js";
export { toHex } from "./bytes.js";
export { encode } from "./encode.js";
export { readEnvelope, reattach, sever } from "./envelope.js";
export { type HssPlace, hssPlaces, hssPublicKey, hssSign, hssTop, hssTrees } from "./hss.js";
export { type HssLevel, type HssParams, hssCapacity, hssSignatureLength, leafCost } from "./hss-params.js";
export { formatHss, parseHss } from "./hss-text.js";
export { floorHeight, floorNodes, floorSize, type LmsTree, lmsPublicKey, rootOf } from "./hss-tree.js";
export {
  anchorOf,
  coseAlg,
  expandedKey,
  foreignSigner,
  isPrivate,
  type KeyAlg,
  KeyError,
  type KeyErrorCode,
  keyAlgOf,
  keyAlgs,
  loadAlg,
  NotLoaded,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicKey,
  publicOf,
  type Signer,
  signatureLength,
  signer,
  thumbprint,
  withKid,
} from "./key.js";
export { fromCose, fromJwk, fromRaw, type Jwk, toCose, toJwk, toPrivateCose, toPrivateJwk } from "./key-format.js";
export {
  type BytesValue,
  type Command,
  type Description,
  DescriptionError,
  isDescription,
  type Parameters,
  SCHEMA,
  validate,
} from "./manifest.js";
export { type PreparedKey, prepare, TABLE_SIZES, type TableSize, tableNumbers } from "./prepare.js";
export { type Bridge, type BridgeImage, bridge, type SingleImage, singleImage } from "./recipes.js";
export { type Digested, type Files, resolve } from "./resolve.js";
export { AlreadySigned, attach, sign, tbs } from "./sign.js";
export { type Imported, importSuitTool } from "./suit-tool.js";
export { type TestKey, testKeyForms, testKeyName, testKeyPublic, testKeys } from "./test-keys.js";
export {
  acceptTrust,
  attachTrust,
  describeTrust,
  encodeTrust,
  keyOfAnchor,
  NotRoot,
  ROLES,
  type RoleName,
  readTrust,
  roleNames,
  signTrust,
  type TrustDescription,
  type TrustEntry,
  type TrustFile,
  trustSigners,
  trustToBeSigned,
} from "./trust.js";
export { classUuid, formatUuid, identityUuids, isUuid, parseUuid, vendorUuid } from "./uuid.js";
