// The command line, in this process: arguments and files are the input, and nothing but them. An input is text: the
// arguments in the first line, then "%% NAME" in a line before the content of each file, "%% -" before stdin. Files
// that are not given exist too. Never exit code 3 for a fault of the program, never an exception; and if something is
// refused, nothing is written and no lock is left.

import { privateKey, toPrivateJwk } from "@firmseal/signer";
import { main } from "../../packages/cli/src/main.js";
import { plainPem } from "../../packages/keys/src/formats/pkcs8.js";
import { writeHex } from "../../packages/test-support/src/image-writers.js";
import { publicKey } from "../../test-vectors/src/pieces/assemble.js";
import { descriptionSeeds } from "../common/descriptions.js";
import { RELEASES } from "../common/release.js";
import { sandboxed } from "../common/sandbox.js";
import { sealedLoose } from "../common/seal.js";
import { looseOf, seedEnvelopes, seedTrustFiles } from "../common/vectors.js";
import { Finding, type Target } from "../common/verdict.js";

const key = privateKey("ed25519", Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex"));
const text = (s: string) => Buffer.from(s);

/** An envelope, keys, a trust file, descriptions, an image. */
const FILES: ReadonlyMap<string, Uint8Array> = new Map<string, Uint8Array>([
  ["e", RELEASES[0] as Uint8Array],
  ["k", Uint8Array.from(publicKey("a"))],
  ["p", text(plainPem(key))],
  ["j", text(JSON.stringify(toPrivateJwk(key)))],
  ["t", seedTrustFiles()[0] as Uint8Array],
  ["d", descriptionSeeds()[0] as Uint8Array],
  ["o", descriptionSeeds().at(-1) as Uint8Array],
  ["i.hex", writeHex([{ address: 0x08000000, bytes: new Uint8Array(20) }])],
  [
    "td",
    text(
      JSON.stringify({
        $schema: "urn:firmseal:trust:1",
        name: "board",
        sequence: 1,
        keys: [{ file: "k", roles: ["root"] }],
        thresholds: { root: 1 },
      }),
    ),
  ],
]);

const manifests = seedEnvelopes(1500).map(looseOf);

export const seeds = () =>
  [
    "verify e -k k --json",
    "verify e --trust t --vendor example.com --class a",
    "inspect e",
    "inspect e --diag",
    "inspect e --json",
    "whosigned e -k k",
    "whosigned e --trust t --json",
    "sign e -k p",
    "sign i.hex -k p --sequence 8 --vendor example.com --class b --uri #fw -o x.suit",
    "sign d -k p -o y.suit",
    "tbs e -k k -o -",
    "attach e -k k --signature s",
    "pubkey p",
    "pubkey j --format jwk",
    "convert p --to pem --no-passphrase -o q",
    "create --from o -o z.suit",
    "create --from -\n%% -\n{}",
    "audit p",
    "trust show t",
    "trust verify t -k k",
    "trust create --from td -o tt",
    "trust export t",
    "trust sign t -k p",
    "install e -k k --dir v --vendor example.com --class a",
    "hss show p",
    "verify --help",
    "verify a -k k\n%% a\n\xd8\x6b\xa1",
    "rotate plan --trust t --fleet f e\n%% f\n{}",
    ...[
      "inspect m",
      "inspect m --json",
      "verify m -k k",
      "sign m -k p",
      "whosigned m -k k",
      "tbs m -k k -o x",
      "install m -k k --dir v --vendor example.com --class a",
    ].flatMap((command, i) =>
      manifests.filter((_, k) => k % 7 === i).map((manifest) => `${command}\n%% ~m\n${Buffer.from(manifest).toString("latin1")}`),
    ),
  ].map((s) => Buffer.from(s, "latin1"));

/** Commands that are slow by nature, and get no hostile file. */
const SLOW = /^(bundle|simulate)$/;
const NAME = /^[a-z][a-z0-9]{0,7}(\.(suit|json|hex|uf2|elf|bin|pem|trust|log|sig))?$/;
/** Bytes on stdout and stderr: an envelope is shown in full, and this much is in none of at most 16 kB. */
const LOUD = 4 << 20;

export const fuzz: Target = async (input) => {
  const parts = Buffer.from(input).toString("latin1").split("\n%% ");
  const [line = "", ...given] = parts;
  // an argument of a process cannot contain a NUL
  const args = Buffer.from(line.replaceAll("\0", ""), "latin1")
    .toString("utf8")
    .split(" ")
    .filter((a) => a !== "");
  if (args.some((a) => SLOW.test(a) || a.includes("hsslms"))) return;
  const files = new Map(FILES);
  let stdin: Uint8Array = new Uint8Array(0);
  for (const part of given) {
    const end = part.indexOf("\n");
    const name = end < 0 ? part : part.slice(0, end);
    const content = Buffer.from(end < 0 ? "" : part.slice(end + 1), "latin1");
    if (name === "-") stdin = content;
    else if (NAME.test(name)) files.set(name, content);
    // after "~", an envelope around any manifest, signed by key "k"
    else if (name[0] === "~" && NAME.test(name.slice(1))) files.set(name.slice(1), sealedLoose(content) ?? content);
  }
  const { value, err, out, files: left, changed } = await sandboxed(files, stdin, () => main(args));
  if (![0, 1, 2, 3].includes(value)) throw new Finding(`exit ${value}`);
  const fault = /a fault of this program: .*/.exec(err)?.[0];
  if (fault !== undefined) throw new Finding(fault);
  if (out > LOUD) throw new Finding(`${out} bytes were said`);
  const rubbish = left.filter((name) => /\.lock|\.tmp$|\.new$/.test(name));
  if (rubbish.length > 0) throw new Finding(`left behind: ${rubbish.join(", ").replace(/[0-9a-f]{8,}/g, "")}`);
  const written = changed.filter((name) => !name.endsWith(".log"));
  if (value !== 0 && written.length > 0) throw new Finding(`exit ${value}, and ${written.join(", ")} was written`);
};
