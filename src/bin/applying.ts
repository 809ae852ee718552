/** Composition of `keyward apply-for`. */
import { API_KEY_APPLICATIONS } from '../api/names.ts';
import { applicationDraft, filedBy, type ApplicationFlags } from '../cli/application.ts';
import { EXIT } from '../cli/exit.ts';
import type { Form } from '../cli/objects.ts';
import { outcomeOfForm } from '../cli/outcome.ts';
import type { Flags } from '../config/layers.ts';
import { KeywardError } from '../kernel/errors.ts';
import { printValue, reportWrite } from './printing.ts';
import { withSession } from './session.ts';
import { waitFor, waitSeconds } from './waiting.ts';

/** `keyward apply-for NAME` */
export async function runApplyFor(flags: Flags, name: string): Promise<void> {
  const seconds = waitSeconds(flags);
  await withSession(flags, async (session) => {
    const { client, namespace, output } = session;
    const ref = { namespace, name };
    // Parser: commander made these flags as they were declared; each is looked at where it is used.
    const draft = applicationDraft(ref, flags as ApplicationFlags);
    if (flags['export'] === true) {
      await printValue(draft, 'yaml');
      output.note('whoever applies this file is recorded as its applicant\n');
      return;
    }
    // As the mutating policy would do it, so that it works where there is none.
    const { username } = await client.whoami();
    const made = await client
      .create(API_KEY_APPLICATIONS, filedBy(draft, username), session.writing)
      .catch((error: unknown) => {
        throw alreadyThere(error, name);
      });
    await reportWrite(session, API_KEY_APPLICATIONS, made, 'created');
    if (seconds === undefined || session.writing === 'Only check') {
      output.note(`next: keyward status ${name} -n ${namespace}\n`);
      return;
    }
    const watched = { resource: API_KEY_APPLICATIONS, ref, outcomeOf: outcomeOfForm };
    const { code } = await waitFor<Form>(session, watched, seconds);
    process.exitCode = code;
    if (code === EXIT.done) output.note(`next: keyward status ${name} -n ${namespace}\n`);
  });
}

function alreadyThere(error: unknown, name: string): unknown {
  if (!(error instanceof KeywardError) || error.reason !== 'AlreadyExists') return error;
  return new KeywardError('Conflict', {
    reason: 'AlreadyExists',
    message: `application ${name} exists already; ask for a change by editing it: kubectl edit akapp ${name}`,
  });
}
