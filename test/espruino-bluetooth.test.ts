// examples/espruino/bluetooth/ in Chromium: the page that sends a release to a board. The Bluetooth is simulated; behind it is Espruino, if
// ESPRUINO= names one, or a board that checks each line.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { chromiumPath, launch, NO_BROWSER, violations } from "../packages/test-support/src/browser.js";
import { Place } from "../packages/test-support/src/command-line/run.js";
import { memoryDevice } from "../packages/verifier/src/device/memory.js";
import { anchor, errors, install, type Refusal } from "../packages/verifier/src/index.js";
import { ROOT } from "./pages.js";

const ESPRUINO = process.env["ESPRUINO"] && resolve(process.env["ESPRUINO"]);
const EXAMPLES = join(ROOT, "examples/espruino/");
const TYPES: { [ext: string]: string } = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const FACTS = "--for micro --vendor example.com --class board-v2 --uri https://example.com/app".split(" ");
const identity = {
  vendor: [Buffer.from("cfbff0d193755685968c48ce8b15ae17", "hex")],
  class: [Buffer.from("7ef25e2657d5563dbec7161eb72060bb", "hex")],
};

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

/** The other end of the radio: takes text, and answers with text. */
interface Far {
  heard(text: string): void;
  say: (text: string) => void;
  close(): void;
}

/** A board that checks each line, and installs with the general verifier. */
class FakeBoard implements Far {
  say: (text: string) => void = () => {};
  lines: string[] = [];
  /** What it says before each answer, and in place of an answer. */
  noise = "";
  instead: string | undefined;
  installed: Buffer | undefined;
  private line = "";
  private length = 0;
  private taken = Buffer.alloc(0);
  constructor(private readonly key: Buffer) {}

  heard(text: string): void {
    this.line += text;
    for (let end = this.line.indexOf("\n"); end >= 0; end = this.line.indexOf("\n")) {
      this.answer(this.line.slice(0, end));
      this.line = this.line.slice(end + 1);
    }
  }
  private answer(line: string): void {
    this.lines.push(line);
    const [, number, call, argument = ""] =
      line.match(/^.print\("firmseal (\d+): "\+require\("update"\)\.(begin|put|end|room)\((.*)\)\)$/) ?? [];
    if (!call) return;
    // the console asks to wait in the middle of its answer
    const stale = `firmseal ${Number(number) - 1}: 99\r\nfirmseal ${number}: 1000\r\n`;
    this.say(`${this.noise}${stale}\x13fir\x13ms\x11eal ${number}: ${this.instead ?? this.run(call, argument)}\r\n`);
  }
  private run(call: string, argument: string): number {
    if (call === "begin") {
      this.length = Number(argument);
      this.taken = Buffer.alloc(0);
      return 0;
    }
    if (call === "put") {
      const [, base64] = argument.match(/^atob\("([A-Za-z0-9+/]+=*)"\)$/) ?? [];
      const bytes = Buffer.from(base64 as string, "base64");
      expect(bytes.length).toBeLessThanOrEqual(192);
      // no packet has bytes of both
      expect(this.taken.length < this.length && this.taken.length + bytes.length > this.length).toBe(false);
      this.taken = Buffer.concat([this.taken, bytes]);
      return 0;
    }
    if (call === "room") return 0;
    const device = memoryDevice(identity, [[[0]]], 20_000);
    try {
      const trust = { anchors: [anchor("hsslms", this.key)] };
      const progress = install(this.taken.subarray(0, this.length), trust, device);
      progress.next();
      progress.next(this.taken.subarray(this.length));
      progress.next(true);
    } catch (e) {
      return (e as Refusal).code;
    }
    this.installed = this.taken.subarray(this.length);
    return 0;
  }
  close(): void {}
}

/** Espruino itself, with its console at the other end. */
class RealBoard implements Far {
  say: (text: string) => void = () => {};
  private readonly child: ChildProcess;
  constructor(cwd: string) {
    this.child = spawn(ESPRUINO as string, [], { cwd, stdio: ["pipe", "pipe", "ignore"] });
    this.child.stdout?.setEncoding("latin1").on("data", (text: string) => this.say(text));
    this.child.stdin?.on("error", () => {});
  }
  heard(text: string): void {
    this.child.stdin?.write(Buffer.from(text, "latin1"));
  }
  close(): void {
    this.child.kill("SIGKILL");
  }
}

