import { createHash } from "node:crypto";
import { type Description, singleImage } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { type MemoryDevice, memoryDevice } from "../src/device/memory.js";
import { boot, errors, install, type Manifest, open, type Refusal, start, step } from "../src/index.js";
import { TO_KEEP } from "../src/trust/open.js";
import { refusalName } from "./refusals.js";
import { code, ID, identity, image, release, signed, trust, uuid } from "./releases.js";

const current = (d: MemoryDevice, i = 0) => Uint8Array.from(d.parts[i]?.slots[d.parts[i]?.current ?? 0] ?? []);
describe("installing on a device in memory", () => {
  it("goes to the slot that is not current, then switches, and starts what it installed", async () => {
    const device = memoryDevice(identity, [ID], 100_000);
    const [one, two] = [image(1, 5000), image(2, 6001)];
    for (const [n, bytes] of [
      [7, one],
      [8, two],
    ] as const) {
      const envelope = await release(n, bytes);
      expect(install(envelope, trust, device).next()).toBeUndefined();
      expect(current(device)).toEqual(bytes);
      expect(device.sequence).toEqual([0, n]);
    }
    expect(device.parts[0]?.current).toBe(0);
    const start = boot(device.envelope as Uint8Array, trust, device);
    start.next();
    expect(device.invoked).toEqual([{ id: ID, args: undefined }]);
  });

  it("ends a session if the device has begun another one meanwhile, and leaves alone what that one wrote", async () => {
    const [one, two] = [await release(7, image(1, 500)), await release(8, image(2, 500))];
    const device = memoryDevice(identity, [ID], 100_000);
    install(one, trust, device).next();
    // an app that installs from within its start
    device.invoke = () => install(two, trust, device).next() === undefined;
    const start = boot(one, trust, device);
    expect(code(() => start.next())).toBe(0);
    expect(current(device)).toEqual(image(2, 500));
    // one whose envelope is opened while another one is written
    const { write } = device;
    const three = await release(9, image(3, 500));
    device.write = (id, offset, bytes) => {
      device.write = write;
      install(three, trust, device);
      write(id, offset, bytes);
    };
    expect(code(() => install(three, trust, device).next())).not.toBe(0);
    expect(current(device)).toEqual(image(2, 500));
  });

  it("installs what was signed, whatever happens to the envelope meanwhile", async () => {
    const bytes = image(3, 4097);
    const evil = image(4, 4097);
    for (const [payload, outcome] of [
      [evil, errors.IMAGE_MISMATCH],
      [bytes, 0],
    ] as const) {
      const envelope = await release(1, bytes, "coap://example.com/fw");
      const device = memoryDevice(identity, [ID], 100_000);
      const progress = install(envelope, trust, device);
      progress.next();
      const at = Buffer.from(envelope).indexOf(Buffer.from(sha256Hex(bytes), "hex"));
      envelope.set(Buffer.from(sha256Hex(evil), "hex"), at);
      progress.next(payload);
      expect(code(() => progress.next(true))).toBe(outcome);
      expect(current(device)).toEqual(outcome ? new Uint8Array() : bytes);
    }
  });

  it("accepts no chunk without a length", async () => {
    const device = memoryDevice(identity, [ID], 100_000);
    const progress = install(await release(1, image(1, 500), "coap://example.com/fw"), trust, device);
    progress.next();
    expect(code(() => progress.next(new ArrayBuffer(500) as never))).toBe(errors.PAYLOAD_SIZE);
  });

  it("continues to read its own envelope, whatever a hash of the host reads", async () => {
    const envelope = await release(5, image(1, 500));
    const other = await release(23, image(1, 500));
    other.set(envelope.slice(0, 30));
    let busy = false;
    const once = (b: ArrayLike<number>) => {
      if (!busy) {
        busy = true;
        code(() => open(other, trust));
        busy = false;
      }
      return createHash("sha256").update(Uint8Array.from(b)).digest();
    };
    expect(open(envelope, trust, { sha256: { once } }).sequence).toEqual([0, 5]);
    expect(code(() => open(envelope, { ...trust, floor: [0, 20] }, { sha256: { once } }))).toBe(errors.ROLLBACK);
  });

  it("leaves the RAM of another manifest alone, whatever a hash of the host opens meanwhile", async () => {
    const bytes = image(1, 500);
    const envelope = await release(5, bytes);
    const other = await release(23, bytes, "coap://example.com/fw");
    const at = Buffer.from(other).indexOf(hex(uuid.vendor.replaceAll("-", "")));
    // delegation, which nothing covers, moves the signed digest to where the manifest of the other one is
    const moved = Uint8Array.from([
      ...envelope.slice(0, 2),
      (envelope[2] as number) + 1,
      1,
      0x58,
      at,
      ...new Uint8Array(at),
      ...envelope.slice(3),
    ]);
    expect([...envelope.slice(0, 2), (envelope[2] as number) >> 5]).toEqual([0xd8, 0x6b, 5]);
    const opened: Manifest[] = [];
    const host = {
      sha256: {
        joined(pieces: ArrayLike<number>[]) {
          opened.push(open(other, trust));
          const hash = createHash("sha256");
          for (const piece of pieces) hash.update(Uint8Array.from(piece));
          return hash.digest();
        },
      },
    };
    // as install() opens it: this host hashes the signature only
    expect(code(() => open(moved, trust, host as never, TO_KEEP))).toBe(errors.NOT_SUPPORTED);
    expect(opened).toHaveLength(1);
    // from here on, the source may say anything
    const effects = (m: Manifest) => {
      const run = start(m, [20], identity);
      const all: unknown[] = [];
      for (let e = step(run); e; e = step(run, true)) all.push(e);
      return all;
    };
    const expected = effects(open(other.slice(), trust));
    other.fill(0);
    expect(effects(opened[0] as Manifest)).toEqual(expected);
  });

  it("refuses a Source that gives nothing, or makes the reader read something else", async () => {
    const envelope = await release(5, image(1, 500));
    const source = (read: (at: number, n: number) => unknown) => ({ length: envelope.length, read }) as never;
    for (const nothing of [undefined, null, [], new Uint8Array(3)])
      expect(
        code(() =>
          open(
            source(() => nothing),
            trust,
          ),
        ),
      ).toBe(errors.CBOR_TRUNCATED);
    const reentrant = source((at, n) => {
      code(() => open(envelope, trust));
      return envelope.slice(at, at + n);
    });
    expect(code(() => open(reentrant, trust))).toBe(errors.CBOR_TRUNCATED);
  });

  it("treats a floor that could not be read as a fault, not as none", async () => {
    const envelope = await release(5, image(1, 500));
    for (const floor of [null, 0, Number.NaN, "", [], [1]])
      expect(code(() => open(envelope, { ...trust, floor: floor as never }))).toBe(errors.TRUST_POLICY);
    expect(code(() => open(envelope, { ...trust, floor: undefined as never }))).toBe(0);
  });

  it("takes chunks of any size from outside", async () => {
    const bytes = image(3, 4097);
    const envelope = await release(1, bytes, "coap://example.com/fw");
    for (const size of [1, 63, 64, 1000, 4097]) {
      const device = memoryDevice(identity, [ID], 100_000);
      const progress = install(envelope, trust, device);
      const effect = progress.next();
      expect(effect).toMatchObject({ uri: "coap://example.com/fw", component: 0, size: 4097 });
      for (let at = 0; at < bytes.length; at += size) expect(progress.next(bytes.slice(at, at + size))).toBe(effect);
      expect(progress.next(true)).toBeUndefined();
      expect(progress.done).toBe(true);
      expect(current(device)).toEqual(bytes);
    }
  });

  it("cuts off an endless payload at the first excess byte, and continues nothing after a refusal", async () => {
    const device = memoryDevice(identity, [ID], 100_000);
    const progress = install(await release(1, image(1, 100), "http://a/b"), trust, device);
    progress.next();
    progress.next(image(1, 100));
    expect(code(() => progress.next(Uint8Array.of(1)))).toBe(errors.PAYLOAD_SIZE);
    expect(code(() => progress.next(true))).toBe(errors.RUN_OUTCOME);
    expect(device.parts[0]).toMatchObject({ current: 0, slots: [[], []], fresh: null });
    expect(device.sequence).toEqual([0, 0]);
  });

  it("refuses a payload that never arrives, is too short, or is a different one", async () => {
    const envelope = await release(1, image(1, 100), "http://a/b");
    const attempt = (...outcomes: (Uint8Array | boolean)[]) =>
      code(() => {
        const progress = install(envelope, trust, memoryDevice(identity, [ID], 1000));
        progress.next();
        for (const o of outcomes) progress.next(o);
      });
    expect(attempt(false)).toBe(errors.PAYLOAD_ABSENT);
    expect(attempt(image(1, 99), true)).toBe(errors.PAYLOAD_SIZE);
    expect(attempt(image(2, 100), true)).toBe(errors.IMAGE_MISMATCH);
    expect(attempt(image(1, 100), true)).toBe(0);
  });

  it("refuses before anything is erased", async () => {
    const watched = (changes: Partial<MemoryDevice>) => {
      const device = Object.assign(memoryDevice(identity, [ID, [hex("01")]], 1000), changes);
      let touched = 0;
      for (const name of ["erase", "write", "persist"] as const) {
        const real = device[name] as (...a: unknown[]) => unknown;
        device[name] = ((...a: unknown[]) => {
          touched++;
          return real(...a);
        }) as never;
      }
      return { device, touched: () => touched };
    };
    const command = (shared: Description["shared-sequence"], install: Description["install"]): Description => ({
      $schema: "urn:firmseal:manifest:1",
      sequence: 1,
      components: [[{ hex: "00" }], [{ hex: "01" }]],
      ...(shared ? { "shared-sequence": shared } : {}),
      install: install ?? [],
    });
    const check = [
      { "directive-set-component-index": 0 },
      { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ] as const;
    const at = (i: number, parameters: object, then: "directive-write" | "directive-fetch" | "directive-invoke") =>
      [
        { "directive-set-component-index": i },
        { "directive-override-parameters": { "image-digest": { hex: sha256Hex(image(1, 3)) }, "image-size": 3, ...parameters } },
        then,
      ] as never[];
    const good = at(0, { content: { hex: Buffer.from(image(1, 3)).toString("hex") } }, "directive-write");
    const noDigest = [
      { "directive-set-component-index": 1 },
      { "directive-override-parameters": { content: "x" } },
      "directive-write",
    ] as never[];
    const cases: [string, Description, Partial<MemoryDevice>, number][] = [
      ["vendor and class are not checked", command(undefined, good), {}, errors.IDENTITY_UNCHECKED],
      ["only the vendor is checked", command(check.slice(0, 3), good), {}, errors.IDENTITY_UNCHECKED],
      ["another class", command(check, good), { identity: { ...identity, class: identity.vendor } }, errors.CLASS_MISMATCH],
      ["the second component has no digest", command(check, [...good, ...noDigest]), {}, errors.DIGEST_UNSET],
      [
        "the device lacks the second component",
        command(check, [...good, ...at(1, { content: "abc" }, "directive-write")]),
        { capacity: (id) => (id[0]?.[0] === 1 ? -1 : 1000) },
        errors.COMPONENT_UNKNOWN,
      ],
      [
        "the second image is too large",
        command(check, [...good, ...at(0, { "image-size": 1001, uri: "#x" }, "directive-fetch")]),
        {},
        errors.PAYLOAD_SIZE,
      ],
      [
        "what it writes is too large, and no size is named",
        command(check, [
          { "directive-set-component-index": 0 },
          { "directive-override-parameters": { "image-digest": { hex: sha256Hex(image(1, 3)) }, content: "abc" } },
          "directive-write",
        ] as never[]),
        { capacity: () => 2 },
        errors.PAYLOAD_SIZE,
      ],
      ["it would start an image", command(check, [...good, ...at(0, {}, "directive-invoke")]), {}, errors.INVOKE_MISPLACED],
      [
        "a path that is taken only when an image does not match",
        command(check, [
          ...at(0, {}, "directive-fetch").slice(0, 2),
          { "directive-try-each": [["condition-image-match"], [...noDigest]] },
        ] as never[]),
        {},
        errors.DIGEST_UNSET,
      ],
    ];
    for (const [name, description, changes, wanted] of cases) {
      const { device, touched } = watched(changes);
      const envelope = await signed(description);
      expect([name, refusalName(code(() => install(envelope, trust, device).next()))]).toEqual([name, refusalName(wanted)]);
      expect([name, touched()]).toEqual([name, 0]);
    }
    const waived = watched({ dangerouslySkipIdentity: true });
    install(await signed(command(undefined, good)), trust, waived.device).next();
    expect(current(waived.device)).toEqual(image(1, 3));
  });

  it("detects storage that returns bytes that were not written (RAUC CVE-2020-25860)", async () => {
    const bytes = image(5, 3000);
    const d = singleImage({ sequence: 3, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri: "#f", payload: bytes });
    // what a condition reads back, or the commit if there is none
    for (const [looks, refusal] of [
      [true, errors.IMAGE_MISMATCH],
      [false, errors.IMAGE_UNVERIFIED],
    ] as const) {
      const { validate: _, ...rest } = d;
      const steps = (d.install as unknown[]).filter((step) => step !== "condition-image-match");
      const envelope = await signed(looks ? d : { ...rest, install: steps as never });
      const device = memoryDevice(identity, [ID], 10_000);
      const read = device.read;
      device.read = (id, offset, n, fresh) => {
        const out = Array.from(read(id, offset, n, fresh));
        if (offset === 2048) out[5] = (out[5] as number) ^ 1;
        return out;
      };
      expect(code(() => install(envelope, trust, device).next())).toBe(refusal);
      expect(device.sequence).toEqual([0, 0]);
      expect(current(device)).toEqual(new Uint8Array());
    }
  });

  it("reads an image back again if something was written after it was checked: areas of a device may overlap", async () => {
    const [one, two] = [image(1, 3000), image(2, 40)];
    const parameters = (bytes: Uint8Array, uri: string) => ({
      "directive-override-parameters": { "image-digest": { algorithm: "sha-256", hex: sha256Hex(bytes) }, "image-size": bytes.length, uri },
    });
    const fetched = (i: number, bytes: Uint8Array, uri: string) => [
      { "directive-set-component-index": i },
      parameters(bytes, uri),
      "directive-fetch",
      "condition-image-match",
    ];
    const envelope = await signed({
      $schema: "urn:firmseal:manifest:1",
      sequence: 3,
      components: [[{ hex: "00" }], [{ hex: "01" }]],
      "shared-sequence": [
        { "directive-set-component-index": 0 },
        { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      install: [...fetched(0, one, "#a"), ...fetched(1, two, "#b")],
      // what a start runs
      validate: [{ "directive-set-component-index": 0 }],
      payloads: { "#a": one, "#b": two },
    } as never);
    for (const overlaps of [false, true]) {
      const device = memoryDevice(identity, [ID, [Uint8Array.of(1)]], 10_000);
      const { write } = device;
      device.write = (id, offset, bytes) => {
        write(id, offset, bytes);
        // the second component begins in the last byte of the first one
        if (overlaps && id[0]?.[0] === 1 && offset === 0) write(ID, one.length - 1, Uint8Array.of(bytes[0] as number));
      };
      expect(code(() => install(envelope, trust, device).next())).toBe(overlaps ? errors.IMAGE_UNVERIFIED : 0);
      expect(device.sequence).toEqual([0, overlaps ? 0 : 3]);
    }
  });

  it("starts nothing that a later write may have changed: areas of a device may overlap", async () => {
    const [one, two] = [image(1, 3000), image(2, 40)];
    const at = (i: number) => ({ "directive-set-component-index": i });
    const sets = (bytes: Uint8Array, more: object) => ({
      "directive-override-parameters": {
        "image-digest": { algorithm: "sha-256", hex: sha256Hex(bytes) },
        "image-size": bytes.length,
        ...more,
      },
    });
    const envelope = await signed({
      $schema: "urn:firmseal:manifest:1",
      sequence: 3,
      components: [[{ hex: "00" }], [{ hex: "01" }], [{ hex: "02" }]],
      "shared-sequence": [
        at(0),
        { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      install: [at(0), sets(one, { uri: "#a" }), "directive-fetch", "condition-image-match"],
      validate: [at(0), sets(one, {}), "condition-image-match"],
      // the second component is a checked copy, which the payload of the third one overwrites before it is started
      load: [
        at(1),
        sets(one, { "source-component": 0 }),
        "directive-copy",
        "condition-image-match",
        at(2),
        sets(two, { uri: "https://x/two" }),
        "directive-fetch",
      ],
      invoke: [at(1), "directive-invoke"],
      payloads: { "#a": one },
    } as never);
    for (const overlaps of [false, true]) {
      const device = memoryDevice(identity, [ID, [Uint8Array.of(1)], [Uint8Array.of(2)]], 10_000);
      expect(code(() => install(envelope, trust, device).next())).toBe(0);
      const { write } = device;
      device.write = (id, offset, bytes) => {
        write(id, offset, bytes);
        if (overlaps && id[0]?.[0] === 2) write([Uint8Array.of(1)], offset, bytes);
      };
      const started: unknown[] = [];
      device.invoke = (id) => started.push(id) > 0;
      const run = boot(device.envelope as Uint8Array, trust, device);
      const ended = code(() => {
        while (run.next()) {
          run.next(two);
          if (!run.next(true)) break;
        }
      });
      expect({ overlaps, refusal: refusalName(ended), started: started.length }).toEqual(
        overlaps ? { overlaps, refusal: "INVOKE_UNVERIFIED", started: 0 } : { overlaps, refusal: "none", started: 1 },
      );
    }
  });

  it("turns whatever a device throws into a refusal, and discards what was written", async () => {
    const envelope = await release(1, image(1, 3000));
    for (const name of ["floor", "begin", "capacity", "erase", "write", "size", "read", "persist"] as const) {
      const device = memoryDevice(identity, [ID], 10_000);
      const fault = new TypeError("short circuit");
      device[name] = () => {
        throw fault;
      };
      let thrown: unknown;
      try {
        install(envelope, trust, device).next();
      } catch (e) {
        thrown = e;
      }
      expect([name, (thrown as Refusal).code, (thrown as Error).cause]).toEqual([name, errors.DEVICE_FAULT, fault]);
      expect([name, device.parts[0]?.slots]).toEqual([name, [[], []]]);
    }
  });

  it("accepts an equal sequence number, refuses a lower one, and uses the higher of the two floors", async () => {
    const device = memoryDevice(identity, [ID], 1000);
    const [six, seven] = [await release(6, image(6, 10)), await release(7, image(7, 10))];
    install(seven, trust, device).next();
    install(seven, trust, device).next();
    expect(code(() => install(six, trust, device))).toBe(errors.ROLLBACK);
    expect(code(() => install(six, { ...trust, floor: [0, 0] }, device))).toBe(errors.ROLLBACK);
    expect(code(() => install(seven, { ...trust, floor: [0, 8] }, device))).toBe(errors.ROLLBACK);
  });

  it("does not move the floor for a release that never asked what device it is on", async () => {
    const nothing = await signed({ $schema: "urn:firmseal:manifest:1", sequence: "18446744073709551615", components: [[{ hex: "00" }]] });
    const other = { "directive-override-parameters": { "vendor-identifier": uuid.class, "class-identifier": uuid.class } };
    const elsewhere = await signed({
      $schema: "urn:firmseal:manifest:1",
      sequence: 9,
      components: [[{ hex: "00" }]],
      install: [{ "directive-try-each": [[other, "condition-vendor-identifier"], [other, "condition-class-identifier"], null] }],
    });
    for (const envelope of [nothing, elsewhere]) {
      const device = memoryDevice(identity, [ID], 1000);
      expect(code(() => install(envelope, trust, device).next())).toBe(errors.IDENTITY_UNCHECKED);
      expect([device.sequence, device.envelope]).toEqual([[0, 0], null]);
    }
  });

  it("gives a device to one session at a time: a later one ends the previous one", async () => {
    const device = memoryDevice(identity, [ID], 1000);
    const first = install(await release(1, image(1, 10)), trust, device);
    install(await release(2, image(2, 10)), trust, device).next();
    expect(code(() => first.next())).toBe(errors.RUN_OUTCOME);
    expect([device.sequence, current(device)]).toEqual([[0, 2], image(2, 10)]);
  });

  it("refuses a floor that rose during the installation, and one that is not a number", async () => {
    const device = memoryDevice(identity, [ID], 1000);
    const progress = install(await release(1, image(1, 10), "http://a/b"), trust, device);
    progress.next();
    progress.next(image(1, 10));
    device.sequence = [0, 2];
    expect(code(() => progress.next(true))).toBe(errors.ROLLBACK);
    const good = await release(1, image(1, 10));
    for (const floor of [undefined, null, [], [0], ["0", "7"], [0, -1], [0, 2 ** 32], Number.NaN]) {
      const odd = memoryDevice(identity, [ID], 1000);
      odd.floor = () => floor as never;
      expect(code(() => install(good, trust, odd))).toBe(errors.DEVICE_FAULT);
    }
  });

  it("copies and swaps components, each with its digest", async () => {
    const ids = [ID, [hex("01")]];
    const [a, b] = [image(1, 2000), image(2, 1500)];
    const base = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 1,
      components: [[{ hex: "00" }], [{ hex: "01" }]],
    };
    const on = (i: number, bytes: Uint8Array, more: object = {}) => [
      { "directive-set-component-index": i },
      {
        "directive-override-parameters": {
          "vendor-identifier": uuid.vendor,
          "class-identifier": uuid.class,
          "image-digest": { hex: sha256Hex(bytes) },
          "image-size": bytes.length,
          ...more,
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ];
    let sequence = 0;
    // what a start runs
    const validate = on(0, a) as never;
    const run = async (device: MemoryDevice, commands: unknown[], payloads: Description["payloads"] = {}) =>
      install(
        await signed({ ...base, sequence: ++sequence, install: commands as never, validate, payloads: payloads as never }),
        trust,
        device,
      ).next();
    const device = memoryDevice(identity, ids, 5000);
    await run(device, [...on(0, a, { uri: "#a" }), "directive-fetch", ...on(1, b, { uri: "#b" }), "directive-fetch"], { "#a": a, "#b": b });
    expect([current(device, 0), current(device, 1)]).toEqual([a, b]);
    await run(device, [...on(1, a), ...on(0, b, { "source-component": 1 }), "directive-swap"]);
    expect([current(device, 0), current(device, 1)]).toEqual([b, a]);
    await run(device, [...on(1, b, { "source-component": 0 }), "directive-copy", "condition-image-match"]);
    expect([current(device, 0), current(device, 1)]).toEqual([b, b]);
    // the digest of what comes back is wanted too
    const envelope = await signed({ ...base, sequence: 4, install: [...on(0, b, { "source-component": 1 }), "directive-swap"] as never });
    expect(code(() => install(envelope, trust, device).next())).toBe(errors.DIGEST_UNSET);
  });

  const ten = singleImage({ sequence: 1, ...uuid, digest: sha256Hex(image(1, 10)), size: 10, uri: "#f", payload: image(1, 10) });

  const other = image(9, 10);
  const digestOf = (bytes: Uint8Array) => ({
    "directive-override-parameters": { "image-digest": { hex: sha256Hex(bytes) }, "image-size": bytes.length },
  });
  const kept = { "directive-override-parameters": { uri: "#f" } };
  const sized = (n: number) => ({ "directive-override-parameters": { "image-size": n } });

  it("neither installs nor starts an image whose digest was not checked", async () => {
    const { validate: _, ...d } = ten;
    const envelope = await signed(d);
    const device = memoryDevice(identity, [ID], 1000);
    expect(code(() => install(envelope, trust, device).next())).toBe(errors.INVOKE_UNVERIFIED);
    expect([device.floor(), device.envelope]).toEqual([[0, 0], null]);
    device.dangerouslySkipDigest = true;
    install(envelope, trust, device).next();
    device.dangerouslySkipDigest = false;
    expect(code(() => boot(envelope, trust, device).next())).toBe(errors.INVOKE_UNVERIFIED);
    expect(device.invoked).toEqual([]);
  });

  it("installs nothing whose start would be refused for anything that is known before", async () => {
    const identified = { "directive-override-parameters": { "vendor-identifier": uuid.vendor, "class-identifier": uuid.class } };
    const first = { "directive-set-component-index": 0 };
    const ofTwo = {
      components: [[{ hex: "00" }], [{ hex: "01" }]],
      "shared-sequence": [first, ...(ten["shared-sequence"] as object[])],
      ...Object.fromEntries((["install", "validate", "invoke"] as const).map((name) => [name, [first, ...(ten[name] as object[])]])),
    };
    const second = [{ "directive-set-component-index": 1 }, { "directive-override-parameters": { "source-component": 0 } }];
    for (const [change, found, cannotLoad] of [
      // a load without a source
      [{ load: ["directive-copy"] }, errors.PARAMETER_MISSING, false],
      [{ load: [{ "directive-override-parameters": { uri: "#none" } }, "directive-fetch"] }, errors.PAYLOAD_ABSENT, false],
      // a copy of what the start has written into itself
      [
        {
          load: [
            { "directive-override-parameters": { uri: "https://x/y", "source-component": 0 } },
            "directive-fetch",
            "directive-copy",
            "condition-image-match",
          ],
        },
        errors.NOT_SUPPORTED,
        false,
      ],
      // a start that writes, on a device without memory for it
      [
        { load: [{ "directive-override-parameters": { uri: "https://x/y" } }, "directive-fetch", "condition-image-match"] },
        errors.NOT_SUPPORTED,
        true,
      ],
      // what a start has written is compared again
      [{ load: [{ "directive-override-parameters": { uri: "https://x/y" } }, "directive-fetch"] }, errors.INVOKE_UNVERIFIED, false],
      // what it writes or copies from what was installed is not what its digest and size say
      [{ load: [{ "directive-override-parameters": { content: { hex: "00" } } }, "directive-write"] }, errors.IMAGE_UNVERIFIED, false],
      [
        { load: [{ "directive-override-parameters": { content: { hex: "00".repeat(10) } } }, "directive-write"] },
        errors.IMAGE_UNVERIFIED,
        false,
      ],
      [{ load: [kept, sized(9), "directive-fetch", "condition-image-match"] }, errors.IMAGE_UNVERIFIED, false],
      [
        { load: [kept, digestOf(other), "directive-fetch", digestOf(image(1, 10)), "condition-image-match"] },
        errors.IMAGE_UNVERIFIED,
        false,
      ],
      [{ ...ofTwo, load: [...second, digestOf(other), "directive-copy", "condition-image-match"] }, errors.IMAGE_UNVERIFIED, false],
      [
        { ...ofTwo, load: [...second, digestOf(image(1, 10)), sized(9), "directive-copy", "condition-image-match"] },
        errors.IMAGE_UNVERIFIED,
        false,
      ],
      // it compares what was installed with something else
      [{ load: [digestOf(other), "condition-image-match"] }, errors.IMAGE_MISMATCH, false],
      [
        { invoke: [{ "directive-override-parameters": { content: { hex: "00" } } }, "condition-check-content", "directive-invoke"] },
        errors.CONTENT_MISMATCH,
        false,
      ],
      [
        {
          invoke: [
            { "directive-try-each": [[digestOf(other), "condition-image-match"], ["condition-class-identifier"]] },
            "directive-invoke",
          ],
        },
        errors.INVOKE_UNVERIFIED,
        false,
      ],
      // another device, and no check of the identity in what a start runs
      [{ invoke: ["condition-device-identifier", "directive-invoke"] }, errors.DEVICE_MISMATCH, false],
      [
        {
          "shared-sequence": [{ "directive-override-parameters": { "image-digest": { hex: sha256Hex(image(1, 10)) }, "image-size": 10 } }],
          install: [identified, "condition-vendor-identifier", "condition-class-identifier", ...(ten.install as object[])],
        },
        errors.IDENTITY_UNCHECKED,
        false,
      ],
    ] as const) {
      const device = memoryDevice(identity, [ID, [Uint8Array.of(1)]], 1000);
      if (cannotLoad) device.cannotLoad = true;
      const envelope = await signed({ ...ten, ...change } as never);
      expect(
        code(() => install(envelope, trust, device).next()),
        JSON.stringify(change),
      ).toBe(found);
      expect([device.floor(), device.envelope]).toEqual([[0, 0], null]);
    }
  });

  it("does not end the start of a release whose start checks no identity, even if it starts nothing", async () => {
    const device = memoryDevice(identity, [ID], 1000);
    install(await signed(ten), trust, device).next();
    // replaces the kept envelope: good signatures, for any device
    const { "shared-sequence": _, invoke: _i, install: _n, payloads: _p, ...rest } = ten;
    const anybody = await signed({ ...rest, validate: [digestOf(image(1, 10)), "condition-image-match"] } as never);
    expect(code(() => boot(anybody, trust, device).next())).toBe(errors.IDENTITY_UNCHECKED);
  });

  it("installs what starts, whatever the branches contain that a start does not take", async () => {
    const match = "condition-image-match";
    const soft = (...commands: unknown[]) => ({
      "directive-run-sequence": [{ "directive-override-parameters": { "soft-failure": true } }, ...commands],
    });
    const none = { "directive-override-parameters": { uri: "#none" } };
    const itself = { "directive-override-parameters": { uri: "https://x/y", "source-component": 0 } };
    const long = { hex: createHash("sha384").update(image(1, 10)).digest("hex"), algorithm: "sha-384" };
    for (const change of [
      { load: [soft(digestOf(other), match, none, "directive-fetch"), digestOf(image(1, 10)), match] },
      { load: [soft(digestOf(other), match, itself, "directive-fetch", "directive-copy"), digestOf(image(1, 10)), match] },
      {
        validate: [
          ...(ten.validate as object[]).slice(0, 2),
          {
            "directive-try-each": [
              [digestOf(other), match],
              [digestOf(image(1, 10)), match],
            ],
          },
        ],
      },
      { load: [{ "directive-override-parameters": { "image-digest": long } }, match] },
      { load: [kept, digestOf(image(1, 10)), "directive-fetch", match] },
    ]) {
      const device = memoryDevice(identity, [ID], 1000);
      const envelope = await signed({ ...ten, ...change } as never);
      install(envelope, trust, device).next();
      boot(envelope, trust, device).next();
      expect(device.invoked, JSON.stringify(change)).toHaveLength(1);
    }
  });

  it("accepts no outline and no half-made run", async () => {
    const { decodeEnvelope } = await import("../src/tools/envelope.js");
    const { start } = await import("../src/index.js");
    const envelope = await release(1, image(1, 10));
    for (const fake of [decodeEnvelope(envelope), {}, null, undefined, { mark: {} }, 7])
      expect(code(() => start(fake as never, 20, identity))).toBe(errors.NOT_A_MANIFEST);
  });
});
