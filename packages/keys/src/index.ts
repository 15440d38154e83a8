// Key custody for Node programs: opens a key by reference, verifies what it signs, and records its uses.

export { CODES, environment, Failure, refusedInput, systemFault, tooMuch, usage } from "./errors/failure.js";
export { KeyFileError } from "./errors/key-file.js";
export { sha256Hex } from "./files/digest.js";
export { DESCRIPTION, isRecord, ownFile } from "./files/own-file.js";
export { outputPlace } from "./files/place.js";
export { isPrivateFile, refuseKeyAsInput } from "./files/private-input.js";
export { inputName, isFile, isFolder, isSameFile, openRegular, readAll, readFirstBytes, readIfThere, STDIO, sizeOf } from "./files/read.js";
export { workerFile } from "./files/worker-file.js";
export { checkFolder, checkNew, checkWritable, holdSignals, makeFolders, signalsFree, writeFolder, writeWhole } from "./files/write.js";
export {
  canEncrypt,
  formatPrivate,
  formatPublic,
  jsLiteral,
  keepsKid,
  type PrivateFormat,
  type PublicFormat,
  privateFormats,
  publicFormats,
} from "./formats/format.js";
export { parseSignature, wrongSignature } from "./formats/signature-file.js";
export { readHssFile } from "./hss/file.js";
export { exhaustedFailure, hssPlaceOf, isNearlyUsed, overtakenFailure } from "./hss/hss.js";
export { hssKeygen, hssParams } from "./hss/keygen.js";
export { type HssPlaceOnDisk, highest } from "./hss/state.js";
export { KEY_LIMITS } from "./limits.js";
export { type Lock, lock } from "./locks/lock.js";
export { listen, notice, type ProgressBar, progress, warn } from "./notices.js";
export { type PassphraseOption, type PassphraseOptions, passphraseOptions } from "./secrets/hand-out.js";
export { passphrase } from "./secrets/passphrase.js";
export { type GuardedFile, readGuarded } from "./secrets/private-file.js";
export { type Conflict, conflictFailure, conflicts, conflictWords } from "./signing-log/compare.js";
export { APPROVE, type Entry, isSigning, looksLikeLog } from "./signing-log/entry.js";
export { joinLogs } from "./signing-log/join.js";
export { LastSeen, type MarkKind, type SeenState } from "./signing-log/last-seen.js";
export { type LateEntry, type LogFault, readLog, readLogIfThere, type SigningLog } from "./signing-log/log-file.js";
export { type Moved, movedTo, moveKey } from "./signing-log/move.js";
export {
  checkSequence,
  isOfTrustFile,
  nextSequence,
  type SequenceOverrides,
  type SignedNumber,
  scopeOfImage,
  scopeOfTrust,
  sharesScope,
  TRUST_FILES,
} from "./signing-log/sequence.js";
export {
  acceptRestored,
  consultLog,
  keyName,
  knownEntries,
  lockLog,
  missingFromLog,
  type Receipt,
  refusePastClock,
  type SigningFacts,
  type SigningLogs,
  signingLogPath,
  withSigningLogs,
} from "./signing-log/signing-log.js";
export { isNumberOf, isVersion, numberVersion, versionNumber } from "./signing-log/version.js";
export { openKeyFile } from "./sources/file.js";
export { partnerOf, warnOfLonePartner } from "./sources/hybrid.js";
export { KEY_SOURCES, refuseUnknownSource, schemeOf } from "./sources/key-sources.js";
export { makePair, tokenAlgs } from "./sources/pkcs11/generate.js";
export { listKeys, type TokenKey } from "./sources/pkcs11/list.js";
export { openModule } from "./sources/pkcs11/module.js";
export { tokenSigner } from "./sources/pkcs11/pkcs11.js";
export { findSlots, noSuchToken, openToken, pinState, type TokenSlot } from "./sources/pkcs11/token.js";
export { formatUri, parseUri, type TokenUri } from "./sources/pkcs11/uri.js";
export { startsProgram } from "./sources/programs.js";
export { provePossession } from "./sources/proof.js";
export {
  anchors,
  asking,
  claimedKeys,
  hideSecrets,
  keyFacts,
  keyWords,
  type OpenKeyOptions,
  openKey,
  publicKeys,
  refuseTestKeys,
  warnOfTestKeys,
  withKey,
  withPublicKeys,
  withSigners,
} from "./sources/reference.js";
export type { Asking, OpenedKey, SigningKey } from "./sources/source.js";
export { boundedMessage, byteWords, grouped, replaceUnsafe, someOf, visible } from "./words.js";
