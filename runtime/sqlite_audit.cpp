#include "runtime/sqlite_audit.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"

namespace flow::sqlite {

Status AuditTable::prepare() {
  FLOW_TRY(add_, connection_.prepare("INSERT INTO audit (number, line, hash) VALUES (?, ?, ?)"));
  FLOW_TRY(get_, connection_.prepare(
                     "SELECT number, line, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?"));
  FLOW_TRY(remove_, connection_.prepare("DELETE FROM audit WHERE number <= ?"));
  FLOW_TRY(Statement last,
           connection_.prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"));
  const int code = last.step();
  if (code == SQLITE_ROW) end_ = {static_cast<std::uint64_t>(last.number(0)), last.text(1)};
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    return tl::unexpected(connection_.problem("read the audit trail"));
  new_end_ = end_;
  return {};
}

Status AuditTable::write(const std::vector<AuditRow>& rows) {
  for (const AuditRow& row : rows) {
    const std::string line = audit_line(new_end_.number + 1, row);
    new_end_ = {new_end_.number + 1, audit_hash(new_end_.hash, line)};
    add_.bind(1, static_cast<std::int64_t>(new_end_.number)).bind(2, line).bind_blob(3, new_end_.hash);
    FLOW_TRY_STATUS(connection_.finish(add_, "add to the audit trail"));
  }
  return {};
}

Result<std::uint32_t> AuditTable::old_rows(std::int64_t before_us, std::uint32_t limit) {
  FLOW_TRY(const std::vector<AuditLine> oldest, lines(0, limit));
  const auto is_old = [&](const AuditLine& row) {
    const auto time = json_string(json_member(row.line, "time").value_or(""));
    const auto time_us = time ? parse_time_us(*time) : std::nullopt;
    return time_us && *time_us < before_us;  // one that cannot be read stays, for check_audit() to find
  };
  return static_cast<std::uint32_t>(std::ranges::find_if_not(oldest, is_old) - oldest.begin());
}

Status AuditTable::prune(std::uint32_t count, std::int64_t now_us) {
  FLOW_TRY(const std::vector<AuditLine> oldest, lines(0, count));
  const AuditLine& last = oldest.back();
  AuditRow row{.kind = AuditKind::Pruned, .time_us = now_us};
  row.through = last.number;
  row.anchor = hex(last.hash);
  FLOW_TRY_STATUS(write({row}));
  return connection_.finish(remove_.bind(1, static_cast<std::int64_t>(last.number)), "prune the audit trail");
}

Result<std::vector<AuditLine>> AuditTable::lines(std::uint64_t after, std::uint32_t limit) {
  Statement& statement = get_.bind(1, static_cast<std::int64_t>(after)).bind(2, std::int64_t{limit});
  const Use use(statement);
  std::vector<AuditLine> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({static_cast<std::uint64_t>(statement.number(0)), statement.text(1), statement.text(2)});
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read the audit trail"));
  return rows;
}

}  // namespace flow::sqlite
