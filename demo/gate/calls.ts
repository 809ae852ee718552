/** Calls of the API through a gateway, as command lines that can be pasted. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Sensitive } from '../../src/kernel/sensitive.ts';
import { expect } from '../expect.ts';
import type { Stage } from '../stage.ts';
import type { Chain } from './chain.ts';

const run = promisify(execFile);

export const SITE = 'https://www.myservice.com';
const TODAY = '/forecast/today';

/** A gateway's name. */
export type Gateway = keyof Chain['addresses'];

/** A call as a step wants it. */
export type Call = {
  readonly gateway: Gateway;
  /** Absent: none is shown. */
  readonly key?: Sensitive;
  readonly origin?: string;
  readonly path?: string;
  /** More header lines. */
  readonly headers?: readonly string[];
};

/** What came back. */
export type Answer = { readonly status: number; readonly reason: string; readonly body: string };

/** Makes a call and says nothing about it. */
export async function call(chain: Chain, outgoing: Call): Promise<Answer> {
  const args = ['-sS', '-i', ...curlArgs(chain, outgoing)];
  const key = outgoing.key?.revealText() ?? '';
  const { stdout } = await run(
    'curl',
    args.map((text) => text.replace('$KEY', key)),
  );
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(stdout)?.[1] ?? 0),
    reason: /^x-keyward-reason: (\S+)/im.exec(stdout)?.[1] ?? '',
    body: stdout.slice(stdout.indexOf('\r\n\r\n') + 4).trim(),
  };
}

/**
 * Makes a call, shows it with its answer, and holds it against what was expected: a status, and one of
 * the reasons of a refusal.
 */
export async function showCall(
  stage: Stage,
  chain: Chain,
  outgoing: Call,
  expected: readonly [status: number, ...reasons: readonly string[]],
): Promise<Answer> {
  stage.screen.command(`curl -i ${quoted(curlArgs(chain, outgoing))}`, outgoing.gateway);
  const answer = await call(chain, outgoing);
  const words = inWords(answer);
  stage.screen.block(answer.status === 200 ? `${words}\n${answer.body}` : words);
  const [status, ...reasons] = expected;
  const isReason = reasons.length === 0 ? answer.reason === '' : reasons.includes(answer.reason);
  const wanted = `${status} ${reasons.join(' or ')}`.trim();
  expect(wanted, answer.status === status && isReason, `${words}\n${answer.body}`);
  return answer;
}

/** `403 OriginNotAllowed` */
export function inWords({ status, reason }: Answer): string {
  return `${status} ${reason}`.trim();
}

/** For the end of a run that goes on. */
export function curlLines(chain: Chain, kubectlPath: string): readonly string[] {
  const secret = `${kubectlPath} get secret weekend-trip -o jsonpath='{.data.apiKey}'`;
  return [
    `KEY=$(${secret} | base64 -d)`,
    ...(['nginx', 'Envoy'] as const).map(
      (gateway) => `curl -i ${quoted(curlArgs(chain, { gateway, origin: SITE, key: 'shown' }))}`,
    ),
  ];
}

function curlArgs(
  chain: Chain,
  { gateway, key, origin, path = TODAY, headers = [] }: Omit<Call, 'key'> & { key?: unknown },
): readonly string[] {
  // Without blanks, so that a line that is broken on the screen can still be pasted.
  const lines = [
    ...(key === undefined ? [] : ['X-API-Key:$KEY']),
    ...(origin === undefined ? [] : [`Origin:${origin}`]),
    ...headers,
  ];
  return [`${chain.addresses[gateway]}${path}`, ...lines.flatMap((line) => ['-H', line])];
}

function quoted(args: readonly string[]): string {
  return args.map((text) => (/[\s$]/.test(text) ? `"${text}"` : text)).join(' ');
}
