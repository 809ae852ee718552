/**
 * The library that runs a kubeconfig's command for credentials. Loaded by auth.ts when there is one, and
 * in a file of its own so that the bundle holds what is used of it: of a library that is loaded
 * directly, a bundler has to keep everything.
 */
import { KubeConfig } from '@kubernetes/client-node';

/** What is used of it. */
export type ExecConfig = { applyToHTTPSOptions(options: object): Promise<void> };

/**
 * The named context of a kubeconfig. Paths in it are relative to `folder`. It keeps a token until that
 * expires, so a new one runs the command anew.
 *
 * @throws what the library throws on text that is no kubeconfig
 */
export function execConfig(text: string, folder: string, context: string): ExecConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  config.makePathsAbsolute(folder);
  config.setCurrentContext(context);
  return config;
}
