// The targets of the fuzzers, a row each; what a target does is in targets/NAME.ts. `ms`: what one input may take of
// the processor, where it is not 100. `most`: bytes of the longest input that is tried. `waits`: the target is
// asynchronous. `words`: a dictionary in words/.

const LIMIT = { ms: 100, most: 4096, waits: false, words: undefined };

const ROWS = {
  cbor: { about: "the CBOR reader", words: "cbor" },
  signature: { about: "the signature algorithms, against OpenSSL, with values that are not octets" },
  open: { about: "open() of envelopes that were changed", words: "cbor" },
  source: { about: "open() through a Source that lies", words: "cbor" },
  "manifest-signed": { about: "manifests of any content, signed: open(), install(), boot()", words: "cbor" },
  install: { about: "install() with a hostile Device, payloads that arrive anyhow" },
  "general-micro": { about: "the general verifier against the micro verifier", words: "cbor" },
  // each engine plays each vector in each form, and engines of boards interpret
  bundles: { about: "bundles with random parts in three engines, against the sources", waits: true, ms: 5000, most: 128 },
  // a history of a dozen sessions, each of which verifies and writes an image
  history: { about: "sessions, trials, ways back, roles and power cuts, against the model of floors", waits: true, ms: 500, most: 128 },
  "boot-flash": { about: "start and update on a raw flash of any content" },
  "boot-storage": { about: "start and update on an Espruino Storage of any content" },
  "boot-files": { about: "the device in a folder, with any device.json", words: "json" },
  receive: { about: "packets of strangers to devices that keep what they receive" },
  trust: { about: "trust files, as they are and signed again", words: "cbor" },
  image: { about: "images: Intel HEX, UF2, ELF, raw", most: 16384, words: "image" },
  mcuboot: { about: "MCUboot images" },
  esp32: { about: "images of ESP32 chips with their signatures", most: 16384 },
  "signature-file": { about: "signature files, job documents of AWS, public keys of tools" },
  key: { about: "key files of every form", waits: true, most: 16384, words: "key" },
  // deriving a key from a passphrase may take 2 s
  "key-encrypted": { about: "key files under a passphrase", waits: true, ms: 2500, words: "key" },
  description: { about: "descriptions, ours and the old tool's", waits: true, words: "json" },
  log: { about: "logs of what a key has signed", words: "json" },
  answer: { about: "answers of exec: programs, and signatures from elsewhere", waits: true, words: "json" },
  reference: { about: "key references and PKCS#11 URIs", waits: true, words: "key" },
  // a command hashes, verifies with our own code what it has signed, and writes files
  cli: { about: "the command line: arguments and files", waits: true, ms: 250, most: 16384, words: "cli" },
};

export const TARGETS = Object.entries(ROWS).map(([name, row]) => ({ name, ...LIMIT, ...row }));
