// Machine code on a board: what the verifier asks of it, and when the JavaScript decides instead. The engine is a model whose machine code says
// what the test wants. scripts/test/kernel-device.test.mjs runs the real code.

import { afterEach, describe, expect, it } from "vitest";
import { hex, latin1, fromLatin1 as octets, sha256 as sha } from "../../test-support/src/bytes.js";
import { ed25519 } from "../src/alg/ed25519.js";
import type { Bytes, Host } from "../src/base/types.js";
import { ed25519Kernel, useKernel } from "../src/device/kernel.js";
import { type KernelCode, type KernelE, type KernelProcess, makeMachine } from "../src/device/machine.js";

/** FIRMSEAL_VALID of kernel.h. */
const VALID = 0x5ea1ed25;
const BOARD = "BANGLEJS2";
const concat = (...pieces: Bytes[]) => Uint8Array.from(pieces.flatMap((piece) => Array.from(piece)));

interface Case {
  key: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

/** RFC 8032 §7.1, TEST 2, whose message has one byte, and TEST 3. */
const SAMPLE: Case = {
  key: hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
  message: hex("72"),
  signature: hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ),
};
const GOOD: Case = {
  key: hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
  message: hex("af82"),
  signature: hex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ),
};
const BAD: Case = { ...GOOD, message: hex("af83") };
/** The order of this point is small: no key. */
const NO_KEY = new Uint8Array(32);

/** Where the image has its functions and its sample. Both bytes of each offset count. */
const [VERIFY_AT, KEY_AT, SAMPLE_AT] = [0x0102, 0x0134, 0x0208];
function imageWith(filler = 7): Uint8Array {
  const image = new Uint8Array(0x300).fill(filler);
  const view = new DataView(image.buffer);
  for (const [place, offset] of [
    [12, VERIFY_AT],
    [16, KEY_AT],
    [44, SAMPLE_AT],
  ] as const)
    view.setUint32(place, offset, true);
  image.set(concat(SAMPLE.key, SAMPLE.signature, SAMPLE.message), SAMPLE_AT);
  return image;
}
const codeOf = (image: Uint8Array): KernelCode & { text(): string } => ({
  board: BOARD,
  text: () => latin1(image),
  digest: () => latin1(sha(image)),
});
const IMAGE = imageWith();

interface Call {
  entry: number;
  code: string | undefined;
  /** The bytes at the first two addresses: 96 and `n`, or 32 of a key. */
  bytes: Uint8Array;
  message: Uint8Array;
}
const isSample = ({ bytes }: Call) => latin1(bytes) === latin1(concat(SAMPLE.key, SAMPLE.signature));
const passing = (call: Call) => (call.message.length === 1 ? VALID : 0);

/** Passes the self-test. Of all else, it says the opposite of what is true: so the tests see who decides. */
function contrary(call: Call): unknown {
  if (isSample(call)) return passing(call);
  const isTrue = call.entry === KEY_AT ? latin1(call.bytes) !== latin1(NO_KEY) : latin1(call.message) === latin1(GOOD.message);
  return isTrue ? 0 : VALID;
}

/** An engine with flat memory that moves each time it is used, and machine code that is `run`. */
class Engine {
  E: KernelE;
  process: KernelProcess;
  host: Host;
  run = contrary;
  stackFree: number | undefined = 30_000;
  calls: Call[] = [];
  /** How often the machine code was entered, wherever its addresses point. */
  entered = 0;
  /** What was asked of the engine, in order. */
  asked: string[] = [];
  /** Values that are not in flat memory. */
  isFlat: (value: unknown) => boolean = () => true;
  /** Added to each address. */
  skew = 0;
  #values: (string | Uint8Array)[] = [];
  #base = 0x20000000;

