/** Pure; what the gRPC port knows of the methods that it offers. */
import type { Failure } from './statuses.ts';

/** An answer in its frame, not to be changed; or why there is none. */
export type Answer = Buffer | Failure;

/** A method with one message each way. Never throws and never rejects. The message is a view. */
export type Method = (message: Buffer) => Answer | Promise<Answer>;
