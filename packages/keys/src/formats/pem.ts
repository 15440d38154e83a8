// Reads and writes PEM (RFC 7468). Finds the only key in a file: complete, intact armour around exactly one DER
// sequence, or around the content of an OpenSSH key.

import { UNSUPPORTED } from "../algorithms.js";
import { KeyFileError } from "../errors/key-file.js";
import { decodeBase64 } from "./base64.js";
import { SEQUENCE, singleTlv } from "./der/strict.js";

const OPENSSH = "OPENSSH PRIVATE KEY";

const READ = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "EC PRIVATE KEY", OPENSSH];

const CUT = "the file is cut short or damaged: export the key again";

// other formats that people have, and what to do with them
const OTHER_FORMATS: Record<string, string> = {
  CERTIFICATE: "extract the public key: openssl x509 -pubkey -noout -in FILE",
};

/** The label and content of the only key in a PEM file. Skips text around it and EC PARAMETERS before it. */
export function pemBlock(text: string, name: string): { label: string; der: Buffer } {
  const begins = text.split("-----BEGIN ").length - 1;
  const ends = text.split("-----END ").length - 1;
  const several = (n: number) =>
    new KeyFileError(`${name}: ${n} PEM blocks, but one key is expected`, "put each key into a file of its own", 2);
  // before the search below, whose time grows with the number of blocks
  if (begins > 8) throw several(begins);
  const found = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g);
  const blocks = [...found].map(([, label = "", body = ""]) => ({ label, body }));
  if (begins !== blocks.length || ends !== blocks.length) throw new KeyFileError(`${name}: a PEM block has no beginning or no end`, CUT, 2);
  // `openssl ecparam -genkey` writes the curve in a separate block, and again inside the key
  const keys = blocks.filter((b) => b.label !== "EC PARAMETERS");
  const [block] = keys;
  if (!block) throw new KeyFileError(`${name}: the PEM contains no key`, "use the file that holds the private or the public key", 2);
  if (keys.length > 1) throw several(keys.length);
  const armour = ["", `-----BEGIN ${block.label}-----`, `-----END ${block.label}-----`];
  const around = text
    .replace(block.body, "\n")
    .split(/[\r\n]/)
    .filter((line) => !armour.includes(line));
  // text around a key is skipped (RFC 7468 §2); with two keys, it is unclear which is meant
  if (around.some(isKeyLine))
    throw new KeyFileError(`${name}: another key next to the PEM block`, "put each key into a file of its own", 2);
  if (!READ.includes(block.label)) {
    throw new KeyFileError(
      `${name}: the PEM contains ${JSON.stringify(block.label.toLowerCase())}, which firmseal does not read`,
      OTHER_FORMATS[block.label] ?? UNSUPPORTED,
      2,
    );
  }
  if (/^(Proc-Type|DEK-Info):/m.test(block.body)) {
    // its key derivation is a single round of MD5
    throw new KeyFileError(
      `${name}: encrypted in OpenSSL's old format, which does not protect the key`,
      "encrypt it again: openssl pkcs8 -topk8 -scrypt -in FILE -out FILE.pem",
      2,
    );
  }
  const base64 = block.body.replace(/\s+/g, "");
  const der = decodeBase64(base64);
  if (!der || (block.label !== OPENSSH && !singleTlv(der, SEQUENCE)))
    throw new KeyFileError(`${name}: the content of the PEM is damaged`, CUT, 2);
  return { label: block.label, der };
}

/**
 * Whether a line looks like a key in another format. Works line by line: one expression over the whole file would take
 * cubic time.
 */
function isKeyLine(line: string): boolean {
  const text = line.trim();
  return /"kty"|^untrusted comment:|^(ssh|ecdsa|sk)-\S+[ \t]+AAAA|^[\w+/-]{40,}=*$/.test(text);
}

/** PEM (RFC 7468 §2) with lines of `width` characters. */
export function pem(label: string, der: Buffer, width = 64): string {
  const lines = der.toString("base64").match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
