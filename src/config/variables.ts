/** Which KEYWARD_* variables are ours to judge, and which of those are none of our settings. Pure. */
import type { Environment } from './layers.ts';
import { didYouMean } from './nearest.ts';
import { invalid } from './problem.ts';
import { variableOf } from './setting.ts';
import { SETTINGS } from './settings.ts';

/**
 * What Kubernetes puts into every pod of a namespace with a Service called `keyward` or `keyward-…`. Such
 * names must not keep a server from starting.
 */
const SERVICE_LINK =
  /^KEYWARD(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
/** KEYWARD_METRICS_PORT may be either; only Kubernetes writes such a value there. */
const PORT_LINK = /^KEYWARD(_[A-Z0-9_]+)?_PORT$/;
const PORT_VALUE = /^(tcp|udp|sctp):\/\//;
/** Of our own tests and tools, which developers may have set while they start a server. */
const TOOLS = /^KEYWARD_(TEST_.*|CACHE|ENVOY|RACE_SEED|WALKS)$/;

/**
 * Refuses variables that look like settings and are none, because a setting with a typing error in its name
 * would hold for nobody. Settings of the other server are left alone: containers of a pod share variables.
 * @throws KeywardError Terminal InvalidConfiguration, naming all of them
 */
export function refuseUnknownVariables(environment: Environment): void {
  const known = [...new Set(Object.values(SETTINGS).flatMap((each) => each.map(variableOf)))];
  const unknown = Object.entries(environment)
    .filter(
      ([name, value]) =>
        name.startsWith('KEYWARD_') && !known.includes(name) && !isForeign(name, value),
    )
    .map(([name]) => name);
  if (unknown.length === 0) return;
  throw invalid(
    unknown.map((name) => `${name} is no setting${didYouMean(name, known)}`).join('; '),
  );
}

function isForeign(name: string, value = ''): boolean {
  if (TOOLS.test(name) || SERVICE_LINK.test(name)) return true;
  return PORT_LINK.test(name) && PORT_VALUE.test(value);
}
