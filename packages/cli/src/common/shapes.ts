// How commands describe the shape of their JSON: one row for each member. `data?` may be missing. `signers[].alg` is a
// member of each entry in `signers`. A list or an object without rows for its members may have any.

/** "|null" after a type: null is possible too. */
export type FieldType = `${"string" | "number" | "boolean" | "string[]" | "number[]" | "object" | "object[]"}${"" | "|null"}`;

export type Shape = { readonly [path: string]: readonly [type: FieldType, words: string] };

/** The facts that every command outputs. */
export const SUCCESS: Shape = {
  ok: ["boolean", "true: done"],
  code: ["number", "0"],
  reason: ["string", "OK"],
};

/** What every command reports of a failure, followed by members of its own. */
export const FAILURE: Shape = {
  ok: ["boolean", "false"],
  code: ["number", "number in the table of errors"],
  reason: ["string", "its name there"],
  exit: ["number", "exit code"],
  message: ["string", "what is wrong"],
  hint: ["string", "what to do about it"],
};

/** The rows of `shape`, for the members of what `at` names. */
export function membersOf(at: string, shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).map(([path, row]) => [`${at}.${path}`, row]));
}

/** The same rows, for members that may be missing. */
export function optional(shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).map(([path, row]) => [path.replace(/^(\w+)\??/, "$1?"), row]));
}

export const KEY: Shape = {
  kid: ["string|null", "key identifier, hex"],
  alg: ["string|null", "algorithm; null if this tool does not know it"],
  thumbprint: ["string|null", "COSE Key Thumbprint (RFC 9679, SHA-256), hex"],
};

/** For which devices and sequence numbers a key of a trust file counts. */
const ANCHOR_LIMITS: Shape = {
  vendor: ["string|null", "vendor identifier, hex; null: any"],
  class: ["string|null", "class identifier, hex; null: any"],
  since: ["string|null", "first sequence number"],
  until: ["string|null", "last sequence number"],
  devices: ["string|null", "single: only for manifests that are for one device; null: for any"],
};

/** A key of a trust file. */
export const ANCHOR: Shape = { ...KEY, roles: ["string[]", "roles of the key"], ...ANCHOR_LIMITS };

/** A trusted key that signed: the last members come from a trust file. */
export const SIGNER: Shape = {
  ...KEY,
  "roles?": ["string[]", "roles of the key in the trust file"],
  ...Object.fromEntries(Object.entries(ANCHOR_LIMITS).map(([name, row]) => [`${name}?`, row])),
};

/** The trust file that a verification used. */
export const TRUST_SHAPE: Shape = {
  "trust?": ["object", "the trust file of --trust"],
  ...membersOf("trust?", {
    name: ["string", "name of the line of trust files"],
    sequence: ["string", "its sequence number"],
    role: ["string", "role that the keys needed"],
    threshold: ["number", "how many keys must have signed"],
    pinned: ["boolean", "false: neither --root nor --previous-trust was given"],
  }),
};

/** What a release has, and its devices compare. */
export const NUMBER: Shape = {
  sequence: ["string", "sequence number"],
  "version?": ["string", "version of the release, if its text names one"],
};

/** A release that was withdrawn. */
export const WITHDRAWAL: Shape = {
  ...NUMBER,
  time: ["string", "when it was withdrawn, RFC 3339 in UTC; only the day if a signed record says it"],
  reason: ["string", "why"],
};

export const RECEIPTS: Shape = {
  log: ["object[]", "entries in the signing logs"],
  ...membersOf("log[]", {
    path: ["string", "signing log"],
    entry: ["number", "number of the entry"],
    hash: ["string", "SHA-256 of the entry, hex"],
  }),
};

/** A fault of a signing log. */
export const LOG_FAULT: Shape = {
  line: ["number", "line of the log; 0: none"],
  what: ["string", "what is wrong"],
};

/** A contradiction of signing logs. */
export const CONFLICT: Shape = {
  what: ["string", "leaf, sequence, version, trust, approval or family"],
  number: ["string", "the number; of an approval the thumbprint of the approver"],
  key: ["string|null", "thumbprint of the key of a leaf or approval, or of the one that signed both"],
  scope: ["string[]", "devices or line of trust files"],
  entries: ["object[]", "entries that have the number, or the one that requires the approval and the one without it"],
};

