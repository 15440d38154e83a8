// Limits of what key custody reads and shows.

const KIB = 1024;
const MIB = 1024 * KIB;

/** The limits of files with keys, signing logs and messages. Input above a limit is refused. */
export const KEY_LIMITS = {
  /** Bytes from stdin, for any purpose. */
  stdin: 257 * MIB,
  /** Bytes of a key file. */
  keyFile: 64 * KIB,
  /**
   * Bytes of a log whose entries are all kept in memory; of a line, and of entries that are kept, of any log. `sign`,
   * `rotate bridge` and `audit` keep few.
   */
  log: 512 * MIB,
  /** Bytes of a ledger. A server that never ends its answer fills no disk. */
  ledger: 8192 * MIB,
  /** Bytes of a log that each signature reads whole: that costs milliseconds, and shows an edit in its middle. */
  logReadWhole: 256 * KIB,
  /** Bytes of an entry of a log. A longer line is not an entry. */
  logEntry: MIB,
  /** Bytes of a last-seen mark, which has an entry for each kind of device. */
  mark: 4 * MIB,
  /** Lines of a log whose entries are all kept in memory. */
  logLines: 1024 * KIB,
  /** Log faults that are listed. */
  logFaults: 1000,
  /** Keys in one log. */
  logKeys: 256,
  /** Names in one message. */
  namesInMessage: 8,
  /** Characters of a message. */
  message: 2000,
} as const;
