// A bound on what a service may send. The libraries collect an answer whole before they look at it, and wait for the next byte as long as
// bytes come: an endless answer fills the memory within seconds. They all ask by node:http, so that is where it is counted, their requests for
// credentials among them. gRPC has a limit of its own (gcpkms.ts).

import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";

/** Bytes of one answer with its head: what is expected has some thousand. */
export const LONGEST_ANSWER = 1024 * 1024;

/** How many bytes have come on a connection since the last request on it. */
const received = new WeakMap<Socket, number>();

/** What is called when an answer is too long, by the calls that are under way. */
const waiting = new Set<() => void>();

let begun = false;

/** From here on no answer to this process is longer than LONGEST_ANSWER: its connection is ended. */
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
  // before the parser of node:http, which is there already on a connection that is used again
  socket.prependListener("data", (chunk: Buffer) => {
    const n = (received.get(socket) ?? 0) + chunk.length;
    received.set(socket, n);
    if (n <= LONGEST_ANSWER) return;
    socket.destroy();
    for (const tooLong of waiting) tooLong();
  });
}

/** Calls `tooLong` when an answer is cut off, until the function that comes back is called. */
export function onTooLong(tooLong: () => void): () => void {
  waiting.add(tooLong);
  return () => void waiting.delete(tooLong);
}
