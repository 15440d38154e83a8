// GENERATED from ../tools/refusal-table.ts. DO NOT EDIT: change the table there, then run `pnpm refusals`.
//
// The numbers of the refusals. A number is never reused. A bundle has only the numbers that it can throw, and no text.

// 1..19, then 301..319  the bytes: strict deterministic CBOR (RFC 8949 §4.2.1)
/** The CBOR ends before the item does, or a length exceeds the bytes that are left. */
export const CBOR_TRUNCATED = 1;
/** A CBOR number or length is not in its shortest form. */
export const CBOR_NOT_SHORTEST = 2;
/** A CBOR item has an indefinite length. */
export const CBOR_INDEFINITE = 3;
/** A CBOR head uses one of the reserved values 28 to 30. */
export const CBOR_RESERVED = 4;
/** A CBOR item has the wrong type, or an array has the wrong length. */
export const CBOR_TYPE = 5;
/** The keys of a CBOR map are not in bytewise order. */
export const CBOR_KEY_ORDER = 6;
/** A CBOR map has a duplicate key. */
export const CBOR_KEY_DUPLICATE = 7;
/** A text is not valid UTF-8. */
export const CBOR_UTF8 = 8;
/** Arrays, maps or command sequences are nested more than 8 levels deep. */
export const CBOR_DEPTH = 9;
/** There are bytes after the end of the item. */
export const CBOR_TRAILING = 10;
/** The CBOR has a float, undefined, or another simple value that SUIT does not use. */
export const CBOR_SIMPLE = 11;
/** A number is 2^53 or more where the verifier needs it exact in a double. */
export const CBOR_RANGE = 12;
/** A CBOR map has a key of more than 1,100 bytes. */
export const CBOR_KEY_LENGTH = 13;
/** The input is not bytes: a value is not an integer from 0 to 255. */
export const CBOR_OCTET = 14;

// 20..49, then 320..349  the envelope and the manifest
/** This is not a SUIT envelope. */
export const ENVELOPE_NONE = 20;
/** The envelope has an unknown element, which no digest in a manifest can cover. */
export const ENVELOPE_KEY = 21;
/** The envelope has no authentication wrapper. */
export const ENVELOPE_NO_WRAPPER = 22;
/** The envelope has no manifest. */
export const ENVELOPE_NO_MANIFEST = 23;
/** A digest names an unknown hash algorithm. */
export const DIGEST_ALG = 24;
/** A digest has the wrong length for its hash algorithm. */
export const DIGEST_LENGTH = 25;
/** The manifest does not match the signed digest. */
export const DIGEST_MANIFEST = 26;
/** A severed element does not match its digest in the manifest. */
export const DIGEST_SEVERED = 27;
/** The envelope has an element without a digest in the manifest, so nobody signed it. */
export const SEVERED_UNCOVERED = 28;
/** An element is both in the manifest and in the envelope. */
export const SEVERED_REDUNDANT = 29;
/** The envelope has a payload that no signed command fetches. */
export const PAYLOAD_UNREFERENCED = 30;
/** The manifest uses a part of SUIT that this build does not support. */
export const NOT_SUPPORTED = 31;
/** The manifest follows a draft before -29: install is element 17. */
export const OLD_DRAFT = 32;
/** The manifest version is not 1. */
export const MANIFEST_VERSION = 33;
/** The manifest has an unknown element. */
export const MANIFEST_KEY = 34;
/** The manifest lacks its version, its sequence number, the common part or a component. */
export const MANIFEST_INCOMPLETE = 35;
/** The common part has an unknown element. */
export const COMMON_KEY = 36;
/** The list of components is empty, has a component twice, or exceeds a limit. */
export const COMPONENT_LIST = 37;
/** The sequence number is lower than the lowest that is accepted. */
export const ROLLBACK = 38;
/** The shared sequence has a command with side effects. */
export const SHARED_COMMAND = 39;
/** The manifest has an unknown command. */
export const COMMAND_UNKNOWN = 40;
/** A command sequence or the argument of a command is not valid. */
export const COMMAND_ARGUMENT = 41;
/** The manifest has an unknown parameter. */
export const PARAMETER_UNKNOWN = 42;
/** A parameter has a value that is not valid for it. */
export const PARAMETER_VALUE = 43;
/** A URI has a character that is not printable ASCII. */
export const URI_CHARACTER = 44;
/** The text is about an unknown component. */
export const TEXT_KEY = 45;
/** The envelope has more than 16 integrated payloads. */
export const PAYLOAD_COUNT = 46;
/** A URI has more than 1,024 bytes. */
export const URI_LENGTH = 47;
/** Wrapper, manifest and severed elements exceed the memory that is set aside for them (65,536 bytes by default). */
export const HEAD_LENGTH = 48;

