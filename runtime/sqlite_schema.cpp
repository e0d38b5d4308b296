#include "runtime/sqlite_schema.hpp"

#include <fmt/format.h>

#include <iterator>

#include "runtime/sqlite_store.hpp"

namespace flow::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x464c4f57;  // "FLOW"

// kSteps[i] leads from version i to i + 1.
constexpr const char* kSteps[] = {
    R"(CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE modules (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL);
       CREATE TABLE runs (
         id TEXT PRIMARY KEY, tenant TEXT NOT NULL, flow TEXT NOT NULL, module TEXT NOT NULL,
         trigger_name TEXT NOT NULL, key TEXT NOT NULL, state INTEGER NOT NULL, created_us INTEGER NOT NULL,
         ended_us INTEGER NOT NULL, reason TEXT NOT NULL, fault TEXT NOT NULL, line INTEGER NOT NULL,
         UNIQUE (tenant, flow, trigger_name, key)) WITHOUT ROWID;
       CREATE INDEX runs_unfinished ON runs (id) WHERE state = 0;
       CREATE TABLE journal (
         run TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL, time_us INTEGER NOT NULL,
         payload TEXT NOT NULL, PRIMARY KEY (run, sequence)) WITHOUT ROWID;
       CREATE TABLE cursors (
         tenant TEXT NOT NULL, trigger_name TEXT NOT NULL, watermark_us INTEGER NOT NULL,
         floor_us INTEGER NOT NULL, PRIMARY KEY (tenant, trigger_name)) WITHOUT ROWID;
       CREATE TABLE seen (
         tenant TEXT NOT NULL, trigger_name TEXT NOT NULL, key TEXT NOT NULL, time_us INTEGER NOT NULL,
         PRIMARY KEY (tenant, trigger_name, key)) WITHOUT ROWID;
       CREATE INDEX seen_by_time ON seen (tenant, trigger_name, time_us);)",
    R"(CREATE TABLE once (
         tenant TEXT NOT NULL, flow TEXT NOT NULL, key TEXT NOT NULL, until_us INTEGER NOT NULL,
         PRIMARY KEY (tenant, flow, key)) WITHOUT ROWID;
       CREATE INDEX once_by_time ON once (until_us);)",
    // Runs that are asleep: they are many, and what is awake is found without passing them.
    R"(ALTER TABLE runs ADD COLUMN wake_us INTEGER NOT NULL DEFAULT 0;
       DROP INDEX runs_unfinished;
       CREATE INDEX runs_awake ON runs (id) WHERE state = 0 AND wake_us = 0;
       CREATE INDEX runs_asleep ON runs (wake_us) WHERE state = 0 AND wake_us > 0;
       CREATE TABLE frozen (run TEXT PRIMARY KEY, sequence INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;)",
    // Calls counted under a limit.
    R"(CREATE TABLE counted (
         tenant TEXT NOT NULL, flow TEXT NOT NULL, operation TEXT NOT NULL, run TEXT NOT NULL,
         call INTEGER NOT NULL, time_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
         PRIMARY KEY (tenant, flow, operation, run, call)) WITHOUT ROWID;
       CREATE INDEX counted_by_time ON counted (until_us);)",
    // Questions to people, the mails about them, and messages to runs.
    R"(CREATE TABLE questions (
         id TEXT PRIMARY KEY, run TEXT NOT NULL, call INTEGER NOT NULL, tenant TEXT NOT NULL,
         flow TEXT NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL, people TEXT NOT NULL,
         subject TEXT NOT NULL, details TEXT NOT NULL, options TEXT NOT NULL, asked_us INTEGER NOT NULL,
         expires_us INTEGER NOT NULL, closed_us INTEGER NOT NULL, answer TEXT NOT NULL,
         answered_by TEXT NOT NULL, via TEXT NOT NULL) WITHOUT ROWID;
       CREATE INDEX questions_open ON questions (id) WHERE state = 0;
       CREATE TABLE tellings (
         question TEXT NOT NULL, person INTEGER NOT NULL, state INTEGER NOT NULL, time_us INTEGER NOT NULL,
         problem TEXT NOT NULL, PRIMARY KEY (question, person)) WITHOUT ROWID;
       CREATE INDEX tellings_untold ON tellings (question, person) WHERE state < 2;
       CREATE TABLE messages (
         run TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, payload TEXT NOT NULL,
         key TEXT NOT NULL, sender TEXT NOT NULL, received_us INTEGER NOT NULL, taken_by INTEGER,
         PRIMARY KEY (run, number)) WITHOUT ROWID;
       CREATE UNIQUE INDEX messages_by_key ON messages (run, key) WHERE key <> '';)",
    // What is live of each flow, as the changes that led there.
    R"(CREATE TABLE deployments (
         number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, flow TEXT NOT NULL,
         kind INTEGER NOT NULL, module TEXT NOT NULL, settings TEXT NOT NULL, file TEXT NOT NULL,
         time_us INTEGER NOT NULL, said_by TEXT NOT NULL);
       CREATE INDEX deployments_by_flow ON deployments (tenant, flow, number);
       -- Quotas that were used.
       CREATE TABLE sent (
         bucket TEXT NOT NULL, second INTEGER NOT NULL, calls INTEGER NOT NULL,
         PRIMARY KEY (bucket, second)) WITHOUT ROWID;
       CREATE TABLE rests (bucket TEXT PRIMARY KEY, until_us INTEGER NOT NULL) WITHOUT ROWID;
       -- Leases that are not over.
       CREATE INDEX runs_leases ON runs (tenant, flow, id) WHERE state = 0 AND trigger_name = 'lease';
       -- Rows of the journal may hold several entries (packed_entries.hpp). They are found by an index of their
       -- keys alone: to compare rows in a tree of whole rows, SQLite reads each of them to its end.
       CREATE TABLE entries (
         run TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL, time_us INTEGER NOT NULL,
         payload TEXT NOT NULL);
       INSERT INTO entries SELECT run, sequence, kind, time_us, payload FROM journal;
       DROP TABLE journal;
       ALTER TABLE entries RENAME TO journal;
       CREATE UNIQUE INDEX journal_by_run ON journal (run, sequence);
       -- The audit trail. What a row says is its line and nothing else: the hash is over all of it.
       -- Those who look for runs get indices only where a run that ends well has no part in them: one by machine
       -- would make every run's commit write one more page, at random.
       CREATE TABLE audit (number INTEGER PRIMARY KEY, line TEXT NOT NULL, hash BLOB NOT NULL);
       ALTER TABLE runs ADD COLUMN machine TEXT NOT NULL DEFAULT '';
       CREATE INDEX runs_parked ON runs (id) WHERE state = 1;
       CREATE INDEX runs_failed ON runs (id) WHERE state = 5;)",
    // What events said last. Rows have numbers: a tree of whole rows would be read to the end of each.
    R"(CREATE TABLE states (
         tenant TEXT NOT NULL, trigger_name TEXT NOT NULL, id TEXT NOT NULL, time_us INTEGER NOT NULL,
         packed INTEGER NOT NULL, event BLOB NOT NULL);
       CREATE UNIQUE INDEX states_by_id ON states (tenant, trigger_name, id);
       CREATE INDEX states_by_time ON states (tenant, trigger_name, time_us);)",
    // Runs that wait for their turn, by the reason that says so (places.cpp). Those of before are taken up
    // once more, which puts them to sleep. And the conditions of modules, as they were written.
    R"(CREATE INDEX runs_in_line ON runs (id) WHERE state = 0 AND wake_us > 0
         AND reason >= 'waits for its turn: ' AND reason < 'waits for its turn;';
       ALTER TABLE modules ADD COLUMN conditions BLOB;)",
};
static_assert(std::size(kSteps) == kStoreVersion, "each version has its step");