/** The part of Web Bluetooth that the page uses, in the page. */
const FAKE = `
const from = Object.assign(new EventTarget(), { startNotifications: async () => {} });
// a board does nothing before its line ends: each packet by itself would cost a call out of the page
let line = "";
const to = {
  async writeValueWithResponse(bytes) {
    if (bytes.length > 20 || bytes.length === 0) throw new Error("a packet of " + bytes.length + " bytes");
    line += String.fromCharCode(...bytes);
    if (!line.endsWith("\\n")) return;
    const whole = line;
    line = "";
    await window.radio(btoa(whole));
  },
};
const CHARACTERISTICS = { "6e400002-b5a3-f393-e0a9-e50e24dcca9e": to, "6e400003-b5a3-f393-e0a9-e50e24dcca9e": from };
const SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const device = new EventTarget();
device.gatt = {
  connected: false,
  async connect() {
    this.connected = true;
    return { getPrimaryService: async (uuid) => (uuid === SERVICE ? { getCharacteristic: async (one) => CHARACTERISTICS[one] } : undefined) };
  },
  disconnect() {
    this.connected = false;
    device.dispatchEvent(new Event("gattserverdisconnected"));
  },
};
window.fakeBoard = device;
window.fromBoard = (base64) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  for (let at = 0; at < bytes.length; at += 20) {
    const part = bytes.slice(at, at + 20);
    from.value = new DataView(part.buffer);
    from.dispatchEvent(new Event("characteristicvaluechanged"));
  }
};
const bluetooth = {
  async requestDevice({ filters, optionalServices }) {
    if (!optionalServices.includes(SERVICE) || !filters.some(({ namePrefix }) => namePrefix === "Puck.js")) throw new Error("asks for another board");
    return device;
  },
};
Object.defineProperty(navigator, "bluetooth", { configurable: true, value: bluetooth });
`;

let place: Place;
let server: Server;
let page: Page;
let far: Far;
let noise: string[] = [];
const sent = { release: "app-1.suit", app: "app-1.js", keys: "app-1.js" };

async function choose(files: Partial<typeof sent> = {}): Promise<void> {
  for (const [id, name] of Object.entries({ ...sent, ...files }))
    await page.setInputFiles(`#${id}`, { name, mimeType: "application/octet-stream", buffer: place.get(name) });
}
const text = (id: string) => page.locator(`#${id}`).textContent();
const settled = (id: string, pattern: RegExp) =>
  vi.waitFor(async () => expect(await text(id)).toMatch(pattern), { timeout: 120_000, interval: 20 });

async function newPage(): Promise<Page> {
  const made = await (await launch()).newPage();
  made.on("console", (message) => noise.push(message.text()));
  made.on("pageerror", (error) => noise.push(String(error)));
  made.on("request", (request) => {
    if (!request.url().startsWith(url())) noise.push(request.url());
  });
  await made.exposeFunction("radio", (base64: string) => far.heard(Buffer.from(base64, "base64").toString("latin1")));
  await made.addInitScript(FAKE);
  return made;
}

/** Loads the page again, with a board behind the radio. */
async function opened(board: Far): Promise<void> {
  far?.close();
  far = board;
  board.say = (said) => {
    page.evaluate(`window.fromBoard(${JSON.stringify(Buffer.from(said, "latin1").toString("base64"))})`).catch(() => {});
  };
  noise = [];
  await page.goto(url());
  await page.waitForSelector("html[data-ready]");
}
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const fake = () => new FakeBoard(place.get("key.bin"));

