// What people hand in by mistake, and what others hand in on purpose: one line that says what is wrong, one hint, the exit code as
// documented, nothing written.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { signer } from "@firmseal/signer";
import {
  ENV_AUTHENTICATION_WRAPPER,
  ENV_MANIFEST,
  HASH_SHA_256,
  MAN_COMMON,
  MAN_INSTALL_OLD,
  MAN_SEQUENCE_NUMBER,
  MAN_VERSION,
  TAG_ENVELOPE,
} from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../../../signer/src/cbor.js";
import {
  bin,
  DEVICE,
  expectFailure,
  FACTS,
  keyA,
  type Place,
  Result,
  signImage,
  standard,
} from "../../../../test-support/src/command-line/run.js";
import { encrypted, fails, PASS, place } from "./bad-input-place.js";

type Bucket = "inspect" | "verify" | "sign" | "install";

const COMMANDS: { [name in Bucket]: (file: string) => string[] } = {
  inspect: (file) => ["inspect", file],
  verify: (file) => ["verify", file, "--key", "A.jwk"],
  sign: (file) => ["sign", file, "--key", "B.pem", "--out", "out.suit"],
  install: (file) => ["install", file, ...DEVICE, ...FACTS],
};

const all: Bucket[] = ["inspect", "verify", "sign", "install"];

/** An envelope as drafts before -29 had it: install is 17, in the manifest or severed into the envelope. */
async function oldDraft(severed: boolean): Promise<Uint8Array> {
  const sequence = cbor([]);
  const digest = (content: Uint8Array): Encodable => [HASH_SHA_256, createHash("sha256").update(content).digest()];
  const manifest = cbor(
    new Map<Encodable, Encodable>([
      [MAN_VERSION, 1],
      [MAN_SEQUENCE_NUMBER, 1],
      [MAN_COMMON, cbor(new Map<Encodable, Encodable>([[2, [[Uint8Array.of(0)]]]]))],
      [MAN_INSTALL_OLD, severed ? digest(cbor(sequence)) : sequence],
    ]),
  );
  const message = cbor(digest(cbor(manifest)));
  const bucket = cbor(new Map<Encodable, Encodable>([[1, -19]]));
  const signature = await signer(keyA).sign(cbor(["Signature1", bucket, new Uint8Array(), message]));
  const block = cbor(new Tagged(18, [bucket, new Map(), null, signature]));
  return cbor(
    new Tagged(
      TAG_ENVELOPE,
      new Map<Encodable, Encodable>([
        [ENV_AUTHENTICATION_WRAPPER, cbor([message, block])],
        [ENV_MANIFEST, manifest],
        ...(severed ? [[MAN_INSTALL_OLD, sequence] as const] : []),
      ]),
    ),
  );
}

describe.concurrent("refused as an envelope", () => {
  const files: [name: string, exit: number, says: string, make: (p: Place) => string | Promise<string>, only?: Bucket[]][] = [
    ["text", 1, "", (p) => p.put("x.suit", "hello, world\n")],
    ["an image", 1, "", () => "fw.bin", ["inspect", "verify", "install"]],
    ["a PEM key", 1, "", () => "A.pem", ["inspect", "verify", "install"]],
    ["an empty file", 1, "", (p) => p.put("x.suit", "")],
    ["a folder", 2, "is a folder, not a file", (p) => p.folder("x.suit")],
    ["a FIFO", 2, "FIFO", fifo],
    ["a device", 2, "device", () => "/dev/zero"],
    ["a missing file", 3, "file not found", () => "gone.suit"],
    ["a path through a file", 3, "not a folder", () => "fw.bin/x.suit"],
    ["a name that is too long", 3, "too long", () => "x".repeat(300)],
    ["a link that leads nowhere", 3, "file not found", (p) => link(p, "gone")],
    ["a link to itself", 3, "symbolic links", (p) => link(p, "x.suit")],
  ];
  for (const [name, exit, says, make, only] of files) {
    it(name, async () => {
      const p = place();
      const file = await make(p);
      for (const command of only ?? all) expect(await fails(p, exit, COMMANDS[command](file)), command).toContain(says);
    });
  }

  /** What inspect shows all the same. */
  const wellFormed: [name: string, says: string, make: () => Uint8Array | Promise<Uint8Array>][] = [
    ["an empty map", "", () => Uint8Array.of(0xa0)],
    ["an old draft, install = 17 in the manifest", "install is element 17", () => oldDraft(false)],
    ["an old draft, install = 17 in the envelope", "install is element 17", () => oldDraft(true)],
    ["a manifest without its envelope (tag 1070)", "", () => cbor(new Tagged(1070, new Map<Encodable, Encodable>([[1, 1]])))],
  ];
  it.each(wellFormed)("%s", async (_, says, make) => {
    const p = place();
    const file = p.put("x.suit", await make());
    for (const command of all.filter((one) => one !== "inspect"))
      expect(await fails(p, 1, COMMANDS[command](file)), command).toContain(says);
    const shown = await p.run(COMMANDS.inspect(file));
    expect(shown.stdout.split("\n")[0]).toMatch(/^x\.suit: \d+ bytes?, refused by devices/);
    expect(expectFailure(new Result(["inspect", file], shown.exit, shown.signal, Buffer.of(), shown.stderr), 1)).toContain(says);
  });

  it("a sparse file larger than memory is not an envelope", async () => {
    const p = place();
    p.put("x.suit", "");
    truncateSync(p.at("x.suit"), 2 ** 33);
    const line = expectFailure(await p.run(["inspect", "x.suit"]), 1);
    expect(line).toContain("not a SUIT envelope");
    expect(expectFailure(await p.run(["sign", "x.suit", "--key", "B.pem"]), 2)).toContain("too large");
  });
});

