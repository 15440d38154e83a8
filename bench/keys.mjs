// Keys: signatures made per second, and HSS/LMS keys made, signed with and verified, against OpenSSL and Botan in the
// same run. `--long`: makes a key of height 20 as well, which takes minutes.

import { spawnSync } from "node:child_process";
import * as crypto from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, dependencyOf, environment, figure, median, native, rates, signer, table, title, verifier } from "./lib.mjs";

const ours = await verifier();
const s = await signer();
const long = process.argv.includes("--long");
const message = new Uint8Array(crypto.randomBytes(60));
const ratio = (rate, base) => (rate && base ? `${(rate / base).toFixed(2)} ×` : "");

/** What a program prints until it ends or its time is over; undefined if it is not installed. */
function output(command, args, o = {}) {
  const r = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], ...o });
  return r.status === 0 || r.signal ? r.stdout : undefined;
}

/** Like rates(), for functions that return promises. */
async function asyncRates(tasks, { rounds = 5, seconds = 0.3 } = {}) {
  const seen = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(tasks)) {
      const start = performance.now();
      let calls = 0;
      do {
        await run();
        calls++;
      } while (performance.now() - start < seconds * 1000);
      if (round >= 0) seen[name].push((calls * 1000) / (performance.now() - start));
    }
  }
  return Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)]));
}

{
  const secret = new Uint8Array(crypto.randomBytes(32));
  const noble = await dependencyOf("signer", "@noble/ed25519");
  const { sha512 } = await dependencyOf("signer", "@noble/hashes/sha2.js");
  noble.hashes.sha512 = sha512;
  const { p256 } = await dependencyOf("signer", "@noble/curves/nist.js");
  const [ed, ec] = ["ed25519", "es256"].map((alg) => s.signer(s.privateKey(alg, secret)));
  const edNode = crypto.generateKeyPairSync("ed25519").privateKey;
  const ecNode = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const result = await asyncRates({
    ed: () => ed.sign(message),
    edNoble: () => noble.sign(message, secret),
    edNode: () => crypto.sign(null, message, edNode),
    ec: () => ec.sign(message),
    ecNoble: () => p256.sign(message, secret),
    ecNode: () => crypto.sign("sha256", message, ecNode),
  });
  // the last lines of -mr: +F4 and +F6 with bits, name, signatures and verifications per second
  const speed = output("openssl", ["speed", "-mr", "-seconds", "1", "ed25519", "ecdsap256"]) ?? "";
  const ecOpenssl = Number(/^\+F4:\d+:256:([\d.]+):/m.exec(speed)?.[1]);
  const edOpenssl = Number(/^\+F6:\d+:253:Ed25519:([\d.]+):/m.exec(speed)?.[1]);
  title("Signatures made per second");
  const row = (name, rate, base) => [name, rate || "not installed", rate ? 1000 / rate : "", ratio(rate, base)];
  table(
    ["implementation", "per second", "ms each", "against ours"],
    [
      row("Ed25519: firmseal, verified before it leaves", result.ed, result.ed),
      row("Ed25519: @noble/ed25519, not verified", result.edNoble, result.ed),
      row("Ed25519: node:crypto, not verified", result.edNode, result.ed),
      row("Ed25519: openssl speed", edOpenssl, result.ed),
      row("ES256: firmseal, verified before it leaves", result.ec, result.ec),
      row("ES256: @noble/curves, not verified", result.ecNoble, result.ec),
      row("ES256: node:crypto, not verified", result.ecNode, result.ec),
      row("ES256: openssl speed", ecOpenssl, result.ec),
    ],
  );
}

/** A stack with all its floors, at its first leaf. */
function stack(levels) {
  const params = s.parseHss(levels);
  const top = s.hssTop(params, crypto.randomBytes(16), crypto.randomBytes(params.n));
  const trees = s.hssTrees(params, top, 0n);
  const floors = trees.map((tree) => s.cachedNodes(tree, 0, s.cachedCount(tree)));
  const key = s.hssPublicKey(params, top, s.rootOf(top, floors[0]));
  return { sign: (index) => s.hssSign(params, trees, floors, index, message), key };
}

const host = { sha256: native("sha256") };

