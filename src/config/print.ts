/** The effective settings for people and programs, with where each came from and without passwords. */
import { stringify } from 'yaml';
import { FILE_KINDS, FILE_VERSION } from './file.ts';
import type { Effective } from './layers.ts';
import { flagOf, variableOf, type Setting, type Value } from './setting.ts';
import type { Program } from './settings.ts';

/** Stands for what is not shown. */
const MASK = '***';

/** A setting for programs. */
export type PrintedSetting = {
  readonly name: string;
  readonly flag: string;
  readonly variable: string;
  /** Null: it has none. */
  readonly value: Value | null;
  readonly from: string;
};

/** Settings that tests alone use are shown only where somebody set them. */
export function printedSettings(effective: readonly Effective[]): readonly PrintedSetting[] {
  return effective
    .filter(({ setting, from }) => setting.visibility !== 'Hidden' || from !== 'default')
    .map(({ setting, value, from }) => ({
      name: setting.name,
      flag: `--${flagOf(setting)}`,
      variable: variableOf(setting),
      value: value === undefined ? null : masked(setting, value),
      from,
    }));
}

/** A file that `--config` takes, with where each value came from behind it. */
export function settingsFile(program: Program, effective: readonly Effective[]): string {
  const withoutOf = new Map(effective.map(({ setting }) => [setting.name, setting.without]));
  const lines = printedSettings(effective)
    // A file cannot name another one.
    .map((each) => ({ ...each, isComment: each.value === null || each.name === 'config' }))
    .map(({ name, value, from, isComment }) => {
      const text = value === null ? `(${withoutOf.get(name) ?? 'none'})` : inline(value);
      return `${isComment ? '# ' : ''}${name}: ${text}  # ${from}`;
    });
  return [`apiVersion: ${FILE_VERSION}`, `kind: ${FILE_KINDS[program]}`, ...lines, ''].join('\n');
}

/** The value with what nobody else should read taken out of it. */
export function masked({ mask }: Pick<Setting, 'mask'>, value: Value): Value {
  if (mask === undefined || typeof value !== 'string') return value;
  if (mask === 'Path') return hostOnly(value);
  // Up to the last @, as people do not always escape what stands in a password.
  return value
    .replace(/^([a-z]+:\/\/[^:@/?]*):.*@/i, `$1:${MASK}@`)
    .replaceAll(/([?&][^=&]*(?:password|passphrase|secret|token)[^=&]*=)[^&]*/gi, `$1${MASK}`);
}

function hostOnly(value: string): string {
  if (!URL.canParse(value)) return MASK;
  const { origin, href } = new URL(value);
  return href === origin || href === `${origin}/` ? origin : `${origin}/${MASK}`;
}

function inline(value: Value): string {
  if (Array.isArray(value)) return `[${value.map((each) => inline(each)).join(', ')}]`;
  // In a flow list a comma or bracket would end the text, and behind a blank a # would begin a comment.
  const isPlain = typeof value !== 'string' || /^[\w./:@*=-]+$/.test(value);
  return isPlain ? stringify(value, { lineWidth: 0 }).trim() : JSON.stringify(value);
}
