// Every refusal has one number, for good: numbers are never reused. docs/reference/errors.md tells each in words; test-vectors/ holds one
// negative vector for each, and a test holds the three lists together.

// 1..19  the bytes: strict deterministic CBOR (RFC 8949 §4.2.1)
export const CBOR_TRUNCATED = 1;
export const CBOR_NOT_SHORTEST = 2;
export const CBOR_INDEFINITE = 3;
export const CBOR_RESERVED = 4;
export const CBOR_TYPE = 5;
export const CBOR_KEY_ORDER = 6;
export const CBOR_KEY_DUPLICATE = 7;
export const CBOR_UTF8 = 8;
export const CBOR_DEPTH = 9;
export const CBOR_TRAILING = 10;
export const CBOR_SIMPLE = 11;
export const CBOR_RANGE = 12;
export const CBOR_KEY_LENGTH = 13;
export const CBOR_OCTET = 14;

// 20..49  the envelope and the manifest
export const ENVELOPE_NONE = 20;
export const ENVELOPE_KEY = 21;
export const ENVELOPE_NO_WRAPPER = 22;
export const ENVELOPE_NO_MANIFEST = 23;
export const DIGEST_ALG = 24;
export const DIGEST_LENGTH = 25;
export const DIGEST_MANIFEST = 26;
export const DIGEST_SEVERED = 27;
export const SEVERED_UNCOVERED = 28;
export const SEVERED_REDUNDANT = 29;
export const PAYLOAD_UNREFERENCED = 30;
export const NOT_SUPPORTED = 31;
export const OLD_DRAFT = 32;
export const MANIFEST_VERSION = 33;
export const MANIFEST_KEY = 34;
export const MANIFEST_INCOMPLETE = 35;
export const COMMON_KEY = 36;
export const COMPONENT_LIST = 37;
export const ROLLBACK = 38;
export const SHARED_COMMAND = 39;
export const COMMAND_UNKNOWN = 40;
export const COMMAND_ARGUMENT = 41;
export const PARAMETER_UNKNOWN = 42;
export const PARAMETER_VALUE = 43;
export const URI_CHARACTER = 44;
export const TEXT_KEY = 45;
export const PAYLOAD_COUNT = 46;
export const URI_LENGTH = 47;
export const HEAD_LENGTH = 48;

// 50..69  who signed
export const TRUST_POLICY = 50;
export const ANCHOR_KEY = 51;
export const WRAPPER_EMPTY = 52;
export const BLOCK_TAG = 53;
export const HEADER_NO_ALG = 54;
export const HEADER_ALG_UNKNOWN = 55;
export const HEADER_TWICE = 56;
export const HEADER_CRITICAL = 57;
export const PAYLOAD_ATTACHED = 58;
export const SIGNATURE_COUNT = 59;
export const SIGNATURE_INVALID = 60;
export const SIGNATURE_NO_ANCHOR = 61;
export const SIGNATURE_THRESHOLD = 62;
export const HEADER_LENGTH = 63;
export const SIGNATURE_LENGTH = 64;
export const ANCHOR_WINDOW = 65;

// 70..89  running a sequence (M37 §6)
export const NOT_A_MANIFEST = 70;
export const INDEX_UNSET = 71;
export const INDEX_RANGE = 72;
export const PARAMETER_MISSING = 73;
export const SOFT_FAILURE_SCOPE = 74;
export const VENDOR_MISMATCH = 75;
export const CLASS_MISMATCH = 76;
export const DEVICE_MISMATCH = 77;
export const IMAGE_MISMATCH = 78;
export const SLOT_MISMATCH = 79;
export const CONTENT_MISMATCH = 80;
export const ABORTED = 81;
export const TRY_EACH_EXHAUSTED = 82;
export const DIRECTIVE_FAILED = 83;
export const STRICT_ORDER = 84;
export const SEVERED_ABSENT = 85;
export const RUN_OUTCOME = 86;
export const RUN_LIMIT = 87;

// 90..109  installing
export const IDENTITY_UNCHECKED = 90;
export const DIGEST_UNSET = 91;
export const PAYLOAD_SIZE = 92;
export const COMPONENT_UNKNOWN = 93;
export const IMAGE_UNVERIFIED = 94;
export const PAYLOAD_ABSENT = 95;
export const DEVICE_FAULT = 96;
export const INVOKE_UNVERIFIED = 97;
export const INVOKE_MISPLACED = 98;
export const STORAGE_FULL = 99;
export const UNCONFIRMED = 100;

// 110..129  trust files
export const TRUST_NONE = 110;
export const TRUST_VERSION = 111;
export const TRUST_KEY = 112;
export const TRUST_INCOMPLETE = 113;
export const TRUST_LIMIT = 114;
export const TRUST_ALG = 115;
export const TRUST_KEY_TWICE = 116;
export const TRUST_ROLE = 117;
export const TRUST_ROLE_EMPTY = 118;
export const TRUST_THRESHOLD = 119;
export const TRUST_SCOPE = 120;
export const TRUST_WINDOW = 121;
export const TRUST_SIGNERS = 122;
export const TRUST_PREVIOUS = 123;
export const TRUST_ROLLBACK = 124;
export const TRUST_NAME = 125;
export const TRUST_UNUSABLE = 126;
