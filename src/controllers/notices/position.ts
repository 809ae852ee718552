/** Up to which line of the audit chain the receiver was told, kept in the ledger. */
import type { CursorRecord } from '../../ledger/documents.ts';
import type { Clock } from '../../kernel/clock.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { Ledger } from '../../ledger/port.ts';

/** There is one webhook, so one position. */
const UID = 'webhook';

/** Where the worker stands. */
export interface Position {
  /** Undefined: nobody was ever told anything. */
  load(): Promise<number | undefined>;
  /** @throws KeywardError Conflict when another leader has moved it */
  save(line: number): Promise<void>;
}

/** The position as a document of the ledger. */
export function ledgerPosition(deps: {
  readonly ledger: Pick<Ledger, 'loadDocument' | 'commitDocuments'>;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly epoch: () => number;
}): Position {
  const { ledger, clock, clusterId, epoch } = deps;
  return {
    load: async () => (await ledger.loadDocument('Cursor', UID))?.position,
    async save(position) {
      const stored = await ledger.loadDocument('Cursor', UID);
      const expectedRevision = stored?.revision ?? 0;
      const document: CursorRecord = {
        clusterId,
        uid: UID,
        namespace: '',
        name: UID,
        revision: expectedRevision,
        phase: 'Live',
        position,
      };
      const { type } = await ledger.commitDocuments({
        changes: [{ kind: 'Cursor', document, expectedRevision }],
        epoch: epoch(),
        audit: {
          action: 'NoticeHandled',
          actor: 'operator',
          atMs: clock.nowMs(),
          facts: { line: position },
        },
      });
      if (type === 'Committed') return;
      throw new KeywardError('Conflict', {
        reason: type,
        message: 'the position of the webhook was moved by somebody else',
      });
    },
  };
}
