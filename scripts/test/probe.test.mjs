// The page about differences between engines has every probe, and says how each engine differs.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkEs5 } from "../checks/es5.mjs";
import { locate, PLAYERS } from "../conformance/engines.mjs";
import { probe } from "../conformance/play.mjs";
import { readRecords } from "../conformance/records.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const PROBE = read("conformance/probe.js");
const PAGE = read("docs/reference/engine-differences.md");

const names = [...PROBE.matchAll(/\bprobe(?:Typed)?\(\s*"([^"]+)"/g)].map(([, name]) => name);
const [TABLE, LIST] = PAGE.split("## Probes without a difference");
/** [name, engines, why] of each row. */
const rows = [...TABLE.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, ...cells]) => cells);

/** The page says an engine, or an engine and a processor: "Espruino on ARM". */
const isMeant = ({ title, processor }, where) => where.split(", ").some((one) => one === title || one === `${title} on ${processor}`);
/** Those that run a file, and end. */
const engines = PLAYERS.filter((engine) => !engine.page && !engine.console);

describe("the probes", () => {
  it("are all on the page, once", () => {
    const listed = [...LIST.split("## ")[0].matchAll(/`([\w^-]+)`/g)].map(([, name]) => name).filter((name) => names.includes(name));
    const wanted = names.filter((name) => !rows.some(([row]) => row === name));
    expect(new Set(names).size).toBe(names.length);
    expect(rows.map(([name]) => name).filter((name) => !names.includes(name))).toEqual([]);
    expect(wanted.filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !wanted.includes(name))).toEqual([]);
    for (const [name, , why] of rows) expect(why, name).toMatch(/gate refuses|operations test|^As `/);
  });

  it("are written in the language that every engine runs, except for what they ask about", () => {
    const about =
      / (?:global: (?:print|console) |for-in: |optional: |math: Math\.imul |number: (?:0\.0000152587890625|\S+ is not an exact)|compound: x|search: )/;
    expect(checkEs5(PROBE, "conformance/probe.js").filter((finding) => !about.test(finding))).toEqual([]);
  });

  const there = engines.filter((engine) => !locate(engine).skipped);
  it.each(there.map((engine) => [engine.name, engine]))("on %s differ as the page says", async (_, engine) => {
    const { ok, line, asked, differs } = await probe(engine);
    expect({ ok, asked }, line).toEqual({ ok: true, asked: names.length });
    const expected = rows.filter(([, where]) => isMeant(engine, where)).map(([row]) => row);
    expect(differs.sort()).toEqual(expected.sort());
  });

  it.each(readRecords().map((run) => [`${run.engine} on ${run.processor}`, run]))(
    "differed on %s, in the run that is recorded, as the page says",
    (_, { engine, processor, differs }) => {
      const expected = rows.filter(([, where]) => isMeant({ title: engine, processor }, where)).map(([row]) => row);
      expect([...differs].sort()).toEqual(expected.sort());
    },
  );
});
