// Node reads the extra certificates of a machine at each start, which takes as long as the start itself. So processes
// of tests do not get them.

/** The file with them, for programs that speak to a registry. */
export const CERTIFICATES = process.env["NODE_EXTRA_CA_CERTS"];
delete process.env["NODE_EXTRA_CA_CERTS"];
