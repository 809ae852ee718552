/** For each alert: series under which it fires, and series under which it does not. Times of promtool's notation. */

/** Series by name with labels, and their values, one a minute: `0+60x30` grows by 60, `_x5` are gaps. */
export type Series = Readonly<Record<string, string>>;
/** One moment: minutes after the beginning, which is 1970. */
export type Moment = { readonly series: Series; readonly atMinutes: number };

/** What is expected of an alert; `labels` without alertname and severity. */
export type AlertCase = {
  readonly alert: string;
  readonly fires: Moment & { readonly labels: Readonly<Record<string, string>> };
  /** Other series with the same labels. */
  readonly alsoFires?: readonly Moment[];
  readonly quiet: readonly Moment[];
};

const KEY = 'namespace="shop",name="web"';
const OPERATOR = 'keyward_build_info{component="operator",instance="a"}';
const GATE = 'keyward_build_info{component="gate",instance="a"}';
const leads = (instance: string): string =>
  `leader_election_master_status{name="keyward-operator",instance="${instance}"}`;
const ready = (condition: string, instance = 'a'): string =>
  `keyward_key_ready_status{${KEY},condition="${condition}",instance="${instance}"}`;
const info = (reason: string): string => `keyward_key_info{${KEY},reason="${reason}"}`;
const time = (name: string): string => `keyward_key_${name}_timestamp_seconds{${KEY}}`;
const verified = (cause: string): string =>
  `keyward_gate_verifications_total{result="refused",cause="${cause}",profile="Keyward"}`;
const ALLOWED = 'keyward_gate_verifications_total{result="allowed",cause="",profile="Keyward"}';
const reconciled = (name: string, controller: string): string =>
  `controller_runtime_reconcile_${name}{controller="${controller}"}`;
const queued = (name: string, le: string): string =>
  `workqueue_queue_duration_seconds_bucket{name="${name}",le="${le}"}`;
const pending = (what: string): string =>
  `keyward_application_oldest_pending_${what}timestamp_seconds{store_kind="ClusterKeyStore",store="default"}`;
const DAY_S = 86_400;
const of = (namespace: string, name: string) => ({ namespace, name });
const WEB = of('shop', 'web');

