/** Reads the settings of a server from everywhere they may stand. */
import { environment } from './environment.ts';
import { readGivenFile } from './givenfile.ts';
import { resolveSettings, type Effective, type FileLayer, type Flags } from './layers.ts';
import { SETTINGS, type Program } from './settings.ts';
import { refuseUnknownVariables } from './variables.ts';

/**
 * All settings of a server that starts: flags, then KEYWARD_* variables, then the file, then defaults.
 * @throws KeywardError Terminal InvalidConfiguration, a sentence that names where the mistake stands
 */
export async function loadSettings(program: Program, flags: Flags): Promise<readonly Effective[]> {
  const variables = environment();
  refuseUnknownVariables(variables);
  const sources = { flags, environment: variables };
  const own = SETTINGS[program].filter(({ name }) => name === 'config');
  const [config] = resolveSettings(own, sources);
  if (typeof config?.value !== 'string') return resolveSettings(SETTINGS[program], sources);
  const file = await loadFile(program, config.value);
  return resolveSettings(SETTINGS[program], { ...sources, file });
}

/** A file of settings. @throws KeywardError Terminal InvalidConfiguration */
export async function loadFile(program: Program, path: string): Promise<FileLayer> {
  const text = await readGivenFile('--config', path);
  // A server without a file needs no YAML.
  const { readFileLayer } = await import('./file.ts');
  return readFileLayer(program, path, text);
}