beforeAll(async () => {
  if (!chromiumPath) return;
  place = new Place();
  const typed = async (line: string) => place.ok(line.split(" "));
  await typed("keygen --alg hsslms --hss 5/4 --out release.pem --no-passphrase");
  await typed("keygen --out other.pem --no-passphrase");
  await typed("pubkey release.pem --format raw --out key.bin");
  const line = `//firmseal [["hsslms",atob("${place.get("key.bin").toString("base64")}")]]\n`;
  for (const n of [1, 2]) {
    place.put(`app-${n}.js`, `${line}print("app ${n} runs");firmsealApp.confirm();\n`);
    await place.ok(["sign", `app-${n}.js`, ...FACTS, "--seq", String(n), "--key", "release.pem"]);
  }
  place.put("bare.js", "print(1)\n");
  await place.ok(["sign", "bare.js", ...FACTS, "--seq", "3", "--key", "release.pem"]);
  place.put(
    "late.txt",
    line.replace(/\]\]\n$/, `,undefined,[0,0]],["hsslms",atob("${place.get("key.bin").toString("base64")}"),[0,9],[1,0]]]\r\n`),
  );
  place.put("broken.js", `${line.replace(/\]\n$/, "\n")}print(1)\n`);
  await place.ok(["sign", "broken.js", ...FACTS, "--seq", "4", "--key", "release.pem"]);
  await place.ok(["sign", "app-1.js", ...FACTS, "--seq", "5", "--key", "other.pem", "--out", "other.suit"]);
  const changed = place.get("app-1.suit");
  changed[300] = (changed[300] as number) ^ 1;
  place.put("changed.suit", changed);

  place.folder("site");
  for (const name of ["index.html", "page.css", "page.js", "board.js", "release.js", "product.js"])
    cpSync(join(EXAMPLES, "bluetooth", name), place.at("site", name));
  await typed("bundle --micro --alg ed25519,es256,hsslms --out site/firmseal.js");
  server = createServer(({ url: asked = "" }, answer) => {
    const name = asked === "/" ? "index.html" : asked.slice(1);
    try {
      const content = readFileSync(place.at("site", name));
      answer.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(content);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  page = await newPage();
});
afterAll(async () => {
  far?.close();
  await page?.close();
  server?.close();
});

describe.skipIf(!chromiumPath)(`the page that sends a release over Bluetooth${NO_BROWSER}`, () => {
  let board: FakeBoard;
  beforeEach(async () => {
    board = fake();
    await opened(board);
  });

  it("verifies it, sends it line by line, and shows what it has verified", async () => {
    expect(await page.locator("#send").isDisabled()).toBe(true);
    await choose();
    await settled("verdict", /^Verified: /);
    expect(await text("facts")).toMatch(/Sequence number1Signed bykey 1 of 1App\d+ bytesDigest of the manifest[0-9a-f]{64}$/);
    await page.click("#send");
    await settled("state", /^The board says that the release is installed/);
    expect(board.installed?.equals(place.get("app-1.js"))).toBe(true);
    expect(await page.locator("#progress").evaluate((bar) => (bar as unknown as { value: number }).value)).toBe(1);
    expect(board.lines[0]).toBe("\x03");
    const shape = board.lines.map((line) => line.replace(/^.print\("firmseal \d+: "/, "").replace(/atob\(".*"\)/, ""));
    expect(shape.slice(0, 3)).toEqual([
      "\x03",
      `+require("update").begin(${place.get("app-1.suit").length}))`,
      '+require("update").put())',
    ]);
    expect(await page.locator("#room").isDisabled()).toBe(true);
    await page.check("#power");
    await page.click("#room");
    await settled("state", /made room/);
    await page.click("#restart");
    await settled("state", /start again/);
    expect(board.lines.at(-2)).toContain('+require("update").room())');
    expect(board.lines.at(-1)).toBe("\x10load()");
    expect(noise).toEqual([]);
  });

  it.each<[string, Partial<typeof sent>, RegExp]>([
    ["an app that was changed", { app: "app-2.js" }, /refused with 78: the app is not the one/],
    ["an app of another length", { app: "bare.js" }, /refused with 92/],
    ["an envelope that was changed", { release: "changed.suit" }, /refused with 60: the signature is not valid/],
    ["a release with another signer", { release: "other.suit" }, /refused with 61: signed by an unknown key/],
    ["something that is not a release", { release: "app-1.js" }, /refused with 130/],
    ["an app without keys", { release: "bare.suit", app: "bare.js" }, /does not begin with a line of keys/],
    ["an app whose keys cannot be read", { release: "broken.suit", app: "broken.js" }, /does not begin with a line of keys/],
    ["a release of a key that does not count any more", { keys: "late.txt" }, /refused with 65: the key does not count/],
    ["keys that are not keys", { keys: "bare.js" }, /first line of the keys/],
  ])("does not send %s", async (_, files, why) => {
    await choose(files);
    await settled("verdict", why);
    expect(await page.locator("#send").isDisabled()).toBe(true);
    expect(board.lines).toEqual([]);
    // and again, when the right file is chosen
    await choose();
    await settled("verdict", /^Verified: /);
    expect(await page.locator("#send").isEnabled()).toBe(true);
  });

  it("shows no verdict on other files while it verifies", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    const shown = await page.evaluate(
      `(document.getElementById("keys").dispatchEvent(new Event("change", { bubbles: true })), document.getElementById("verdict").textContent)`,
    );
    expect(shown).toBe("Verifying.");
    await settled("verdict", /^Verified: /);
  });

  it.each([errors.ROLLBACK, errors.STORAGE_FULL, errors.UNCONFIRMED, 255])("says what refusal %d of the board means", async (code) => {
    await choose();
    await settled("verdict", /^Verified: /);
    board.instead = String(code);
    await page.click("#send");
    await settled("state", new RegExp(`^The board refused with ${code}: .{8}`));
    // one line was refused, and nothing follows
    expect(board.lines).toHaveLength(2);
  });

  it("shows what a hostile board says as text, shortened", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    board.noise = `<img src=x onerror="window.bad=1">\r\nfirmseal: 0x\r\n firmseal: 0\r\nfirmseal: 1000\r\n\x1b[2J\xff\xfe${"y".repeat(5000)}\r\n${"z\r\n".repeat(60)}`;
    await page.click("#send");
    await settled("state", /^The board says that the release is installed/);
    const said = (await text("said")) as string;
    expect(said.split("\n").length).toBeLessThanOrEqual(101);
    expect(Math.max(...said.split("\n").map((line) => line.length))).toBeLessThanOrEqual(200);
    expect(await page.locator("#said *").count()).toBe(0);
    board.noise = "";
    board.say('<img src=x onerror="window.bad=1">\r\n');
    await settled("said", /<img src=x/);
    expect(await page.evaluate("window.bad")).toBeUndefined();
    expect(noise).toEqual([]);
  });

  it("ends when the board goes away, and connects again", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    board.heard = () => {};
    await page.click("#send");
    await settled("state", /^Sending/);
    await page.evaluate("window.fakeBoard.gatt.disconnect()");
    await settled("state", /^The board has disconnected/);
    board.heard = FakeBoard.prototype.heard;
    await page.click("#send");
    await settled("state", /^The board says that the release is installed/);
  });

  it("runs no script but its own, and can be used without seeing it", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    await page.evaluate(`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.bad = 1" }))`);
    expect(await page.evaluate("window.bad")).toBeUndefined();
    expect(noise.join()).toContain("Content Security Policy");
    expect(await violations(page)).toEqual([]);
  });

  it("stops when the board reports an error in place of an answer", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    board.heard = (line) => line.includes("\n") && !line.startsWith("\x03") && board.say('Uncaught Error: Module "update" not found\r\n');
    await page.click("#send");
    await settled("state", /^The board reports an error/);
    await settled("said", /Module "update" not found/);
  });

  it("says so in a browser without Bluetooth", async () => {
    await choose();
    await settled("verdict", /^Verified: /);
    await page.evaluate('Object.defineProperty(navigator, "bluetooth", { value: undefined })');
    await page.click("#send");
    await settled("state", /^This browser has no Web Bluetooth/);
  });
});

