// Key services on this machine, for the libraries of the real ones: AWS by its endpoint, Google and Azure behind a
// proxy that takes every name for one server. What they answer has the shape that the documentation of the service
// gives.

import { spawn, spawnSync } from "node:child_process";
import { createSign, sign as signWith } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createRequire } from "node:module";
import { type AddressInfo, connect, createServer as createTcpServer, isIP, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import type { KeyFileError } from "../../../keys/src/errors/key-file.js";
import type { OpenedKey } from "../../../keys/src/source.js";
import { temporaryFolder } from "../environment/folders.js";
import { hasProgram } from "../environment/programs.js";
import { type DrawnPair, drawnPair } from "./drawn-keys.js";

export const hasOpenssl = hasProgram("openssl", "version");

/** In every credential that the tests hand out; nothing that is printed may contain it. */
export const CANARY = "c4n4ry-5h0uld-n0t-b3-5een";

/** The error that opening a key, or signing with it, ends with. It names the key, and no credential. */
export async function refusalOfKey(open: (ref: string) => Promise<OpenedKey>, ref: string): Promise<KeyFileError> {
  try {
    const key = await open(ref);
    try {
      await key.signer?.sign(new Uint8Array(55).fill(7));
    } finally {
      await key[Symbol.asyncDispose]?.();
    }
  } catch (e) {
    const error = e as KeyFileError;
    expect(`${error.message} ${error.hint} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(CANARY);
    expect([`${ref}: `, `${ref} is not `].some((name) => error.message.startsWith(name))).toBe(true);
    return error;
  }
  throw new Error("nothing was refused");
}

/** What a key service holds. */
export interface ServiceKey extends DrawnPair {
  isEc: boolean;
}

export function serviceKey(kind: "p256" | "p384" | "ed25519" | "rsa"): ServiceKey {
  return { ...drawnPair(kind), isEc: kind === "p256" || kind === "p384" };
}

/** ECDSA in DER over SHA-256, or Ed25519. */
export function signatureOf(key: ServiceKey, message: Uint8Array): Buffer {
  return key.isEc ? createSign("sha256").update(message).sign(key.privateKey) : signWith(null, message, key.privateKey);
}

/** ECDSA in DER over a hash that is given, by openssl: Node signs messages only. */
export function signatureOfHash(key: ServiceKey, hash: Uint8Array): Buffer {
  const folder = temporaryFolder("firmseal-hash-");
  try {
    const path = join(folder, "key.pem");
    writeFileSync(path, key.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const r = spawnSync("openssl", ["pkeyutl", "-sign", "-inkey", path], { input: hash });
    if (r.status !== 0) throw new Error(r.stderr.toString());
    return r.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function closing(server: TcpServer | Server): void {
  onTestFinished(async () => {
    (server as Partial<Server>).closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
  });
}

async function listening(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const body = async (request: AsyncIterable<Buffer>) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

export type Answer = { status?: number; json?: object; headers?: { [name: string]: string } } | "silence" | "endless";

let flooded = 0;

/** Bytes that endless answers have sent since this was asked last. */
export function bytesFlooded(): number {
  const n = flooded;
  flooded = 0;
  return n;
}

/** Writes JSON without an end, for as long as somebody reads. */
function flood(to: Writable): void {
  const chunk = Buffer.alloc(65536, 0x22);
  const more = () => {
    while (!to.destroyed && to.writable) {
      flooded += chunk.length;
      if (!to.write(chunk)) {
        to.once("drain", more);
        return;
      }
    }
  };
  to.on("error", () => {});
  more();
}

/** Makes all connections of this process trust a certificate, as NODE_EXTRA_CA_CERTS does for a new process. */
export function believe({ cert }: Certificate): void {
  const tls = createRequire(import.meta.url)("node:tls") as typeof import("node:tls");
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const made = create(options);
    (made.context as { addCACert(cert: Buffer): void }).addCACert(cert);
    return made;
  };
  onTestFinished(() => {
    tls.createSecureContext = create;
  });
}

/** HTTP, or HTTPS with `tls`. Returns the port. */
export async function httpService(
  answer: (request: IncomingMessage, content: Buffer) => Answer | Promise<Answer>,
  tls?: Certificate,
): Promise<number> {
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const a = await answer(request, await body(request));
    if (a === "silence") return;
    if (a === "endless") {
      response.writeHead(200, { "content-type": "application/json" });
      flood(response);
      return;
    }
    response.writeHead(a.status ?? 200, { "content-type": "application/json", ...a.headers });
    response.end(JSON.stringify(a.json ?? {}));
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  closing(server);
  return listening(server);
}

/** gRPC with one message each way: `answer` gives the message, or a status. */
export async function grpcService(
  answer: (method: string, message: Buffer, headers: { authorization?: string | undefined }) => Uint8Array | number | "silence" | "endless",
  tls: Certificate,
): Promise<number> {
  const server = createSecureServer(tls);
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", async (stream, headers) => {
    stream.on("error", () => {});
    const frame = await body(stream);
    const a = answer(String(headers[":path"]).split("/").pop() ?? "", frame.subarray(5), { authorization: headers.authorization });
    if (a === "silence") return;
    if (a === "endless") {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      // a message of 4 GiB
      stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
      flood(stream);
      return;
    }
    const fixed = { ":status": 200, "content-type": "application/grpc" };
    // no message beside the status: what a service says must not be needed
    if (typeof a === "number") {
      stream.respond({ ...fixed, "grpc-status": a, "grpc-message": `${CANARY} in a message` }, { endStream: true });
      return;
    }
    const head = Buffer.alloc(5);
    head.writeUInt32BE(a.length, 1);
    stream.respond(fixed, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([head, a]));
  });
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return listening(server);
}

/** A proxy that leads every CONNECT to one port of this machine. Gives its URL, and the names that were asked for. */
export async function proxyTo(port: number): Promise<{ url: string; names: string[] }> {
  const names: string[] = [];
  const server = createHttpServer();
  const sockets = new Set<{ destroy(): void }>();
  server.on("connect", (request, socket, head) => {
    names.push(request.url ?? "");
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const s of [socket, upstream]) {
      sockets.add(s);
      s.on("error", () => {});
    }
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, names };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Certificate {
  key: Buffer;
  cert: Buffer;
  /** The certificate as a file. */
  path: string;
}

/** A certificate of the moment for these names, kept in `folder`. */
export function certificate(folder: string, ...names: string[]): Certificate {
  const [key, path] = [join(folder, `${names[0]}.key.pem`), join(folder, `${names[0]}.pem`)];
  const san = `subjectAltName=${names.map((name) => `${isIP(name) ? "IP" : "DNS"}:${name}`).join(",")}`;
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const args = ["req", "-x509", ...curve, "-subj", "/CN=firmseal test", "-addext", san, "-keyout", key, "-out", path];
  const r = spawnSync("openssl", args);
  if (r.status !== 0) throw new Error(r.stderr.toString());
  return { key: readFileSync(key), cert: readFileSync(path), path };
}

/** moto, which simulates AWS. Returns its address when it answers, and nothing if it is not installed. */
export async function moto(): Promise<{ url: string; stop: () => void } | undefined> {
  const port = await closedPort();
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  let hasEnded = false;
  for (const event of ["error", "exit"]) child.once(event, () => (hasEnded = true));
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    const there = await fetch(`${url}/moto-api/`).then(
      (r) => r.ok,
      () => false,
    );
    if (there) return { url, stop: () => void child.kill() };
    if (hasEnded) return undefined;
    if (i > 300) throw new Error("moto_server does not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sets variables of the environment for one test. */
export function setEnv(vars: { [name: string]: string | undefined }): void {
  const before = Object.keys(vars).map((name) => [name, process.env[name]] as const);
  const put = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(vars)) put(name, value);
  onTestFinished(() => {
    for (const [name, value] of before) put(name, value);
  });
}
