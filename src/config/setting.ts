/** What a setting is: one entry gives a flag, an environment variable, a line of a file and one of the docs. Pure. */

/** A value of a setting, whatever it was written in. */
export type Value = string | number | boolean | readonly string[];

/** What a setting takes. */
export type SettingType =
  /** Any text; `form` is what help texts show, such as `<file>`. */
  | { readonly kind: 'Text'; readonly form: string }
  /** Texts, separated by commas in flags and variables. */
  | { readonly kind: 'List'; readonly form: string; readonly flag: 'Once' | 'Repeatable' }
  | { readonly kind: 'Choice'; readonly choices: readonly string[] }
  /** A whole number, both bounds included. */
  | { readonly kind: 'Number'; readonly min: number; readonly max: number }
  /** True or false. Bare: the flag has no value and means true. */
  | { readonly kind: 'Truth'; readonly flag: 'Bare' | 'Valued' };

/** One setting of a server. */
export type Setting = {
  /** In camel case, as files have it: `metricsAddress` is --metrics-address and KEYWARD_METRICS_ADDRESS. */
  readonly name: string;
  readonly type: SettingType;
  /** Absent: nothing, unless `without` says what then happens. */
  readonly default?: Value;
  /** Where there is no default: what holds then, as a few words. */
  readonly without?: string;
  /** A few words, as help texts and docs show them. */
  readonly meaning: string;
  /** Required: what it takes, for the message when it is missing. */
  readonly required?: string;
  /** Hidden: for tests, in no help text and in no docs. */
  readonly visibility?: 'Hidden';
  /** What is not printed of it: the password of an address, or all behind its host. */
  readonly mask?: 'Password' | 'Path';
};

/** Such as `metrics-address`, without the dashes before it. */
export function flagOf({ name }: Pick<Setting, 'name'>): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

/** Such as `KEYWARD_METRICS_ADDRESS`. */
export function variableOf({ name }: Pick<Setting, 'name'>): string {
  return `KEYWARD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** As the end of "--workers takes …". */
export function takes(type: SettingType): string {
  switch (type.kind) {
    case 'Choice':
      return type.choices.join(', ');
    case 'Number':
      return `a whole number from ${type.min} to ${type.max}`;
    case 'Truth':
      return 'true, false';
    case 'List':
      return 'a list of texts';
    case 'Text':
      return 'a text';
  }
}