// 50..69, then 350..369  signatures
/** The trust policy is invalid: its keys, its threshold, or its floor. */
export const TRUST_POLICY = 50;
/** A trusted key is not usable: wrong length, not a point of the curve, small order, or a table without its digest. */
export const ANCHOR_KEY = 51;
/** The envelope is not signed. */
export const WRAPPER_EMPTY = 52;
/** A signature block is not a tagged COSE_Sign1, COSE_Sign or COSE_Mac0. */
export const BLOCK_TAG = 53;
/** A signature does not name its algorithm in the protected header. */
export const HEADER_NO_ALG = 54;
/** A signature names an algorithm that is unknown or of another kind. */
export const HEADER_ALG_UNKNOWN = 55;
/** A header is both in the protected and in the unprotected part. */
export const HEADER_TWICE = 56;
/** A critical header is not understood, or the list of critical headers is empty or unprotected. */
export const HEADER_CRITICAL = 57;
/** A signature block carries its own payload. */
export const PAYLOAD_ATTACHED = 58;
/** There are more than 8 signatures, or too many bad ones before the first good one. */
export const SIGNATURE_COUNT = 59;
/** No trusted key made this signature. */
export const SIGNATURE_INVALID = 60;
/** No signature has the algorithm and key identifier of a trusted key. */
export const SIGNATURE_NO_ANCHOR = 61;
/** Fewer trusted keys have signed than the threshold requires. */
export const SIGNATURE_THRESHOLD = 62;
/** A signature has more than 512 bytes of protected headers, 16 labels, or 64 bytes of key identifier. */
export const HEADER_LENGTH = 63;
/** A signature has more than 16,384 bytes. */
export const SIGNATURE_LENGTH = 64;
/** The signers are not trusted for this sequence number. */
export const ANCHOR_WINDOW = 65;
/** Too few keys of a family of algorithms have signed. */
export const SIGNATURE_FAMILY = 66;

// 70..89, then 370..389  running a sequence (M37 §6)
/** The manifest to run did not come from open(), so nobody verified it. */
export const NOT_A_MANIFEST = 70;
/** A command runs before a component is chosen. */
export const INDEX_UNSET = 71;
/** A component index is out of range. */
export const INDEX_RANGE = 72;
/** A command needs a parameter that is not set for its component. */
export const PARAMETER_MISSING = 73;
/** Soft-failure is set outside of try-each and run-sequence. */
export const SOFT_FAILURE_SCOPE = 74;
/** The release is for another vendor. */
export const VENDOR_MISMATCH = 75;
/** The release is for another device class. */
export const CLASS_MISMATCH = 76;
/** The release is for another device. */
export const DEVICE_MISMATCH = 77;
/** An image does not match its signed digest. */
export const IMAGE_MISMATCH = 78;
/** The release is for another slot. */
export const SLOT_MISMATCH = 79;
/** A component does not hold the content that the manifest expects. */
export const CONTENT_MISMATCH = 80;
/** The manifest says to stop. */
export const ABORTED = 81;
/** No alternative of the manifest fits this device. */
export const TRY_EACH_EXHAUSTED = 82;
/** The device failed to carry out a command. */
export const DIRECTIVE_FAILED = 83;
/** Without strict order, a component is both read and written. */
export const STRICT_ORDER = 84;
/** A severed element is needed and is not in the envelope. */
export const SEVERED_ABSENT = 85;
/** The caller gave step() or next() an outcome that is not due, omitted one that is due, or continued after a refusal. */
export const RUN_OUTCOME = 86;
/** The manifest runs more than 4,096 commands. */
export const RUN_LIMIT = 87;