function fifo(p: Place): string {
  execFileSync("mkfifo", [p.at("pipe")]);
  return "pipe";
}

function link(p: Place, to: string): string {
  symlinkSync(to, p.at("x.suit"));
  return "x.suit";
}

describe.concurrent("refused as a key", () => {
  it("a wrong passphrase, or none", async () => {
    const p = place();
    const o = { env: { P: "another" } };
    for (const args of [
      ["sign", "fw.suit", "--key", "e.pem", "--out", "o.suit", "--passphrase-env", "P"],
      ["verify", "fw.suit", "--key", "e.pem", "--passphrase-env", "P"],
      ["pubkey", "e.pem", "--passphrase-env", "P"],
    ])
      expect(await fails(p, 3, args, o)).toContain("wrong passphrase");
    expect(await fails(p, 3, ["sign", "fw.suit", "--key", "e.pem"])).toContain("terminal");
    expect(await fails(p, 3, ["sign", "fw.suit", "--key", "e.pem", "--passphrase-env", "NOT_THERE"])).toContain("NOT_THERE");
    expect(await fails(p, 3, ["sign", "fw.suit", "--key", "e.pem", "--passphrase-fd", "7"])).toContain("7");
  });

  it("a public key where a private one is needed", async () => {
    const p = place();
    p.put("A.raw", keyA.key);
    for (const name of ["B.jwk", "A.raw"]) expect(await fails(p, 2, ["sign", "fw.suit", "--key", name])).toContain("public key");
  });

  const files: [name: string, exit: number, make: (p: Place) => string][] = [
    ["an empty file", 2, (p) => p.put("k", "")],
    ["text", 2, (p) => p.put("k", "hello")],
    ["an image", 2, () => "fw.bin"],
    ["an envelope", 2, () => "fw.suit"],
    ["a PEM that is cut short", 2, (p) => p.put("k", p.get("A.pem").subarray(0, 60))],
    ["a JWK that is cut short", 2, (p) => p.put("k", p.get("A.jwk").subarray(0, 60))],
    ["an encrypted PEM that is cut short", 2, (p) => p.put("k", encrypted.subarray(0, encrypted.length - 60))],
    ["more than a key", 2, (p) => p.put("k", new Uint8Array(100_000))],
    ["a folder", 2, (p) => p.folder("k")],
    ["a FIFO", 2, fifo],
    ["a missing file", 3, () => "gone.pem"],
  ];
  for (const [name, exit, make] of files) {
    it(name, async () => {
      const p = place();
      const file = make(p);
      await fails(p, exit, ["sign", "fw.suit", "--key", file, "--passphrase-env", "P"], { env: { P: PASS } });
      await fails(p, exit, ["verify", "fw.suit", "--key", file]);
      if (name === "text" || exit === 3) await fails(p, exit, ["pubkey", file]);
    });
  }
});

