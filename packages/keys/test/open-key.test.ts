// An open key as a resource: an AbortSignal ends what waits for it, and disposing of it ends the key.

import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { privateKey, toPrivateJwk } from "@firmseal/signer";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { encryptedPem } from "../src/formats/pkcs8.js";
import { lock, openKey, type SigningKey, withSigners, withSigningLogs } from "../src/index.js";

const TBS = new TextEncoder().encode("to be signed");
let folder: string;
const at = (name: string) => join(folder, name);
const key = privateKey("ed25519", new Uint8Array(32).fill(7));

beforeEach(() => {
  folder = temporaryFolder("firmseal-open-key-");
  vi.stubEnv("FIRMSEAL_STATE", at("state"));
  writeFileSync(at("k.jwk"), JSON.stringify(toPrivateJwk(key)), { mode: 0o600 });
  return () => vi.unstubAllEnvs();
});

/** Runs `work` with a signal that aborts while it waits, and expects the reason of the signal. */
async function aborted(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const [abort, reason] = [new AbortController(), new Error("enough")];
  // the folder of the marks is made for their locks
  const files = () => readdirSync(folder).filter((name) => name !== "state");
  const before = files();
  const begun = Date.now();
  setTimeout(() => abort.abort(reason), 100);
  await expect(work(abort.signal)).rejects.toBe(reason);
  expect(Date.now() - begun).toBeLessThan(5000);
  expect(files()).toEqual(before);
  await expect(work(AbortSignal.abort(reason))).rejects.toBe(reason);
}

describe("an AbortSignal ends", () => {
  it.skipIf(process.platform === "win32")("a program that describes its key, with its children", async () => {
    writeFileSync(at("slow"), `#!/bin/sh\nsleep 60 && touch ${at("late")}\n`, { mode: 0o755 });
    await aborted((signal) => openKey(`exec:${at("slow")}`, { signal }));
    expect(existsSync(at("late"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")("a program that signs", async () => {
    const answer = { contractVersion: 1, alg: "ed25519", publicKey: Buffer.from(key.key).toString("base64") };
    const script = `#!/bin/sh\nread -r line\ncase "$line" in *describe-key*) echo '${JSON.stringify(answer)}';; *) sleep 60;; esac\n`;
    writeFileSync(at("slow"), script, { mode: 0o755 });
    await aborted((signal) => withSigners([`exec:${at("slow")}`], [], ([one]) => (one as SigningKey).signer.sign(TBS), { signal }));
  });

  it("a service that does not answer", async () => {
    const silent: Server = createServer((socket) => onTestFinished(() => void socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    vi.stubEnv("VAULT_ADDR", `http://127.0.0.1:${port}`);
    vi.stubEnv("VAULT_TOKEN", "x");
    await aborted((signal) => openKey("vault:transit/release", { signal }));
  });

  it.skipIf(process.platform === "win32")("the wait for a passphrase, and for a key, from a descriptor", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const fd = openSync(at("pipe"), constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(fd));
    writeFileSync(at("k.pem"), await encryptedPem(key, Buffer.from("passphrase")), { mode: 0o600 });
    await aborted((signal) => openKey(at("k.pem"), { passphrases: [{ fd }], signal }));
    await aborted((signal) => openKey(`fd:${fd}`, { signal }));
  });

  it("the wait for a lock, and for the log of a key", async () => {
    const held = await lock(at("lock"));
    onTestFinished(() => held.release());
    await aborted((signal) => lock(at("lock"), { signal }));
    const log = await lock(at("k.jwk.log.lock"));
    onTestFinished(() => log.release());
    await using opened = await openKey(at("k.jwk"));
    await aborted((signal) => withSigningLogs([opened], undefined, async () => expect.fail("runs"), { signal }));
  });
});

describe("disposing of a key", () => {
  it("overwrites a private key, which signs nothing afterwards", async () => {
    let left: SigningKey;
    {
      await using opened = await openKey(at("k.jwk"));
      left = opened as SigningKey;
      await left.signer.sign(TBS);
      expect(left.private?.secret.some((byte) => byte !== 0)).toBe(true);
    }
    expect(left.private?.secret.every((byte) => byte === 0)).toBe(true);
    await expect(left.signer.sign(TBS)).rejects.toThrow("wiped");
  });

  it("is possible for each key, also for one that holds nothing", async () => {
    await using opened = await openKey(at("k.jwk"), { publicOnly: true });
    expect(opened.public.key).toEqual(key.key);
  });
});
