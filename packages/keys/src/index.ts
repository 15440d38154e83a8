// Key custody for Node programs: opens a key by reference, verifies what it signs, and records its uses.

export { Failure } from "./errors/failure.js";
export { KeyFileError } from "./errors/key-file.js";
export { formatPrivate, formatPublic, type PrivateFormat, type PublicFormat, privateFormats, publicFormats } from "./formats/format.js";
export { parseSignature } from "./formats/signature-file.js";
export { readHssFile } from "./hss/file.js";
export { hssKeygen, hssParams } from "./hss/keygen.js";
export type { LedgerOptions } from "./ledger/ledger.js";
export { initLedger } from "./ledger/open.js";
export { KEY_LIMITS } from "./limits.js";
export { type Lock, lock } from "./locks/lock.js";
export { listen } from "./notices.js";
export type { ClockOverride } from "./recording/clock.js";
export { joinLogs } from "./recording/join.js";
export { keyName, signingLogPath } from "./recording/places.js";
export { type Receipt, type SigningFacts, type SigningLogs, withSigningLogs } from "./recording/recording.js";
export { type RefreshOptions, refreshLog } from "./recording/refresh.js";
export {
  exportLedger,
  type ImportOptions,
  importLog,
  type LedgerCheckpoint,
  type LedgerFacts,
  ledgerFacts,
  type VerifiedLedger,
  type VerifyLedgerOptions,
  verifyLedger,
} from "./recording/shared.js";
export type { PassphraseOption } from "./secrets/hand-out.js";
export type { LateEntry, LogFault, SigningLog } from "./signing-log/chain.js";
export type { Entry } from "./signing-log/entry.js";
export { readLog } from "./signing-log/log-file.js";
export {
  checkSequence,
  type FirstNumber,
  type KeyLog,
  nextSequence,
  type SequenceOverrides,
  type SignedNumber,
} from "./signing-log/sequence.js";
export { numberVersion, versionNumber } from "./signing-log/version.js";
export type { OpenedKey, SigningKey } from "./source.js";
export { listKeys, type TokenKey } from "./sources/pkcs11/list.js";
export {
  type Abortable,
  anchors,
  keyFacts,
  type OpenKeyOptions,
  openKey,
  publicKeys,
  refuseTestKeys,
  withKey,
  withPublicKeys,
  withSigners,
} from "./sources/reference.js";
