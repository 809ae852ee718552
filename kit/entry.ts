/**
 * The door of the package for authors of drivers, `keyward/driver-kit`: the only file that passes on
 * what others export, because it is what `exports` of package.json names.
 */
export { FakeVendor } from '../fakes/vendor.ts';
export type { FakeAnswer, FakeOptions, FakeRequest, Routed } from '../fakes/vendor.ts';
export { Sensitive } from '../src/kernel/sensitive.ts';
export { StoreFailure } from '../src/stores/contract.ts';
export type {
  Account,
  Capabilities,
  Connection,
  Driver,
  DriverClass,
  FailureKind,
  LocalHandle,
  NewCredential,
  RemoteCredential,
  RemoteHandle,
  RemoteListing,
  RemoteStore,
  RemoteWish,
  StoreHandle,
  VendorHttp,
  VendorRequest,
  VendorResponse,
} from '../src/stores/contract.ts';
export { isSameGeneration, markName, markText, parseMark } from '../src/stores/mark.ts';
export type { Mark } from '../src/stores/mark.ts';
export { retryAfterMs } from '../src/stores/retryafter.ts';
export { driverCases } from './driverkit.ts';
export type {
  FakeAccount,
  FakeCall,
  FakeControl,
  Fault,
  FaultRule,
  StrangerAct,
  VendorCredential,
} from './fake.ts';
export { kitHttp } from './http.ts';
export { localCases, type LocalSubject } from './localkit.ts';
export type { DriverCase, RunningFake, Subject } from './subject.ts';