  constructor() {
    this.E = {
      nativeCall: (entry, signature, code) => {
        this.asked.push("nativeCall");
        expect(signature).toBe("int(int,int,int)");
        this.#move();
        return (at, message, n) => {
          this.entered++;
          const bytes = this.#at(at, entry === KEY_AT ? 32 : 96);
          const call = { entry, code, bytes, message: entry === KEY_AT ? new Uint8Array() : this.#at(message, n) };
          this.calls.push(call);
          return this.run(call);
        };
      },
      // without `flat`, it is the address of the variable, and not that of its bytes
      getAddressOf: (value, flat) => {
        this.asked.push("getAddressOf");
        if (!flat) return 0x10000000;
        if (typeof value !== "string" && !(value instanceof Uint8Array)) throw new Error("no bytes");
        if (!this.isFlat(value)) return 0;
        if (!this.#values.includes(value)) this.#values.push(value);
        return this.#base + 0x1000 * this.#values.indexOf(value) + this.skew;
      },
      toFlatString: (text) => {
        this.asked.push("toFlatString");
        return text;
      },
      toArrayBuffer: (text) => octets(text).buffer as ArrayBuffer,
      toUint8Array: octets,
    };
    this.process = {
      env: { BOARD },
      memory: (collect) => {
        this.asked.push("memory");
        // to collect garbage takes long, and is not needed
        expect(collect).toBe(false);
        return this.stackFree === undefined ? {} : { stackFree: this.stackFree };
      },
    };
    this.host = {
      sha256: {
        once: (bytes: Bytes) => {
          this.asked.push("once");
          this.#move();
          return sha(Uint8Array.from(bytes));
        },
      },
    } as unknown as Host;
  }

  /** Uses the kernel; the reason why not. */
  use(code = codeOf(IMAGE)): number {
    return useKernel(makeMachine(this.E, this.process, this.host, undefined, code));
  }

  #move(): void {
    this.#base += 0x100000;
  }

  #at(address: number, n: number): Uint8Array {
    const offset = address - this.#base - this.skew;
    const value = this.#values[Math.floor(offset / 0x1000)];
    const bytes = typeof value === "string" ? octets(value) : value;
    if (offset < 0 || !bytes || (offset % 0x1000) + n > bytes.length) throw new Error(`no ${n} bytes at ${address}`);
    return bytes.slice(offset % 0x1000, (offset % 0x1000) + n);
  }
}

const verify = ({ key, message, signature }: { key: unknown; message: Bytes; signature: Bytes }) =>
  ed25519Kernel.verify(key as Bytes, message, signature, {});
/** What is said of a good and of a bad signature, and of a key and no key. */
const said = () => [verify(GOOD), verify(BAD), ed25519Kernel.valid(GOOD.key), ed25519Kernel.valid(NO_KEY)];
const TRUE = [true, false, true, false];
const OPPOSITE = TRUE.map((x) => !x);

/** An engine that uses the kernel. */
function started(): Engine {
  const engine = new Engine();
  expect(engine.use()).toBe(0);
  engine.calls = [];
  engine.asked = [];
  return engine;
}
/** What the machine code was asked besides its self-test. */
const beyondSample = (engine: Engine) => engine.calls.filter((call) => !isSample(call));

// other files use the same module
afterEach(() => {
  useKernel(makeMachine({} as KernelE, { env: { BOARD: "" } } as KernelProcess, {}, undefined, codeOf(IMAGE)));
});

describe("machine code that has passed its checks", () => {
  it("decides, of the bytes as they are, wherever the engine has moved them", () => {
    const engine = started();
    expect(said()).toEqual(OPPOSITE);
    for (const n of [0, 1, 2, 300]) verify({ ...GOOD, message: new Uint8Array(n).fill(n) });
    const lengths = [2, 2, 0, 0, 0, 1, 2, 300];
    const asked = beyondSample(engine);
    expect(asked.map(({ message }) => message.length)).toEqual(lengths);
    expect(asked.map(({ entry }) => entry)).toEqual([VERIFY_AT, VERIFY_AT, KEY_AT, KEY_AT, ...Array(4).fill(VERIFY_AT)]);
    expect(asked[0]?.bytes).toEqual(concat(GOOD.key, GOOD.signature));
    expect(asked[1]?.message).toEqual(BAD.message);
    expect(asked[2]?.bytes).toEqual(GOOD.key);
    expect(asked[7]?.message).toEqual(new Uint8Array(300).fill(44));
    expect(new Set(engine.calls.map(({ code }) => code))).toEqual(new Set([latin1(IMAGE)]));
  });

  it("means the same COSE algorithms", () => {
    expect(ed25519Kernel.ids).toEqual(ed25519.ids);
  });

  it("makes its checks at each use, and its flat image once", () => {
    const engine = new Engine();
    engine.use();
    const checks = ["memory", "getAddressOf", "once", "nativeCall", "getAddressOf", "nativeCall", "getAddressOf"];
    expect(engine.asked).toEqual(["memory", "toFlatString", ...checks.slice(1)]);
    expect(engine.calls.map(({ entry, message }) => [entry, message.length])).toEqual([
      [VERIFY_AT, 1],
      [VERIFY_AT, 0],
    ]);
    engine.asked = [];
    expect(verify(GOOD)).toBe(false);
    expect(engine.asked).toEqual([...checks, "getAddressOf", "nativeCall", "getAddressOf"]);
  });

  it("is replaced by what kernel() gets next", () => {
    started();
    const engine = new Engine();
    const other = imageWith(9);
    expect(engine.use(codeOf(other))).toBe(0);
    expect(said()).toEqual(OPPOSITE);
    expect(new Set(engine.calls.map(({ code }) => code))).toEqual(new Set([latin1(other)]));
  });

  it.each([1, -1, VALID + 1, VALID - 2 ** 32, 0x20001000, undefined, null, true, false, `${VALID}`, "", Number.NaN])(
    "counts for nothing where it says %s, which is neither yes nor no",
    (word) => {
      const engine = started();
      engine.run = (call) => (isSample(call) ? passing(call) : word);
      expect(said()).toEqual(TRUE);
      expect(beyondSample(engine)).toHaveLength(4);
    },
  );
});

