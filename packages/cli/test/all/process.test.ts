// Every command once as a user starts it: a process of its own, which waits for the disk, with nothing in its environment
// but PATH and a HOME that is empty at first. Other tests call most commands in their own process, where no write waits.

import { sign } from "node:crypto";
import { copyFileSync, readdirSync } from "node:fs";
import { identityUuids } from "@firmseal/signer";
import { anchor, install, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../test-support/src/bytes.js";
import { call } from "../../../test-support/src/command-line/in-process.js";
import { start } from "../../../test-support/src/command-line/program.js";
import { expectExit, image, Place } from "../../../test-support/src/command-line/run.js";
import { LONG, OF_SOME } from "../../../test-support/src/environment/effort.js";
import { closedPort } from "../../../test-support/src/keys/kms-servers.js";
import { SoftHsm, why } from "../../../test-support/src/keys/softhsm.js";
import { Postgres, whyNoPostgres } from "../../../test-support/src/ledger/postgres.js";
import { COMMANDS } from "../../src/commands.generated.js";
import { devices, TEMPLATE } from "../batch/batch-place.js";

const FACTS = "--vendor example.com --class board-v2";
const cohort = { name: "all", devices: 10, vendor: "example.com", class: "board-v2", floor: 2 };
const anchors = [["R.jwk", "root"] as const, ...["A.jwk", "B.jwk"].map((key) => [key, "release"] as const)];
const trust = (sequence: number) => ({
  $schema: "urn:firmseal:trust:1",
  name: "board",
  sequence,
  anchors: anchors.map(([key, role]) => ({ key, roles: [role] })),
  thresholds: { root: 1, release: 1 },
});
const MANIFEST = { $schema: "urn:firmseal:manifest:1", sequence: 1, components: [["00"]] };
const NONCE = "00112233445566778899aabbccddeeff";
const secret = new Uint8Array(32).fill(7);

let p: Place;
let hsm: SoftHsm | undefined;
let postgres: Postgres | undefined;
let as: string | undefined;
beforeAll(() => {
  p = new Place();
  for (const folder of ["home", "archive"]) p.folder(folder);
  p.put("fw.bin", image(500));
  p.put("d.json", JSON.stringify(MANIFEST));
  p.put("template.json", JSON.stringify(TEMPLATE));
  p.put("devices.csv", devices(2));
  p.put("one.json", JSON.stringify(trust(1)));
  p.put("two.json", JSON.stringify(trust(2)));
  p.put("fleet.json", JSON.stringify({ cohorts: [{ ...cohort, trust: "one.trust" }] }));
  p.put("later.json", JSON.stringify({ cohorts: [{ ...cohort, trust: "two.trust" }] }));
  p.put("row.jsonl", `${JSON.stringify({ ...cohort, name: "serial-1", devices: 1, keys: ["A.jwk"], floor: 0 })}\n`);
  p.put("secret.jwk", JSON.stringify({ kty: "oct", kid: "serial-1", k: Buffer.from(secret).toString("base64url") }));
});

const signs = (key: string, tbs: string) => () => p.put(`${tbs}.sig`, sign(null, p.get(tbs), p.get(key)));
const copies = (from: string, to: string) => () => copyFileSync(p.at(from), p.at(to));

/** What a device that has installed fw.suit answers. */
function answer(nonce: string): Uint8Array {
  const { vendor, class: kind } = identityUuids("example.com", "board-v2");
  const device = memoryDevice({ vendor: [vendor], class: [kind] }, [[Uint8Array.of(0)]], 65536);
  const key = Buffer.from(JSON.parse(p.get("A.jwk").toString()).x, "base64url");
  const progress = install(Uint8Array.from(p.get("fw.suit")), { anchors: [anchor("ed25519", key)] }, device);
  progress.next();
  const by = macAttester(secret, utf8("serial-1"));
  return Uint8Array.from(status(Uint8Array.from(Buffer.from(nonce, "hex")), device, progress.manifest, null, by));
}

function answers(): void {
  const bytes = answer(JSON.parse(p.get("asked.jsonl").toString()).nonce);
  p.put("answers.jsonl", `${JSON.stringify({ status: Buffer.from(bytes).toString("base64") })}\n`);
}

/** In order, what is typed, and what happens before: a command needs what others have written. */
const STEPS: readonly (readonly [line: string, before?: () => unknown])[] = [
  ...["A", "B", "C", "R"].flatMap((key) => [
    [`keygen --no-passphrase --out ${key}.pem`] as const,
    [`pubkey ${key}.pem --format jwk --out ${key}.jwk`] as const,
  ]),
  ["keygen --no-passphrase --alg hsslms --hss 5/2 --out h.hss"],
  ["hss status h.hss"],
  ["convert A.pem --format openssh --no-passphrase --out A.ssh"],
  ["create --from d.json --out d.suit"],
  [`sign fw.bin --key A.pem ${FACTS} --seq 1 --out fw.suit`],
  [`sign fw.bin --key A.pem ${FACTS} --seq 2 --out two.suit`],
  ["tbs two.suit --key B.jwk --out two.tbs"],
  ["attach two.suit --key B.jwk --signature two.tbs.sig", signs("B.pem", "two.tbs")],
  ["approve fw.suit --key B.pem"],
  ["batch template.json --devices devices.csv --key C.pem --out batch --first"],
  ["audit A.pem"],
  ["verify fw.suit --key A.jwk"],
  ["lint fw.suit"],
  ["explain fw.suit"],
  ["inspect fw.suit"],
  ["extract fw.suit --key A.jwk --out extracted.bin"],
  ["diff fw.suit two.suit"],
  ["whosigned fw.suit --key A.jwk"],
  ["report fw.suit --key A.jwk --out fw.html"],
  [`install fw.suit --key A.jwk ${FACTS} --dir dev`],
  ["simulate fw.suit --key A.jwk --device memory --second-cuts 1"],
  ["bundle --alg ed25519 --out verifier.js"],
  ["init --vendor example.com --board one=fw.bin --key A.pem --name product --lone-key"],
  ["doctor --fail-on error"],
  ["release --version 1.0.0 --first"],
  ["withdraw 1.0.0 --reason bad"],
  ["trust create --from one.json"],
  ["trust sign one.trust --key R.pem"],
  ["trust show one.trust"],
  ["trust verify one.trust --root R.jwk"],
  ["trust export one.trust --root R.jwk --out trust.js"],
  ["trust create --from two.json --previous-trust one.trust"],
  ["trust tbs two.trust --key R.jwk --previous-trust one.trust --out R.tbs"],
  ["trust attach two.trust --key R.jwk --signature R.tbs.sig --previous-trust one.trust", signs("R.pem", "R.tbs")],
  ["trust diff one.trust two.trust"],
  ["trust merge two.trust copy.trust --previous-trust one.trust", copies("two.trust", "copy.trust")],
  ["trust chain one.trust two.trust --out chain.trust"],
  [`rotate bridge fw.bin --trust one.trust --next-trust two.trust ${FACTS} --seq 3 --key A.pem --fleet fleet.json --out bridge.suit`],
  ["rotate plan --fleet fleet.json --release bridge.suit"],
  ["rotate next --fleet fleet.json --archive archive", copies("bridge.suit", "archive/bridge.suit")],
  ["rotate retire B.jwk --trust two.trust --fleet later.json --key R.pem --out without.trust"],
  ["incident stolen --key B.jwk --replacement C.jwk --trust two.trust --fleet later.json --image fw.bin --dir night"],
  ["status ask --fleet row.jsonl --out asked.jsonl"],
  ["status collect answers.jsonl --nonces asked.jsonl --secret secret.jwk --fleet row.jsonl --out new.jsonl", answers],
  [`status verify answer.cbor --nonce ${NONCE} --secret secret.jwk`, () => p.put("answer.cbor", answer(NONCE))],
  ["keys move A.pem B.pem"],
  ["completion bash"],
];
const TOKEN_STEPS: typeof STEPS = [
  ["token keygen pkcs11:token=release;object=fw --passphrase-env PIN", () => hsm?.init("release")],
  ["token list pkcs11:token=release"],
];

const PLACE = "postgres:///ledgers#example.com/product";
const owner = () => {
  as = "owner";
};
const signer = () => {
  as = "signer";
};
const LEDGER_STEPS: typeof STEPS = [
  [`ledger init --ledger ${PLACE} --signers signer`, owner],
  [`ledger import B.pem.log --ledger ${PLACE} --allow-people`, signer],
  [`ledger status --ledger ${PLACE}`],
  [`ledger verify --ledger ${PLACE}`],
  [`ledger export --ledger ${PLACE} --out ledger.log`],
];

async function run(line: string, before: (() => unknown) | undefined, isProcess: boolean): Promise<void> {
  await before?.();
  const env = { PATH: process.env["PATH"] ?? "", HOME: p.at("home"), ...hsm?.env, ...postgres?.env, ...(as && { PGUSER: as }) };
  expectExit(await (isProcess ? start : call)(line.split(" "), env, [], { cwd: p.path }), 0);
}

it("every command of the table has a step", () => {
  const steps = [...STEPS, ...TOKEN_STEPS, ...LEDGER_STEPS];
  expect(COMMANDS.map(({ name }) => name).filter((name) => !steps.some(([line]) => line.startsWith(`${name} `)))).toEqual([]);
});

describe(`a process of its own ends well${OF_SOME}:`, () => {
  // by default every sixth is one, and the others are called here, to make what later ones read
  for (const [i, [line, before]] of STEPS.entries()) it(`firmseal ${line}`, () => run(line, before, LONG || i % 6 === 0));

  it("and keeps in HOME only what this machine has seen", () => {
    expect(readdirSync(p.at("home"))).toEqual([".local"]);
    expect(readdirSync(p.at("home", ".local/state/firmseal"))).not.toEqual([]);
  });

  describe.skipIf(why !== "")(`with a token${why}`, () => {
    beforeAll(() => {
      hsm = new SoftHsm(p);
    });
    for (const [line, before] of TOKEN_STEPS) it(`firmseal ${line}`, () => run(line, before, true));
  });

  describe.skipIf(whyNoPostgres !== "")(`with a server${whyNoPostgres}`, () => {
    beforeAll(async () => {
      postgres = new Postgres(await closedPort());
    });
    afterAll(() => postgres?.remove());
    for (const [line, before] of LEDGER_STEPS) it(`firmseal ${line}`, () => run(line, before, true));
  });
});
