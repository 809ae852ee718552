/** Flags that several commands have in common, and those that follow from the settings of servers. */
import { Option, type Command } from 'commander';
import { flagOf, type Setting, type SettingType } from '../config/setting.ts';
import { OPERATOR_SETTINGS } from '../config/settings.ts';

/** What `--database` takes. */
export const DATABASE = 'sqlite:///path/to/keyward.db or postgres://user@host/database';

/** Which database: said here, or where the operator reads it. */
export function withDatabase(command: Command): Command {
  return command
    .option('--database <url>', DATABASE)
    .option('--config <file>', "the operator's file, for what is not said otherwise");
}

/** A flag for each setting of a server. */
export function withSettings(command: Command, settings: readonly Setting[]): Command {
  for (const setting of settings) command.addOption(optionOf(setting));
  return command;
}

/** `--endpoint-hosts`, repeatable. */
export function hosts(): Option {
  return operatorOption('endpointHosts');
}

/** `--vendor-ca-file`. */
export function vendorCa(): Option {
  return operatorOption('vendorCaFile');
}

function operatorOption(name: string): Option {
  const setting = OPERATOR_SETTINGS.find((candidate) => candidate.name === name);
  if (setting === undefined) throw new TypeError(`the operator has no setting '${name}'`);
  return optionOf(setting);
}

function optionOf(setting: Setting): Option {
  const { type, meaning, without } = setting;
  const standard = setting.default === false ? without : (setting.default ?? without);
  const values = valuesText(type);
  const behind = standard === undefined ? '' : ` (${String(standard)})`;
  const option = new Option(`--${flagOf(setting)}${formOf(type)}`, `${meaning}${values}${behind}`);
  if (type.kind === 'List' && type.flag === 'Repeatable') option.argParser(joined);
  return setting.visibility === 'Hidden' ? option.hideHelp() : option;
}

/** What the form of the flag does not show yet. */
function valuesText(type: SettingType): string {
  if (type.kind === 'List' && type.flag === 'Once') return ', comma-separated';
  return type.kind === 'Choice' && type.choices.length > 3 ? `: ${type.choices.join(', ')}` : '';
}

function joined(more: string, before: string | undefined): string {
  return before === undefined ? more : `${before},${more}`;
}

function formOf(type: SettingType): string {
  switch (type.kind) {
    case 'Text':
    case 'List':
      return ` ${type.form}`;
    case 'Choice':
      return type.choices.length > 3 ? ' <level>' : ` <${type.choices.join('|')}>`;
    case 'Number':
      return ' <n>';
    case 'Truth':
      return type.flag === 'Bare' ? '' : ' <true|false>';
  }
}

/** `--secret` and `--entry`: where key material goes in place of a file. */
export function inSecret(command: Command, entry: string): Command {
  return command
    .option('--secret <name>', 'a Secret in place of a file')
    .option('--entry <name>', `its entry (${entry})`);
}