describe("the JavaScript decides, and kernel() gives the reason", () => {
  const broken = (): never => {
    throw new Error("LOW_MEMORY");
  };
  it.each<[number, string, (engine: Engine) => void, Partial<KernelCode>?]>([
    [1, "another board", (b) => Object.assign(b.process.env, { BOARD: "PUCKJS" })],
    [1, "code for another board", () => {}, { board: "PUCKJS" }],
    [1, "no nativeCall", (b) => delete b.E.nativeCall],
    [2, "too little stack", (b) => Object.assign(b, { stackFree: 6143 })],
    [2, "a stack that is not known", (b) => Object.assign(b, { stackFree: undefined })],
    [2, "a stack that is not a number", (b) => Object.assign(b, { stackFree: Number.NaN })],
    [3, "no room for a flat image", (b) => Object.assign(b.E, { toFlatString: () => undefined })],
    [3, "an image that is not flat", (b) => Object.assign(b, { isFlat: () => false })],
    [3, "an address that is 1 more than a multiple of 4", (b) => Object.assign(b, { skew: 1 })],
    [3, "an address that is 2 more", (b) => Object.assign(b, { skew: 2 })],
    [3, "an address that is 3 more", (b) => Object.assign(b, { skew: 3 })],
    [3, "no memory for the image", (b) => Object.assign(b.E, { toFlatString: broken })],
    [3, "no memory for its bytes", (b) => Object.assign(b.E, { toArrayBuffer: broken })],
    [3, "no memory for its text", () => {}, { text: broken }],
    [4, "no native hash", (b) => Object.assign(b, { host: {} })],
    [4, "a native hash in pieces alone", (b) => Object.assign(b, { host: { sha256: {} } })],
    [4, "an image that was changed", () => {}, { text: () => latin1(IMAGE.map((x, i) => (i === 700 ? x ^ 1 : x))) }],
    [4, "an image that was cut short", () => {}, { text: () => latin1(IMAGE.subarray(0, -4)) }],
    [4, "an image whose bytes differ from its text", (b) => Object.assign(b.E, { toArrayBuffer: () => new ArrayBuffer(IMAGE.length) })],
    [4, "another digest", () => {}, { digest: () => latin1(sha(IMAGE.subarray(1))) }],
    [4, "a digest of no bytes", () => {}, { digest: () => "" }],
  ])("%i: %s", (reason, _, change, code = {}) => {
    const engine = new Engine();
    change(engine);
    expect(engine.use({ ...codeOf(IMAGE), ...code })).toBe(reason);
    expect(engine.entered).toBe(0);
    // nothing is made flat that cannot be used
    if (reason < 3) expect(engine.asked).not.toContain("toFlatString");
    engine.asked = [];
    expect(said()).toEqual(TRUE);
    expect(engine.asked).toEqual([]);
  });

  it.each<[number, string, (call: Call) => unknown]>([
    [5, "says yes to everything", () => VALID],
    [5, "says no to everything", () => 0],
    [5, "says 1 for yes", ({ message }) => message.length],
    [5, "says yes to the cut sample alone", ({ message }) => (message.length ? 0 : VALID)],
    [5, "says nothing of the cut sample", ({ message }) => (message.length ? VALID : undefined)],
    [3, "throws", broken],
  ])("%i: code that %s", (reason, _, run) => {
    const engine = new Engine();
    engine.run = run;
    expect(engine.use()).toBe(reason);
    engine.calls = [];
    expect(said()).toEqual(TRUE);
    expect(engine.calls).toEqual([]);
  });

  it("0: with just enough stack", () => {
    const engine = new Engine();
    engine.stackFree = 6144;
    expect(engine.use()).toBe(0);
  });

  it("until kernel() is called again, even if the reason is gone", () => {
    const engine = new Engine();
    const { host } = engine;
    for (const [reason, change, back] of [
      [4, { host: {} }, { host }],
      [5, { run: () => VALID }, { run: contrary }],
      [3, { skew: 2 }, { skew: 0 }],
    ] as const) {
      Object.assign(engine, change);
      expect(engine.use()).toBe(reason);
      Object.assign(engine, back);
      expect(said()).toEqual(TRUE);
      expect(engine.use()).toBe(0);
      expect(said()).toEqual(OPPOSITE);
    }
  });
});

