/** Signed calls to the vendor: one attempt each, with its own time and signature. */
import { Sensitive } from '../../kernel/sensitive.ts';
import {
  StoreFailure,
  type Connection,
  type VendorRequest,
  type VendorResponse,
} from '../contract.ts';
import { absenceIn, errorCodeOf, failureOf, isSuccess } from './errors.ts';
import { signedHeaders } from './signature.ts';
import { garbled } from './wire.ts';

/** A call below the base path of the interface. */
type Call = {
  readonly method: VendorRequest['method'];
  /** Begins with `/`; every part of it is encoded already. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The only status that says that it was done; absent: any status of success. */
  readonly doneStatus?: number;
};

/** The ways to call. @throws StoreFailure */
export type Calls = {
  /** The body of an answer of success. */
  send(call: Call, signal: AbortSignal): Promise<string>;
  /**
   * The same for a call about one key; undefined: there is no such key. Where the answer leaves that
   * open, `exists` is asked.
   */
  sendAbout(
    call: Call,
    exists: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<string | undefined>;
};

/** What an access key and a secret key may consist of: anything that fits into a header. */
const PRINTABLE = /^[\x21-\x7e]{1,512}$/;

/** Calls with the credentials of one store. */
export function createCalls(connection: Connection, basePath: string): Calls {
  const attempt = (call: Call, signal: AbortSignal): Promise<VendorResponse> => {
    const { accessKey, secretKey } = pairOf(connection);
    const path = basePath + call.path;
    const { method } = call;
    const timestampMs = connection.clock.nowMs();
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      ...signedHeaders({ method, path, timestampMs, accessKey }, secretKey),
    };
    const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
    return connection.http.send({ method, path, headers, ...body }, signal);
  };
  const failed = (response: VendorResponse): StoreFailure =>
    failureOf(response, connection.clock.nowMs());
  return {
    async send(call, signal) {
      const response = await attempt(call, signal);
      if (!isSuccess(response)) throw failed(response);
      return bodyOf(response);
    },
    async sendAbout(call, exists, signal) {
      const response = await attempt(call, signal);
      if (isSuccess(response)) return bodyOf(response, call.doneStatus);
      const absence = absenceIn(response);
      if (absence === 'Certain') return undefined;
      if (absence === 'Doubt' && !(await exists())) return undefined;
      throw failed(response);
    },
  };
}

/** The credentials as sent; a line end at the end, as files have it, is not part of them. */
export function pairOf({ credentials }: Connection): {
  readonly accessKey: string;
  readonly secretKey: Sensitive;
} {
  const accessKey = credentials['accessKey']?.revealText().trim() ?? '';
  const secretKey = credentials['secretKey']?.revealText().trim() ?? '';
  if (!PRINTABLE.test(accessKey) || !PRINTABLE.test(secretKey)) {
    throw new StoreFailure('Denied', {
      message:
        'accessKey and secretKey in the credentials Secret must be printable texts without blanks',
    });
  }
  return { accessKey, secretKey: new Sensitive(secretKey) };
}

/** An error that comes with a status of success is no answer at all. */
function bodyOf({ status, body }: VendorResponse, doneStatus = status): string {
  if (errorCodeOf(body) !== undefined) throw garbled('an error with a status of success');
  if (status !== doneStatus) throw garbled('a status of success that this call does not have');
  return body;
}
