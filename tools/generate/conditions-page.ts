/** Writes docs/conditions.md from the tables in src/api/conditions.ts. */
import {
  API_KEY_CONDITIONS,
  API_KEY_READY,
  EVENT_REASONS,
  KEY_STORE_CONDITIONS,
  KEY_STORE_READY,
} from '../../src/api/conditions.ts';
import {
  APPLICATION_CONDITIONS,
  APPLICATION_READY,
  CLIENT_CONDITIONS,
  CLIENT_READY,
  PRODUCT_CONDITIONS,
  PRODUCT_READY,
  REVIEW_CONDITIONS,
  REVIEW_READY,
} from '../../src/api/applicationconditions.ts';
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

/** The whole page, deterministic. */
export function conditionsPage(): string {
  return [
    INTRO,
    '## ApiKey\n',
    '`Ready`: the value in the Secret works now.\n',
    readyTable(API_KEY_READY),
    furtherTable(API_KEY_CONDITIONS),
    '## ApiKeyApplication\n',
    '`Ready`: what the form asks for is decided and in force. What was granted before stays in force while\n' +
      'something newer is in review or was refused; `Effective` says so.\n',
    readyTable(APPLICATION_READY),
    furtherTable(APPLICATION_CONDITIONS),
    '## ApiKeyReview\n',
    '`Ready`: the review counted.\n',
    readyTable(REVIEW_READY),
    furtherTable(REVIEW_CONDITIONS),
    '## ApiClient\n',
    '`Ready`: keys can be asked for on its behalf, and work.\n',
    readyTable(CLIENT_READY),
    furtherTable(CLIENT_CONDITIONS),
    '## ApiProduct\n',
    '`Ready`: it can be asked for.\n',
    readyTable(PRODUCT_READY),
    furtherTable(PRODUCT_CONDITIONS),
    '## KeyStore, ClusterKeyStore\n',
    '`Ready`: keys can be issued here now.\n',
    readyTable(KEY_STORE_READY),
    furtherTable(KEY_STORE_CONDITIONS),
    '## Events\n',
    'Reported once, when it happens. A key that is issued without an application reports none.\n',
    eventTable(),
  ].join('\n');
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
