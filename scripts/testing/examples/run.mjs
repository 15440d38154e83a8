// Runs examples in the folder where the packages are installed, each in a folder of its own with the files that it
// reads, and with what it leaves to its reader as globals: `node run.mjs FILE…`. Prints what fails, as JSON, by file.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const FOLDER = process.cwd();
const PASSPHRASE = "correct horse";
const FACTS = { vendor: "example.com", class: "board-v2", version: "1.4.2" };
const PRODUCT = `name = "acme"
vendor = "example.com"

[keys]
release = "plain.pem"

[sequence]
source = "version"

[boards.gateway]
image = "app.bin"
inside = true
`;
/** The packages of the folder, not those beside this file. */
const load = (name) => import(pathToFileURL(createRequire(join(FOLDER, "x.js")).resolve(name)).href);

const { anchor, embeddedTrust, macAttester, open, status } = await load("@firmseal/verifier");
const { flashDevice } = await load("@firmseal/verifier/device/flash");
const { DEVICES } = await load("@firmseal/simulator");
const { signRelease } = await load("@firmseal/release");
const { formatPrivate, formatPublic, versionNumber } = await load("@firmseal/keys");
const { encode, encodeTrust, identityUuids, privateKey, publicOf, signEnvelopeWithoutLog, signer, signTrustWithoutLog, singleImage } =
  await load("@firmseal/signer");

// plain patterns are published test keys
const seedOf = (text) => new Uint8Array(createHash("sha256").update(text).digest());
const seed = seedOf("a key of examples");
const key = privateKey("ed25519", seed);
const image = new TextEncoder().encode("firmware");
const { vendor, class: board } = identityUuids("example.com", "board-v2");
const identity = { vendor: [vendor], class: [board] };
const release = (sequence) =>
  encode(
    singleImage({
      sequence,
      vendor: "example.com",
      class: "board-v2",
      digest: createHash("sha256").update(image).digest("hex"),
      size: image.length,
      uri: "#firmware",
      payload: image,
    }),
  );
const unsigned = release(versionNumber("1.5.0").toString());
const envelope = await signEnvelopeWithoutLog(release(7), [signer(key)]);
const root = privateKey("ed25519", new Uint8Array(32).fill(8));
const trustFile = await signTrustWithoutLog(
  encodeTrust({
    name: "board",
    sequence: 1n,
    anchors: [
      { key: publicOf(root), roles: ["root"] },
      { key: publicOf(key), roles: ["release"] },
    ],
    thresholds: { root: 1, release: 1 },
  }),
  [signer(root)],
);
const files = {
  "app.bin": image,
  "app.hex": ":0400000001020304F2\n:00000001FF\n",
  "app.suit": envelope,
  "fw.suit": envelope,
  "unsigned.suit": unsigned,
  "release.pem": await formatPrivate(key, "pkcs8", Buffer.from(PASSPHRASE)),
  "plain.pem": await formatPrivate(key, "pkcs8"),
  "downloads.pem": await formatPrivate(privateKey("ed25519", seedOf("a key of files")), "pkcs8"),
  "pub.pem": formatPublic(key, "pem"),
  "pub.raw": key.key,
  "first.trust": trustFile,
  "firmseal.toml": PRODUCT,
  "manifest.json": JSON.stringify({
    $schema: "urn:firmseal:manifest:1",
    sequence: 7,
    components: [["app"]],
    "shared-sequence": [
      {
        "directive-override-parameters": {
          "vendor-identifier": { domain: "example.com" },
          "class-identifier": { domain: "example.com", name: "board-v2" },
          image: { payload: "#firmware" },
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ],
    install: [{ "directive-override-parameters": { uri: "#firmware" } }, "directive-fetch", "condition-image-match"],
    validate: ["condition-image-match"],
    invoke: ["directive-invoke"],
    payloads: { "#firmware": { file: "app.bin" } },
  }),
};

/** A device on a flash in RAM. */
function newDevice() {
  const memory = new Uint8Array(32 * 4096).fill(255);
  const flash = {
    pageSize: 4096,
    read: (address, n) => memory.slice(address, address + n),
    write: (address, bytes) => memory.set(bytes, address),
    erase: (address) => memory.fill(255, address, address + 4096),
  };
  const layout = {
    components: [{ id: [[0]], slots: [0, 0x8000], size: 0x8000 }],
    envelopes: { slots: [0x10000, 0x14000], size: 0x4000 },
    records: [0x18000, 0x19000],
  };
  return flashDevice(flash, identity, layout, () => true);
}

/** Sets what examples leave to their reader: given.d.ts. */
function give() {
  const device = newDevice();
  const trust = { anchors: [anchor("ed25519", key.key)] };
  const nonce = new Uint8Array(16).fill(1);
  const secret = new Uint8Array(32).fill(2);
  const serial = new Uint8Array([1]);
  const answer = status(nonce, device, open(envelope, trust), null, macAttester(secret, serial));
  const store = embeddedTrust(trustFile);
  const names = {
    envelope,
    unsigned,
    image,
    seed,
    publicKey: key.key,
    message: image,
    signature: new Uint8Array(64),
    hubStore: DEVICES.flash.make,
  };
  Object.assign(globalThis, names, { vendorUuid: vendor, classUuid: board, trust, store, device, nonce, secret, serial, answer });
}

const wrong = {};
console.log = () => {};
process.on("warning", () => {});
for (const file of process.argv.slice(2)) {
  const own = mkdtempSync(join(FOLDER, "run-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(own, name), content, { mode: 0o600 });
  mkdirSync(join(own, "state"));
  process.chdir(own);
  Object.assign(process.env, { FIRMSEAL_STATE: join(own, "state"), RELEASE_PASSPHRASE: PASSPHRASE });
  give();
  try {
    // its log has an entry
    if (readFileSync(join(FOLDER, file), "utf8").includes("release.pem"))
      await signRelease("app.bin", ["release.pem"], { ...FACTS, passphrases: [{ env: "RELEASE_PASSPHRASE" }] });
    process.env.RELEASE_PASSPHRASE = PASSPHRASE;
    await import(pathToFileURL(join(FOLDER, file)).href);
  } catch (error) {
    wrong[file] = error?.stack ?? JSON.stringify(error);
  }
}
process.chdir(FOLDER);
process.stdout.write(JSON.stringify(wrong));
