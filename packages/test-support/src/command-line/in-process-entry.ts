// What tests call of the command line. The build bundles it like the program, with the same options, but not into what
// is published.

export { main } from "../../../cli/src/main.js";
export { forgetSecrets } from "../../../keys/lib/secrets/environment.js";
