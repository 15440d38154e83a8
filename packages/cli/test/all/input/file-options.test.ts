// A file or a folder that an option names and that cannot be used: the message names the option, whatever the reason is.

import { rmSync, symlinkSync, truncateSync } from "node:fs";
import { signer } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { FACTS, type Place, signImage } from "../../../../test-support/src/command-line/run.js";
import { OF_SOME, some } from "../../../../test-support/src/environment/effort.js";
import { COMMANDS } from "../../../src/commands.generated.js";
import { devices, TEMPLATE } from "../../batch/batch-place.js";
import { B, old, R1, rotationPlace } from "../../rotate/rotation-place.js";

type Bad = Readonly<Record<string, string>>;

/** What cannot be used where a command reads a file of a kind, or any file. */
const ANY: Bad = { missing: "gone", "a folder": "fold", "through a file": "app.bin/x", "a link to itself": "loop" };
const FILE: Bad = { ...ANY, "too large": "huge", "of another kind": "junk" };
/** The same where a command writes a file, appends to a log, and reads or makes a folder. */
const OUT: Bad = { "a folder": "fold", "through a file": "app.bin/x", "in no folder": "gone/x", "a link to itself": "loop" };
const LOG: Bad = { "a folder": "fold", "a link to itself": "loop", "too large": "huge", "of another kind": "junk" };
const FOLDER: Bad = { "through a file": "app.bin/x", "a file": "junk", "a link to itself": "loop" };

const INIT = "init --vendor example.com --board b=app.bin --name n";
const SIGN = `sign app.bin --key A.pem ${FACTS.join(" ")} --seq 9 --out x.suit`;
const TBS = `tbs app.bin --key A.jwk ${FACTS.join(" ")} --seq 9 --out x.tbs --envelope-out x.suit`;
const BATCH = "batch template.json --devices list.csv --first";
const BRIDGE = `rotate bridge app.bin --trust t1.trust --next-trust t2.trust --key A.pem --key B.pem ${FACTS.join(" ")} --seq 21 --out x.suit`;
const INCIDENT = "incident stolen --key A.jwk --trust t2.trust --fleet fleet.json --dir night --replacement D.jwk --image app.bin";
const COLLECT = `status collect answers.jsonl --out new.jsonl --nonces sent.jsonl --secret A.oct --fleet devices.jsonl ${FACTS.join(" ")}`;

