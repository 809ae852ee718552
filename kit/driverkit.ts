/**
 * The conformance kit: what every driver of a remote store must do, as cases that any test framework
 * can run. Exported from the package as `keyward/driver-kit`; docs/drivers.md shows how it is used.
 */
import { contentCases } from './cases/content.ts';
import type { Case } from './cases/case.ts';
import { failureCases } from './cases/failures.ts';
import { lifecycleCases } from './cases/lifecycle.ts';
import { listCases } from './cases/lists.ts';
import { lostAnswerCases } from './cases/lost.ts';
import { subscriptionCases } from './cases/subscriptions.ts';
import { onSite, openHandle } from './site.ts';
import type { DriverCase, Subject } from './subject.ts';

const ALL: readonly Case[] = [
  ...lifecycleCases,
  ...lostAnswerCases,
  ...listCases,
  ...failureCases,
  ...contentCases,
  ...subscriptionCases,
];

/** Opened only to ask what the driver can do; nothing listens there. */
const NOWHERE = 'http://127.0.0.1:1';

/**
 * The cases that this driver must pass, by the class and the capabilities that it declares. Each
 * starts a fake of its own, so they may run in any order and at once.
 */
export function driverCases(subject: Subject): readonly DriverCase[] {
  const handle = openHandle(subject, NOWHERE);
  return ALL.filter(({ when }) => when?.(handle.capabilities, handle) ?? true).map(
    ({ title, run }) => ({ title, run: () => onSite(subject, run) }),
  );
}
