// The contract `firmseal-single-1`: the one form of an envelope that a micro verifier accepts, as the only table. The
// template string of install/micro/template.generated.ts, the check before signing and docs/reference/template.md
// follow from it. The contract is frozen: a change of a row is a new contract with a new name, because devices in the
// field have the string.

/** A part of the template. Texts begin in lower case and have no full stop. */
export interface TemplateRow {
  /**
   * Two hexadecimal digits: that byte. `|` in front of them: that byte or the next higher one, which is a choice. `{`
   * and `}`: the content of a byte string between them, after its head in the shortest form. `]`: like `}`, and the
   * verifier keeps the byte string with its head. `(` and `~`: present if the last choice that is not used yet is the
   * higher byte. `!`: in the same case, the verifier reads the byte string before it once more. `G`: as many bytes as
   * the low six bits of the byte before it say. Another letter in upper case: an item with its head in the shortest
   * form, whose major type is in the low two bits of the letter.
   */
  readonly code: string;
  /** What the envelope has here. */
  readonly what: string;
  /** What to change in a release that has something else here. */
  readonly advice: string;
}

/** The name and version of the contract. */
export var TEMPLATE_NAME = "firmseal-single-1";

var PLAIN = "sign the image itself, or a description with one image and nothing else: firmseal sign IMAGE",
  SIGN = "sign it with firmseal sign, with one or two keys",
  CUT = "give validate, invoke and install, and nothing else: no text, reference-uri, load or severed element";

function row(code: string, what: string, advice: string): TemplateRow {
  return { code: code, what: what, advice: advice };
}

/** The bytes of the template firmseal-single-1 in order, with the meaning of each part. */
export var TEMPLATE_ROWS: readonly TemplateRow[] = [
  row("d86b", "tag 107, a SUIT envelope", PLAIN),
  row("|a2", "a map of two elements, or of three if the image is in the envelope", "sever nothing, and give one payload at most"),
  row("02", "key 2, the authentication wrapper", SIGN),
  row("{", "the length of the wrapper", SIGN),
  row("|82", "the digest with one signature, or with two", "sign it with one key, or with two: firmseal sign --key KEY --key KEY"),
  row("{", "the length of the digest", "use SHA-256"),
  row("822f5820", "an array: -16 for SHA-256, and a byte string of 32 bytes", "use SHA-256: remove digest from the description"),
  row("G", "the SHA-256 digest of the manifest, 32 bytes", "use SHA-256: remove digest from the description"),
  row("]", "the end of the digest", "use SHA-256"),
  row("{", "the length of the COSE message", SIGN),
  row("d284", "tag 18 and an array of four elements: a COSE_Sign1", SIGN),
  row("{", "the length of the protected header", SIGN),
  row("|a1", "a map with the algorithm, or with the algorithm and the key identifier", "leave out other headers, and crit"),
  row("01", "header 1, the algorithm", SIGN),
  row("I", "the number of a signature algorithm of COSE", "use an algorithm that firmseal keygen offers"),
  row("(04J~", "header 4, the key identifier, up to 64 bytes, if the map has two elements", "use a shorter key identifier"),
  row("]", "the end of the protected header", SIGN),
  row("a0f6", "an empty unprotected header, and nil as the payload", SIGN),
  row("N", "the signature, up to 16,384 bytes", "use shorter signatures"),
  row("}", "the end of the COSE message", SIGN),
  row("!", "the end of the wrapper, or a second signature if the array has three elements", SIGN),
  row("}", "the end of the wrapper", SIGN),
  row("03", "key 3, the manifest", "sever nothing"),
  row("{", "the length of the manifest", CUT),
  row("a6010102", "a map of six elements: version 1, and key 2, the sequence number", CUT),
  row("T", "the sequence number, 0 to 2^64 - 1", PLAIN),
  row("03", "key 3, the common part", CUT),
  row("{", "the length of the common part", PLAIN),
  row("a2028181410004", "one component, h'00', and key 4, the shared sequence", "use the default component: [{ hex: 00 }]"),
  row("{", "the length of the shared sequence", PLAIN),
  row("8614a40150", "override-parameters with four parameters: key 1, the vendor, a byte string of 16 bytes", PLAIN),
  row("G", "the vendor, a UUID of 16 bytes", "use a UUID, or a domain: --vendor example.com"),
  row("0250", "key 2, the class, a byte string of 16 bytes", PLAIN),
  row("G", "the class, a UUID of 16 bytes", "use a UUID, or a name: --class board-v2"),
  row("03", "key 3, the digest of the image", PLAIN),
  row("{", "the length of the image digest", "use SHA-256 for the image"),
  row("822f5820", "an array: -16 for SHA-256, and a byte string of 32 bytes", "use SHA-256 for the image"),
  row("G", "the SHA-256 digest of the image, 32 bytes", "use SHA-256 for the image"),
  row("}", "the end of the image digest", "use SHA-256 for the image"),
  row("0e", "key 14, the size of the image", "give image-size"),
  row("P", "the size of the image, 1 to 4,294,967,295 bytes", "use an image that is not empty, below 4 GiB"),
  row("010f020f", "condition-vendor-identifier and condition-class-identifier, each with policy 15", PLAIN),
  row("}", "the end of the shared sequence", PLAIN),
  row("}", "the end of the common part", "remove dependencies"),
  row("07", "key 7, validate", CUT),
  row("{", "the length of validate", PLAIN),
  row("82030f", "condition-image-match with policy 15", PLAIN),
  row("}", "the end of validate", PLAIN),
  row("09", "key 9, invoke", "do not load or sever: remove load from the description"),
  row("{", "the length of invoke", PLAIN),
  row("821702", "directive-invoke with policy 2", PLAIN),
  row("}", "the end of invoke", PLAIN),
  row("14", "key 20, install", CUT),
  row("{", "the length of install", PLAIN),
  row("8614a115", "override-parameters with one parameter: key 21, the URI", PLAIN),
  row(
    "K",
    "the URI: #firmware if the image is in the envelope, otherwise up to 255 printable ASCII characters without blanks and without # in front",
    "give a shorter URI in ASCII, or put the image into the envelope: leave out --uri",
  ),
  row("1502030f", "directive-fetch with policy 2, and condition-image-match with policy 15", PLAIN),
  row("}", "the end of install", PLAIN),
  row("]", "the end of the manifest", CUT),
  row("(", "the end of the envelope, or the image in it", "remove what follows: severed elements and other payloads"),
  row("69236669726d77617265", "the text #firmware", "put the image into the envelope with firmseal sign IMAGE"),
  row("R~", "the image, as long as the manifest says, to the end of the envelope", "give the image that the manifest names"),
];

/**
 * Makes the template string, as micro verifiers have it.
 *
 * @returns The string.
 */
export function templateString(): string {
  var out = "",
    i;
  for (i = 0; i < TEMPLATE_ROWS.length; i++) out += TEMPLATE_ROWS[i].code;
  return out;
}
