/** Structured logs: a constant message, facts as fields, one JSON line each on standard output. */
import { destination, pino, type LoggerOptions } from 'pino';

/** From most to least talkative. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
/** Facts of one line; values must survive JSON. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where log lines go. `error`: a person must look. `info`: something changed. `debug`: the rest.
 * Fields never carry key material; the box for it prints a mask.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  with(fields: LogFields): Logger;
}

/** Lines that cannot be written now are kept up to this much, and further ones dropped. */
const UNWRITTEN_MAX = 1_048_576;
/** After which those that are kept are tried again. */
const AGAIN_MS = 100;
/** Tries, of 0.1 s each, to be rid of them when the process ends: the last lines say why it does. */
const LAST_TRIES = 10;

/** A logger that writes to standard output, synchronously, so that a crash loses no line. One for each process. */
export function createLogger(level: LogLevel): Logger {
  let triesLeft = 0;
  const output = destination({
    dest: 1,
    sync: true,
    maxLength: UNWRITTEN_MAX,
    // Whoever reads us may be frozen; waiting for him would freeze us too, until we end anyway.
    retryEAGAIN: () => (triesLeft -= 1) >= 0,
  });
  let again: NodeJS.Timeout | undefined;
  // A full disk or a closed pipe costs lines, not the process.
  output.on('error', () => {
    again ??= setTimeout(() => {
      again = undefined;
      // Nothing more, but it has what is kept written; a line might find no room, and be dropped untried.
      output.write('');
    }, AGAIN_MS).unref();
  });
  process.once('exit', () => {
    triesLeft = LAST_TRIES;
    output.write('');
  });
  let lost = 0;
  output.on('drop', () => (lost += 1));
  const options: LoggerOptions = {
    level,
    base: null,
    messageKey: 'msg',
    formatters: { level: (label) => ({ level: label }) },
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
  };
  const log = wrap(pino(options, output));
  output.on('drain', () => {
    if (lost === 0) return;
    const told = lost;
    log.warn('Lines of the log were lost: nobody took them', { lines: told });
    // Where this line was lost too, they are still to be told.
    lost = lost === told ? 0 : told;
  });
  return log;
}

/** A logger that drops everything; for tests of other things. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLogger,
};

/**
 * What a line says of the cause of a failure. Only the stack: a foreign error's own fields may hold
 * request headers or bodies. Plain values that were thrown are named by their type alone.
 */
export function causeFields(cause: unknown): LogFields {
  if (cause === undefined) return {};
  return { cause: cause instanceof Error ? cause.stack : `a thrown ${typeof cause}` };
}

function wrap(target: pino.Logger): Logger {
  return {
    debug: (message, fields) => target.debug(fields ?? {}, message),
    info: (message, fields) => target.info(fields ?? {}, message),
    warn: (message, fields) => target.warn(fields ?? {}, message),
    error: (message, fields) => target.error(fields ?? {}, message),
    with: (fields) => wrap(target.child(fields)),
  };
}
