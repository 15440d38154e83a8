// HSS/LMS against Botan, in both directions.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LEAST, LONG, some } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { hOf, type Level, lmsSigner, ots, stack } from "../../test-support/src/keys/lms.js";
import { hsslms } from "../src/alg/hsslms.js";
import { check, plain, someHosts } from "./hsslms-common.js";

const { below, tree } = lmsSigner("hsslms botan");

describe.skipIf(LEAST)("Botan", () => {
  const folder = temporaryFolder("firmseal-hsslms-");
  const file = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const botan = (...args: string[]) => spawnSync("botan", args, { encoding: "utf8" });
  const der = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
  const pem = (label: string, bytes: Uint8Array) =>
    `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString("base64").replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
  const message = Buffer.from("what Botan signs, and what it is shown");

  const sets: [string, Level[]][] = [
    ["SHA-256,HW(5,4)", [{ lms: 5, ots: 3 }]],
    ["SHA-256,HW(5,1)", [{ lms: 5, ots: 1 }]],
    ["SHA-256,HW(5,2)", [{ lms: 5, ots: 2 }]],
    ["SHA-256,HW(5,8)", [{ lms: 5, ots: 4 }]],
    // (10,8) takes Botan eight times as long as (10,4), and says no more of what is verified: both sizes come in other rows
    LONG ? ["SHA-256,HW(10,8)", [{ lms: 6, ots: 4 }]] : ["SHA-256,HW(10,4)", [{ lms: 6, ots: 3 }]],
    [
      "SHA-256,HW(5,4),HW(10,2)",
      [
        { lms: 5, ots: 3 },
        { lms: 6, ots: 2 },
      ],
    ],
    [
      "SHA-256,HW(10,1),HW(5,8),HW(5,4)",
      [
        { lms: 6, ots: 1 },
        { lms: 5, ots: 4 },
        { lms: 5, ots: 3 },
      ],
    ],
    ["Truncated(SHA-256,192),HW(5,4)", [{ lms: 10, ots: 7 }]],
    ["Truncated(SHA-256,192),HW(5,1)", [{ lms: 10, ots: 5 }]],
    ["Truncated(SHA-256,192),HW(10,2)", [{ lms: 11, ots: 6 }]],
    ["Truncated(SHA-256,192),HW(5,8)", [{ lms: 10, ots: 8 }]],
    [
      "Truncated(SHA-256,192),HW(5,2),HW(5,4)",
      [
        { lms: 10, ots: 6 },
        { lms: 10, ots: 7 },
      ],
    ],
    [
      "Truncated(SHA-256,192),HW(5,4),HW(10,1),HW(5,8)",
      [
        { lms: 10, ots: 7 },
        { lms: 11, ots: 5 },
        { lms: 10, ots: 8 },
      ],
    ],
  ];

  /** Whether there is a Botan 3 that has HSS/LMS, or why not. */
  const missing = (() => {
    const found = botan("keygen", "--algo=HSS-LMS", "--params=SHA-256,HW(5,1)");
    if (found.error) return "there is no botan command (Debian: apt install botan)";
    return found.status === 0 ? "" : `botan has no HSS-LMS: ${found.stderr.trim()}`;
  })();

  it.for(some(sets, 3))("%s: its signatures are accepted here, and those of the test signer there", ([params, levels], ctx) => {
    if (missing && !process.env["CI"]) ctx.skip(missing);
    expect(missing).toBe("");
    const { n } = ots(levels[0]!.ots);
    const secret = der(botan("keygen", "--algo=HSS-LMS", `--params=${params}`).stdout);
    const publicPem = botan("pkcs8", "--pub-out", file("key.pem", pem("PRIVATE KEY", secret))).stdout;
    const info = der(publicPem);
    const key = info.subarray(-28 - n);
    expect(hsslms.valid(key)).toBe(true);
    // the private key names the next leaf, in 8 bytes after the number of levels, before the types and 16 + n bytes of
    // secrets
    const next = secret.length - n - 16 - 8 * levels.length - 8;
    const leaves = levels.reduce((product, l) => product * 2 ** hOf(l.lms), 1);
    // each signature makes a tree again, which takes Botan a second for (10,8)
    for (const leaf of params === "SHA-256,HW(10,8)" ? [517] : [below(leaves), leaves - 1]) {
      secret.writeBigUInt64BE(BigInt(leaf), next);
      const signed = botan("sign", "--hash=", file("leaf.pem", pem("PRIVATE KEY", secret)), file("message", message));
      expect(signed.stderr).toBe("");
      const signature = Buffer.from(signed.stdout, "base64");
      const last = signature.length - (12 + n * (1 + ots(levels.at(-1)!.ots).p + hOf(levels.at(-1)!.lms)));
      expect(signature.readUInt32BE(last)).toBe(leaf % 2 ** hOf(levels.at(-1)!.lms));
      for (const host of someHosts(leaf)) expect(check(key, message, signature, host)).toBe(true);
      const bad = plain(signature);
      bad[below(bad.length)]! ^= 1 << below(8);
      expect(check(key, message, bad)).toBe(false);
      expect(check(key, message.subarray(1), signature)).toBe(false);
    }
    const own = stack(levels.map(tree), message);
    own.key.copy(info, info.length - own.key.length);
    const judge = (m: Uint8Array) =>
      botan(
        "verify",
        "--hash=",
        file("public.pem", pem("PUBLIC KEY", info)),
        file("message", m),
        file("signature", own.signature.toString("base64")),
      ).stdout.trim();
    expect(judge(message)).toBe("Signature is valid");
    expect(judge(message.subarray(1))).toBe("Signature is invalid");
  });
});
