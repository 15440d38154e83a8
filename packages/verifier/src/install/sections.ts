// The sections of an installation, for those who do not install.

import { MAN_INSTALL, MAN_PAYLOAD_FETCH, MAN_VALIDATE } from "../spec/suit.js";

/** The sections of an installation, in order. Missing ones are skipped. */
export var INSTALL_SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];
