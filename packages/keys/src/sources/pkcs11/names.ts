// The numbers of PKCS#11 (OASIS, versions 2.40 and 3.1) that are used here, and its errors in words. The numbers of an
// algorithm are in its row in algorithms.ts, because pkcs11js lacks those for Edwards curves.

import { algWords, inWords } from "@firmseal/signer";
import { algsWith, CUSTODY, wordsFor } from "../../algorithms.js";

export const CKF_RW_SESSION = 0x2;
export const CKF_SERIAL_SESSION = 0x4;

// of a token (CK_TOKEN_INFO)
export const CKF_LOGIN_REQUIRED = 0x4;
export const CKF_USER_PIN_INITIALIZED = 0x8;
export const CKF_PROTECTED_AUTHENTICATION_PATH = 0x100;
export const CKF_TOKEN_INITIALIZED = 0x400;
export const CKF_USER_PIN_COUNT_LOW = 0x10000;
export const CKF_USER_PIN_FINAL_TRY = 0x20000;
export const CKF_USER_PIN_LOCKED = 0x40000;

export const CKU_USER = 1;
export const CKU_CONTEXT_SPECIFIC = 2;

export const CKS_RO_USER_FUNCTIONS = 1;
export const CKS_RW_USER_FUNCTIONS = 3;

export const CKO_CERTIFICATE = 1;
export const CKO_PUBLIC_KEY = 2;
export const CKO_PRIVATE_KEY = 3;

export const CKA_CLASS = 0x0;
export const CKA_TOKEN = 0x1;
export const CKA_PRIVATE = 0x2;
export const CKA_LABEL = 0x3;
export const CKA_VALUE = 0x11;
export const CKA_KEY_TYPE = 0x100;
export const CKA_ID = 0x102;
export const CKA_SENSITIVE = 0x103;
export const CKA_DECRYPT = 0x105;
export const CKA_UNWRAP = 0x107;
export const CKA_SIGN = 0x108;
export const CKA_VERIFY = 0x10a;
export const CKA_DERIVE = 0x10c;
export const CKA_PUBLIC_KEY_INFO = 0x129;
export const CKA_EXTRACTABLE = 0x162;
export const CKA_EC_PARAMS = 0x180;
export const CKA_EC_POINT = 0x181;
export const CKA_ALWAYS_AUTHENTICATE = 0x202;

export const CKR_ATTRIBUTE_VALUE_INVALID = 0x13;
export const CKR_PIN_INCORRECT = 0xa0;
export const CKR_DOMAIN_PARAMS_INVALID = 0x130;
export const CKR_CURVE_NOT_SUPPORTED = 0x140;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;
export const CKR_USER_NOT_LOGGED_IN = 0x101;
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;

const AGAIN = "remove the token and insert it again, or restart its service";
const OTHER_TOKEN = "use another token, or a key file";
const TEMPLATE = "the token has its own rules for keys: make the key with its own tool, then name it here";
const REMOVED: readonly [string, string] = ["the token was removed", "insert it and run the command again"];
const SESSION_GONE: readonly [string, string] = ["the token has ended the session", "run the command again"];
const LOGIN: readonly [string, string] = [
  "the token needs a PIN first",
  "give it: `passphraseEnv` NAME, `passphraseFd` N, or at the prompt",
];
const FAILED: readonly [string, string] = ["the token reports a fault", AGAIN];
const NEWER = algsWith("pkcs11").filter((alg) => CUSTODY[alg].pkcs11?.since !== undefined);
const EVERYWHERE = algsWith("pkcs11").filter((alg) => !NEWER.includes(alg));
const NO_MECHANISM: readonly [string, string] = [
  `the token does not support the needed mechanism; ${NEWER.map((alg) => `${algWords([alg])} needs PKCS#11 ${CUSTODY[alg].pkcs11?.since}`).join(", ")}`,
  `use a ${algWords(EVERYWHERE)} key (${EVERYWHERE.map((alg) => `\`alg\` ${alg}`).join(", ")}), or another token`,
];
const CURVE: readonly [string, string] = [
  "the token does not support the curve",
  `try another one: ${inWords(algsWith("pkcs11").map((alg) => `\`alg\` ${alg}`))}`,
];

/** Error codes (CKR_…) in words: what is wrong, and one hint. */
export const CKR: { readonly [code: number]: readonly [message: string, hint: string] } = {
  2: ["there is not enough memory for the token's module", "end other programs"],
  3: ["the slot is gone", "insert the token again, and leave slot-id out of the URI: it changes"],
  5: FAILED,
  6: FAILED,
  7: ["the module does not understand the call", "the module may be too old: install its newest version"],
  18: ["the token does not support a needed attribute", TEMPLATE],
  [CKR_ATTRIBUTE_VALUE_INVALID]: ["the token does not accept the value of an attribute", TEMPLATE],
  48: FAILED,
  49: ["the token is full", "remove a key that is no longer needed with the token's own tool"],
  50: REMOVED,
  80: ["the token stopped: it was not touched in time, or refused", "run the command again and touch the token when it blinks"],
  84: ["the module does not support a needed function", OTHER_TOKEN],
  96: ["the key is gone from the token", "see firmseal token list"],
  98: ["the token does not support the size of this key", OTHER_TOKEN],
  99: ["the token needs another kind of key here", `give a key for ${wordsFor("pkcs11")}`],
  104: ["the key is not allowed to sign (CKA_SIGN)", "make a key for signing: firmseal token keygen"],
  112: NO_MECHANISM,
  113: NO_MECHANISM,
  [CKR_PIN_INCORRECT]: ["wrong PIN", "try again with the user PIN, not that of the security officer"],
  161: ["the PIN has characters that the token does not accept", "give the user PIN of this token"],
  162: ["the PIN is too short or too long for the token", "give the user PIN of this token"],
  163: ["the PIN has expired", "set a new one with the token's own tool"],
  164: ["the PIN is locked after too many wrong tries", "unlock it with the token's own tool and the PIN of the security officer (PUK)"],
  176: SESSION_GONE,
  177: ["the token has no session left", "end other programs that use it, or wait until they are done"],
  179: SESSION_GONE,
  181: ["the token is read-only", "it is write-protected: use another one"],
  208: ["the token needs more attributes for a new key", TEMPLATE],
  209: ["the token cannot make a key of this kind", TEMPLATE],
  224: REMOVED,
  225: ["the module does not support this token", "name the module that came with it: module-path, or FIRMSEAL_PKCS11_MODULE"],
  226: ["the token is read-only", "it is write-protected: use another one"],
  [CKR_USER_NOT_LOGGED_IN]: LOGIN,
  258: [
    "no user PIN is set on the token",
    "set one with the token's own tool, for example softhsm2-util --init-token or pkcs11-tool --init-pin",
  ],
  260: ["another user is logged in", "end other programs that use the token"],
  [CKR_DOMAIN_PARAMS_INVALID]: CURVE,
  [CKR_CURVE_NOT_SUPPORTED]: CURVE,
  400: ["the module is not ready", AGAIN],
};

/** An error code that is not in the list. */
export const CKR_OTHER: readonly [message: string, hint: string] = ["the token refuses", AGAIN];
