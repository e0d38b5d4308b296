#include "runtime/sqlite_triggers.hpp"

namespace flow::sqlite {

Status TriggerTables::prepare() {
  FLOW_TRY(get_cursor_,
           connection_.prepare(
               "SELECT watermark_us, floor_us FROM cursors WHERE tenant = ? AND trigger_name = ?"));
  FLOW_TRY(get_seen_,
           connection_.prepare("SELECT 1 FROM seen WHERE tenant = ? AND trigger_name = ? AND key = ?"));
  FLOW_TRY(get_once_,
           connection_.prepare("SELECT until_us FROM once WHERE tenant = ? AND flow = ? AND key = ?"));
  FLOW_TRY(get_counted_,
           connection_.prepare("SELECT run, call, time_us, until_us FROM counted"
                               " WHERE tenant = ? AND flow = ? AND operation = ? AND time_us > ?"));
  FLOW_TRY(get_meta_, connection_.prepare("SELECT value FROM meta WHERE key = ?"));
  FLOW_TRY(add_seen_,
           connection_.prepare(
               "INSERT OR IGNORE INTO seen (tenant, trigger_name, key, time_us) VALUES (?, ?, ?, ?)"));
  FLOW_TRY(put_cursor_,
           connection_.prepare("INSERT OR REPLACE INTO cursors (tenant, trigger_name, watermark_us, floor_us)"
                               " VALUES (?, ?, ?, ?)"));
  FLOW_TRY(forget_old_,
           connection_.prepare("DELETE FROM seen WHERE tenant = ? AND trigger_name = ? AND time_us < ?"));
  FLOW_TRY(forget_rest_,
           connection_.prepare("DELETE FROM seen WHERE tenant = ?1 AND trigger_name = ?2 AND time_us <"
                               " (SELECT time_us FROM seen WHERE tenant = ?1 AND trigger_name = ?2"
                               "  ORDER BY time_us DESC LIMIT 1 OFFSET ?3 - 1)"));
  FLOW_TRY(put_once_, connection_.prepare(
                          "INSERT OR REPLACE INTO once (tenant, flow, key, until_us) VALUES (?, ?, ?, ?)"));
  // A few at a time: more go than come.
  FLOW_TRY(forget_once_,
           connection_.prepare("DELETE FROM once WHERE (tenant, flow, key) IN (SELECT tenant, flow,"
                               " key FROM once WHERE until_us < ? ORDER BY until_us LIMIT 4)"));
  FLOW_TRY(put_counted_,
           connection_.prepare("INSERT OR REPLACE INTO counted (tenant, flow, operation, run, call, time_us,"
                               " until_us) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(remove_counted_,
           connection_.prepare("DELETE FROM counted WHERE tenant = ? AND flow = ? AND operation = ?"
                               " AND run = ? AND call = ?"));
  FLOW_TRY(forget_counted_,
           connection_.prepare("DELETE FROM counted WHERE (tenant, flow, operation, run, call) IN (SELECT"
                               " tenant, flow, operation, run, call FROM counted WHERE until_us < ?"
                               " ORDER BY until_us LIMIT 4)"));
  FLOW_TRY(put_meta_, connection_.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"));
  return {};
}

Status TriggerTables::write_events(const Batch& batch) {
  for (const SeenRow& row : batch.seen) {
    add_seen_.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.key).bind(4, row.time_us);
    FLOW_TRY_STATUS(connection_.finish(add_seen_, "remember an event"));
  }
  for (const CursorRow& row : batch.cursors) {
    put_cursor_.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.watermark_us).bind(4, row.floor_us);
    FLOW_TRY_STATUS(connection_.finish(put_cursor_, "move a cursor"));
  }
  return {};
}

Status TriggerTables::write_counts(const Batch& batch) {
  for (const CountedCallRow& row : batch.counted) {
    forget_counted_.bind(1, row.time_us);
    FLOW_TRY_STATUS(connection_.finish(forget_counted_, "forget old calls"));
    put_counted_.bind(1, row.tenant).bind(2, row.flow).bind(3, row.operation).bind(4, row.run);
    put_counted_.bind(5, std::int64_t{row.call}).bind(6, row.time_us).bind(7, row.until_us);
    FLOW_TRY_STATUS(connection_.finish(put_counted_, "count a call"));
  }
  for (const CountedCallRow& row : batch.uncounted) {
    remove_counted_.bind(1, row.tenant).bind(2, row.flow).bind(3, row.operation).bind(4, row.run);
    remove_counted_.bind(5, std::int64_t{row.call});
    FLOW_TRY_STATUS(connection_.finish(remove_counted_, "give back a call"));
  }
  return {};
}

Status TriggerTables::write_marks(const Batch& batch) {
  for (const ForgetRow& row : batch.forget) {
    forget_old_.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.before_us);
    FLOW_TRY_STATUS(connection_.finish(forget_old_, "forget old events"));
    if (row.keep_at_most == 0) continue;
    forget_rest_.bind(1, row.tenant).bind(2, row.trigger).bind(3, std::int64_t{row.keep_at_most});
    FLOW_TRY_STATUS(connection_.finish(forget_rest_, "forget old events"));
  }
  for (const OnceRow& row : batch.once) {
    forget_once_.bind(1, row.taken_us);
    FLOW_TRY_STATUS(connection_.finish(forget_once_, "forget old keys"));
    put_once_.bind(1, row.tenant).bind(2, row.flow).bind(3, row.key).bind(4, row.until_us);
    FLOW_TRY_STATUS(connection_.finish(put_once_, "take a key"));
  }
  for (const MetaRow& row : batch.meta) {
    put_meta_.bind(1, row.key).bind(2, row.value);
    FLOW_TRY_STATUS(connection_.finish(put_meta_, "note a setting"));
  }
  return {};
}