// 90..109, then 390..409  installing and starting
/** The manifest does not check vendor and class before it changes or starts a component, or has no section that does. */
export const IDENTITY_UNCHECKED = 90;
/** The manifest writes a component without an image digest. */
export const DIGEST_UNSET = 91;
/** A payload does not have the size in the manifest, or is larger than the component. */
export const PAYLOAD_SIZE = 92;
/** The device has no component with this identifier. */
export const COMPONENT_UNKNOWN = 93;
/** The image in storage is not the one that was verified. */
export const IMAGE_UNVERIFIED = 94;
/** A payload is missing, or the source of a copy or swap is empty. */
export const PAYLOAD_ABSENT = 95;
/** The device threw an error (its cause), or did not do what it must. */
export const DEVICE_FAULT = 96;
/** The manifest starts an image without an image-match in this start. */
export const INVOKE_UNVERIFIED = 97;
/** The installation would start an image. */
export const INVOKE_MISPLACED = 98;
/** The device has no room for the release, or only after it moves other data. */
export const STORAGE_FULL = 99;
/** The current release is still on trial, and another would replace the one to go back to. */
export const UNCONFIRMED = 100;
/** The device has already had this sequence number with another manifest. */
export const SEQUENCE_TAKEN = 101;
/** The sequence number is farther above the device's than its trust file allows. */
export const SEQUENCE_JUMP = 102;

// 110..129, then 410..429  trust files
/** This is not a trust file. */
export const TRUST_NONE = 110;
/** The version of the trust file is not 1. */
export const TRUST_VERSION = 111;
/** The trust file has an unknown element. */
export const TRUST_KEY = 112;
/** The trust file or one of its keys lacks a required element. */
export const TRUST_INCOMPLETE = 113;
/** The trust file exceeds a limit. */
export const TRUST_LIMIT = 114;
/** The trust file lists a key of an algorithm that makes no signatures. */
export const TRUST_ALG = 115;
/** The trust file lists a key twice. */
export const TRUST_KEY_TWICE = 116;
/** The roles of a key are unknown, out of order, missing, or cannot be combined. */
export const TRUST_ROLE = 117;
/** A role has a threshold and no key, or keys and no threshold, or there is no root. */
export const TRUST_ROLE_EMPTY = 118;
/** A threshold is 0, or above the number of keys of its role, or above 8. */
export const TRUST_THRESHOLD = 119;
/** A vendor or class does not have 16 bytes, or a root has a scope or limits, which would have no effect. */
export const TRUST_SCOPE = 120;
/** A key is trusted until a sequence number below its since, so it never counts. */
export const TRUST_WINDOW = 121;
/** Fewer roots of the trust file have signed it than its own threshold requires. */
export const TRUST_SIGNERS = 122;
/** Fewer roots of the previous trust file have signed this one than its threshold requires. */
export const TRUST_PREVIOUS = 123;
/** The trust file is not newer than the previous one. */
export const TRUST_ROLLBACK = 124;
/** The trust file is for another product line: its name differs from that of the previous file. */
export const TRUST_NAME = 125;
/** The trust file gives this device too few keys for the role. */
export const TRUST_UNUSABLE = 126;
/** The trust files of a chain do not follow each other by one. */
export const TRUST_CHAIN = 127;
/** The epoch of the trust file is lower than that of the previous one. */
export const TRUST_EPOCH = 128;

// 130..139, then 430..439  the template of micro verifiers
/** The release is not the template firmseal-single-1, which is all that a micro verifier accepts. */
export const TEMPLATE_MISMATCH = 130;

// 150..159, then 450..459  status messages
/** Not a status message: neither a COSE_Mac0 nor a COSE_Sign1. */
export const STATUS_NONE = 150;
/** The version of the status format is unknown. */
export const STATUS_VERSION_UNKNOWN = 151;
/** A claim of the status is unknown, missing, or out of its range. */
export const STATUS_CLAIM = 152;
/** The nonce does not have 8 to 64 bytes, or the status answers another nonce. */
export const STATUS_NONCE = 153;
/** The status is too long, or one of its texts is. */
export const STATUS_LIMIT = 154;
