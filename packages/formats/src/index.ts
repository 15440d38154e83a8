// Reads, verifies and signs files in the formats of other boot loaders and tools.

export { espKeyDigest } from "./esp32/block.js";
export type {
  BootFormat,
  BootImage,
  FieldFormat,
  FormatDetail,
  FormatFacts,
  FormatFile,
  FormatSignature,
  KeyMessage,
  SignatureFormat,
  SignatureOptions,
  VerifiedBy,
} from "./format.js";
export { BOOT_FORMATS, FORMATS, formatOf, SIGNATURE_FORMATS } from "./formats.js";
export { ecdsaFromDer, ecdsaToDer } from "./key/der.js";
export { type FormatKey, type FormatKeyKind, formatKey, pkcs1 } from "./key/key.js";
export { type Scheme, type SchemeHash, schemeLength, schemeName, signScheme, verifyScheme } from "./key/scheme.js";
export { buildMcuboot, type ImageOptions, type ImageSlot } from "./mcuboot/build-image.js";
export { type ImageVersion, imageVersion, VERSION_BYTES } from "./named-version.js";
export { FormatRefusal } from "./refusal.js";
export type { FormatRefusalName } from "./refusals/numbers.js";
export type { FormatRefusalRow } from "./refusals/row.js";
export {
  FORMAT_REFUSAL_GROUPS,
  FORMAT_REFUSAL_ROWS,
  type FormatRefusalGroup,
  formatRefusalOf,
  type NumberedFormatRefusal,
} from "./refusals/table.js";
export { type OtaFile, type OtaJob, type OtaUpdate, readOtaJob, writeOtaJob, writeOtaUpdate } from "./signature-files/aws-documents.js";
export { whyNotSigned } from "./signature-files/oracle.js";
export { toolKey, writeToolKey } from "./signature-files/tool-key.js";
