// SoftHSM with a token of its own, in a folder of its own. From Debian: softhsm2, opensc.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Place } from "../command-line/run.js";
import { hasProgram } from "../environment/programs.js";

export const module = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib64/softhsm/libsofthsm2.so",
  "/usr/lib64/pkcs11/libsofthsm2.so",
  "/usr/local/lib/softhsm/libsofthsm2.so",
].find(existsSync);

function hasPkcs11js(): boolean {
  try {
    createRequire(import.meta.url)("pkcs11js");
    return true;
  } catch {
    return false;
  }
}

const missing = [
  !(module && hasProgram("softhsm2-util")) && "SoftHSM",
  // it does not know --version, and ends with 1, but it exists
  !hasProgram("pkcs11-tool") && "pkcs11-tool",
  !hasProgram("cc") && "C compiler",
  !hasPkcs11js() && "pkcs11js that was built",
].find((what) => what !== false);

/** Why the tests with SoftHSM skip themselves; "" if they do not. */
export const why = missing === undefined ? "" : ` (skipped: no ${missing} on this machine)`;

export const PIN = "CANARY-pin-4711";
export const SO_PIN = "CANARY-so-0815";

export class SoftHsm {
  readonly env: { [name: string]: string };
  constructor(private readonly place: Place) {
    place.folder("tokens");
    place.put("softhsm2.conf", `directories.tokendir = ${place.at("tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    this.env = { SOFTHSM2_CONF: place.at("softhsm2.conf"), FIRMSEAL_PKCS11_MODULE: module as string, PIN };
  }

  private tool(command: string, args: readonly string[]): string {
    const r = spawnSync(command, args, { env: { PATH: process.env["PATH"] ?? "", ...this.env }, encoding: "utf8" });
    expect({ status: r.status, stderr: r.status === 0 ? "" : r.stderr }, `${command} ${args.join(" ")}`).toEqual({ status: 0, stderr: "" });
    return r.stdout;
  }

  init(label: string): void {
    this.tool("softhsm2-util", ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN]);
  }

  /** A token with this key alone, made by firmseal. Returns its public half. */
  async withKey(label: string, reference: string): Promise<string> {
    this.init(label);
    const how = ["--passphrase-env", "PIN"];
    await this.place.ok(["token", "keygen", reference, ...how], { env: this.env });
    return (await this.place.ok(["pubkey", reference, ...how], { env: this.env })).stdout;
  }

  remove(label: string): void {
    this.tool("softhsm2-util", ["--delete-token", "--token", label]);
  }

  /** A key pair made by somebody else's tool. */
  pkcs11Tool(label: string, ...args: string[]): string {
    return this.tool("pkcs11-tool", ["--module", module as string, "--token-label", label, "--login", "--pin", PIN, ...args]);
  }

  /** What anybody can do without a PIN. */
  pkcs11ToolOpen(label: string, ...args: string[]): string {
    return this.tool("pkcs11-tool", ["--module", module as string, "--token-label", label, ...args]);
  }

  /** The environment with the module of pkcs11-shim.c in front of SoftHSM, which it is compiled for once. */
  shim(settings: { [name: string]: string }): { [name: string]: string } {
    const path = this.place.at("shim.so");
    if (!existsSync(path)) {
      const source = fileURLToPath(new URL("pkcs11-shim.c", import.meta.url));
      this.tool("cc", ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path, source, "-ldl"]);
    }
    return { ...this.env, FIRMSEAL_PKCS11_MODULE: path, SHIM_MODULE: module as string, ...settings };
  }
}
