/** Writes docs/conditions.md from the tables in src/api/conditions.ts. */
import { EVENT_REASONS } from '../../src/api/conditions.ts';
import { CONDITION_TABLES } from '../../src/api/conditiontables.ts';
import type { ReadyFact, ReasonFact } from '../../src/api/reasons.ts';

const INTRO = `# Conditions and events

<!-- Written by \`npm run generate\` from src/api/conditions.ts and src/api/applicationconditions.ts;
edit those. -->

\`Ready\` is always present. Of keys, stores and products every other condition is present only while it
has something out of the ordinary to say, so its absence means that all is well there; forms, reviews and
clients always show how far they are. Each condition carries the generation of the object it was worked
out from; \`lastTransitionTime\` moves only when the status flips.

\`kstatus\` is what Flux, Argo CD and \`kubectl wait\` make of it: *Current* is done, *InProgress* waits
for something other than an edit, *Failed* stays like this until a person acts (then \`Stalled\` stands
beside \`Ready\`, with the same reason).

All conditions are written by the operator alone; an admission policy refuses everybody else.
`;

type Kind = keyof typeof CONDITION_TABLES;

/** What Ready=True means, in the order of the page. */
const READY_MEANS: readonly (readonly [Kind, string])[] = [
  ['ApiKey', 'the value in the Secret works now.'],
  [
    'ApiKeyApplication',
    'what the form asks for is decided and in force. What was granted before stays in force while\n' +
      'something newer is in review or was refused; `Effective` says so.',
  ],
  ['ApiKeyReview', 'the review counted.'],
  ['ApiClient', 'keys can be asked for on its behalf, and work.'],
  ['ApiProduct', 'it can be asked for.'],
  ['KeyStore', 'keys can be issued here now.'],
];

/** The whole page, deterministic. */
export function conditionsPage(): string {
  return [
    INTRO,
    ...READY_MEANS.flatMap(([kind, means]) => section(kind, means)),
    '## Events\n',
    'Reported once, when it happens. A key that is issued without an application reports none.\n',
    eventTable(),
  ].join('\n');
}

function section(kind: Kind, means: string): readonly string[] {
  const { ready, further } = CONDITION_TABLES[kind];
  return [
    `## ${kind}${kind === 'KeyStore' ? ', ClusterKeyStore' : ''}\n`,
    `\`Ready\`: ${means}\n`,
    readyTable(ready),
    furtherTable(further),
  ];
}

function readyTable(facts: Readonly<Record<string, ReadyFact>>): string {
  const rows = Object.entries(facts).map(
    ([reason, fact]) =>
      `| \`${reason}\` | ${fact.status} | ${fact.kstatus} | ${fact.companion === 'None' ? '' : `\`${fact.companion}\``} | ${fact.sentence} |`,
  );
  return table(['Ready reason', 'status', 'kstatus', 'beside it', 'says'], rows);
}

function furtherTable(
  types: Readonly<Record<string, Readonly<Record<string, ReasonFact>>>>,
): string {
  const rows = Object.entries(types).flatMap(([type, reasons]) =>
    type === 'Stalled'
      ? ['| `Stalled` | the reason of Ready | True | Nothing changes until a person acts. |']
      : Object.entries(reasons).map(
          ([reason, fact]) => `| \`${type}\` | \`${reason}\` | ${fact.status} | ${fact.sentence} |`,
        ),
  );
  return table(['condition', 'reason', 'status', 'says'], rows);
}

function eventTable(): string {
  const rows = Object.entries(EVENT_REASONS).map(
    ([reason, fact]) => `| \`${reason}\` | ${fact.type} | ${fact.sentence} |`,
  );
  return table(['event', 'type', 'says'], rows);
}

function table(titles: readonly string[], rows: readonly string[]): string {
  return `| ${titles.join(' | ')} |\n|${' --- |'.repeat(titles.length)}\n${rows.join('\n')}\n`;
}
