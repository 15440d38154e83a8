// Outputs that cannot be written: reported before a number is used, a leaf is lost, or a passphrase is asked for.

import { chmodSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, image, type Place, standard, words } from "../../../../test-support/src/command-line/run.js";

/** Names of outputs that nobody can write, and the exit code. */
const BAD: readonly (readonly [name: string, exit: number])[] = [
  ["folder", 2],
  ["/dev/full", 2],
  ["gone/x.suit", 3],
  ["fw.bin/x.suit", 3],
  ["/proc/x.suit", 3],
];

function withBad(): Place {
  const p = standard();
  p.keepsLogs = true;
  p.folder("folder");
  return p;
}

describe("an output that cannot be written", () => {
  it("uses no sequence number", async () => {
    const p = withBad();
    for (const [name, exit] of BAD)
      for (const option of ["--out", "--image-out"])
        expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "next", "--first", option, name]), exit);
    expect(p.has("A.pem.log")).toBe(false);
    expect(p.names().filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  // root may write everywhere: packages/cli/test/all/input/bad-input.test.ts does this as another user
  if (process.getuid?.() !== 0)
    it("uses no sequence number in a folder that is not writable", async () => {
      const p = withBad();
      chmodSync(p.at("folder"), 0o500);
      expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "next", "--first", "--out", "folder/x.suit"]), 3);
      expect(p.has("A.pem.log")).toBe(false);
    });

  it("loses no leaf", async () => {
    const p = withBad();
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--no-passphrase", "--out", "h.pem"]);
    const left = async () => (await p.ok(["hss", "status", "h.pem", "--json"])).json["left"];
    const before = await left();
    for (const [name, exit] of BAD)
      expectFailure(await p.run(["sign", "fw.bin", "--key", "h.pem", ...FACTS, "--seq", "next", "--first", "--out", name]), exit);
    expect(await left()).toEqual(before);
  });

  it("is reported before a trust file counts as signed, and before a prompt for a passphrase", async () => {
    const p = withBad();
    const anchors = [
      { key: "A.jwk", roles: ["root"] },
      { key: "B.jwk", roles: ["release"] },
    ];
    p.put(
      "t.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "line", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
    );
    await p.ok(["trust", "create", "--from", "t.json"]);
    for (const [name, exit] of BAD) {
      expectFailure(await p.run(["trust", "tbs", "t.trust", "--key", "A.jwk", "--out", name]), exit);
      expectFailure(await p.run(["keygen", "--out", name]), exit);
    }
    expect(p.has("A.jwk.log")).toBe(false);
  });

  it("names the folder if it is read-only or does not exist", async () => {
    const p = withBad();
    expect(expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "/proc/x.pem"]), 3)).toContain(
      "no file can be made in the folder /proc",
    );
    expect(expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "gone/x.pem"]), 3)).toContain("there is no folder gone");
    // with and without a name after it
    expect(expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "gone/"]), 3)).toContain(
      "--out gone/: there is no folder gone",
    );
    for (const out of ["fw.bin/", "fw.bin/x.pem"])
      expect(expectFailure(await p.run(["keygen", "--no-passphrase", "--out", out]), 3)).toContain(
        `--out ${out}: a part of the path is not a folder`,
      );
  });
});

describe("an output that fails after signing", () => {
  it("says that the number was used", async () => {
    const p = withBad();
    p.put("large.bin", image(200_000));
    // in blocks of 512 bytes: enough for the log, not for the envelope
    const limited = ["/bin/sh", "-c", 'ulimit -f 64; exec "$@"', "-"];
    const sign = ["sign", "large.bin", "--key", "A.pem", ...FACTS, "--seq", "next"];
    const r = await p.run([...sign, "--first"], { through: limited });
    expect(expectFailure(r, 3)).toContain("the file-size limit is reached");
    expect(words(r)[1]).toBe("hint: make room, and run the command again; sequence number 1 was used, and the signing log has it");
    const full = await p.run([...sign, "--out", "-"], { stdout: "/dev/full" });
    expectFailure(full, 3);
    expect(words(full)[1]).toContain("sequence number 2 was used");
    expect(p.names().filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const closed = await p.run([...sign, "--out", "-"], { through: ["/bin/sh", "-c", '"$@" | true', "-"] });
    expect(closed.stderr).toContain("hint: the reader must take the whole output; or write it to a file: --out FILE;");
  });

  it("has the hint for a full disk if the log cannot be created", async () => {
    const p = withBad();
    const r = await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "-"], {
      through: ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "-"],
    });
    expectFailure(r, 3);
    expect(words(r)[1]).toMatch(/^hint: make room, and run the command again/);
  });
});
