/**
 * The first version of the schema: one logical schema, with the few words in which the dialects differ filled in.
 *
 * Times are milliseconds since the epoch, flags 0 or 1, JSON is text. `subscription_id` 0 in usage rows means none.
 *
 * @module
 */
import type { Migration } from "./types.ts";
import { usageTables } from "./usage.ts";

/** Nodes and what belongs to them. */
const nodes = `
CREATE TABLE nodes (
  id {id},
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  ip TEXT NOT NULL,
  port {int} NOT NULL,
  region TEXT NOT NULL,
  domain TEXT,
  status TEXT NOT NULL DEFAULT 'offline' CHECK (status IN ('pending', 'offline', 'online', 'error', 'disabled')),
  sync_status TEXT NOT NULL DEFAULT 'never'
    CHECK (sync_status IN ('never', 'pending', 'delivering', 'synced', 'failed')),
  desired_revision {int} NOT NULL DEFAULT 0,
  delivered_revision {int} NOT NULL DEFAULT 0,
  applied_revision {int} NOT NULL DEFAULT 0,
  config_hash TEXT,
  applied_hash TEXT,
  delivered_at {int},
  config_dirty {int} NOT NULL DEFAULT 1,
  routing TEXT NOT NULL DEFAULT '{"rules":[]}',
  usage_multiplier_ppm {int} NOT NULL DEFAULT 1000000,
  last_seen_at {int},
  error_from_sync {int} NOT NULL DEFAULT 0,
  last_error_code TEXT,
  last_error_message TEXT,
  last_error_details TEXT,
  last_error_at {int},
  agent_version TEXT,
  agent_services TEXT,
  reenrol_until {int},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
){strict};
CREATE INDEX nodes_status ON nodes (status, last_seen_at);
CREATE INDEX nodes_dirty ON nodes (id) WHERE config_dirty = 1;

CREATE TABLE node_keys (
  key_id TEXT PRIMARY KEY,
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  secret_hash {bytes} NOT NULL,
  created_at {int} NOT NULL,
  first_used_at {int},
  last_used_at {int},
  expires_at {int},
  revoked_at {int}
){strict};
CREATE INDEX node_keys_node ON node_keys (node_id);

CREATE TABLE join_tokens (
  id {id},
  hash {bytes} NOT NULL UNIQUE,
  name TEXT,
  region TEXT,
  max_uses {int} NOT NULL DEFAULT 1,
  uses {int} NOT NULL DEFAULT 0,
  expires_at {int},
  revoked_at {int},
  created_at {int} NOT NULL
){strict};

CREATE TABLE node_protocols (
  id {id},
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  service TEXT NOT NULL CHECK (service IN ('xray', 'mtproto')),
  protocol TEXT NOT NULL,
  tag TEXT NOT NULL,
  settings TEXT NOT NULL,
  enabled {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  UNIQUE (node_id, tag)
){strict};

CREATE TABLE node_outbounds (
  id {id},
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  settings TEXT,
  unmanaged {int} NOT NULL DEFAULT 0,
  enabled {int} NOT NULL DEFAULT 1,
  traffic_bytes_up {int} NOT NULL DEFAULT 0,
  traffic_bytes_down {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  UNIQUE (node_id, tag)
){strict};

CREATE TABLE node_tunnels (
  id {id},
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  instance_id TEXT NOT NULL,
  alias TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL,
  enabled {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  UNIQUE (node_id, instance_id)
){strict};

CREATE TABLE node_configs (
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  revision {int} NOT NULL,
  hash TEXT NOT NULL,
  body_gz {bytes} NOT NULL,
  reason TEXT NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (node_id, revision)
){strict};

CREATE TABLE node_stats_1m (
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  at {int} NOT NULL,
  samples {int} NOT NULL,
  stats TEXT NOT NULL,
  PRIMARY KEY (node_id, at)
){strict};
CREATE INDEX node_stats_1m_at ON node_stats_1m (at);

CREATE TABLE node_stats_15m (
  node_id {int} NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  at {int} NOT NULL,
  samples {int} NOT NULL,
  stats TEXT NOT NULL,
  PRIMARY KEY (node_id, at)
){strict};
CREATE INDEX node_stats_15m_at ON node_stats_15m (at);
`;

