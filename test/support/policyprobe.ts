/** The bench's way to control-plane/policyprobe.ts, until it imports that itself. */
export { waitForKinds, waitForPolicies } from '../../control-plane/policyprobe.ts';
