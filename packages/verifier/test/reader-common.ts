// What the tests of the reader share.

export const octets = (s: string): Uint8Array => new Uint8Array(Buffer.from(s.replaceAll(" ", ""), "hex"));
