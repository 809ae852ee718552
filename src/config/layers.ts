/** Which of flags, environment, file and defaults a setting has its value from, in this order. Pure. */
import { invalid } from './problem.ts';
import { readText } from './reading.ts';
import { flagOf, variableOf, type Setting, type Value } from './setting.ts';

/** Flags as the command line parsed them: long names in camel case. */
export type Flags = Readonly<Record<string, unknown>>;

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a file says, by name of the setting, already checked. */
export type FileLayer = {
  readonly path: string;
  readonly values: ReadonlyMap<string, { readonly value: Value; readonly line: number }>;
};

/** Where settings come from. */
export type Layers = {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly file?: FileLayer;
};

/** A setting with its value; undefined: it has none. */
export type Effective = {
  readonly setting: Setting;
  readonly value: Value | undefined;
  /** `--workers`, `KEYWARD_WORKERS`, `keyward.yaml:3` or `default`. */
  readonly from: string;
};

/**
 * Every setting with its value, in the order of `settings`.
 * @throws KeywardError Terminal InvalidConfiguration, naming where the wrong value stands
 */
export function resolveSettings(
  settings: readonly Setting[],
  layers: Layers,
): readonly Effective[] {
  return settings.map((setting) => resolveSetting(setting, layers));
}

function resolveSetting(setting: Setting, { flags, environment, file }: Layers): Effective {
  const flag = flags[setting.name];
  const flagName = `--${flagOf(setting)}`;
  if (flag !== undefined && flag !== false) {
    const text = typeof flag === 'string' ? flag : 'true';
    return { setting, value: readText(setting, text, flagName), from: flagName };
  }
  const variable = variableOf(setting);
  // A variable from a file or a Secret often ends in a line break.
  const text = environment[variable]?.trim() ?? '';
  if (text !== '') return { setting, value: readText(setting, text, variable), from: variable };
  const held = file?.values.get(setting.name);
  if (file !== undefined && held !== undefined) {
    return { setting, value: held.value, from: `${file.path}:${held.line}` };
  }
  return { setting, value: setting.default, from: 'default' };
}

/** Settings by name, as those who compose a configuration read them. */
export type Values = {
  /** Undefined: it has no value. */
  text(name: string): string | undefined;
  /** @throws KeywardError Terminal InvalidConfiguration when it has no value */
  requiredText(name: string): string;
  number(name: string): number;
  truth(name: string): boolean;
  list(name: string): readonly string[];
  choice<T extends string>(name: string, choices: readonly T[]): T;
};

/** Reads of a name that is no setting, or of another type, are defects of ours and throw as such. */
export function valuesOf(effective: readonly Effective[]): Values {
  const byName = new Map(effective.map((each) => [each.setting.name, each]));
  const find = (name: string): Effective => {
    const found = byName.get(name);
    if (found === undefined) throw new TypeError(`'${name}' is no setting`);
    return found;
  };
  const typed = <T>(name: string, isRight: (value: unknown) => value is T): T => {
    const { value } = find(name);
    if (!isRight(value)) throw new TypeError(`setting '${name}' has another type`);
    return value;
  };
  return {
    text: (name) => {
      const { value } = find(name);
      return value === undefined ? undefined : String(value);
    },
    requiredText: (name) => {
      const { setting, value } = find(name);
      if (typeof value === 'string' && value !== '') return value;
      throw invalid(`--${flagOf(setting)} is required: ${setting.required ?? setting.meaning}`);
    },
    number: (name) => typed(name, (value) => typeof value === 'number'),
    truth: (name) => typed(name, (value) => typeof value === 'boolean'),
    list: (name) =>
      find(name).value === undefined
        ? []
        : typed(name, (value): value is readonly string[] => Array.isArray(value)),
    choice: <T extends string>(name: string, choices: readonly T[]) =>
      typed(name, (value): value is T => choices.some((choice) => choice === value)),
  };
}
