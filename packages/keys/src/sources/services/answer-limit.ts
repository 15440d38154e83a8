// A limit on the size of a service's answer. The libraries collect a complete answer before they check it, and wait as
// long as bytes arrive, so an endless answer fills the memory within seconds. All of them use node:http, so bytes are
// counted there, including those for credentials. gRPC has a limit of its own (gcpkms.ts).

import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";

/** Maximum bytes of one answer with its header. Real ones have a few thousand. */
export const LONGEST_ANSWER = 1024 * 1024;

/** The bytes received on a connection since the last request on it. */
const received = new WeakMap<Socket, number>();

/** The functions to call when an answer is too long, one for each current call. */
const waiting = new Set<() => void>();

let begun = false;

/** Limits every answer to this process to LONGEST_ANSWER bytes: beyond that, the connection is closed. */
export function limitAnswers(): void {
  if (begun) return;
  begun = true;
  subscribe("http.client.request.start", (message) => {
    const { request } = message as { request: ClientRequest };
    if (request.socket) watchSocket(request.socket);
    else request.once("socket", watchSocket);
  });
}

function watchSocket(socket: Socket): void {
  const isNew = !received.has(socket);
  received.set(socket, 0);
  if (!isNew) return;
  // before the parser of node:http, which is already there on a reused connection
  socket.prependListener("data", (chunk: Buffer) => {
    const n = (received.get(socket) ?? 0) + chunk.length;
    received.set(socket, n);
    if (n <= LONGEST_ANSWER) return;
    socket.destroy();
    for (const tooLong of waiting) tooLong();
  });
}

/** Calls `tooLong` when an answer is cut off, until the returned function is called. */
export function onTooLong(tooLong: () => void): () => void {
  waiting.add(tooLong);
  return () => void waiting.delete(tooLong);
}