/** People, what they bought, and what they were seen doing. */
const users = `
CREATE TABLE users (
  id {id},
  name TEXT NOT NULL UNIQUE,
  note TEXT,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  first_connected_at {int},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
){strict};

CREATE TABLE subscriptions (
  id {id},
  user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT,
  limit_bytes {int},
  used_up {int} NOT NULL DEFAULT 0,
  used_down {int} NOT NULL DEFAULT 0,
  lifetime_up {int} NOT NULL DEFAULT 0,
  lifetime_down {int} NOT NULL DEFAULT 0,
  period_started_at {int} NOT NULL,
  expires_at {int},
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'limited', 'expired', 'disabled')),
  limit_reached_at {int},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
){strict};
CREATE INDEX subscriptions_user ON subscriptions (user_id);
CREATE INDEX subscriptions_expiry ON subscriptions (status, expires_at);

CREATE TABLE subscription_links (
  uuid TEXT PRIMARY KEY,
  user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  subscription_id {int} REFERENCES subscriptions (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('xray', 'mtproto')),
  secret TEXT,
  settings TEXT,
  everywhere {int} NOT NULL DEFAULT 0,
  enabled {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
){strict};
CREATE INDEX subscription_links_everywhere ON subscription_links (kind, uuid) WHERE everywhere = 1;
CREATE INDEX subscription_links_user ON subscription_links (user_id);
CREATE INDEX subscription_links_subscription ON subscription_links (subscription_id);

CREATE TABLE link_protocols (
  uuid TEXT NOT NULL REFERENCES subscription_links (uuid) ON DELETE CASCADE,
  node_protocol_id {int} NOT NULL REFERENCES node_protocols (id) ON DELETE CASCADE,
  PRIMARY KEY (uuid, node_protocol_id)
){strict};
CREATE INDEX link_protocols_protocol ON link_protocols (node_protocol_id);

CREATE TABLE session_events (
  node_id {int} NOT NULL,
  user_id {int} NOT NULL,
  protocol TEXT NOT NULL,
  event_type TEXT NOT NULL CHECK (event_type IN ('online', 'offline')),
  occurred_at {int} NOT NULL,
  ip_address TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (user_id, occurred_at, node_id, protocol, event_type, ip_address)
){strict};
CREATE INDEX session_events_at ON session_events (occurred_at);

CREATE TABLE user_ips (
  user_id {int} NOT NULL,
  ip TEXT NOT NULL,
  first_seen_at {int} NOT NULL,
  last_seen_at {int} NOT NULL,
  info TEXT,
  PRIMARY KEY (user_id, ip)
){strict};
CREATE INDEX user_ips_ip ON user_ips (ip);
CREATE INDEX user_ips_first_seen ON user_ips (first_seen_at);
CREATE INDEX user_ips_last_seen ON user_ips (last_seen_at);
CREATE INDEX user_ips_unknown ON user_ips (ip) WHERE info IS NULL;

CREATE TABLE ip_info (
  ip TEXT PRIMARY KEY,
  info TEXT,
  provider TEXT NOT NULL,
  ok {int} NOT NULL,
  fetched_at {int} NOT NULL
){strict};
CREATE INDEX ip_info_fetched ON ip_info (fetched_at);
`;

/** What Core itself keeps. */
const core = `
CREATE TABLE events_outbox (
  seq {id},
  event_id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  at {int} NOT NULL,
  node_id {int},
  user_id {int},
  data TEXT NOT NULL,
  published_at {int}
){strict};
CREATE INDEX events_outbox_at ON events_outbox (at);
CREATE INDEX events_outbox_unpublished ON events_outbox (seq) WHERE published_at IS NULL;

CREATE TABLE webhooks (
  id {id},
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  types TEXT NOT NULL DEFAULT '[]',
  enabled {int} NOT NULL DEFAULT 1,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
){strict};

CREATE TABLE webhook_deliveries (
  webhook_id {int} NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event_seq {int} NOT NULL REFERENCES events_outbox (seq) ON DELETE CASCADE,
  attempts {int} NOT NULL DEFAULT 0,
  next_attempt_at {int},
  delivered_at {int},
  last_error TEXT,
  PRIMARY KEY (webhook_id, event_seq)
){strict};
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at);

CREATE TABLE admin_tokens (
  id {id},
  token_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  hash {bytes} NOT NULL,
  scopes TEXT NOT NULL,
  expires_at {int},
  last_used_at {int},
  revoked_at {int},
  created_at {int} NOT NULL
){strict};

CREATE TABLE audit_log (
  id {id},
  at {int} NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT,
  ip TEXT,
  request_id TEXT,
  details TEXT
){strict};
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_at {int} NOT NULL,
  last_run_at {int}
){strict};

CREATE TABLE idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  node_id {int},
  value TEXT,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (scope, key)
){strict};
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE core_values (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
){strict};
`;

/** Version 1. */
export const base: Migration = { version: 1, name: "base", text: nodes + users + core + usageTables };
