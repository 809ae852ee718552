/** The bench's way to control-plane/install.ts, until it imports that itself. */
export { installKeyward } from '../../control-plane/install.ts';
