/** What the status of a client says. Pure. */
import {
  clientCondition,
  clientReady,
  type ClientReadyReason,
} from '../../api/applicationconditions.ts';
import { mergeConditions, type WantedCondition } from '../../api/reasons.ts';
import type { ApiClientStatus } from '../../api/generated/apiclient.ts';
import type { ClientRecord } from '../../ledger/documents.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import type { ClientView, World } from './world.ts';

/** The status as it should be; undefined where there is no object to show it on. */
export function wantedStatus(
  world: World,
  failure: KeywardError | undefined,
): ApiClientStatus | undefined {
  const { client, nowMs } = world;
  if (client === undefined || client.isDeleting) return undefined;
  const { generation, status } = client;
  const keys = world.keys ?? status?.keys;
  return {
    observedGeneration: generation,
    conditions: mergeConditions(status?.conditions ?? [], conditionsOf(world, client, failure), {
      nowMs,
      generation,
    }),
    ...(keys === undefined ? {} : { keys }),
  };
}

function conditionsOf(
  { record, registrars }: World,
  client: ClientView,
  failure: KeywardError | undefined,
): readonly WantedCondition[] {
  if (record === undefined) return clientReady('Pending', failure?.message ?? 'not looked at yet');
  return [...ready(record, client, registrars), registered(record, registrars)];
}

function ready(
  record: ClientRecord,
  { spec }: ClientView,
  registrars: readonly string[],
): readonly WantedCondition[] {
  const say = (reason: ClientReadyReason, message: string) => clientReady(reason, message);
  if (record.phase === 'Ended') {
    return say('Revoked', 'the client was ended; register another one under another name');
  }
  const { held } = record;
  if (held !== undefined) {
    const by = `reviewer ${JSON.stringify(held.reviewer)}`;
    const said = held.message === '' ? '' : `: ${held.message}`;
    return say(held.state, `${held.state} by ${by}${said}`);
  }
  if (spec.state === 'Suspended') return say('Suspended', 'spec.state is Suspended');
  if (record.registeredBy === undefined && registrars.length > 0) {
    return say(
      'PendingReview',
      `a reviewer has to accept the registration, asked for by ${registrars.join(', ')}`,
    );
  }
  return say('Active', 'keys can be asked for on its behalf');
}

function registered(record: ClientRecord, registrars: readonly string[]): WantedCondition {
  if (record.phase === 'Ended' || record.held?.state === 'Revoked') {
    return clientCondition('Registered', 'Revoked', 'the registration was ended for good');
  }
  if (record.registeredBy !== undefined) {
    return clientCondition('Registered', 'Registered', 'a reviewer accepted the registration');
  }
  return registrars.length === 0
    ? clientCondition('Registered', 'NotRequired', 'no store here asks for a review of clients')
    : clientCondition('Registered', 'PendingReview', `asked for by ${registrars.join(', ')}`);
}