Status take_step(Connection& connection, std::int64_t from) {
  const std::string sql =
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                  kSteps[from], kApplicationId, from + 1);
  if (auto done = connection.run(sql.c_str()); !done) {
    // The first message is the one worth showing, whether or not this works.
    if (auto undone = connection.run("ROLLBACK"); !undone) return done;
    return done;
  }
  return {};
}

}  // namespace

Result<std::int64_t> schema_version(Connection& connection) {
  FLOW_TRY(const std::int64_t owner, connection.number("PRAGMA application_id"));
  FLOW_TRY(const std::int64_t version, connection.number("PRAGMA user_version"));
  FLOW_TRY(const std::int64_t tables, connection.number("SELECT count(*) FROM sqlite_schema"));
  if (owner != kApplicationId && tables != 0)
    return error(
        fmt::format("store {}: this is another program's SQLite file; choose a new name", connection.path()));
  if (version > kStoreVersion)
    return error(fmt::format(
        "store {}: it has version {}, this program knows versions up to {}; use the newer program",
        connection.path(), version, kStoreVersion));
  return version;
}

Status prepare_schema(Connection& connection, const std::string& path, bool may_write) {
  FLOW_TRY(const std::int64_t version, schema_version(connection));
  if (!may_write && version < kStoreVersion)
    return error(fmt::format(
        "store {}: it has version {}; `flow store migrate`, or starting the service, brings it to version {}",
        path, version, kStoreVersion));
  for (std::int64_t from = version; from < kStoreVersion; ++from)
    FLOW_TRY_STATUS(take_step(connection, from));
  return {};
}

}  // namespace flow::sqlite
