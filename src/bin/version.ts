/** The version of this build, as in package.json; the build and a test keep them equal. */
export const VERSION = '0.1.0';