/** For each command: working command lines, by the options that name a file or a folder; `?` is the place of its name. */
const LINES: { readonly [command: string]: { readonly [option: string]: readonly [line: string, bad: Bad] } } = {
  convert: { "--out": ["convert A.pem --format pem --no-passphrase --out ?", OUT] },
  keygen: { "--out": ["keygen --no-passphrase --out ?", OUT] },
  "keys move": { "--log": ["keys move A.pem D.pem --log ?", LOG] },
  pubkey: { "--out": ["pubkey A.pem --out ?", OUT] },
  init: {
    "--out": [`${INIT} --key A.pem --root B.pem --root D.pem --out ?`, OUT],
    "--key": [`${INIT} --out new.toml --root B.pem --root D.pem --key ?`, FILE],
    "--root": [`${INIT} --out new.toml --key A.pem --root B.pem --root ?`, FILE],
    "--trust": [`${INIT} --out new.toml --root B.jwk --trust ?`, FILE],
  },
  doctor: {
    "--product": ["doctor --product ?", FILE],
    "--images": ["doctor --images ?", { ...FOLDER, missing: "gone" }],
  },
  release: {
    "--product": ["release --version 1.0.0 --first --product ?", FILE],
    "--images": ["release --version 1.0.0 --first --images ?", { ...FOLDER, missing: "gone" }],
    "--out": ["release --version 1.0.0 --first --out ?", FOLDER],
    "--previous-release": ["release --version 1.0.0 --previous-release ?", FILE],
    "--diff": ["release --version 1.0.0 --diff ?", FILE],
    "--sarif-out": ["release --version 1.0.0 --first --sarif-out ?", OUT],
    "--log": ["release --version 1.0.0 --first --log ?", LOG],
    "--approver": ["release --version 1.0.0 --first --approver ? --approval fw.approval", FILE],
    "--approval": ["release --version 1.0.0 --first --approver B.jwk --approval ?", FILE],
    "--key": ["release --version 1.0.0 --first --product together.toml --key ?", FILE],
  },
  withdraw: {
    "--product": ["withdraw made/1.0.0 --reason bad --product ?", FILE],
    "--key": ["withdraw made/1.0.0 --reason bad --product together.toml --key ?", FILE],
    "--log": ["withdraw made/1.0.0 --reason bad --product together.toml --key A.jwk --log ?", LOG],
  },
  approve: {
    "--key": ["approve fw.suit --key ?", FILE],
    "--out": ["approve fw.suit --key B.pem --out ?", OUT],
    "--previous-trust": ["approve new.trust --key B.pem --previous-trust ?", FILE],
    "--log": ["approve fw.suit --key B.pem --log ?", LOG],
    "--product": ["approve made/1.0.0 --key C.pem --product ?", FILE],
    "--previous-release": ["approve made/1.0.0 --key C.pem --product together.toml --previous-release ?", FILE],
  },
  "ledger init": { "--product": ["ledger init --product ?", FILE] },
  "ledger status": { "--product": ["ledger status --product ?", FILE] },
  "ledger verify": {
    "--product": ["ledger verify --product ?", FILE],
    "--checkpoint": ["ledger verify --ledger postgres://127.0.0.2:1/d#n --checkpoint ?", FILE],
  },
  "ledger export": {
    "--product": ["ledger export --out x.log --product ?", FILE],
    "--out": ["ledger export --ledger postgres://127.0.0.2:1/d#n --out ?", { ...OUT, "that exists": "junk" }],
  },
  "ledger import": { "--product": ["ledger import one --product ?", FILE] },
  attach: {
    "--key": ["attach fw.suit --key ? --signature B.sig", FILE],
    "--signature": ["attach fw.suit --key B.jwk --signature ?", FILE],
    "--out": ["attach fw.suit --key B.jwk --signature B.sig --out ?", OUT],
    "--trust": ["attach fw.suit --key B.jwk --signature B.sig --trust ?", FILE],
    "--log": ["attach fw.suit --key B.jwk --signature B.sig --log ?", LOG],
    "--approver": ["attach fw.suit --key B.jwk --signature B.sig --approver ? --approval fw.approval", FILE],
    "--approval": ["attach fw.suit --key B.jwk --signature B.sig --approver C.jwk --approval ?", FILE],
    "--product": ["attach made/1.0.0 --from made/1.0.0 --product ?", FILE],
    "--from": ["attach made/1.0.0 --product together.toml --from ?", { ...FOLDER, missing: "gone" }],
  },
  audit: {
    "--envelope": ["audit one --envelope ?", FILE],
    "--batch": ["audit one --envelope fw.suit --batch ?", FILE],
    "--merge-out": ["audit one two --merge-out ?", OUT],
  },
  batch: {
    "--devices": ["batch template.json --key A.pem --out x --first --devices ?", FILE],
    "--key": [`${BATCH} --out x --key ?`, FILE],
    "--out": [`${BATCH} --key A.pem --out ?`, FOLDER],
    "--trust": [`${BATCH} --key A.pem --out x --trust ?`, FILE],
    "--log": [`${BATCH} --key A.pem --out x --log ?`, LOG],
  },
  create: { "--from": ["create --out x.suit --from ?", FILE], "--out": ["create --from d.json --out ?", OUT] },
  sign: {
    "--key": [SIGN.replace("A.pem", "?"), FILE],
    "--out": [SIGN.replace("x.suit", "?"), OUT],
    "--product": ["sign app.bin --board b --version 1.0.0 --out x.suit --product ?", FILE],
    "--image-out": [`${SIGN} --image-out ?`, OUT],
    "--public-key": ["sign app.bin --format minisign --key D.pem --out x.sig --public-key ?", FILE],
    "--trust": [`${SIGN} --trust ?`, FILE],
    "--log": [`${SIGN} --log ?`, LOG],
    "--approver": [`${SIGN} --approver ? --approval fw.approval`, FILE],
    "--approval": [`${SIGN} --approver C.jwk --approval ?`, FILE],
  },
  tbs: {
    "--product": ["tbs made/1.0.0 --key A.jwk --out published --product ?", FILE],
    "--key": [TBS.replace("A.jwk", "?"), FILE],
    "--out": [TBS.replace("x.tbs", "?"), { "through a file": "app.bin/x", "in no folder": "gone/x" }],
    "--envelope-out": [TBS.replace("x.suit", "?"), OUT],
    "--image-out": [`${TBS} --image-out ?`, OUT],
    "--trust": [`${TBS} --trust ?`, FILE],
    "--log": [`${TBS} --log ?`, LOG],
    "--approver": [`${TBS} --approver ? --approval fw.approval`, FILE],
    "--approval": [`${TBS} --approver C.jwk --approval ?`, FILE],
  },
  bundle: {
    "--machine-code-out": [
      "bundle --micro --alg hsslms --host sha256 --device storage --format espruino --target pixl.js --out x.js --machine-code-out ?",
      OUT,
    ],
    "--out": ["bundle --alg ed25519 --out ?.js", { "through a file": "app.bin/x", "in no folder": "gone/x" }],
    "--source-out": ["bundle --alg ed25519 --out x.js --source-out ?", OUT],
  },
  diff: { "--product": ["diff fw.suit fw2.suit --product ?", FILE] },
  extract: {
    "--out": ["extract fw.suit --key A.jwk --out ?", { "through a file": "app.bin/x", "in no folder": "gone/x" }],
    "--key": ["extract fw.suit --out x.bin --key ?", FILE],
    "--trust": ["extract bridge2.suit --out x.bin --root R1.jwk --trust ?", FILE],
    "--root": ["extract bridge2.suit --out x.bin --trust t1.trust --root ?", FILE],
    "--previous-trust": ["extract bridge2.suit --out x.bin --trust t2.trust --previous-trust ?", FILE],
    "--product": ["extract fw.suit --out x.bin --product ?", FILE],
    "--payload": ["extract outside.suit --out x.bin --key A.jwk --payload ?", ANY],
  },
  explain: { "--product": ["explain fw.suit --product ?", FILE] },
  inspect: { "--product": ["inspect fw.suit --product ?", FILE] },
  install: {
    "--dir": [`install fw.suit --key A.jwk ${FACTS.join(" ")} --dir ?`, FOLDER],
    "--key": [`install fw.suit --dir dev ${FACTS.join(" ")} --key ?`, FILE],
    "--trust": [`install fw.suit --dir dev ${FACTS.join(" ")} --root R1.jwk --trust ?`, FILE],
    "--root": [`install fw.suit --dir dev ${FACTS.join(" ")} --trust t1.trust --root ?`, FILE],
    "--previous-trust": [`install fw.suit --dir dev ${FACTS.join(" ")} --trust t2.trust --previous-trust ?`, FILE],
    "--product": ["install fw.suit --dir dev --key A.jwk --product ?", FILE],
    "--payload": [`install outside.suit --dir dev --key A.jwk ${FACTS.join(" ")} --payload ?`, ANY],
  },
  lint: {
    "--product": ["lint fw.suit --product ?", FILE],
    "--previous-release": ["lint fw.suit --previous-release ?", FILE],
    "--trust": ["lint fw.suit --trust ?", FILE],
    "--root": ["lint fw.suit --trust t1.trust --root ?", FILE],
    "--previous-trust": ["lint fw.suit --trust t2.trust --previous-trust ?", FILE],
    "--payload": ["lint outside.suit --payload ?", ANY],
    "--sarif-out": ["lint fw.suit --sarif-out ?", OUT],
  },
  report: {
    "--out": ["report fw.suit --key A.jwk --out ?", OUT],
    "--key": ["report fw.suit --out x.html --key ?", FILE],
    "--trust": ["report bridge2.suit --out x.html --root R1.jwk --root R2.jwk --trust ?", FILE],
    "--root": ["report bridge2.suit --out x.html --trust t1.trust --root ?", FILE],
    "--previous-trust": ["report bridge2.suit --out x.html --trust t2.trust --previous-trust ?", FILE],
    "--previous-release": ["report fw2.suit --out x.html --key A.jwk --previous-release ?", FILE],
    "--document": ["report fw.suit --out x.html --key A.jwk --document ?", ANY],
    "--product": ["report fw.suit --out x.html --key A.jwk --product ?", FILE],
  },
  simulate: {
    "--key": [`simulate fw.suit --device memory ${FACTS.join(" ")} --key ?`, FILE],
    "--trust": [`simulate bridge2.suit --device memory ${FACTS.join(" ")} --root R1.jwk --trust ?`, FILE],
    "--root": [`simulate bridge2.suit --device memory ${FACTS.join(" ")} --trust t1.trust --root ?`, FILE],
    "--previous-trust": [`simulate bridge2.suit --device memory ${FACTS.join(" ")} --trust t2.trust --previous-trust ?`, FILE],
    "--payload": [`simulate outside.suit --device memory ${FACTS.join(" ")} --key A.jwk --payload ?`, ANY],
    "--previous-release": [`simulate fw2.suit --device memory ${FACTS.join(" ")} --key A.jwk --previous-release ?`, FILE],
    "--previous-payload": [
      `simulate fw2.suit --device memory ${FACTS.join(" ")} --key A.jwk --previous-release outside.suit --previous-payload ?`,
      ANY,
    ],
  },
  verify: {
    "--key": ["verify fw.suit --key ?", FILE],
    "--trust": ["verify bridge2.suit --root R1.jwk --trust ?", FILE],
    "--root": ["verify bridge2.suit --trust t1.trust --root ?", FILE],
    "--previous-trust": ["verify bridge2.suit --trust t2.trust --previous-trust ?", FILE],
    "--payload": ["verify outside.suit --key A.jwk --payload ?", ANY],
    "--product": ["verify fw.suit --product ?", FILE],
    "--log": ["verify made/1.0.0 --product together.toml --log ?", FILE],
    "--previous-release": ["verify made/1.0.0 --product together.toml --previous-release ?", FILE],
    "--signature": ["verify app.bin --key A.jwk --signature ?", FILE],
  },
  whosigned: {
    "--key": ["whosigned fw.suit --key ?", FILE],
    "--keys": ["whosigned fw.suit --keys ?", { ...FOLDER, missing: "gone" }],
    "--trust": ["whosigned fw.suit --root R1.jwk --trust ?", FILE],
    "--root": ["whosigned fw.suit --trust t1.trust --root ?", FILE],
    "--previous-trust": ["whosigned fw.suit --trust t2.trust --previous-trust ?", FILE],
  },
  "trust attach": {
    "--key": ["trust attach new.trust --key ? --signature B.sig", FILE],
    "--signature": ["trust attach new.trust --key R1.jwk --signature ?", FILE],
    "--out": ["trust attach new.trust --key R1.jwk --signature new.sig --out ?", OUT],
    "--previous-trust": ["trust attach new.trust --key R1.jwk --signature new.sig --previous-trust ?", FILE],
    "--log": ["trust attach new.trust --key R1.jwk --signature new.sig --log ?", LOG],
    "--approver": ["trust attach new.trust --key R1.jwk --signature new.sig --approver ? --approval fw.approval", FILE],
    "--approval": ["trust attach new.trust --key R1.jwk --signature new.sig --approver C.jwk --approval ?", FILE],
  },
  "trust chain": { "--out": ["trust chain t1.trust t2.trust --out ?", OUT] },
  "trust create": {
    "--from": ["trust create --out x.trust --from ?", FILE],
    "--out": ["trust create --from t.json --out ?", OUT],
    "--previous-trust": ["trust create --from t.json --out x.trust --previous-trust ?", FILE],
  },
  "trust export": {
    "--root": ["trust export t1.trust --root ?", FILE],
    "--previous-trust": ["trust export t2.trust --previous-trust ?", FILE],
    "--out": ["trust export t1.trust --root R1.jwk --out ?", OUT],
  },
  "trust merge": {
    "--out": ["trust merge new.trust signed.trust --out ?", OUT],
    "--previous-trust": ["trust merge new.trust signed.trust --out x.trust --previous-trust ?", FILE],
    "--log": ["trust merge new.trust signed.trust --out x.trust --log ?", LOG],
    "--approver": ["trust merge new.trust signed.trust --out x.trust --approver ? --approval fw.approval", FILE],
    "--approval": ["trust merge new.trust signed.trust --out x.trust --approver C.jwk --approval ?", FILE],
  },
  "trust sign": {
    "--key": ["trust sign new.trust --key ?", FILE],
    "--out": ["trust sign new.trust --key R1.pem --out ?", OUT],
    "--previous-trust": ["trust sign new.trust --key R1.pem --previous-trust ?", FILE],
    "--log": ["trust sign new.trust --key R1.pem --log ?", LOG],
    "--approver": ["trust sign new.trust --key R1.pem --approver ? --approval fw.approval", FILE],
    "--approval": ["trust sign new.trust --key R1.pem --approver C.jwk --approval ?", FILE],
  },
  "trust tbs": {
    "--key": ["trust tbs new.trust --out x.tbs --key ?", FILE],
    "--out": ["trust tbs new.trust --key R1.jwk --out ?", OUT],
    "--previous-trust": ["trust tbs new.trust --out x.tbs --key R1.jwk --previous-trust ?", FILE],
    "--log": ["trust tbs new.trust --out x.tbs --key R1.jwk --log ?", LOG],
    "--approver": ["trust tbs new.trust --out x.tbs --key R1.jwk --approver ? --approval fw.approval", FILE],
    "--approval": ["trust tbs new.trust --out x.tbs --key R1.jwk --approver C.jwk --approval ?", FILE],
  },
  "trust verify": {
    "--root": ["trust verify t1.trust --root ?", FILE],
    "--previous-trust": ["trust verify t2.trust --previous-trust ?", FILE],
  },
  "rotate bridge": {
    "--product": [`${BRIDGE.replace(/ --vendor.* --seq 21/, "")} --board b --product ?`, FILE],
    "--trust": [BRIDGE.replace("t1.trust", "?"), FILE],
    "--next-trust": [BRIDGE.replace("t2.trust", "?"), FILE],
    "--key": [BRIDGE.replace("A.pem", "?"), FILE],
    "--signer": [`${BRIDGE.replaceAll(/ --key \S+/g, "")} --signer ? --signer B.jwk`, FILE],
    "--out": [BRIDGE.replace("x.suit", "?"), OUT],
    "--image-out": [`${BRIDGE} --image-out ?`, OUT],
    "--fleet": [`${BRIDGE} --fleet ?`, FILE],
    "--log": [`${BRIDGE} --log ?`, LOG],
  },
  "rotate next": {
    "--product": ["rotate next --fleet fleet.json --archive published --product ?", FILE],
    "--fleet": ["rotate next --archive published --fleet ?", FILE],
    "--archive": ["rotate next --fleet fleet.json --archive ?", { ...FOLDER, missing: "gone" }],
  },
  "rotate plan": {
    "--product": ["rotate plan --fleet fleet.json --release bridge2.suit --product ?", FILE],
    "--fleet": ["rotate plan --release bridge2.suit --fleet ?", FILE],
    "--release": ["rotate plan --fleet fleet.json --release ?", FILE],
    "--have": ["rotate plan --fleet fleet.json --release bridge2.suit --have ?", FILE],
    "--lost": ["rotate plan --fleet fleet.json --release bridge2.suit --lost ?", FILE],
    "--stolen": ["rotate plan --fleet fleet.json --release bridge2.suit --stolen ?", FILE],
  },
  "rotate retire": {
    "--product": ["rotate retire A.jwk --key R1.pem --fleet fleet.json --out x.trust --product ?", FILE],
    "--trust": ["rotate retire A.jwk --key R1.pem --fleet fleet.json --out x.trust --trust ?", FILE],
    "--key": ["rotate retire A.jwk --trust t2.trust --fleet fleet.json --out x.trust --key ?", FILE],
    "--fleet": ["rotate retire A.jwk --trust t2.trust --key R1.pem --out x.trust --fleet ?", FILE],
    "--out": ["rotate retire A.jwk --trust t2.trust --key R1.pem --fleet fleet.json --out ?", OUT],
    "--log": [
      "rotate retire A.jwk --trust t2.trust --key R1.pem --key R2.pem --fleet fleet.json --allow-stranded old --out x.trust --log ?",
      LOG,
    ],
  },
  incident: {
    "--product": [`${INCIDENT} --product ?`, FILE],
    "--key": [INCIDENT.replace("A.jwk", "?"), FILE],
    "--trust": [INCIDENT.replace("t2.trust", "?"), FILE],
    "--fleet": [INCIDENT.replace("fleet.json", "?"), FILE],
    "--dir": [INCIDENT.replace("night", "?"), FOLDER],
    "--replacement": [INCIDENT.replace("D.jwk", "?"), FILE],
    "--image": [INCIDENT.replace("app.bin", "?"), ANY],
  },
  "status ask": { "--fleet": ["status ask --out x.jsonl --fleet ?", FILE], "--out": ["status ask --fleet devices.jsonl --out ?", OUT] },
  "status collect": {
    "--product": [`${COLLECT} --product ?`, FILE],
    "--nonces": [COLLECT.replace("sent.jsonl", "?"), FILE],
    "--secret": [COLLECT.replace("A.oct", "?"), FILE],
    "--key": [COLLECT.replace("--secret A.oct", "--key ?"), FILE],
    "--fleet": [COLLECT.replace("devices.jsonl", "?"), FILE],
    "--trust": [`${COLLECT} --trust ?`, FILE],
    "--archive": [`${COLLECT} --archive ?`, { ...FOLDER, missing: "gone" }],
    "--out": [COLLECT.replace("new.jsonl", "?"), OUT],
  },
  "status verify": {
    "--secret": ["status verify one.status --nonce 00112233445566778899aabbccddeeff --secret ?", FILE],
    "--key": ["status verify one.status --nonce 00112233445566778899aabbccddeeff --key ?", FILE],
    "--product": ["status verify one.status --nonce 00112233445566778899aabbccddeeff --secret A.oct --product ?", FILE],
  },
};

