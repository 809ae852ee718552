/** Secrets that go missing, and Secrets that are somebody else's. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Step } from '../step.ts';

const EVENT_COLUMNS = '-o=custom-columns=TYPE:.type,REASON:.reason,NOTE:.note';

/** The ledger keeps digests only, so a lost value is replaced, not restored. */
export const lostSecret: Step = {
  title: 'A deleted Secret is made anew',
  short: 'lost Secret repaired',
  async run(stage) {
    const { screen } = stage;
    const before = await stage.secret('hello');
    screen.say(
      'The ledger keeps digests, not values, so new values are made. The operator waits 2 seconds here (30 unless told otherwise) and looks twice, in case the whole namespace is going.',
    );
    await stage.kubectl(['delete', 'secret', 'hello']);
    await stage.untilField('hello', '.status.sequence', '2');
    await stage.show('hello');
    const after = await showSecret(stage, 'hello');
    expect('another Secret with another value', !after.isSame('apiKey', before), 'the same value');
    await stage.verify('the new value', after.value('apiKey'), 'accepted');
    await stage.verify('the lost value, in its overlap', before.value('apiKey'), 'accepted');
    const about = 'regarding.kind=ApiKey,regarding.name=hello';
    const events = ['get', 'events.events.k8s.io', `--field-selector=${about}`];
    await stage.kubectl([...events, '--sort-by=.eventTime', EVENT_COLUMNS]);
  },
};

/** Labels and owner references prove nothing: what is not ours by proof is left alone. */
export const foreignSecret: Step = {
  title: 'A Secret of somebody else is never touched',
  short: 'foreign Secret left alone',
  async run(stage) {
    const { screen } = stage;
    await stage.kubectl(['create', 'secret', 'generic', 'taken', '--from-literal=note=mine']);
    const version = '-o=jsonpath={.metadata.resourceVersion}';
    const before = await stage.ask(['get', 'secret', 'taken', version]);
    await stage.applyObject({
      apiVersion: 'keyward.dev/v1alpha1',
      kind: 'ApiKey',
      metadata: { name: 'taken' },
      spec: {},
    });
    await stage.untilReason('taken', 'SecretConflict');
    await stage.show('taken');
    await stage.showMessage('taken');
    const after = await stage.ask(['get', 'secret', 'taken', version]);
    expect('the Secret keeps its resourceVersion', after === before, `${before}, then ${after}`);
    screen.proof('the Secret was not touched');
    screen.say('The way out is in the message: another name.');
    await stage.patch('akey/taken', { spec: { secret: { name: 'taken-key' } } });
    await stage.untilReady('taken');
    const secret = await showSecret(stage, 'taken-key');
    await stage.verify('its value', secret.value('apiKey'), 'accepted');
  },
};
