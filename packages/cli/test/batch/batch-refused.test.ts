// What firmseal batch refuses: one line, one hint, and nothing signed, entered or written.

import { rmSync, symlinkSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import {
  expectExit,
  expectFailure,
  keyC,
  logEntries,
  type Place,
  privateJwk,
  stateOf,
} from "../../../test-support/src/command-line/run.js";
import { batch, batchPlace, deviceLines, devices, envelopes, TEMPLATE } from "./batch-place.js";

let p: Place;
beforeEach(() => {
  p = batchPlace();
});

/** What a refused batch says. It changes no file. */
async function refused(exit: number, more: readonly string[] = ["--first"]): Promise<string> {
  const before = p.tree();
  const said = expectFailure(await batch(p, more), exit);
  expect(p.tree()).toEqual(before);
  return said;
}

/** A template with other members; undefined takes one out. */
const template = (members: object) => p.put("template.json", JSON.stringify({ ...TEMPLATE, ...members }));
const [SET, ...CONDITIONS] = TEMPLATE["shared-sequence"];
const PARAMETERS = SET["directive-override-parameters"];
const shared = (parameters: object, conditions: readonly string[] = CONDITIONS as string[]) =>
  template({ "shared-sequence": [{ "directive-override-parameters": { ...PARAMETERS, ...parameters } }, ...conditions] });
const SECOND = "00000000-0000-4000-8000-000000000002";

describe("a list of devices", () => {
  it.each<[string, string, string]>([
    ["names a device twice", `${devices(3)}${SECOND},00\n`, "is also the device of line 3"],
    ["lacks a field", devices(3).replace("calibration\n", "offset\n"), 'line 2 has no "calibration"'],
    ["has an empty cell", devices(3).replace(/,.*\n$/, ",\n"), 'line 4 has no "calibration"'],
    ["is empty", "", "it has no device"],
    ["has names alone", "device,calibration\n", "it has no device"],
    ["has a row that is too short", `${devices(1)}${SECOND}\n`, "line 3 does not have as many cells as the first line"],
    ["has a line of separators", `${devices(1)}${",".repeat(20_000)}`, "line 3 is too long"],
    ["is a JSON array", `[${deviceLines(1).trim()}]`, "it is a JSON array: JSON Lines has one object on each line"],
    ["has a row that is too long", `${devices(1)}${SECOND},${"0".repeat(20_000)}\n`, "line 3 is too long"],
    ["has a value that is not hex", `${devices(1)}${SECOND},zz\n`, "template.json with devices.csv, line 3: /payloads"],
    ["has a device that is not a UUID", `${devices(1)}two,00\n`, "devices.csv, line 3: /shared-sequence"],
    ["is not text", "device,calibration\n\u00ff", "line"],
    ["has an object as a value", deviceLines(1).replace(/"0000.*?"/, '{"file":"A.pem"}'), 'line 1: "device" is not a text'],
    ["has a line that is not JSON", `${deviceLines(1)}{"device":`, "line 2"],
    ["has a member twice", deviceLines(1).replace("{", '{"device":"a",'), "line 1"],
    ["has a value that the prototype has", deviceLines(1).replace("device", "x").replace("calibration", "__proto__"), 'no "device"'],
  ])("%s", async (_, list, said) => {
    p.put("devices.csv", list);
    expect(await refused(1)).toContain(said);
  });

  it("is a key, or not there", async () => {
    p.put("devices.csv", privateJwk(keyC));
    expect(await refused(2)).toContain("devices.csv is a private key");
    rmSync(p.at("devices.csv"));
    expect(await refused(3)).toContain("devices.csv: file not found");
  });
});

describe("a template", () => {
  it.each<[string, () => unknown, string]>([
    ["has a sequence number", () => template({ sequence: 1 }), "a template has no sequence number"],
    ["has a field as a sequence number", () => template({ sequence: { $field: "device" } }), "a template has no sequence number"],
    ["is not a description", () => template({ $schema: "urn:firmseal:trust:1" }), "$schema"],
    ["is not JSON", () => p.put("template.json", "{"), "template.json"],
    ["has a field that is not alone", () => template({ components: [[{ $field: "device", hex: "00" }]] }), "/components/0/0: a field is"],
    ["is a field", () => p.put("template.json", '{"$schema":"urn:firmseal:manifest:1","$field":"device","x":1}'), "/: a field is"],
    ["has a field without a name", () => template({ components: [[{ $field: 1 }]] }), "/components/0/0: a field is"],
    [
      "lets a row choose a file",
      () => template({ payloads: { "#calibration": { file: { $field: "calibration" } } } }),
      "/payloads/#calibration/file: a field cannot name a file",
    ],
    ["compares no device", () => shared({}, CONDITIONS.slice(0, 2)), "the manifest is not for one device alone"],
    [
      "names no device",
      () => shared({ "device-identifier": undefined }, CONDITIONS.slice(0, 2)),
      "the manifest is not for one device alone",
    ],
    [
      "compares a device that it does not name",
      () => shared({ "device-identifier": undefined }),
      "the manifest is not for one device alone",
    ],
    [
      "compares the device only where it installs",
      () => {
        shared({}, CONDITIONS.slice(0, 2));
        const now = JSON.parse(p.get("template.json").toString());
        template({ "shared-sequence": now["shared-sequence"], install: ["condition-device-identifier", ...TEMPLATE.install] });
      },
      "the manifest is not for one device alone",
    ],
    ["is for one device always", () => shared({ "device-identifier": SECOND }), `${SECOND.replaceAll("-", "")} is also the device of`],
    [
      "has a version for each device",
      () => template({ text: { en: { components: [{ component: 0, "component-version": { $field: "calibration" } }] } } }),
      "line 3: version 00000002, and 00000001 before",
    ],
    [
      "has a command that devices refuse in one row",
      () => {
        p.put("devices.csv", devices(2).replaceAll("\n", ",condition-vendor-identifier\n").replace(/^.*$/m, "device,calibration,one"));
        p.put(
          "devices.csv",
          p
            .get("devices.csv")
            .toString()
            .replace(/vendor-identifier\n$/, "class-identifier\n"),
        );
        template({ "shared-sequence": [SET, { $field: "one" }, ...CONDITIONS.slice(1)] });
      },
      "devices.csv, line 3: refused: every device refuses this release",
    ],
    ["has another member", () => template({ sequel: 1 }), 'unknown member "sequel"'],
  ])("%s", async (_, put, said) => {
    put();
    expect(await refused(1)).toContain(said);
  });

  it("is a key, or not there", async () => {
    p.put("template.json", privateJwk(keyC));
    expect(await refused(2)).toContain("template.json is a private key");
    rmSync(p.at("template.json"));
    expect(await refused(3)).toContain("template.json: file not found");
  });

  it("puts a key in", async () => {
    template({ payloads: { "#calibration": { file: "B.pem" } } });
    expect(await refused(2)).toContain("B.pem is a private key");
  });
});

describe("keys and numbers", () => {
  it("a key that is empty here needs a word about the first number", async () => {
    expect(await refused(1, [])).toContain("the next sequence number is not known");
  });

  it("a number that was signed, a lower one, and one that is not below 2^64", async () => {
    expectExit(await batch(p, ["--seq", "7"]), 0);
    rmSync(p.at("out"), { recursive: true });
    expect(await refused(1, ["--seq", "7"])).toContain("sequence number 7 was signed for another manifest");
    expect(await refused(1, ["--seq", "6"])).toContain("sequence number 6 is lower than 7");
    expect(await refused(2, ["--seq", "18446744073709551616"])).toContain("--seq");
    expect(await refused(1)).toContain("this is not the first");
    expect(await refused(2, ["--seq", "8", "--first"])).toContain("--first is for --seq next");
  });

  it("a number of a later shard, before the first one is signed", async () => {
    const last = ["--seq", "18446744073709551614", "--allow-sequence-jump", "--shard-size", "1"];
    expect(await refused(1, last)).toContain("shard 3 would have a number above 2^64 - 1");
    p.put(
      "A.json",
      JSON.stringify({
        ...{ $schema: "urn:firmseal:trust:1", name: "sensors", sequence: 1, thresholds: { root: 1, release: 1 } },
        anchors: [
          { key: "B.jwk", roles: ["root"] },
          { key: "A.jwk", roles: ["release"], until: 2 },
        ],
      }),
    );
    await p.ok(["trust", "create", "--from", "A.json", "--out", "A.trust"]);
    await p.ok(["trust", "sign", "A.trust", "--key", "B.pem"]);
    const trusted = ["--trust", "A.trust", "--first", "--shard-size"];
    expect(await refused(1, [...trusted, "1"])).toContain("but this is 3");
    expectExit(await batch(p, [...trusted, "2"]), 0);
    // a batch that is complete asks for no further number
    expectExit(await batch(p, ["--trust", "A.trust", "--shard-size", "2"]), 0);
  });

  it("a one-time key, which has no leaf for each device", async () => {
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--out", "h.hss", "--no-passphrase"]);
    expect(await refused(2, ["--key", "h.hss", "--first"])).toContain("h.hss: a one-time key has no leaf for each device");
  });

  it("a key whose log requires that somebody approves", async () => {
    const scope = ["--vendor", "example.com", "--class", "sensor-v1", "--seq", "1"];
    await p.ok(["sign", "fw.bin", "--key", "C.pem", ...scope, "--out", "fw.suit"]);
    await p.ok(["approve", "fw.suit", "--key", "B.pem"]);
    await p.ok(["sign", "fw.suit", "--key", "A.pem", "--approver", "B.jwk", "--approval", "fw.approval", "--replace"]);
    expect(await refused(1, [])).toContain("this key signs with the approval of");
  });

  it("a key that is given twice", async () => {
    expect(await refused(1, ["--key", "A.pem", "--first"])).toContain("this key is given twice");
  });
});

describe("a folder", () => {
  it("of something else", async () => {
    p.folder("out");
    p.put("out/notes.txt", "mine");
    expect(await refused(2)).toContain("out is not the folder of a batch, and not empty");
    p.put("out/batch.json", JSON.stringify({ $schema: "urn:firmseal:release:1" }));
    expect(await refused(1)).toContain("out/batch.json is not the plan of a batch");
  });

  it("that is a link, or whose lock is one", async () => {
    p.folder("real");
    symlinkSync("real", p.at("out"));
    expect(await refused(2)).toContain("out is a symbolic link");
    rmSync(p.at("out"));
    p.folder("out");
    symlinkSync("nowhere", p.at("out/.batch.lock"));
    expect(await refused(3)).toContain("out/.batch.lock is a symbolic link");
  });

  it("whose log is elsewhere", async () => {
    expectExit(await batch(p), 0);
    rmSync(p.at("A.pem.log"));
    rmSync(stateOf(p.path), { recursive: true });
    expect(await refused(1, ["--first"])).toContain("the log has no entry about out/0001.json");
  });

  it("whose envelopes are missing, exchanged or more", async () => {
    expectExit(await batch(p), 0);
    const [one, two] = [...envelopes(p).keys()] as [string, string];
    const right = p.get(`out/0001/${one}`);
    const incomplete = "out/0001 does not have the envelopes of its index";
    rmSync(p.at(`out/0001/${one}`));
    expect(await refused(1, [])).toContain(incomplete);
    p.put(`out/0001/${one}`, p.get(`out/0001/${two}`));
    expect(await refused(1, [])).toContain("does not have the manifest that it is named after");
    p.put(`out/0001/${one}`, right);
    p.put("out/0001/more.suit", right);
    expect(await refused(1, [])).toContain(incomplete);
    rmSync(p.at("out/0001"), { recursive: true });
    for (const make of [() => p.put("out/0001", ""), () => symlinkSync(".", p.at("out/0001"))]) {
      make();
      expect(await refused(1, [])).toContain(incomplete);
      rmSync(p.at("out/0001"));
    }
    expectExit(await batch(p, []), 0);
    expect([envelopes(p).size, logEntries(p).length]).toEqual([3, 1]);
  });

  it("in folders that it has made, which do not stay", async () => {
    expectExit(await batch(p, ["--seq", "7"]), 0);
    const args = "batch template.json --devices devices.csv --key A.pem --out new/batch/folder --seq 6".split(" ");
    expect(expectFailure(await p.run(args), 1)).toContain("sequence number 6 is lower than 7");
    expect(p.has("new")).toBe(false);
  });

  it("that is a file", async () => {
    p.put("out", "");
    expect(await refused(3)).toContain("out: a part of the path is not a folder");
  });

  it("of a batch with other inputs, or other keys", async () => {
    expectExit(await batch(p), 0);
    expect(await refused(1, ["--key", "B.pem"])).toContain("out: this batch was begun with other keys");
    p.put("devices.csv", devices(2));
    expect(await refused(1, [])).toContain("out: this batch was begun with other inputs");
    p.put("devices.csv", devices(3));
    template({ validate: ["condition-image-match", "condition-image-match"] });
    expect(await refused(1, [])).toContain("out: this batch was begun with other inputs");
  });

  it("whose index was changed, exchanged or removed", async () => {
    expectExit(await batch(p), 0);
    const index = p.get("out/0001.json").toString();
    p.put("out/0001.json", index.replace(/"digest":"sha-256:../, '"digest":"sha-256:00'));
    expect(await refused(1, [])).toContain("out/0001.json was changed: its root is not that of its manifests");
    p.put("out/0001.json", "{}");
    expect(await refused(1, [])).toContain("out/0001.json is not the index of a shard");
    p.put("out/0001.json", index.replace('"sequence": "1"', '"sequence": "7"'));
    expect(await refused(1, [])).toContain("the log has no entry about out/0001.json");
    p.put("out/0001.json", index.replace('"sequence": "1"', '"sequence": "99999999999999999999"'));
    expect(await refused(1, [])).toContain("out/0001.json is not the index of a shard");
    p.put("out/0001.json", index.replace(/"device":"../, '"device":"ff'));
    expect(await refused(1, [])).toContain("out/0001.json does not have the devices of this batch");
    p.put("out/0001.json", index.replace('"shard": 1', '"shard": 2'));
    expect(await refused(1, [])).toContain("out/0001.json is the index of shard 2");
    rmSync(p.at("out/0001.json"));
    expect(await refused(3, [])).toContain("out/0001.json is missing");
    // that of other devices, where the shard is still to be signed
    const q = batchPlace(2);
    expectExit(await batch(q), 0);
    p.put("out/0001.json", q.get("out/0001.json"));
    rmSync(p.at("out/0001"), { recursive: true });
    expect(await refused(1, [])).toContain("out/0001.json does not have the devices of this batch");
    p.put("out/0001.json", index);
    expectExit(await batch(p, []), 0);
    expect([envelopes(p).size, logEntries(p).length]).toEqual([3, 1]);
  });
});
