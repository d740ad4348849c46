/**
 * Where traffic is counted.
 *
 * `bytes_*` is what went through, `counted_*` the same times the multiplier of the node at that time: what subscriptions
 * were charged. `minute`, `hour` and `day` are the milliseconds at which they begin. Room in the pages of subscriptions keeps
 * their indexes out of every count.
 *
 * PostgreSQL appends rows wherever their keys are, and forgets days as a whole: `usage_minutes` has its minutes first in
 * the key. SQLite keeps rows in the order of the key: a node that tells of six hours would touch 360 places, so its rows
 * lie together there.
 *
 * @module
 */

/** The tables of usage; PostgreSQL has a partition for every day, which are made while it runs, and one for the rest. */
export const usageTables = `
CREATE TABLE usage_minutes (
  node_id {int} NOT NULL,
  node_protocol_id {int} NOT NULL,
  user_id {int} NOT NULL,
  subscription_id {int} NOT NULL DEFAULT 0,
  minute {int} NOT NULL,
  bytes_up {int} NOT NULL,
  bytes_down {int} NOT NULL,
  counted_up {int} NOT NULL DEFAULT 0,
  counted_down {int} NOT NULL DEFAULT 0,
{postgres: PRIMARY KEY (minute, node_id, node_protocol_id, user_id, subscription_id)}
{sqlite: PRIMARY KEY (node_id, minute, node_protocol_id, user_id, subscription_id)}
){partitioned by minute}{rowless};
{postgres: CREATE TABLE usage_minutes_rest PARTITION OF usage_minutes DEFAULT;}
CREATE INDEX usage_minutes_user ON usage_minutes (user_id, minute);

CREATE TABLE usage_hours (
  node_id {int} NOT NULL,
  node_protocol_id {int} NOT NULL,
  user_id {int} NOT NULL,
  subscription_id {int} NOT NULL DEFAULT 0,
  hour {int} NOT NULL,
  bytes_up {int} NOT NULL,
  bytes_down {int} NOT NULL,
  counted_up {int} NOT NULL DEFAULT 0,
  counted_down {int} NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, hour, node_id, node_protocol_id, subscription_id)
){rowless};
CREATE INDEX usage_hours_hour ON usage_hours (hour);
CREATE INDEX usage_hours_node ON usage_hours (node_id, hour);

CREATE TABLE usage_days (
  node_id {int} NOT NULL,
  node_protocol_id {int} NOT NULL,
  user_id {int} NOT NULL,
  subscription_id {int} NOT NULL DEFAULT 0,
  day {int} NOT NULL,
  bytes_up {int} NOT NULL,
  bytes_down {int} NOT NULL,
  counted_up {int} NOT NULL DEFAULT 0,
  counted_down {int} NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day, node_id, node_protocol_id, subscription_id)
){rowless};
CREATE INDEX usage_days_day ON usage_days (day);
CREATE INDEX usage_days_node ON usage_days (node_id, day);

CREATE TABLE usage_cursors (
  node_id {int} NOT NULL,
  stream_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('usage', 'outbound')),
  last_seq {int} NOT NULL,
  updated_at {int} NOT NULL DEFAULT 0,
  PRIMARY KEY (node_id, stream_id, kind)
){rowless};

CREATE TABLE usage_orphans (
  node_id {int} NOT NULL,
  node_protocol_id {int} NOT NULL,
  user_id {int} NOT NULL,
  subscription_id {int} NOT NULL DEFAULT 0,
  minute {int} NOT NULL,
  reason TEXT NOT NULL,
  bytes_up {int} NOT NULL,
  bytes_down {int} NOT NULL,
  received_at {int} NOT NULL,
  PRIMARY KEY (node_id, node_protocol_id, user_id, subscription_id, minute, reason)
){rowless};
CREATE INDEX usage_orphans_received ON usage_orphans (received_at);

CREATE TABLE delivered_pairs (
  node_id {int} NOT NULL,
  node_protocol_id {int} NOT NULL,
  user_id {int} NOT NULL,
  subscription_id {int} NOT NULL DEFAULT 0,
  last_delivered_at {int} NOT NULL,
  PRIMARY KEY (node_id, node_protocol_id, user_id, subscription_id)
){rowless};
CREATE INDEX delivered_pairs_at ON delivered_pairs (last_delivered_at);

{postgres: ALTER TABLE subscriptions SET (fillfactor = 50);}
`;
