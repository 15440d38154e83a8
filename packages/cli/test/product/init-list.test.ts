// firmseal init with roots: the first list of keys, which a product can continue at once.

import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  expectFailure,
  image,
  keyA,
  keyB,
  keyC,
  type Place,
  quicklyEncrypted,
  standard,
} from "../../../test-support/src/command-line/run.js";
import { SoftHsm, why } from "../../../test-support/src/keys/softhsm.js";
import { released } from "./product-place.js";

const INIT = ["init", "--vendor", "example.com", "--name", "acme", "--board", "one=app.bin"];

/** A folder with the roots B and C, the release key A, and an image. */
function place(): Place {
  const p = standard();
  p.keepsLogs = true;
  p.put("app.bin", image(100));
  return p;
}

const roots = (...names: string[]) => names.flatMap((name) => ["--root", name]);

describe("init with roots", () => {
  it("writes a signed list, its description and the public keys, and verify needs no private key", async () => {
    const p = place();
    const { json } = await p.ok([...INIT, "--key", "A.pem", ...roots("B.pem", "C.pem"), "--json"]);
    expect(json).toMatchObject({
      keys: ["A.pem"],
      for: null,
      trust: { file: "acme.trust", description: "acme.json", threshold: 1, rootThreshold: 1 },
      publicKeys: ["B.pub", "C.pub", "A.pub"],
      written: [".gitignore", "B.pub", "C.pub", "A.pub", "acme.json", "acme.trust", "firmseal.toml"],
      log: [{ path: p.at("B.pem.log"), entry: 1 }, { entry: 1 }],
    });
    for (const name of ["A", "B", "C"]) expect(p.get(`${name}.pub`).toString()).toBe((await p.ok(["pubkey", `${name}.pem`])).stdout);
    expect((await p.ok(["trust", "verify", "acme.trust", ...roots("B.pub", "C.pub"), "--json"])).json).toMatchObject({ name: "acme" });
    expect(p.get("firmseal.toml").toString()).toContain('\nname = "acme"\n\n[sequence]');
    await released(p, "1.0.0");
    rmSync(p.at("A.pem"));
    await p.ok(["verify", "dist/1.0.0"]);
    const before = p.tree();
    expectFailure(await p.run([...INIT, "--out", "other.toml", "--key", "A.pub", ...roots("B.pem", "C.pem")]), 2);
    expect(p.tree()).toEqual(before);
    mkdirSync(p.at("o"));
    const words = (await p.ok([...INIT, "--out", "o/x.toml", "--key", "A.pub", ...roots("B.pub", "C.pub")])).stderr;
    expect(words).toContain(
      "into the repository: o/x.toml, o/.gitignore, o/acme.trust, o/acme.json, o/B.pub, o/C.pub, o/A.pub; never: private keys, their logs and states",
    );
    expect(p.has("o/B.pub")).toBe(true);
  });

  it("writes the name of the list into the product file, so that the list of another product is refused", async () => {
    const p = place();
    await p.ok([...INIT, "--key", "A.pem", ...roots("B.pem", "C.pem")]);
    await released(p, "1.0.0");
    p.put("lamp.json", p.get("acme.json").toString().replace('"name": "acme"', '"name": "lamp"').replace("{", '{ "sequence": 1,'));
    await p.ok(["trust", "create", "--from", "lamp.json", "--out", "lamp.trust"]);
    await p.ok(["trust", "sign", "lamp.trust", "--key", "B.pem", "--key", "C.pem"]);
    p.put("acme.trust", p.get("lamp.trust"));
    expect(expectFailure(await p.run(["verify", "dist/1.0.0"]), 1)).toContain(
      'acme.trust is for "lamp", and the product file requires "acme"',
    );
  });

  it("can be continued: by a description with another key, and by a rotation", async () => {
    const p = place();
    await p.ok([...INIT, "--key", "A.pem", ...roots("B.pem", "C.pem")]);
    await p.ok(["keygen", "--no-passphrase", "--out", "next.pem"]);
    p.put("acme.json", p.get("acme.json").toString().replace('"A.pub"', '"next.pub"'));
    await p.ok(["trust", "create", "--from", "acme.json", "--previous-trust", "acme.trust", "--out", "second.trust"]);
    // one root is enough: the other one may be lost
    await p.ok(["trust", "sign", "second.trust", "--previous-trust", "acme.trust", "--key", "C.pem"]);
    expect((await p.ok(["trust", "verify", "second.trust", "--previous-trust", "acme.trust", "--json"])).json).toMatchObject({
      sequence: "2",
    });
  });

  it("needs two of three roots, so that one may be lost or stolen", async () => {
    const p = place();
    await p.ok(["keygen", "--no-passphrase", "--out", "D.pem"]);
    const { stderr } = await p.ok([...INIT, "--key", "A.pem", ...roots("B.pem", "C.pem", "D.pem")]);
    expect(stderr).toContain("roots: 2 of 3 must sign a list: one may be lost or stolen\n");
    expect(p.get("firmseal.toml").toString()).toContain('root = ["B.pub", "C.pub"]\n');
  });

  it("takes public keys: of roots that sign later, and of people who sign releases elsewhere", async () => {
    const p = place();
    mkdirSync(p.at("keys"));
    await p.ok(["keygen", "--no-passphrase", "--out", "keys/D.pem"]);
    const both = ["--key", "A.pem", "--key", "keys/D.pub", "--threshold", "2"];
    const { stderr, json } = await p.ok([...INIT, ...both, ...roots("B.jwk", "C.jwk"), "--json"]);
    expect([stderr, json["publicKeys"], json["log"]]).toEqual(["", ["B.jwk", "C.jwk", "A.pub", "keys/D.pub"], []]);
    const toml = p.get("firmseal.toml").toString();
    expect(toml).toContain('root = "B.jwk"\n');
    expect(toml).not.toContain("[keys]");
    expectFailure(await p.run(["release", "--version", "1.0.0", "--first"]), 1);
    await p.ok(["trust", "sign", "acme.trust", "--key", "B.pem"]);
    await p.ok(["release", "--version", "1.0.0", "--first"]);
    for (const key of ["A.pem", "keys/D.pem"]) await p.ok(["sign", "dist/1.0.0", "--key", key]);
    await p.ok(["verify", "dist/1.0.0"]);
  });

  it("says what roots have to sign", async () => {
    const p = place();
    const { stderr } = await p.ok([...INIT, "--for", "generic", "--key", "A.pem", ...roots("B.pem", "C.jwk")]);
    expect(stderr).toContain("next, for C.jwk: firmseal trust sign acme.trust --key ROOT\n");
    expect(stderr).toContain("devices with generic read no list: their keys are in their firmware");
    await released(p, "1.0.0");
  });

  it("copies public keys of keys elsewhere, and asks for the passphrases of roots only", async () => {
    const p = place();
    for (const folder of ["safe", "fw"]) mkdirSync(p.at(folder));
    p.put("safe/r1.pem", quicklyEncrypted(keyB, "one"));
    p.put("safe/r2.pem", quicklyEncrypted(keyC, "two"));
    p.put("safe/rel.pem", quicklyEncrypted(keyA, "three"));
    const init = [...INIT, "--out", "fw/firmseal.toml", "--key", "safe/rel.pem", ...roots("safe/r1.pem", "safe/r2.pem")];
    const pass = ["--passphrase-env", "P1", "--passphrase-env", "P2"];
    const env = { P1: "one", P2: "two" };
    const before = p.tree();
    const r = await p.run([...init, ...pass], { env });
    expect(expectFailure(r, 2)).toContain("safe/rel.pem is encrypted, and its public key is not beside it");
    expect(r.stderr).toContain("firmseal pubkey safe/rel.pem --out safe/rel.pub writes it");
    expect(p.tree()).toEqual(before);
    await p.ok(["pubkey", "safe/rel.pem", "--passphrase-env", "P", "--out", "safe/rel.pub"], { env: { P: "three" } });
    const { stderr } = await p.ok([...init, ...pass], { env });
    expect(stderr).toMatch(/^safe\/rel\.pem is encrypted: the list has the key of safe\/rel\.pub, ed25519 [0-9a-f]{16}…: is that what/m);
    expect(stderr).not.toMatch(/r[12]\.pem is encrypted/);
    expect(p.get("fw/acme.json").toString()).toContain('{ "key": "r1.pub", "roles": ["root"] }');
    expect(p.get("fw/rel.pub")).toEqual(p.get("safe/rel.pub"));
    expect(p.get("fw/firmseal.toml").toString()).toContain('file = "acme.trust"');
  });

  it("refuses what is wrong, signs nothing and writes nothing", async () => {
    const p = place();
    p.folder("fold");
    p.put("A2.pem", p.get("A.pem"));
    p.put("taken.pem", p.get("B.pem"));
    p.put("taken.pub", p.get("C.jwk"));
    p.put("private.pem", p.get("B.pem"));
    p.put("private.pub", p.get("B.pem"));
    p.put("locked.pem", quicklyEncrypted(keyB, "one"));
    p.put("odd.pem", p.get("B.pem"));
    p.put("odd.pub", "odd");
    p.put("full.pem", p.get("B.pem"));
    p.folder("full.pub");
    for (const name of ["locked.pub", "gone.pub"]) p.put(name, p.get("B.pem"));
    p.folder("b");
    p.put("b/C.pem", p.get("B.pem"));
    symlinkSync("C.pem", p.at("link.pem"));
    await p.ok(["keygen", "--no-passphrase", "--alg", "ml-dsa-44", "--out", "pq.pem"]);
    p.put("there.trust", "");
    p.put("dir.json", "{}");
    const before = p.tree();
    const good = ["--key", "A.pem"];
    for (const [args, exit, message] of [
      [[...good, ...roots("B.pem")], 2, "--root is given once"],
      [[...good, ...roots("B.pem", "B.pem")], 2, "--root B.pem and --root B.pem are the same key"],
      [[...good, ...roots("B.pem", "B.jwk")], 2, "--root B.pem and --root B.jwk are the same key"],
      [[...good, ...roots("B.pem", "A.jwk")], 2, "--root A.jwk and --key A.pem are the same key"],
      [["--key", "A.pem", "--key", "A2.pem", ...roots("B.pem", "C.pem")], 2, "--key A.pem and --key A2.pem are the same key"],
      [[...good, ...roots("B.pem", "gone.pem")], 3, "gone.pem: file not found"],
      [[...good, ...roots("B.pem", "fold")], 2, "fold is a folder"],
      [[...good, ...roots("B.pem", "--lone-key")], 2, "option '--root <file>': its value is missing"],
      [[...good, ...roots("B.pem", "")], 3, "--root"],
      [[...good, ...roots("B.pem", "-")], 2, "--root -: a key of a list cannot come from stdin"],
      [[...good, ...roots("B.pem", "link.pem")], 3, "link.pem"],
      [[...good, ...roots("B.pem", "app.bin")], 2, "app.bin"],
      [[...good, ...roots("B.pem", "pq.pem")], 2, "no device verifies ml-dsa-44"],
      [[...good, ...roots("C.pem", "b/C.pem"), "--out", "fold/p.toml"], 2, "is that of another key given"],
      [[...good, ...roots("taken.pem", "C.pem")], 2, "taken.pub is another key, and not the public key of taken.pem"],
      [[...good, ...roots("private.pem", "C.pem")], 2, "private.pub is a private key, and not"],
      [["--key", "gone.pem", ...roots("B.pem", "C.pem")], 3, "gone.pem: file not found"],
      [["--key", "exec:false", ...roots("B.pem", "C.pem")], 3, "exec:false"],
      [[...good, ...roots("B.pem", "C.pem"), "--threshold", "2"], 2, "--threshold 2: 1 release key is given"],
      [[...good, ...roots("B.pem", "C.pem"), "--threshold", "0"], 2, "--threshold 0"],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "there"], 2, "there.trust exists already"],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "dir"], 2, "dir.json exists already"],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "release"], 2, "release.json would be taken for a file of a release"],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "Withdrawn"], 2, "Withdrawn.json would be taken for a file of a release"],
      [["--key", "taken.pem", "--lone-key"], 2, "taken.pub is another key, and not the public key of taken.pem"],
      [["--key", "private.pem", "--lone-key"], 2, "private.pub is a private key, and not"],
      [["--key", "locked.pem", "--lone-key"], 2, "locked.pub is a private key, and not"],
      [["--key", "gone.pem", "--lone-key"], 2, "gone.pub is a private key, and not"],
      [["--key", "odd.pem", "--lone-key"], 2, "odd.pub"],
      [["--key", "full.pem", "--lone-key"], 2, "full.pub is a folder"],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "a/b"], 2, '--name "a/b": a name has letters, digits,'],
      [[...good, ...roots("B.pem", "C.pem"), "--name", "../x"], 2, '--name "../x": a name has letters, digits,'],
      [[...good, ...roots("B.pem", "C.pem"), "--out", "gone/p.toml"], 3, "there is no folder gone"],
    ] as const) {
      const init = args.some((arg) => arg === "--name") ? INIT.filter((arg) => arg !== "--name" && arg !== "acme") : INIT;
      expect(expectFailure(await p.run([...init, ...args]), exit), args.join(" ")).toContain(message);
      expect(p.tree(), args.join(" ")).toEqual(before);
    }
  });

  it("ends with commands that work as they are", async () => {
    const p = place();
    const gone = await p.run([...INIT, "--key", "gone.pem", ...roots("B.pem", "C.pem")]);
    expectFailure(gone, 3);
    expect(gone.stderr).toContain("hint: make the key, firmseal keygen --out gone.pem, or correct the name\n");
    const { stderr } = await p.ok([...INIT, "--key", "A.jwk", ...roots("B.pem", "C.pem")]);
    const commands = stderr.match(/(?<=firmseal )(?:trust export|release) [^;\n]+/g) ?? [];
    expect(commands).toEqual(["trust export acme.trust --root B.pub", "release --version 1.0.0 --first --unsigned"]);
    const said: string[] = [];
    for (const command of commands) said.push((await p.ok(command.split(" "))).stderr);
    expect(said[0]).toBe("");
    const sign = /^each signer: firmseal (sign dist\/1\.0\.0 --key )KEY$/m.exec(said[1] as string);
    await p.ok([...(sign?.[1]?.trim().split(" ") ?? []), "A.pem"]);
    await p.ok(["verify", "dist/1.0.0"]);
  });

  it("refuses a second first list of one name, and says how to continue", async () => {
    const p = place();
    await p.ok([...INIT, "--key", "A.pem", ...roots("B.pem", "C.pem")]);
    const other = p.folder("other");
    p.put("other/app.bin", image(100));
    await p.ok(["keygen", "--no-passphrase", "--out", "D.pem"]);
    const before = p.tree();
    const again = [...INIT, "--out", `${other}/firmseal.toml`, "--key", "D.pem", ...roots("B.pem", "C.pem")];
    const r = await p.run(again);
    expectFailure(r, 1);
    expect(r.stderr).toContain("hint: give another --name, or continue the list acme that they have signed: firmseal trust create\n");
    expect(p.tree()).toEqual(before);
  });
});

