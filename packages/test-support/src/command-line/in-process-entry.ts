// The part of the command line that tests call. The build bundles it like the program, with the same options, but not
// into what is published.

export { main } from "../../../cli/src/main.js";
export { forgetSecrets } from "../../../keys/lib/secrets/environment.js";
