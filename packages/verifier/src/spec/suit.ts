// The numbers of the SUIT family, one constant per name of the CDDL, in registry order. M37 =
// draft-ietf-suit-manifest-37, TD = draft-ietf-suit-trust-domains-12, FE = draft-ietf-suit-firmware-encryption-26, UM =
// draft-ietf-suit-update-management-15.

// CBOR tags
export const TAG_ENVELOPE = 107;
export const TAG_MANIFEST = 1070;
/** Relative OID (RFC 9090), the other form of a vendor identifier: a CBOR-encoded private enterprise number. */
export const TAG_CBOR_PEN = 112;

// SUIT_Envelope (M37 §8.2); 1 was the delegation chain of trust-domains-06
export const ENV_DELEGATION = 1;
export const ENV_AUTHENTICATION_WRAPPER = 2;
export const ENV_MANIFEST = 3;

// SUIT_Manifest (M37 §8.4); elements from 14 on, except 24, are severable and keep their number in the envelope
export const MAN_VERSION = 1;
export const MAN_SEQUENCE_NUMBER = 2;
export const MAN_COMMON = 3;
export const MAN_REFERENCE_URI = 4;
export const MAN_COMPONENT_ID = 5;
export const MAN_SET_VERSION = 6;
export const MAN_VALIDATE = 7;
export const MAN_LOAD = 8;
export const MAN_INVOKE = 9;
export const MAN_COSWID = 14;
export const MAN_DEPENDENCY_RESOLUTION = 15;
export const MAN_PAYLOAD_FETCH = 16;
/** `install` up to draft -28; 20 since then. No longer valid. */
export const MAN_INSTALL_OLD = 17;
export const MAN_CANDIDATE_VERIFICATION = 18;
export const MAN_INSTALL = 20;
export const MAN_TEXT = 23;
export const MAN_UNINSTALL = 24;
export const MAN_MUD = 25;

// SUIT_Common (M37 §8.4.5)
export const COM_DEPENDENCIES = 1;
export const COM_COMPONENTS = 2;
export const COM_SHARED_SEQUENCE = 4;

// SUIT_Dependency_Metadata (TD)
export const DEP_PREFIX = 1;

// Conditions (M37 §8.4.9, TD, UM)
export const COND_VENDOR_IDENTIFIER = 1;
export const COND_CLASS_IDENTIFIER = 2;
export const COND_IMAGE_MATCH = 3;
export const COND_USE_BEFORE = 4;
export const COND_COMPONENT_SLOT = 5;
export const COND_CHECK_CONTENT = 6;
export const COND_DEPENDENCY_INTEGRITY = 7;
export const COND_IS_DEPENDENCY = 8;
export const COND_ABORT = 14;
export const COND_DEVICE_IDENTIFIER = 24;
export const COND_IMAGE_NOT_MATCH = 25;
export const COND_MINIMUM_BATTERY = 26;
export const COND_UPDATE_AUTHORIZED = 27;
export const COND_VERSION = 28;

// Directives (M37 §8.4.10, TD, UM)
export const DIR_PROCESS_DEPENDENCY = 11;
export const DIR_SET_COMPONENT_INDEX = 12;
export const DIR_TRY_EACH = 15;
export const DIR_WRITE = 18;
export const DIR_SET_PARAMETERS = 19;
export const DIR_OVERRIDE_PARAMETERS = 20;
export const DIR_FETCH = 21;
export const DIR_COPY = 22;
export const DIR_INVOKE = 23;
export const DIR_WAIT = 29;
export const DIR_SWAP = 31;
export const DIR_RUN_SEQUENCE = 32;
export const DIR_UNLINK = 33;
export const DIR_OVERRIDE_MULTIPLE = 34;
export const DIR_COPY_PARAMS = 35;

// Parameters (M37 §8.4.8, FE, UM)
export const PARAM_VENDOR_IDENTIFIER = 1;
export const PARAM_CLASS_IDENTIFIER = 2;
export const PARAM_IMAGE_DIGEST = 3;
export const PARAM_USE_BEFORE = 4;
export const PARAM_COMPONENT_SLOT = 5;
export const PARAM_STRICT_ORDER = 12;
export const PARAM_SOFT_FAILURE = 13;
export const PARAM_IMAGE_SIZE = 14;
export const PARAM_CONTENT = 18;
export const PARAM_ENCRYPTION_INFO = 19;
export const PARAM_URI = 21;
export const PARAM_SOURCE_COMPONENT = 22;
export const PARAM_INVOKE_ARGS = 23;
export const PARAM_DEVICE_IDENTIFIER = 24;
export const PARAM_FETCH_ARGS = 25;
export const PARAM_MINIMUM_BATTERY = 26;
export const PARAM_UPDATE_PRIORITY = 27;
export const PARAM_VERSION = 28;
export const PARAM_WAIT_INFO = 29;
export const PARAM_COMPONENT_METADATA = 30;

// SUIT_Reporting_Bits (M37 §8.4.7)
export const REP_RECORD_ON_SUCCESS = 1;
export const REP_RECORD_ON_FAILURE = 2;
export const REP_SYSINFO_ON_SUCCESS = 4;
export const REP_SYSINFO_ON_FAILURE = 8;

// SUIT_Text (M37 §8.4.4; 7 and 8 from UM)
export const TEXT_MANIFEST_DESCRIPTION = 1;
export const TEXT_UPDATE_DESCRIPTION = 2;
export const TEXT_MANIFEST_JSON_SOURCE = 3;
export const TEXT_MANIFEST_YAML_SOURCE = 4;
export const TEXT_VENDOR_NAME = 1;
export const TEXT_MODEL_NAME = 2;
export const TEXT_VENDOR_DOMAIN = 3;
export const TEXT_MODEL_INFO = 4;
export const TEXT_COMPONENT_DESCRIPTION = 5;
export const TEXT_COMPONENT_VERSION = 6;
export const TEXT_VERSION_REQUIRED = 7;
export const TEXT_CURRENT_VERSION = 8;
