// The only table of refusals: number, name, meaning, advice, and the rule behind it. To add a refusal, add a row here
// and run `pnpm refusals`, which writes spec/errors.generated.ts and the tables of errors.md. Not in device bundles.

import { markAt, type Refusal, refuse as refuseThere } from "../base/refuse.js";

/** A refusal. Both texts begin in lower case and have no full stop, so that a tool can put them into one line. */
export interface RefusalRow {
  readonly number: number;
  readonly name: string;
  readonly meaning: string;
  readonly advice: string;
  /**
   * A section of a specification, "ours" for a rule of this project, or a page of the documentation: "trust.md#roles".
   */
  readonly source: string;
}

/** A range of numbers, both ends included. */
export interface RefusalRange {
  readonly from: number;
  readonly to: number;
}

/** Ranges of numbers. Numbers are never reused: the number of a removed refusal stays unused. */
export interface RefusalGroup extends RefusalRange {
  readonly what: string;
  /**
   * The folder of test-vectors/vectors with its vectors; null if it has none, because no device throws its refusals.
   */
  readonly vectors: string | null;
  /** Where numbers continue when the range is full, so that a new refusal never has to wait for a number. */
  readonly overflow: RefusalRange;
}

/** A group whose overflow range is its range + 300: 200 to 299 are those of the command line. */
function group(from: number, to: number, what: string, vectors: string | null): RefusalGroup {
  return { from: from, to: to, what: what, vectors: vectors, overflow: { from: from + 300, to: to + 300 } };
}

/** The ranges of the numbers of refusals, and what each is about. */
export var REFUSAL_GROUPS: readonly RefusalGroup[] = [
  group(1, 19, "the bytes: strict deterministic CBOR (RFC 8949 §4.2.1)", "cbor"),
  group(20, 49, "the envelope and the manifest", "envelope"),
  group(50, 69, "signatures", "signature"),
  group(70, 89, "running a sequence (M37 §6)", "interpreter"),
  group(90, 109, "installing and starting", "install"),
  group(110, 129, "trust files", "trust-file"),
  group(130, 139, "the template of micro verifiers", null),
  group(150, 159, "status messages", null),
];

/**
 * Finds the group of a number, in its range or its overflow range.
 *
 * @param number - The number of a refusal.
 * @returns The group, or undefined if no group has it.
 */
export function refusalGroup(number: number): RefusalGroup | undefined {
  return REFUSAL_GROUPS.filter((g) => (number >= g.from && number <= g.to) || (number >= g.overflow.from && number <= g.overflow.to))[0];
}

var GET_AGAIN = "get the file again: it is damaged, or no SUIT tool made it",
  MAKE_AGAIN = "make the manifest again with a tool that follows draft-ietf-suit-manifest-37",
  NEW_SIGNATURE = "get the release with a signature as firmseal sign makes it",
  MAKE_TRUST_AGAIN = "make the trust file again with firmseal trust create",
  GET_SIGNED = "get the signed release: anybody could have made this one",
  FOR_DEVICE = "install the release for this device",
  NEWER = "remove it; if its number is 0 or more, a newer verifier may know it; numbers below 0 are private";

function row(number: number, name: string, meaning: string, advice: string, source: string): RefusalRow {
  return { number: number, name: name, meaning: meaning, advice: advice, source: source };
}

