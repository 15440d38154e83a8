// What the custody of keys reads at most, and shows at most.

const KIB = 1024;
const MIB = 1024 * KIB;

export const KEY_LIMITS = {
  /** Bytes from stdin, whatever they are. */
  stdin: 257 * MIB,
  /** Bytes of a key file. */
  keyFile: 64 * KIB,
  /** Bytes of a log. */
  log: 128 * MIB,
  /** Lines of a log. */
  logLines: 256 * KIB,
  /** Faults of a log that are listed. */
  logFaults: 1000,
  /** Keys that one log names. */
  logKeys: 256,
  /** Names in one message. */
  namesInMessage: 8,
  /** Characters of a message. */
  message: 2000,
} as const;
