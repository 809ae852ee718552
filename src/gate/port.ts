/** What a port of a gate is like for whoever opened it, whatever is spoken there. */

/** A running port. */
export type GatePort = {
  /** Where it really listens, HOST:PORT. */
  readonly address: string;
  /** Looks at the TLS files now, instead of within 10 s. */
  reloadTls(): Promise<void>;
  /** Takes no more calls, and waits for answers that are on their way up to the bound. Repeatable. */
  close(): Promise<void>;
};
