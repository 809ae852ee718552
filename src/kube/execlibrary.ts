/**
 * The library that runs a kubeconfig's command for credentials. Loaded by auth.ts when there is one, and
 * in a file of its own so that the bundle holds what is used of it: of a library that is loaded
 * directly, a bundler has to keep everything.
 */
import { isAbsolute, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';

/** What is used of it, and which program it runs. */
export type ExecConfig = {
  readonly command: string;
  /** What the kubeconfig says about getting the program; may be empty. */
  readonly hint: string;
  applyToHTTPSOptions(options: object): Promise<void>;
};

/** As the kubeconfig has it; each value is checked where it is used. */
type Exec = { command?: unknown; readonly installHint?: unknown };

/**
 * The named context of a kubeconfig. Paths in it are relative to `folder`. It keeps a token until that
 * expires, so a new one runs the command anew.
 *
 * @throws what the library throws on text that is no kubeconfig
 */
export function execConfig(text: string, folder: string, context: string): ExecConfig {
  const config = new KubeConfig();
  // Half-made entries that nobody chose are no matter of ours, as kubectl sees it.
  config.loadFromString(text, { onInvalidEntry: 'filter' });
  config.makePathsAbsolute(folder);
  config.setCurrentContext(context);
  // The library hands it on as it was read.
  const exec: Exec = config.getCurrentUser()?.exec ?? {};
  const { command, installHint } = exec;
  const program = typeof command === 'string' ? locate(command, folder) : '';
  exec.command = program;
  return {
    command: program,
    hint: typeof installHint === 'string' ? installHint.trim() : '',
    applyToHTTPSOptions: (options) => config.applyToHTTPSOptions(options),
  };
}

/** A bare name is looked for in PATH; one with a slash is relative to the file that says so. */
function locate(command: string, folder: string): string {
  return command.includes('/') && !isAbsolute(command) ? resolve(folder, command) : command;
}