/** All of them; a test sees that none is missing. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'KeywardOperatorAbsent',
    fires: { series: {}, atMinutes: 11, labels: { component: 'operator' } },
    quiet: [
      { series: { [OPERATOR]: '1x30' }, atMinutes: 20 },
      // A pod that is replaced.
      { series: { [OPERATOR]: '1x5 _x8 1x20' }, atMinutes: 25 },
    ],
  },
  {
    alert: 'KeywardNoLeader',
    fires: { series: { [leads('a')]: '0x20', [leads('b')]: '0x20' }, atMinutes: 10, labels: {} },
    quiet: [
      { series: { [leads('a')]: '0x20', [leads('b')]: '1x20' }, atMinutes: 10 },
      { series: { [leads('a')]: '1x5 0x15', [leads('b')]: '0x7 1x15' }, atMinutes: 12 },
      // Of another operator with the same names.
      { series: { 'leader_election_master_status{name="other"}': '0x20' }, atMinutes: 10 },
    ],
  },
  {
    alert: 'KeywardTwoLeaders',
    fires: { series: { [leads('a')]: '1x20', [leads('b')]: '1x20' }, atMinutes: 10, labels: {} },
    quiet: [
      { series: { [leads('a')]: '1x20', [leads('b')]: '0x20' }, atMinutes: 10 },
      { series: { [leads('a')]: '1x6 0x15', [leads('b')]: '0x5 1x15' }, atMinutes: 8 },
    ],
  },
  {
    alert: 'KeywardReconcileErrors',
    fires: {
      series: {
        [reconciled('errors_total', 'apikey')]: '0+20x60',
        [reconciled('total', 'apikey')]: '0+100x60',
      },
      atMinutes: 45,
      labels: { controller: 'apikey' },
    },
    quiet: [
      {
        series: {
          [reconciled('errors_total', 'apikey')]: '0+5x60',
          [reconciled('total', 'apikey')]: '0+100x60',
        },
        atMinutes: 45,
      },
      {
        series: {
          [reconciled('errors_total', 'deployment')]: '0+90x60',
          [reconciled('total', 'deployment')]: '0+100x60',
        },
        atMinutes: 45,
      },
    ],
  },
  {
    alert: 'KeywardQueueSlow',
    fires: {
      series: {
        [queued('apikey', '10')]: '0+1x60',
        [queued('apikey', '100')]: '0+90x60',
        [queued('apikey', '1000')]: '0+100x60',
        [queued('apikey', '+Inf')]: '0+100x60',
      },
      atMinutes: 45,
      labels: { name: 'apikey' },
    },
    quiet: [
      {
        series: {
          [queued('apikey', '10')]: '0+100x60',
          [queued('apikey', '100')]: '0+100x60',
          [queued('apikey', '+Inf')]: '0+100x60',
        },
        atMinutes: 45,
      },
    ],
  },
  {
    alert: 'KeywardWatchStale',
    fires: {
      series: { 'keyward_watch_last_event_timestamp_seconds{resource="apikeys"}': '60x60' },
      atMinutes: 40,
      labels: { resource: 'apikeys' },
    },
    quiet: [
      {
        series: { 'keyward_watch_last_event_timestamp_seconds{resource="apikeys"}': '0+60x60' },
        atMinutes: 40,
      },
    ],
  },
  {
    alert: 'KeywardClockSkew',
    fires: {
      series: { 'keyward_clock_skew_seconds{peer="apiserver"}': '-30x30' },
      atMinutes: 20,
      labels: { peer: 'apiserver' },
    },
    quiet: [
      { series: { 'keyward_clock_skew_seconds{peer="apiserver"}': '1.5x30' }, atMinutes: 20 },
    ],
  },
  {
    alert: 'KeywardPoliciesNotProven',
    fires: {
      series: {
        'keyward_admission_policies_proven{instance="a"}': '0x30',
        'keyward_applications{store="default",state="Pending"}': '1x30',
      },
      atMinutes: 20,
      labels: {},
    },
    quiet: [
      // Nobody uses applications.
      { series: { 'keyward_admission_policies_proven{instance="a"}': '0x30' }, atMinutes: 20 },
      // A standby replica proves nothing.
      {
        series: {
          'keyward_admission_policies_proven{instance="a"}': '1x30',
          'keyward_admission_policies_proven{instance="b"}': '0x30',
          'keyward_applications{store="default",state="Pending"}': '1x30',
        },
        atMinutes: 20,
      },
    ],
  },
  {
    alert: 'KeywardNoticesFailing',
    fires: {
      series: { 'keyward_notice_deliveries_total{result="Later"}': '0+1x60' },
      atMinutes: 45,
      labels: {},
    },
    quiet: [
      {
        series: {
          'keyward_notice_deliveries_total{result="Later"}': '0+1x60',
          'keyward_notice_deliveries_total{result="Delivered"}': '0+1x60',
        },
        atMinutes: 45,
      },
    ],
  },
  {
    alert: 'KeywardDatabaseDown',
    fires: {
      series: {
        'keyward_database_up{instance="a"}': '0x9',
        'keyward_database_up{instance="b"}': '1x9',
      },
      atMinutes: 5,
      labels: {},
    },
    quiet: [{ series: { 'keyward_database_up{instance="a"}': '1x3 0x1 1x9' }, atMinutes: 5 }],
  },
  {
    alert: 'KeywardStoreDown',
    fires: {
      series: {
        'keyward_store_up{kind="KeyStore",namespace="shop",name="naver",type="Naver",instance="a"}':
          '0x9',
      },
      atMinutes: 5,
      labels: { kind: 'KeyStore', namespace: 'shop', name: 'naver', type: 'Naver' },
    },
    quiet: [
      { series: { 'keyward_store_up{kind="KeyStore",name="naver"}': '1x9' }, atMinutes: 5 },
      // Deleted.
      { series: { 'keyward_store_up{kind="KeyStore",name="naver"}': '0x1 stale' }, atMinutes: 9 },
    ],
  },
  {
    alert: 'KeywardStoreErrors',
    fires: {
      series: {
        'keyward_store_operation_seconds_count{type="Naver",result="Done"}': '0+10x60',
        'keyward_store_operation_seconds_count{type="Naver",result="Garbled"}': '0+10x60',
      },
      atMinutes: 45,
      labels: { type: 'Naver' },
    },
    quiet: [
      {
        series: {
          'keyward_store_operation_seconds_count{type="Naver",result="Done"}': '0+10x60',
          'keyward_store_operation_seconds_count{type="Naver",result="Throttled"}': '0+1x60',
        },
        atMinutes: 45,
      },
    ],
  },
  {
    alert: 'KeywardStoreDebts',
    fires: { series: { keyward_debts: '3x90' }, atMinutes: 70, labels: {} },
    quiet: [
      { series: { keyward_debts: '0x90' }, atMinutes: 70 },
      { series: { keyward_debts: '3x30 0x60' }, atMinutes: 70 },
    ],
  },
  {
    alert: 'KeywardOrphansFound',
    fires: {
      series: { 'keyward_orphan_actions_total{type="Naver",action="Stopped"}': '0x5 1x30' },
      atMinutes: 10,
      labels: { type: 'Naver' },
    },
    alsoFires: [
      {
        series: { 'keyward_orphan_actions_total{type="Naver",action="Held"}': '0x5 1x30' },
        atMinutes: 10,
      },
    ],
    quiet: [
      {
        series: { 'keyward_orphan_actions_total{type="Naver",action="Deleted"}': '0x5 1x30' },
        atMinutes: 10,
      },
    ],
  },
  {
    alert: 'KeywardKeyNotReady',
    fires: {
      series: { [ready('False')]: '1x30', [info('StoreNotAvailable')]: '1x30' },
      atMinutes: 20,
      labels: WEB,
    },
    quiet: [
      { series: { [ready('False')]: '0x30', [ready('True')]: '1x30' }, atMinutes: 20 },
      ...['PendingReview', 'NotYetValid', 'Suspended', 'Revoked', 'Denied', 'Expired'].map(
        (reason) => ({
          series: { [ready('False')]: '1x30', [info(reason)]: '1x30' },
          atMinutes: 20,
        }),
      ),
      { series: { [ready('False')]: '1x10 0x30', [info('SecretLost')]: '1x30' }, atMinutes: 20 },
    ],
  },
  {
    alert: 'KeywardSecretConflict',
    fires: {
      series: { [info('SecretConflict')]: '1x30' },
      atMinutes: 10,
      labels: { ...WEB, reason: 'SecretConflict' },
    },
    quiet: [{ series: { [info('Active')]: '1x30' }, atMinutes: 10 }],
  },
  {
    alert: 'KeywardKeyExpiring',
    // Warned from minute 0 on, ends after 300 minutes.
    fires: {
      series: {
        [time('expiration_notice')]: '0x400',
        [time('expiration')]: '18000x400',
        [ready('True')]: '1x400',
      },
      atMinutes: 275,
      labels: WEB,
    },
    quiet: [
      {
        series: {
          [time('expiration_notice')]: '0x400',
          [time('expiration')]: '18000x400',
          [ready('True')]: '1x400',
        },
        atMinutes: 200,
      },
      // Over, or not usable for another reason.
      {
        series: {
          [time('expiration_notice')]: '0x400',
          [time('expiration')]: '18000x400',
          [ready('True')]: '0x400',
        },
        atMinutes: 275,
      },
      // Prolonged.
      {
        series: {
          [time('expiration_notice')]: '0x260 stale',
          [time('expiration')]: '18000x260 999999x100',
          [ready('True')]: '1x400',
        },
        atMinutes: 330,
      },
    ],
  },
  {
    alert: 'KeywardRotationOverdue',
    fires: {
      series: { [time('rotation_due')]: '600x200', [ready('True')]: '1x200' },
      atMinutes: 100,
      labels: WEB,
    },
    quiet: [
      { series: { [time('rotation_due')]: '600x200', [ready('True')]: '1x200' }, atMinutes: 60 },
      { series: { [time('rotation_due')]: '600x200', [ready('True')]: '0x200' }, atMinutes: 100 },
    ],
  },
  {
    alert: 'KeywardRotationStuck',
    fires: { series: { [time('previous_retire')]: '600x200' }, atMinutes: 100, labels: WEB },
    quiet: [{ series: { [time('previous_retire')]: '6000x200' }, atMinutes: 100 }],
  },
  {
    alert: 'KeywardKeySeriesOmitted',
    fires: { series: { keyward_key_series_omitted: '5x90' }, atMinutes: 70, labels: {} },
    quiet: [{ series: { keyward_key_series_omitted: '0x90' }, atMinutes: 70 }],
  },
  {
    alert: 'KeywardApplicationWaiting',
    fires: {
      series: { [pending('')]: '0x500', [pending('deadline_')]: '24000x500' },
      atMinutes: 270,
      labels: { store_kind: 'ClusterKeyStore', store: 'default' },
    },
    quiet: [
      {
        series: { [pending('')]: '0x500', [pending('deadline_')]: `${14 * DAY_S}x500` },
        atMinutes: 270,
      },
    ],
  },
  {
    alert: 'KeywardGateAbsent',
    fires: { series: { [OPERATOR]: '1x30' }, atMinutes: 11, labels: { component: 'gate' } },
    quiet: [{ series: { [GATE]: '1x30' }, atMinutes: 11 }],
  },
  {
    alert: 'KeywardVerificationErrors',
    fires: {
      series: { [ALLOWED]: '0+950x30', [verified('StateUnknown')]: '0+50x30' },
      atMinutes: 15,
      labels: {},
    },
    quiet: [
      {
        series: { [ALLOWED]: '0+999x30', [verified('QuotaUnknown')]: '0+1x30' },
        atMinutes: 15,
      },
      // A key that is refused is no failure of the gate.
      { series: { [ALLOWED]: '0+500x30', [verified('KeyRevoked')]: '0+500x30' }, atMinutes: 15 },
      { series: { [ALLOWED]: '0x30', [verified('StateUnknown')]: '0x30' }, atMinutes: 15 },
    ],
  },
  {
    alert: 'KeywardGateStale',
    fires: {
      series: {
        'keyward_gate_view_age_seconds{instance="a"}': '12x9',
        'keyward_gate_view_age_limit_seconds{instance="a"}': '15x9',
        'keyward_gate_view_age_seconds{instance="b"}': '0x9',
        'keyward_gate_view_age_limit_seconds{instance="b"}': '15x9',
      },
      atMinutes: 5,
      labels: {},
    },
    quiet: [
      {
        series: {
          'keyward_gate_view_age_seconds{instance="a"}': '0.1x9',
          'keyward_gate_view_age_limit_seconds{instance="a"}': '15x9',
        },
        atMinutes: 5,
      },
    ],
  },
  {
    alert: 'KeywardExpiredKeyInUse',
    fires: {
      series: { [verified('Expired')]: '0+2x90' },
      atMinutes: 80,
      labels: { profile: 'Keyward' },
    },
    quiet: [{ series: { [verified('Expired')]: '0x50 3x60' }, atMinutes: 80 }],
  },
  {
    alert: 'KeywardUnknownKeySpike',
    // Six a minute for hours, then a hundred a second.
    fires: {
      series: { [verified('UnknownKey')]: '0+6x300 1800+6000x60' },
      atMinutes: 330,
      labels: {},
    },
    quiet: [
      { series: { [verified('UnknownKey')]: '0+6x400' }, atMinutes: 330 },
      // Always so many.
      { series: { [verified('UnknownKey')]: '0+6000x400' }, atMinutes: 330 },
    ],
  },
  {
    alert: 'KeywardGateCertificateExpiring',
    fires: {
      series: { 'keyward_gate_tls_certificate_expiry_timestamp_seconds{instance="a"}': '90000x60' },
      atMinutes: 20,
      labels: { instance: 'a' },
    },
    quiet: [
      {
        series: { 'keyward_gate_tls_certificate_expiry_timestamp_seconds{instance="a"}': '0x60' },
        atMinutes: 20,
      },
      {
        series: {
          'keyward_gate_tls_certificate_expiry_timestamp_seconds{instance="a"}': '7776000x60',
        },
        atMinutes: 20,
      },
    ],
  },
];
