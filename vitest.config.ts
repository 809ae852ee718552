import { defineConfig } from 'vitest/config';

const crdSuites = 'test/conformance/crds*.test.ts';
const chartSuites = 'test/conformance/chart*.test.ts';
const gatewaySuites = 'test/integration/gate/*.test.ts';

/**
 * From the source, each thread that keeps a ledger has its types stripped by WebAssembly, and V8 loses track of
 * code that wrappers of several threads share when it compiles them anew: "Check failed: jit_page.has_value()"
 * has ended a whole suite. They stay as they are compiled first. The bundle has no WebAssembly in its threads.
 */
const execArgv = ['--wasm-wrapper-tiering-budget=1000000000'];

/** Suites that need a real API server: one is started for all of them. */
const onControlPlane = {
  globalSetup: ['test/support/controlplane.setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
  maxWorkers: 2,
  execArgv,
};

// One project per layer, so that a layer can be run alone: npx vitest run --project unit.
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'architecture', include: ['test/architecture.test.ts', 'test/docs.test.ts'] },
      },
      // The limit is against hanging, not a measure: the machine may be busy.
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, execArgv },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          exclude: [crdSuites, chartSuites],
          testTimeout: 60_000,
          execArgv,
        },
      },
      { test: { name: 'conformance-crds', include: [crdSuites], ...onControlPlane } },
      // Real Helm, and a control plane of its own: what it installs would be in others' way.
      {
        test: {
          name: 'chart',
          include: [chartSuites],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          execArgv,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [gatewaySuites],
          ...onControlPlane,
        },
      },
      // Real gateways and gates, but no API server.
      {
        test: {
          name: 'gateways',
          include: [gatewaySuites],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          execArgv,
        },
      },
    ],
  },
});