let p: Place;
/** What is there before a command runs. */
let names: string[];
beforeAll(async () => {
  p = await rotationPlace();
  p.put("fw.bin", p.get("app.bin"));
  await signImage(p, 1, "fw.suit");
  await signImage(p, 2, "fw2.suit");
  await signImage(p, 3, "outside.suit", ["--uri", "https://example.com/elsewhere.bin"]);
  p.put(
    "firmseal.toml",
    'name = "lock"\nvendor = "example.com"\n[keys]\nrelease = "A.pem"\n[boards.b]\nclass = "board-v2"\nimage = "fw.bin"\n',
  );
  p.put("template.json", JSON.stringify(TEMPLATE));
  p.put("list.csv", devices(2));
  p.put("d.json", JSON.stringify({ $schema: "urn:firmseal:manifest:1", sequence: 1, components: [[]] }));
  const anchors = [
    { key: "R1.jwk", roles: ["root"] },
    { key: "A.jwk", roles: ["release"] },
  ];
  p.put(
    "t.json",
    JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
  );
  await p.ok(["trust", "create", "--from", "t.json", "--out", "new.trust"]);
  await p.ok(["trust", "sign", "new.trust", "--key", "R1.pem", "--out", "signed.trust"]);
  await p.ok(["approve", "fw.suit", "--key", "C.pem", "--out", "fw.approval"]);
  await p.ok(["tbs", "fw.suit", "--key", "B.jwk", "--out", "B.tbs"]);
  p.put("B.sig", await signer(B).sign(p.get("B.tbs")));
  await p.ok(["trust", "tbs", "new.trust", "--key", "R1.jwk", "--out", "new.tbs"]);
  p.put("new.sig", await signer(R1).sign(p.get("new.tbs")));
  await p.ok([...SIGN.split(" "), "--log", "one"]);
  p.put("two", p.get("one"));
  await p.ok([...SIGN.replace("--seq 9", "--seq 10").split(" "), "--log", "two"]);
  p.put("A.oct", JSON.stringify({ kty: "oct", kid: "serial-1", k: Buffer.alloc(32, 7).toString("base64url") }));
  p.put("devices.jsonl", `${JSON.stringify({ ...old, name: "serial-1", devices: 1, vendor: "example.com", class: "board-v2" })}\n`);
  p.put("sent.jsonl", `${JSON.stringify({ device: "serial-1", nonce: "0".repeat(32), sent: "2026-02-01T08:00:00.000Z" })}\n`);
  p.put("answers.jsonl", `${JSON.stringify({ status: "oA==" })}\n`);
  p.put("one.status", "x");
  p.put(
    "together.toml",
    p
      .get("firmseal.toml")
      .toString()
      .replace(/\[keys\]\n.*/, '[trust]\nkeys = ["A.jwk", "B.jwk"]\nthreshold = 2'),
  );
  await p.ok(["release", "--version", "1.0.0", "--first", "--product", "together.toml", "--out", "made"]);
  p.folder("published");
  p.folder("fold");
  p.put("junk", "no file of ours\n".repeat(7));
  p.put("huge", "");
  truncateSync(p.at("huge"), 258 * 2 ** 20);
  symlinkSync("loop", p.at("loop"));
  rmSync(p.at("x.suit"));
  names = p.names();
});