describe("init with the list of another product", () => {
  /** Three roots, of which the first two have signed the list of acme in `lamp`; two of the keys A and E must sign. */
  async function shared(): Promise<Place> {
    const p = place();
    p.folder("lamp");
    p.put("lamp/app.bin", image(100));
    for (const name of ["D", "E"]) await p.ok(["keygen", "--no-passphrase", "--out", `${name}.pem`]);
    const keys = ["--key", "A.jwk", "--key", "E.pub", "--threshold", "2"];
    await p.ok([...INIT, "--out", "lamp/firmseal.toml", ...keys, ...roots("B.pem", "C.pem", "D.pub")]);
    return p;
  }
  const GIVEN = ["init", "--vendor", "example.com", "--name", "lock", "--board", "one=app.bin", "--trust", "lamp/acme.trust"];

  it("names it and its roots, writes nothing else, and the same people sign", async () => {
    const p = await shared();
    const { json } = await p.ok([...GIVEN, ...roots("B.jwk", "C.jwk", "D.pub"), "--json"]);
    expect(json).toMatchObject({
      trust: { file: "lamp/acme.trust", description: null, threshold: 2, rootThreshold: 2 },
      publicKeys: ["B.jwk", "C.jwk", "D.pub"],
      written: [".gitignore", "firmseal.toml"],
      log: [],
    });
    expect(json["keys"]).toHaveLength(2);
    const toml = p.get("firmseal.toml").toString();
    expect(toml).toContain('file = "lamp/acme.trust"');
    expect(toml).toContain('root = ["B.jwk", "C.jwk"]\n');
    expect(toml).not.toContain("[keys]");
    await p.ok(["release", "--version", "1.0.0", "--first"]);
    for (const key of ["A.pem", "E.pem"]) await p.ok(["sign", "dist/1.0.0", "--key", key]);
    await p.ok(["verify", "dist/1.0.0"]);
  });

  it("says nothing of roots that have yet to sign, and finds the list from another folder", async () => {
    const p = await shared();
    p.folder("lock");
    const { stderr } = await p.ok([...GIVEN, "--out", "lock/firmseal.toml", ...roots("B.jwk", "C.jwk")]);
    expect(stderr).toContain("lamp/acme.trust: the list of keys: 2 of 2 must sign a release");
    expect(stderr).not.toContain("firmseal trust sign");
    expect(p.get("lock/firmseal.toml").toString()).toContain('file = "../lamp/acme.trust"');
    expect(p.get("lock/firmseal.toml").toString()).toContain('root = ["../B.jwk", "../C.jwk"]\n');
  });

  it("refuses what is wrong, and writes nothing", async () => {
    const p = await shared();
    p.folder("fold");
    p.put("damaged.trust", p.get("lamp/acme.trust").subarray(0, 100));
    const alone = ["--key", "A.jwk", ...roots("B.pem", "D.pub", "C.jwk"), "--out", "fold/alone.toml"];
    await p.ok(["init", "--vendor", "example.com", "--name", "alone", "--board", "one=app.bin", ...alone]);
    const before = p.tree();
    const good = roots("B.jwk", "C.jwk");
    for (const [args, exit, message] of [
      [[...good, "--key", "A.pem"], 2, "--trust and --key exclude each other"],
      [[...good, "--threshold", "2"], 2, "--trust and --threshold exclude each other"],
      [[...good, "--lone-key"], 2, "--trust and --lone-key exclude each other"],
      [[], 2, "lamp/acme.trust: 2 of its roots must sign a list, and --root is not given"],
      [roots("B.jwk"), 2, "lamp/acme.trust: 2 of its roots must sign a list, and --root is given once"],
      [roots("B.jwk", "B.pub"), 3, "B.pub"],
      [roots("B.jwk", "B.jwk"), 2, "--root B.jwk and --root B.jwk are the same key"],
      [roots("B.pem", "C.jwk"), 2, "--root B.pem is not the file of a public key"],
      [roots("pkcs11:token=a;object=b", "C.jwk"), 2, "is not the file of a public key"],
      [roots("B.jwk", "-"), 2, "--root -: a key of a list cannot come from stdin"],
      [roots("B.jwk", "app.bin"), 2, "app.bin"],
      [roots("B.jwk", "fold"), 2, "fold"],
      [roots("B.jwk", ""), 3, "--root"],
      // a root of the list that has not signed, and a stranger
      [roots("B.jwk", "D.pub"), 1, "lamp/acme.trust: refused: not signed by every key of --root"],
      [roots("B.jwk", "A.jwk"), 1, "lamp/acme.trust: refused: not signed by every key of --root"],
      [[...good, "--trust", "gone.trust"], 2, "--trust"],
    ] as const) {
      expect(expectFailure(await p.run([...GIVEN, ...args]), exit), args.join(" ")).toContain(message);
      expect(p.tree(), args.join(" ")).toEqual(before);
    }
    for (const [file, exit, message] of [
      ["gone.trust", 3, "gone.trust"],
      ["fold", 2, "fold"],
      ["app.bin", 1, "app.bin"],
      ["damaged.trust", 1, "damaged.trust"],
      ["", 3, "file not found"],
      // one of its roots has signed, and two must
      ["fold/alone.trust", 1, "fold/alone.trust"],
    ] as const) {
      const args = GIVEN.map((arg) => (arg === "lamp/acme.trust" ? file : arg));
      expect(expectFailure(await p.run([...args, ...good]), exit), file).toContain(message);
      expect(p.tree(), file).toEqual(before);
    }
  });
});

