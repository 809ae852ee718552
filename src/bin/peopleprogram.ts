/** The part of the command line with which people apply, decide and look. Actions load their code when they run. */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { collect, connecting, listing, writing } from './peopleflags.ts';

/** Adds the commands that act on a cluster as whoever calls them. */
export function addPeople(root: Command): void {
  root.commandsGroup('Apply and use:');
  addApplyFor(root);
  addSwitches(root);
  root.commandsGroup('Decide:');
  addDecisions(root);
  root.commandsGroup('Look:');
  addLooking(root);
}

function addApplyFor(root: Command): void {
  writing(root.command('apply-for <name>'))
    .description('apply for a key: makes an ApiKeyApplication')
    .option('--draft', 'save it; nobody reviews it before it is submitted')
    .option('--export', 'print the form as YAML instead of sending it')
    .option('--client <name>', 'ApiClient on whose behalf')
    .option('--store <name>', 'ClusterKeyStore NAME, or KeyStore/NAME (default)')
    .option('--format <format>', 'Opaque, Dual or KeyPair')
    .option('--key <name>', 'the ApiKey it is for (NAME)')
    .option('--display-name <text>', 'name of the key: application and usage')
    .option('--description <text>', 'what the key is for')
    .option('--service-name <text>', 'the service that will use it')
    .option('--service-description <text>', 'what that service is')
    .option('--service-url <url>', 'where it is found')
    .option('--purpose <text>', 'what the API will be used for')
    .option('--justification <text>', 'why the key is applied for')
    .option('--contact-name <text>', 'whom to ask')
    .option('--contact-email <address>', 'where to write to')
    .option('--contact-url <url>', 'where to look')
    .option('--contact-channel <text>', 'for example a chat channel')
    .option('--product <name>', 'ApiProduct; repeatable, or with commas', collect)
    .option('--origin <site>', 'site it may be used from; repeatable', collect)
    .option('--cidr <network>', 'network it may be used from; repeatable', collect)
    .option('--quota <n[/Day|/Month]>', 'how often it may be used; -1 unlimited')
    .option('--from <date|instant>', 'first day, or first instant')
    .option('--until <date|instant>', 'last day, or the instant of the end')
    .option('--for <days>', 'days from the first issue, such as 90d')
    .option('--time-zone <zone>', 'of the dates, such as Asia/Seoul')
    .option('--secret <name>', 'name of the Secret')
    .option('--on-behalf-of <user>', 'for attestors: the person who applies')
    .action(async (name: string, flags: Flags) => {
      const { runApplyFor } = await import('./applying.ts');
      await runApplyFor(flags, name);
    });
}

function addSwitches(root: Command): void {
  writing(root.command('rotate <name>'))
    .description('ask for new values of a key')
    .option('--emergency', 'the old values die first')
    .option('--slot <Primary|Secondary>', 'format Dual: exactly this value')
    .option('--overlap-seconds <n>', 'how long old values go on')
    .option('--request-id <id>', 'a value that asks once (a new one)')
    .option(
      '--reason <reason>',
      'of a key with a form: Exposed, SecurityConcern, Routine (Routine)',
    )
    .option('--message <text>', 'of a key with a form: what happened')
    .action(async (name: string, flags: Flags) => {
      const { runRotate } = await import('./switching.ts');
      await runRotate(flags, name);
    });
  const verbs = [
    ['suspend', 'switch a key or client off', 'Suspended'],
    ['resume', 'switch a key or client on again', 'Resumed'],
    ['revoke', 'end a key for good', 'Revoked'],
  ] as const;
  for (const [verb, description, wanted] of verbs) {
    writing(root.command(`${verb} <name...>`))
      .description(`${description}; NAME, key/NAME or client/NAME`)
      .option('--review', 'as a reviewer: no edit of the spec can undo it')
      .option('--layer <name>', 'with --review: for which layer')
      .option('--reason <reason>', 'with --review: reason (Other)')
      .option('--message <text>', 'with --review: why')
      .action(async (names: readonly string[], flags: Flags) => {
        const { runSwitch } = await import('./switching.ts');
        await runSwitch(flags, names, wanted);
      });
  }
}

function addDecisions(root: Command): void {
  listing(root.command('inbox'))
    .description('applications that wait for a decision, the oldest first')
    .option('--limit <n>', 'how many are shown (50); 0: all')
    .action(async (flags: Flags) => {
      const { runInbox } = await import('./inbox.ts');
      await runInbox(flags);
    });
  connecting(root.command('review <name>'))
    .description('show an application as its reviewer reads it')
    .action(async (name: string, flags: Flags) => {
      const { runReview } = await import('./looking.ts');
      await runReview(flags, name);
    });
  deciding(root, 'approve <name...>', 'Approved')
    .description('approve what an application asks for; client/NAME accepts a registration')
    .option('--narrow <key=value>', 'leave less than was asked for; repeatable', collect)
    .option('--hash <hash>', 'only if this is still what is asked for');
  deciding(root, 'deny <name...>', 'Denied')
    .description('refuse what an application asks for')
    .option('--hash <hash>', 'only if this is still what is asked for');
  deciding(root, 'return <name...>', 'Returned')
    .description('ask the applicant for a correction')
    .option('--hash <hash>', 'only if this is still what is asked for');
  deciding(root, 'withdraw-grant <name...>', 'Revoked').description(
    'end what was granted, at once and for good',
  );
}

function deciding(
  root: Command,
  usage: string,
  decision: 'Approved' | 'Denied' | 'Returned' | 'Revoked',
): Command {
  return writing(root.command(usage))
    .option('--layer <name>', 'for which layer of reviewers (the one that is awaited)')
    .option('--reason <reason>', 'InsufficientInformation, PurposeMismatch, Security or Other')
    .option('--message <text>', 'for the applicant')
    .option('--export', 'print the decision as YAML for Git instead of sending it')
    .option('--attested-by <user>', 'with --export: the account that will apply the file')
    .action(async (names: readonly string[], flags: Flags) => {
      const { runDecision } = await import('./deciding.ts');
      await runDecision(flags, names, decision);
    });
}

function addLooking(root: Command): void {
  connecting(root.command('status <name>'))
    .description('an application or key with all that belongs to it, and what to do next')
    .option('--database <url>', 'where to read how the key was used, for who may')
    .action(async (name: string, flags: Flags) => {
      const { runStatus } = await import('./looking.ts');
      await runStatus(flags, name);
    });
  connecting(root.command('products [keyword]'))
    .description('APIs that can be asked for, all or by keyword')
    .action(async (keyword: string | undefined, flags: Flags) => {
      const { runProducts } = await import('./lists.ts');
      await runProducts(flags, keyword);
    });
  listing(root.command('clients [keyword]'))
    .description('clients on whose behalf keys are asked for, all or by keyword')
    .action(async (keyword: string | undefined, flags: Flags) => {
      const { runClients } = await import('./lists.ts');
      await runClients(flags, keyword);
    });
  root
    .command('explain [reason]')
    .description('what a reason in a status or an event means; asks no server')
    .option('-o, --output <form>', 'table, json, yaml or name (table)')
    .action(async (reason: string | undefined, flags: Flags) => {
      const { runExplain } = await import('./explaining.ts');
      await runExplain(flags, reason);
    });
}
