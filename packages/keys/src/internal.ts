// What the packages of firmseal use of each other, besides the public API in index.ts: it may change in any version.

export { environment, refusedInput, systemFault, tooMuch, usage } from "./errors/failure.js";
export { sha256Hex } from "./files/digest.js";
export { DESCRIPTION, isRecord, looksLikeLog, ownFile } from "./files/own-file.js";
export { outputPlace } from "./files/place.js";
export { publicFileOf } from "./files/public-file.js";
export {
  inputName,
  isFile,
  isFolder,
  isSameFile,
  openRegular,
  readAll,
  readFirstBytes,
  readIfThere,
  refuseMissing,
  STDIO,
  sizeOf,
} from "./files/read.js";
export { workerFile } from "./files/worker-file.js";
export {
  checkFolder,
  checkNew,
  checkReplaced,
  checkWritable,
  holdSignals,
  isFolderLost,
  makeFolders,
  recoverFolder,
  replaceFolder,
  signalsFree,
  writeFolder,
  writeWhole,
} from "./files/write.js";
export { decodeBase64 } from "./formats/base64.js";
export { rawFromDer } from "./formats/der/ecdsa.js";
export { canEncrypt, jsLiteral, keepsKid } from "./formats/format.js";
export { isMinisign } from "./formats/minisign.js";
export { wrongSignature } from "./formats/signature-file.js";
export { WireReader, wire, wireNumber } from "./formats/ssh-wire.js";
export { exhaustedFailure, hssPlaceOf, isNearlyUsed, overtakenFailure } from "./hss/hss.js";
export { type HssPlaceOnDisk, highest } from "./hss/state.js";
export { isLedgerPlace, isMirror, ledgerPlace, logFile } from "./ledger/place.js";
export { notice, type ProgressBar, progress, warn } from "./notices.js";
export { refuseClock } from "./recording/clock.js";
export { movedTo, moveKey } from "./recording/move.js";
export { isEntered, isOwnLog, knownEntries, lockLog, logBeside } from "./recording/places.js";
export { acceptRestored, consultLog, lastTime, logsFor } from "./recording/recording.js";
export { type PassphraseOptions, passphraseOptions } from "./secrets/hand-out.js";
export { passphrase } from "./secrets/passphrase.js";
export { readGuarded } from "./secrets/private-file.js";
export { missingApprover, type NeededApprovers, neededApprovers } from "./signing-log/approvers.js";
export { type BootNumbers, bootVersionNumber, checkBootNumber, decidesBoot } from "./signing-log/boot-number.js";
export { entriesOf, linesAgain, logFaultWords, type ReadLine } from "./signing-log/chain.js";
export { Comparison, type Conflict, conflictFailure, conflicts, conflictWords } from "./signing-log/compare.js";
export { firstKey, readDeciding } from "./signing-log/decided.js";
export { heldBy, missingFromLog } from "./signing-log/end-of-log.js";
export { APPROVE, isSigning, SIGN_BATCH, SIGN_RECORD, WITHDRAW } from "./signing-log/entry.js";
export { isOfBootImage, refuseOtherFamily, scopeOfBootImage, scopeOfSignatureFile } from "./signing-log/family.js";
export { LastSeen, type SeenState } from "./signing-log/last-seen.js";
export { readLogIfThere } from "./signing-log/log-file.js";
export {
  decides,
  isOfTrustFile,
  scopeOfImage,
  scopeOfTrust,
  sharesScope,
  TRUST_FILES,
  type WithdrawnRelease,
  withdrawalsAmong,
  withdrawnFailure,
  withdrawnWords,
} from "./signing-log/sequence.js";
export { fingerprint, NumberSet } from "./signing-log/text-map.js";
export { isNumberOf, isVersion } from "./signing-log/version.js";
export type { Asking } from "./source.js";
export { openKeyFile } from "./sources/file.js";
export { glanceAt, type KeyGlance } from "./sources/glance.js";
export { partnerOf, warnOfLonePartner } from "./sources/hybrid.js";
export { KEY_SOURCES, refuseUnknownSource, schemeOf } from "./sources/key-sources.js";
export { makePair, tokenAlgs } from "./sources/pkcs11/generate.js";
export { openModule } from "./sources/pkcs11/module.js";
export { tokenSigner } from "./sources/pkcs11/pkcs11.js";
export { findSlots, noSuchToken, openToken, pinState, type TokenSlot } from "./sources/pkcs11/token.js";
export { formatUri, parseUri, type TokenUri } from "./sources/pkcs11/uri.js";
export { isPrivateFile, refuseKeyAsInput } from "./sources/private-input.js";
export { startsProgram } from "./sources/programs.js";
export { provePossession } from "./sources/proof.js";
export { asking, claimedKeys, hideSecrets, keyWords, warnOfTestKeys } from "./sources/reference.js";
export { boundedMessage, byteWords, grouped, plural, replaceUnsafe, shellWord, someOf, visible } from "./words.js";
