/** Flags that several commands have in common. */
import { Option } from 'commander';

/** What `--database` takes. */
export const DATABASE = 'sqlite:///path/to/keyward.db or postgres://user@host/database';

/** `--endpoint-hosts`, repeatable. */
export function hosts(): Option {
  return new Option(
    '--endpoint-hosts <Type=host[:port]>',
    'hosts that key stores of a type may be reached at; repeatable (those of the driver)',
  ).argParser((more: string, before: string | undefined) =>
    before === undefined ? more : `${before},${more}`,
  );
}

/** `--vendor-ca-file`. */
export function vendorCa(): Option {
  return new Option(
    '--vendor-ca-file <file>',
    'certificates to trust at vendors beside public ones',
  );
}

/** A flag for tests, which no help text shows. */
export function hidden(flags: string): Option {
  return new Option(flags).hideHelp();
}
