// What the key services have in common: libraries that are not there, and services that never answer.

import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { expectExit, expectFailure, FACTS, image, Place } from "../../test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../../test-support/src/environment/effort.js";
import { CANARY, proxyTo } from "../../test-support/src/keys/kms-servers.js";
import { callService, unknownTrouble } from "../src/sources/services/service.js";

const KINDS = {
  "awskms:alias/release": "@aws-sdk/client-kms",
  "gcpkms:projects/a/locations/b/keyRings/c/cryptoKeys/d/cryptoKeyVersions/1": "@google-cloud/kms",
  "azurekv:https://acme.vault.azure.net/keys/release": "@azure/keyvault-keys @azure/identity",
} as const;

describe("a program that was installed without the libraries", () => {
  /** Runs the command line as a package manager unpacks it, with nothing beside it. */
  function sign(p: Place, ref: string) {
    const home = p.at("node_modules", "firmseal");
    for (const name of ["bin", "dist", "package.json"])
      cpSync(fileURLToPath(new URL(`../../cli/${name}`, import.meta.url)), join(home, name), { recursive: true });
    p.put("fw.bin", image(100));
    const args = [join(home, "bin/firmseal.js"), "sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"];
    const r = spawnSync(process.execPath, args, { cwd: p.path, encoding: "utf8", env: { PATH: process.env["PATH"], NO_COLOR: "1" } });
    return { exit: r.status, stdout: r.stdout, lines: r.stderr.split("\n") };
  }

  it.each(Object.entries(KINDS))("%s says what to install", (ref, packages) => {
    const p = new Place();
    expect(sign(p, ref)).toEqual({
      exit: 3,
      stdout: "",
      lines: [`firmseal: --key ${ref}: the library of the service is not installed`, `hint: npm install ${packages}`, ""],
    });
    expect(p.names()).toEqual(["fw.bin", "node_modules"]);
  });

  it("a damaged one is distinguished, and its content is not passed on", () => {
    const p = new Place();
    p.folder("node_modules/@aws-sdk/client-kms");
    p.put("node_modules/@aws-sdk/client-kms/index.js", `throw new Error("${CANARY}");`);
    expect(sign(p, "awskms:alias/release")).toMatchObject({
      exit: 3,
      lines: [
        "firmseal: --key awskms:alias/release: the library of the service cannot be loaded here",
        "hint: npm install @aws-sdk/client-kms",
        "",
      ],
    });
  });
});

describe("the limit on time", () => {
  afterEach(() => void vi.useRealTimers());

  it("ends a call that never ends, and notifies the library", async () => {
    vi.useFakeTimers();
    let told: AbortSignal | undefined;
    const call = callService(
      "awskms:x",
      (signal) => {
        told = signal;
        return new Promise(() => {});
      },
      () => ["never", "asked"],
    );
    const outcome = expect(call).rejects.toMatchObject({ exit: 3, message: "awskms:x: the service did not answer in time" });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(told?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(told?.aborted).toBe(true);
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer behind a call that ends", async () => {
    vi.useFakeTimers();
    expect(
      await callService(
        "x",
        async () => 7,
        () => ["", ""],
      ),
    ).toBe(7);
    await expect(
      callService(
        "x",
        async () => Promise.reject(new Error("no")),
        () => ["what", "hint"],
      ),
    ).rejects.toMatchObject({
      message: "x: what",
      hint: "hint",
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.skipIf(!LONG)(`ends the command if a service accepts the connection and sends nothing${AT_LENGTH}`, { timeout: 200_000 }, async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const { url } = await proxyTo(port);
    const p = new Place();
    p.put("fw.bin", image(100));
    const account = { type: "authorized_user", client_id: "x", client_secret: CANARY, refresh_token: CANARY };
    p.put("account.json", JSON.stringify(account));
    const env = {
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "x",
      AWS_SECRET_ACCESS_KEY: CANARY,
      AWS_REGION: "eu-west-1",
      HTTPS_PROXY: url,
      https_proxy: url,
      NO_PROXY: "127.0.0.1",
      GOOGLE_APPLICATION_CREDENTIALS: p.at("account.json"),
      IDENTITY_ENDPOINT: `http://127.0.0.1:${port}`,
      IDENTITY_HEADER: CANARY,
      AZURE_TOKEN_CREDENTIALS: "prod",
    };
    const runs = Object.keys(KINDS).map(async (ref) => {
      const r = await p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1", "--out", "x.suit"], { env, limit: 100_000 });
      expect(expectFailure(r, 3)).toMatch(/in time|cannot be reached|credentials/);
      expect(r.stderr).not.toContain(CANARY);
    });
    await Promise.all(runs);
    expect(p.has("x.suit")).toBe(false);
  });
});

it.each(Object.keys(KINDS))("%s: refuses to work without certificate checks", async (ref) => {
  const p = new Place();
  p.put("fw.bin", image(100));
  const r = await p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"], { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
  expectExit(r, 3);
  const lines = r.stderr
    .trim()
    .split("\n")
    .filter((line) => !line.includes("Warning") && !line.startsWith("(Use"));
  expect(lines).toEqual([
    `firmseal: --key ${ref}: NODE_TLS_REJECT_UNAUTHORIZED=0 is set, and anybody could answer as the service`,
    "hint: unset it; if you use your own proxy, give its certificate: NODE_EXTRA_CA_CERTS",
  ]);
  expect(p.names()).toEqual(["fw.bin"]);
});

it("an error that no table names is reported by its class, if that is a word", () => {
  expect(unknownTrouble("S", "SomeException")[0]).toBe("S has failed (SomeException)");
  for (const mark of [undefined, 7, "", "two words", "a\u001b[31m", "x".repeat(100)])
    expect(unknownTrouble("S", mark)[0]).toBe("S has failed");
});
