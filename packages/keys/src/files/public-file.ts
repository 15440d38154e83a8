// Where the public half of a new private key goes.

import { extname } from "node:path";
import { usage } from "../errors/failure.js";

/**
 * Returns the path of the public key beside a private one: release.pem → release.pub, release → release.pub. Throws a
 * usage Failure if the private key has this name itself.
 */
export function publicFileOf(file: string): string {
  const end = extname(file);
  if (end.toLowerCase() === ".pub")
    throw usage(`${file}: a private key is not called .pub`, "its public key gets this name: call it KEY.pem");
  return `${file.slice(0, file.length - end.length)}.pub`;
}