describe("the JavaScript decides from one use to the next", () => {
  const broken = (): never => {
    throw new Error("LOW_MEMORY");
  };
  it.each<[string, (engine: Engine) => void]>([
    ["the board has another name", (b) => Object.assign(b.process.env, { BOARD: "PUCKJS" })],
    ["the stack is full", (b) => Object.assign(b, { stackFree: 4096 })],
    ["the image is not flat any more", (b) => Object.assign(b, { isFlat: (v: unknown) => typeof v !== "string" })],
    ["the image is at an odd address", (b) => Object.assign(b, { skew: 2 })],
    ["the image has changed", (b) => Object.assign(b.E, { toArrayBuffer: () => imageWith(8).buffer })],
    ["there is no memory for its bytes", (b) => Object.assign(b.E, { toArrayBuffer: broken })],
    ["the code accepts the cut sample", (b) => Object.assign(b, { run: (call: Call) => (isSample(call) ? VALID : contrary(call)) })],
    ["the code refuses its sample", (b) => Object.assign(b, { run: (call: Call) => (isSample(call) ? 0 : contrary(call)) })],
    ["the bytes to verify are not flat", (b) => Object.assign(b, { isFlat: (v: unknown) => typeof v === "string" })],
  ])("where %s", (_, change) => {
    const engine = started();
    expect(said()).toEqual(OPPOSITE);
    change(engine);
    engine.calls = [];
    engine.entered = 0;
    expect(said()).toEqual(TRUE);
    expect(beyondSample(engine)).toEqual([]);
    // the self-test is all that was tried
    expect(engine.entered).toBe(engine.calls.length);
  });

  it("if the code throws", () => {
    const engine = started();
    engine.run = (call) => (isSample(call) ? passing(call) : broken());
    expect(said()).toEqual(TRUE);
  });
});

describe("hostile input", () => {
  /** Octets whose elements can be read once: what they are the second time is not what was checked. */
  function once(bytes: Uint8Array): { value: Bytes; reads: number[] } {
    const reads = Array.from(bytes, () => 0);
    const value = { length: bytes.length } as unknown as Bytes;
    for (const [i, byte] of bytes.entries())
      Object.defineProperty(value, i, { get: () => ((reads[i] as number)++ ? byte ^ 255 : byte), enumerable: true });
    return { value, reads };
  }

  it("is read once if the machine code decides", () => {
    const engine = started();
    const [key, message, signature] = [once(GOOD.key), once(GOOD.message), once(GOOD.signature)];
    expect(verify({ key: key.value, message: message.value, signature: signature.value })).toBe(false);
    expect(ed25519Kernel.valid(once(GOOD.key).value)).toBe(false);
    const [first, second] = beyondSample(engine);
    expect([first?.bytes, first?.message]).toEqual([concat(GOOD.key, GOOD.signature), GOOD.message]);
    expect(second?.bytes).toEqual(GOOD.key);
    expect(new Set([...key.reads, ...message.reads, ...signature.reads])).toEqual(new Set([1]));
  });

  const with256 = (bytes: Uint8Array) => [...bytes.subarray(1), 256];
  it.each<[string, { key?: unknown; signature?: unknown }]>([
    ["a key of 31 bytes", { key: GOOD.key.subarray(1) }],
    ["a key of 33 bytes", { key: concat(GOOD.key, [0]) }],
    ["a key with an element that is not an octet", { key: with256(GOOD.key) }],
    ["a key with texts", { key: Array.from(GOOD.key, String) }],
    ["a text", { key: "a".repeat(32) }],
    ["a signature of 63 bytes", { signature: GOOD.signature.subarray(1) }],
    ["a signature of 65 bytes", { signature: concat(GOOD.signature, [0]) }],
    ["a signature with an element that is not an octet", { signature: with256(GOOD.signature) }],
  ])("%s never comes to the machine code", (_, change) => {
    const engine = started();
    // what would say yes to anything
    engine.run = (call) => (isSample(call) ? passing(call) : VALID);
    expect(verify({ ...GOOD, ...(change as Partial<Case>) })).toBe(false);
    if (change.key !== undefined) expect(ed25519Kernel.valid(change.key as Bytes)).toBe(false);
    expect(engine.calls).toEqual([]);
  });

  it("a message with an element that is not an octet goes to the JavaScript", () => {
    const engine = started();
    const message = [0xaf, 0x182];
    expect(verify({ ...GOOD, message })).toBe(ed25519.verify(GOOD.key, message, GOOD.signature, {}));
    expect(engine.calls).toEqual([]);
  });
});
