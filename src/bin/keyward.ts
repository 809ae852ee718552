/** The command line: `keyward`, also `kubectl keyward`. Commands are loaded when they are used. */
import { basename } from 'node:path';
import { Command, CommanderError } from 'commander';
import { EXIT, exitCodeOf } from '../cli/exit.ts';
import { visible } from '../cli/visible.ts';
import { classify, type KeywardError } from '../kernel/errors.ts';
import { addConfig } from './configprogram.ts';
import { addGate } from './gateprogram.ts';
import { addKeys } from './keysprogram.ts';
import { addLedger } from './ledgerprogram.ts';
import { addOperator } from './operatorprogram.ts';
import { withWait } from './peopleflags.ts';
import { addPeople } from './peopleprogram.ts';
import { outliveReaders } from './streams.ts';
import { COMMIT, versionText } from './version.ts';

function program(): Command {
  const version = versionText(COMMIT, process.versions.node);
  const root = new Command(programName())
    .description('API keys as Kubernetes resources')
    .version(version, '-V, --version', 'what this program is')
    .showHelpAfterError('(--help says what there is)')
    .exitOverride();
  addPeople(root);
  addKeys(root);
  addLedger(root);
  addOperator(root);
  addGate(root);
  addConfig(root);
  root
    .command('version')
    .helpGroup('Commands:')
    .description('what this program is: its version, commit and Node')
    .action(() => {
      process.stdout.write(`${version}\n`);
    });
  return root;
}

/** As a plugin of kubectl we are called by another name. */
function programName(): string {
  const name = basename(process.argv[1] ?? '', '.js');
  return name === 'kubectl-keyward' ? 'kubectl keyward' : 'keyward';
}

async function main(): Promise<void> {
  outliveReaders();
  // Set by commands that end well and still have something to say by it.
  process.exitCode = EXIT.done;
  try {
    await program().parseAsync(withWait(process.argv));
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
      return;
    }
    fail(classify(thrown));
  }
}

/** One sentence for people; a stack only in the log of a server, where it is our fault. */
function fail(error: KeywardError): void {
  const { cause } = error;
  const isBug = error.class === 'Bug' && cause instanceof Error;
  const isServer = ['operator', 'gate'].includes(process.argv[2] ?? '');
  const text =
    isBug && !isServer
      ? `unexpected ${cause.name}: ${cause.message}; this is a mistake in keyward, please report it`
      : error.message;
  // What the API server says may quote what somebody else wrote.
  process.stderr.write(`keyward: ${visible(text)}\n`);
  if (isBug && isServer) process.stderr.write(`${cause.stack ?? ''}\n`);
  // At once: after a lost leadership nothing may be written any more, not even by what still runs.
  process.exit(exitCodeOf(error));
}

await main();