describe.skipIf(why !== "")(`init with a key on a token${why}`, () => {
  const PIN = "?pin-source=env:PIN";

  it("writes a list with its public key, and the product can release at once", async () => {
    const p = place();
    const hsm = new SoftHsm(p);
    hsm.init("one");
    const [key, root] = ["fw", "root"].map((name) => `pkcs11:token=one;object=${name}${PIN}`) as [string, string];
    const ok = (...args: string[]) => p.ok(args, { env: hsm.env });
    for (const ref of [key, root]) await ok("token", "keygen", ref, "--alg", "es256");
    const { json } = await ok(...INIT, "--key", key, ...roots(root, "C.pem"), "--json");
    expect(json).toMatchObject({
      keys: [key],
      publicKeys: ["root-1.pub", "C.pub", "release.pub"],
      trust: { roots: [{ ref: root, signs: true }, { ref: "C.pem" }] },
    });
    for (const [file, ref] of [
      ["release.pub", key],
      ["root-1.pub", root],
    ] as const)
      expect(p.get(file).toString()).toBe((await ok("pubkey", ref)).stdout);
    expect(p.get("firmseal.toml").toString()).toContain(`release = "${key}"`);
    await ok("release", "--version", "1.0.0", "--first");
    await p.ok(["verify", "dist/1.0.0"]);
  });

  it("refuses a token that cannot be reached, and writes nothing", async () => {
    const p = place();
    const hsm = new SoftHsm(p);
    hsm.init("one");
    /** A token counts by itself how often it was used. */
    const own = () => p.tree().filter((line) => !line.startsWith("tokens/"));
    const before = own();
    for (const [ref, env, message] of [
      [`pkcs11:token=gone;object=fw${PIN}`, {}, "no such token"],
      [`pkcs11:token=one;object=gone${PIN}`, {}, "the token one has no such private key"],
      [`pkcs11:token=one;object=fw${PIN}&module-path=/gone.so`, {}, "/gone.so"],
      [`pkcs11:token=one;object=fw${PIN}`, { PIN: "0000" }, "wrong PIN"],
    ] as const)
      for (const args of [
        ["--key", ref, ...roots("B.pem", "C.pem")],
        ["--key", "A.pem", ...roots(ref, "C.pem")],
      ]) {
        const r = await p.run([...INIT, ...args], { env: { ...hsm.env, ...env } });
        expect(expectFailure(r, 3), String(r)).toContain(message);
        expect(r.stderr).toMatch(/^hint: ./m);
        expect(own()).toEqual(before);
      }
  });
});
