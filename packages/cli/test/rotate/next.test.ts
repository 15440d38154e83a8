// firmseal rotate next: the file that each cohort needs.

import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place, words } from "../../../test-support/src/command-line/run.js";
import { fleetPlace } from "./fleet-place.js";

let p: Place;

beforeAll(async () => {
  p = await fleetPlace();
});

describe("rotate next", () => {
  it("names the file that each cohort needs", async () => {
    const r = await p.run(["rotate", "next", "--fleet", "fleet.csv", "--archive", "bridges"]);
    expectExit(r, 0);
    expect(r.stdout).toBe(
      [
        "cohort          devices  trust   next              then",
        "one and 1 more       20  1 -> 2  bridges/b20.suit  bridges/r21.suit",
        "new                  10  2       bridges/r21.suit",
        "far                  10  1       -",
        "",
      ].join("\n"),
    );
    expect(words(r)).toEqual(["far: the archive has no way to trust file 2"]);
  });

  it("refuses an archive that is missing, a file, empty or damaged", async () => {
    const next = (archive: string) => p.run(["rotate", "next", "--fleet", "fleet.csv", "--archive", archive]);
    expect(expectFailure(await next("nowhere"), 3)).toContain("nowhere: file not found");
    expect(expectFailure(await next("fleet.csv"), 3)).toContain("fleet.csv");
    p.folder("empty");
    expect(expectFailure(await next("empty"), 2)).toContain("has no .suit or .trust file");
    p.folder("damaged");
    p.put("damaged/x.suit", "no envelope");
    expect(expectFailure(await next("damaged"), 1)).toContain("x.suit: neither a SUIT envelope nor a trust file");
  });
});
