// Claims: one of all who try, whatever was seen, removed or put back meanwhile; and the file that goes with them, which never goes back.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { Failure } from "../src/errors/failure.js";
import { type Claim, Claims } from "../src/locks/claim.js";

const root = temporaryFolder("firmseal-claim-");

function place() {
  const folder = mkdtempSync(join(root, "place-"));
  const file = join(folder, "n");
  const claims = new Claims(file);
  return {
    folder,
    claims,
    inside: () => readdirSync(`${file}.claims`),
    content: () => readFileSync(file, "utf8"),
    write: (claim: Claim, follows = true) => claims.write(claim, Buffer.from(String(claim.number)), () => follows),
  };
}

const taken = (claim: Claim | undefined): Claim => claim ?? expect.fail("was not taken");

describe("a claim", () => {
  it("goes to one of the processes that saw the last claim, and to none that saw an earlier one", () => {
    const { claims, inside } = place();
    expect(claims.last()).toBeUndefined();
    const first = taken(claims.take(undefined, 5n));
    expect(claims.last()).toEqual(first);
    expect(claims.take(undefined, 5n)).toBeUndefined();
    expect(claims.take(undefined, 99n)).toBeUndefined();
    const second = taken(claims.take(first, 6n));
    for (const number of [5n, 6n, 7n, 99n]) expect(claims.take(first, number)).toBeUndefined();
    // never lower; the same number again is another claim
    expect(claims.take(second, 5n)).toBeUndefined();
    const again = taken(claims.take(second, 6n));
    expect(claims.take(second, 7n)).toBeUndefined();
    expect(inside()).toEqual([again.name]);
  });

  it("does not come back with its folder, nor from a backup", () => {
    const { claims, folder, inside, write, content } = place();
    const held = taken(claims.take(undefined, 5n));
    cpSync(`${folder}/n.claims`, `${folder}/backup`, { recursive: true });
    rmSync(`${folder}/n.claims`, { recursive: true });
    const other = taken(claims.take(undefined, 5n));
    expect(claims.take(held, 6n)).toBeUndefined();
    expect(write(held)).toBe(false);
    expect(existsSync(join(folder, "n"))).toBe(false);
    const next = taken(claims.take(other, 6n));
    cpSync(`${folder}/backup`, `${folder}/n.claims`, { recursive: true });
    expect(claims.last()).toEqual(next);
    expect(write(next)).toBe(true);
    expect([content(), inside()]).toEqual(["6", [next.name]]);
  });

  it("begins once, and in what a kill has left", () => {
    const { claims, folder, inside } = place();
    const late = `${folder}/n.claims.${"0".repeat(24)}`;
    mkdirSync(late);
    writeFileSync(join(late, `1-${"0".repeat(24)}`), "");
    mkdirSync(`${folder}/n.claims`);
    writeFileSync(`${folder}/n.claims.txt`, "somebody's");
    const first = taken(claims.take(undefined, 1n));
    expect(inside()).toEqual([first.name]);
    expect(readdirSync(folder).sort()).toEqual(["n.claims", "n.claims.txt"]);
  });

  it("is refused in words if its folder holds something else, or cannot be written", () => {
    const { claims, folder } = place();
    mkdirSync(`${folder}/n.claims`);
    writeFileSync(`${folder}/n.claims/x`, "");
    expect(() => claims.take(undefined, 1n)).toThrow(Failure);
    expect(readdirSync(folder)).toEqual(["n.claims"]);
    expect(() => new Claims("/proc/n").take(undefined, 1n)).toThrow(Failure);
    expect(new Claims("/proc/n").last()).toBeUndefined();
  });
});

describe("the file of a claim", () => {
  it("is not written by a process that was overtaken, at any moment", () => {
    const { claims, folder, content, write, inside } = place();
    const first = taken(claims.take(undefined, 1n));
    expect(write(first)).toBe(true);
    const slow = taken(claims.take(first, 2n));
    let fast: Claim | undefined;
    // overtaken after its last look
    const end = claims.write(slow, Buffer.from("2"), () => {
      fast = taken(claims.take(slow, 3n));
      expect(write(fast)).toBe(true);
      return true;
    });
    expect([end, content(), inside()]).toEqual([false, "3", [fast?.name]]);
    // and before it
    expect(write(slow)).toBe(false);
    expect([content(), inside(), readdirSync(folder).sort()]).toEqual(["3", [fast?.name], ["n", "n.claims"]]);
  });

  it("is not written if it does not follow the last one", () => {
    const { claims, write, folder, inside } = place();
    const first = taken(claims.take(undefined, 1n));
    expect(write(first, false)).toBe(false);
    expect([readdirSync(folder), inside()]).toEqual([["n.claims"], [first.name]]);
  });
});
