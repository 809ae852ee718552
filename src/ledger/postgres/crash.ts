/** Ends the process around a commit of one's choice. Tests only. */
import type { AuditedRequest, CrashPoint } from '../requests.ts';
import type { Decision } from './batch.ts';

/** Counts commits until the chosen one. */
export class Crash {
  readonly #point: CrashPoint | undefined;
  #count = 0;

  constructor(point: CrashPoint | undefined) {
    this.#point = point;
  }

  /** True when the chosen commit is among those that are about to be committed. */
  counts(commits: readonly AuditedRequest[], answers: Decision['answers']): boolean {
    const point = this.#point;
    if (point === undefined) return false;
    const before = this.#count;
    this.#count += commits.filter(({ action }, index) => {
      const answer = answers[index];
      const isCommitted = answer !== undefined && 'type' in answer && answer.type === 'Committed';
      return isCommitted && (point.action === undefined || point.action === action);
    }).length;
    return before < point.nth && this.#count >= point.nth;
  }

  /** What a power cut does to a process. */
  strike(position: CrashPoint['position']): void {
    if (this.#point?.position === position) process.kill(process.pid, 'SIGKILL');
  }
}
