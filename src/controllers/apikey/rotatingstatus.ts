/** What status says about the change of values. Pure. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import { apiKeyCondition } from '../../api/conditions.ts';
import type { WantedCondition } from '../../api/reasons.ts';
import { formatTime } from '../../kernel/time.ts';
import type { CredentialRecord, KeyRecord } from '../../ledger/record.ts';
import { currentCredential } from '../../ledger/transitions.ts';
import { inPlaceAnnouncement } from './rotating.ts';
import { previousReason, previousText } from './unused.ts';
import type { World } from './world.ts';

/** Until when values before those in use work, and whose they are. */
export function previousFacts(
  record: KeyRecord,
  current: CredentialRecord | undefined,
): ApiKeyStatus {
  const previous = record.credentials.findLast(
    (credential) => credential !== current && credential.retireAtMs !== undefined,
  );
  const retireAtMs = previous?.retireAtMs ?? standbyRetireMs(current);
  const keyId = previous?.keyId ?? current?.keyId;
  if (retireAtMs === undefined || keyId === undefined) return {};
  return { previous: { keyId, retireTime: formatTime(retireAtMs) } };
}

function standbyRetireMs(current: CredentialRecord | undefined): number | undefined {
  return current?.slots.find((slot) => slot.retireAtMs !== undefined)?.retireAtMs;
}

/** The condition Rotating: what is under way, announced or refused; empty: none of these. */
export function rotatingCondition(world: World): readonly WantedCondition[] {
  const { record, rotationRequest } = world;
  if (rotationRequest !== undefined && record?.state === 'Revoked') {
    const message = `rotation '${rotationRequest}' is refused: the key is revoked`;
    return [apiKeyCondition('Rotating', 'RotationRefused', message)];
  }
  if (record === undefined) return [];
  const announcement = inPlaceAnnouncement(world);
  if (announcement !== undefined) {
    return [apiKeyCondition('Rotating', 'InPlaceAnnounced', announcement)];
  }
  const { previous } = previousFacts(record, currentCredential(record, world.nowMs));
  if (previous?.retireTime === undefined) return reservedCondition(world, record);
  const message = previousText(world, previous.retireTime);
  return [apiKeyCondition('Rotating', previousReason(world), message)];
}

/** One that was handled before such ids were reserved has nothing to be told any more. */
function reservedCondition(
  { key }: World,
  { lastRotationRequestId }: KeyRecord,
): readonly WantedCondition[] {
  const requestId = key?.reservedRequestId;
  if (requestId === undefined || requestId === lastRotationRequestId) return [];
  const message = `rotation '${requestId}' is refused: ids that begin so are those of approved reissues; choose another id`;
  return [apiKeyCondition('Rotating', 'RotationRefused', message)];
}