{
  const rows = [];
  for (const levels of ["10/1", "10/4", "10/8", "n24:10/4", "10/4,10/4"]) {
    const { sign, key } = stack(levels);
    const signature = sign(0n);
    if (!ours.hsslms.verify(key, message, signature, {})) throw new Error(`${levels} does not verify`);
    let next = 0n;
    const r = rates(
      {
        own: () => ours.hsslms.verify(key, message, signature, {}),
        node: () => ours.hsslms.verify(key, message, signature, host),
        sign: () => sign(next++ % 1024n),
      },
      { rounds: 5, seconds: 0.2 },
    );
    rows.push([levels, signature.length, r.own, r.node, r.sign]);
  }
  title("HSS/LMS in this process: verified and signed per second, one thread");
  table(["levels", "bytes", "verified, SHA-256 of its own", "verified, SHA-256 of node:crypto", "signed"], rows);
  // it continues with other hashes and levels for minutes; these are the first
  const speed = output("botan", ["speed", "--msec=500", "HSS-LMS"], { timeout: 8_000 }) ?? "";
  for (const what of ["sign", "verify"]) {
    const found = new RegExp(`^HSS-LMS-SHA-256,HW\\(10,1\\) (\\d+) ${what}/sec`, "m").exec(speed);
    if (!found) continue;
    const mine = what === "sign" ? rows[0][4] : rows[0][2];
    console.log(`botan speed, 10/1: ${figure(Number(found[1]))} ${what}/sec, ${ratio(Number(found[1]), mine)} ours`);
  }
  console.log("(Botan makes the whole tree again for each signature; firmseal keeps nodes of it.)\n");
}

const folder = mkdtempSync(join(tmpdir(), "firmseal-keys-"));
try {
  const env = environment(join(folder, "machine"));
  const run = (command, args) => {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
    return { seconds: (performance.now() - start) / 1000, stdout };
  };
  const firmseal = (...args) => run(process.execPath, [CLI, ...args]);
  writeFileSync(join(folder, "fw.bin"), crypto.randomBytes(1024));
  const hasBotan = output("botan", ["version"]) !== undefined;
  let made = 0;
  const keygen = (levels) => firmseal("keygen", "--alg", "hsslms", "--hss", levels, "--no-passphrase", "--out", `${made++}.hss`).seconds;
  const sign = (key) =>
    firmseal("sign", "fw.bin", "--key", key, "--vendor", "example.com", "--class", "a", "--seq", "1", "--out", "a.suit").seconds;
  const botan = (...args) => run("botan", args);
  const rows = [];
  const compare = (what, mine, theirs) => {
    const [a, b] = [[], []];
    for (let i = 0; i < 3; i++) {
      a.push(mine());
      if (hasBotan) b.push(theirs().seconds);
    }
    rows.push([what, median(a), hasBotan ? median(b) : "not installed", hasBotan ? `${(median(b) / median(a)).toFixed(2)} ×` : ""]);
  };
  for (const [h, w] of [
    [10, 8],
    [10, 4],
    [15, 4],
  ])
    compare(
      `make a key of ${h}/${w}`,
      () => keygen(`${h}/${w}`),
      () => botan("keygen", "--algo=HSS-LMS", `--params=SHA-256,HW(${h},${w})`),
    );
  for (const [h, w] of [
    [10, 8],
    [15, 4],
  ]) {
    keygen(`${h}/${w}`);
    const key = `${made - 1}.hss`;
    if (hasBotan) writeFileSync(join(folder, "b.pem"), botan("keygen", "--algo=HSS-LMS", `--params=SHA-256,HW(${h},${w})`).stdout);
    compare(
      `sign with ${h}/${w}`,
      () => sign(key),
      () => botan("sign", "--hash=", "b.pem", "fw.bin"),
    );
  }
  title(`HSS/LMS on the command line, start included; ${availableParallelism()} threads of ours against one of Botan's`);
  table(["work", "firmseal, s", "botan, s", "botan against ours"], rows);

  const rate = (width) => {
    const tree = { n: 32, height: 5, width, id: crypto.randomBytes(16), seed: crypto.randomBytes(32) };
    return rates({ leaves: () => s.cachedNodes(tree, 0, 32) }, { rounds: 3 }).leaves * 32;
  };
  const threads = availableParallelism();
  const sizes = [4, 8].flatMap((width) => {
    const leaves = rate(width);
    return [20, 25].map((height) => [`${height}/${width}`, leaves, 2 ** height / leaves / 60, 2 ** height / leaves / 60 / threads]);
  });
  title("Large trees, from the leaves that one thread makes in a second");
  table(["levels", "leaves per second", "one thread, min", `${threads} threads, min`], sizes);
  if (long) console.log(`measured: a key of 20/4 in ${(keygen("20/4") / 60).toFixed(2)} min\n`);
} finally {
  rmSync(folder, { recursive: true });
}
