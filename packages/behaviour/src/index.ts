// What devices do with a release: found by running the device's code, and put into words, notation and records.

export {
  type Expectation,
  HASH_FUNCTIONS,
  type HashFunction,
  type Interpreter,
  limitedInterpreter,
  MOST_TRIED_COMMANDS,
  type Phase,
} from "./explain/device-rules.js";
export {
  type DeviceKind,
  type DeviceRefusal,
  everyKind,
  kindRefusal,
  loadedPayloadsOf,
  MOST_DEVICE_KINDS,
  payloadsOf,
  slotsToTry,
} from "./explain/device-run.js";
export {
  type Action,
  actionOf,
  type Behaviour,
  type Explained,
  type ExplainOptions,
  explainManifest,
  identifierText,
  isOfIdentity,
  namedRefusal,
} from "./explain/explain.js";
export {
  type ActionWording,
  actionLines,
  actionWords,
  componentWords,
  expectationWords,
  explainedLines,
  refusedWords,
  whoWords,
} from "./explain/explain-words.js";
export { type RefusingDevice, refusingDevices, refusingWords } from "./explain/refusing.js";
export { diagnostic, looseDiagnostic } from "./notation/diagnostic.js";
export { type Draft, elementNow, isMessage, oldDraftOf, openedItem, under, untagged } from "./notation/drafts.js";
export { type ElementAt, elementAt } from "./notation/element-at.js";
export { type LooseItem, looseItem, looseItemIn, MOST_ITEMS_SHOWN, MOST_LEVELS_SHOWN, NotWellFormed } from "./notation/loose-item.js";
export { type LooseElement, type LooseTree, looseLines, looseTree, type RefusedAt } from "./notation/loose-tree.js";
export {
  exactArgument,
  insideBytes,
  itemsPerElement,
  keyAt,
  keyOf,
  PLACE_NAMES,
  type Place,
  POSITION_NAMES,
  valueNames,
  valuePlace,
} from "./notation/places.js";
export { fileOfUri } from "./record/file-of-uri.js";
export { derivedNames, type IdentifierNames } from "./record/names.js";
export {
  type Artifact,
  type MissingSignatures,
  RECORD,
  type RecordedSigner,
  type RecordSignature,
  type ReleaseRecord,
  readRecordText,
  recordContradiction,
  SUMS,
  WITHDRAWN,
} from "./record/record.js";
export { payloadFault, recordFault, signersFault } from "./record/record-check.js";
export { statementOf } from "./record/statement.js";
export { versionIn } from "./record/version.js";
export { escaped, grouped } from "./text.js";