describe("the entry of an app loader", () => {
  it("has each file, keeps the entries of others, and replaces its own", () => {
    const at = new Place();
    for (const name of ["a.js", "b.js"]) at.put(name, name);
    at.folder("loader");
    at.put("loader/apps.json", '[{"id":"clock","storage":[]}]');
    const make = (...args: string[]) =>
      spawnSync(process.execPath, [join(EXAMPLES, "app-loader.mjs"), ...args], { cwd: at.path, encoding: "utf8" });
    for (let i = 0; i < 2; i++) expect(make("loader", "firmseal=a.js", ".boot0=b.js").stderr).toBe("");
    const list = JSON.parse(at.get("loader/apps.json").toString()) as {
      id: string;
      storage: { name: string; url: string }[];
      icon: string;
    }[];
    expect(list.map(({ id }) => id)).toEqual(["clock", "firmseal"]);
    const mine = list[1] as (typeof list)[number];
    expect(JSON.parse(at.get("loader/apps/firmseal/metadata.json").toString())).toEqual(mine);
    expect(mine.storage).toEqual([
      { name: "firmseal", url: "a.js" },
      { name: ".boot0", url: "b.js" },
    ]);
    for (const { url } of mine.storage) expect(at.get(`loader/apps/firmseal/${url}`).toString()).toBe(url);
    expect(at.get(`loader/apps/firmseal/${mine.icon}`).subarray(1, 4).toString()).toBe("PNG");
    expect(make("loader", `${"x".repeat(29)}=a.js`).status).not.toBe(0);
    expect(make("loader", "x=a.js", "y=loader/../a.js").status).not.toBe(0);
    // what the entry itself consists of
    for (const name of ["metadata.json", "app.png", "Metadata.JSON"]) {
      at.put(name, "mine");
      const refused = make("other", "firmseal=a.js", `x=${name}`);
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain("two files have the same name");
      expect(at.has("other")).toBe(false);
    }
    expect(make().status).not.toBe(0);
  });
});

