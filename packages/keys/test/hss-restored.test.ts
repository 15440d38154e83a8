// No leaf of an HSS/LMS key signs twice if a state, its claims or its key come from a backup, are copied, damaged or gone.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { expectFailure, words } from "../../test-support/src/command-line/run.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { expectNoLeafTwice, HssPlace, LEAVES_MARK, recordOf } from "../../test-support/src/keys/hss-place.js";
import { HssPlaceOnDisk } from "../src/hss/state.js";
import { goTo } from "./hss-common.js";

/** Whether a medium can be made that is then read only: that takes root, or the right to mount. */
const MOUNTS = (() => {
  const place = temporaryFolder("firmseal-mount-");
  const ok = spawnSync("mount", ["-t", "tmpfs", "tmpfs", place]).status === 0;
  if (ok) spawnSync("umount", [place]);
  rmdirSync(place);
  return ok;
})();

describe("no leaf signs twice", () => {
  it("when an old state goes to a new machine with the log: what the log names is used", async () => {
    const p = new HssPlace();
    p.keepsLogs = true;
    await p.keygen("5/4");
    await p.ok(p.signArgs("1.suit"));
    cpSync(p.at("k.hss.state"), p.at("backup"));
    await p.ok(p.signArgs("2.suit"));
    await p.ok(p.signArgs("3.suit"));
    // a machine that knows nothing of the key, with the state of before
    const other = { env: { FIRMSEAL_STATE: p.at("elsewhere") } };
    cpSync(p.at("backup"), p.at("k.hss.state"));
    rmSync(p.at("k.hss.state.claims"), { recursive: true, force: true });
    const told = expectFailure(await p.run(["hss", "adopt", "k.hss", "--no-other-copy-signs"], other), 3);
    expect(told).toContain("k.hss: its state is at 1, but its log, k.hss.log, names leaf 2: the state comes from a backup");
    expect(expectFailure(await p.run(p.signArgs("4.suit"), other), 3)).toContain("names leaf 2");
    expect(p.has("4.suit")).toBe(false);
    expect(expectFailure(await p.run(["hss", "skip", "k.hss", "--to", "2"], other), 2)).toContain("leaves up to 3 are used");
    await p.ok(["hss", "skip", "k.hss", "--to", "3"], other);
    await p.ok(p.signArgs("4.suit"), other);
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(["1.suit", "2.suit", "3.suit", "4.suit"]))).toBe(4);
  });

  it("and no state seems restored because others sign while it is read", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    await p.ok(p.signArgs("1.suit"));
    const record = recordOf(p);
    vi.stubEnv("FIRMSEAL_STATE", p.env.FIRMSEAL_STATE);
    // between the reads of the one file and of the other
    class Crowded extends HssPlaceOnDisk {
      #reads = 0;
      #signs() {
        if (this.#reads++ === 1) goTo(new HssPlaceOnDisk(this.file, this.name, this.thumbprint), 2n);
      }
      override readState() {
        this.#signs();
        return super.readState();
      }
      override readSeen() {
        this.#signs();
        return super.readSeen();
      }
    }
    try {
      const place = new Crowded(p.at("k.hss"), "k.hss", record.replace(LEAVES_MARK, ""));
      expect(place.checked().next).toBe(2n);
      expect(place.readSeen()).toBe(2n);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("when the state is missing, damaged, or a link", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    await p.ok(p.signArgs("1.suit"));
    const state = p.get("k.hss.state").toString();
    const record = recordOf(p);
    const place = new HssPlaceOnDisk(p.at("k.hss"), "k.hss", record.replace(LEAVES_MARK, ""));
    expect(place.readState()).toEqual({ next: 1n, roots: new Map() });
    const sum = (body: string) => `${body}sum ${createHash("sha256").update(body).digest("hex")}\n`;
    for (const bad of [
      "",
      state.slice(0, 50),
      state.replace("next 1", "next 0"),
      sum("firmseal hss state 1\nnext 0\n"),
      `${state}\n`,
      sum("x\n"),
    ]) {
      p.put("k.hss.state", bad);
      expect(place.readState()).toBe("damaged");
    }
    expect(expectFailure(await p.run(p.signArgs("2.suit")), 3)).toContain("its state, k.hss.state, is damaged");
    p.put("real", state);
    rmSync(p.at("k.hss.state"));
    expect(expectFailure(await p.run(p.signArgs("2.suit")), 3)).toContain("is missing");
    symlinkSync("real", p.at("k.hss.state"));
    expect(expectFailure(await p.run(p.signArgs("2.suit")), 3)).toContain("is damaged");
    rmSync(p.at("k.hss.state"));
    // the record of this machine knows as well
    await p.ok(["hss", "skip", "k.hss", "--to", "1"]);
    await p.ok(p.signArgs("2.suit"));
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(["1.suit", "2.suit"]))).toBe(2);
    p.put(`machine/${record}`, "damaged");
    expect(expectFailure(await p.run(p.signArgs("3.suit")), 3)).toContain("a damaged record");
    rmSync(p.at("k.hss.state"));
    const lost = await p.run(p.signArgs("3.suit"));
    expectFailure(lost, 3);
    expect(words(lost)[1]).toContain("restore k.hss.state");
    expectFailure(await p.run(["hss", "adopt", "k.hss", "--no-other-copy-signs"]), 3);
    expectFailure(await p.run(["hss", "skip", "k.hss", "--to", "9"]), 3);
  });

  it("when the stored nodes are damaged, of another key, or gone: they are computed again", async () => {
    const p = new HssPlace();
    await p.keygen("5/2,5/1");
    await p.keygen("5/2,5/1", "o.hss");
    await p.ok(p.signArgs("0.suit"));
    await p.ok(p.signArgs("o.suit", "o.hss"));
    const names = ["0.suit"];
    for (const level of [0, 1]) {
      const name = `k.hss.tree${level}`;
      const good = p.get(name);
      const flipped = Buffer.from(good);
      flipped[100]! ^= 1;
      for (const bad of [...(level === 1 ? [flipped] : [good.subarray(0, -1), p.get("o.hss.tree0")]), undefined]) {
        if (bad) p.put(name, bad);
        else rmSync(p.at(name));
        const out = `${names.length}.suit`;
        await p.ok(p.signArgs(out));
        names.push(out);
        expect(p.get(name)).toEqual(good);
      }
    }
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(names))).toBe(names.length);
  });

  it("when a lower tree would differ from the signed one", async () => {
    const p = new HssPlace();
    await p.keygen("5/2,5/1");
    await p.ok(p.signArgs("0.suit"));
    const body = p
      .get("k.hss.state")
      .toString()
      .replace(/sum .*\n$/, "");
    const forged = body.replace(/^(tree 1 0 ).*$/m, `$1${"0".repeat(64)}`);
    expect(forged).not.toBe(body);
    p.put("k.hss.state", `${forged}sum ${createHash("sha256").update(forged).digest("hex")}\n`);
    const before = p.tree();
    expect(expectFailure(await p.run(p.signArgs("1.suit")), 3)).toContain("this machine computes wrong results");
    expect(p.tree()).toEqual(before);
  });

  it("and a state ahead of the mark of this machine gives a warning, and far ahead is refused", async () => {
    const p = new HssPlace();
    await p.keygen("10/1");
    await p.ok(p.signArgs("0.suit"));
    const ahead = (next: number) => {
      const body = p
        .get("k.hss.state")
        .toString()
        .replace(/^next .*$/m, `next ${next}`)
        .replace(/sum .*\n$/, "");
      p.put("k.hss.state", `${body}sum ${createHash("sha256").update(body).digest("hex")}\n`);
    };
    ahead(9);
    expect((await p.ok(p.signArgs("1.suit"))).stderr).toContain(
      "warning: k.hss: its state was 8 leaves ahead of what this machine has signed",
    );
    expect((await p.ok(p.signArgs("2.suit"))).stderr).not.toContain("ahead");
    ahead(1000);
    const r = await p.run(p.signArgs("3.suit"));
    expect(expectFailure(r, 3)).toContain("its state is at 1000, far ahead of this machine, which has signed up to 11");
    expect(words(r)[1]).toContain("firmseal hss skip k.hss --to 1000");
    expectFailure(await p.run(["hss", "status", "k.hss"]), 3);
    await p.ok(["hss", "skip", "k.hss", "--to", "1000"]);
    await p.ok(p.signArgs("3.suit"));
    expect(p.next()).toBe(1001);
  });

  it.skipIf(!MOUNTS)(
    `and none is used on a medium that cannot be written${MOUNTS ? "" : " (skipped: tmpfs cannot be mounted here)"}`,
    async () => {
      const p = new HssPlace();
      p.folder("medium");
      const mount = (...args: string[]) => spawnSync("mount", [...args, p.at("medium")]).status;
      expect(mount("-t", "tmpfs", "tmpfs")).toBe(0);
      try {
        await p.keygen("5/4", "medium/k.hss");
        await p.ok(p.signArgs("0.suit", "medium/k.hss"));
        expect(mount("-o", "remount,ro")).toBe(0);
        const before = p.tree();
        expect(expectFailure(await p.run([...p.signArgs("1.suit", "medium/k.hss"), "--log", "other.log"]), 3)).toContain("read-only");
        expect(expectFailure(await p.run(["hss", "skip", "medium/k.hss", "--to", "9"]), 3)).toContain("read-only");
        expect((await p.ok(["hss", "status", "medium/k.hss", "--json"])).json).toMatchObject({ used: "1" });
        expect(p.tree()).toEqual(before);
      } finally {
        spawnSync("umount", [p.at("medium")]);
      }
    },
  );

  it("when the state and its claims come from a backup, or the claims are gone", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    await p.ok(p.signArgs("0.suit"));
    for (const name of ["k.hss.state", "k.hss.state.claims"]) cpSync(p.at(name), p.at(`old.${name}`), { recursive: true });
    await p.ok(p.signArgs("1.suit"));
    await p.ok(p.signArgs("2.suit"));
    for (const name of ["k.hss.state", "k.hss.state.claims"]) cpSync(p.at(`old.${name}`), p.at(name), { recursive: true });
    expect(readdirSync(p.at("k.hss.state.claims"))).toHaveLength(2);
    expect(expectFailure(await p.run(p.signArgs("3.suit")), 3)).toContain("a restored backup or a copy: its state is at 1");
    await p.ok(["hss", "skip", "k.hss", "--to", "3"]);
    expect(readdirSync(p.at("k.hss.state.claims"))).toHaveLength(1);
    await p.ok(p.signArgs("3.suit"));
    // only the record is lost: what is left of it goes before an old state
    for (const name of ["k.hss.state", "k.hss.state.claims"]) {
      rmSync(p.at(name), { recursive: true });
      cpSync(p.at(`old.${name}`), p.at(name), { recursive: true });
    }
    rmSync(p.at("machine", recordOf(p)));
    expectFailure(await p.run(p.signArgs("4.suit")), 3);
    expect(expectFailure(await p.run(["hss", "adopt", "k.hss", "--no-other-copy-signs"]), 3)).toContain("signed up to 4");
    await p.ok(["hss", "skip", "k.hss", "--to", "4"]);
    // as a key of an earlier version is
    for (const name of ["k.hss.state.claims", `machine/${recordOf(p)}.claims`]) rmSync(p.at(name), { recursive: true });
    await p.ok(p.signArgs("4.suit"));
    expect(p.next()).toBe(5);
    const names = ["0.suit", "1.suit", "2.suit", "3.suit", "4.suit"];
    expect(expectNoLeafTwice(await p.raw(), await p.signatures(names))).toBe(names.length);
  });
});
