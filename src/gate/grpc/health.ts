/** Pure; `grpc.health.v1.Health/Check`, by which Envoy and kubelet ask whether the gate can answer. */
import { frame } from './framing.ts';
import { FAILURES, type Failure } from './statuses.ts';
import { delimited, type WireReader } from './wirereader.ts';
import { numberField } from './wirewriter.ts';

/** The service whose health is told; the empty name means all that the port offers. */
export const AUTHORIZATION_SERVICE = 'envoy.service.auth.v3.Authorization';

const SERVICE = delimited(1);
const STATUS = 1;
const SERVING = frame(numberField(STATUS, 1));
const NOT_SERVING = frame(numberField(STATUS, 2));

/** The answer in its frame, or why there is none. */
export function answerHealth(
  wire: WireReader,
  message: Buffer,
  failing: string | undefined,
): Buffer | Failure {
  let service = '';
  wire.open(message);
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    if (tag === SERVICE) service = wire.text();
    else wire.skip(tag);
  }
  const isWhole = !wire.isBroken;
  wire.close();
  if (!isWhole) return FAILURES.BadMessage;
  if (service !== '' && service !== AUTHORIZATION_SERVICE) return FAILURES.UnknownService;
  return failing === undefined ? SERVING : NOT_SERVING;
}