Status TriggerTables::write(const Batch& batch) {
  FLOW_TRY_STATUS(write_events(batch));
  FLOW_TRY_STATUS(write_counts(batch));
  return write_marks(batch);
}

Result<std::optional<CursorRow>> TriggerTables::cursor(std::string_view tenant, std::string_view trigger) {
  Statement& statement = get_cursor_.bind(1, tenant).bind(2, trigger);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<CursorRow>();
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read a cursor"));
  return std::optional<CursorRow>(
      CursorRow{std::string(tenant), std::string(trigger), statement.number(0), statement.number(1)});
}

Result<bool> TriggerTables::is_seen(std::string_view tenant, std::string_view trigger, std::string_view key) {
  FLOW_TRY(const auto found, connection_.one_text(get_seen_.bind(1, tenant).bind(2, trigger).bind(3, key)));
  return found.has_value();
}

Result<std::int64_t> TriggerTables::once_until(std::string_view tenant, std::string_view flow,
                                               std::string_view key) {
  Statement& statement = get_once_.bind(1, tenant).bind(2, flow).bind(3, key);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return 0;
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read a key"));
  return statement.number(0);
}

Result<std::vector<CountedCallRow>> TriggerTables::counted_calls(std::string_view tenant,
                                                                 std::string_view flow,
                                                                 std::string_view operation,
                                                                 std::int64_t after_us) {
  Statement& statement = get_counted_.bind(1, tenant).bind(2, flow).bind(3, operation);
  statement.bind(4, after_us);
  const Use use(statement);
  std::vector<CountedCallRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({.tenant = std::string(tenant),
                    .flow = std::string(flow),
                    .operation = std::string(operation),
                    .run = statement.text(0),
                    .call = static_cast<std::uint32_t>(statement.number(1)),
                    .time_us = statement.number(2),
                    .until_us = statement.number(3)});
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read counted calls"));
  return rows;
}

Result<std::optional<std::string>> TriggerTables::meta(std::string_view key) {
  return connection_.one_text(get_meta_.bind(1, key));
}

}  // namespace flow::sqlite