const why = !chromiumPath ? NO_BROWSER : ESPRUINO ? "" : " (skipped: set ESPRUINO=/path/to/espruino)";
describe.skipIf(!chromiumPath || !ESPRUINO)(`the same with Espruino behind the radio${why}`, () => {
  it("installs two releases, shows a refusal, and the app runs", async () => {
    const cwd = place.folder("board") && place.at("board");
    await place.ok(
      "bundle --micro --alg hsslms --host sha256 --device storage --without boot --format espruino --out module.js".split(" "),
    );
    await place.ok("bundle --format boot --out boot0.js".split(" "));
    const script = readFileSync(join(EXAMPLES, "update-micro.js"), "utf8").replaceAll(/^ *(\/\/.*\n)?/gm, "");
    const line = place.get("app-1.js").toString().split("\n")[0] as string;
    place.put("update.js", `${line.replace("//firmseal ", "var factory=")}\n${script}`);
    // what an app loader finds in its folder, and writes to the board
    const entry = ["loader", "firmseal=module.js", ".boot0=boot0.js", "update=update.js"];
    const made = spawnSync(process.execPath, [join(EXAMPLES, "app-loader.mjs"), ...entry], { cwd: place.path, encoding: "utf8" });
    expect(made.stderr).toBe("");
    const [app] = JSON.parse(place.get("loader/apps.json").toString()) as [{ id: string; storage: { name: string; url: string }[] }];
    const files = app.storage.map(({ name, url }) => `${name}=loader/apps/${app.id}/${url}`);
    const upload = spawnSync(process.execPath, [join(EXAMPLES, "upload.mjs"), ...files], { cwd: place.path, encoding: "latin1" });
    spawnSync(ESPRUINO as string, [], { cwd, input: `${upload.stdout.replaceAll(/^/gm, "\x10")}quit()\n`, timeout: 60_000 });
    const start = () => spawnSync(ESPRUINO as string, ["-e", "quit()"], { cwd, encoding: "latin1", timeout: 60_000 }).stdout;
    for (const n of [1, 2]) {
      await opened(new RealBoard(cwd));
      await choose({ release: `app-${n}.suit`, app: `app-${n}.js` });
      await settled("verdict", /^Verified: /);
      await page.click("#send");
      await settled("state", /^The board says that the release is installed/);
      far.close();
      expect(start()).toContain(`app ${n} runs`);
    }
    await opened(new RealBoard(cwd));
    await choose();
    await settled("verdict", /^Verified: /);
    await page.click("#send");
    await settled("state", /^The board refused with 38: an older release/);
    far.close();
  });
});

describe("the connection of the page", () => {
  it("ends when a board stops the flow again and again", async () => {
    const { Board } = await import(new URL("../examples/espruino/bluetooth/board.js", import.meta.url).href);
    let notify: (event: object) => void = () => {};
    let isStopping = false;
    const from = {
      addEventListener: (_: string, heard: typeof notify) => {
        notify = heard;
      },
      startNotifications: async () => {},
    };
    const to = {
      writeValueWithResponse: async () => {
        if (isStopping) notify({ target: { value: new DataView(Uint8Array.of(0x13).buffer) } });
      },
    };
    const service = { getCharacteristic: async (name: string) => (name.startsWith("6e400003") ? from : to) };
    const disconnect = vi.fn();
    const gatt = { connected: true, connect: async () => ({ getPrimaryService: async () => service }), disconnect };
    const board = await Board.connect(() => {}, { requestDevice: async () => ({ gatt, addEventListener: () => {} }) });
    isStopping = true;
    await expect(board.call(`put("${"x".repeat(100)}")`, 0.1)).rejects.toThrow("has not answered in 0.1 s");
    expect(disconnect).toHaveBeenCalledTimes(1);
    notify({ target: { value: new DataView(Uint8Array.of(0x13).buffer) } });
    await expect(board.restart(0.1)).rejects.toThrow("has not answered in 0.1 s");
    expect(disconnect).toHaveBeenCalledTimes(2);
  });
});
