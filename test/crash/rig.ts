/** What all plans of a run share, and what one of them is made for. */
import type { Postgres } from '../../control-plane/postgres.ts';
import type { Watchdog } from '../../control-plane/watchdog.ts';
import type { Chain } from '../../src/controllers/identity/chain.ts';
import type { TestApi } from '../support/operator.api.ts';
import type { Strike } from './plans.ts';
import type { Scenario } from './scenario.ts';
import type { Side } from './sides.ts';

/** See the file comment. */
export type Rig = {
  readonly api: TestApi;
  readonly server: URL;
  readonly ca: string;
  readonly token: string;
  /** Name of the operator's service account in keyward-system. */
  readonly account: string;
  /** Folder for databases and logs. */
  readonly folder: string;
  /** The operator's programs, each a bundle: the product's, and one that knows the test driver too. */
  readonly program: string;
  readonly testProgram: string;
  readonly masterKeyFile: string;
  /** Absent: PostgreSQL cannot run here. */
  readonly postgres: Postgres | undefined;
  /** Ends the operators when the run itself is ended. */
  readonly watchdog: Pick<Watchdog, 'watch' | 'forget'>;
  /** Since when the admission policies are proven; operators go on from there. */
  readonly proof: Chain;
};

/** What a site is made for. */
export type SiteWish = {
  readonly name: string;
  readonly side: Side;
  readonly scenario: Scenario;
  readonly strikes: readonly Strike[];
};

/** A kubeconfig for the operator, through the proxy of its plan. */
export function kubeconfig(url: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'crash',
    clusters: [{ name: 'crash', cluster: { server: url } }],
    users: [{ name: 'crash', user: { token } }],
    contexts: [{ name: 'crash', context: { cluster: 'crash', user: 'crash' } }],
  });
}
