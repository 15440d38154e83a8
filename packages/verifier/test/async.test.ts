// Installing with what a host awaits.

import { setTimeout as later } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { type PayloadRequest, payloadRequests } from "../src/async/index.js";
import { memoryDevice } from "../src/device/memory.js";
import { errors, install, type Refusal } from "../src/index.js";
import { ID, identity, image, release, trust } from "./releases.js";

const URI = "https://example.com/app.bin";
const bytes = image(1, 10_000);
const chunks = [bytes.subarray(0, 4096), bytes.subarray(4096, 4096), bytes.subarray(4096)];

async function* arriving(some: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of some) {
    await later(0);
    yield chunk;
  }
}

/** As in browsers where a stream has a reader alone. */
const notIterable = (stream: ReadableStream<Uint8Array>) => ({ getReader: () => stream.getReader() });

const newDevice = () => memoryDevice(identity, [ID], 20_000);
type Device = ReturnType<typeof newDevice>;

/** Installs a release on `device`; `answer` answers each request. Returns the requests. */
async function installWith(
  device: Device,
  envelope: Uint8Array,
  answer: (request: PayloadRequest) => unknown,
  options?: { signal: AbortSignal },
): Promise<PayloadRequest[]> {
  const seen: PayloadRequest[] = [];
  for await (const request of payloadRequests(install(envelope, trust, device), options)) {
    seen.push({ ...request });
    await answer(request);
  }
  return seen;
}

/** What an installation throws, and whether the device is as it was before, and takes the next release. */
async function refused(answer: (request: PayloadRequest) => unknown, options?: { signal: AbortSignal }): Promise<unknown> {
  const device = newDevice();
  const thrown = await installWith(device, await release(1, bytes, URI), answer, options).then(
    () => "installed",
    (error: unknown) => error,
  );
  expect(device.envelope, "the device is as it was").toBeNull();
  await installWith(device, await release(2, bytes), () => {});
  expect(device.sequence, "the next release").toEqual([0, 2]);
  return thrown;
}

it.each([
  ["the bytes", () => bytes],
  ["a list of chunks", () => chunks],
  ["chunks that arrive", () => arriving(chunks)],
  ["the body of a response", () => new Response(bytes).body],
  ["a stream that cannot be iterated", () => notIterable(new Response(bytes).body as ReadableStream<Uint8Array>)],
])("a request is answered by %s", async (_, payload) => {
  const device = newDevice();
  const seen = await installWith(device, await release(1, bytes, URI), (request) => {
    request.payload = payload() as AsyncIterable<Uint8Array>;
  });
  expect(seen).toEqual([{ uri: URI, size: bytes.length, component: 0 }]);
  expect(device.sequence).toEqual([0, 1]);
});

it("a release with its payload has no request", async () => {
  const device = newDevice();
  expect(await installWith(device, await release(1, bytes), () => {})).toEqual([]);
  expect(device.sequence).toEqual([0, 1]);
});

it.each([
  ["no answer", undefined, errors.PAYLOAD_ABSENT],
  ["null", null, errors.PAYLOAD_ABSENT],
  ["too many bytes", [bytes, image(1, 1)], errors.PAYLOAD_SIZE],
  ["too few bytes", [bytes.subarray(1)], errors.PAYLOAD_SIZE],
  ["other bytes", image(2, 10_000), errors.IMAGE_MISMATCH],
  ["numbers in place of chunks", Array.from(bytes) as never, errors.PAYLOAD_SIZE],
])("%s is refused", async (_, payload, number) => {
  const refusal = await refused((request) => {
    if (payload !== undefined) request.payload = payload;
  });
  expect((refusal as Refusal).code, String(refusal)).toBe(number);
});

it("what a source throws ends the installation, and the source is closed after a refusal", async () => {
  const broken = new Error("the connection is broken");
  const failing = async function* () {
    yield chunks[0] as Uint8Array;
    throw broken;
  };
  expect(
    await refused((request) => {
      request.payload = failing();
    }),
  ).toBe(broken);

  let closed = false;
  const endless = async function* () {
    try {
      for (;;) yield bytes;
    } finally {
      closed = true;
    }
  };
  await refused((request) => {
    request.payload = endless();
  });
  expect(closed).toBe(true);
});

it("an answer of another type ends the installation", async () => {
  expect(
    await refused((request) => {
      request.payload = bytes.buffer as never;
    }),
  ).toEqual(new TypeError("a payload is bytes, chunks of bytes, or a stream of them"));
});

it("break and an error in the loop discard what was written", async () => {
  const mine = new Error("mine");
  expect(
    await refused(() => {
      throw mine;
    }),
  ).toBe(mine);

  const device = newDevice();
  const discard = vi.spyOn(device, "discard");
  for await (const _ of payloadRequests(install(await release(1, bytes, URI), trust, device))) {
    discard.mockClear();
    break;
  }
  expect(discard).toHaveBeenCalledOnce();
  expect(device.envelope).toBeNull();
});

it("a signal ends it before, between chunks and while a source hangs", async () => {
  const reason = new Error("enough");
  const asked: string[] = [];
  expect(await refused(() => asked.push("asked"), { signal: AbortSignal.abort(reason) })).toBe(reason);
  expect(asked).toEqual([]);

  /** What is thrown if a source aborts as it gives its second chunk, or in place of that. */
  const aborted = (end: (abort: () => void) => Promise<void>) => {
    const controller = new AbortController();
    const source = async function* () {
      yield chunks[0] as Uint8Array;
      await end(() => controller.abort(reason));
      yield bytes.subarray(4096);
    };
    return refused(
      (request) => {
        request.payload = source();
      },
      { signal: controller.signal },
    );
  };
  expect(await aborted(async (abort) => abort())).toBe(reason);
  const hanging = (abort: () => void) => {
    setImmediate(abort);
    return new Promise<void>(() => {});
  };
  expect(await aborted(hanging)).toBe(reason);
});
