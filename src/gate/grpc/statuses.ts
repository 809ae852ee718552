/** Pure; how gRPC says what came of a call, apart from what the answer itself says. */

/** Numbers of gRPC statuses that are used here; fixed by gRPC. */
export const GRPC_STATUS = {
  Ok: 0,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

/** A call that came to nothing. Envoy takes it for an error of the gate, and so for a no. */
export type Failure = {
  readonly type: 'Failure';
  readonly status: number;
  /** CamelCase; a label of metrics. */
  readonly reason: string;
  /** Visible ASCII without percent signs: it goes into a header as it is. */
  readonly message: string;
};

/** All failures there are; nothing is allocated for one. */
export const FAILURES = {
  UnknownMethod: failure('UnknownMethod', GRPC_STATUS.Unimplemented, 'there is no such method'),
  Compressed: failure(
    'Compressed',
    GRPC_STATUS.Unimplemented,
    'compressed messages are not understood',
  ),
  NotOneMessage: failure(
    'NotOneMessage',
    GRPC_STATUS.InvalidArgument,
    'the call does not carry exactly one message',
  ),
  BadFrame: failure(
    'BadFrame',
    GRPC_STATUS.InvalidArgument,
    'the frame of the message is not of gRPC',
  ),
  BadMessage: failure('BadMessage', GRPC_STATUS.InvalidArgument, 'the message is not well formed'),
  BadTimeout: failure('BadTimeout', GRPC_STATUS.InvalidArgument, 'grpc-timeout is not well formed'),
  TooLarge: failure('TooLarge', GRPC_STATUS.ResourceExhausted, 'the message is too large'),
  TooMuch: failure('TooMuch', GRPC_STATUS.ResourceExhausted, 'too many unfinished messages'),
  TooLate: failure('TooLate', GRPC_STATUS.DeadlineExceeded, 'the answer came too late'),
  UnknownService: failure('UnknownService', GRPC_STATUS.NotFound, 'there is no such service'),
} as const;

function failure(reason: string, status: number, message: string): Failure {
  return { type: 'Failure', reason, status, message };
}
