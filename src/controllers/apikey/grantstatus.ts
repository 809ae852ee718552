/** What status says about the form and the client of a key. Pure. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { Finding } from './finding.ts';
import { imposed } from './standing.ts';
import { wantedState } from './wanted.ts';
import type { ApiKeyView, World } from './world.ts';

/** The client that the key stays with, whatever its spec says by now. */
export function clientFacts({ client, record }: World, key: ApiKeyView): ApiKeyStatus {
  const bound = record?.clientUid === undefined ? undefined : client?.client?.name;
  const clientName = bound ?? key.spec.clientRef?.name;
  return clientName === undefined ? {} : { clientName };
}

/** The grant that the values and terms of the key follow. */
export function grantFacts({ application }: World, { grant: bound }: KeyRecord): ApiKeyStatus {
  const { name: applicationName, grant } = application ?? {};
  if (bound === undefined || applicationName === undefined) return {};
  const hash = grant?.round === bound.round ? { hash: grant.hash } : {};
  return { grant: { applicationName, round: bound.round, ...hash } };
}

/** Revoked by whomever, or switched off by others than the key's own spec. */
export function offByDecision(world: World, key: ApiKeyView): Finding | undefined {
  const by = imposed(world);
  if (wantedState(world, key) !== 'Revoked') return by;
  return by?.state === 'Revoked'
    ? by
    : { reason: 'Revoked', message: 'the key was revoked; this is final' };
}

/** What is being reviewed while the key goes on as it is. */
export function pendingChange({ application }: World): Finding | undefined {
  const round = application?.form?.round;
  if (application === undefined || round?.state !== 'Pending') return undefined;
  const what = `round ${round.number} (${round.type}) of application '${application.name}'`;
  const message = `${what} waits for a reviewer; until then the key goes on as it was granted`;
  return { reason: 'ChangePending', message };
}

/** What follows when the Secret is lost; `otherwise` where the key's own spec decides. */
export function afterLoss({ application }: World, otherwise: string): string {
  return application?.reissues === 'Reviewed' && application.grant !== undefined
    ? `ask for new values in application '${application.name}' with spec.reissue`
    : otherwise;
}