export const ADVICE: Shape = {
  "target?": ["object", "with --target: which algorithm suits it"],
  ...membersOf("target?", {
    target: ["string", "the engine or board"],
    recommended: ["string", "algorithm that suits it"],
    "advice?": ["string", "what to change; missing if the key suits it"],
  }),
};

export const CONSUMER: Shape = {
  "for?": ["object", "with --for: the consumer"],
  ...membersOf("for?", {
    consumer: ["string", "its name"],
    algorithms: ["string[]", "COSE algorithm that the signature of each key names"],
    givenUp: ["string", "what a release for it leaves out"],
  }),
};

export const OUT: Shape = {
  out: ["string", "output file; - for stdout"],
  bytes: ["number", "length of the output"],
  "data?": ["string", "the output in base64, if it goes to stdout"],
};

export const PAYLOADS: Shape = {
  payloads: ["object", "URIs of the payloads"],
  ...membersOf("payloads", {
    inside: ["string[]", "in the envelope"],
    outside: ["string[]", "fetched by devices"],
  }),
};

export const DIGEST_SHAPE: Shape = {
  algorithm: ["string", "hash algorithm"],
  hex: ["string", "digest, hex"],
};

export const TEST_KEYS: Shape = { testKeys: ["string[]", "published test keys among the keys: anybody can sign with them"] };

/** What a product file calls identifiers. */
export const NAMES_SHAPE: Shape = { "names?": ["object", "with --product: names of vendor and class by their UUIDs"] };

const REFUSAL: Shape = {
  code: ["number", "number in the table of errors"],
  reason: ["string", "its name there"],
  words: ["string", "what is wrong"],
};

/** Of the keys of a role. */
const MARGIN: Shape = {
  left: ["number", "keys that still sign for us"],
  needed: ["number", "keys that must sign"],
  of: ["number", "keys that the devices have"],
  enough: ["boolean", "the devices accept what those sign that are left: they also reach each family of algorithms"],
};

const MARGINS: Shape = {
  left: ["object", "keys that they have left"],
  ...membersOf("left", {
    release: ["object", "release keys"],
    ...membersOf("release", MARGIN),
    root: ["object|null", "roots; null: keys in the firmware"],
    ...membersOf("root", MARGIN),
  }),
};

/** What happens to a fleet. */
export const COHORTS: Shape = {
  devices: ["object", "number of devices: total, and for each verdict"],
  cohorts: ["object[]", "what happens to each cohort; cohorts in the same state share an entry"],
  ...membersOf("cohorts[]", {
    name: ["string", "name of the first cohort in this state"],
    rows: ["number", "how many rows of the fleet file are in it"],
    names: ["string[]", "their names, the first 8"],
    "boards?": ["string[]", "boards of the product, of rotate plan with a product file"],
    devices: ["number", "number of their devices"],
    floor: ["object", "their floors before"],
    ...membersOf("floor", { lowest: ["string", "the lowest"], highest: ["string", "the highest"] }),
    releases: ["object[]", "what each step does"],
    ...membersOf("releases[]", {
      release: ["string", "the step: a release, or a trust file"],
      addressed: ["boolean", "whether it is for these devices"],
      installed: ["boolean", "whether devices install it"],
      refused: ["object|null", "why devices refuse it"],
      ...membersOf("refused", REFUSAL),
      trust: ["string|null", "sequence number of the trust file after it"],
      trustRefused: ["object|null", "why devices keep their trust file"],
      ...membersOf("trustRefused", REFUSAL),
      ...MARGINS,
      assumed: ["boolean", "devices take it only under an assumption about the release that they run"],
    }),
    trust: ["object", "trust file of the devices"],
    ...membersOf("trust", {
      before: ["string|null", "its sequence number before; null: keys in the firmware"],
      after: ["string|null", "its sequence number after"],
    }),
    verdict: ["string", "moved, unaffected, ahead, behind, exposed, roots-lost or stranded"],
    why: ["string|null", "the reason; null if there is nothing to say"],
    next: ["string|null", "what to do about it"],
    assumes: ["string|null", "what the verdict assumes of the release that they run; null: nothing"],
    ...MARGINS,
    exposed: ["object", "what the stolen keys alone can sign for them"],
    ...membersOf("exposed", {
      release: ["boolean", "releases"],
      root: ["boolean", "trust files"],
      debug: ["boolean", "debug manifests"],
      recovery: ["boolean", "recovery releases"],
    }),
  }),
  allowedStranded: ["string[]", "cohorts that may be left behind"],
};

