#include "runtime/sqlite_states.hpp"

#include <fmt/format.h>

#include "runtime/compressed_text.hpp"

namespace flow::sqlite {

Status StateTable::prepare() {
  FLOW_TRY(put_, connection_.prepare(
                     "INSERT OR REPLACE INTO states (tenant, trigger_name, id, time_us, packed, event)"
                     " VALUES (?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(get_, connection_.prepare("SELECT time_us, packed, event FROM states"
                                     " WHERE tenant = ? AND trigger_name = ? AND id = ?"));
  FLOW_TRY(forget_old_,
           connection_.prepare("DELETE FROM states WHERE tenant = ? AND trigger_name = ? AND time_us < ?"));
  FLOW_TRY(forget_rest_,
           connection_.prepare("DELETE FROM states WHERE tenant = ?1 AND trigger_name = ?2 AND time_us <"
                               " (SELECT time_us FROM states WHERE tenant = ?1 AND trigger_name = ?2"
                               "  ORDER BY time_us DESC LIMIT 1 OFFSET ?3 - 1)"));
  return {};
}

Status StateTable::write(const Batch& batch) {
  for (const StateRow& row : batch.states) {
    const auto shorter = compressed(row.event);
    put_.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.id).bind(4, row.time_us);
    put_.bind(5, std::int64_t{shorter.has_value()}).bind_blob(6, shorter ? *shorter : row.event);
    FLOW_TRY_STATUS(connection_.finish(put_, "remember what an event said"));
  }
  for (const ForgetRow& row : batch.forget_states) {
    forget_old_.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.before_us);
    FLOW_TRY_STATUS(connection_.finish(forget_old_, "forget what events said"));
    if (row.keep_at_most == 0) continue;
    forget_rest_.bind(1, row.tenant).bind(2, row.trigger).bind(3, std::int64_t{row.keep_at_most});
    FLOW_TRY_STATUS(connection_.finish(forget_rest_, "forget what events said"));
  }
  return {};
}

Result<std::optional<StateRow>> StateTable::last(std::string_view tenant, std::string_view trigger,
                                                 std::string_view id) {
  get_.bind(1, tenant).bind(2, trigger).bind(3, id);
  const Use use(get_);
  const int code = get_.step();
  if (code == SQLITE_DONE) return std::optional<StateRow>();
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read what an event said"));
  StateRow row{std::string(tenant), std::string(trigger), std::string(id), get_.number(0), get_.text(2)};
  if (get_.number(1) == 0) return std::optional<StateRow>(std::move(row));
  auto text = decompressed(row.event);
  if (!text)
    return error(fmt::format("store {}: what the last event of {} said is damaged", connection_.path(), id));
  row.event = *std::move(text);
  return std::optional<StateRow>(std::move(row));
}

}  // namespace flow::sqlite
