/**
 * SOLAPI's own client for Node.js, as a program, because its zone comes from TZ and its host is a constant:
 *
 *     node test/support/solapi.client.ts URL API_KEY API_SECRET
 *
 * asks for the balance at URL instead, and prints what it makes of the answer as one line of JSON.
 */
import { argv } from 'node:process';

/** What the client made of the answers, and their statuses in order. */
export type ClientOutcome = ClientVerdict & { readonly answered: readonly number[] };

/** Resolved: also the content was as the vendor's. */
type ClientVerdict =
  | { readonly type: 'Resolved'; readonly value: unknown }
  | {
      readonly type: 'Rejected';
      readonly name: string;
      readonly status: unknown;
      readonly code: unknown;
    };

type Service = { getBalance(): Promise<unknown> };
type Client = { SolapiMessageService: new (apiKey: string, apiSecret: string) => Service };

/** Not a literal, so that nothing else of the project needs the package in order to be checked. */
const PACKAGE: string = 'solapi';

const [, , url = '', apiKey = '', apiSecret = ''] = argv;
const ownFetch = globalThis.fetch;
const answered: number[] = [];
globalThis.fetch = async (input, init) => {
  const wanted = new URL(input instanceof Request ? input.url : input);
  const answer = await ownFetch(new URL(wanted.pathname + wanted.search, url), init);
  answered.push(answer.status);
  return answer;
};
// The package's own types say so; see its README.
const { SolapiMessageService } = (await import(PACKAGE)) as Client;
const verdict = await ask(new SolapiMessageService(apiKey, apiSecret));
console.log(JSON.stringify({ ...verdict, answered } satisfies ClientOutcome));

async function ask(service: Service): Promise<ClientVerdict> {
  try {
    return { type: 'Resolved', value: await service.getBalance() };
  } catch (thrown) {
    const { name, httpStatus, errorCode } = thrown as Record<string, unknown>;
    return { type: 'Rejected', name: String(name), status: httpStatus, code: errorCode };
  }
}