/** A kind of device. */
const DEVICE_SHAPE: Shape = {
  vendor: ["string", "vendor: UUID, hex of another identifier, or any"],
  class: ["string", "class: UUID, hex of another identifier, or any"],
  "device?": ["string", "device identifier, if the release is for single devices"],
};

const ACTION: Shape = {
  what: ["string", "fetch, write, copy, swap, compare, check-content or start"],
  component: ["number", "index of the component"],
  "uri?": ["string", "fetch: where from"],
  "inside?": ["boolean", "fetch: whether the envelope has the payload"],
  "bytes?": ["number", "expected length"],
  "digest?": ["object", "expected digest"],
  ...membersOf("digest?", DIGEST_SHAPE),
  "source?": ["number", "copy, swap: index of the source component"],
};

/** What devices do with a release. */
export const BEHAVIOURS: Shape = {
  "slot?": ["number", "slot in which the device installs, if the release distinguishes slots"],
  "has?": ["boolean", "whether the device already has the images of the release; missing if that makes no difference"],
  devices: ["object[]", "the devices"],
  ...membersOf("devices[]", DEVICE_SHAPE),
  install: ["object[]", "what they do to install, in order"],
  ...membersOf("install[]", ACTION),
  start: ["object[]", "what they do at each start, in order"],
  ...membersOf("start[]", ACTION),
  "refused?": ["object", "the refusal with which the installation or the start ends"],
  ...membersOf("refused?", {
    during: ["string", "install or start"],
    code: ["number", "its number"],
    reason: ["string", "its name"],
    words: ["string", "what it means"],
  }),
};

/** Findings of lint. */
export const LINT: Shape = {
  findings: ["object[]", "what was found"],
  ...membersOf("findings[]", {
    rule: ["string", "number of the rule"],
    name: ["string", "its name"],
    severity: ["string", "error, warning or note"],
    path: ["string", "the envelope; for a finding about a waiver, the product file"],
    message: ["string", "what was found"],
    fix: ["string", "what to do about it"],
    "boards?": ["string[]", "with a product file: boards that the release is for"],
    "waiver?": ["number", "for a finding about a waiver: its place in the list, from 0"],
    "waived?": ["object", "the waiver that accepts it"],
    ...membersOf("waived?", { reason: ["string", "why"], until: ["string", "its last day"] }),
  }),
  skipped: ["object[]", "rules that were not checked"],
  ...membersOf("skipped[]", {
    rule: ["string", "number of the rule"],
    name: ["string", "its name"],
    path: ["string", "the envelope"],
    why: ["string", "what is missing"],
  }),
};

/** What changes for devices between two releases. */
export const DIFFERENCE: Shape = {
  sequence: ["object", "sequence numbers"],
  ...membersOf("sequence", { before: ["string", "of the earlier release"], after: ["string", "of the later one"] }),
  components: ["object", "components that only one of the releases has"],
  ...membersOf("components", { gone: ["string[]", "only the earlier one"], new: ["string[]", "only the later one"] }),
  devices: ["object", "devices that only one of the releases is for"],
  ...membersOf("devices", { gone: ["object[]", "only the earlier one"], new: ["object[]", "only the later one"] }),
  images: ["object[]", "components whose content changes"],
  ...membersOf("images[]", {
    component: ["string", "name of the component"],
    before: ["string[]", "its contents only with the earlier release: length and the beginning of the digest"],
    after: ["string[]", "only with the later one"],
  }),
  behaviour: ["object[]", "what devices do differently"],
  ...membersOf("behaviour[]", {
    devices: ["object[]", "the devices"],
    ...membersOf("devices[]", DEVICE_SHAPE),
    "slot?": ["number", "slot, if the release distinguishes slots"],
    "has?": ["boolean", "whether the devices already have the images of the release"],
    before: ["string[]", "what they do only with the earlier release"],
    after: ["string[]", "what they do only with the later one"],
  }),
};