/** What the values of options are called if they name no file and no folder. */
const NOT_FILES =
  /<(name|names|n|bytes|board|class|cohort|consumer|days|format|hex|levels|number|part|place|policy|release|severity|size|slot|target|text|thumbprint|uri|vendor|verdicts|version)>/;
/** Options whose path no command opens: an allowed folder may be missing. */
const NOT_OPENED = ["approve --allow-outside", "doctor --allow-outside", "release --allow-outside", "sign --allow-outside"];

it("every option that names a file or a folder is tried", async () => {
  const all = await Promise.all(COMMANDS.map(async ({ name, load }) => ({ name, options: (await load()).default.options?.() ?? [] })));
  const found = all.flatMap(({ name, options }) =>
    options.filter(({ flags }) => flags.includes("<") && !NOT_FILES.test(flags)).map(({ long }) => `${name} ${long}`),
  );
  const tried = Object.entries(LINES).flatMap(([name, options]) => Object.keys(options).map((one) => `${name} ${one}`));
  expect([...tried, ...NOT_OPENED].sort()).toEqual(found.sort());
});

describe.each(Object.entries(LINES))("firmseal %s names the option if a file cannot be used:", (_, options) => {
  it.each(Object.entries(options))(`%s${OF_SOME}`, async (option, [line, bad]) => {
    for (const [what, name] of some(Object.entries(bad), 3)) {
      const r = await p.run(line.replace("?", name).split(" "));
      const said = /^firmseal: .*$/m.exec(r.stderr)?.[0].replace(`${p.path}/`, "");
      expect({ what, exit: r.exit, said }).toEqual({
        what,
        exit: expect.toSatisfy((exit) => exit > 0),
        said: expect.stringContaining(`firmseal: ${option} ${name}`),
      });
      expect(p.names(), what).toEqual(names);
    }
  });
});

it("both options are named if both name the file, and none if an argument does", async () => {
  const both = await p.run(INCIDENT.replace("t2.trust", "fold").replace("fleet.json", "fold").split(" "));
  expect(both.stderr).toMatch(/^firmseal: --trust and --fleet fold is a folder, not a file\n/);
  expect((await p.run(["sign", "fold", "--key", "fold", ...FACTS, "--seq", "1"])).stderr).toMatch(/^firmseal: fold is a folder/);
});
