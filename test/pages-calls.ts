// `firmseal` in the shell of a page, called in the process of the test: a function of bash asks over a connection, and
// prints the answer. It has the arguments, folder, environment and descriptors that a process would have, but not
// stdin.

import { existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { call } from "../packages/test-support/src/command-line/in-process.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";

interface Asked {
  pid: string;
  cwd: string;
  args: string[];
  env: { [name: string]: string };
}

/** What the function sends: process, folder, count, arguments, variables, and an empty text. undefined: not all is there yet. */
function parse(text: string): Asked | undefined {
  const parts = text.split("\0");
  const [pid = "", cwd = "", count = ""] = parts;
  const behind = 3 + Number(count);
  const end = parts.indexOf("", behind);
  // the last part is what follows the last NUL
  if (count === "" || end < 0 || end >= parts.length - 1) return undefined;
  const variables = parts.slice(behind, end).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return { pid, cwd, args: parts.slice(3, behind), env: Object.fromEntries(variables) as Asked["env"] };
}

async function answer(socket: Socket, { pid, cwd, args, env }: Asked, folder: string): Promise<void> {
  const third = `/proc/${pid}/fd/3`;
  const opened = existsSync(third) ? [openSync(third, "r")] : [];
  const { exit, bytes, stderr } = await call(args, env, opened, { cwd });
  writeFileSync(join(folder, `${pid}.out`), bytes);
  writeFileSync(join(folder, `${pid}.err`), stderr);
  socket.end(`${exit}\n`);
}

/** `define`: what makes the function, for bash. */
export async function callsFromShell(): Promise<{ define: string; close(): void }> {
  const folder = temporaryFolder("firmseal-calls-");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    let isAsked = false;
    socket.setEncoding("utf8").on("data", (more) => {
      text += more;
      const asked = isAsked ? undefined : parse(text);
      if (!asked) return;
      isAsked = true;
      answer(socket, asked, folder).catch((e: unknown) => socket.destroy(e as Error));
    });
    socket.on("error", () => {}); // the shell has an answer that is not an exit code, and ends
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const define = `firmseal() {
  local link code="" answer="${folder}/$BASHPID"
  exec {link}<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}
  { printf '%s\\0' "$BASHPID" "$PWD" "$#" "$@"; env -0; printf '\\0'; } >&$link
  read -r code <&$link || true
  exec {link}>&-
  [ ! -s "$answer.err" ] || cat "$answer.err" >&2
  [ ! -s "$answer.out" ] || cat "$answer.out"
  return "\${code:-99}"
}\n`;
  return {
    define,
    close() {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
