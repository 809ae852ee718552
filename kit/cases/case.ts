/** The form in which the cases are written down. */
import type { Capabilities, RemoteHandle } from '../../src/stores/contract.ts';
import type { Site } from '../subject.ts';

/** A guarantee, and the stores that it is about; absent `when`: all. */
export type Case = {
  readonly title: string;
  readonly when?: (capabilities: Capabilities, handle: RemoteHandle) => boolean;
  readonly run: (site: Site) => Promise<void>;
};

/** Values can be read again later, for certain. */
export function isReadable({ class: kind }: Capabilities): boolean {
  return kind === 'M' || kind === 'D';
}

/** Credentials can be found by mark. */
export function isMarked({ class: kind }: Capabilities): boolean {
  return kind === 'M' || kind === 'O' || kind === 'I';
}
