// Refusals in words. docs/reference/errors.md has the same list at more length; a test holds the two and the table of numbers together.

import { errors } from "@firmseal/verifier";

type Name = keyof typeof errors;

const DAMAGED = "the file is damaged or was not made by a SUIT tool; get it again";
const REBUILD = "make the manifest again with a tool that writes draft-ietf-suit-manifest-37";
const POLICY = "check --key and --need";
const RELIST = "make the trust file again with firmseal trust create";

const WORDS: { [name in Name]: readonly [meaning: string, hint: string] } = {
  CBOR_TRUNCATED: ["the CBOR ends too early", DAMAGED],
  CBOR_NOT_SHORTEST: ["a CBOR number is not in its shortest form", REBUILD],
  CBOR_INDEFINITE: ["a CBOR item has no definite length", REBUILD],
  CBOR_RESERVED: ["a CBOR head uses a reserved value", DAMAGED],
  CBOR_TYPE: ["a CBOR item is of another type than the format wants", DAMAGED],
  CBOR_KEY_ORDER: ["the keys of a CBOR map are out of order", REBUILD],
  CBOR_KEY_DUPLICATE: ["a CBOR map has a key twice", DAMAGED],
  CBOR_UTF8: ["a text is not UTF-8", DAMAGED],
  CBOR_DEPTH: ["the CBOR is nested too deeply", "at most 8 levels are read"],
  CBOR_TRAILING: ["there are bytes behind the end", "remove what was appended to the file"],
  CBOR_SIMPLE: ["a CBOR float or simple value stands where SUIT has none", DAMAGED],
  CBOR_RANGE: ["a number is too large", "sizes and indices end below 2^53"],
  CBOR_KEY_LENGTH: ["a CBOR map has a key of more than 1,100 bytes", DAMAGED],
  CBOR_OCTET: [
    "something other than bytes was given: a value is not an integer from 0 to 255",
    "give the bytes themselves, best as a Uint8Array",
  ],
  ENVELOPE_NONE: ["this is no SUIT envelope", "give a .suit file, made by firmseal sign"],
  ENVELOPE_KEY: ["the envelope has an element that is not known", REBUILD],
  ENVELOPE_NO_WRAPPER: ["the envelope has no authentication wrapper", "sign it: firmseal sign ENVELOPE --key KEY"],
  ENVELOPE_NO_MANIFEST: ["the envelope holds no manifest", DAMAGED],
  DIGEST_ALG: ["a digest names a hash that is not known", "use SHA-256, SHA-384 or SHA-512"],
  DIGEST_LENGTH: ["a digest has the wrong length for its hash", DAMAGED],
  DIGEST_MANIFEST: ["the manifest does not match the signed digest", "the manifest was changed after it was signed; get the file again"],
  DIGEST_SEVERED: ["a severed element does not match its digest", "it belongs to another release, or was changed"],
  SEVERED_UNCOVERED: ["the envelope has an element that the manifest does not vouch for", "it was added after signing; remove it"],
  SEVERED_REDUNDANT: ["an element stands in the manifest and in the envelope", DAMAGED],
  PAYLOAD_UNREFERENCED: ["a payload is given that the manifest does not fetch", "give the payload under the URI that the manifest names"],
  NOT_SUPPORTED: ["it uses a part of SUIT that is not supported yet", "docs/reference/spec-coverage.md lists what is"],
  OLD_DRAFT: ["the manifest is of an old draft (install = 17)", "drafts before -29 are not read; make the manifest again"],
  MANIFEST_VERSION: ["the manifest is of another version", "version 1 is the only one"],
  MANIFEST_KEY: ["the manifest has an element that is not known", REBUILD],
  MANIFEST_INCOMPLETE: ["the manifest lacks a required element", REBUILD],
  COMMON_KEY: ["the common part has an element that is not known", REBUILD],
  COMPONENT_LIST: ["the list of components cannot be used", "one to 16 components of up to 5 parts, none twice"],
  ROLLBACK: [
    "the sequence number is older than what is accepted",
    "give a newer release; each release needs a higher --seq than the one before",
  ],
  SHARED_COMMAND: ["the shared sequence has a command with side effects", "move it to install or another section"],
  COMMAND_UNKNOWN: ["a command is not known", REBUILD],
  COMMAND_ARGUMENT: ["a command has an argument that it cannot take", REBUILD],
  PARAMETER_UNKNOWN: ["a parameter is not known", REBUILD],
  PARAMETER_VALUE: ["a parameter has a value that it cannot take", REBUILD],
  URI_CHARACTER: ["a URI has a character that no URI has", "write it percent-encoded"],
  TEXT_KEY: ["the text has an element that is not known", REBUILD],
  PAYLOAD_COUNT: ["there are more than 16 payloads in the envelope", "keep some of them outside, with a URI"],
  URI_LENGTH: ["a URI has more than 1,024 bytes", "use a shorter one"],
  HEAD_LENGTH: [
    "wrapper, manifest and severed elements do not fit the memory that is set aside for them",
    "at most 65,536 bytes, where the device sets no other limit: sever what can be severed, or let large contents travel as payloads",
  ],
  TRUST_POLICY: ["nobody could ever meet this trust policy, or anybody could", POLICY],
  ANCHOR_KEY: ["a trusted key cannot be used", "give another public key"],
  WRAPPER_EMPTY: ["the envelope is not signed", "sign it: firmseal sign ENVELOPE --key KEY"],
  BLOCK_TAG: ["a signature block is of an unknown kind", DAMAGED],
  HEADER_NO_ALG: ["a signature does not name its algorithm in the protected header", DAMAGED],
  HEADER_ALG_UNKNOWN: ["a signature is of an algorithm that is not known", "sign with Ed25519 or ES256"],
  HEADER_TWICE: ["a header stands in both the protected and the unprotected part", DAMAGED],
  HEADER_CRITICAL: ["a header is marked critical and is not understood", DAMAGED],
  PAYLOAD_ATTACHED: ["a signature block carries its own payload", DAMAGED],
  SIGNATURE_COUNT: [
    "there are more than 8 signatures, or too many bad ones before the first good one",
    "remove the signatures that nobody needs, or give keys and signatures a kid",
  ],
  SIGNATURE_INVALID: [
    "no trusted key made this signature",
    "give the public key of who signed it: --key PUB, or a trust file that has it in the role",
  ],
  SIGNATURE_NO_ANCHOR: [
    "no signature is of a trusted key's algorithm",
    "give the public key of who signed it: --key PUB, or a trust file that has it in the role",
  ],
  SIGNATURE_THRESHOLD: ["fewer trusted keys have signed than are needed", "have the others sign: firmseal sign ENVELOPE --key KEY"],
  HEADER_LENGTH: ["a signature has more headers than are read", DAMAGED],
  SIGNATURE_LENGTH: ["a signature is longer than any that is known", DAMAGED],
  ANCHOR_WINDOW: [
    "those who signed are not trusted for this sequence number",
    "sign with a key that the trust file lists for this sequence number",
  ],
  NOT_A_MANIFEST: ["what is to run was not opened first", DAMAGED],
  INDEX_UNSET: ["a command runs before a component is chosen", "begin each section with set-component-index"],
  INDEX_RANGE: ["a component index is out of range", REBUILD],
  PARAMETER_MISSING: ["a command lacks its parameter", "set it before the command"],
  SOFT_FAILURE_SCOPE: ["soft-failure is set outside of try-each and run-sequence", REBUILD],
  VENDOR_MISMATCH: ["this device is of another vendor", "install the release made for this vendor"],
  CLASS_MISMATCH: ["this device is of another class", "install the release made for this board"],
  DEVICE_MISMATCH: ["this is another device", "install the release made for this device"],
  IMAGE_MISMATCH: ["the image does not match its digest", "the payload was changed or belongs to another release"],
  SLOT_MISMATCH: ["the release is not for this slot", "install the image made for the slot"],
  CONTENT_MISMATCH: ["the component does not hold what is expected", "install the releases in order"],
  ABORTED: ["the manifest itself says to stop", "install the release made for this device"],
  TRY_EACH_EXHAUSTED: ["no alternative of the manifest fits this device", "install the release made for this device"],
  DIRECTIVE_FAILED: ["the device could not carry out a command", "look at the device"],
  STRICT_ORDER: ["commands without strict order depend on each other", REBUILD],
  SEVERED_ABSENT: ["a severed element is needed and not there", "give the unsevered envelope"],
  RUN_OUTCOME: ["the run was continued in a way it cannot be", "start again"],
  RUN_LIMIT: ["the manifest runs too many commands", "at most 4,096 are run"],
  IDENTITY_UNCHECKED: ["the manifest does not check vendor and class before it writes", "sign with --vendor and --class"],
  DIGEST_UNSET: ["a component is written without a digest", "set image-digest before the fetch"],
  PAYLOAD_SIZE: ["the payload has another size than the manifest says", "give the payload that was signed"],
  COMPONENT_UNKNOWN: ["the device has no such component", "install the release made for this device"],
  IMAGE_UNVERIFIED: ["what was written does not read back as it should", "look at the device's storage"],
  PAYLOAD_ABSENT: ["a payload is needed and not there", "give it: --payload FILE"],
  DEVICE_FAULT: ["the device failed", "look at the device"],
  INVOKE_UNVERIFIED: ["an image is to be started whose digest was not checked", "check image-match first"],
  INVOKE_MISPLACED: ["the installation would start an image", "move invoke to the invoke section"],
  STORAGE_FULL: ["the device has no room left", "make room on it, on safe power: docs/guides/espruino.md"],
  UNCONFIRMED: ["the release before is still on trial", "start it, and let its app confirm that it is well"],
  TRUST_NONE: ["this is no trust file", "give a file that firmseal trust create has made"],
  TRUST_VERSION: ["the trust file is of another version", "version 1 is the only one"],
  TRUST_KEY: ["the trust file has an element that is not known", RELIST],
  TRUST_INCOMPLETE: ["the trust file lacks a required element", RELIST],
  TRUST_LIMIT: ["the trust file is too long", "at most 16 anchors, 65,535 bytes, 64 bytes of a name and of a kid"],
  TRUST_ALG: ["the trust file lists a key of an algorithm that makes no signatures", "list public keys: a secret in a trust file is none"],
  TRUST_KEY_TWICE: ["the trust file lists a key twice", "list each key once, with all its roles"],
  TRUST_ROLE: [
    "a key has roles that do not go together, or none",
    "a root or debug key has no other role; others have release, recovery or both",
  ],
  TRUST_ROLE_EMPTY: [
    "the trust file has a threshold for a role that nobody holds, or none for one that is held",
    "give each role a key and a threshold; root is always one",
  ],
  TRUST_THRESHOLD: [
    "a threshold is 0, or above the number of the role's keys",
    "choose a threshold from 1 to the number of keys, and at most 8",
  ],
  TRUST_SCOPE: ["a vendor or class is not 16 bytes long, or a root has one", "give UUIDs, and scope and limits to other keys than roots"],
  TRUST_WINDOW: ["a key is trusted until a lower sequence number than it begins with", "exchange since and until"],
  TRUST_SIGNERS: [
    "fewer roots of the trust file have signed it than it wants",
    "have its own roots sign: firmseal trust sign FILE --key ROOT",
  ],
  TRUST_PREVIOUS: [
    "fewer of the roots that are trusted up to now have signed the trust file than are needed",
    "have the roots of the trust file before sign as well: firmseal trust sign FILE --key ROOT",
  ],
  TRUST_ROLLBACK: ["the trust file is no newer than the one before", "give a newer one; each needs a higher sequence number"],
  TRUST_NAME: ["the trust file is for another line of products", "give the one whose name is that of the file before"],
  TRUST_UNUSABLE: [
    "the trust file gives this device too few keys for the role",
    "check --role, and the vendor, class and algorithm of the role's keys",
  ],
};

const BY_CODE = new Map(Object.entries(errors).map(([name, code]) => [code as number, WORDS[name as Name]]));

/** What a refusal means, in a few words. */
export function meaningOf(code: number): string {
  return BY_CODE.get(code)?.[0] ?? `number ${code}`;
}

/** What to do about it. */
export function hintOf(code: number): string {
  return BY_CODE.get(code)?.[1] ?? "see docs/reference/errors.md";
}
