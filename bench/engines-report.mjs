// The tables of bench/engines.mjs, and their places in the document.

import { figure, inMarkers, ROOT, tableText } from "./lib.mjs";

export const DOC = `${ROOT}docs/guides/keys/choosing-an-algorithm.md`;

const LIBRARIES = ["nacl.js", "nacl-fast.js", "@stablelib/ed25519", "@noble/ed25519"];
/**
 * The aims that are still open: how many times as fast as nacl.js an engine should be, and the part of OpenSSL's
 * throughput on Node.
 */
const AIMS = { espruino: 35, jerry: 40 };
const AIMS_OF_OPENSSL = { ed25519: 0.6, es256: 0.2 };

const ms = (n) => (n === undefined ? "–" : figure(n));
const times = (a, b) => (a === undefined || b === undefined ? "–" : `${(a / b).toPrecision(3).replace(/e\+\d+/, "")} ×`);

const row = (cells) => (r) => [r.engine.name, ...(r.absent ? cells.map(() => "not measured") : cells.map((cell) => cell(r.times, r)))];

/** Million instructions if they were counted, otherwise milliseconds. */
const amount = (name) => (t, r) => ms(r.counts[name] === undefined ? t[name] : r.counts[name] / 1e6);
const ratio = (a, b) => (t, r) => (r.counts[a] === undefined ? times(t[a], t[b]) : times(r.counts[a], r.counts[b]));

/** `against`: the part of OpenSSL's verifications that Node makes with ours, by algorithm. */
export function countedTables(results, against) {
  return [
    'One verification: million instructions where valgrind can count them, milliseconds on the other engines. "Table": with a table of 8 KB for the key. The ratios say how many times as long nacl.js takes.\n',
    tableText(
      ["engine", "in", "nacl.js", "nacl-fast.js", "firmseal", "firmseal, table", "against nacl.js", "with the table", "aim", "ES256"],
      results.map(
        row([
          (_, r) => (Object.keys(r.counts).length ? "million" : "ms"),
          amount("nacl.js"),
          amount("nacl-fast.js"),
          amount("ed25519"),
          amount("ed25519-8k"),
          ratio("nacl.js", "ed25519"),
          ratio("nacl.js", "ed25519-8k"),
          (_, r) => (AIMS[r.engine.name] ? `${AIMS[r.engine.name]} ×` : "–"),
          amount("es256"),
        ]),
      ),
    ),
    "Throughput of verification on Node, in processor time, as a fraction of that of node:crypto (OpenSSL).\n",
    tableText(
      ["algorithm", "of OpenSSL", "aim"],
      [
        ["Ed25519", against.ed25519.toFixed(2), AIMS_OF_OPENSSL.ed25519.toFixed(2)],
        ["ES256", against.es256.toFixed(2), AIMS_OF_OPENSSL.es256.toFixed(2)],
      ],
    ),
  ];
}

export function timedTables(results) {
  const rows = (cells) => results.map(row(cells));
  return [
    'One Ed25519 verification, milliseconds. "Table": with a table of 8 KB for the key, from `firmseal pubkey --table`. The last two columns: how many times as fast as nacl.js.\n',
    tableText(
      ["engine", ...LIBRARIES, "firmseal", "firmseal, table", "against nacl.js", "with the table"],
      rows([
        ...LIBRARIES.map((name) => (t) => (t[name] === undefined ? "does not run" : ms(t[name]))),
        (t) => ms(t.ed25519),
        (t) => ms(t["ed25519-8k"]),
        (t) => times(t["nacl.js"], t.ed25519),
        (t) => times(t["nacl.js"], t["ed25519-8k"]),
      ]),
    ),
    'One verification of each algorithm, milliseconds, and HSS/LMS (H5) as a multiple of its SHA-256 compressions alone. "Native": with the engine\'s own SHA-256.\n',
    tableText(
      [
        "engine",
        "Ed25519",
        "ES256",
        "HSS/LMS W4",
        "HSS/LMS W8",
        "W4 / hashing",
        "W8 / hashing",
        "W4 native",
        "W8 native",
        "W4 native / hashing",
      ],
      rows([
        (t) => ms(t.ed25519),
        (t) => ms(t.es256),
        (t) => ms(t["hsslms-w4"]),
        (t) => ms(t["hsslms-w8"]),
        (t) => times(t["hsslms-w4"], t["compressions-w4"]),
        (t) => times(t["hsslms-w8"], t["compressions-w8"]),
        (t) => ms(t["hsslms-w4-native"]),
        (t) => ms(t["hsslms-w8-native"]),
        (t) => times(t["hsslms-w4-native"], t["compressions-w4-native"]),
      ]),
    ),
    "Hashing, microseconds for one block.\n",
    tableText(
      ["engine", "SHA-256, 64 bytes", "SHA-512, 128 bytes"],
      rows([
        (t) => (t.sha256 === undefined ? "–" : figure(t.sha256 * 1000)),
        (t) => (t.sha512 === undefined ? "–" : figure(t.sha512 * 1000)),
      ]),
    ),
  ];
}

/** `text` with each list of tables between the markers of its name; everything else stays. */
export function withTables(text, tables) {
  return Object.entries(tables).reduce((all, [name, texts]) => inMarkers(all, name, texts.join("\n")), text);
}