/** The table of the refusals: number, name, meaning, advice and source of each. */
export var REFUSALS: readonly RefusalRow[] = [
  row(1, "CBOR_TRUNCATED", "the CBOR ends before the item does, or a length exceeds the bytes that are left", GET_AGAIN, "RFC 8949 §3"),
  row(2, "CBOR_NOT_SHORTEST", "a CBOR number or length is not in its shortest form", MAKE_AGAIN, "RFC 8949 §4.2.1"),
  row(3, "CBOR_INDEFINITE", "a CBOR item has an indefinite length", MAKE_AGAIN, "RFC 8949 §4.2.1"),
  row(4, "CBOR_RESERVED", "a CBOR head uses one of the reserved values 28 to 30", GET_AGAIN, "RFC 8949 §3"),
  row(5, "CBOR_TYPE", "a CBOR item has the wrong type, or an array has the wrong length", GET_AGAIN, "M37 appendix A"),
  row(6, "CBOR_KEY_ORDER", "the keys of a CBOR map are not in bytewise order", MAKE_AGAIN, "RFC 8949 §4.2.1, M37 §8.2"),
  row(
    7,
    "CBOR_KEY_DUPLICATE",
    "a CBOR map has a duplicate key",
    "do not use the file: two readers can read two things in it",
    "RFC 8949 §5.6",
  ),
  row(8, "CBOR_UTF8", "a text is not valid UTF-8", "write the text as UTF-8", "RFC 8949 §3.1, RFC 3629 §4"),
  row(9, "CBOR_DEPTH", "arrays, maps or command sequences are nested more than 8 levels deep", "use at most 8 levels of nesting", "ours"),
  row(10, "CBOR_TRAILING", "there are bytes after the end of the item", "remove the bytes that were appended", "RFC 8949 §5.1"),
  row(
    11,
    "CBOR_SIMPLE",
    "the CBOR has a float, undefined, or another simple value that SUIT does not use",
    "make the envelope again: SUIT uses only false, true and null",
    "M37 appendix A",
  ),
  row(
    12,
    "CBOR_RANGE",
    "a number is 2^53 or more where the verifier needs it exact in a double",
    "use a smaller number: sizes and indices are below 2^53, only sequence numbers have 64 bits",
    "ours",
  ),
  row(13, "CBOR_KEY_LENGTH", "a CBOR map has a key of more than 1,100 bytes", GET_AGAIN, "ours"),
  row(
    14,
    "CBOR_OCTET",
    "the input is not bytes: a value is not an integer from 0 to 255",
    "give the bytes themselves, preferably as a Uint8Array",
    "ours",
  ),

  row(20, "ENVELOPE_NONE", "this is not a SUIT envelope", "give a .suit file, as firmseal sign writes it", "M37 §8.2"),
  row(21, "ENVELOPE_KEY", "the envelope has an unknown element, which no digest in a manifest can cover", NEWER, "M37 §8.2"),
  row(22, "ENVELOPE_NO_WRAPPER", "the envelope has no authentication wrapper", GET_SIGNED, "M37 §8.3"),
  row(23, "ENVELOPE_NO_MANIFEST", "the envelope has no manifest", GET_AGAIN, "M37 §8.2"),
  row(24, "DIGEST_ALG", "a digest names an unknown hash algorithm", "use SHA-256, SHA-384 or SHA-512", "M37 §10"),
  row(25, "DIGEST_LENGTH", "a digest has the wrong length for its hash algorithm", MAKE_AGAIN, "M37 §10"),
  row(
    26,
    "DIGEST_MANIFEST",
    "the manifest does not match the signed digest",
    "get the file again: the manifest changed after it was signed",
    "M37 §8.3",
  ),
  row(
    27,
    "DIGEST_SEVERED",
    "a severed element does not match its digest in the manifest",
    "get the elements of the same release",
    "M37 §5.5",
  ),
  row(
    28,
    "SEVERED_UNCOVERED",
    "the envelope has an element without a digest in the manifest, so nobody signed it",
    "remove the element, or get a release that severs it",
    "M37 §5.5",
  ),
  row(
    29,
    "SEVERED_REDUNDANT",
    "an element is both in the manifest and in the envelope",
    "remove the element from the envelope",
    "M37 §5.5",
  ),
  row(
    30,
    "PAYLOAD_UNREFERENCED",
    "the envelope has a payload that no signed command fetches",
    "remove the payload, or give it under the URI that the manifest names",
    "M37 §7.5",
  ),
  row(
    31,
    "NOT_SUPPORTED",
    "the manifest uses a part of SUIT that this build does not support",
    "use another command, or a build that has it: docs/reference/spec-coverage.md lists what is supported",
    "ours",
  ),
  row(
    32,
    "OLD_DRAFT",
    "the manifest follows a draft before -29: install is element 17",
    "make the manifest again: install is element 20",
    "M37 §8.4",
  ),
  row(33, "MANIFEST_VERSION", "the manifest version is not 1", "make the manifest again with version 1", "M37 §8.4"),
  row(34, "MANIFEST_KEY", "the manifest has an unknown element", NEWER, "M37 §8.4"),
  row(
    35,
    "MANIFEST_INCOMPLETE",
    "the manifest lacks its version, its sequence number, the common part or a component",
    "make the manifest again with all of them",
    "M37 §8.4",
  ),
  row(36, "COMMON_KEY", "the common part has an unknown element", NEWER, "M37 §8.4.5"),
  row(
    37,
    "COMPONENT_LIST",
    "the list of components is empty, has a component twice, or exceeds a limit",
    "list 1 to 16 components of 1 to 5 parts, each once",
    "M37 §8.4.5, limits ours",
  ),
  row(
    38,
    "ROLLBACK",
    "the sequence number is lower than the lowest that is accepted",
    "get a later release: each has a higher sequence number than the one before",
    "RFC 9124 REQ.SEC.SEQUENCE",
  ),
  row(
    39,
    "SHARED_COMMAND",
    "the shared sequence has a command with side effects",
    "move the command to install or another section",
    "M37 §8.4.5",
  ),
  row(40, "COMMAND_UNKNOWN", "the manifest has an unknown command", NEWER, "M37 §6.1"),
  row(41, "COMMAND_ARGUMENT", "a command sequence or the argument of a command is not valid", MAKE_AGAIN, "M37 §8.4.10"),
  row(42, "PARAMETER_UNKNOWN", "the manifest has an unknown parameter", NEWER, "M37 §6.1"),
  row(
    43,
    "PARAMETER_VALUE",
    "a parameter has a value that is not valid for it",
    "correct the value: vendor, class and device identifiers have 16 bytes",
    "M37 §8.4.8",
  ),
  row(44, "URI_CHARACTER", "a URI has a character that is not printable ASCII", "percent-encode the character", "RFC 3986 §2"),
  row(45, "TEXT_KEY", "the text is about an unknown component", "remove it from the text", "M37 §8.4.4"),
  row(
    46,
    "PAYLOAD_COUNT",
    "the envelope has more than 16 integrated payloads",
    "keep some of them outside the envelope, under a URI",
    "ours",
  ),
  row(47, "URI_LENGTH", "a URI has more than 1,024 bytes", "use a shorter URI", "ours"),
  row(
    48,
    "HEAD_LENGTH",
    "wrapper, manifest and severed elements exceed the memory that is set aside for them (65,536 bytes by default)",
    "sever what can be severed, or carry large contents as payloads",
    "ours",
  ),

  row(
    50,
    "TRUST_POLICY",
    "the trust policy is invalid: its keys, its threshold, or its floor",
    "give 1 or more trusted keys (--key) and a threshold (--threshold) from 1 to their number",
    "ours",
  ),
  row(
    51,
    "ANCHOR_KEY",
    "a trusted key is not usable: wrong length, not a point of the curve, small order, or a table without its digest",
    "give another public key",
    "RFC 8032 §5.1.7, RFC 9053 §2",
  ),
  row(52, "WRAPPER_EMPTY", "the envelope is not signed", GET_SIGNED, "M37 §8.3"),
  row(53, "BLOCK_TAG", "a signature block is not a tagged COSE_Sign1, COSE_Sign or COSE_Mac0", NEW_SIGNATURE, "M37 §8.3"),
  row(54, "HEADER_NO_ALG", "a signature does not name its algorithm in the protected header", NEW_SIGNATURE, "RFC 9052 §3.1, M37 §8.3"),
  row(
    55,
    "HEADER_ALG_UNKNOWN",
    "a signature names an algorithm that is unknown or of another kind",
    "get the release with a signature by Ed25519 or ES256",
    "RFC 9053 §2",
  ),
  row(56, "HEADER_TWICE", "a header is both in the protected and in the unprotected part", NEW_SIGNATURE, "RFC 9052 §3"),
  row(
    57,
    "HEADER_CRITICAL",
    "a critical header is not understood, or the list of critical headers is empty or unprotected",
    NEW_SIGNATURE,
    "RFC 9052 §3.1",
  ),
  row(
    58,
    "PAYLOAD_ATTACHED",
    "a signature block carries its own payload",
    "get the release with a signature that has nil as its payload",
    "M37 §8.3",
  ),
  row(
    59,
    "SIGNATURE_COUNT",
    "there are more than 8 signatures, or too many bad ones before the first good one",
    "remove the signatures that nobody needs, or give keys and signatures a key identifier",
    "ours",
  ),
  row(
    60,
    "SIGNATURE_INVALID",
    "no trusted key made this signature",
    "give the signer's public key (--key PUB), or a trust file that lists it for this role (--trust FILE, --role ROLE)",
    "RFC 9052 §4.4",
  ),
  row(
    61,
    "SIGNATURE_NO_ANCHOR",
    "no signature has the algorithm and key identifier of a trusted key",
    "give the signer's public key (--key PUB), or a trust file that lists it for this role (--trust FILE, --role ROLE)",
    "ours",
  ),
  row(
    62,
    "SIGNATURE_THRESHOLD",
    "fewer trusted keys have signed than the threshold requires",
    "get the release with the signatures of the other keys: firmseal whosigned shows which it has",
    "ours",
  ),
  row(
    63,
    "HEADER_LENGTH",
    "a signature has more than 512 bytes of protected headers, 16 labels, or 64 bytes of key identifier",
    "get the release with a signature that has fewer headers",
    "ours",
  ),
  row(64, "SIGNATURE_LENGTH", "a signature has more than 16,384 bytes", GET_AGAIN, "ours"),
  row(
    65,
    "ANCHOR_WINDOW",
    "the signers are not trusted for this sequence number",
    "get a release by a key that the trust file lists for this sequence number",
    "trust.md#when-a-key-counts",
  ),
  row(
    66,
    "SIGNATURE_FAMILY",
    "too few keys of a family of algorithms have signed",
    "get the release with as many signatures of each family as the trust file requires",
    "trust.md#families-of-algorithms",
  ),

  row(70, "NOT_A_MANIFEST", "the manifest to run did not come from open(), so nobody verified it", "call open() first", "M37 §6.1"),
  row(71, "INDEX_UNSET", "a command runs before a component is chosen", "begin each section with set-component-index", "M37 §8.4.5"),
  row(72, "INDEX_RANGE", "a component index is out of range", "correct the index: the first component has index 0", "M37 §8.4.10"),
  row(
    73,
    "PARAMETER_MISSING",
    "a command needs a parameter that is not set for its component",
    "set the parameter before the command",
    "M37 §6.4",
  ),
  row(74, "SOFT_FAILURE_SCOPE", "soft-failure is set outside of try-each and run-sequence", "move it into one of them", "M37 §8.4.8.14"),
  row(75, "VENDOR_MISMATCH", "the release is for another vendor", "install the release for this vendor", "M37 §8.4.9"),
  row(76, "CLASS_MISMATCH", "the release is for another device class", "install the release for this class", "M37 §8.4.9"),
  row(77, "DEVICE_MISMATCH", "the release is for another device", FOR_DEVICE, "M37 §8.4.9"),
  row(
    78,
    "IMAGE_MISMATCH",
    "an image does not match its signed digest",
    "get the payload again: it changed, or belongs to another release; if it fails again, the storage may be worn out",
    "M37 §8.4.9",
  ),
  row(79, "SLOT_MISMATCH", "the release is for another slot", "install the image for the slot that is not current", "M37 §8.4.9"),
  row(
    80,
    "CONTENT_MISMATCH",
    "a component does not hold the content that the manifest expects",
    "install the releases in their order",
    "M37 §8.4.9.3",
  ),
  row(81, "ABORTED", "the manifest says to stop", FOR_DEVICE, "M37 §8.4.9"),
  row(
    82,
    "TRY_EACH_EXHAUSTED",
    "no alternative of the manifest fits this device",
    "install the release for this device, or end the try-each with nil",
    "M37 §8.4.10",
  ),
  row(83, "DIRECTIVE_FAILED", "the device failed to carry out a command", "check the device, then install again", "M37 §6.2"),
  row(
    84,
    "STRICT_ORDER",
    "without strict order, a component is both read and written",
    "set strict-order, or put a barrier between the two",
    "M37 §8.4.8.13",
  ),
  row(
    85,
    "SEVERED_ABSENT",
    "a severed element is needed and is not in the envelope",
    "give the envelope with its severed elements",
    "M37 §5.5",
  ),
  row(
    86,
    "RUN_OUTCOME",
    "the caller gave step() or next() an outcome that is not due, omitted one that is due, or continued after a refusal",
    "correct the caller: after a refusal, start again",
    "ours",
  ),
  row(87, "RUN_LIMIT", "the manifest runs more than 4,096 commands", "nest fewer sequences over several components", "ours"),

  row(
    90,
    "IDENTITY_UNCHECKED",
    "the manifest does not check vendor and class before it changes or starts a component, or has no section that does",
    "check both in the shared sequence, and give a start its validate or invoke section",
    "RFC 9124 REQ.SEC.COMPATIBLE",
  ),
  row(
    91,
    "DIGEST_UNSET",
    "the manifest writes a component without an image digest",
    "set image-digest before the command",
    "RFC 9124 REQ.SEC.IMG.COMPLETE_DIGEST",
  ),
  row(
    92,
    "PAYLOAD_SIZE",
    "a payload does not have the size in the manifest, or is larger than the component",
    "give the payload that was signed, or correct image-size",
    "M37 §8.4.8",
  ),
  row(93, "COMPONENT_UNKNOWN", "the device has no component with this identifier", FOR_DEVICE, "M37 §6.2"),
  row(
    94,
    "IMAGE_UNVERIFIED",
    "the image in storage is not the one that was verified",
    "install again; if it fails again, the storage is worn out",
    "RFC 9124 REQ.SEC.AUTH.EXEC",
  ),
  row(
    95,
    "PAYLOAD_ABSENT",
    "a payload is missing, or the source of a copy or swap is empty",
    "give the payload (--payload FILE), then install again",
    "M37 §8.4.10",
  ),
  row(
    96,
    "DEVICE_FAULT",
    "the device threw an error (its cause), or did not do what it must",
    "check the cause, or the device itself",
    "ours",
  ),
  row(
    97,
    "INVOKE_UNVERIFIED",
    "the manifest starts an image without an image-match in this start",
    "check image-match in the section validate",
    "RFC 9124 REQ.SEC.AUTH.EXEC",
  ),
  row(98, "INVOKE_MISPLACED", "the installation would start an image", "move the command to the section invoke", "M37 §6"),
  row(
    99,
    "STORAGE_FULL",
    "the device has no room for the release, or only after it moves other data",
    "make room on it with safe power, then install again: docs/guides/espruino.md",
    "ours",
  ),
  row(
    100,
    "UNCONFIRMED",
    "the current release is still on trial, and another would replace the one to go back to",
    "start it, and have its app confirm that it works",
    "ours",
  ),
  row(
    101,
    "SEQUENCE_TAKEN",
    "the device has already had this sequence number with another manifest",
    "give the release a higher sequence number; the installed manifest itself is accepted again",
    "RFC 9124 §4.3.1, ours",
  ),
  row(
    102,
    "SEQUENCE_JUMP",
    "the sequence number is farther above the device's than its trust file allows",
    "give the release a lower sequence number, or install one in between",
    "trust.md#jumps",
  ),

  row(110, "TRUST_NONE", "this is not a trust file", "give a file that firmseal trust create made", "trust.md#the-format"),
  row(111, "TRUST_VERSION", "the version of the trust file is not 1", MAKE_TRUST_AGAIN, "trust.md#the-format"),
  row(112, "TRUST_KEY", "the trust file has an unknown element", NEWER, "trust.md#the-format"),
  row(113, "TRUST_INCOMPLETE", "the trust file or one of its keys lacks a required element", MAKE_TRUST_AGAIN, "trust.md#the-format"),
  row(
    114,
    "TRUST_LIMIT",
    "the trust file exceeds a limit",
    "use at most 16 keys, 65,535 signed bytes, and 64 bytes for a name or a key identifier",
    "ours",
  ),
  row(
    115,
    "TRUST_ALG",
    "the trust file lists a key of an algorithm that makes no signatures",
    "list public keys only: a secret in a trust file is not secret",
    "RFC 9053 §2",
  ),
  row(116, "TRUST_KEY_TWICE", "the trust file lists a key twice", "list each key once, with all its roles", "ours"),
  row(
    117,
    "TRUST_ROLE",
    "the roles of a key are unknown, out of order, missing, or cannot be combined",
    "give a key the role root or debug alone, or release, recovery or both",
    "trust.md#roles",
  ),
  row(
    118,
    "TRUST_ROLE_EMPTY",
    "a role has a threshold and no key, or keys and no threshold, or there is no root",
    "give each role a key and a threshold; there is always a root",
    "trust.md#roles",
  ),
  row(
    119,
    "TRUST_THRESHOLD",
    "a threshold is 0, or above the number of keys of its role, or above 8",
    "use a threshold from 1 to the number of keys, and at most 8",
    "trust.md#roles",
  ),
  row(
    120,
    "TRUST_SCOPE",
    "a vendor or class does not have 16 bytes, or a root has a scope or limits, which would have no effect",
    "give UUIDs, and give scope and limits only to keys that are not roots",
    "trust.md#when-a-key-counts",
  ),
  row(
    121,
    "TRUST_WINDOW",
    "a key is trusted until a sequence number below its since, so it never counts",
    "swap since and until, or remove the key",
    "trust.md#when-a-key-counts",
  ),
  row(
    122,
    "TRUST_SIGNERS",
    "fewer roots of the trust file have signed it than its own threshold requires",
    "get the trust file with the signatures of its own roots",
    "trust.md#which-file-is-accepted",
  ),
  row(
    123,
    "TRUST_PREVIOUS",
    "fewer roots of the previous trust file have signed this one than its threshold requires",
    "get the trust file with the signatures of the roots of the previous one",
    "trust.md#which-file-is-accepted",
  ),
  row(
    124,
    "TRUST_ROLLBACK",
    "the trust file is not newer than the previous one",
    "give a newer one: each needs a higher sequence number",
    "trust.md#which-file-is-accepted",
  ),
  row(
    125,
    "TRUST_NAME",
    "the trust file is for another product line: its name differs from that of the previous file",
    "give the file for this product line",
    "trust.md#which-file-is-accepted",
  ),
  row(
    126,
    "TRUST_UNUSABLE",
    "the trust file gives this device too few keys for the role",
    "check the role (--role), and the vendor, class and algorithm of its keys: root signs no manifests",
    "trust.md#when-a-key-counts",
  ),
  row(
    127,
    "TRUST_CHAIN",
    "the trust files of a chain do not follow each other by one",
    "join the trust files in the order of their numbers without a gap: firmseal trust chain",
    "trust.md#a-chain-of-files",
  ),
  row(
    128,
    "TRUST_EPOCH",
    "the epoch of the trust file is lower than that of the previous one",
    "give the trust file the epoch of the previous one, or the next",
    "trust.md#counting-from-a-new-beginning",
  ),
  row(
    130,
    "TEMPLATE_MISMATCH",
    "the release is not the template firmseal-single-1, which is all that a micro verifier accepts",
    "let firmseal verify --for micro say what differs, and what to change",
    "template.md#the-template",
  ),
  row(
    150,
    "STATUS_NONE",
    "not a status message: neither a COSE_Mac0 nor a COSE_Sign1",
    "give the bytes that the device answered with",
    "status.md#format",
  ),
  row(
    151,
    "STATUS_VERSION_UNKNOWN",
    "the version of the status format is unknown",
    "use a version of this tool that is at least as new as the verifier on the device",
    "status.md#format",
  ),
  row(
    152,
    "STATUS_CLAIM",
    "a claim of the status is unknown, missing, or out of its range",
    "use a version of this tool that is at least as new as the verifier on the device",
    "status.md#claims",
  ),
  row(
    153,
    "STATUS_NONCE",
    "the nonce does not have 8 to 64 bytes, or the status answers another nonce",
    "ask the device again, with a new random nonce",
    "status.md#freshness",
  ),
  row(
    154,
    "STATUS_LIMIT",
    "the status is too long, or one of its texts is",
    "give the bytes that the device answered with",
    "status.md#claims",
  ),
];