describe.concurrent("refused elsewhere", () => {
  it("payloads and descriptions that are not files", async () => {
    const p = place();
    const pipe = fifo(p);
    p.folder("dir");
    await signImage(p, 1, "o.suit", ["--uri", "http://x/fw"]);
    for (const [file, exit] of [
      [pipe, 2],
      ["dir", 2],
      ["gone", 3],
    ] as const) {
      await fails(p, exit, ["verify", "o.suit", "--key", "A.jwk", "--payload", file]);
      await fails(p, exit, ["install", "o.suit", ...DEVICE, ...FACTS, "--payload", file]);
      await fails(p, exit, ["create", "--from", file]);
      await fails(p, exit, ["sign", file, "--key", "A.pem", ...FACTS, "--seq", "1"]);
    }
    p.put("empty.bin", "");
    await fails(p, 1, ["sign", "empty.bin", "--key", "A.pem", ...FACTS, "--seq", "1"]);
    await fails(p, 1, ["sign", "empty.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "http://x/fw"]);
    await fails(p, 1, ["create", "--from", "empty.bin"]);
  });

  it("outputs that cannot be written", async () => {
    const p = place();
    p.folder("dir");
    const pipe = fifo(p);
    const sign = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out"];
    for (const [out, exit] of [
      ["dir", 2],
      [pipe, 2],
      ["/dev/null", 2],
      ["/dev/stdout", 2],
      ["gone/out.suit", 3],
      ["fw.bin/out.suit", 3],
      ["x".repeat(300), 3],
    ] as const)
      await fails(p, exit, [...sign, out]);
    // as long as a name may be
    for (const name of [`${"y".repeat(250)}.suit`, `${"長".repeat(83)}.suit`]) {
      await p.ok([...sign, name]);
      expect(p.has(name)).toBe(true);
    }
    expect(p.names().filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  const asNobody = spawnSync(process.execPath, [bin, "--version"], { uid: 65534, gid: 65534 });
  const canDrop = process.getuid?.() === 0 && asNobody.status === 0;
  const why = canDrop ? "" : " (skipped: needs root, and a checkout that every user can read)";
  it.skipIf(!canDrop)(`a file that may not be read, a folder that may not be written${why}`, async () => {
    const p = place();
    const q = standard();
    // the folder of this test file: nobody goes through it otherwise
    for (const around of [p, q].map(({ path }) => join(path, ".."))) if (around.includes("firmseal-file-")) chmodSync(around, 0o711);
    chmodSync(p.path, 0o755);
    for (const name of ["A.jwk", "fw.bin"]) chmodSync(p.at(name), 0o644);
    const o = { uid: 65534 };
    expect(await fails(p, 3, ["inspect", "fw.suit"], o)).toContain("permission denied");
    expect(await fails(p, 3, ["verify", "fw.suit", "--key", "A.jwk"], o)).toContain("fw.suit");
    expect(await fails(p, 3, ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"], o)).toContain("A.pem");
    for (const name of ["A.pem", "B.pem"]) chownSync(p.at(name), 65534, 65534);
    chmodSync(p.at("fw.suit"), 0o644);
    const sign = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1"];
    // a log that may not be read is not taken for one that does not exist
    expect(await fails(p, 3, sign, o)).toMatch(/firmseal: \S+\.log: permission denied/);
    chownSync(q.path, 65534, 65534);
    const elsewhere = { ...o, env: { FIRMSEAL_STATE: q.at("state") } };
    expect(await fails(p, 3, sign, elsewhere)).toContain("fw.suit: permission denied");
    // the output is checked before the log
    expect(await fails(p, 3, [...sign, "--log", q.at("log")], elsewhere)).toContain("fw.suit");
    // no number is used for an output that cannot be written
    expect(q.has("log")).toBe(false);
    await fails(p, 3, ["sign", "fw.suit", "--key", "B.pem"], o);
    await fails(p, 3, ["keygen", "--out", "k.pem", "--no-passphrase"], o);
    await fails(p, 3, ["install", "fw.suit", ...DEVICE, ...FACTS], o);
    mkdirSync(p.at("sub"), { mode: 0o700 });
    await fails(p, 3, ["inspect", "sub/x.suit"], o);
  });
});
