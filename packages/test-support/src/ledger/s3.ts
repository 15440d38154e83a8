// An object store of a test: moto, behind what a test can make of a network. moto lets two conditional writes win that
// come at the same time (5.2.1: in 1 of 20 rounds of 40), which S3 does not: here they come one after the other.

import { createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { CANARY, moto } from "../keys/kms-servers.js";

/** A request of a client. */
export interface Passing {
  readonly method: string;
  /** With its bucket and its query. */
  path: string;
  readonly headers: { [name: string]: string | string[] | undefined };
}

/** The answer of the store. */
export interface Passed {
  status: number;
  headers: { [name: string]: string | string[] | undefined };
  body: Buffer;
}

/** What happens to a request: it is forwarded as it is now, and its answer is given as it is then. "cut": none is. */
export type Passage = (request: Passing, forward: () => Promise<Passed>) => Promise<Passed | "cut">;

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Access to the store, for what a test does behind its back. */
export interface Bucket {
  put(key: string, body: string | Buffer): Promise<void>;
  get(key: string): Promise<Buffer>;
  remove(key: string): Promise<void>;
  /** The first keys with a prefix: 1,000 at most. */
  keys(prefix: string): Promise<string[]>;
}

/** A store that listens. */
export interface ObjectStore {
  /** Where clients find it. */
  readonly url: string;
  /** The same without the network. */
  readonly direct: string;
  /** What leads the library of AWS there, and to nothing of this machine's own settings. */
  readonly env: { readonly [name: string]: string };
  /** What happens to requests. By default, they are forwarded. */
  passage: Passage;
  /** Makes a bucket. */
  bucket(name: string): Promise<Bucket>;
  stop(): void;
}

export const FORWARD: Passage = (_, forward) => forward();

/** Starts a store. Returns nothing if moto is not installed. */
export async function objectStore(): Promise<ObjectStore | undefined> {
  const behind = await moto();
  if (!behind) return undefined;
  let before: Promise<unknown> = Promise.resolve();
  const forwardTo = ({ method, path, headers }: Passing, body: Buffer) =>
    new Promise<Passed>((resolve, reject) => {
      const outgoing = send(`${behind.url}${path}`, { method, headers, agent: false }, async (incoming) => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: await bodyOf(incoming) });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const passing: Passing = { method: request.method ?? "", path: request.url ?? "", headers: { ...request.headers } };
    const forward = () => {
      const { connection: _, expect: __, ...headers } = passing.headers;
      const passed = before.then(() => forwardTo({ ...passing, headers }, body));
      if (passing.method !== "GET") before = passed.catch(() => {});
      return passed;
    };
    const answer = await store.passage(passing, forward).catch(() => "cut" as const);
    if (answer === "cut") {
      response.destroy();
      return;
    }
    const { connection: _, "transfer-encoding": __, ...headers } = answer.headers;
    response.writeHead(answer.status, { ...headers, "content-length": answer.body.length });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // moto does not check it; without it, the request is one of anybody
  const authorization = "AWS4-HMAC-SHA256 Credential=owner/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none";
  const direct = async (method: string, path: string, body?: string | Buffer) => {
    const sent = body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) };
    const answer = await fetch(`${behind.url}/${path}`, { method, headers: { authorization }, ...sent });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store: ObjectStore = {
    url,
    env: {
      AWS_ENDPOINT_URL_S3: url,
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: CANARY,
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "none",
      AWS_SHARED_CREDENTIALS_FILE: "none",
    },
    direct: behind.url,
    passage: FORWARD,
    bucket: async (name) => {
      await direct("PUT", name);
      const pathOf = (key: string) => `${name}/${encodeURI(key)}`;
      return {
        put: async (key, body) => void (await direct("PUT", pathOf(key), body)),
        get: (key) => direct("GET", pathOf(key)),
        remove: async (key) => void (await direct("DELETE", pathOf(key))),
        keys: async (prefix) => {
          const list = await direct("GET", `${name}?list-type=2&prefix=${encodeURIComponent(prefix)}`);
          return [...list.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key as string);
        },
      };
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
      behind.stop();
    },
  };
  return store;
}
