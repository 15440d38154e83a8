// Holds the lists together: refusals, their documentation and their vectors; code points, the registry and the
// documentation of what is covered. play.test.ts plays the vectors.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FORMAT_REFUSALS } from "../../packages/formats/src/refusals/numbers.js";
import {
  COMMAND_KINDS,
  FOREIGN,
  isCondition,
  KIND_OTHER,
  PARAMETER_VALUE_KINDS,
  tableEntry,
} from "../../packages/verifier/src/manifest/code-points.js";
import { ELEMENTS } from "../../packages/verifier/src/manifest/parse.js";
import * as cose from "../../packages/verifier/src/spec/cose.js";
import * as errors from "../../packages/verifier/src/spec/errors.generated.js";
import * as suit from "../../packages/verifier/src/spec/suit.js";
import { OTHER_ERRORS } from "../../packages/verifier/src/tools/error.js";
import { PARAMETER_NAMES } from "../../packages/verifier/src/tools/names.js";
import { REFUSALS, refusalGroup } from "../../packages/verifier/src/tools/refusal-table.js";
import { readIndex, readVectors } from "../index.mjs";

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const names = new Map(Object.entries(errors).map(([name, code]) => [code, name]));

/** Rows of all tables in a Markdown file: their cells, without code marks. */
function rows(path: string): string[][] {
  return read(path)
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^[|: -]+$/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/`/g, "")),
    );
}

describe("refusals", () => {
  const all = Object.values(errors).sort((a, b) => a - b);
  it("have one number each", () => {
    expect(new Set(all).size).toBe(all.length);
  });
  it("have a negative vector each, and no vector expects another number", () => {
    const codes = new Set(
      readIndex()
        .vectors.filter((v) => v.kind === "refused")
        .map((v) => v.code ?? 0),
    );
    const inVectors = all.filter((c) => refusalGroup(c)?.vectors !== null);
    expect([...codes].sort((a, b) => a - b).map((c) => names.get(c as never))).toEqual(inVectors.map((c) => names.get(c)));
  });
  it("of a group without vectors are in the test of the status reader, or of the micro verifier", () => {
    const without = REFUSALS.filter(({ number: c }) => refusalGroup(c)?.vectors === null).map(({ name }) => name);
    expect(without).toContain("STATUS_NONE");
    const tested = ["status", "micro"].map((name) => read(`../packages/verifier/test/${name}.test.ts`)).join("\n");
    expect(without.filter((name) => !new RegExp(`\\b${name}\\b`).test(tested))).toEqual([]);
  });
  it("have a row each in docs/reference/errors.md", () => {
    const documented = rows("../docs/reference/errors.md").filter(([number]) => /^\d+$/.test(number ?? ""));
    const all = Object.entries({ ...errors, ...OTHER_ERRORS, ...FORMAT_REFUSALS }).map(([name, code]) => `${code} ${name}`);
    expect(documented.map(([number, name]) => `${number} ${name}`).sort()).toEqual(all.sort());
    for (const row of documented) {
      expect(row, row[1]).toHaveLength(5);
      for (const cell of row) expect(cell, row[1]).not.toBe("");
    }
  });
});

describe("attacks on the verifier", () => {
  const all = readVectors();
  // decodeEnvelope() is in no device bundle, and the player leaves it out
  const played = all.filter((v) => v.action !== "decode" && v.action !== "start").map((v) => v.name);
  const section = read("../docs/explanation/threat-model.md").split("### Against the verifier")[1]?.split("\n### ")[0] ?? "";
  const listed = section
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (-|Attack )/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  it("are those that are known", () => {
    expect(listed.length).toBeGreaterThanOrEqual(40);
  });
  it.each(listed.map((cells) => [cells[1] ?? "", cells[3] ?? ""]))("%s: has a vector that every engine plays", (_, tested) => {
    const names = [...tested.matchAll(/`([\w*-]+)`/g)].map(([, name]) => name as string);
    const matches = (pattern: string, vectors: string[]) => {
      const form = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
      return vectors.filter((name) => form.test(name));
    };
    const every = all.map((v) => v.name);
    expect(names.filter((name) => matches(name, every).length === 0)).toEqual([]);
    expect(names.flatMap((name) => matches(name, played))).not.toEqual([]);
  });
  it("that belong to missing features are refused as not supported", () => {
    for (const name of ["not-supported-command-use-before", "not-supported-parameter-encryption-info", "not-supported-dependencies"])
      expect(all.find((v) => v.name === name)?.expect, name).toMatchObject({ code: errors.NOT_SUPPORTED });
  });
});

interface CodePoint {
  table: string;
  code: number;
  name: string;
  source: string;
  written: boolean;
  read: boolean;
  executed: boolean;
}

describe("code points", () => {
  const registry = JSON.parse(read("registry.json")) as CodePoint[];

  /**
   * Tables of the registry by the prefix of their constants; the table text is for what describes the manifest,
   * text-component for the rest.
   */
  const tables: { [table: string]: string } = {
    tag: "TAG_",
    envelope: "ENV_",
    manifest: "MAN_",
    common: "COM_",
    dependency: "DEP_",
    condition: "COND_",
    directive: "DIR_",
    parameter: "PARAM_",
    reporting: "REP_",
    text: "TEXT_",
    "text-component": "TEXT_",
    header: "HEADER_",
    hash: "HASH_",
    algorithm: "ALG_",
    key: "KEY_",
    "key-type": "KTY_",
    curve: "CRV_",
  };
  /** Where the name in the CDDL is not the constant's, in lower case, behind the table's lead. */
  const leads: { [table: string]: string } = {
    envelope: "suit-",
    manifest: "suit-",
    common: "suit-",
    dependency: "suit-dependency-",
    condition: "suit-condition-",
    directive: "suit-directive-",
    parameter: "suit-parameter-",
    text: "suit-text-",
    "text-component": "suit-text-",
  };
  // the text of all signature algorithms, and the table of the forms of keys, are made from these numbers
  const numbers = Object.entries({ ...suit, ...cose }).filter(([name]) => name !== "SIGNATURE_ALGS" && name !== "KEY_FORMS");
  const constants = numbers.map(([name, code]) => {
    const prefix = name.slice(0, name.indexOf("_") + 1);
    const isText = prefix === "TEXT_";
    const table = isText
      ? /^TEXT_(MANIFEST|UPDATE)_/.test(name)
        ? "text"
        : "text-component"
      : Object.keys(tables).find((t) => tables[t] === prefix);
    return { table, code, name };
  });
  /** A constant under the name of the registry. */
  const plain = (s: string) => s.toLowerCase().replace(/[^a-z0-9]/g, "");
  /** Constants whose names differ from those of the CDDL. */
  const other: { [constant: string]: string } = {
    TAG_ENVELOPE: "SUIT_Envelope_Tagged",
    TAG_MANIFEST: "SUIT_Manifest_Tagged",
    TAG_CBOR_PEN: "cbor-pen",
    TAG_MAC0: "COSE_Mac0_Tagged",
    TAG_SIGN1: "COSE_Sign1_Tagged",
    TAG_ENCRYPT: "COSE_Encrypt_Tagged",
    TAG_MAC: "COSE_Mac_Tagged",
    TAG_SIGN: "COSE_Sign_Tagged",
    MAN_VERSION: "suit-manifest-version",
    MAN_SEQUENCE_NUMBER: "suit-manifest-sequence-number",
    MAN_COMPONENT_ID: "suit-manifest-component-id",
    MAN_INSTALL_OLD: "suit-install (up to draft -28)",
    MAN_MUD: "suit-manufacturer-usage-description",
    PARAM_FETCH_ARGS: "suit-parameter-fetch-arguments",
  };

  it("are in the registry once each, with number and name, and nothing else is", () => {
    const wanted = constants.map(({ table, code, name }) => {
      const rest = name.slice(name.indexOf("_") + 1);
      return `${table} ${code} ${plain(other[name] ?? (leads[table ?? ""] ?? "") + rest)}`;
    });
    expect(registry.map((r) => `${r.table} ${r.code} ${plain(r.name)}`).sort()).toEqual(wanted.sort());
  });

  it("are read where they are written, and where they are executed", () => {
    for (const r of registry) {
      if (r.written || r.executed) expect(r.read, r.name).toBe(true);
      expect(r.source, r.name).not.toBe("");
    }
  });

  const marked = (tables: string[], mark: "written" | "executed") =>
    registry.filter((r) => tables.includes(r.table) && r[mark]).map((r) => `${r.table} ${r.code}`);

  it("are listed as executed if the interpreter's table has them", () => {
    for (const [table, text, foreign] of [
      ["condition", COMMAND_KINDS, (kind: number) => kind & FOREIGN],
      ["directive", COMMAND_KINDS, (kind: number) => kind & FOREIGN],
      ["parameter", PARAMETER_VALUE_KINDS, (kind: number) => kind === KIND_OTHER],
      ["manifest", ELEMENTS, (kind: number) => kind & FOREIGN],
    ] as const) {
      const rows = registry.filter((r) => r.table === table);
      expect(rows.length, table).toBeGreaterThan(5);
      for (const r of rows) {
        const kind = tableEntry(text, r.code);
        // the first four elements, and the one that moved, are told apart by name
        if (table !== "manifest" || r.code > 4) expect(Boolean(kind), r.name).toBe(r.code !== suit.MAN_INSTALL_OLD || table !== "manifest");
        if (kind && foreign(kind)) expect(r.executed, r.name).toBe(false);
        else if (table !== "manifest") expect(r.executed, r.name).toBe(true);
      }
    }
    // and no table has an entry that the registry does not know
    for (const [text, tables] of [
      [COMMAND_KINDS, ["condition", "directive"]],
      [PARAMETER_VALUE_KINDS, ["parameter"]],
      [ELEMENTS, ["manifest"]],
    ] as const)
      for (let code = 0; code < text.length; code++)
        if (tableEntry(text, code))
          expect(
            registry.filter((r) => tables.includes(r.table as never) && r.code === code),
            `${tables} ${code}`,
          ).toHaveLength(1);
  });

  it("have the kind that their names have", () => {
    for (const [name, code] of Object.entries(suit)) {
      if (/^COND_/.test(name)) expect(isCondition(code), name).toBe(true);
      if (/^DIR_/.test(name)) expect(isCondition(code), name).toBe(false);
    }
    for (const code of [-1, 0, 0.5, 36, 255, 2 ** 31 + 3, 2 ** 32 + 3, 2 ** 53 - 1, Number.NaN])
      expect(tableEntry(COMMAND_KINDS, code), String(code)).toBe(0);
  });

  it("are listed as written if the schema of descriptions has them", () => {
    const schema = JSON.parse(read("../packages/signer/schema/manifest.schema.json"));
    const [names, , ...own] = schema.$defs.command.oneOf;
    const commands = [...names.enum, ...own.flatMap((o: { required: string[] }) => o.required)] as string[];
    const listed = (table: string, all: string[]) =>
      all.map((name) => `${table} ${registry.find((r) => r.table === table && r.name === `suit-${name}`)?.code}`);
    expect(marked(["condition", "directive"], "written").sort()).toEqual(
      commands.flatMap((name) => listed(name.split("-")[0] as string, [name])).sort(),
    );
    // `image` is short for two others
    const parameters = Object.keys(schema.$defs.parameters.properties).filter((name) => name !== "image");
    const code = (name: string) => Object.entries(PARAMETER_NAMES).find(([, n]) => n === name)?.[0];
    expect(marked(["parameter"], "written").sort()).toEqual(parameters.map((name) => `parameter ${code(name)}`).sort());
  });

  it("are listed as not executed exactly if a vector shows that they are refused as not supported", () => {
    const shown = readIndex()
      .vectors.filter((x) => x.code === errors.NOT_SUPPORTED)
      .map((x) => x.name);
    const wanted = registry.flatMap(({ table, name, executed }) => {
      const [, kind, short] = /^suit-(condition|directive|parameter)-(.*)$/.exec(name) ?? [];
      if (executed || table !== kind) return [];
      return `not-supported-${kind === "parameter" ? kind : "command"}-${short}`;
    });
    expect(wanted.length).toBeGreaterThan(0);
    expect(shown.filter((name) => /^not-supported-(command|parameter)-/.test(name)).sort()).toEqual(wanted.sort());
  });

  it("are in docs/reference/spec-coverage.md as in the registry", () => {
    const sign = (b: boolean) => (b ? "yes" : "no");
    const documented = rows("../docs/reference/spec-coverage.md").filter(([code]) => /^-?\d+$/.test(code ?? ""));
    expect(documented).toEqual(registry.map((r) => [String(r.code), r.name, r.source, sign(r.written), sign(r.read), sign(r.executed)]));
  });
});