var byNumber: { [number: number]: RefusalRow } = {};

(function () {
  var i;
  for (i = 0; i < REFUSALS.length; i++) byNumber[REFUSALS[i].number] = REFUSALS[i];
})();

/**
 * Finds the name and the words of a refusal.
 *
 * @param code - Its number.
 * @returns Its row, or undefined for an unknown number.
 * @example
 * ```ts
 * import { refusalOf } from "@firmseal/verifier/tools";
 *
 * console.log(refusalOf(38)?.name); // "ROLLBACK"
 * ```
 */
export function refusalOf(code: number): RefusalRow | undefined {
  return byNumber[code];
}

/**
 * Recognizes a refusal of a verifier, also one of a device bundle.
 *
 * @param e - Something that was thrown.
 * @returns Whether it is a refusal.
 * @example
 * ```ts
 * import { isRefusal } from "@firmseal/release";
 * import { open } from "@firmseal/verifier";
 * import { refusalOf } from "@firmseal/verifier/tools";
 *
 * try {
 *   open(envelope, { ...trust, floor: [0, 1_000_000] });
 * } catch (e) {
 *   if (!isRefusal(e)) throw e;
 *   console.log(refusalOf(e.code)?.name); // "ROLLBACK"
 * }
 * ```
 */
export function isRefusal(e: unknown): e is Refusal {
  return e instanceof Error && typeof (e as Partial<Refusal>).code === "number" && typeof (e as Partial<Refusal>).at === "number";
}

/**
 * Refuses, as the verifier does.
 *
 * @param code - Its number.
 * @param at - The offset of the item at fault, or -1.
 * @throws The refusal.
 */
export function throwRefusal(code: number, at: number): never {
  markAt(at);
  return refuseThere(code);
}
