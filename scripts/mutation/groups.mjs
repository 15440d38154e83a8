// Which tests the mutants of each file of packages/verifier/src are tried against: the few that say the most about it.
// Stryker starts vitest for each mutant, so each test file that has nothing to say costs time. More tests can only kill
// more mutants.

import { fileURLToPath } from "node:url";

const own = (names) =>
  names.split(" ").map((name) => `${/^(?:packages|test-vectors)\//.test(name) ? "" : "packages/verifier/test/"}${name}.test.ts`);
const [PLAY, PLAY_MICRO] = ["test-vectors/test/play", "test-vectors/test/micro"];
const ED25519 = "ed25519 ed25519-refused packages/signer/test/prepare";
const INSTALL = `install keep session receive receive-source policy run streaming counters trust-epoch trust-update trust-families arrival ${PLAY}`;

const READER = `reader cose number digest octets commands policy decode-envelope refuse ${PLAY}`;

/** By file, without ".ts": names of tests. */
const TESTS = {
  "base/bytes cose/anchor base/refuse tools/text manifest/code-points": READER,
  "cbor/reader": `${READER} reader-source`,
  "base/number hash/digest": "reader cose number digest commands hostile",
  "manifest/parse tools/envelope": `decode-envelope keep policy octets reader ${PLAY}`,
  "tools/file-kinds": "file-kinds",
  "cose/message cose/verify": `cose policy trust trust-families trust-update keep ${PLAY}`,
  "trust/trust-list": `trust trust-families trust-update policy ${PLAY}`,
  "trust/open trust/trust-file": `cose policy trust trust-families trust-update trust-epoch counters receive ${PLAY}`,
  "interpreter/frame interpreter/commands": `run policy install ${PLAY}`,
  "interpreter/run": `install keep session receive policy run streaming trust-epoch ${PLAY}`,
  "install/keep install/trust-update": "keep trust-update receive",
  "install/admission": "admission",
  "install/rehearsal": "install trust-epoch receive-source run model/rehearsal",
  "install/receive": "arrival receive",
  "install/install install/session install/slots": INSTALL,
  "install/status tools/status": "status",
  "install/micro/install": "micro-session micro",
  "install/micro/manifest install/micro/open install/micro/template.generated": `micro-session micro ${PLAY_MICRO}`,
  "device/kernel device/kernel-hash device/machine": "device-kernel device-machine",
  "device/roles device/component": "device-roles",
  "device/file": "device-file streaming install-file device-stale",
  "device/flash device/generation": "device-flash device-flash-commit device-stale flash receive device-espruino",
  "device/flash-record": "device-flash flash",
  "device/espruino": "device-espruino",
  "device/storage device/storage-record": "device-storage device-storage-session device-stale receive",
  "device/memory": "device-memory device-espruino install streaming session",
  "tools/template": "micro",
  "tools/template-table": PLAY_MICRO,
  "tools/bytes": "tool-bytes",
  "tools/command-table": "command-table",
  "tools/error": "error",
  "tools/items": "items",
  "tools/names": "names",
  "tools/refusal-table": "refuse",
  "hash/compress256 hash/constants hash/small": "hash-small",
  "hash/block hash/sha256 hash/sha512 alg/hmac": "hash hmac",
  "alg/curve25519 alg/ed25519 alg/table25519": ED25519,
  "alg/scalar25519": "ed25519-scalars",
  "alg/field25519": "field25519 ed25519",
  "alg/es256": "es256 octets",
  "alg/field256 alg/ratio256": "es256 field256",
  "alg/hsslms": "hsslms",
  "alg/hsslms-joined": "hsslms-joined",
  "alg/hsslms-types": "hsslms-joined hsslms-refusals",
};

/** Groups of files that have the same tests: { files: ["cbor/reader.ts"], tests: [paths in the repository] }. */
export const GROUPS = Object.entries(TESTS).map(([files, tests]) => ({
  files: files.split(" ").map((file) => `${file}.ts`),
  tests: own(tests),
}));

/** Tests of what runs only on boards, of which "micro" begins the name or not. */
export const boardTests = (board) =>
  own(
    `device-espruino device-flash device-storage digest ed25519-scalars hash hash-small number octets refuse ${
      board.startsWith("micro")
        ? `device-storage-session hsslms hsslms-joined micro micro-session micro-storage ${PLAY_MICRO}`
        : `cose counters hsslms install keep policy run session trust trust-families ${PLAY}`
    }`,
  );

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
