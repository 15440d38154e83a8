// The limits: what is above one is refused in words, docs/reference/limits.md has them all, and no lock is held while the input is still being judged.

import { describe, expect, it } from "vitest";
import { lock } from "../../../../keys/src/locks/lock.js";
import { LIMITS } from "../../../../release/src/input/limits.js";
import { expectFailure, type Place, standard } from "../../../../test-support/src/command-line/run.js";
import { repositoryText } from "../../../../test-support/src/repository.js";
import { MEGABYTES, SECONDS } from "./budget.js";
import { envelope, longRun, parameters, repeat, sequence, uuid } from "./budget-inputs.js";

describe("docs/reference/limits.md", () => {
  const rows = repositoryText("docs/reference/limits.md")
    .split("\n")
    .flatMap((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      const number = Number((cells[2] ?? "").replaceAll(",", ""));
      return cells.length === 5 && number > 0 ? [{ number, name: (cells[3] as string).replaceAll("`", "") }] : [];
    });

  it("has each limit of the command line", () => {
    const own = rows.filter(({ name }) => !name.includes(" "));
    expect(Object.fromEntries(own.map(({ name, number }) => [name, number]))).toEqual(LIMITS);
    expect(own).toHaveLength(Object.keys(LIMITS).length);
  });

  it("says how much a command may take", () => {
    expect(repositoryText("docs/reference/limits.md").replaceAll("\n", " ")).toContain(
      `more than ${SECONDS} seconds of the processor or ${MEGABYTES} MB`,
    );
  });

  it("has what the verifier and the signer have in their sources", () => {
    const others = rows.filter(({ name }) => name.includes(" "));
    expect(others.length).toBeGreaterThan(10);
    for (const { name, number } of others) {
      const [constant, file] = name.split(" ") as [string, string];
      const value = new RegExp(`\\b${constant} = ([0-9]+);`).exec(repositoryText(`packages/${file}`))?.[1];
      expect({ name, number }).toEqual({ name, number: Number(value) });
    }
  });
});

/** An envelope that fetches a payload, for as many single devices as are asked for. */
async function forDevices(p: Place, name: string, n: number, signatures = 1): Promise<void> {
  const conditions = [
    [1, 15],
    [2, 15],
  ] as const;
  const shared = sequence([...repeat(n, (i) => parameters([24, uuid(i)])), parameters([1, uuid(1)], [2, uuid(1)]), ...conditions]);
  p.put(name, await envelope({ shared, sections: [[20, sequence([parameters([21, "http://x"]), [21, 2]])]] }, signatures));
}

describe("more kinds of device than are tried", () => {
  it("is reported, and is not a success", async () => {
    const p = standard();
    p.keepsLogs = true;
    await forDevices(p, "few.suit", LIMITS.deviceKinds);
    await forDevices(p, "many.suit", LIMITS.deviceKinds + 1);
    await p.ok(["verify", "few.suit", "--key", "A.jwk", "--without-payloads", "--allow-no-device"]);
    for (const args of [
      ["verify", "many.suit", "--key", "A.jwk"],
      ["sign", "many.suit", "--key", "B.pem"],
      ["tbs", "many.suit", "--key", "B.jwk"],
    ]) {
      const line = expectFailure(await p.run(args), 1);
      expect(line).toContain("257 kinds of device");
    }
    // neither was the key used
    expect(p.names().filter((name) => name.endsWith(".log"))).toEqual([]);
    expect((await p.run(["verify", "many.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({
      ok: false,
      code: 230,
      reason: "LIMIT",
    });
  });
});

describe("kinds of device that take more commands together than are tried", () => {
  it("are reported, and are not a success", async () => {
    const p = standard();
    p.put("long.suit", await longRun(LIMITS.deviceKinds, 1));
    for (const args of [
      ["verify", "long.suit", "--key", "A.jwk"],
      ["sign", "long.suit", "--key", "B.pem"],
    ])
      expect(expectFailure(await p.run(args), 1)).toContain("more than 524,288 commands");
  });
});

describe("the lock of a key", () => {
  it("is not waited for by refused input", async () => {
    const p = standard();
    // this process is alive, so nobody takes it over
    const held = await lock(p.at("A.pem.log.lock"));
    try {
      await forDevices(p, "kinds.suit", LIMITS.deviceKinds + 1, 0);
      await forDevices(p, "signed.suit", 1);
      p.put(
        "list.suit",
        await envelope({
          sections: [
            [
              20,
              sequence([
                [12, repeat(17, (i) => i)],
                [14, 0],
              ]),
            ],
          ],
        }),
      );
      p.put("long.suit", await envelope({ sections: [[20, sequence(repeat(LIMITS.sectionCommands + 1, () => [14, 0] as const))]] }));
      p.put("d.json", '{"$schema":"urn:firmseal:manifest:1","sequence":1,"components":[]}');
      p.put("x.hex", ":00");
      for (const [file, says] of [
        ["kinds.suit", "kinds of device"],
        ["signed.suit", "already signed the envelope"],
        ["list.suit", "argument"],
        ["long.suit", "commands"],
        ["d.json", "/components"],
        ["x.hex", "Intel HEX"],
      ] as const) {
        const image = file.endsWith(".hex") ? ["--vendor", "example.com", "--class", "b", "--seq", "next"] : [];
        const r = await p.run(["sign", file, "--key", "A.pem", "--out", "o.suit", ...image], { limit: 20_000 });
        expect(expectFailure(r, 1)).toContain(says);
      }
    } finally {
      held.release();
    }
  });
});

describe("a message", () => {
  it("says both what it is about and what is wrong, in bounded length", async () => {
    const p = standard();
    const r = await p.run(["verify", `${"d/".repeat(3000)}x`, "--key", "A.jwk", "--json"]);
    const { message } = r.json as { message: string };
    expect(message.length).toBeLessThanOrEqual(LIMITS.message);
    expect(message).toMatch(/^d\/.* … .*name is too long$/s);
  });
});
